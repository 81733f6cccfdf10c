//! What went wrong, by OpenTelemetry's names.

use std::any::{Any, type_name};
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::error::Error;
use std::fmt::{Debug, Display};

use lambda_runtime::Diagnostic;
use throughline_telemetry::Attributes;

use crate::current;

/// An error or a panic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    /// `exception.type`
    pub(crate) kind: String,
    pub(crate) message: String,
    /// Its causes, and the frames if they are known.
    pub(crate) stack: String,
    pub(crate) place: Option<Place>,
}

/// Where it went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    file: String,
    line: u32,
    function: String,
}

impl Failure {
    /// What a handler failed with, if that is a box of some error.
    pub(crate) fn of_boxed(error: &dyn Any) -> Option<Self> {
        if let Some(error) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
            return Some(Self::of_error(error.as_ref()));
        }
        let error = error.downcast_ref::<Box<dyn Error>>()?;
        Some(Self::of_error(error.as_ref()))
    }

    /// Whatever says what it is.
    pub(crate) fn of_any<E: Display + 'static>(error: &E) -> Self {
        let (kind, message) = (type_name::<E>(), error.to_string());
        Self::of_boxed(error).unwrap_or_else(|| Failure {
            kind: kind.to_owned(),
            stack: cut(&[&format!("{kind}: {message}")]),
            message,
            place: None,
        })
    }

    /// What a handler failed with: `debug` is how the runtime prints it, `diagnostic` what it tells Lambda.
    pub(crate) fn of_handler(debug: &str, diagnostic: &Diagnostic) -> Self {
        let kind = diagnostic.error_type.trim_start_matches('&').to_owned();
        let message = diagnostic.error_message.clone();
        // What has causes and frames shows them so, on lines of their own.
        let shown = if debug.contains('\n') { debug } else { "" };
        Failure {
            stack: cut(&[&format!("{kind}: {message}"), shown]),
            kind,
            message,
            place: None,
        }
    }

    /// An error and what caused it.
    pub(crate) fn of_error(error: &(dyn Error + 'static)) -> Self {
        let (kind, message) = (kind_of(error), error.to_string());
        let mut lines = vec![format!("{kind}: {message}")];
        let mut cause = error.source();
        while let Some(error) = cause.filter(|_| lines.len() <= CAUSES_MAX) {
            lines.push(format!("Caused by: {}: {error}", kind_of(error)));
            cause = error.source();
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        Failure {
            stack: cut(&lines),
            kind,
            message,
            place: None,
        }
    }

    /// The same, with one text in place of another.
    #[cfg(feature = "reqwest")]
    pub(crate) fn with(mut self, text: &str, in_place: &str) -> Self {
        self.message = self.message.replace(text, in_place);
        self.stack = self.stack.replace(text, in_place);
        self
    }

    /// A panic of which the hook may have seen where it was.
    pub(crate) fn of_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        let message = text.unwrap_or_default();
        let seen = SEEN.with(RefCell::take);
        let (frames, place) = seen.map_or((String::new(), None), |seen| {
            (own_frames(&seen.backtrace.to_string()), Some(seen.place))
        });
        let place = place.map(|place| Place {
            function: function_at(&frames, &place),
            ..place
        });
        Failure {
            kind: "panic".to_owned(),
            stack: cut(&[&format!("panic: {message}"), &frames]),
            message,
            place,
        }
    }

    /// Attributes of an exception event.
    pub(crate) fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::default();
        attributes.set("exception.type", self.kind.as_str());
        attributes.set("exception.message", cut(&[&self.message]));
        attributes.set("exception.stacktrace", self.stack.as_str());
        if let Some(place) = &self.place {
            attributes.set("code.file.path", place.file.as_str());
            attributes.set("code.line.number", i64::from(place.line));
            if !place.function.is_empty() {
                attributes.set("code.function.name", place.function.as_str());
            }
        }
        attributes
    }
}

/// What the type of an error is called. A trait object does not tell; what is derived for `Debug` begins with it.
fn kind_of(error: &(dyn Error + 'static)) -> String {
    if error.is::<std::io::Error>() {
        return "std::io::Error".to_owned();
    }
    let debug = format!("{error:?}");
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let end = debug
        .find(|letter: char| !is_name(letter))
        .unwrap_or(debug.len());
    let (name, rest) = debug.split_at(end);
    let is_derived = rest.is_empty() || rest.starts_with('(') || rest.starts_with(" {");
    let is_type = name.starts_with(char::is_alphabetic) && is_derived && debug != error.to_string();
    (if is_type { name } else { "Error" }).to_owned()
}

thread_local! {
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// What the hook saw of a panic.
struct Seen {
    place: Place,
    backtrace: Backtrace,
}

/// Looks at each panic within an invocation before whoever looked at it until now.
pub(crate) fn install_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if current::named().is_some() {
            let place = panic.location().map(|at| Place {
                file: at.file().to_owned(),
                line: at.line(),
                function: String::new(),
            });
            let seen = place.map(|place| Seen {
                place,
                backtrace: Backtrace::force_capture(),
            });
            SEEN.with(|kept| kept.replace(seen));
        }
        before(panic);
    }));
}

