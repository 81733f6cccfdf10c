//! `Invoke`, `InvokeWithResponseStream` and what there is to read of functions: the part of the AWS Lambda API that the
//! sandbox has, as the AWS SDKs call it. Signatures are not checked.

mod event_stream;
mod functions;
mod streaming;

use std::sync::Arc;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::sender::check_sender;
use crate::body::read_body;
use crate::environment::Answered;
use crate::function::VERSION;
use crate::gateway::{Gateway, SYNCHRONOUS_BYTES_MAX};
use crate::invoke::{Invoke, InvokeError, Outcome};
use crate::lifecycle::{Body, NotRestored};

pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .route(
            "/2021-11-15/functions/{name}/response-streaming-invocations",
            post(invoke_with_response_stream),
        )
        .route("/2015-03-31/functions", get(functions::list))
        .route("/2015-03-31/functions/", get(functions::list))
        .route("/2015-03-31/functions/{name}", get(functions::get))
        .route(
            "/2015-03-31/functions/{name}/configuration",
            get(functions::get_configuration),
        )
        .method_not_allowed_fallback(unknown_operation)
        .fallback(unknown_operation)
        .layer(middleware::from_fn(guard))
        .with_state(gateway)
}

/// A page that a browser has open must not call functions, nor read their variables.
async fn guard(request: Request, next: Next) -> Response {
    match check_sender(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => failed(
            StatusCode::FORBIDDEN,
            "AccessDeniedException",
            &json!({"Message": why}),
        ),
    }
}

async fn unknown_operation() -> Response {
    let message = "this sandbox offers Invoke, InvokeWithResponseStream, GetFunction, GetFunctionConfiguration and ListFunctions";
    let body = json!({"Message": message});
    failed(StatusCode::NOT_FOUND, "UnknownOperationException", &body)
}

#[derive(Deserialize)]
struct Qualifier {
    #[serde(rename = "Qualifier")]
    qualifier: Option<String>,
}

/// What every way to invoke takes from the request.
struct Wanted {
    invoke: Invoke,
    log: bool,
    kind: String,
}

