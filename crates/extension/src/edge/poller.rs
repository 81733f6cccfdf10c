//! The one who waits in `/next`. It lives on its own, so that whatever happens elsewhere the way to
//! the next event stays open.

use std::time::Duration;

use throughline_extension::join::ShutdownReason;
use tokio::sync::mpsc;

use super::api::{Api, ApiError, NextEvent};
use super::environment::{now, say};
use super::fault;
use super::register::Registration;

/// Asks for events, one at a time.
#[derive(Debug)]
pub(super) struct Poller {
    api: Api,
    who: Registration,
    questions: mpsc::Sender<()>,
    answers: mpsc::Receiver<NextEvent>,
    waiting: bool,
    over: bool,
    faults: u32,
}

impl Poller {
    pub(super) fn start(api: Api, who: Registration) -> Self {
        let (questions, answers) = start(&api, &who);
        Poller {
            api,
            who,
            questions,
            answers,
            waiting: false,
            over: false,
            faults: 0,
        }
    }

    /// Asks for the next event, unless that was asked already.
    pub(super) fn ask(&mut self) {
        if !self.waiting {
            // The channel holds one question and there is none in it.
            self.waiting = self.questions.try_send(()).is_ok();
        }
    }

    /// Whether the next event was asked for and has not come.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// The answer. May be dropped and called again.
    pub(super) async fn answer(&mut self) -> NextEvent {
        let answer = loop {
            match self.answers.recv().await {
                Some(answer) => break answer,
                // A fault of ours; another one asks again.
                None if self.faults < FAULTS_MAX => self.start_again(),
                None => break gone(),
            }
        };
        self.waiting = false;
        self.over |= matches!(answer, NextEvent::ShutDown { .. });
        answer
    }

    fn start_again(&mut self) {
        self.faults += 1;
        (self.questions, self.answers) = start(&self.api, &self.who);
        if std::mem::take(&mut self.waiting) {
            self.ask();
        }
    }

    /// Only what keeps the function running, until SHUTDOWN: the last resort when all else failed.
    pub(super) async fn idle(&mut self) {
        while !self.over {
            self.ask();
            self.answer().await;
        }
    }
}

fn start(api: &Api, who: &Registration) -> (mpsc::Sender<()>, mpsc::Receiver<NextEvent>) {
    let (questions, asked) = mpsc::channel(1);
    let (answer, answers) = mpsc::channel(1);
    tokio::spawn(poll(api.clone(), who.clone(), asked, answer));
    (questions, answers)
}

async fn poll(
    api: Api,
    who: Registration,
    mut asked: mpsc::Receiver<()>,
    answer: mpsc::Sender<NextEvent>,
) {
    while asked.recv().await.is_some() {
        let mut failures = 0;
        let event = loop {
            fault::here("poller");
            match api.next(&who).await {
                Ok(NextEvent::Unknown(kind)) => {
                    say(&format!("an event of unknown type {kind:?} is skipped"))
                }
                Ok(event) => break event,
                Err(error) => {
                    failures += 1;
                    if failures == FAILURES_MAX {
                        say(&format!("{error}; giving up after {failures} attempts"));
                        break gone();
                    }
                    tokio::time::sleep(pause(failures, &error)).await;
                }
            }
        };
        if let NextEvent::ShutDown { .. } = event {
            // What the function exported just before a freeze lies in the sockets and is read meanwhile. Behind
            // the last ledger nothing would be taken any more.
            tokio::time::sleep(READ_FIRST).await;
        }
        if answer.send(event).await.is_err() {
            return;
        }
    }
}

/// A broken connection is tried again at once; one that is refused rarely comes back.
fn pause(failures: u32, error: &ApiError) -> Duration {
    match error {
        ApiError::Unreachable { .. } if failures == 1 => Duration::ZERO,
        _ => PAUSE_MIN * 2_u32.pow(failures.min(DOUBLINGS_MAX)),
    }
}

/// Nobody is there who could say SHUTDOWN any more: whoever ran us has ended.
fn gone() -> NextEvent {
    NextEvent::ShutDown {
        reason: ShutdownReason::Failure,
        deadline: now().plus(LAST_WORDS),
    }
}

/// How long the end of the environment waits for what is on its way: a hundredth of what it may take.
const READ_FIRST: Duration = Duration::from_millis(20);
const FAILURES_MAX: u32 = 10;
/// The same fault would come back.
const FAULTS_MAX: u32 = 3;
const PAUSE_MIN: Duration = Duration::from_millis(5);
const DOUBLINGS_MAX: u32 = 6;
/// As long as Lambda gives.
const LAST_WORDS: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Request, Response, StatusCode};
    use http_body_util::Full;
    use hyper::body::Incoming;
    use serde_json::json;

    use super::super::listen;
    use super::*;

    /// A platform that gives these answers to `/next`, one after the other.
    async fn poller(answers: &'static [(u16, &'static str)]) -> (Poller, Arc<AtomicUsize>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let (speaks, counters) = (listen::Speaks::Http1, Arc::default());
        tokio::spawn(listen::serve(
            listener,
            speaks,
            counters,
            move |request: Request<Incoming>| {
                let counter = Arc::clone(&counter);
                async move {
                    assert_eq!(request.headers()["lambda-extension-identifier"], "an-id");
                    let (status, kind) = answers[counter.fetch_add(1, Ordering::SeqCst)];
                    let body = json!({"eventType": kind, "requestId": "r"}).to_string();
                    let mut response = Response::new(Full::from(body));
                    *response.status_mut() = StatusCode::from_u16(status).unwrap();
                    response
                }
            },
        ));
        let api = Api::new(&address);
        let who = Registration {
            identifier: "an-id".into(),
            function_name: String::new(),
            function_version: String::new(),
        };
        (Poller::start(api, who), asked)
    }

    #[tokio::test]
    async fn idle_serves_every_invocation_until_shutdown() {
        let (mut poller, asked) =
            poller(&[(200, "INVOKE"), (200, "INVOKE"), (200, "SHUTDOWN")]).await;
        poller.idle().await;
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        poller.idle().await;
        assert_eq!(asked.load(Ordering::SeqCst), 3, "over is over");
    }

    #[tokio::test]
    async fn asking_twice_asks_once() {
        let (mut poller, asked) = poller(&[(200, "INVOKE"), (200, "SHUTDOWN")]).await;
        poller.ask();
        poller.ask();
        assert!(matches!(poller.answer().await, NextEvent::Invoke(_)));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn errors_and_unknown_events_are_survived() {
        let answers = &[
            (500, "INVOKE"),
            (403, "INVOKE"),
            (200, "NAP"),
            (200, "INVOKE"),
        ];
        let (mut poller, asked) = poller(answers).await;
        poller.ask();
        assert!(matches!(poller.answer().await, NextEvent::Invoke(_)));
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn a_platform_that_is_gone_is_the_end() {
        let (mut poller, _) = poller(&[(500, ""); 10]).await;
        poller.ask();
        assert!(matches!(poller.answer().await, NextEvent::ShutDown { .. }));
    }
}
