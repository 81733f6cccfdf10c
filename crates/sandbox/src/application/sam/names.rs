//! What `Ref` and `Fn::GetAtt` give: the names, ARNs and URLs that resources have at the endpoint.

use serde_json::{Value, json};

use super::Translator;
use super::template::Declared;
use crate::application::AWS_ITSELF;
use crate::application::function::is_function_name;
use crate::application::reader::{nearest, place_of};
use crate::application::resource::{Kind, QUEUE, STREAM, TABLE, TOPIC};
use crate::function::{self, ACCOUNT_ID, REGION};

/// The API that `Api` events without a `RestApiId` share.
pub(super) const IMPLICIT_REST: &str = "ServerlessRestApi";
/// The API that `HttpApi` events without an `ApiId` share.
pub(super) const IMPLICIT_HTTP: &str = "ServerlessHttpApi";

impl Translator<'_> {
    pub(super) fn reference(&mut self, place: &str, target: &str) -> Option<Value> {
        if let Some(pseudo) = target.strip_prefix("AWS::") {
            return self.pseudo_parameter(place, pseudo);
        }
        if let Some(value) = self.resolving.parameters.get(target).cloned() {
            let bytes = value.to_string().len();
            return match self.afford(place, bytes) {
                true => Some(value),
                false => Some(Value::Null),
            };
        }
        let template = self.template;
        let Some(declared) = template.resources.get(target) else {
            // SAM lets `Ref` name what it makes beside a resource: `Function.Version`, `Api.Stage`.
            return match target.split_once('.') {
                Some((owner, attribute)) => self.attribute_of(place, owner, attribute),
                None => Some(self.generated(place, target, None)),
            };
        };
        if !self.is_there(place, declared) {
            return Some(Value::Null);
        }
        let name = self.name_of(declared);
        Some(Value::String(match kind_of(&declared.kind) {
            Some(kind) if kind.name == QUEUE => self.queue_url(&name),
            Some(kind) if kind.name == TOPIC => kind.arn(&name).unwrap_or(name),
            _ if is_layer(&declared.kind) => layer_arn(&name),
            _ => name,
        }))
    }

    pub(super) fn attribute(&mut self, place: &str, argument: &Value) -> Option<Value> {
        let (resource, attribute) = match argument {
            Value::String(text) => text.split_once('.').unwrap_or((text, "")),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(resource), Value::String(attribute)] => {
                    (resource.as_str(), attribute.as_str())
                }
                [Value::String(resource), attribute @ Value::Object(_)] => {
                    let attribute = self.resolve(place, attribute)?;
                    let attribute = attribute.as_str().unwrap_or_default().to_owned();
                    return self.attribute_of(place, resource, &attribute);
                }
                _ => {
                    let expected = "a resource and an attribute";
                    return self.refuse(place, "Fn::GetAtt", expected, argument);
                }
            },
            other => return self.refuse(place, "Fn::GetAtt", "a resource and an attribute", other),
        };
        self.attribute_of(place, resource, attribute)
    }

    pub(super) fn attribute_of(
        &mut self,
        place: &str,
        resource: &str,
        attribute: &str,
    ) -> Option<Value> {
        let template = self.template;
        let Some(declared) = template.resources.get(resource) else {
            return Some(self.generated(place, resource, Some(attribute)));
        };
        if !self.is_there(place, declared) {
            return Some(Value::Null);
        }
        let name = self.name_of(declared);
        if is_function(&declared.kind) {
            return match attribute {
                "Arn" | "Version.Arn" | "Alias.Arn" => Some(function::arn(&name).into()),
                // There are neither versions nor aliases here: they are the function.
                "Version" | "Alias" | "SnapStartResponse.ApplyOn" => Some(name.into()),
                _ => self.no_attribute(place, declared, attribute, "Arn"),
            };
        }
        if declared.kind == "AWS::Lambda::Url"
            && attribute == "FunctionUrl"
            && let Some(address) = self.url_of(&declared.name)
        {
            return Some(format!("http://{address}/").into());
        }
        if let ("AWS::Serverless::Api", "Stage", Some(stage)) = (
            declared.kind.as_str(),
            attribute,
            declared.properties.get("StageName"),
        ) {
            return self.resolve(place, stage);
        }
        let Some(kind) = kind_of(&declared.kind) else {
            return Some(made_up(declared, &name, attribute).into());
        };
        let arn = kind.arn(&name);
        match (kind.name, attribute) {
            (TOPIC, "TopicArn") | (_, "Arn") if arn.is_some() => arn.map(Value::String),
            (QUEUE, "QueueUrl") => Some(self.queue_url(&name).into()),
            (QUEUE, "QueueName") | (TOPIC, "TopicName") | (_, "Name") => Some(name.into()),
            // Its true name has the time in it at which it was made; whoever polls it asks the table.
            (TABLE, "StreamArn") => arn.map(|arn| format!("{arn}/stream/{STREAM_LABEL}").into()),
            ("AWS::S3::Bucket", "DomainName" | "RegionalDomainName") => {
                Some(format!("{name}.s3.amazonaws.com").into())
            }
            (STREAM, "StreamId") => Some(name.into()),
            _ => {
                let known = match kind.name {
                    QUEUE => "Arn, QueueName, QueueUrl",
                    TOPIC => "TopicArn, TopicName",
                    TABLE => "Arn, StreamArn",
                    _ => "Arn",
                };
                self.no_attribute(place, declared, attribute, known)
            }
        }
    }

    /// The name of the thing itself: what its properties say, or its name in the template made legal.
    pub(super) fn name_of(&mut self, declared: &Declared) -> String {
        let Some(property) = name_property(&declared.kind) else {
            return declared.name.clone();
        };
        let place = place_of(&declared.properties_place(), property);
        if self.resolving.underway.contains(&declared.name) {
            self.reader.problem(&place, "needs itself");
            return declared.name.clone();
        }
        self.resolving.underway.push(declared.name.clone());
        let mut properties = serde_json::Map::new();
        for property in [property, "FifoQueue", "FifoTopic"] {
            let value = declared.properties.get(property);
            if let Some(value) = value.and_then(|value| self.resolve(&place, value)) {
                properties.insert(property.to_owned(), value);
            }
        }
        self.resolving.underway.pop();
        for fifo in ["FifoQueue", "FifoTopic"] {
            if properties.get(fifo).and_then(Value::as_str) == Some("true") {
                properties.insert(fifo.to_owned(), Value::Bool(true));
            }
        }
        if let Some(kind) = kind_of(&declared.kind) {
            return kind.physical_name(&declared.name, &properties);
        }
        let said = properties.get(property).and_then(Value::as_str);
        match said {
            Some(name) if is_function(&declared.kind) => {
                // An ARN or a part of one names a function as well.
                let name = function_name(name);
                if !is_function_name(&name) {
                    self.reader.problem(
                        &place,
                        &format!(
                            "a function name is 1 to 64 letters, digits, hyphens and underscores, found {name:?}"
                        ),
                    );
                }
                name
            }
            Some(name) => name.to_owned(),
            None => {
                let mut name = declared.name.clone();
                name.truncate(FUNCTION_NAME_MAX);
                name
            }
        }
    }

    pub(super) fn queue_url(&self, name: &str) -> String {
        let endpoint = self.surroundings.overrides.aws_endpoint.as_deref();
        let endpoint = endpoint
            .filter(|endpoint| *endpoint != AWS_ITSELF)
            .unwrap_or("https://sqs.us-east-1.amazonaws.com");
        format!("{}/{ACCOUNT_ID}/{name}", endpoint.trim_end_matches('/'))
    }

    fn pseudo_parameter(&mut self, place: &str, name: &str) -> Option<Value> {
        let value = match name {
            "Region" => REGION.to_owned(),
            "AccountId" => ACCOUNT_ID.to_owned(),
            "Partition" => "aws".to_owned(),
            "URLSuffix" => "amazonaws.com".to_owned(),
            "StackName" => STACK_NAME.to_owned(),
            "StackId" => format!(
                "arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/{STACK_NAME}/00000000-0000-0000-0000-000000000000"
            ),
            "NotificationARNs" => return Some(json!([])),
            "NoValue" => return None,
            other => {
                self.reader
                    .problem(place, &format!("no pseudo parameter AWS::{other}"));
                return Some(Value::Null);
            }
        };
        Some(Value::String(value))
    }

    /// What SAM makes beside what is written: roles, permissions, stages, implicit APIs, URLs of functions.
    fn generated(&mut self, place: &str, name: &str, attribute: Option<&str>) -> Value {
        if let Some(url) = name
            .strip_suffix("Url")
            .filter(|_| attribute == Some("FunctionUrl"))
            && let Some(address) = self.url_of(url)
        {
            return Value::String(format!("http://{address}/"));
        }
        let template = self.template;
        let implicit = name.starts_with(IMPLICIT_REST) || name.starts_with(IMPLICIT_HTTP);
        // `FunctionRole`, `ApiStage`: the name begins with that of what they belong to.
        let owner = template.resources.keys().find(|owner| {
            let made = name.strip_prefix(owner.as_str());
            made.is_some_and(|made| GENERATED.iter().any(|word| made.starts_with(word)))
        });
        if implicit || owner.is_some() {
            return Value::String(match attribute {
                Some("Arn") => format!("arn:aws:iam::{ACCOUNT_ID}:role/{name}"),
                _ => name.to_owned(),
            });
        }
        let known: Vec<_> = template
            .resources
            .keys()
            .chain(template.parameters.keys())
            .map(String::as_str)
            .collect();
        let message = match nearest(name, &known) {
            Some(near) => format!("no resource or parameter {name}, did you mean {near}"),
            None => format!("no resource or parameter {name} in this template"),
        };
        self.reader.problem(place, &message);
        Value::Null
    }

    fn is_there(&mut self, place: &str, declared: &Declared) -> bool {
        let present = self.is_present(declared);
        if !present {
            self.reader.problem(
                place,
                &format!(
                    "{} is not there: its condition does not hold",
                    declared.name
                ),
            );
        }
        present
    }

    fn no_attribute(
        &mut self,
        place: &str,
        declared: &Declared,
        attribute: &str,
        known: &str,
    ) -> Option<Value> {
        self.reader.problem(
            place,
            &format!(
                "{} has no attribute {attribute:?}, expected one of {known}",
                declared.name
            ),
        );
        Some(Value::Null)
    }
}

