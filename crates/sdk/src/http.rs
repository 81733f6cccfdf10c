//! Calls over HTTP through any client that is a `tower` service, such as hyper's, and through reqwest.

#[cfg(feature = "reqwest")]
mod reqwest;

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use lambda_runtime::Service;
use lambda_runtime::tower::Layer;
use pin_project_lite::pin_project;
use throughline_telemetry::{SpanKind, SpanStatus};

use crate::current::{self, Scoped};
use crate::failure::Failure;
use crate::ids::xray;
use crate::sources::texts;
use crate::span::Open;
use crate::user::traceparent_of;

#[cfg(feature = "reqwest")]
pub use reqwest::{ReqwestMiddleware, reqwest_client};

/// The layer that follows what an HTTP client sends: a span for each request, which the request carries in
/// `traceparent`, unless it has one.
///
/// ```
/// use hyper_util::client::legacy::Client;
/// use hyper_util::rt::TokioExecutor;
/// use lambda_runtime::tower::Layer;
///
/// let client = Client::builder(TokioExecutor::new()).build_http::<String>();
/// let client = throughline_sdk::http_layer().layer(client);
/// ```
pub fn http_layer() -> HttpLayer {
    HttpLayer(())
}

/// See [`http_layer`].
#[derive(Clone, Copy, Debug)]
pub struct HttpLayer(());

impl<C> Layer<C> for HttpLayer {
    type Service = HttpClient<C>;

    fn layer(&self, client: C) -> HttpClient<C> {
        HttpClient(client)
    }
}

/// A client whose requests are followed; see [`http_layer`].
#[derive(Clone, Debug)]
pub struct HttpClient<C>(C);

impl<C, B, R> Service<Request<B>> for HttpClient<C>
where
    C: Service<Request<B>, Response = Response<R>>,
    C::Error: Display + 'static,
{
    type Response = Response<R>;
    type Error = C::Error;
    type Future = Calling<C::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let span = begin(request.method(), request.uri());
        if let Some(span) = &span {
            let is_at_aws = is_at_aws(request.uri());
            carry(span, is_at_aws, request.headers_mut());
        }
        let future = {
            let _entered = span.clone().map(|span| current::enter(Some(span)));
            self.0.call(request)
        };
        let future = Scoped::new(span.clone(), future);
        Calling { future, span }
    }
}

pin_project! {
    /// A request on its way.
    #[derive(Debug)]
    pub struct Calling<F> {
        #[pin]
        future: Scoped<F>,
        span: Option<Open>,
    }
}

impl<F, R, E> Future for Calling<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Display + 'static,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.future.poll(cx));
        if let Some(span) = this.span.take() {
            match &answer {
                Ok(answer) => answered(&span, answer.status(), answer.headers()),
                Err(error) => span.fail(&Failure::of_any(error)),
            }
            span.end();
        }
        Poll::Ready(answer)
    }
}

fn begin(method: &Method, uri: &Uri) -> Option<Open> {
    let current = current::current()?;
    if !current.invocation().sdk.settings.hook("http") {
        return None;
    }
    let span = current.child(method.as_str(), SpanKind::Client)?;
    span.set("http.request.method", method.as_str());
    span.set("server.address", uri.host().unwrap_or_default());
    if let Some(port) = uri.port_u16() {
        span.set("server.port", i64::from(port));
    }
    span.set("url.full", shown(uri));
    Some(span)
}

/// Puts the span into the headers of its request.
fn carry(span: &Open, is_at_aws: bool, headers: &mut HeaderMap) {
    let context = span.context();
    if let Some(span_id) = context.span_id.filter(|_| is_at_aws) {
        let header = xray(context.trace_id, span_id, &span.invocation().kept);
        insert(headers, "x-amzn-trace-id", &header);
    }
    if !headers.contains_key("traceparent") {
        let header = traceparent_of(span).unwrap_or_default();
        insert(headers, "traceparent", &header);
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    // What came in as a header can go out as one.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn answered(span: &Open, status: StatusCode, headers: &HeaderMap) {
    let status = status.as_u16();
    span.set("http.response.status_code", i64::from(status));
    let id = |name: &&str| headers.get(*name)?.to_str().ok();
    let ids = ["x-amzn-requestid", "x-amz-request-id", "apigw-requestid"];
    if let Some(id) = ids.iter().find_map(id) {
        span.set("throughline.link.out", texts(&[format!("apigw:{id}")]));
    }
    if status >= 400 {
        span.set("error.type", status.to_string());
        span.change(|span| span.status = SpanStatus::Error);
    }
}

/// Somebody's own API behind AWS's addresses, where X-Ray's header is the one that counts.
fn is_at_aws(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let ends = [".amazonaws.com", ".amazonaws.com.cn", ".on.aws", ".api.aws"];
    ends.iter().any(|end| host.ends_with(end))
}

/// The address without credentials and without the values of its query.
fn shown(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("http");
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    let names = uri.query().map_or(String::new(), |query| {
        let pairs = query
            .split('&')
            .map(|pair| pair.split('=').next().unwrap_or_default());
        let names: Vec<String> = pairs.map(|name| format!("{name}=…")).collect();
        format!("?{}", names.join("&"))
    });
    format!("{scheme}://{host}{}{names}", uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;

    #[tokio::test]
    async fn aws_gets_the_trace_in_its_own_header_too() {
        let trial = Trial::start(&[]).await;
        let sent = trial.invocation(async {
            let uri = "https://x.lambda-url.eu-west-1.on.aws/".parse().unwrap();
            let span = begin(&Method::GET, &uri).unwrap();
            let mut headers = HeaderMap::new();
            carry(&span, is_at_aws(&uri), &mut headers);
            (span.context(), headers)
        });
        let (context, headers) = sent.await;
        let (trace, span) = (context.trace_id, context.span_id.unwrap());
        assert_eq!(headers["traceparent"], format!("00-{trace}-{span}-01"));
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        let header = format!("Root={root};Parent={span}");
        assert_eq!(headers["x-amzn-trace-id"], header);
        assert!(!is_at_aws(&"https://pay.example.com/".parse().unwrap()));
    }

    #[test]
    fn no_secrets_of_an_address_are_shown() {
        let uri = "https://ann:secret@pay.example.com:8443/charge?key=k&order=7".parse();
        let shown = shown(&uri.unwrap());
        assert_eq!(shown, "https://pay.example.com:8443/charge?key=…&order=…");
    }
}
