//! Which operation of AWS a request is, from the request alone: AWS's own signature names service and region, at AWS and
//! at whatever stands in for it.

use serde_json::Value;
use throughline_telemetry::{Attributes, SpanKind};

use super::operations::describe;
use super::rest;
use crate::carriers::parsed;
use crate::sources::decoded;

pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    /// The path with its query.
    pub(super) target: &'a str,
    /// A header by its name in lower case; empty if it is not there.
    pub(super) get: &'a dyn Fn(&str) -> String,
    /// Empty if it is not at hand.
    pub(super) body: &'a [u8],
}

/// What a request does.
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) attributes: Attributes,
    /// Whether keys are in the body of the answer.
    pub(super) reads: bool,
    /// Whether the answer has no body, whatever its headers say.
    pub(super) is_head: bool,
    /// Whether nobody may see what is asked and answered.
    pub(super) is_secret: bool,
    pub(super) keys: Keys,
}

/// The names under which what was sent is known on the other side.
pub(super) type Keys = Box<dyn Fn(&Answer<'_>) -> Vec<String> + Send + Sync>;

/// An answer that is no error.
pub(super) struct Answer<'a> {
    pub(super) id: &'a str,
    pub(super) get: &'a dyn Fn(&str) -> String,
    pub(super) text: &'a str,
    pub(super) json: Value,
}

impl<'a> Answer<'a> {
    pub(super) fn new(id: &'a str, get: &'a dyn Fn(&str) -> String, text: &'a str) -> Self {
        let json = parsed(text).unwrap_or_default();
        Answer {
            id,
            get,
            text,
            json,
        }
    }
}

/// What a request says.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) json: Value,
    /// Of the older protocol.
    pub(super) form: Vec<(String, String)>,
}

impl Sent {
    pub(super) fn form(&self, name: &str) -> &str {
        let pair = self.form.iter().find(|(key, _)| key == name);
        pair.map_or("", |(_, value)| value.as_str())
    }
}

pub(super) fn recognise(request: &Request<'_>) -> Option<Operation> {
    let authorization = (request.get)("authorization");
    let (region, service) = signed(&authorization)?;
    if FOREIGN.contains(&service) || request.host.contains(".lambda-url.") {
        return None;
    }
    let named = NAMES.iter().find(|(signed, _)| *signed == service);
    let name = named.map_or(service, |(_, name)| name);
    let sent = contents(request);
    let method = operation_of(request, service, &sent);
    let found = describe(service, &method, request, &sent, region);
    let mut attributes = Attributes::default();
    attributes.set("rpc.system", "aws-api");
    attributes.set("rpc.system.name", "aws-api");
    attributes.set("rpc.service", name);
    attributes.set("rpc.method", method.as_str());
    attributes.set("cloud.region", region);
    attributes.0.extend(found.attributes.0);
    Some(Operation {
        name: format!("{name}.{method}"),
        kind: if found.sends {
            SpanKind::Producer
        } else {
            SpanKind::Client
        },
        attributes,
        reads: found.reads,
        is_head: request.method == "HEAD",
        is_secret: SECRET.contains(&service)
            || (service == "ssm" && method.starts_with("GetParameter")),
        keys: found.keys.unwrap_or_else(|| Box::new(|_| Vec::new())),
    })
}

/// Region and service of `... Credential=ID/DATE/REGION/SERVICE/aws4_request, ...`
fn signed(authorization: &str) -> Option<(&str, &str)> {
    let credential = authorization
        .split_once("Credential=")?
        .1
        .split(',')
        .next()?;
    let mut parts = credential.split('/').rev();
    let is_signature = parts.next()?.trim() == "aws4_request";
    let (service, region) = (parts.next()?, parts.next()?);
    is_signature.then_some((region, service))
}

fn contents(request: &Request<'_>) -> Sent {
    let kind = (request.get)("content-type");
    let text = std::str::from_utf8(request.body).unwrap_or_default();
    if text.is_empty() || text.len() > BODY_BYTES_MAX {
        return Sent::default();
    }
    if kind.contains("json") {
        let json = parsed(text).unwrap_or_default();
        return Sent {
            json,
            ..Sent::default()
        };
    }
    if !kind.contains("x-www-form-urlencoded") {
        return Sent::default();
    }
    let pairs = text
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let form = pairs
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect();
    Sent {
        form,
        ..Sent::default()
    }
}

