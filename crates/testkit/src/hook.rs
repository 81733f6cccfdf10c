//! A server on loopback that keeps every request as it came, and answers what it is told to.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Hooked {
    /// `POST /path`.
    pub line: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Hooked {
    /// A header as text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

/// The server.
pub struct Hook {
    address: SocketAddr,
    requests: watch::Receiver<Vec<Hooked>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    serving: JoinHandle<()>,
}

impl Hook {
    /// Starts one on a free port. It answers 200 `ok` unless told otherwise.
    ///
    /// # Panics
    /// No port can be bound.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port of loopback can be bound");
        let address = listener.local_addr().expect("it is bound");
        let (kept, requests) = watch::channel(Vec::new());
        let answers = Arc::<Mutex<VecDeque<(u16, String)>>>::default();
        let of_serving = Arc::clone(&answers);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, answers) = (kept.clone(), Arc::clone(&of_serving));
                let answer = hyper::service::service_fn(move |request| {
                    answer(request, kept.clone(), Arc::clone(&answers))
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), answer);
                tokio::spawn(connection);
            }
        });
        Hook {
            address,
            requests,
            answers,
            serving,
        }
    }

    /// Its address with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What the next request is answered that has no answer yet.
    pub fn answer_next(&self, status: u16, body: &str) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push_back((status, body.to_owned()));
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Hooked> {
        self.requests.borrow().clone()
    }

    /// Waits for so many requests.
    ///
    /// # Panics
    /// They do not come within half a minute.
    pub async fn wait_for(&self, count: usize) -> Vec<Hooked> {
        let mut requests = self.requests.clone();
        let waiting = requests.wait_for(|requests| requests.len() >= count);
        let come = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        match come {
            Ok(Ok(requests)) => requests.clone(),
            _ => panic!("{count} requests do not come: {:#?}", self.requests()),
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    kept: watch::Sender<Vec<Hooked>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
) -> hyper::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let hooked = Hooked {
        line: format!("{} {}", head.method, head.uri),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let next = answers
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front();
    let (status, text) = next.unwrap_or_else(|| (200, "ok".to_owned()));
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    kept.send_modify(|requests| requests.push(hooked));
    Ok(response)
}
