//! Works one lane off: invokes, waits, gives up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use throughline_sandbox::UnixNanos;
use tokio::sync::mpsc;

use super::coordinator::Shared;
use super::lane::{Batch, GivenUp, Lane, Outcome, Rules, Step, Why};
use super::record::Record;
use super::window::STATE_BYTES_MAX;
use crate::clock::now;
use crate::deliver::{Delivered, deliver};
use crate::destination::{self, Account};
use crate::report::{self, Report};

/// What a lane gets from its shard.
#[derive(Debug)]
pub(super) enum Feed {
    Record(Record),
    /// No records are missing that arrived before this.
    CaughtUp(UnixNanos),
    End,
}

/// One lane of a shard.
pub(super) struct Worker {
    shared: Arc<Shared>,
    shard: String,
    lane: Lane<Record>,
    /// The last invocation, for the account of a batch that is given up.
    last: Option<(String, bool)>,
}

impl Worker {
    pub(super) fn new(shared: &Arc<Shared>, shard: &str) -> Self {
        let source = &shared.source;
        Self {
            lane: Lane::new(Rules {
                batch_size: (source.batch_size as usize).max(1),
                batch_bytes: match source.tumbling_window {
                    Some(_) => PAYLOAD_BYTES_MAX - STATE_BYTES_MAX,
                    None => PAYLOAD_BYTES_MAX,
                },
                window: source.window,
                retries_max: source.retries_max,
                record_age_max: source.record_age_max,
                bisect: source.bisect,
                tumbling_window: source.tumbling_window,
            }),
            shared: shared.clone(),
            shard: shard.to_owned(),
            last: None,
        }
    }

    /// Ends when all records are done with, or the sources are to end.
    pub(super) async fn run(mut self, mut feed: mpsc::Receiver<Feed>) {
        let stop = self.shared.stop.clone();
        while !stop.is_set() {
            while self.lane.has_room()
                && let Ok(fed) = feed.try_recv()
            {
                self.take(fed);
            }
            let (payload, ids) = match self.lane.next(now()) {
                Step::Done => return,
                Step::GiveUp(given_up) => {
                    self.give_up(given_up).await;
                    continue;
                }
                Step::Invoke(batch) => {
                    let ids = batch.items.iter().map(|record| record.sequence.clone());
                    (
                        event(&batch, &self.shard, self.shared.stream.arn()),
                        ids.collect(),
                    )
                }
                Step::Wait(until) => {
                    let has_room = self.lane.has_room();
                    tokio::select! {
                        biased;
                        () = stop.set() => return,
                        fed = feed.recv(), if has_room => match fed {
                            Some(fed) => self.take(fed),
                            // The shard is no longer read, because the sources end.
                            None => return,
                        },
                        () = sleep_until(until) => {}
                    }
                    continue;
                }
            };
            if self.invoke(payload, ids).await.is_none() {
                return;
            }
        }
    }

    fn take(&mut self, fed: Feed) {
        match fed {
            Feed::Record(record) => self.lane.push(record, now()),
            Feed::CaughtUp(to) => self.lane.caught_up(to),
            Feed::End => self.lane.end(),
        }
    }

    /// `None` when the sources are to end.
    async fn invoke(&mut self, payload: Bytes, ids: Vec<String>) -> Option<()> {
        let Shared {
            invoker,
            reporter,
            stop,
            source,
            ..
        } = &*self.shared;
        let outcome = match deliver(invoker, reporter, payload, THROTTLED_MAX, stop).await {
            Delivered::Stopped => return None,
            Delivered::Throttled => Outcome::NotMade,
            Delivered::Failed(why, request_id) => {
                reporter.failed(ids.len(), &why);
                self.last = Some((request_id.unwrap_or_default(), true));
                Outcome::Failed
            }
            Delivered::Returned(answer, request_id) => {
                self.last = Some((request_id, false));
                let ids: Vec<_> = ids.iter().map(String::as_str).collect();
                let reports = source.report_item_failures;
                let (outcome, failed) = outcome_of(&answer, &ids, reports);
                if let Some(why) = failed {
                    reporter.failed(ids.len() - done(&outcome, ids.len()), &why);
                }
                if done(&outcome, ids.len()) > 0 {
                    reporter.delivered(done(&outcome, ids.len()));
                }
                outcome
            }
        };
        self.lane.ended(outcome, now());
        Some(())
    }

