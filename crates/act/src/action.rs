//! What somebody wants to be done.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::before::Before;
use crate::time::UnixSeconds;
use crate::words;

/// One of the things that can be done. Nothing else can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Ignore it from now on: findings of this kind about this subject open no incident.
    Ignore {
        /// The node, as on the map: `function:pay`.
        node: String,
        /// What it calls, of findings about calls.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// What the operation does there, of new edges: `read`, `write`, `admin` or `outside`. Of alerts of others their
        /// name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// Which operation, of findings about one; all of them, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<String>,
        /// Which error, of new ones; all of them, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
        /// Of which kind: `new_edge`, `latency`.
        kind: String,
        /// Why it is all right.
        reason: String,
        /// For how many days.
        days: u32,
    },
    /// Do not bother one person with it again; others are told.
    Mute {
        /// Whom, as messages address them.
        person: String,
        /// The node.
        node: String,
        /// What it calls, of findings about calls; whatever it is of, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// Of which kind.
        kind: String,
        /// For how many days.
        days: u32,
    },
    /// Deny one function's operations on one resource, until that ends by itself.
    Deny {
        /// The function's name.
        function: FunctionName,
        /// What it must not touch.
        resource: Resource,
        /// Which operations.
        class: Class,
        /// For how many hours.
        hours: u32,
    },
    /// Stop a function: reserved concurrency 0.
    Stop {
        /// The function's name.
        function: FunctionName,
        /// For how many hours.
        hours: u32,
    },
    /// Disable an event source mapping of a function.
    Disable {
        /// The function's name.
        function: FunctionName,
        /// The mapping's UUID.
        source: SourceId,
        /// For how many hours.
        hours: u32,
    },
    /// Give a function another memory size.
    Memory {
        /// The function's name.
        function: FunctionName,
        /// In MB.
        memory_mb: u32,
        /// For how many hours it is tried. Without end where they are not said: those that were proposed before
        /// there was one. What is proposed now [has one](Action::with_end).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hours: Option<u32>,
    },
}

/// Which operations on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Those that change data or hand something over.
    Write,
    /// All of them.
    All,
}

/// What a function can be kept from, by the name that it has on the map: `table:users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resource {
    kind: ResourceKind,
    name: String,
}

/// What sort of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// A DynamoDB table.
    Table,
    /// An SQS queue.
    Queue,
    /// An SNS topic.
    Topic,
    /// An S3 bucket.
    Bucket,
    /// An EventBridge bus.
    Bus,
    /// A Kinesis stream.
    Stream,
    /// A Lambda function.
    Function,
}

/// The name of a function, without an ARN or a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FunctionName(String);

/// The UUID of an event source mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceId(String);

/// The name of a proposed action. It stands in addresses and in the names of policies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ActionId(String);

