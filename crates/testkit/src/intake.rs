//! A server that takes OTLP/HTTP on loopback, decodes it, remembers it and misbehaves on demand.
//!
//! Tests start one with [`FakeIntake::start`], point what they test at [`FakeIntake::endpoint`]
//! and await what must arrive with [`FakeIntake::wait_for`]. Nothing in it needs a sleep.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{LogRecord, MetricPoint, Signal, Span};

/// What the intake does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Takes it: 200.
    Take,
    /// Answers this status and takes nothing.
    Status(u16),
    /// Answers 429 with `retry-after` and takes nothing.
    TooMany {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// Reads the request and never answers.
    Hang,
    /// Takes it, and answers so much later.
    Slow(Duration),
    /// Reads one request and closes the connection without an answer; takes everything after it.
    CutOnce,
    /// Reads the beginning of each body and closes the connection.
    CutInBody,
    /// Takes each request and closes the connection instead of answering.
    TakeAndCut,
    /// Stops there with each request, until it is told another answer or its connection is dropped.
    Hold(Step),
    /// Closes the port: connections are refused and open ones end.
    Refuse,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its head was read.
    Head,
    /// The beginning of its body was read.
    Beginning,
    /// All of it was read, and it was not taken yet.
    Body,
    /// It was taken, and not answered yet.
    Taken,
}

/// One POST that was taken.
#[derive(Clone, Debug)]
pub struct Post {
    /// Of which signal.
    pub signal: Signal,
    /// All headers.
    pub headers: HeaderMap,
    /// The decoded body.
    pub request: Request,
}

impl Post {
    /// What a body says that came with these headers.
    ///
    /// # Errors
    /// It cannot be unpacked or is not OTLP.
    pub fn read(signal: Signal, headers: HeaderMap, body: &[u8]) -> Result<Self, String> {
        decode(signal, headers, body)
    }

    /// A header as text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// `x-throughline-sequence`, if it is a number.
    pub fn sequence(&self) -> Option<u64> {
        self.header("x-throughline-sequence").parse().ok()
    }
}

/// What an environment says about itself with a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// `x-throughline-environment`.
    pub environment: String,
    /// `x-throughline-ledger`.
    pub text: String,
}

impl Ledger {
    fn of(post: &Post) -> Option<Self> {
        let text = post.header("x-throughline-ledger").to_owned();
        let environment = post.header("x-throughline-environment").to_owned();
        (!text.is_empty()).then_some(Ledger { environment, text })
    }
}

/// Everything that was taken so far.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// The posts, in the order they came, without those that carry a ledger and nothing else.
    pub posts: Vec<Post>,
    /// The ledgers, in the order they came.
    pub ledgers: Vec<Ledger>,
    /// Their spans.
    pub spans: Vec<Span>,
    /// Their log records.
    pub logs: Vec<LogRecord>,
    /// Their metric points.
    pub metrics: Vec<MetricPoint>,
    /// How many requests came, with those that were not taken.
    pub attempts: usize,
    /// How many requests were stopped by [`Answer::Hold`].
    pub held: usize,
}

impl Received {
    /// The first span of this name.
    pub fn span(&self, name: &str) -> Option<&Span> {
        self.spans.iter().find(|span| span.name == name)
    }

    /// The first log record whose body holds this text.
    pub fn log(&self, text: &str) -> Option<&LogRecord> {
        let holds = |log: &&LogRecord| log.body.to_text().contains(text);
        self.logs.iter().find(holds)
    }
}

/// The server. It ends when it is dropped.
#[derive(Debug)]
pub struct FakeIntake {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    received: Mutex<Received>,
    changed: watch::Sender<u64>,
    answer: watch::Sender<Answer>,
    is_open: watch::Sender<bool>,
    /// Moves on when every open connection must end.
    generation: watch::Sender<u64>,
}

