//! Lambda authorizers: what they are asked, and what their answer means. Pure.

use serde_json::{Map, Value, json};

use crate::front::received::Received;
use crate::invoke::{Answer, Outcome};
use crate::source::{Authorizer, AuthorizerEvent, HttpApi, HttpApiKind, Identity};

/// What an authorizer says of a request.
#[derive(Debug, PartialEq)]
pub(super) enum Ruling {
    /// It passes, and the function is told this under `requestContext.authorizer`.
    Pass(Value),
    Deny {
        explicit: bool,
    },
    /// The authorizer failed with the message `Unauthorized`.
    Unauthorized,
    /// The answer is none.
    Broken(&'static str),
}

/// What of the request says who it is from, `None` if some of it is missing.
pub(super) fn identities(
    authorizer: &Authorizer,
    received: &Received,
    api: &HttpApi,
    event: &Value,
) -> Option<Vec<String>> {
    let query = received.query_pairs();
    let find = |identity: &Identity| {
        let found = match identity {
            Identity::Header(name) => Some(received.header(&name.to_ascii_lowercase())),
            Identity::Query(name) => {
                let pair = query.iter().rev().find(|(key, _)| key == name);
                pair.map(|(_, value)| value.clone())
            }
            Identity::StageVariable(name) => api.stage_variables.get(name).cloned(),
            Identity::Context(path) => path
                .split('.')
                .try_fold(&event["requestContext"], |value, key| value.get(key))
                .and_then(Value::as_str)
                .map(str::to_owned),
        };
        found.filter(|text| !text.is_empty())
    };
    authorizer.identity.iter().map(find).collect()
}

/// What the authorizer gets, made of the event that the function would get.
pub(super) fn event(
    authorizer: &Authorizer,
    mut event: Value,
    arn: &str,
    identities: &[String],
) -> Value {
    if authorizer.event == AuthorizerEvent::Token {
        let token = identities.first();
        return json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": token});
    }
    if let Value::Object(fields) = &mut event {
        fields.remove("body");
        fields.remove("isBase64Encoded");
    }
    event["type"] = json!("REQUEST");
    match authorizer.event {
        AuthorizerEvent::Request2 { .. } => {
            event["routeArn"] = json!(arn);
            event["identitySource"] = json!(identities);
        }
        AuthorizerEvent::Request1 | AuthorizerEvent::Token => event["methodArn"] = json!(arn),
    }
    event
}

/// The same for a HTTP API with the format of REST APIs.
pub(super) fn of_http_api(mut event: Value, identities: &[String]) -> Value {
    let identity = identities.join(",");
    event["version"] = json!("1.0");
    event["identitySource"] = json!(identity);
    event["authorizationToken"] = json!(identity);
    event
}

pub(super) fn ruling(
    kind: HttpApiKind,
    authorizer: &Authorizer,
    answer: &Answer,
    arn: &str,
) -> Ruling {
    let told: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
    if answer.outcome != Outcome::Returned {
        return match told["errorMessage"].as_str() {
            Some("Unauthorized") => Ruling::Unauthorized,
            _ => Ruling::Broken("it failed"),
        };
    }
    let context = match &told["context"] {
        Value::Null => Map::new(),
        Value::Object(context) => context.clone(),
        _ => return Ruling::Broken("context is no object"),
    };
    if authorizer.event == (AuthorizerEvent::Request2 { simple: true }) {
        return match told["isAuthorized"].as_bool() {
            Some(true) => Ruling::Pass(json!({"lambda": or_null(context)})),
            Some(false) => Ruling::Deny { explicit: false },
            None => Ruling::Broken("isAuthorized is neither true nor false"),
        };
    }
    let Some(principal) = told["principalId"].as_str() else {
        return Ruling::Broken("principalId is no string");
    };
    match allows(&told["policyDocument"]["Statement"], arn) {
        None => Ruling::Broken("policyDocument has no Statement"),
        Some(Verdict::Allowed) if kind == HttpApiKind::Http => {
            Ruling::Pass(json!({"lambda": or_null(context)}))
        }
        Some(Verdict::Allowed) => match texts(context, principal) {
            Some(authorizer) => Ruling::Pass(authorizer),
            None => Ruling::Broken("a value in context is a list or an object"),
        },
        Some(Verdict::Denied) => Ruling::Deny { explicit: true },
        Some(Verdict::Silent) => Ruling::Deny { explicit: false },
    }
}

fn or_null(context: Map<String, Value>) -> Value {
    match context.is_empty() {
        true => Value::Null,
        false => Value::Object(context),
    }
}

/// REST APIs tell functions nothing but text.
fn texts(context: Map<String, Value>, principal: &str) -> Option<Value> {
    let mut told = Map::new();
    for (key, value) in context {
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) | Value::Null => value.to_string(),
            Value::Array(_) | Value::Object(_) => return None,
        };
        told.insert(key, json!(text));
    }
    told.insert("principalId".to_owned(), json!(principal));
    told.insert("integrationLatency".to_owned(), json!(0));
    Some(Value::Object(told))
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Allowed,
    Denied,
    Silent,
}

