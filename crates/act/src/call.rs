//! One call of AWS's API, whole.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A call, with everything but its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Of which service.
    pub service: Service,
    /// Its name in AWS's documentation.
    pub operation: String,
    /// `GET`, `PUT`, `POST` or `DELETE`.
    pub method: String,
    /// The path and the query.
    pub path: String,
    /// What is sent: JSON for Lambda; for IAM the fields of its form, lists as lists.
    pub parameters: Value,
}

/// The services that are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// `lambda.REGION.amazonaws.com`.
    Lambda,
    /// `iam.amazonaws.com`.
    Iam,
}

impl Call {
    pub(crate) fn iam(operation: &str, parameters: Value) -> Self {
        Call {
            service: Service::Iam,
            operation: operation.to_owned(),
            method: "POST".to_owned(),
            path: "/".to_owned(),
            parameters,
        }
    }

    pub(crate) fn lambda(operation: &str, method: &str, path: String, parameters: Value) -> Self {
        Call {
            service: Service::Lambda,
            operation: operation.to_owned(),
            method: method.to_owned(),
            path,
            parameters,
        }
    }

    pub(crate) fn configuration(function: &str) -> Self {
        let path = format!("/2015-03-31/functions/{function}/configuration");
        Call::lambda("GetFunctionConfiguration", "GET", path, Value::Null)
    }

    pub(crate) fn concurrency(function: &str) -> Self {
        let path = format!("/2019-09-30/functions/{function}/concurrency");
        Call::lambda("GetFunctionConcurrency", "GET", path, Value::Null)
    }

    pub(crate) fn sources(function: &str) -> Self {
        let path = format!("/2015-03-31/event-source-mappings?FunctionName={function}");
        Call::lambda("ListEventSourceMappings", "GET", path, Value::Null)
    }

    pub(crate) fn reserve(function: &str, environments: u32) -> Self {
        let path = format!("/2017-10-31/functions/{function}/concurrency");
        let parameters = json!({"ReservedConcurrentExecutions": environments});
        Call::lambda("PutFunctionConcurrency", "PUT", path, parameters)
    }

    pub(crate) fn reserve_none(function: &str) -> Self {
        let path = format!("/2017-10-31/functions/{function}/concurrency");
        Call::lambda("DeleteFunctionConcurrency", "DELETE", path, Value::Null)
    }

    pub(crate) fn enable(source: &str, enabled: bool) -> Self {
        let path = format!("/2015-03-31/event-source-mappings/{source}");
        let parameters = json!({"Enabled": enabled});
        Call::lambda("UpdateEventSourceMapping", "PUT", path, parameters)
    }

    pub(crate) fn memory(function: &str, memory_mb: u32, revision_id: &str) -> Self {
        let path = format!("/2015-03-31/functions/{function}/configuration");
        let parameters = json!({"MemorySize": memory_mb, "RevisionId": revision_id});
        Call::lambda("UpdateFunctionConfiguration", "PUT", path, parameters)
    }
}