/// Why something cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAction {
    /// No name of a function.
    #[error(
        "`{0}` is no name of a function: letters, digits, - and _, at most 64, without ARN or version"
    )]
    Function(String),
    /// No resource that can be denied.
    #[error(
        "`{0}` cannot be denied: it must be table, queue, topic, bucket, bus, stream or function, a colon and a name \
         without wildcards"
    )]
    Resource(String),
    /// No UUID.
    #[error("`{0}` is no id of an event source mapping")]
    Source(String),
    /// No id of an action.
    #[error("`{0}` is no id of an action: 16 to 36 lower-case letters and digits")]
    Id(String),
    /// Too short or too long.
    #[error("`{0}` must be from {1} to {2}, not {3}")]
    Range(&'static str, u32, u32, u32),
    /// Text that says nothing, or too much.
    #[error("`{0}` must have from 1 to {TEXT_MAX} characters")]
    Text(&'static str),
}

impl Action {
    /// The same, if its numbers and texts are within bounds. What has been parsed has been checked for names only.
    pub fn checked(self) -> Result<Self, BadAction> {
        let text = |name, text: &str| match text.chars().count() {
            1..=TEXT_MAX => Ok(()),
            _ => Err(BadAction::Text(name)),
        };
        let given = |name, given: &Option<String>| match given {
            Some(given) => text(name, given),
            None => Ok(()),
        };
        let within = |name, least, most, value| match value {
            value if (least..=most).contains(&value) => Ok(()),
            value => Err(BadAction::Range(name, least, most, value)),
        };
        match &self {
            Action::Ignore {
                node,
                to,
                class,
                operation,
                signature,
                kind,
                reason,
                days,
            } => {
                text("node", node)?;
                text("kind", kind)?;
                text("reason", reason)?;
                given("to", to)?;
                given("class", class)?;
                given("operation", operation)?;
                given("signature", signature)?;
                within("days", 1, DAYS_MAX, *days)?;
            }
            Action::Mute {
                person,
                node,
                to,
                kind,
                days,
            } => {
                text("person", person)?;
                text("node", node)?;
                given("to", to)?;
                text("kind", kind)?;
                within("days", 1, DAYS_MAX, *days)?;
            }
            Action::Deny { hours, .. }
            | Action::Stop { hours, .. }
            | Action::Disable { hours, .. } => within("hours", 1, HOURS_MAX, *hours)?,
            Action::Memory {
                memory_mb, hours, ..
            } => {
                within("memory_mb", MEMORY_MB_MIN, MEMORY_MB_MAX, *memory_mb)?;
                within("hours", 1, HOURS_MAX, hours.unwrap_or(HOURS_MAX))?;
            }
        }
        Ok(self)
    }

    /// The same with the usual end, where none was said.
    pub fn with_end(mut self) -> Self {
        if let Action::Memory { hours, .. } = &mut self {
            hours.get_or_insert(TRIED_HOURS);
        }
        self
    }

    /// The same without its end, as it is once somebody has kept it; none of what always ends.
    pub fn kept(&self) -> Option<Self> {
        let mut kept = self.clone();
        match &mut kept {
            Action::Memory { hours, .. } => *hours = None,
            _ => return None,
        }
        Some(kept)
    }

    /// What there is to do, by name.
    pub const NAMES: [&'static str; 6] = ["ignore", "mute", "deny", "stop", "disable", "memory"];

    /// What it does, by name, as in the API: `deny`.
    pub fn name(&self) -> &'static str {
        let [ignore, mute, deny, stop, disable, memory] = Self::NAMES;
        match self {
            Action::Ignore { .. } => ignore,
            Action::Mute { .. } => mute,
            Action::Deny { .. } => deny,
            Action::Stop { .. } => stop,
            Action::Disable { .. } => disable,
            Action::Memory { .. } => memory,
        }
    }

    /// In one sentence, without a full stop.
    pub fn title(&self) -> String {
        words::title(self, None)
    }

    /// The same with the names that the account has for what it is about.
    pub fn title_in(&self, before: &Before) -> String {
        words::title(self, Some(before))
    }

    /// What is another way in the account once it is done, or at an end, as a noun: `a stop`, `the end of a stop`. None
    /// where nothing is, or where the platform tells it itself, as it does a memory size.
    pub fn change(&self, before: &Before, is_over: bool) -> Option<String> {
        words::change(self, before, is_over)
    }

    /// The function whose settings it is about; none where nothing in the account changes.
    pub fn function(&self) -> Option<&str> {
        match self {
            Action::Ignore { .. } | Action::Mute { .. } => None,
            Action::Deny { function, .. }
            | Action::Stop { function, .. }
            | Action::Disable { function, .. }
            | Action::Memory { function, .. } => Some(&function.0),
        }
    }

    /// When it ends by itself, if it is done now; none for what stays.
    pub fn until(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        match self {
            Action::Ignore { days, .. } | Action::Mute { days, .. } => {
                Some(now.plus(u64::from(*days) * 24 * 3600))
            }
            Action::Deny { hours, .. }
            | Action::Stop { hours, .. }
            | Action::Disable { hours, .. } => Some(now.plus(u64::from(*hours) * 3600)),
            Action::Memory { hours, .. } => hours.map(|hours| now.plus(u64::from(hours) * 3600)),
        }
    }

    /// Whether it keeps something from working, so that the function's name must be typed.
    pub fn is_destructive(&self) -> bool {
        matches!(
            self,
            Action::Deny { .. } | Action::Stop { .. } | Action::Disable { .. }
        )
    }
}

impl Resource {
    /// What sort it is.
    pub fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl TryFrom<String> for Resource {
    type Error = BadAction;

    fn try_from(text: String) -> Result<Self, BadAction> {
        let parsed = text.split_once(':').and_then(|(kind, name)| {
            let all = ResourceKind::ALL.iter();
            let kind = *all.clone().find(|known| known.name() == kind)?;
            let name = is_name(name, 256, "-_.").then(|| name.to_owned())?;
            Some(Resource { kind, name })
        });
        parsed.ok_or(BadAction::Resource(text))
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> String {
        resource.to_string()
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.name)
    }
}

impl ResourceKind {
    /// All of them.
    pub const ALL: [ResourceKind; 7] = [
        ResourceKind::Table,
        ResourceKind::Queue,
        ResourceKind::Topic,
        ResourceKind::Bucket,
        ResourceKind::Bus,
        ResourceKind::Stream,
        ResourceKind::Function,
    ];

    /// As in the names of nodes.
    pub fn name(self) -> &'static str {
        match self {
            ResourceKind::Table => "table",
            ResourceKind::Queue => "queue",
            ResourceKind::Topic => "topic",
            ResourceKind::Bucket => "bucket",
            ResourceKind::Bus => "bus",
            ResourceKind::Stream => "stream",
            ResourceKind::Function => "function",
        }
    }
}

/// A text that is checked once, when it is read.
macro_rules! checked_text {
    ($($type:ident, $error:ident, $check:expr;)*) => {$(
        impl TryFrom<String> for $type {
            type Error = BadAction;

            fn try_from(text: String) -> Result<Self, BadAction> {
                let check: fn(&str) -> bool = $check;
                match check(&text) {
                    true => Ok($type(text)),
                    false => Err(BadAction::$error(text)),
                }
            }
        }

        impl FromStr for $type {
            type Err = BadAction;

            fn from_str(text: &str) -> Result<Self, BadAction> {
                $type::try_from(text.to_owned())
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> String {
                text.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

checked_text! {
    FunctionName, Function, |text| is_name(text, 64, "-_");
    SourceId, Source, |text| {
        text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    };
    ActionId, Id, |text| {
        (16..=36).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    };
}

/// Nothing that means something in an ARN, a path or a policy can be in a name: no `*`, `?`, `$`, `:` or `/`.
fn is_name(text: &str, most: usize, besides: &str) -> bool {
    (1..=most).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || besides.contains(c))
}

/// A week: what is to be so for longer belongs into the application's own description.
const HOURS_MAX: u32 = 7 * 24;
/// As long as may be: what comes of another memory size is known after 200 invocations.
pub const TRIED_HOURS: u32 = HOURS_MAX;
const DAYS_MAX: u32 = 366;
/// What normal functions can have.
const MEMORY_MB_MIN: u32 = 128;
const MEMORY_MB_MAX: u32 = 10_240;
const TEXT_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Action, String> {
        let action: Action = serde_json::from_str(json).map_err(|error| error.to_string())?;
        action.checked().map_err(|error| error.to_string())
    }

    #[test]
    fn actions_are_read_as_they_are_written() {
        for json in [
            r#"{"do":"ignore","node":"function:pay","to":"table:users","class":"write","kind":"new_edge","reason":"planned","days":30}"#,
            r#"{"do":"ignore","node":"function:pay","to":"table:users","operation":"Query","kind":"latency","reason":"planned","days":30}"#,
            r#"{"do":"ignore","node":"function:pay","signature":"Declined: no money","kind":"new_error","reason":"known","days":30}"#,
            r#"{"do":"mute","person":"a@example.com","node":"function:pay","kind":"latency","days":7}"#,
            r#"{"do":"mute","person":"a@example.com","node":"function:pay","to":"table:users","kind":"new_edge","days":7}"#,
            r#"{"do":"deny","function":"pay","resource":"table:users","class":"write","hours":4}"#,
            r#"{"do":"stop","function":"pay","hours":4}"#,
            r#"{"do":"disable","function":"pay","source":"9c2b1f5e-1111-4222-8333-444455556666","hours":4}"#,
            r#"{"do":"memory","function":"pay","memory_mb":1024}"#,
            r#"{"do":"memory","function":"pay","memory_mb":1024,"hours":24}"#,
        ] {
            let action = parse(json).unwrap();
            assert_eq!(serde_json::to_string(&action).unwrap(), json);
        }
    }

    #[test]
    fn what_cannot_be_asked_for() {
        let deny = |resource: &str| {
            parse(&format!(
                r#"{{"do":"deny","function":"pay","resource":"{resource}","class":"write","hours":4}}"#
            ))
        };
        for wrong in [
            "table:*",
            "table:a/b",
            "table:",
            "users",
            "host:evil",
            "table:a:b",
            "table:${x}",
            "table:?",
        ] {
            assert!(deny(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "a/b", "a:1", "arn:aws:lambda:x", "*", &"x".repeat(65)] {
            let json = format!(r#"{{"do":"stop","function":"{wrong}","hours":4}}"#);
            assert!(parse(&json).is_err(), "{wrong}");
        }
        for json in [
            r#"{"do":"stop","function":"pay","hours":0}"#,
            r#"{"do":"stop","function":"pay","hours":169}"#,
            r#"{"do":"stop","function":"pay","hours":4,"call":"DeleteFunction"}"#,
            r#"{"do":"memory","function":"pay","memory_mb":127}"#,
            r#"{"do":"memory","function":"pay","memory_mb":1024,"hours":0}"#,
            r#"{"do":"memory","function":"pay","memory_mb":1024,"hours":169}"#,
            r#"{"do":"delete","function":"pay"}"#,
            r#"{"do":"disable","function":"pay","source":"../functions/other","hours":4}"#,
            r#"{"do":"mute","person":"","node":"n","kind":"latency","days":7}"#,
            r#"{"do":"mute","person":"a","node":"n","to":"","kind":"latency","days":7}"#,
            r#"{"do":"ignore","node":"n","operation":"","kind":"latency","reason":"so","days":7}"#,
            r#"{"do":"ignore","node":"n","signature":"","kind":"new_error","reason":"so","days":7}"#,
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }

    #[test]
    fn every_action_ends_by_itself() {
        let source = "9c2b1f5e-1111-4222-8333-444455556666";
        for json in [
            r#"{"do":"ignore","node":"n","kind":"latency","reason":"so","days":1}"#,
            r#"{"do":"mute","person":"a","node":"n","kind":"latency","days":1}"#,
            r#"{"do":"deny","function":"pay","resource":"table:users","class":"write","hours":24}"#,
            r#"{"do":"stop","function":"pay","hours":24}"#,
            &format!(r#"{{"do":"disable","function":"pay","source":"{source}","hours":24}}"#),
            r#"{"do":"memory","function":"pay","memory_mb":1024,"hours":24}"#,
        ] {
            let action = parse(json).unwrap();
            assert_eq!(action.clone().with_end(), action);
            assert_eq!(action.until(UnixSeconds(5)), Some(UnixSeconds(86_405)));
        }
        let memory = parse(r#"{"do":"memory","function":"pay","memory_mb":1024}"#).unwrap();
        let tried = memory.clone().with_end();
        assert_eq!(tried.until(UnixSeconds(0)), Some(UnixSeconds(7 * 86_400)));
        assert_eq!(tried.kept(), Some(memory));
        let stop = parse(r#"{"do":"stop","function":"pay","hours":1}"#).unwrap();
        assert_eq!(stop.kept(), None);
    }
}