async fn invoke(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    Query(Qualifier { qualifier }): Query<Qualifier>,
    request: Request,
) -> Response {
    let wanted = match read(&gateway, &name, qualifier, request).await {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    match wanted.kind.as_str() {
        "RequestResponse" => synchronous(&gateway, wanted).await,
        "Event" => match gateway.queue(wanted.invoke) {
            Ok(request_id) => respond(StatusCode::ACCEPTED, &request_id, HttpBody::empty()),
            Err(error) => refused(&error),
        },
        "DryRun" => dry_run(&gateway, &wanted.invoke),
        other => unknown_kind(other, "RequestResponse, Event, DryRun"),
    }
}

async fn invoke_with_response_stream(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    Query(Qualifier { qualifier }): Query<Qualifier>,
    request: Request,
) -> Response {
    let wanted = match read(&gateway, &name, qualifier, request).await {
        Ok(wanted) => wanted,
        Err(response) => return *response,
    };
    match wanted.kind.as_str() {
        "RequestResponse" => match gateway.start(wanted.invoke) {
            Ok(ticket) => streaming::response(ticket, wanted.log).await,
            Err(error) => refused(&error),
        },
        "DryRun" => dry_run(&gateway, &wanted.invoke),
        other => unknown_kind(other, "RequestResponse, DryRun"),
    }
}

async fn read(
    gateway: &Gateway,
    name: &str,
    qualifier: Option<String>,
    request: Request,
) -> Result<Wanted, Box<Response>> {
    let headers = request.headers().clone();
    let bad_content = |message| {
        let error_type = "InvalidRequestContentException";
        failed(StatusCode::BAD_REQUEST, error_type, &user(message))
    };
    let payload = match read_body(request, SYNCHRONOUS_BYTES_MAX as u64).await {
        Body::Whole(payload) => payload,
        Body::TooLarge { bytes } => return Err(too_large(bytes, SYNCHRONOUS_BYTES_MAX).into()),
        Body::Truncated => return Err(bad_content("request was cut").into()),
    };
    let reference =
        FunctionReference::parse(name, qualifier).map_err(|message| unreadable_name(&message))?;
    let Some(arn) = gateway
        .arn(&reference.name)
        .filter(|_| reference.is_latest())
    else {
        return Err(unknown(&reference).into());
    };
    let mut invoke = Invoke::new(reference.name.clone()).payload(payload);
    invoke.invoked_arn = Some(reference.qualified(&arn));
    invoke.trace_header = text(&headers, "x-amzn-trace-id");
    invoke.tenant_id = text(&headers, "x-amz-tenant-id");
    if let Some(encoded) = text(&headers, "x-amz-client-context") {
        let context = decode_context(&encoded).ok_or_else(|| {
            bad_content("Client context must be a valid Base64-encoded JSON object.")
        })?;
        invoke.client_context = Some(context);
    }
    Ok(Wanted {
        invoke,
        log: text(&headers, "x-amz-log-type").is_some_and(|kind| kind == "Tail"),
        kind: text(&headers, "x-amz-invocation-type")
            .unwrap_or_else(|| "RequestResponse".to_owned()),
    })
}

fn dry_run(gateway: &Gateway, invoke: &Invoke) -> Response {
    match gateway.check(invoke, SYNCHRONOUS_BYTES_MAX) {
        Ok(()) => {
            let request_id = uuid::Uuid::new_v4().to_string();
            respond(StatusCode::NO_CONTENT, &request_id, HttpBody::empty())
        }
        Err(error) => refused(&error),
    }
}

fn unknown_kind(kind: &str, known: &str) -> Response {
    let message = format!("invocation type {kind} is not one of {known}");
    let error_type = "InvalidParameterValueException";
    failed(StatusCode::BAD_REQUEST, error_type, &user(&message))
}

async fn synchronous(gateway: &Gateway, wanted: Wanted) -> Response {
    let mut ticket = match gateway.start(wanted.invoke) {
        Ok(ticket) => ticket,
        Err(error) => return refused(&error),
    };
    let answered = match ticket.answered().await {
        Ok(answered) => answered,
        Err(error) => return refused(&error),
    };
    if let Some(refusal) = not_restored(&answered) {
        return refusal;
    }
    let answer = ticket.whole(answered).await;
    let mut response = respond(
        StatusCode::OK,
        &answer.request_id,
        HttpBody::from(answer.payload),
    );
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert("x-amz-executed-version", HeaderValue::from_static(VERSION));
    if answer.outcome == Outcome::FunctionError {
        headers.insert(
            "x-amz-function-error",
            HeaderValue::from_static("Unhandled"),
        );
    }
    // The log is complete only when the invocation is over, so who wants it waits for that.
    if wanted.log
        && let Some(ended) = ticket.ended().await
        && let Ok(log) = HeaderValue::from_str(&BASE64.encode(ended.log_tail))
    {
        headers.insert("x-amz-log-result", log);
    }
    response
}

/// What the caller hears when the function's environment could not be restored from its snapshot.
fn not_restored(answered: &Answered) -> Option<Response> {
    let Answered::Whole(verdict) = answered else {
        return None;
    };
    let (status, error_type, message) = match verdict.not_restored? {
        NotRestored::Failed => (
            StatusCode::BAD_REQUEST,
            "SnapStartException",
            "The afterRestore() runtime hook encountered an error. For more information, check the log of the function.",
        ),
        NotRestored::TimedOut => (
            StatusCode::REQUEST_TIMEOUT,
            "SnapStartTimeoutException",
            "Lambda couldn't restore the snapshot within the timeout limit.",
        ),
    };
    Some(failed(status, error_type, &user(message)))
}

/// A function as a caller may name it: by name, partial ARN or whole ARN, each perhaps with a qualifier.
#[derive(Debug, PartialEq, Eq)]
struct FunctionReference {
    name: String,
    qualifier: Option<String>,
}

impl FunctionReference {
    fn parse(text: &str, qualifier: Option<String>) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let (name, own_qualifier) = match parts[..] {
            ["arn", _, "lambda", _, _, "function", name] | [_, "function", name] | [name] => {
                (name, None)
            }
            ["arn", _, "lambda", _, _, "function", name, own]
            | [_, "function", name, own]
            | [name, own] => (name, Some(own.to_owned())),
            _ => {
                return Err(format!(
                    "{text} is neither the name nor the ARN of a function"
                ));
            }
        };
        match (own_qualifier, qualifier) {
            (Some(own), Some(other)) if own != other => Err(
                "the qualifier in the function name differs from the one in the query".to_owned(),
            ),
            (own, other) => Ok(Self {
                name: name.to_owned(),
                qualifier: own.or(other),
            }),
        }
    }

    fn is_latest(&self) -> bool {
        self.qualifier
            .as_deref()
            .is_none_or(|qualifier| qualifier == VERSION)
    }

    fn qualified(&self, arn: &str) -> String {
        self.qualifier
            .as_ref()
            .map_or_else(|| arn.to_owned(), |qualifier| format!("{arn}:{qualifier}"))
    }
}

