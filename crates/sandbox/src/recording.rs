//! What the processes of the environments ask of their APIs and what they get, and what the platform delivers to their
//! listeners: written down for tests to read.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use tokio::sync::watch;

use crate::environment::Standing;
use crate::time::{Clock, UnixNanos};

/// One call of a process on the Runtime, Extensions, Telemetry or Logs API of its environment, or on the endpoints
/// beside them; or one delivery of telemetry, which the platform makes to the listener of a process.
///
/// As text it is a line such as `runtime GET /2018-06-01/runtime/invocation/next 200`, or
/// `platform to recorder POST http://127.0.0.1:8124/ 200`.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The function.
    pub function: String,
    /// The environment, by the name of its log stream.
    pub environment: String,
    /// How often the environment had been initialized when the call came: one more after each reset.
    pub generation: u32,
    /// Who called, as far as the call says.
    pub who: Who,
    /// When the call came.
    pub at: UnixNanos,
    /// The method.
    pub method: String,
    /// The path, with its query; of a delivery where it goes, and with TCP `tcp://127.0.0.1:PORT`.
    pub path: String,
    /// The headers of the call.
    pub headers: HeaderMap,
    /// The body of the call, as much as has come and at most 16 KiB of it.
    pub body: Bytes,
    /// The answer. A call that waits has none, and one whose process died gets none; nor does a delivery that found
    /// nobody or goes over TCP.
    pub answer: Option<ExchangeAnswer>,
}

/// What a call got.
#[derive(Debug, Clone)]
pub struct ExchangeAnswer {
    /// When.
    pub at: UnixNanos,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most 16 KiB of it.
    pub body: Bytes,
}

/// Who called an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The runtime of the function.
    Runtime,
    /// The extension that registered, or wanted to, under this name.
    Extension(String),
    /// The platform, which delivers telemetry to the subscriber of this name.
    Platform {
        /// The name that the extension registered under.
        to: String,
    },
    /// The call does not say.
    Unknown,
}

impl Exchange {
    /// The status of the answer, if there is one.
    pub fn status(&self) -> Option<u16> {
        Some(self.answer.as_ref()?.status)
    }

    /// A header of the call, if there is one of this name and it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.who, self.method, self.path)?;
        match self.status() {
            Some(status) => write!(f, " {status}"),
            None => f.write_str(" waits"),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime => f.write_str("runtime"),
            Self::Extension(name) => f.write_str(name),
            Self::Platform { to } => write!(f, "platform to {to}"),
            Self::Unknown => f.write_str("someone"),
        }
    }
}

/// The exchanges of a whole sandbox.
#[derive(Debug)]
pub(crate) struct Recording {
    clock: Clock,
    inner: Mutex<Inner>,
    /// Counts the changes.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    exchanges: VecDeque<Exchange>,
    /// How many were forgotten, and so the number of the first that is kept.
    dropped: u64,
    /// Extensions by the identifiers that they were given.
    names: HashMap<String, String>,
}

/// Whose exchanges they are.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    pub(crate) recording: Arc<Recording>,
    pub(crate) function: String,
    pub(crate) environment: String,
    pub(crate) standing: watch::Receiver<Standing>,
}