impl FakeIntake {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be bound.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("a bound listener has one");
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            changed: watch::Sender::new(0),
            answer: watch::Sender::new(Answer::Take),
            is_open: watch::Sender::new(true),
            generation: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, address, Arc::clone(&shared)));
        FakeIntake {
            address,
            shared,
            accepting,
        }
    }

    /// The base of its addresses: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, do this with every request. Comes back when the port is open or closed as told.
    pub async fn answer(&self, answer: Answer) {
        self.shared.answer.send_replace(answer);
        let open = answer != Answer::Refuse;
        if !open {
            self.drop_connections();
        }
        let mut is_open = self.shared.is_open.subscribe();
        // It fails only when the server is gone, and then there is nothing to wait for.
        let _ = is_open.wait_for(|is_open| *is_open == open).await;
    }

    /// Ends every open connection, as a long freeze does.
    pub fn drop_connections(&self) {
        self.shared.generation.send_modify(|number| *number += 1);
    }

    /// What was taken so far.
    pub fn received(&self) -> Received {
        self.shared.received().clone()
    }

    /// Waits until what was taken satisfies `predicate`, and returns it.
    ///
    /// # Panics
    /// After 20 seconds, with `what` was awaited and what had come instead.
    pub async fn wait_for(&self, what: &str, predicate: impl Fn(&Received) -> bool) -> Received {
        let mut changed = self.shared.changed.subscribe();
        let met = async {
            loop {
                changed.borrow_and_update();
                let received = self.received();
                if predicate(&received) {
                    return received;
                }
                if changed.changed().await.is_err() {
                    return received;
                }
            }
        };
        match tokio::time::timeout(WAIT_MAX, met).await {
            Ok(received) => received,
            Err(_) => panic!(
                "no {what} after {WAIT_MAX:?}: {}",
                self.received().outline()
            ),
        }
    }
}

impl Received {
    fn outline(&self) -> String {
        let spans: Vec<&str> = self.spans.iter().map(|span| span.name.as_str()).collect();
        let logs: Vec<String> = self.logs.iter().map(|log| log.body.to_text()).collect();
        format!(
            "{} requests, {} taken, spans {spans:?}, logs {logs:?}, {} metric points",
            self.attempts,
            self.posts.len(),
            self.metrics.len()
        )
    }
}

impl Drop for FakeIntake {
    fn drop(&mut self) {
        self.accepting.abort();
        self.drop_connections();
    }
}

impl Shared {
    fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> Answer {
        *self.answer.borrow()
    }

    fn count(&self, change: impl FnOnce(&mut Received)) {
        change(&mut self.received());
        self.changed.send_modify(|number| *number += 1);
    }

    /// Waits as long as requests are held at this step.
    async fn pass(&self, step: Step) {
        let holds = Answer::Hold(step);
        if self.told() == holds {
            self.count(|received| received.held += 1);
            let mut answer = self.answer.subscribe();
            // It fails only when the server is gone, and this with it.
            let _ = answer.wait_for(|answer| *answer != holds).await;
        }
    }
}

async fn accept(listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) {
    let mut answer = shared.answer.subscribe();
    let mut listener = Some(listener);
    loop {
        if *answer.borrow_and_update() == Answer::Refuse {
            listener = None;
            shared.is_open.send_replace(false);
            if answer.changed().await.is_err() {
                return;
            }
            continue;
        }
        let bound = match listener.take() {
            Some(bound) => bound,
            None => TcpListener::bind(address)
                .await
                .expect("our own port again"),
        };
        shared.is_open.send_replace(true);
        tokio::select! {
            accepted = bound.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            }
            _ = answer.changed() => answer.mark_changed(),
        }
        listener = Some(bound);
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut generation = shared.generation.subscribe();
    let service = hyper::service::service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { handle(request, &shared).await.ok_or(Cut) }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = connection => {}
        _ = generation.changed() => {}
    }
}

/// Makes hyper close the connection.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("told to close the connection")
    }
}

impl std::error::Error for Cut {}

