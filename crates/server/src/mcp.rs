//! The tools of assistants over HTTP: they ask the endpoints of this server, as the page does.

use axum::Router;
use axum::body::Body;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Limited};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use throughline_mcp::{Api, Failure, Method, OverHttp, Question, over_http};
use throughline_telemetry::UnixNanos;

/// Where assistants ask. It is as open as the API is.
pub(crate) const PATH: &str = "/mcp";

/// Answers assistants from these endpoints. Whoever gets here was let in to them.
pub(crate) fn service(endpoints: Router) -> OverHttp<Own> {
    over_http(Own { endpoints })
}

#[derive(Clone)]
pub(crate) struct Own {
    endpoints: Router,
}

impl Api for Own {
    async fn ask(&self, question: Question) -> Result<Value, Failure> {
        let json = "application/json";
        let request = Request::builder()
            .uri(&question.path)
            .header(ACCEPT, json)
            .header(CONTENT_TYPE, json);
        let request = match question.method {
            Method::Get => request.method(http::Method::GET).body(Body::empty()),
            Method::Post(body) => {
                let body = Body::from(body.to_string());
                request.method(http::Method::POST).body(body)
            }
        };
        let request = request.map_err(|error| Failure(error.to_string()))?;
        let endpoints = TowerToHyperService::new(self.endpoints.clone());
        let Ok(response) = endpoints.call(request).await;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|_| Failure("the answer is too long".to_owned()))?;
        let json: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
        match head.status.is_success() {
            true => Ok(json),
            false => Err(Failure::of_status(head.status, &json)),
        }
    }

    /// As the assistant calls it, also behind a proxy.
    fn page(&self, request: Option<&Parts>) -> String {
        let Some(request) = request else {
            return String::new();
        };
        let scheme = match text(&request.headers, "x-forwarded-proto") {
            Some("https") => "https",
            _ => "http",
        };
        let authority = request.uri.authority().map(|authority| authority.as_str());
        let host = authority.or(text(&request.headers, HOST.as_str()));
        host.map_or_else(String::new, |host| format!("{scheme}://{host}"))
    }

    #[allow(clippy::disallowed_methods)] // an edge: times such as `2h ago` depend on when they are said
    fn now(&self) -> UnixNanos {
        std::time::SystemTime::now().into()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Above the largest page of a list.
const ANSWER_BYTES_MAX: usize = 64 << 20;
