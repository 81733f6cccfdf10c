//! Batches: a span for each record, and an answer that names those that failed.

use std::fmt::Display;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use serde::Serialize;
use throughline_telemetry::SpanKind;

use crate::current::{self, Scoped};
use crate::failure::Failure;
use crate::span::Open;

/// The answer to a batch of which records failed, for event source mappings that ask for it
/// (`ReportBatchItemFailures`). Lambda delivers those again, and none of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchFailures {
    /// One for each record to be delivered again.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// A record to be delivered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// The message id of a queue's message, the sequence number of a stream's record.
    pub item_identifier: String,
}

/// Does `work` for each record, one after the other, each in a span of its own that is linked with whoever sent it.
///
/// `id` says what the record's source calls it: the message id of a queue's message, the sequence number of a record of
/// Kinesis or of a table's stream. A record whose work fails or panics is named in the answer, and the others go on. For
/// streams and FIFO queues take [`records_in_order`]. Without the extension it works just the same.
///
/// ```no_run
/// # struct Message { message_id: String }
/// # async fn pay(_: Message) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn example(messages: Vec<Message>) {
/// let answer = throughline_sdk::records(messages, |message| message.message_id.clone(), pay).await;
/// # }
/// ```
pub async fn records<T, F, E>(
    records: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> String,
    mut work: impl FnMut(T) -> F,
) -> BatchFailures
where
    F: Future<Output = Result<(), E>>,
    E: Display + 'static,
{
    let mut failed = BatchFailures::default();
    for record in records {
        let item_identifier = id(&record);
        if !one(&item_identifier, || work(record)).await {
            failed
                .batch_item_failures
                .push(ItemFailure { item_identifier });
        }
    }
    failed
}

/// The same where order counts: after a record that failed nothing is done, and it and those after it are delivered
/// again.
pub async fn records_in_order<T, F, E>(
    records: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> String,
    mut work: impl FnMut(T) -> F,
) -> BatchFailures
where
    F: Future<Output = Result<(), E>>,
    E: Display + 'static,
{
    let mut failed = BatchFailures::default();
    for record in records {
        let item_identifier = id(&record);
        let goes_on = failed.batch_item_failures.is_empty();
        if !goes_on || !one(&item_identifier, || work(record)).await {
            failed
                .batch_item_failures
                .push(ItemFailure { item_identifier });
        }
    }
    failed
}

/// Does the work for one record, and says whether it went well.
async fn one<F, E>(id: &str, work: impl FnOnce() -> F) -> bool
where
    F: Future<Output = Result<(), E>>,
    E: Display + 'static,
{
    let span = begin(id);
    let future = Scoped::new(span.clone(), async { work().await });
    let mut future = pin!(future);
    // A record that makes its work panic must not take the others with it.
    let result = std::future::poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(result)) => Poll::Ready(result.map_err(|error| Failure::of_any(&error))),
            Err(panic) => Poll::Ready(Err(Failure::of_panic(panic.as_ref()))),
        }
    });
    let result = result.await;
    if let Some(span) = span {
        if let Err(failure) = &result {
            span.fail(failure);
        }
        span.end();
    }
    result.is_ok()
}

fn begin(id: &str) -> Option<Open> {
    let current = current::current()?;
    let batch = &current.invocation().batch;
    let name = match batch.source.as_str() {
        "" => "process".to_owned(),
        source => format!("process {source}"),
    };
    let span = current.child(&name, SpanKind::Consumer)?;
    span.set("messaging.message.id", id);
    span.set("messaging.operation.type", "process");
    if !batch.source.is_empty() {
        span.set("messaging.destination.name", batch.source.as_str());
    }
    if let Some(link) = batch.links.get(id) {
        span.link(link.context, link.attributes.clone());
    }
    Some(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;

    async fn take(body: &str) -> Result<(), std::num::ParseIntError> {
        tokio::task::yield_now().await;
        body.parse::<u8>().map(drop)
    }

    fn failed(answer: BatchFailures) -> Vec<String> {
        let items = answer.batch_item_failures.into_iter();
        items.map(|item| item.item_identifier).collect()
    }

    #[tokio::test]
    async fn nothing_is_done_after_the_first_that_failed() {
        let trial = Trial::start(&[]).await;
        let bodies = ["1", "x", "3"];
        let work = records_in_order(bodies, |body| format!("id-{body}"), take);
        assert_eq!(failed(trial.invocation(work).await), ["id-x", "id-3"]);
        let spans = trial.every_span().await;
        let done = spans.iter().filter(|span| span.name == "process");
        let mut ids: Vec<_> = done
            .filter_map(|span| span.attributes.text("messaging.message.id"))
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, ["id-1", "id-x"]);
    }

    #[tokio::test]
    async fn batch_is_worked_on_where_nobody_listens() {
        let bodies = ["1", "x", "3"];
        let answer = records(bodies, |body| format!("id-{body}"), take).await;
        assert_eq!(failed(answer), ["id-x"]);
    }
}
