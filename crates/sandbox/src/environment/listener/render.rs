//! Replies of the state machine as HTTP responses.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::environment::variables::{ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN};
use crate::function::{ACCOUNT_ID, VERSION};
use crate::lifecycle::{Invocation, Refusal, Reply};
use crate::time::UnixNanos;

/// What a registration tells an extension.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(super) function: String,
    pub(super) handler: String,
}

pub(super) fn response(reply: Reply, identity: &Identity) -> Response {
    match reply {
        Reply::Invocation {
            invocation,
            deadline,
        } => for_runtime(invocation, deadline),
        Reply::Restored => Response::new(Body::empty()),
        Reply::Accepted | Reply::GoOn => json_response(202, &json!({"status": "OK"})),
        Reply::Registered {
            identifier,
            with_account,
        } => registered(&identifier, with_account, identity),
        Reply::Invoke {
            invocation,
            deadline,
        } => event(&json!({
            "eventType": "INVOKE",
            "deadlineMs": deadline.as_millis(),
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_header},
        })),
        Reply::Shutdown { reason, deadline } => event(&json!({
            "eventType": "SHUTDOWN",
            "shutdownReason": reason.as_str(),
            "deadlineMs": deadline.as_millis(),
        })),
        Reply::Subscribed => json_response(200, &json!("OK")),
        Reply::Refused(refusal) => refused(&refusal),
    }
}

/// The keys and how long they hold, for whoever may have them now.
pub(super) fn credentials(now: Option<UnixNanos>) -> Response {
    let Some(now) = now else {
        return plain(404, "cannot get credentials for the provided token\n");
    };
    json_response(
        200,
        &json!({
            "AccessKeyId": ACCESS_KEY_ID,
            "SecretAccessKey": SECRET_ACCESS_KEY,
            "Token": SESSION_TOKEN,
            "Expiration": (now + CREDENTIALS_LAST).to_string(),
        }),
    )
}

/// What the metadata endpoint says instead, as Go's servers do.
pub(super) fn no_metadata(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    plain(status.as_u16(), &format!("{reason}\n"))
}

/// Where the environment is, and whether it will stay there.
pub(super) fn metadata(settled: bool) -> Response {
    let mut response = json_response(200, &json!({"AvailabilityZoneID": "use1-az1"}));
    let keep = if settled {
        HeaderValue::from_static("private, max-age=43200, immutable")
    } else {
        // The snapshot may be restored elsewhere.
        HeaderValue::from_static("private, max-age=1, immutable")
    };
    response.headers_mut().insert(header::CACHE_CONTROL, keep);
    response
}

fn for_runtime(invocation: Invocation, deadline: UnixNanos) -> Response {
    let mut response = Response::new(Body::from(invocation.payload));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let fields = [
        ("lambda-runtime-aws-request-id", invocation.request_id),
        (
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        ),
        ("lambda-runtime-invoked-function-arn", invocation.arn),
        ("lambda-runtime-trace-id", invocation.trace_header),
        ("lambda-runtime-invocation-id", invocation.attempt),
        (
            "lambda-runtime-client-context",
            invocation.client_context.unwrap_or_default(),
        ),
        (
            "lambda-runtime-cognito-identity",
            invocation.cognito_identity.unwrap_or_default(),
        ),
        (
            "lambda-runtime-aws-tenant-id",
            invocation.tenant_id.unwrap_or_default(),
        ),
    ];
    for (name, value) in fields {
        if let Some(value) = HeaderValue::from_str(&value)
            .ok()
            .filter(|value| !value.is_empty())
        {
            headers.insert(name, value);
        }
    }
    response
}

fn registered(identifier: &str, with_account: bool, identity: &Identity) -> Response {
    let mut body = json!({
        "functionName": identity.function,
        "functionVersion": VERSION,
        "handler": identity.handler,
    });
    if with_account {
        body["accountId"] = json!(ACCOUNT_ID);
    }
    let mut response = json_response(200, &body);
    if let Ok(identifier) = HeaderValue::from_str(identifier) {
        response
            .headers_mut()
            .insert("lambda-extension-identifier", identifier);
    }
    response
}

fn event(body: &Value) -> Response {
    let mut response = json_response(200, body);
    if let Ok(identifier) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        response
            .headers_mut()
            .insert("lambda-extension-event-identifier", identifier);
    }
    response
}

