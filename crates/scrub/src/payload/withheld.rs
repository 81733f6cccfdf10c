//! Calls whose bodies are secrets as a whole: those to vaults, and those that log somebody in.

use throughline_telemetry::wire::otlp::common::v1::{KeyValue, any_value::Value};

/// Whether the span or record with these attributes stands for such a call.
pub(crate) fn is_withheld(name: &str, attributes: &[KeyValue]) -> bool {
    let mut service = None;
    let mut method = None;
    for attribute in attributes {
        let text = match attribute
            .value
            .as_ref()
            .and_then(|value| value.value.as_ref())
        {
            Some(Value::StringValue(text)) => text.as_str(),
            // A header is a list.
            Some(Value::ArrayValue(list)) => {
                match list.values.first().and_then(|first| first.value.as_ref()) {
                    Some(Value::StringValue(text)) => text.as_str(),
                    _ => continue,
                }
            }
            _ => continue,
        };
        match attribute.key.as_str() {
            "rpc.service" | "aws.service" | "aws.service.name" | "aws.service.api"
            | "aws_service" => {
                service = Some(text);
            }
            "rpc.method" | "aws.operation" | "aws.operation.name" => method = Some(text),
            "server.address"
            | "net.peer.name"
            | "http.host"
            | "peer.hostname"
            | "http.request.header.host"
                if is_secret_host(text) =>
            {
                return true;
            }
            "url.full" | "http.url" if is_secret_url(text) => return true,
            "http.request.header.x-amz-target" | "aws.target" if is_secret_call(text, "") => {
                return true;
            }
            "aws.secretsmanager.secret.arn" => return true,
            _ => {}
        }
    }
    match (service, method) {
        (None, None) => is_secret_call(name, ""),
        (None, Some(method)) => is_secret_call(method, ""),
        (Some(service), method) => is_secret_call(service, method.unwrap_or_default()),
    }
}

/// A service and its operation; the operation may also stand in the service's text, as `Service.Operation` or
/// `Service/Operation`. Every span comes by here, so nothing is allocated.
fn is_secret_call(service: &str, method: &str) -> bool {
    let (service, inner) = split_last(service).unwrap_or((service, ""));
    let method = match split_last(method) {
        _ if method.is_empty() => inner,
        Some((_, last)) => last,
        None => method,
    };
    if service.len() > NAME_BYTES_MAX {
        return false;
    }
    let service = split_last(service).map_or(service, |(_, last)| last);
    let mut buffer = [0_u8; NAME_BYTES_MAX];
    let mut length = 0;
    for byte in service.bytes().filter(u8::is_ascii_alphanumeric) {
        buffer[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let mut service = &buffer[..length];
    for prefix in [&b"aws"[..], b"amazon"] {
        service = service.strip_prefix(prefix).unwrap_or(service);
    }
    match service {
        b"ssm" | b"simplesystemsmanager" | b"systemsmanager" => {
            method.is_empty() || method.to_ascii_lowercase().starts_with("getparameter")
        }
        service => SERVICES.iter().any(|known| known.as_bytes() == service),
    }
}

/// What stands before and behind the last dot or slash.
fn split_last(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|byte| matches!(byte, b'.' | b'/'))?;
    Some((&text[..at], &text[at + 1..]))
}

/// `SERVICE.REGION.amazonaws.com`, also through an endpoint in a VPC.
fn is_secret_host(host: &str) -> bool {
    let host = host.split(':').next().unwrap_or_default();
    let Some((labels, _)) = host.split_once(".amazonaws.com") else {
        return false;
    };
    labels
        .split('.')
        .any(|label| HOSTS.contains(&label.trim_end_matches("-fips")))
}

fn is_secret_url(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    // AWS's own extension for parameters and secrets answers here.
    let is_vault = host.ends_with(":2773");
    is_secret_host(host)
        || (is_vault && (path.starts_with("secretsmanager") || path.starts_with("systemsmanager")))
}

const NAME_BYTES_MAX: usize = 64;
/// Lower case, letters and digits only. `trentservice` is what KMS calls itself on the wire.
const SERVICES: &[&str] = &[
    "secretsmanager",
    "kms",
    "keymanagementservice",
    "trentservice",
    "sts",
    "securitytokenservice",
    "securitytoken",
    "cognitoidentity",
    "cognitoidentityservice",
    "cognitoidentityprovider",
    "cognitoidentityproviderservice",
    "cognitoidp",
];
const HOSTS: &[&str] = &[
    "secretsmanager",
    "ssm",
    "kms",
    "sts",
    "cognito-idp",
    "cognito-identity",
];

#[cfg(test)]
mod tests {
    use throughline_telemetry::Attributes;
    use throughline_telemetry::wire::attributes_to_otlp;

    use super::*;

    #[test]
    fn calls_to_vaults_are_known_by_whatever_says_so() {
        for (name, attributes, withheld) in [
            ("call", &[("rpc.service", "SecretsManager")][..], true),
            (
                "call",
                &[
                    ("rpc.service", "Secrets Manager"),
                    ("rpc.method", "ListSecrets"),
                ],
                true,
            ),
            (
                "call",
                &[
                    ("rpc.service", "SSM"),
                    ("rpc.method", "GetParametersByPath"),
                ],
                true,
            ),
            (
                "call",
                &[("rpc.service", "SSM"), ("rpc.method", "SendCommand")],
                false,
            ),
            ("call", &[("rpc.method", "AmazonSSM/GetParameter")], true),
            ("call", &[("rpc.method", "SSM/SendCommand")], false),
            ("call", &[("rpc.method", "KMS/Decrypt")], true),
            (
                "call",
                &[("rpc.service", "DynamoDB"), ("rpc.method", "GetItem")],
                false,
            ),
            (
                "call",
                &[
                    ("rpc.service", "Cognito Identity Provider"),
                    ("rpc.method", "InitiateAuth"),
                ],
                true,
            ),
            ("call", &[("aws_service", "STS")], true),
            (
                "call",
                &[("http.request.header.x-amz-target", "TrentService.Decrypt")],
                true,
            ),
            (
                "call",
                &[("server.address", "kms.us-east-1.amazonaws.com")],
                true,
            ),
            (
                "call",
                &[(
                    "server.address",
                    "vpce-1-x.secretsmanager.us-east-1.vpce.amazonaws.com",
                )],
                true,
            ),
            ("call", &[("server.address", "kms.example.com")], false),
            (
                "call",
                &[(
                    "url.full",
                    "http://localhost:2773/secretsmanager/get?secretId=a",
                )],
                true,
            ),
            (
                "call",
                &[("url.full", "https://dynamodb.us-east-1.amazonaws.com/")],
                false,
            ),
            ("SecretsManager.GetSecretValue", &[], true),
            ("S3.GetObject", &[], false),
            ("GET /sts", &[], false),
        ] {
            let set: Attributes = attributes.iter().copied().collect();
            assert_eq!(
                is_withheld(name, &attributes_to_otlp(&set)),
                withheld,
                "{name} {attributes:?}"
            );
        }
    }
}
