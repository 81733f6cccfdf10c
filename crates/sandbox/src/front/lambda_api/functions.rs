//! What there is to read of functions: `ListFunctions`, `GetFunction` and `GetFunctionConfiguration`.

use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FunctionReference, Qualifier, respond, unknown, unreadable_name};
use crate::function::{ACCOUNT_ID, Function, Initialization, REGION, VERSION};
use crate::gateway::Gateway;
use crate::logging::LogFormat;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    marker: Option<String>,
    max_items: Option<usize>,
}

/// All functions in the order of their names; the marker of a page is the name that the next one begins with.
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Query(Page { marker, max_items }): Query<Page>,
) -> Response {
    let first = marker.unwrap_or_default();
    let mut names = gateway.pools().filter(|pool| pool.function.name >= first);
    let page: Vec<_> = names
        .by_ref()
        .take(max_items.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX))
        .map(|pool| configuration(&pool.function))
        .collect();
    let next = names.next().map(|pool| &pool.function.name);
    found(&json!({"Functions": page, "NextMarker": next}))
}

pub(super) async fn get(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    Query(Qualifier { qualifier }): Query<Qualifier>,
) -> Response {
    describe(&gateway, &name, qualifier, |function| {
        json!({
            "Configuration": configuration(function),
            // Where it is, since there is no bucket that it could have been uploaded to.
            "Code": {"RepositoryType": "S3", "Location": format!("file://{}", function.code.display())},
            "Tags": {},
        })
    })
}

pub(super) async fn get_configuration(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    Query(Qualifier { qualifier }): Query<Qualifier>,
) -> Response {
    describe(&gateway, &name, qualifier, configuration)
}

fn describe(
    gateway: &Gateway,
    name: &str,
    qualifier: Option<String>,
    tell: impl FnOnce(&Function) -> Value,
) -> Response {
    let reference = match FunctionReference::parse(name, qualifier) {
        Ok(reference) => reference,
        Err(message) => return unreadable_name(&message),
    };
    let mut pools = gateway.pools();
    match pools.find(|pool| reference.is_latest() && pool.function.name == reference.name) {
        Some(pool) => found(&tell(&pool.function)),
        None => unknown(&reference),
    }
}

/// What a deployed function has beside this, and a folder has not, is left out: hashes, sizes, dates, a role.
fn configuration(function: &Function) -> Value {
    let logging = function.logging;
    let mut log = json!({
        "LogFormat": logging.format.as_str(),
        "LogGroup": format!("/aws/lambda/{}", function.name),
    });
    if logging.format == LogFormat::Json {
        log["ApplicationLogLevel"] = json!(logging.application.as_str());
        log["SystemLogLevel"] = json!(logging.system.as_str());
    }
    let provider = function.initialization.managed().map(|instances| {
        json!({"LambdaManagedInstancesCapacityProviderConfig": {
            "CapacityProviderArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:capacity-provider:sandbox"),
            "PerExecutionEnvironmentMaxConcurrency": instances.max_concurrency,
        }})
    });
    let snap_start = function.initialization == Initialization::SnapStart;
    json!({
        "FunctionName": function.name,
        "FunctionArn": function.arn(),
        "Version": VERSION,
        "Runtime": function.runtime.identifier(),
        "Handler": function.handler,
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout.as_secs(),
        "Environment": {"Variables": function.environment},
        "EphemeralStorage": {"Size": function.ephemeral_storage_mb},
        "SnapStart": {"ApplyOn": if snap_start { "PublishedVersions" } else { "None" }},
        "LoggingConfig": log,
        "CapacityProviderConfig": provider,
        "PackageType": "Zip",
        "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}

fn found(body: &Value) -> Response {
    let request_id = uuid::Uuid::new_v4().to_string();
    let mut response = respond(
        StatusCode::OK,
        &request_id,
        HttpBody::from(body.to_string()),
    );
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// Lambda's own.
const PAGE_DEFAULT: usize = 50;
/// Lambda's own.
const PAGE_MAX: usize = 10_000;