fn refused(refusal: &Refusal) -> Response {
    if refusal.error_type.is_empty() {
        return plain(refusal.status, &refusal.message);
    }
    json_response(
        refusal.status,
        &json!({"errorType": refusal.error_type, "errorMessage": refusal.message}),
    )
}

fn plain(status: u16, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

fn json_response(status: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// Lambda's hold for some hours; an SDK asks again before they end.
const CREDENTIALS_LAST: Duration = Duration::from_secs(6 * 3600);

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::lifecycle::ShutdownReason;

    async fn check(reply: Reply, expected: Expect) {
        let identity = Identity {
            function: "f".to_owned(),
            handler: "app.handler".to_owned(),
        };
        let (parts, body) = response(reply, &identity).into_parts();
        let mut lines = vec![parts.status.as_u16().to_string()];
        let made_up = |name: &str| name == "lambda-extension-event-identifier";
        let show = |(name, value): (&header::HeaderName, &HeaderValue)| {
            let value = if made_up(name.as_str()) {
                "..."
            } else {
                value.to_str().unwrap()
            };
            format!("{name}: {value}")
        };
        lines.extend(parts.headers.iter().map(show));
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        lines.push(String::from_utf8(body.to_vec()).unwrap());
        expected.assert_eq(&lines.join("\n"));
    }

    fn invocation() -> Invocation {
        Invocation {
            request_id: "id".to_owned(),
            attempt: "nonce".to_owned(),
            payload: "{\"n\":1}".into(),
            arn: "arn".to_owned(),
            trace_header: "Root=1".to_owned(),
            span_id: "span".to_owned(),
            client_context: None,
            cognito_identity: None,
            tenant_id: None,
        }
    }

    #[tokio::test]
    async fn replies_have_lambdas_form() {
        let deadline = UnixNanos::from_millis(1_676_051_031_821);
        check(
            Reply::Invocation {
                invocation: invocation(),
                deadline,
            },
            expect![[r#"
                200
                content-type: application/json
                lambda-runtime-aws-request-id: id
                lambda-runtime-deadline-ms: 1676051031821
                lambda-runtime-invoked-function-arn: arn
                lambda-runtime-trace-id: Root=1
                lambda-runtime-invocation-id: nonce
                {"n":1}"#]],
        )
        .await;
        check(
            Reply::Invoke {
                invocation: invocation(),
                deadline,
            },
            expect![[r#"
                200
                content-type: application/json
                lambda-extension-event-identifier: ...
                {"deadlineMs":1676051031821,"eventType":"INVOKE","invokedFunctionArn":"arn","requestId":"id","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"}}"#]],
        )
        .await;
        check(
            Reply::Shutdown {
                reason: ShutdownReason::Spindown,
                deadline,
            },
            expect![[r#"
                200
                content-type: application/json
                lambda-extension-event-identifier: ...
                {"deadlineMs":1676051031821,"eventType":"SHUTDOWN","shutdownReason":"spindown"}"#]],
        )
        .await;
        check(
            Reply::Registered {
                identifier: "uuid".to_owned(),
                with_account: false,
            },
            expect![[r#"
                200
                content-type: application/json
                lambda-extension-identifier: uuid
                {"functionName":"f","functionVersion":"$LATEST","handler":"app.handler"}"#]],
        )
        .await;
        check(
            Reply::Registered {
                identifier: "uuid".to_owned(),
                with_account: true,
            },
            expect![[r#"
                200
                content-type: application/json
                lambda-extension-identifier: uuid
                {"accountId":"123456789012","functionName":"f","functionVersion":"$LATEST","handler":"app.handler"}"#]],
        )
        .await;
        check(
            Reply::Accepted,
            expect![[r#"
            202
            content-type: application/json
            {"status":"OK"}"#]],
        )
        .await;
        check(
            Reply::Subscribed,
            expect![[r#"
            200
            content-type: application/json
            "OK""#]],
        )
        .await;
        check(
            Reply::Refused(Refusal::invalid_request_id()),
            expect![[r#"
            400
            content-type: application/json
            {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#]],
        )
        .await;
        check(
            Reply::Refused(Refusal::internal()),
            expect![[r#"
            500
            content-type: application/json
            {"errorMessage":"Internal Server Error","errorType":"InternalServerError"}"#]],
        )
        .await;
    }
}
