//! Whom the tools ask.

use std::future::Future;

use http::request::Parts;
use serde_json::Value;
use throughline_telemetry::UnixNanos;

/// The HTTP API of a server.
pub trait Api: Clone + Send + Sync + 'static {
    /// Asks, and gives back the JSON of an answer that went well.
    fn ask(&self, question: Question) -> impl Future<Output = Result<Value, Failure>> + Send;

    /// The address of the page, such as `http://127.0.0.1:4300`; `request` is the one that brought the
    /// question, where it came over HTTP.
    fn page(&self, request: Option<&Parts>) -> String;

    /// What time it is.
    fn now(&self) -> UnixNanos;
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// How it is asked.
    pub method: Method,
    /// The path, with its parameters.
    pub path: String,
}

/// How something is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// Without a body.
    Get,
    /// With JSON as its body.
    Post(Value),
}

/// Why there is no answer, in words for the assistant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl Failure {
    /// Of what the API answered that did not go well.
    pub fn of_status(status: http::StatusCode, error: &Value) -> Self {
        let said = (error["message"].as_str(), error["code"].as_str());
        Failure(match said {
            (Some(message), Some(code)) => format!("{message} ({code})"),
            _ => format!("the server answers {status}"),
        })
    }
}