fn decode_context(encoded: &str) -> Option<String> {
    let text = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
    let object: serde_json::Map<String, Value> = serde_json::from_str(&text).ok()?;
    // Written anew, because it travels in a header and may have had line breaks.
    Some(Value::Object(object).to_string())
}

fn unreadable_name(message: &str) -> Response {
    let body = json!({"message": message});
    failed(StatusCode::BAD_REQUEST, "ValidationException", &body)
}

fn unknown(reference: &FunctionReference) -> Response {
    let arn = reference.qualified(&crate::function::arn(&reference.name));
    failed(
        StatusCode::NOT_FOUND,
        "ResourceNotFoundException",
        &user(&format!("Function not found: {arn}")),
    )
}

fn refused(error: &InvokeError) -> Response {
    match error {
        InvokeError::UnknownFunction { function } => unknown(&FunctionReference {
            name: function.clone(),
            qualifier: None,
        }),
        InvokeError::Throttled { .. } => failed(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequestsException",
            &json!({"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "Type": "User", "message": "Rate Exceeded."}),
        ),
        InvokeError::PayloadTooLarge { bytes, limit, .. } => too_large(*bytes as u64, *limit),
        InvokeError::PayloadNotJson { reason, .. } => {
            let message = format!("Could not parse request body into json: {reason}");
            failed(
                StatusCode::BAD_REQUEST,
                "InvalidRequestContentException",
                &user(&message),
            )
        }
        InvokeError::ShuttingDown { .. } | InvokeError::NoEnvironment { .. } => {
            let body = json!({"Type": "Service", "Message": error.to_string()});
            failed(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", &body)
        }
    }
}

fn too_large(bytes: u64, limit: usize) -> Response {
    let message =
        format!("{bytes} byte payload is too large for the invocation (limit {limit} bytes)");
    failed(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestTooLargeException",
        &user(&message),
    )
}

fn user(message: &str) -> Value {
    json!({"Type": "User", "Message": message})
}

fn failed(status: StatusCode, error_type: &'static str, body: &Value) -> Response {
    let mut response = respond(
        status,
        &uuid::Uuid::new_v4().to_string(),
        HttpBody::from(body.to_string()),
    );
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert("x-amzn-errortype", HeaderValue::from_static(error_type));
    response
}

fn respond(status: StatusCode, request_id: &str, body: HttpBody) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-amzn-requestid"), value);
    }
    response
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_every_form_of_their_name() {
        let cases = [
            ("f", None, Some(("f", None))),
            ("f:$LATEST", None, Some(("f", Some("$LATEST")))),
            ("123456789012:function:f", None, Some(("f", None))),
            (
                "arn:aws:lambda:us-east-1:123456789012:function:f",
                None,
                Some(("f", None)),
            ),
            (
                "arn:aws:lambda:us-east-1:123456789012:function:f:7",
                None,
                Some(("f", Some("7"))),
            ),
            ("f", Some("7"), Some(("f", Some("7")))),
            ("f:7", Some("7"), Some(("f", Some("7")))),
            ("f:7", Some("8"), None),
            ("arn:aws:s3:::bucket", None, None),
        ];
        for (text, qualifier, expected) in cases {
            let found = FunctionReference::parse(text, qualifier.map(str::to_owned)).ok();
            let expected =
                expected.map(
                    |(name, qualifier): (&str, Option<&str>)| FunctionReference {
                        name: name.to_owned(),
                        qualifier: qualifier.map(str::to_owned),
                    },
                );
            assert_eq!(found, expected, "{text} {qualifier:?}");
        }
    }

    #[test]
    fn client_context_is_base64_of_an_object() {
        assert_eq!(
            decode_context(&BASE64.encode("{\"a\":\n1}")).as_deref(),
            Some(r#"{"a":1}"#)
        );
        assert_eq!(decode_context(&BASE64.encode("[1]")), None);
        assert_eq!(decode_context("{}"), None);
    }
}
