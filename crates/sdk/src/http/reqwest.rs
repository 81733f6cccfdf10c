//! Calls through reqwest. Its own layers see connections and not requests, so that it takes a middleware.

use async_trait::async_trait;
use http::{Extensions, HeaderMap, Uri};
use http_body_util::BodyExt;
use reqwest::{Client, Request, Response, ResponseBuilderExt};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next, Result};

use super::{answered, begin, carry, is_at_aws, shown};
use crate::bodies::{self, Body};
use crate::current::Scoped;
use crate::failure::Failure;
use crate::span::Open;

/// The client that follows what `client` sends: a span for each request, which the request carries in `traceparent`,
/// unless it has one, and to AWS in `x-amzn-trace-id`.
///
/// Redirects belong to the request that they answer. A request that a middleware around this one tries again is a span
/// again.
///
/// ```
/// # async fn example() -> Result<(), reqwest_middleware::Error> {
/// let client = throughline_sdk::reqwest_client(reqwest::Client::new());
/// let answer = client.get("http://pay.example.com/charge").send().await?;
/// # Ok(())
/// # }
/// ```
pub fn reqwest_client(client: Client) -> ClientWithMiddleware {
    let client = ClientBuilder::new(client);
    client.with(ReqwestMiddleware::default()).build()
}

/// What [`reqwest_client`] puts into a client, for a client that has other middleware besides.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReqwestMiddleware(());

#[async_trait]
impl Middleware for ReqwestMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let url = request.url().to_string();
        let uri: Uri = url.parse().unwrap_or_default();
        let Some(span) = begin(request.method(), &uri) else {
            return next.run(request, extensions).await;
        };
        carry(&span, is_at_aws(&uri), request.headers_mut());
        sent(&span, &request);
        let answer = Scoped::new(Some(span.clone()), next.run(request, extensions)).await;
        let answer = match answer {
            Ok(answer) => {
                answered(&span, answer.status(), answer.headers());
                read(&span, answer).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &answer {
            let failure = match error {
                Error::Reqwest(error) => Failure::of_error(error),
                Error::Middleware(error) => Failure::of_error(error.as_ref()),
            };
            // reqwest says the whole address.
            span.fail(&failure.with(&url, &shown(&uri)));
        }
        span.end();
        answer
    }
}

fn sent(span: &Open, request: &Request) {
    let Some(sent) = request.body() else { return };
    let body = Body {
        bytes: sent.as_bytes(),
        ..described(request.headers())
    };
    bodies::tell(span, "http.request.body", body);
}

/// Tells what was answered. A short body is read, and handed on as it came.
async fn read(span: &Open, answer: Response) -> Result<Response> {
    let size = answer.content_length();
    let is_short = size.is_some_and(|size| size > 0 && size <= bodies::BYTES_MAX as u64);
    if !span.invocation().sdk.settings.takes_bodies || !is_short {
        let body = Body {
            size,
            ..described(answer.headers())
        };
        bodies::tell(span, "http.response.body", body);
        return Ok(answer);
    }
    let url = answer.url().clone();
    let (parts, body) = http::Response::from(answer).into_parts();
    let bytes = body.collect().await?.to_bytes();
    let body = Body {
        bytes: Some(&bytes),
        ..described(&parts.headers)
    };
    bodies::tell(span, "http.response.body", body);
    let answer = http::Response::builder().url(url).body(bytes);
    let mut answer = answer.expect("an answer of which all parts are known");
    *answer.status_mut() = parts.status;
    *answer.version_mut() = parts.version;
    *answer.headers_mut() = parts.headers;
    answer.extensions_mut().extend(parts.extensions);
    Ok(answer.into())
}

fn described(headers: &HeaderMap) -> Body<'_> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Body {
        kind: text("content-type").unwrap_or_default(),
        encoding: text("content-encoding").unwrap_or_default(),
        ..Body::default()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::trial::Trial;

    /// Answers one request with its head.
    async fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4_096];
            let bytes = connection.read(&mut head).await.unwrap();
            let answer = format!(
                "HTTP/1.1 402 Payment Required\r\ncontent-length: {bytes}\r\nconnection: close\r\n\r\n"
            );
            connection.write_all(answer.as_bytes()).await.unwrap();
            connection.write_all(&head[..bytes]).await.unwrap();
        });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn request_carries_its_span() {
        let url = server().await;
        let trial = Trial::start(&[]).await;
        let sent = trial.invocation(async {
            let client = reqwest_client(Client::new());
            let answer = client.get(format!("{url}/charge?key=secret")).send().await;
            answer.unwrap().text().await.unwrap()
        });
        let head = sent.await;
        let spans = trial.spans().await;
        let (call, root) = (&spans["GET"], &spans["invocation"]);
        assert_eq!(call.parent_id, Some(root.span_id));
        let header = format!("traceparent: 00-{}-{}-01", call.trace_id, call.span_id);
        assert!(head.contains(&header), "{head}");
        let text = |key: &str| call.attributes.get(key).unwrap().to_text();
        assert_eq!(text("url.full"), format!("{url}/charge?key=…"));
        assert_eq!(
            (text("http.response.status_code"), text("error.type")),
            ("402".to_owned(), "402".to_owned())
        );
    }

    #[tokio::test]
    async fn bodies_are_told_and_arrive_whole() {
        let url = server().await;
        let trial = Trial::start(&[("THROUGHLINE_PAYLOADS", "all")]).await;
        let sent = trial.invocation(async {
            let client = reqwest_client(Client::new());
            let request = client.post(&url).header("content-type", "application/json");
            let answer = request.body(r#"{"token":"t"}"#).send().await.unwrap();
            assert_eq!(answer.url().as_str(), format!("{url}/"));
            assert_eq!(
                (answer.status().as_u16(), answer.content_length().is_some()),
                (402, true)
            );
            answer.text().await.unwrap()
        });
        let answer = sent.await;
        assert!(answer.starts_with("POST / HTTP/1.1\r\n"), "{answer}");
        let spans = trial.spans().await;
        let text = |key: &str| spans["POST"].attributes.text(key).unwrap();
        assert_eq!(text("http.request.body"), r#"{"token":"[redacted]"}"#);
        let shown = text("http.response.body");
        assert!(shown.starts_with("POST / HTTP/1.1\r\n"), "{shown}");
    }

    #[tokio::test]
    async fn error_does_not_show_the_query() {
        let trial = Trial::start(&[]).await;
        let sent = trial.invocation(async {
            let client = reqwest_client(Client::new());
            client
                .get("http://127.0.0.1:1/charge?key=secret")
                .send()
                .await
        });
        let error = sent.await.unwrap_err();
        assert!(error.is_connect());
        let spans = trial.spans().await;
        let told = format!("{:?}", spans["GET"]);
        assert!(
            told.contains("reqwest::Error") && told.contains("refused"),
            "{told}"
        );
        assert!(!told.contains("secret"), "{told}");
    }
}
