//! Actions in sentences.

use crate::action::{Action, Class};
use crate::before::Before;
use crate::plan::CodeLine;

/// What is another way once it is done, or at an end.
pub(crate) fn change(action: &Action, before: &Before, is_over: bool) -> Option<String> {
    let what = match action {
        Action::Deny {
            resource,
            class: Class::Write,
            ..
        } => format!("a deny of writing to {resource}"),
        Action::Deny { resource, .. } => format!("a deny of {resource}"),
        Action::Stop { .. } => "a stop".to_owned(),
        Action::Disable { source, .. } => {
            let id = source.to_string();
            let known = before.sources.iter().find(|known| known.id == id);
            match known.map(|it| it.name()) {
                Some(name) => format!("a stop of event source {name}"),
                None => "a stop of an event source".to_owned(),
            }
        }
        Action::Memory { .. } | Action::Ignore { .. } | Action::Mute { .. } => return None,
    };
    Some(match is_over {
        true => format!("the end of {what}"),
        false => what,
    })
}

/// In one sentence, without a full stop.
pub(crate) fn title(action: &Action, before: Option<&Before>) -> String {
    match action {
        Action::Ignore {
            node,
            to,
            class,
            operation,
            signature,
            kind,
            days,
            ..
        } => format!(
            "ignore {} of {node}{}{}{}{} for {}",
            plain(kind),
            given(to.as_deref(), " → ", ""),
            given(operation.as_deref(), " ", ""),
            given(class.as_deref(), " (", ")"),
            given(signature.as_deref(), " (", ")"),
            counted(*days, "day")
        ),
        Action::Mute {
            person,
            node,
            to,
            kind,
            days,
        } => format!(
            "do not tell {person} of {} of {node}{} for {}",
            plain(kind),
            given(to.as_deref(), " → ", ""),
            counted(*days, "day")
        ),
        Action::Deny {
            function,
            resource,
            class,
            hours,
        } => {
            let what = match class {
                Class::Write => "writing to",
                Class::All => "everything with",
            };
            format!(
                "deny {function} {what} {resource} for {}",
                counted(*hours, "hour")
            )
        }
        Action::Stop { function, hours } => {
            format!("stop {function} for {}", counted(*hours, "hour"))
        }
        Action::Disable {
            function,
            source,
            hours,
        } => {
            let id = source.to_string();
            let mut known = before.iter().flat_map(|before| &before.sources);
            let source = match known.find(|known| known.id == id) {
                Some(known) => known.name(),
                None => format!("mapping {id}"),
            };
            let time = counted(*hours, "hour");
            format!("disable event source {source} of {function} for {time}")
        }
        Action::Memory {
            function,
            memory_mb,
            hours,
        } => {
            let time = hours.map(|hours| match hours % 24 {
                0 => counted(hours / 24, "day"),
                _ => counted(hours, "hour"),
            });
            let time = given(time.as_deref(), " for ", "");
            format!("give {function} {memory_mb} MB of memory{time}")
        }
    }
}

/// What follows from it that its name does not say.
pub(crate) fn warnings(action: &Action, before: &Before) -> Vec<String> {
    let all: &[&str] = match action {
        Action::Ignore { .. } => &[
            "findings like this open no incident and are in none, for everybody, until then",
            "what else is found about the same subject is shown as before",
        ],
        Action::Mute { .. } => &["only this person is not told; incidents are shown as before"],
        Action::Deny { .. } => &[
            "the function's calls are refused within seconds and fail as its code makes of that: retries, errors, \
             messages that come again",
            "it is denied to the function's code alone: others that share the role keep it, and so does Lambda where it \
             polls a queue or a stream for the function",
            "it ends by itself at the time that is in the policy; the policy is removed soon after",
            "tools that describe the role, such as CloudFormation or Terraform, may remove it with the next deployment",
        ],
        Action::Stop { .. } => &[
            "who waits for an answer gets 429 at once; all versions and aliases are stopped, what runs is not",
            "events that were left with Lambda are tried for up to six hours, then go to the dead-letter queue or are lost",
            "messages return to their queue and may go to its dead-letter queue when they were received too often; streams \
             wait, and records that become too old are lost",
            "AWS refuses it while the function has provisioned concurrency",
            "tools that describe the function may set it back with the next deployment",
        ],
        Action::Disable { .. } => &[
            "events wait in their queue or stream, and are lost when they become older than it keeps them",
            "other sources of the function, and who calls it directly, are not stopped",
            "tools that describe the mapping may set it back with the next deployment",
        ],
        Action::Memory { .. } => &[
            "new environments begin with a cold start, and processor time changes with memory",
            "only $LATEST changes: what is called by a version or an alias stays as it is until one is published",
            "tools that describe the function set it back with the next deployment, unless the line below is in it",
        ],
    };
    let mut all: Vec<String> = all.iter().map(|text| (*text).to_owned()).collect();
    if let Action::Memory { hours: Some(_), .. } = action {
        all.insert(
            0,
            format!(
                "it is put back to {} MB at its end, also where the same size was deployed meanwhile, unless somebody \
                 keeps it, or it is as was predicted; what somebody else has set by then is left",
                before.memory_mb
            ),
        );
    }
    if let (Action::Stop { .. }, Some(reserved)) = (action, before.reserved) {
        all.push(format!(
            "it had {reserved} environments reserved, which others may use meanwhile"
        ));
    }
    all
}

/// The line that gives a function its memory, by tool.
pub(crate) fn code(memory_mb: u32) -> Vec<CodeLine> {
    let line = |tool: &str, place: &str, line: String| CodeLine {
        tool: tool.to_owned(),
        place: place.to_owned(),
        line,
    };
    vec![
        line(
            "SAM",
            "Properties of the AWS::Serverless::Function",
            format!("MemorySize: {memory_mb}"),
        ),
        line(
            "CDK",
            "the properties of the Function",
            format!("memorySize: {memory_mb},"),
        ),
        line(
            "Terraform",
            "the resource aws_lambda_function",
            format!("memory_size = {memory_mb}"),
        ),
        line(
            "Serverless Framework",
            "the function",
            format!("memorySize: {memory_mb}"),
        ),
    ]
}

/// What is said, between these; nothing, if it is not.
fn given(said: Option<&str>, before: &str, after: &str) -> String {
    match said {
        Some(said) => format!("{before}{said}{after}"),
        None => String::new(),
    }
}

/// The name of a kind of findings as people write it.
fn plain(kind: &str) -> String {
    match kind {
        "alertmanager" => "alerts of Alertmanager".to_owned(),
        "prometheus" => "alerts of Prometheus".to_owned(),
        kind => kind.replace('_', " "),
    }
}

/// `1 day`, `2 days`.
fn counted(count: u32, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