impl Recording {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            inner: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.inner().exchanges.iter().cloned().collect()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.inner().dropped
    }

    /// Waits until what is recorded is as wanted, and returns it.
    pub(crate) async fn until(&self, wanted: impl Fn(&[Exchange]) -> bool) -> Vec<Exchange> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let exchanges = self.exchanges();
            if wanted(&exchanges) {
                return exchanges;
            }
            // The sender is in `self`, so it is there as long as this waits.
            let _ = changes.changed().await;
        }
    }

    /// The number of the exchange, by which more can be said of it.
    fn begin(&self, exchange: Exchange) -> u64 {
        let mut inner = self.inner();
        if inner.exchanges.len() == EXCHANGES_MAX {
            inner.exchanges.pop_front();
            inner.dropped += 1;
        }
        inner.exchanges.push_back(exchange);
        let number = inner.dropped + inner.exchanges.len() as u64 - 1;
        drop(inner);
        self.changed();
        number
    }

    fn add(&self, number: u64, change: impl FnOnce(&mut Exchange)) {
        let mut inner = self.inner();
        let index = number
            .checked_sub(inner.dropped)
            .and_then(|index| usize::try_from(index).ok());
        // Forgotten in the meantime: then nobody misses the rest of it.
        if let Some(exchange) = index.and_then(|index| inner.exchanges.get_mut(index)) {
            change(exchange);
        }
        drop(inner);
        self.changed();
    }

    fn who(&self, path: &str, headers: &HeaderMap) -> Who {
        let text = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
        if path.contains("/runtime/") {
            return Who::Runtime;
        }
        let registering = text("lambda-extension-name").filter(|_| path.ends_with("/register"));
        let known = || {
            let identifier = text("lambda-extension-identifier")?;
            self.inner().names.get(&identifier).cloned()
        };
        registering
            .or_else(known)
            .map_or(Who::Unknown, Who::Extension)
    }

    fn learn(&self, who: &Who, answer: &HeaderMap) {
        let identifier = answer
            .get("lambda-extension-identifier")
            .and_then(|value| value.to_str().ok());
        if let (Who::Extension(name), Some(identifier)) = (who, identifier) {
            let mut inner = self.inner();
            if inner.names.len() < NAMES_MAX {
                inner.names.insert(identifier.to_owned(), name.clone());
            }
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A delivery that was begun.
#[derive(Debug)]
pub(crate) struct Delivered {
    recording: Arc<Recording>,
    number: u64,
}

impl Recorder {
    /// Writes down a delivery of telemetry.
    pub(crate) fn delivery(
        &self,
        to: &str,
        (method, target): (&str, &str),
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Delivered {
        let number = self.recording.begin(Exchange {
            function: self.function.clone(),
            environment: self.environment.clone(),
            generation: self.standing.borrow().generation,
            who: Who::Platform { to: to.to_owned() },
            at: self.recording.clock.now(),
            method: method.to_owned(),
            path: target.to_owned(),
            headers: headers.clone(),
            body: body.slice(..body.len().min(BODY_BYTES_MAX)),
            answer: None,
        });
        Delivered {
            recording: self.recording.clone(),
            number,
        }
    }

    /// Writes down a call and hands it on, its body while that comes.
    pub(crate) async fn watch(
        self,
        request: Request,
        next: impl AsyncFnOnce(Request) -> Response,
    ) -> Response {
        let recording = self.recording;
        let (parts, body) = request.into_parts();
        let who = recording.who(parts.uri.path(), &parts.headers);
        let number = recording.begin(Exchange {
            function: self.function,
            environment: self.environment,
            generation: self.standing.borrow().generation,
            who: who.clone(),
            at: recording.clock.now(),
            method: parts.method.to_string(),
            path: parts.uri.to_string(),
            headers: parts.headers.clone(),
            body: Bytes::new(),
            answer: None,
        });
        let taker = recording.clone();
        let body = tee(body, move |so_far| {
            taker.add(number, |exchange| exchange.body = so_far);
        });
        let response = next(Request::from_parts(parts, body)).await;
        recording.learn(&who, response.headers());
        let answer = ExchangeAnswer {
            at: recording.clock.now(),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: Bytes::new(),
        };
        recording.add(number, |exchange| exchange.answer = Some(answer));
        response.map(|body| {
            tee(body, move |so_far| {
                recording.add(number, |exchange| {
                    if let Some(answer) = &mut exchange.answer {
                        answer.body = so_far;
                    }
                });
            })
        })
    }
}

impl Delivered {
    /// What the subscriber answers; its body nobody reads.
    pub(crate) fn answered(self, status: u16, headers: &HeaderMap) {
        let answer = ExchangeAnswer {
            at: self.recording.clock.now(),
            status,
            headers: headers.clone(),
            body: Bytes::new(),
        };
        self.recording
            .add(self.number, |exchange| exchange.answer = Some(answer));
    }
}

/// The same body, which tells its beginning while it passes.
fn tee(body: Body, tell: impl Fn(Bytes) + Send + 'static) -> Body {
    let mut so_far = BytesMut::new();
    Body::new(body.map_frame(move |frame| {
        if let Some(data) = frame.data_ref() {
            let room = BODY_BYTES_MAX - so_far.len();
            if room > 0 {
                so_far.extend_from_slice(&data[..data.len().min(room)]);
                tell(so_far.clone().freeze());
            }
        }
        frame
    }))
}

/// The oldest is forgotten for one more, and counted.
const EXCHANGES_MAX: usize = 4096;
/// Of the body of a call, and of that of its answer.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// Later extensions are not known by their names.
const NAMES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder() -> Recorder {
        Recorder {
            recording: Arc::new(Recording::new(Clock::start())),
            function: "f".to_owned(),
            environment: "stream".to_owned(),
            standing: watch::Sender::new(Standing::of_generation(3)).subscribe(),
        }
    }

    fn request(path: &str, headers: &[(&str, &str)], body: &str) -> Request {
        let mut request = Request::builder().method("POST").uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }

    #[tokio::test]
    async fn exchange_is_told_from_its_first_byte_to_its_last() {
        let recorder = recorder();
        let recording = recorder.recording.clone();
        let path = "/2020-01-01/extension/register";
        let request = request(path, &[("lambda-extension-name", "ext")], "{\"events\":[]}");
        let response = recorder
            .clone()
            .watch(request, async |request| {
                assert_eq!(
                    recording.exchanges()[0].to_string(),
                    format!("ext POST {path} waits")
                );
                request.into_body().collect().await.unwrap();
                Response::builder()
                    .header("lambda-extension-identifier", "id")
                    .body(Body::from("x".repeat(2 * BODY_BYTES_MAX)))
                    .unwrap()
            })
            .await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), 2 * BODY_BYTES_MAX);
        let [exchange] = &recording.exchanges()[..] else {
            panic!("one call is one exchange")
        };
        assert_eq!(exchange.body, "{\"events\":[]}");
        assert_eq!((exchange.generation, exchange.status()), (3, Some(200)));
        let answer = exchange.answer.as_ref().unwrap();
        assert_eq!(answer.body.len(), BODY_BYTES_MAX);

        // From now on its identifier says who it is.
        let next = self::request(
            "/2020-01-01/extension/event/next",
            &[("lambda-extension-identifier", "id")],
            "",
        );
        recorder
            .watch(next, async |_| Response::new(Body::empty()))
            .await;
        let exchanges = recording.until(|exchanges| exchanges.len() == 2).await;
        assert_eq!(exchanges[1].who, Who::Extension("ext".to_owned()));
    }

    #[tokio::test]
    async fn oldest_is_forgotten_and_counted() {
        let recorder = recorder();
        let recording = recorder.recording.clone();
        for number in 0..EXCHANGES_MAX + 2 {
            let request = request(&format!("/{number}"), &[], "");
            recorder
                .clone()
                .watch(request, async |_| Response::new(Body::empty()))
                .await;
        }
        assert_eq!(recording.dropped(), 2);
        let exchanges = recording.exchanges();
        assert_eq!(exchanges.len(), EXCHANGES_MAX);
        assert_eq!(exchanges[0].to_string(), "someone POST /2 200");
    }
}
