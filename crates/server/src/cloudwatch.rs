//! `POST /api/v1/cloudwatch`: telemetry that senders wrote to standard output because no server
//! could be reached, read back from CloudWatch Logs, and CloudWatch's own metrics.
//!
//! [`delivery`] takes a body apart into log lines and requests with metrics, [`envelope`] finds the
//! envelopes in a line, and each envelope goes through [`Intake::take`] like any other OTLP request,
//! with the numbers that its headers say: what had come in the meantime is not stored again. Those
//! of other writers and metrics have no numbers, and are told by what is in them ([`echoes`]). A line
//! that cannot be read costs no other line; a server that cannot store now turns the whole delivery
//! away, to be sent again.

mod answer;
mod delivery;
mod echoes;
mod envelope;

use std::collections::HashSet;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use throughline_store::{Origin, Stored};
use throughline_telemetry::UnixNanos;
use tokio::task::JoinSet;

use crate::codes;
use crate::ingest::{Charge, Encoding, Inflater, Intake, Refusal, Taken, read_body};
use answer::{Caller, Problem, Tally};
use delivery::{BadDelivery, Delivery};
use echoes::{Echoes, Print};
use envelope::Envelope;

/// What reads deliveries.
#[derive(Clone)]
pub(crate) struct Reader {
    intake: Intake,
    echoes: Echoes,
}

impl Reader {
    /// One that has read nothing yet.
    pub(crate) fn new(intake: Intake) -> Self {
        let echoes = Echoes::default();
        Reader { intake, echoes }
    }
}

/// The path, which also takes the key from Firehose's own header.
pub(crate) const PATH: &str = "/api/v1/cloudwatch";

/// Where Firehose puts the key.
pub(crate) const FIREHOSE_KEY: http::HeaderName =
    http::HeaderName::from_static("x-amz-firehose-access-key");

/// Takes a delivery.
pub(crate) async fn take(State(reader): State<Reader>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut caller = Caller::of(&parts.headers, now());
    match take_body(&reader, &parts.headers, body, &mut caller).await {
        Ok(tally) => {
            tally.log();
            caller.answer(&tally)
        }
        Err(refusal) => {
            reader.intake.refusals().count(&refusal);
            caller.refuse(&refusal)
        }
    }
}

async fn take_body(
    reader: &Reader,
    headers: &HeaderMap,
    body: Body,
    caller: &mut Caller,
) -> Result<Tally, Refusal> {
    let intake = &reader.intake;
    let encoding = headers
        .get(CONTENT_ENCODING)
        .map_or(&b""[..], |value| value.as_bytes());
    let encoding = String::from_utf8_lossy(encoding).into_owned();
    let Some(encoding) = Encoding::from_header(&encoding) else {
        return Err(Refusal::UnknownEncoding(encoding));
    };
    let mut charge = intake.budget().open();
    let body = read_body(body, encoding, intake.limits(), &mut charge).await?;
    let delivery = unpack(intake, body, &mut charge).await?;
    caller.name(delivery.request_id.as_deref());
    take_all(reader, delivery).await
}

/// Takes a body apart, aside, because inflating one takes a while.
async fn unpack(intake: &Intake, body: Bytes, charge: &mut Charge) -> Result<Delivery, Refusal> {
    let bytes_max = intake.limits().body_bytes_max;
    let unpacked = tokio::task::spawn_blocking(move || Delivery::read(&body, bytes_max)).await;
    let delivery = unpacked.map_err(|error| {
        tracing::error!(%error, "cannot unpack a delivery");
        Refusal::NotStored { retry_after: None }
    })?;
    let delivery = delivery.map_err(|bad| match bad {
        BadDelivery::TooLarge => Refusal::TooLarge { bytes_max },
        BadDelivery::Unreadable(what) => Refusal::BadDelivery(what),
    })?;
    charge.grow(delivery.bytes())?;
    Ok(delivery)
}

/// Stores what is in a delivery.
async fn take_all(reader: &Reader, mut delivery: Delivery) -> Result<Tally, Refusal> {
    let mut taking = Taking::new(reader);
    let metrics = std::mem::take(&mut delivery.metrics);
    taking.tally.metrics(&metrics);
    for (number, line) in delivery.lines() {
        taking.tally.lines += 1;
        for envelope in envelope::find(line) {
            match envelope {
                Ok(envelope) => {
                    taking.tally.envelopes += 1;
                    taking.offer(number, envelope).await?;
                }
                Err(bad) => taking.tally.fail(number, codes::BAD_ENVELOPE, &bad),
            }
        }
    }
    for (number, body) in metrics.requests {
        taking.offer(number, Envelope::of_metrics(body)).await?;
    }
    taking.finish().await
}