/// The answer; `None` if there is none and the connection ends.
async fn handle(
    request: hyper::Request<Incoming>,
    shared: &Shared,
) -> Option<Response<Full<Bytes>>> {
    let (head, mut body) = request.into_parts();
    shared.count(|received| received.attempts += 1);
    shared.pass(Step::Head).await;
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Some(reply(StatusCode::BAD_REQUEST, "cannot read the body"));
        };
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
        if shared.told() == Answer::CutInBody {
            return None;
        }
        shared.pass(Step::Beginning).await;
    }
    shared.pass(Step::Body).await;
    let take = |headers| take(head.uri.path(), headers, &bytes, shared);
    Some(match shared.told() {
        Answer::CutOnce => {
            shared.answer.send_replace(Answer::Take);
            return None;
        }
        Answer::CutInBody => return None,
        Answer::TakeAndCut => {
            take(head.headers);
            return None;
        }
        Answer::Slow(delay) => {
            let answer = take(head.headers);
            tokio::time::sleep(delay).await;
            answer
        }
        Answer::Take | Answer::Refuse | Answer::Hold(_) => {
            let answer = take(head.headers);
            shared.pass(Step::Taken).await;
            answer
        }
        Answer::Status(code) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            reply(status, "told to")
        }
        Answer::TooMany { retry_after } => {
            let mut response = reply(StatusCode::TOO_MANY_REQUESTS, "told to");
            let headers = response.headers_mut();
            headers.insert("retry-after", HeaderValue::from(retry_after));
            response
        }
        Answer::Hang => std::future::pending().await,
    })
}

fn take(path: &str, headers: HeaderMap, body: &[u8], shared: &Shared) -> Response<Full<Bytes>> {
    let Some(signal) = Signal::ALL
        .into_iter()
        .find(|signal| path.ends_with(&format!("/v1/{signal}")))
    else {
        return reply(StatusCode::NOT_FOUND, "not an OTLP path");
    };
    let post = match decode(signal, headers, body) {
        Ok(post) => post,
        Err(error) => return reply(StatusCode::BAD_REQUEST, &error),
    };
    let mut received = shared.received();
    let kept = match post.request.clone() {
        Request::Traces(request) => wire::spans(request).map(|more| received.spans.extend(more)),
        Request::Logs(request) => wire::logs(request).map(|more| received.logs.extend(more)),
        Request::Metrics(request) => {
            received.metrics.extend(wire::metric_points(request));
            Ok(())
        }
    };
    if let Err(error) = kept {
        return reply(StatusCode::BAD_REQUEST, &error.to_string());
    }
    if let Some(ledger) = Ledger::of(&post) {
        received.ledgers.push(ledger);
    }
    // A ledger may travel alone.
    if post.request.items() > 0 || post.sequence().is_some() {
        received.posts.push(post);
    }
    drop(received);
    shared.changed.send_modify(|number| *number += 1);
    let mut response = Response::new(Full::from(wire::success_protobuf(signal)));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-protobuf"),
    );
    response
}

fn decode(signal: Signal, headers: HeaderMap, body: &[u8]) -> Result<Post, String> {
    let is = |name: &str, value: &str| {
        let header = headers.get(name).and_then(|header| header.to_str().ok());
        header.is_some_and(|header| header.starts_with(value))
    };
    let mut plain = Vec::new();
    if is("content-encoding", "gzip") {
        let mut decoder = flate2::read::GzDecoder::new(body).take(BODY_BYTES_MAX);
        let read = decoder.read_to_end(&mut plain);
        read.map_err(|error| format!("cannot unpack the body: {error}"))?;
    } else {
        plain.extend_from_slice(body);
    }
    let request = if is("content-type", "application/json") {
        Request::from_json(signal, &plain)
    } else {
        Request::from_protobuf(signal, &plain)
    };
    Ok(Post {
        signal,
        request: request.map_err(|error| error.to_string())?,
        headers,
    })
}

fn reply(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text.to_owned()));
    *response.status_mut() = status;
    response
}

/// Long enough for a busy machine, short enough that a broken test says so.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// What a body may unpack to.
const BODY_BYTES_MAX: u64 = 64 << 20;
