//! Why a span failed, from the places where that may be written.

use serde_json::{Map, Value};

use super::super::text::first_line;
use super::story::{Log, Step, text};

/// What went wrong, and where in the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Type and message, the first line of it.
    pub(super) what: String,
    /// `app/stock.py:42 in reserve`.
    pub(super) place: Option<String>,
}

/// Exceptions of the span first, then those of its logs, then what its status says.
pub(super) fn failure(step: &Step, logs: &[&Log]) -> Option<Failure> {
    let events = step.events.iter().filter(|event| event.name == "exception");
    let mut found = events.filter_map(|event| exception(&event.attributes));
    let first = found.next();
    let logged = || {
        let mut found = logs
            .iter()
            .filter_map(|log| exception(&log.attributes).or_else(|| lambda_error(&log.body)));
        found.next()
    };
    let mut failure = first.or_else(logged).or_else(|| status(step))?;
    failure.place = failure.place.or_else(|| place(&step.attributes));
    Some(failure)
}

fn exception(attributes: &Map<String, Value>) -> Option<Failure> {
    let (kind, message, stack) = (
        text(attributes, "exception.type"),
        text(attributes, "exception.message"),
        text(attributes, "exception.stacktrace"),
    );
    Some(Failure {
        what: said(kind, message)?,
        place: place(attributes).or_else(|| place_in(stack)),
    })
}

/// What a runtime client prints when a handler throws.
fn lambda_error(body: &Value) -> Option<Failure> {
    let record = body.as_object()?;
    let stack = match record.get("stackTrace").or_else(|| record.get("stack")) {
        Some(Value::String(stack)) => stack.clone(),
        Some(Value::Array(lines)) => {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            lines.join("\n")
        }
        _ => String::new(),
    };
    Some(Failure {
        what: said(text(record, "errorType"), text(record, "errorMessage"))?,
        place: place_in(&stack),
    })
}

fn status(step: &Step) -> Option<Failure> {
    let what = said(text(&step.attributes, "error.type"), &step.status_message)?;
    Some(Failure { what, place: None })
}

fn said(kind: &str, message: &str) -> Option<String> {
    let message = first_line(message);
    match (kind.is_empty(), message.is_empty()) {
        (true, true) => None,
        (true, false) => Some(message),
        (false, true) => Some(first_line(kind)),
        (false, false) if message.starts_with(kind) => Some(message),
        (false, false) => Some(format!("{}: {message}", first_line(kind))),
    }
}

/// The line of the function's own code, where a layer or the SDK tells it.
fn place(attributes: &Map<String, Value>) -> Option<String> {
    let file = first_line(ours(text(attributes, "code.file.path")));
    let line = match attributes.get("code.line.number")? {
        Value::String(line) => first_line(line),
        line => line.as_u64()?.to_string(),
    };
    let name = first_line(text(attributes, "code.function.name"));
    match (file.is_empty(), name.is_empty()) {
        (true, _) => None,
        (false, true) => Some(format!("{file}:{line}")),
        (false, false) => Some(format!("{file}:{line} in {name}")),
    }
}

/// Where a stack trace names the function's own code: Python tells the latest call last, others first.
fn place_in(stack: &str) -> Option<String> {
    let mut own = stack.lines().filter(|line| !is_foreign(line));
    let found = own.clone().filter_map(python_place).next_back();
    found.or_else(|| own.find_map(other_place))
}

/// `File "/var/task/app.py", line 42, in reserve`.
fn python_place(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("File \"")?;
    let (file, rest) = rest.split_once("\", line ")?;
    let (number, name) = rest.split_once(", in ").unwrap_or((rest, ""));
    let name = match name.is_empty() || name == "<module>" {
        true => String::new(),
        false => format!(" in {name}"),
    };
    is_number(number).then(|| first_line(&format!("{}:{number}{name}", ours(file))))
}

/// `at handler (/var/task/app.mjs:12:7)` of Node, `at src/main.rs:12:7` of Rust.
fn other_place(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("at ")?;
    let (name, place) = match rest
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once(" ("))
    {
        Some((name, place)) => (name, place),
        None => ("", rest),
    };
    let mut parts = place.rsplitn(3, ':');
    let (last, middle, first) = (parts.next()?, parts.next()?, parts.next());
    let (file, number) = match first {
        Some(file) if is_number(last) && is_number(middle) => (file, middle),
        _ => place.rsplit_once(':').filter(|(_, line)| is_number(line))?,
    };
    let name = match name.is_empty() {
        true => String::new(),
        false => format!(" in {name}"),
    };
    Some(first_line(&format!("{}:{number}{name}", ours(file))))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The file as it is called in the function's folder.
fn ours(file: &str) -> &str {
    let file = file.strip_prefix("file://").unwrap_or(file);
    file.strip_prefix("/var/task/").unwrap_or(file)
}

fn is_foreign(line: &str) -> bool {
    FOREIGN.iter().any(|part| line.contains(part))
}

/// Libraries and runtimes.
const FOREIGN: [&str; 9] = [
    "/site-packages/",
    "/dist-packages/",
    "/lib/python3.",
    "<frozen ",
    "/node_modules/",
    "node:",
    "/rustc/",
    "/.cargo/registry/",
    "at <anonymous>",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_in_our_own_code() {
        let python = "Traceback (most recent call last):\n  File \"/var/task/app.py\", line 9, in handler\n    \
            pay()\n  File \"/var/task/pay.py\", line 42, in pay\n    raise Declined()\n  \
            File \"/opt/python/site-packages/x.py\", line 1, in y";
        let node = "Error: no\n    at node:internal/process:1:2\n    at pay (file:///var/task/pay.mjs:12:7)\n    \
            at handler (/var/task/app.mjs:3:1)";
        let rust = "   0: shop::pay\n             at src/pay.rs:7:5\n   1: std::rt\n             \
            at /rustc/abc/library/std/src/rt.rs:1:1";
        assert_eq!(place_in(python).as_deref(), Some("pay.py:42 in pay"));
        assert_eq!(place_in(node).as_deref(), Some("pay.mjs:12 in pay"));
        assert_eq!(place_in(rust).as_deref(), Some("src/pay.rs:7"));
        for nothing in ["", "at", "at noon", "at x:y", "File \"a\", line b"] {
            assert_eq!(place_in(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_type_is_not_said_twice() {
        assert_eq!(
            said("Declined", "Declined: no money\nat all").as_deref(),
            Some("Declined: no money")
        );
        assert_eq!(
            said("Declined", "no money").as_deref(),
            Some("Declined: no money")
        );
        assert_eq!(said("", ""), None);
    }

    #[test]
    fn what_a_runtime_prints_is_read() {
        let body = serde_json::json!({"errorType": "TypeError", "errorMessage": "x is null",
            "stackTrace": ["  at f (/var/task/i.js:1:2)"]});
        let expected = Failure {
            what: "TypeError: x is null".to_owned(),
            place: Some("i.js:1 in f".to_owned()),
        };
        assert_eq!(lambda_error(&body), Some(expected));
    }
}
