//! Calls through reqwest. Its own layers see connections and not requests, so that it takes a middleware.

use async_trait::async_trait;
use http::{Extensions, Uri};
use reqwest::{Client, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next, Result};

use super::{answered, begin, carry, is_at_aws, shown};
use crate::current::Scoped;
use crate::failure::Failure;

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
        let answer = Scoped::new(Some(span.clone()), next.run(request, extensions)).await;
        match &answer {
            Ok(answer) => answered(&span, answer.status(), answer.headers()),
            Err(error) => {
                let failure = match error {
                    Error::Reqwest(error) => Failure::of_error(error),
                    Error::Middleware(error) => Failure::of_error(error.as_ref()),
                };
                // reqwest says the whole address.
                span.fail(&failure.with(&url, &shown(&uri)));
            }
        }
        span.end();
        answer
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
