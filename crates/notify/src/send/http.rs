//! Requests, and what their answers mean.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

use super::{Answer, trust};
use crate::format::Post;
use crate::notice::Line;

#[derive(Clone)]
pub(super) struct Client(
    hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
);

impl Client {
    pub(super) fn new() -> Self {
        Client::trusting(trust::of_machine())
    }

    /// One that trusts these besides those that browsers trust.
    fn trusting(machine: Vec<CertificateDer<'static>>) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(machine))
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

fn tls(machine: Vec<CertificateDer<'static>>) -> ClientConfig {
    let provider = rustls::crypto::ring::default_provider();
    ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("ring speaks the versions that rustls has")
        .with_root_certificates(trust::roots(machine))
        .with_no_client_auth()
}

const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Of an answer, as it is shown.
const SAID_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Arc;

    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ServerConfig, ServerConnection, Stream};

    use super::*;
    use crate::outbox::Outcome;

    /// Made for this test, and stands for nothing: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes
    /// -days 36500 -subj "/CN=a test of throughline" -addext "subjectAltName=IP:127.0.0.1"
    /// -addext "basicConstraints=critical,CA:FALSE"`.
    fn certificate() -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(include_bytes!("http/certificate.pem")).unwrap()
    }

    /// A server that no authority vouches for which browsers trust. It answers whoever believes it.
    fn company() -> SocketAddr {
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("http/key.pem")).unwrap();
        let ring = rustls::crypto::ring::default_provider();
        let config = ServerConfig::builder_with_provider(ring.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut speaks = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = Stream::new(&mut speaks, &mut stream);
                let mut request = Vec::new();
                let mut some = [0; 4096];
                // Who does not believe it goes away here.
                while let Ok(count @ 1..) = stream.read(&mut some) {
                    request.extend_from_slice(&some[..count]);
                    if request.ends_with(b"{}") {
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                        stream.write_all(answer).unwrap();
                        stream.flush().unwrap();
                    }
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn authorities_of_the_machine_are_believed_as_well() {
        let url = format!("https://{}/in", company());
        let said = async |machine: Vec<CertificateDer<'static>>| {
            let post = Post {
                url: url.clone(),
                headers: Vec::new(),
                body: "{}".to_owned(),
            };
            Client::trusting(machine).post(post).await.said
        };
        assert_eq!(said(vec![certificate()]).await, "200 OK: ok");
        let stranger = said(Vec::new()).await;
        assert!(stranger.starts_with("cannot connect: "), "{stranger}");
        // What of them cannot be read is left out.
        let damaged = CertificateDer::from(vec![1, 2, 3]);
        assert_eq!(said(vec![damaged, certificate()]).await, "200 OK: ok");
    }

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
