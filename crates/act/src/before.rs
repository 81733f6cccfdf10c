//! How things are before anything is done: what an undo needs, and what a person has seen.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, FunctionName};
use crate::arn::Arn;
use crate::call::Call;
use crate::digest::Digest;

/// How things are in the account, as far as an action needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The function's ARN, without a version.
    pub function_arn: String,
    /// The ARN of the role that its code has.
    pub role_arn: String,
    /// Its memory in MB.
    pub memory_mb: u32,
    /// Which changes with every change of the function.
    pub revision_id: String,
    /// Its reserved concurrency; none if it has none, or if nobody asked.
    pub reserved: Option<u32>,
    /// Its event source mappings, if somebody asked; the first hundred.
    pub sources: Vec<SourceState>,
}

/// One event source mapping of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// Its UUID.
    pub id: String,
    /// From where it takes events; empty of brokers outside of AWS.
    pub source_arn: String,
    /// What of it: the topics or queues of a broker, the collection of a database. None where the ARN says all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whether it takes them.
    pub enabled: bool,
}

/// What AWS answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The request's id, if the answer has one.
    pub request_id: String,
    /// The body.
    pub body: String,
}

/// What was answered is not what the API's documentation says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer to {0} has no {1}")]
pub struct UnreadableAnswer(pub String, pub &'static str);

impl Action {
    /// What must be read before it can be said what follows from it.
    pub fn reads(&self) -> Vec<Call> {
        let Some(function) = self.function() else {
            return Vec::new();
        };
        let mut reads = vec![Call::configuration(function)];
        match self {
            Action::Stop { .. } => reads.push(Call::concurrency(function)),
            Action::Disable { .. } => reads.push(Call::sources(function)),
            _ => {}
        }
        reads
    }
}

impl SourceState {
    /// From where it takes events, as people say it: `SQS orders`, `DynamoDB users`, `Kafka clicks`. Its UUID where
    /// nothing says.
    pub fn name(&self) -> String {
        let Some((service, rest)) = self.service() else {
            return match self.names.is_empty() {
                true => self.id.clone(),
                false => format!("Kafka {}", self.names.join(", ")),
            };
        };
        let service = match service {
            "sqs" => "SQS",
            "dynamodb" => "DynamoDB",
            "kinesis" => "Kinesis",
            "kafka" => "Kafka",
            "mq" => "MQ",
            "rds" => "DocumentDB",
            other => other,
        };
        if !self.names.is_empty() {
            return format!("{service} {}", self.names.join(", "));
        }
        // `table/users/stream/2026-…`, `broker:orders:b-1`; a queue is named by itself.
        let mut names = rest.split(['/', ':']);
        let first = names.next().unwrap_or_default();
        format!("{service} {}", names.next().unwrap_or(first))
    }

    /// Whether it takes from this node of the map: `queue:orders`, `stream:clicks`, what changes in `table:users`, or a
    /// topic or queue of a broker, `broker:jobs`.
    pub fn takes_from(&self, node: &str) -> bool {
        let Some((kind, name)) = node.split_once(':') else {
            return false;
        };
        let is_named = || self.names.iter().any(|known| known == name);
        let (expected, rest) = match self.service() {
            Some(("sqs", rest)) => ("queue", Some(rest)),
            Some(("kinesis", rest)) => ("stream", rest.strip_prefix("stream/")),
            Some(("dynamodb", rest)) => ("table", rest.strip_prefix("table/")),
            // Their ARNs are of a cluster or a broker, which has many; those outside of AWS have none.
            Some(("kafka" | "mq", _)) | None => return kind == "broker" && is_named(),
            Some(("rds", _)) => return kind == "table" && is_named(),
            Some(_) => return false,
        };
        kind == expected && rest.and_then(|rest| rest.split('/').next()) == Some(name)
    }

    /// Of which service it is, and what its ARN says of that.
    fn service(&self) -> Option<(&str, &str)> {
        let mut parts = self.source_arn.splitn(6, ':').skip(2);
        let service = parts.next()?;
        Some((service, parts.nth(2)?))
    }

    /// As `ListEventSourceMappings` has it.
    fn read(
        source: &Value,
        missing: impl Fn(&'static str) -> UnreadableAnswer,
    ) -> Result<Self, UnreadableAnswer> {
        let text = |field| {
            source[field]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| missing(field))
        };
        let state = text("State")?;
        let collection = &source["DocumentDBEventSourceConfig"]["CollectionName"];
        let lists = [&source["Topics"], &source["Queues"]].into_iter();
        let named = lists
            .filter_map(Value::as_array)
            .flatten()
            .chain([collection]);
        Ok(SourceState {
            id: text("UUID")?,
            // One that polls brokers outside of AWS has none.
            source_arn: text("EventSourceArn").unwrap_or_default(),
            names: named.filter_map(Value::as_str).map(str::to_owned).collect(),
            enabled: !matches!(state.as_str(), "Disabled" | "Disabling"),
        })
    }
}

/// What must be read to know from where a function takes events. Its configuration is read first, so that nobody sees
/// sources of functions that they may not see.
pub fn source_reads(function: &FunctionName) -> Vec<Call> {
    let function = function.to_string();
    vec![Call::configuration(&function), Call::sources(&function)]
}

impl Before {
    /// From what [`Action::reads`] or [`source_reads`] were answered, in their order.
    pub fn read(answers: &[(Call, Answer)]) -> Result<Self, UnreadableAnswer> {
        let mut before = Before::default();
        for (call, answer) in answers {
            let json: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let missing = |field| UnreadableAnswer(call.operation.clone(), field);
            let text = |value: &Value, field| {
                let text = value[field].as_str().map(str::to_owned);
                text.ok_or(missing(field))
            };
            match call.operation.as_str() {
                "GetFunctionConfiguration" => {
                    before.function_arn = unqualified(&text(&json, "FunctionArn")?);
                    before.role_arn = text(&json, "Role")?;
                    before.memory_mb = json["MemorySize"]
                        .as_u64()
                        .and_then(|mb| u32::try_from(mb).ok())
                        .ok_or(missing("MemorySize"))?;
                    before.revision_id = text(&json, "RevisionId")?;
                }
                "GetFunctionConcurrency" => {
                    let reserved = json["ReservedConcurrentExecutions"].as_u64();
                    before.reserved = reserved.and_then(|it| u32::try_from(it).ok());
                }
                "ListEventSourceMappings" => {
                    let list = json["EventSourceMappings"].as_array();
                    for source in list.ok_or(missing("EventSourceMappings"))? {
                        before.sources.push(SourceState::read(source, missing)?);
                    }
                }
                _ => {}
            }
        }
        Ok(before)
    }

    /// The same where the function is gone: by `said`, what Lambda says of a function that it does not find, which has
    /// its ARN, and so the account and the region that were asked. None where it says something else.
    pub fn gone(&self, said: &str) -> Option<Self> {
        let (_, arn) = said.split_once(NOT_FOUND)?;
        let arn = arn.split_whitespace().next()?;
        Arn::parse(arn, "lambda")?;
        Some(Before {
            function_arn: unqualified(arn),
            ..self.clone()
        })
    }

    /// What was seen of it.
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// `arn:aws:lambda:R:A:function:pay:$LATEST` is `arn:aws:lambda:R:A:function:pay`: what the condition of a policy is
/// compared with has no version.
fn unqualified(arn: &str) -> String {
    arn.splitn(8, ':').take(7).collect::<Vec<_>>().join(":")
}

const NOT_FOUND: &str = "Function not found: ";

#[cfg(test)]
mod tests;