fn operation_of(request: &Request<'_>, service: &str, sent: &Sent) -> String {
    let target = (request.get)("x-amz-target");
    if let Some(name) = target.rsplit('.').next().filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    let action = sent.form("Action");
    if !action.is_empty() {
        return action.to_owned();
    }
    let rpc = request.target.strip_prefix("/service/");
    if let Some((_, name)) = rpc.and_then(|rest| rest.split_once("/operation/")) {
        let end = name.find(['/', '?']).unwrap_or(name.len());
        return name[..end].to_owned();
    }
    rest::operation(service, request)
        .unwrap_or(request.method)
        .to_owned()
}

/// Type and message of an error's answer, in JSON or XML.
pub(super) fn error_of(header: &str, text: &str) -> (String, String) {
    let json = parsed(text).unwrap_or_default();
    let first = |names: [&str; 2]| {
        let values = names.iter().filter_map(|name| json[*name].as_str());
        values.map(str::to_owned).next()
    };
    let xml = |name: &str| xml_all(text, name).into_iter().next();
    let header = (!header.is_empty()).then(|| header.to_owned());
    let kind = header
        .or_else(|| first(["__type", "code"]))
        .or_else(|| xml("Code"));
    let message = first(["message", "Message"]).or_else(|| xml("Message"));
    let kind = kind.unwrap_or_default();
    let plain = kind.rsplit('#').next().unwrap_or_default();
    let plain = plain.split(':').next().unwrap_or_default();
    (plain.to_owned(), message.unwrap_or_default())
}

/// What is between `<name>` and `</name>`, each time.
pub(super) fn xml_all(text: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = text.split(&open).skip(1);
    let values = parts.filter_map(|part| part.split_once(&close));
    values.map(|(value, _)| value.to_owned()).collect()
}

/// What is signed for these is somebody's own API, or too much like HTTP to be anything else.
const FOREIGN: &[&str] = &["execute-api", "vpc-lattice-svcs", "es", "aoss", "appsync"];
/// What is asked of these is secret, or answered with secrets.
const SECRET: &[&str] = &[
    "cognito-identity",
    "cognito-idp",
    "kms",
    "secretsmanager",
    "sso",
    "sso-oauth",
    "sts",
];
const BODY_BYTES_MAX: usize = 256 << 10;
const NAMES: &[(&str, &str)] = &[
    ("dynamodb", "DynamoDB"),
    ("sqs", "SQS"),
    ("sns", "SNS"),
    ("events", "EventBridge"),
    ("kinesis", "Kinesis"),
    ("firehose", "Firehose"),
    ("s3", "S3"),
    ("lambda", "Lambda"),
    ("states", "SFN"),
    ("secretsmanager", "SecretsManager"),
    ("ssm", "SSM"),
    ("kms", "KMS"),
    ("sts", "STS"),
    ("monitoring", "CloudWatch"),
    ("logs", "CloudWatchLogs"),
    ("ses", "SES"),
    ("scheduler", "Scheduler"),
    ("iot", "IoT"),
    ("iotdata", "IoTDataPlane"),
    ("cognito-idp", "CognitoIdentityProvider"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A request as it is signed.
    fn is_secret(service: &str, target: &str) -> bool {
        let get = |name: &str| match name {
            "authorization" => {
                format!("AWS4 Credential=ID/20261122/us-east-1/{service}/aws4_request, x")
            }
            "x-amz-target" => target.to_owned(),
            _ => String::new(),
        };
        let request = Request {
            method: "POST",
            host: "127.0.0.1",
            target: "/",
            get: &get,
            body: &[],
        };
        recognise(&request).expect("it is signed").is_secret
    }

    #[test]
    fn calls_of_which_nobody_may_see_the_bodies() {
        for (service, target, expected) in [
            ("secretsmanager", "secretsmanager.GetSecretValue", true),
            ("kms", "TrentService.Decrypt", true),
            ("sts", "", true),
            (
                "cognito-idp",
                "AWSCognitoIdentityProviderService.InitiateAuth",
                true,
            ),
            ("ssm", "AmazonSSM.GetParametersByPath", true),
            ("ssm", "AmazonSSM.DescribeParameters", false),
            ("dynamodb", "DynamoDB_20120810.GetItem", false),
        ] {
            assert_eq!(is_secret(service, target), expected, "{target}");
        }
    }
}