pub(super) fn is_function(kind: &str) -> bool {
    matches!(kind, "AWS::Serverless::Function" | "AWS::Lambda::Function")
}

fn is_layer(kind: &str) -> bool {
    matches!(
        kind,
        "AWS::Serverless::LayerVersion" | "AWS::Lambda::LayerVersion"
    )
}

/// The ARN of the one version that a layer has here.
pub(super) fn layer_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:layer:{name}:1")
}

/// The kind of resource that is made at the endpoint for a type of the template.
pub(super) fn kind_of(kind: &str) -> Option<&'static Kind> {
    match kind {
        "AWS::Serverless::SimpleTable" => Kind::of(TABLE),
        other => Kind::of(other),
    }
}

fn name_property(kind: &str) -> Option<&'static str> {
    match kind {
        _ if is_function(kind) => Some("FunctionName"),
        _ if is_layer(kind) => Some("LayerName"),
        _ => kind_of(kind)?.name_property,
    }
}

/// The name in an ARN of a function, or in what is a name already; versions and aliases are the function itself.
pub(super) fn function_name(text: &str) -> String {
    let mut parts = text.split(':');
    let name = match text.starts_with("arn:") {
        true => parts.nth(6),
        false => parts.next(),
    };
    name.unwrap_or(text).to_owned()
}

/// Something to stand for an attribute of what is not run here.
fn made_up(declared: &Declared, name: &str, attribute: &str) -> String {
    let service = declared.kind.split("::").nth(1).unwrap_or("unknown");
    match attribute.ends_with("Arn") {
        true => format!(
            "arn:aws:{}:{REGION}:{ACCOUNT_ID}:{name}",
            service.to_ascii_lowercase()
        ),
        false => format!("{name}.{attribute}"),
    }
}

/// What a stack is called that is none.
const STACK_NAME: &str = "sandbox";
/// Stands in the ARN of a table's stream for the time at which it was made.
pub(super) const STREAM_LABEL: &str = "latest";
/// What SAM makes beside a resource.
const GENERATED: &[&str] = &[
    "Role",
    "Url",
    "Stage",
    "ProdStage",
    "Deployment",
    "Version",
    "Alias",
    "Permission",
];
const FUNCTION_NAME_MAX: usize = 64;
