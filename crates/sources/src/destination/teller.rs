//! Tells destinations and dead-letter queues how asynchronous invocations ended.

use std::collections::BTreeMap;

use serde_json::Value;
use throughline_sandbox::{
    Activity, EventDestinations, EventEnd, EventEnded, Function, Outcome, UnixNanos,
};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::task::JoinSet;
use tracing::warn;

use super::{Account, send};
use crate::aws::Aws;
use crate::clock::now;
use crate::deliver::Stop;
use crate::names::service_of;
use crate::reporter::Reporter;

/// Listens to a sandbox, and tells of the events that end.
pub(crate) struct Teller {
    pub(crate) aws: Aws,
    pub(crate) activity: broadcast::Receiver<Activity>,
    pub(crate) stop: Stop,
    pub(crate) functions: BTreeMap<String, (EventDestinations, Reporter)>,
}

/// The destinations of a function that are not functions themselves: those the sandbox invokes.
pub(crate) fn beyond_functions(function: &Function) -> Option<EventDestinations> {
    let beyond = |arn: &Option<String>| {
        let arn = arn.clone();
        arn.filter(|arn| service_of(arn) != Some("lambda"))
    };
    let all = function.destinations_of();
    let beyond = EventDestinations {
        on_success: beyond(&all.on_success),
        on_failure: beyond(&all.on_failure),
        dead_letter: beyond(&all.dead_letter),
    };
    (beyond != EventDestinations::default()).then_some(beyond)
}

impl Teller {
    pub(crate) async fn run(mut self) {
        let mut telling = JoinSet::new();
        while let Some(ended) = self.next().await {
            let Some((destinations, reporter)) = self.functions.get(&ended.function) else {
                continue;
            };
            for (arn, account) in accounts(&ended, destinations, now()) {
                while telling.len() >= TELLING_MAX {
                    telling.join_next().await;
                }
                let (aws, stop, reporter) = (self.aws.clone(), self.stop.clone(), reporter.clone());
                telling.spawn(async move {
                    match send(&aws, &arn, &account, &stop).await {
                        Ok(()) => reporter.delivered(1),
                        Err(error) => reporter.given_up(1, &format!("cannot tell {arn}: {error}")),
                    }
                });
            }
        }
        while telling.join_next().await.is_some() {}
    }

    /// The next event that ended; `None` when all are told of that ended before the sources shall end.
    async fn next(&mut self) -> Option<EventEnded> {
        loop {
            let received = tokio::select! {
                biased;
                received = self.activity.recv() => received,
                () = self.stop.set() => return None,
            };
            match received {
                Ok(Activity::EventEnded(ended)) => return Some(ended),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => {
                    warn!(missed, "destinations may not hear of events that ended");
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Who is told what.
fn accounts(
    ended: &EventEnded,
    destinations: &EventDestinations,
    at: UnixNanos,
) -> Vec<(String, Account)> {
    let (told, dead_letter, detail_type) = match ended.end {
        EventEnd::Success => (&destinations.on_success, &None, SUCCESS),
        _ => (&destinations.on_failure, &destinations.dead_letter, FAILURE),
    };
    let function_arn = Function::new(&ended.function, "").arn();
    let record = told.as_ref().map(|arn| {
        let account = Account {
            body: ended.record(at).to_string(),
            folder: format!("aws/lambda/async/{}", ended.function),
            at,
            trace_header: Some(ended.trace_header.clone()),
            attributes: Vec::new(),
            detail_type,
            resources: vec![arn.clone(), format!("{function_arn}:$LATEST")],
        };
        (arn.clone(), account)
    });
    let letter = dead_letter.as_ref().map(|arn| {
        let (code, message) = error_of(ended);
        let account = Account {
            body: String::from_utf8_lossy(&ended.payload).into_owned(),
            folder: String::new(),
            at,
            trace_header: Some(ended.trace_header.clone()),
            attributes: vec![
                ("RequestID", "String", ended.request_id.clone()),
                ("ErrorCode", "Number", code.to_string()),
                ("ErrorMessage", "String", message),
            ],
            detail_type,
            resources: Vec::new(),
        };
        (arn.clone(), account)
    });
    record.into_iter().chain(letter).collect()
}

/// The status and the beginning of the message of the last attempt, or of why there was none.
fn error_of(ended: &EventEnded) -> (u16, String) {
    let (code, message) = match (&ended.end, &ended.answer) {
        (EventEnd::NotInvoked(reason), _) => (500, reason.clone()),
        (_, Some(answer)) if answer.outcome == Outcome::FunctionError => {
            let error: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
            let message = error["errorMessage"].as_str().map(str::to_owned);
            (200, message.unwrap_or_else(|| answer.text()))
        }
        _ => (429, "Rate Exceeded.".to_owned()),
    };
    let message: String = message.chars().take(ERROR_CHARS_MAX).collect();
    // An attribute must not be empty.
    let message = Some(message).filter(|message| !message.is_empty());
    (code, message.unwrap_or_else(|| "no message".to_owned()))
}

const SUCCESS: &str = "Lambda Function Invocation Result - Success";
const FAILURE: &str = "Lambda Function Invocation Result - Failure";
/// Lambda cuts at 1 KB; a character may take four bytes.
const ERROR_CHARS_MAX: usize = 256;
/// Accounts that are on their way at once.
const TELLING_MAX: usize = 16;