    /// Tells the destination, if there is one, which records were given up.
    async fn give_up(&self, given_up: GivenUp<Record>) {
        let (Some(first), Some(last)) = (given_up.items.first(), given_up.items.last()) else {
            return;
        };
        let condition = match given_up.why {
            Why::RetriesExhausted => "RetryAttemptsExhausted",
            Why::TooOld => "RecordAgeExceeded",
        };
        self.shared
            .reporter
            .given_up(given_up.items.len(), condition);
        let Some(arn) = &self.shared.source.on_failure else {
            return;
        };
        let at = now();
        let (request_id, is_error) = self.last.clone().unwrap_or_default();
        let mut account = json!({
            "requestContext": {
                "requestId": request_id,
                "functionArn": self.shared.function_arn,
                "condition": condition,
                "approximateInvokeCount": given_up.invocations,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": is_error.then_some("Unhandled"),
            },
            "version": "1.0",
            "timestamp": at.to_string(),
        });
        account[self.shared.stream.batch_info()] = json!({
            "shardId": self.shard,
            "startSequenceNumber": first.sequence,
            "endSequenceNumber": last.sequence,
            "approximateArrivalOfFirstRecord": first.arrived.to_string(),
            "approximateArrivalOfLastRecord": last.arrived.to_string(),
            "batchSize": given_up.items.len(),
            "streamArn": self.shared.stream.arn(),
        });
        let name = &self.shared.reporter.function;
        let account = Account {
            body: account.to_string(),
            folder: format!("aws/lambda/{name}/{}", self.shard),
            at,
            trace_header: None,
            attributes: Vec::new(),
            detail_type: "",
            resources: Vec::new(),
        };
        let sent = destination::send(&self.shared.aws, arn, &account, &self.shared.stop).await;
        if let Err(error) = sent {
            self.shared
                .reporter
                .given_up(0, &format!("cannot tell {arn}: {error}"));
        }
    }
}

/// The event of an invocation.
fn event(batch: &Batch<'_, Record>, shard: &str, arn: &str) -> Bytes {
    let records: Vec<_> = batch.items.iter().map(|record| &record.event).collect();
    let mut event = json!({ "Records": records });
    if let Some(span) = batch.span {
        event["window"] = json!({ "start": span.start.to_string(), "end": span.end.to_string() });
        event["state"] = batch.state.clone();
        event["shardId"] = json!(shard);
        event["eventSourceARN"] = json!(arn);
        event["isFinalInvokeForWindow"] = json!(span.is_final);
        event["isWindowTerminatedEarly"] = json!(span.is_early);
    }
    event.to_string().into()
}

/// What a returned answer comes to, and why it is a failure if it is one.
fn outcome_of(answer: &[u8], ids: &[&str], reports_failures: bool) -> (Outcome, Option<String>) {
    let state = serde_json::from_slice::<Value>(answer).ok();
    let state = state.and_then(|mut answer| answer.get_mut("state").map(Value::take));
    let report = match reports_failures {
        true => report::read(answer, ids),
        false => Report::Success,
    };
    match report {
        Report::Success => (Outcome::Done(state), None),
        Report::Failure(why) => (Outcome::Failed, Some(why)),
        Report::Some(failed) => {
            let first = failed.first().copied().unwrap_or(0);
            let why = "the function reports a record as failed".to_owned();
            (Outcome::FailedFrom(first, state), Some(why))
        }
    }
}

/// How many records are done with.
fn done(outcome: &Outcome, records: usize) -> usize {
    match outcome {
        Outcome::Done(_) => records,
        Outcome::FailedFrom(first, _) => *first,
        Outcome::Failed | Outcome::NotMade => 0,
    }
}

async fn sleep_until(until: Option<UnixNanos>) {
    match until {
        Some(until) => tokio::time::sleep(until.since(now())).await,
        None => std::future::pending().await,
    }
}

/// A throttled batch looks up this often whether its records have grown too old.
const THROTTLED_MAX: Duration = Duration::from_secs(60);
/// What an invocation takes, with room for the frame around the records.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024 - 64 * 1024;
