//! Requests, and what their answers mean.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};

use super::Answer;
use crate::format::Post;
use crate::notice::Line;

#[derive(Clone)]
pub(super) struct Client(
    hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
);

impl Client {
    pub(super) fn new() -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust())
            .https_or_http()
            .enable_http1()
            .build();
        // A connection that was kept may be gone by the next message, hours later.
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Client(client)
    }

    pub(super) async fn post(&self, post: Post) -> Answer {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&post.url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "throughline");
        for (name, text) in &post.headers {
            request = request.header(*name, text);
        }
        let Ok(request) = request.body(Full::new(Bytes::from(post.body))) else {
            // The error would show the address, which may be a secret.
            return Answer::refused(
                "the address, or a token, cannot stand in a request".to_owned(),
            );
        };
        let answer = match self.0.request(request).await {
            Ok(answer) => answer,
            Err(error) => return Answer::later(why(&error), None),
        };
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map(|it| it.to_bytes()).unwrap_or_default();
        judge(head.status, &head.headers, &String::from_utf8_lossy(&body))
    }
}

/// What an answer means: too many requests and faults of theirs pass, the rest does not.
fn judge(status: StatusCode, headers: &HeaderMap, body: &str) -> Answer {
    let said = match Line::new(body).cut(SAID_MAX) {
        body if body.is_empty() => status.to_string(),
        body => format!("{status}: {body}"),
    };
    let passes = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY
    );
    if status.is_success() {
        Answer::sent(said)
    } else if passes || status.is_server_error() {
        let after = headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok());
        let seconds = after.and_then(|it| it.parse().ok());
        Answer::later(said, seconds.map(Duration::from_secs))
    } else {
        Answer::refused(said)
    }
}

/// The last of the causes, which says most, without the address.
fn why(error: &hyper_util::client::legacy::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    match error.is_connect() {
        true => format!("cannot connect: {last}"),
        false => format!("the request broke off: {last}"),
    }
}

fn trust() -> ClientConfig {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let provider = rustls::crypto::ring::default_provider();
    ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("ring speaks the versions that rustls has")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Of an answer, as it is shown.
const SAID_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Outcome;

    #[test]
    fn answers_are_judged_by_their_status() {
        let check = |status: u16, after: Option<&str>, expected: Outcome| {
            let mut headers = HeaderMap::new();
            if let Some(after) = after {
                headers.insert(RETRY_AFTER, after.parse().unwrap());
            }
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(judge(status, &headers, "so\nit is").outcome, expected);
        };
        let later = |said: &str, seconds: Option<u64>| {
            Outcome::Later(said.to_owned(), seconds.map(Duration::from_secs))
        };
        check(202, None, Outcome::Sent);
        check(
            429,
            Some("30"),
            later("429 Too Many Requests: so it is", Some(30)),
        );
        check(
            503,
            Some("soon"),
            later("503 Service Unavailable: so it is", None),
        );
        check(
            400,
            None,
            Outcome::Refused("400 Bad Request: so it is".to_owned()),
        );
        check(
            302,
            None,
            Outcome::Refused("302 Found: so it is".to_owned()),
        );
    }
}