/// Stores envelopes, some at once: each waits for the disk.
struct Taking<'a> {
    reader: &'a Reader,
    tally: Tally,
    /// Of this delivery.
    prints: HashSet<Print>,
    tasks: JoinSet<Outcome>,
}

impl<'a> Taking<'a> {
    fn new(reader: &'a Reader) -> Self {
        Taking {
            reader,
            tally: Tally::default(),
            prints: HashSet::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Begins to store an envelope, unless it is known.
    async fn offer(&mut self, number: u64, envelope: Envelope) -> Result<(), Refusal> {
        let Reader { intake, echoes } = self.reader;
        let origin = intake.origin(&envelope.headers);
        let print = origin.is_none().then(|| echoes.print(&envelope));
        if print.is_some_and(|print| echoes.knows(print) || !self.prints.insert(print)) {
            self.tally.duplicates += 1;
            return Ok(());
        }
        if self.tasks.len() >= ENVELOPES_AT_ONCE {
            settle(self.tasks.join_next().await, &mut self.tally)?;
        }
        let reader = self.reader.clone();
        self.tasks
            .spawn(take_envelope(reader, number, envelope, origin, print));
        Ok(())
    }

    /// Waits for all that is begun.
    async fn finish(mut self) -> Result<Tally, Refusal> {
        while let Some(taken) = self.tasks.join_next().await {
            settle(Some(taken), &mut self.tally)?;
        }
        Ok(self.tally)
    }
}

/// What became of an envelope, with the number of its line.
type Outcome = (u64, Result<Taken, Refusal>);

async fn take_envelope(
    reader: Reader,
    line: u64,
    envelope: Envelope,
    origin: Option<Origin>,
    print: Option<Print>,
) -> Outcome {
    let stored = store(&reader.intake, envelope, origin).await;
    if let (Ok(_), Some(print)) = (&stored, print) {
        reader.echoes.remember(print);
    }
    (line, stored)
}

async fn store(
    intake: &Intake,
    envelope: Envelope,
    origin: Option<Origin>,
) -> Result<Taken, Refusal> {
    let mut charge = intake.budget().open();
    let mut inflater = Inflater::new(envelope.encoding, intake.limits().body_bytes_max)?;
    for piece in envelope.payload.chunks(PIECE_BYTES) {
        let before = inflater.len();
        let pushed = inflater.push(piece);
        charge.grow(inflater.len() - before)?;
        pushed?;
    }
    let body: Bytes = inflater.finish()?.into();
    intake
        .take(envelope.signal, envelope.format, body, origin)
        .await
}

/// Counts one envelope. What may go well later ends the delivery, which is then sent again.
fn settle(
    joined: Option<Result<Outcome, tokio::task::JoinError>>,
    tally: &mut Tally,
) -> Result<(), Refusal> {
    let (line, outcome) = match joined {
        None => return Ok(()),
        Some(Ok(outcome)) => outcome,
        Some(Err(error)) => {
            tracing::error!(%error, "cannot take an envelope");
            return Err(Refusal::NotStored { retry_after: None });
        }
    };
    match outcome {
        Ok(taken) if taken.stored == Stored::Already => tally.duplicates += 1,
        Ok(taken) => {
            tally.stored += 1;
            tally.items += taken.items as u64;
        }
        Err(refusal) if refusal.is_temporary() => return Err(refusal),
        Err(refusal) => {
            let code = refusal.answer().code;
            tally.problem(Problem::new(line, code, refusal.message()));
        }
    }
    Ok(())
}

#[allow(clippy::disallowed_methods)] // an edge: Firehose wants to be told when it was answered
fn now() -> UnixNanos {
    SystemTime::now().into()
}

/// A payload is inflated in pieces, so that what it becomes is charged as it grows.
const PIECE_BYTES: usize = 16 << 10;

/// Each waits for an fsync that it shares with the others.
const ENVELOPES_AT_ONCE: usize = 16;