/// What IAM makes of the statements; conditions are not looked at.
fn allows(statements: &Value, arn: &str) -> Option<Verdict> {
    let mut verdict = Verdict::Silent;
    for statement in list(statements)? {
        let is_about = |key: &str, what: &str| {
            let patterns = list(&statement[key]).unwrap_or_default();
            let mut patterns = patterns.iter().filter_map(|pattern| pattern.as_str());
            patterns.any(|pattern| is_like(pattern.as_bytes(), what.as_bytes()))
        };
        if !is_about("Action", "execute-api:Invoke") || !is_about("Resource", arn) {
            continue;
        }
        match statement["Effect"].as_str() {
            Some("Deny") => return Some(Verdict::Denied),
            Some("Allow") => verdict = Verdict::Allowed,
            _ => {}
        }
    }
    Some(verdict)
}

/// In policies one thing stands for a list of it.
fn list(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Null => None,
        Value::Array(items) => Some(items.iter().collect()),
        one => Some(vec![one]),
    }
}

/// `*` stands for anything and `?` for one character, whatever the case.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where to go on when what follows the last star does not fit after all.
    let mut again = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                again = Some((at + 1, seen));
                at += 1;
            }
            Some(byte) if *byte == b'?' || byte.eq_ignore_ascii_case(&text[seen]) => {
                at += 1;
                seen += 1;
            }
            _ => match again {
                Some((after_star, from)) => {
                    again = Some((after_star, from + 1));
                    (at, seen) = (after_star, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:shop/prod/GET/orders/7";

    fn authorizer(event: AuthorizerEvent) -> Authorizer {
        Authorizer {
            name: "check".to_owned(),
            function: "auth".to_owned(),
            event,
            identity: vec![Identity::Header("Authorization".to_owned())],
            keep: Duration::ZERO,
        }
    }

    fn ruled(kind: HttpApiKind, event: AuthorizerEvent, payload: &Value) -> Ruling {
        let answer = Answer {
            request_id: "id".to_owned(),
            payload: payload.to_string().into(),
            outcome: match payload.get("errorMessage") {
                Some(_) => Outcome::FunctionError,
                None => Outcome::Returned,
            },
        };
        ruling(kind, &authorizer(event), &answer, ARN)
    }

    fn policy(effect: &str, resource: &Value) -> Value {
        json!({
            "principalId": "ada",
            "policyDocument": {"Statement": [
                {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource},
            ]},
            "context": {"tier": "gold", "level": 7, "staff": true},
        })
    }

    #[test]
    fn policies_are_read_as_iam_reads_them() {
        let any = json!("arn:aws:execute-api:*:*:shop/*/GET/*");
        let other = json!(["arn:aws:execute-api:*:*:shop/*/PUT/*"]);
        let told = json!({"principalId": "ada", "tier": "gold", "level": "7", "staff": "true", "integrationLatency": 0});
        let cases = [
            (policy("Allow", &any), Ruling::Pass(told)),
            (policy("Deny", &any), Ruling::Deny { explicit: true }),
            (policy("Allow", &other), Ruling::Deny { explicit: false }),
            (
                json!({"errorMessage": "Unauthorized"}),
                Ruling::Unauthorized,
            ),
            (json!({"errorMessage": "oops"}), Ruling::Broken("it failed")),
            (
                json!({"principalId": "ada"}),
                Ruling::Broken("policyDocument has no Statement"),
            ),
            (
                json!({"policyDocument": {"Statement": []}}),
                Ruling::Broken("principalId is no string"),
            ),
        ];
        for (payload, expected) in cases {
            for event in [AuthorizerEvent::Token, AuthorizerEvent::Request1] {
                assert_eq!(
                    ruled(HttpApiKind::Rest, event, &payload),
                    expected,
                    "{payload}"
                );
            }
        }
        let mut denied = policy("Allow", &any);
        let deny = json!({"Effect": "Deny", "Action": ["execute-api:*"], "Resource": "*"});
        denied["policyDocument"]["Statement"]
            .as_array_mut()
            .unwrap()
            .push(deny);
        let ruling = ruled(HttpApiKind::Rest, AuthorizerEvent::Token, &denied);
        assert_eq!(ruling, Ruling::Deny { explicit: true }, "a denial wins");
    }

    #[test]
    fn http_apis_take_simple_answers_where_they_are_wanted() {
        let simple = AuthorizerEvent::Request2 { simple: true };
        let full = AuthorizerEvent::Request2 { simple: false };
        let context = json!({"tier": "gold", "level": 7, "staff": true});
        let cases = [
            (
                simple,
                json!({"isAuthorized": true}),
                Ruling::Pass(json!({"lambda": null})),
            ),
            (
                simple,
                json!({"isAuthorized": true, "context": {"a": [1]}}),
                Ruling::Pass(json!({"lambda": {"a": [1]}})),
            ),
            (
                simple,
                json!({"isAuthorized": false}),
                Ruling::Deny { explicit: false },
            ),
            (
                simple,
                policy("Allow", &json!("*")),
                Ruling::Broken("isAuthorized is neither true nor false"),
            ),
            (
                full,
                policy("Allow", &json!("*")),
                Ruling::Pass(json!({"lambda": context})),
            ),
            (
                full,
                json!({"isAuthorized": true}),
                Ruling::Broken("principalId is no string"),
            ),
        ];
        for (event, payload, expected) in cases {
            assert_eq!(
                ruled(HttpApiKind::Http, event, &payload),
                expected,
                "{payload}"
            );
        }
    }

    #[test]
    fn wildcards_stand_for_anything() {
        let cases = [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*b*c", "aXbYbZc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*c", "ab", false),
            ("abc", "abcd", false),
            ("EXECUTE-api:*", "execute-api:Invoke", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                is_like(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }
}