/// The frames between what makes a panic and what calls the handler.
fn own_frames(backtrace: &str) -> String {
    let lines: Vec<&str> = backtrace.lines().collect();
    let is_frame = |line: &str| {
        line.trim_start()
            .starts_with(|letter: char| letter.is_ascii_digit())
    };
    let starts = lines.iter().enumerate().filter(|(_, line)| is_frame(line));
    let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
    let is_of = |at: usize, names: &[&str]| names.iter().any(|name| lines[at].contains(name));
    let begun = starts.iter().position(|at| is_of(*at, BEGINS));
    let rest = starts
        .get(begun.map_or(0, |at| at + 1)..)
        .unwrap_or_default();
    let own = rest.iter().copied().find(|at| !is_of(*at, PANICKING));
    let from = own.unwrap_or(0);
    let to = rest.iter().copied().find(|at| is_of(*at, OURS));
    let kept = backtrace.lines().skip(from);
    let kept = kept.take(to.map_or(usize::MAX, |to| to - from));
    kept.collect::<Vec<_>>().join("\n")
}

/// The symbol of the frame at `place`: `  3: name` above `at FILE:LINE:COLUMN`.
fn function_at(frames: &str, place: &Place) -> String {
    // One is told relative to where the compiler was, the other to where the program is.
    let file = place.file.rsplit('/').next().unwrap_or_default();
    let mark = format!("/{file}:{}:", place.line);
    let lines: Vec<&str> = frames.lines().collect();
    let mut pairs = lines.windows(2).filter(|pair| pair[1].contains(&mark));
    let symbol = pairs.next().and_then(|pair| pair[0].split_once(": "));
    symbol.map_or(String::new(), |(_, name)| name.to_owned())
}

/// The lines that are not empty, and of them the beginning.
fn cut(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| !line.is_empty())
        .collect();
    let mut text = lines.join("\n");
    text.truncate(text.floor_char_boundary(STACK_BYTES_MAX));
    text
}

const CAUSES_MAX: usize = 8;
const STACK_BYTES_MAX: usize = 16 << 10;
/// In the symbol of the frame with which a panic begins.
const BEGINS: &[&str] = &["rust_begin_unwind"];
/// In the symbols of the frames between that and the function's own.
const PANICKING: &[&str] = &["panicking::", "unwrap_failed", "expect_failed"];
/// In the symbols of what calls the handler.
const OURS: &[&str] = &["throughline_sdk::runtime::"];

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Payment {
        #[allow(dead_code)] // shown by Debug
        order: u32,
        cause: std::num::ParseIntError,
    }

    impl std::fmt::Display for Payment {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("payment failed")
        }
    }

    impl Error for Payment {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.cause)
        }
    }

    #[test]
    fn boxed_error_has_its_name_and_its_causes() {
        let cause = "x".parse::<u32>().unwrap_err();
        let error: lambda_runtime::Error = Box::new(Payment { order: 7, cause });
        let failure = Failure::of_boxed(&error).unwrap();
        assert_eq!(failure.kind, "Payment");
        assert_eq!(failure.message, "payment failed");
        assert_eq!(
            failure.stack,
            "Payment: payment failed\nCaused by: ParseIntError: invalid digit found in string"
        );
    }

    #[test]
    fn text_is_an_error_without_a_name() {
        let error: lambda_runtime::Error = "sour".into();
        let failure = Failure::of_boxed(&error).unwrap();
        assert_eq!(
            (failure.kind.as_str(), failure.message.as_str()),
            ("Error", "sour")
        );
    }

    #[test]
    fn own_type_is_what_its_diagnostic_says() {
        let debug = "sour\n\nCaused by:\n    milk";
        let diagnostic = Diagnostic {
            error_type: "&shop::Sour".to_owned(),
            error_message: "sour".to_owned(),
        };
        let failure = Failure::of_handler(debug, &diagnostic);
        assert_eq!(failure.kind, "shop::Sour");
        assert_eq!(failure.stack, format!("shop::Sour: sour\n{debug}"));
    }

    #[test]
    fn frames_of_a_panic_are_those_of_the_function() {
        let backtrace = "   0: std::backtrace::Backtrace::force_capture
   1: throughline_sdk::failure::install_hook::{closure#0}
             at ./src/failure.rs:1:1
   2: __rustc::rust_begin_unwind
   3: core::panicking::panic_fmt
             at /rustc/x/library/core/src/panicking.rs:1:1
   4: shop::pay
             at ./src/pay.rs:7:5
   5: shop::handler::{async_fn#0}
             at ./src/main.rs:9:3
   6: throughline_sdk::runtime::handler::poll
   7: std::panicking::catch_unwind
   8: main";
        let frames = own_frames(backtrace);
        assert_eq!(
            frames,
            "   4: shop::pay\n             at ./src/pay.rs:7:5\n   5: shop::handler::{async_fn#0}\n             at ./src/main.rs:9:3"
        );
        let place = |file: &str| Place {
            file: file.to_owned(),
            line: 7,
            function: String::new(),
        };
        assert_eq!(function_at(&frames, &place("src/pay.rs")), "shop::pay");
        assert_eq!(function_at(&frames, &place("src/other.rs")), "");
    }
}
