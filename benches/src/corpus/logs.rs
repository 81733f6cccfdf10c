//! The log records of an invocation: as many as it has spans.

use super::application::{Application, EXCEPTIONS, Function, Line, OF_LOG, Slot};
use super::group::Group;
use super::plan::{Invocation, Plan};
use super::proto;
use super::random::{Random, mix};
use super::spans::{baggage, exception_text, request_id, stack};

/// Encodes them in the order in which they were written.
pub(crate) fn encode(application: &Application, plan: &Plan, number: usize, group: &mut Group) {
    let invocation = &plan.invocations[number];
    let function = &application.functions[usize::from(invocation.function)];
    group.begin(application, invocation);
    let section = &mut group.sections[0];
    section.scope.extend_from_slice(&function.logger_scope);
    let mut random = Random::new(mix(invocation.seed, 10));
    let mut body = Vec::with_capacity(256);
    let steps = &plan.steps[invocation.steps.clone()];
    for place in 0..usize::from(invocation.spans) {
        let last = place > 1 && place + 1 == usize::from(invocation.spans);
        let step = place.checked_sub(1).and_then(|place| steps.get(place));
        body.clear();
        let time = match step {
            _ if last => invocation.end,
            Some(step) => step.begin + random.below(step.end - step.begin + 1),
            None => invocation.start + random.below(400_000),
        };
        section.item(RECORD, |out| {
            let failed = step.map_or(invocation.failed, |step| step.failed);
            let record = Record {
                plan,
                invocation,
                function,
                time,
            };
            if last {
                report(&mut body, invocation, &mut random);
                record.encode(out, 9, &body, invocation.span_id(0));
            } else if failed {
                record.error(out, place, &mut body, &mut random);
            } else {
                let line = &function.lines[function.line.draw(&mut random)];
                fill(&mut body, line, plan, invocation, &mut random);
                record.encode(out, line.severity, &body, invocation.span_id(place));
            }
        });
    }
}

struct Record<'a> {
    plan: &'a Plan,
    invocation: &'a Invocation,
    function: &'a Function,
    time: u64,
}

impl Record<'_> {
    fn encode(&self, out: &mut Vec<u8>, severity: u8, body: &[u8], span_id: u64) {
        proto::fixed64(out, 0x09, self.time);
        out.extend_from_slice(&[0x10, severity]);
        proto::bytes(out, 0x1a, severity_text(severity));
        proto::number(out, 0x2a, proto::bytes_len(body.len()) as u64);
        proto::bytes(out, 0x0a, body);
        out.extend_from_slice(&self.function.logger);
        let mut id = Vec::with_capacity(36);
        request_id(&mut id, self.invocation);
        proto::text(out, OF_LOG, "faas.invocation_id", &id);
        if self.function.baggage {
            baggage(out, OF_LOG, self.plan);
        }
        out.extend_from_slice(&[0x45, 1, 0, 0, 0]); // flags: sampled
        proto::bytes(out, 0x4a, &self.plan.trace_id);
        proto::bytes(out, 0x52, &span_id.to_be_bytes());
        let seen = self.time + 30_000 + mix(self.time, span_id) % 900_000;
        proto::fixed64(out, 0x59, seen);
    }

    /// An exception that was logged.
    fn error(&self, out: &mut Vec<u8>, place: usize, body: &mut Vec<u8>, random: &mut Random) {
        let number = random.skewed(EXCEPTIONS.len() as u64) as usize;
        let mut message = Vec::with_capacity(96);
        let kind = exception_text(&mut message, number, random);
        body.extend_from_slice(b"request failed: ");
        body.extend_from_slice(&message);
        self.encode(out, 17, body, self.invocation.span_id(place));
        proto::text(out, OF_LOG, "exception.type", kind.as_bytes());
        proto::text(out, OF_LOG, "exception.message", &message);
        let mut trace = Vec::with_capacity(1024);
        stack(&mut trace, kind, &message, self.function, number);
        proto::text(out, OF_LOG, "exception.stacktrace", &trace);
    }
}

fn severity_text(severity: u8) -> &'static [u8] {
    match severity {
        0..=8 => b"DEBUG",
        9..=12 => b"INFO",
        13..=16 => b"WARN",
        17..=20 => b"ERROR",
        _ => b"FATAL",
    }
}

/// Lambda's last word on an invocation.
fn report(body: &mut Vec<u8>, invocation: &Invocation, random: &mut Random) {
    let nanos = invocation.end - invocation.start;
    body.extend_from_slice(b"REPORT RequestId: ");
    request_id(body, invocation);
    body.extend_from_slice(b"\tDuration: ");
    proto::decimal(body, nanos / 1_000_000);
    body.push(b'.');
    proto::decimal(body, 10 + nanos / 10_000 % 90);
    body.extend_from_slice(b" ms\tBilled Duration: ");
    proto::decimal(body, nanos.div_ceil(1_000_000));
    body.extend_from_slice(b" ms\tMemory Size: 512 MB\tMax Memory Used: ");
    proto::decimal(body, random.between(70, 480));
    body.extend_from_slice(b" MB");
}

fn fill(
    body: &mut Vec<u8>,
    line: &Line,
    plan: &Plan,
    invocation: &Invocation,
    random: &mut Random,
) {
    for (text, slot) in &line.pieces {
        body.extend_from_slice(text.as_bytes());
        match slot {
            None => {}
            Some(Slot::Request) => request_id(body, invocation),
            Some(Slot::User) => body.extend_from_slice(&plan.user),
            Some(Slot::Order) => body.extend_from_slice(&plan.order),
            Some(Slot::Millis) => proto::decimal(body, 1 + random.skewed(4_000)),
            Some(Slot::Number) => proto::decimal(body, random.below(100_000)),
            Some(Slot::Small) => proto::decimal(body, 1 + random.skewed(12)),
            Some(Slot::Sku) => {
                body.extend_from_slice(b"SKU-");
                proto::decimal(body, 100_000 + random.skewed(50_000));
            }
            Some(Slot::Amount) => {
                proto::decimal(body, random.skewed(900));
                body.push(b'.');
                proto::decimal(body, random.between(10, 99));
            }
            Some(Slot::Ip) => body.extend_from_slice(&plan.ip),
            Some(Slot::Host) => body.extend_from_slice(PEERS[random.below(4) as usize]),
            Some(Slot::Uuid) => proto::uuid(body, random.next(), random.next()),
            Some(Slot::Bool) => {
                let text: &[u8] = if random.per_mille(500) {
                    b"true"
                } else {
                    b"false"
                };
                body.extend_from_slice(text);
            }
        }
    }
}

const PEERS: [&[u8]; 4] = [
    b"api.stripe.com",
    b"api.sendgrid.com",
    b"hooks.slack.com",
    b"api.shippo.com",
];

/// The field of `ScopeLogs` with its records.
const RECORD: u8 = 0x12;
