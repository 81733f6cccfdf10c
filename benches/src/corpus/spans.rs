//! The spans of an invocation.

use super::application::{AGENTS, Application, EXCEPTIONS, Function, Kind, OF_SPAN, Step, Trigger};
use super::group::Group;
use super::plan::{Invocation, Plan, Taken, What};
use super::proto;
use super::random::{Random, mix};

/// Encodes them: first the steps, as they end, then its own.
pub(crate) fn encode(application: &Application, plan: &Plan, number: usize, group: &mut Group) {
    let invocation = &plan.invocations[number];
    let function = &application.functions[usize::from(invocation.function)];
    group.begin(application, invocation);
    for (section, scope) in group.sections.iter_mut().zip(&function.scopes) {
        section.scope.extend_from_slice(scope);
    }
    let mut random = Random::new(mix(invocation.seed, 7));
    for (place, taken) in plan.steps[invocation.steps.clone()].iter().enumerate() {
        let step = match taken.what {
            What::Step(step) => &function.steps[usize::from(step)],
            What::Invoke(_) => &function.invoke,
            What::Publish(_) => &function.publish,
            What::Init => &function.init,
        };
        group.sections[step.scope].item(SPAN, |out| {
            let head = Head {
                id: invocation.span_id(place + 1),
                parent: invocation.span_id(usize::from(taken.inside)),
                name: &step.name,
                kind: kind(step.kind),
                start: taken.begin,
                end: taken.end,
            };
            head.encode(out, &plan.trace_id);
            out.extend_from_slice(&step.constant);
            if step.scope == 2 || function.baggage {
                baggage(out, OF_SPAN, plan);
            }
            changing(
                out,
                application,
                plan,
                invocation,
                (taken, step),
                &mut random,
            );
            if taken.failed {
                exception(out, taken.end - 1, function, &mut random);
            }
        });
    }
    group.sections[0].item(SPAN, |out| {
        own(out, function, plan, invocation, &mut random)
    });
}

/// What all spans begin with.
struct Head<'a> {
    id: u64,
    parent: u64,
    name: &'a str,
    kind: u8,
    start: u64,
    end: u64,
}

impl Head<'_> {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>, trace_id: &[u8; 16]) {
        proto::bytes(out, 0x0a, trace_id);
        proto::bytes(out, 0x12, &self.id.to_be_bytes());
        if self.parent != 0 {
            proto::bytes(out, 0x22, &self.parent.to_be_bytes());
        }
        proto::bytes(out, 0x2a, self.name.as_bytes());
        out.extend_from_slice(&[0x30, self.kind]);
        proto::fixed64(out, 0x39, self.start);
        proto::fixed64(out, 0x41, self.end);
        out.extend_from_slice(&[0x85, 0x01, 0x01, 0x01, 0, 0]); // flags: sampled, parent not remote
    }
}

fn kind(kind: Kind) -> u8 {
    match kind {
        Kind::Internal | Kind::Init => 1,
        Kind::Publish => 4,
        _ => 3,
    }
}

/// The span of the invocation itself.
fn own(
    out: &mut Vec<u8>,
    function: &Function,
    plan: &Plan,
    invocation: &Invocation,
    random: &mut Random,
) {
    let route = &function.routes[usize::from(invocation.route)];
    let head = Head {
        id: invocation.span_id(0),
        parent: invocation.parent,
        name: &route.name,
        kind: match function.trigger {
            Trigger::Http => 2,
            Trigger::Timer => 1,
            _ => 5,
        },
        start: invocation.start,
        end: invocation.end,
    };
    head.encode(out, &plan.trace_id);
    out.extend_from_slice(&route.constant);
    let mut text = Vec::with_capacity(96);
    request_id(&mut text, invocation);
    proto::text(out, OF_SPAN, "faas.invocation_id", &text);
    proto::flag(out, OF_SPAN, "faas.coldstart", invocation.cold);
    let billed = (invocation.end - invocation.start).div_ceil(1_000_000);
    proto::int(out, OF_SPAN, "aws.lambda.billed_duration_ms", billed);
    baggage(out, OF_SPAN, plan);
    match &route.path {
        Some((before, after)) => {
            text.clear();
            text.extend_from_slice(before.as_bytes());
            if !after.is_empty() || before.ends_with('/') {
                text.extend_from_slice(&plan.order);
                text.extend_from_slice(after.as_bytes());
            }
            proto::text(out, OF_SPAN, "url.path", &text);
            proto::text(out, OF_SPAN, "client.address", &plan.ip);
            let agent = AGENTS[usize::from(plan.agent)];
            proto::text(out, OF_SPAN, "user_agent.original", agent.as_bytes());
            let status = if invocation.failed {
                502
            } else {
                status(random)
            };
            proto::int(out, OF_SPAN, "http.response.status_code", status);
            proto::int(
                out,
                OF_SPAN,
                "http.response.body.size",
                40 + random.skewed(60_000),
            );
        }
        None => {
            text.clear();
            proto::uuid(&mut text, invocation.seed, invocation.parent);
            proto::text(out, OF_SPAN, "messaging.message.id", &text);
            let batch = 1 + random.skewed(10);
            proto::int(out, OF_SPAN, "messaging.batch.message_count", batch);
            proto::text(out, OF_SPAN, "app.order.id", &plan.order);
            if invocation.parent != 0 && !invocation.awaited {
                link(out, &plan.trace_id, invocation.parent);
            }
        }
    }
    if invocation.failed {
        proto::text(out, OF_SPAN, "error.type", b"Function.Unhandled");
        exception(out, invocation.end - 1, function, random);
    }
}

/// The id that Lambda gave the invocation.
pub(crate) fn request_id(out: &mut Vec<u8>, invocation: &Invocation) {
    proto::uuid(out, mix(invocation.seed, 8), mix(invocation.seed, 9));
}

/// Whose request it is. So are all spans and records of a trace.
pub(crate) fn baggage(out: &mut Vec<u8>, tag: u8, plan: &Plan) {
    proto::text(out, tag, "user.id", &plan.user);
    proto::text(out, tag, "app.tenant", &plan.tenant);
    proto::text(out, tag, "session.id", &plan.session);
}

fn status(random: &mut Random) -> u64 {
    match random.below(100) {
        0..82 => 200,
        82..91 => 201,
        91..94 => 304,
        94..97 => 404,
        97..99 => 400,
        _ => 429,
    }
}

/// What differs from span to span of the same step.
fn changing(
    out: &mut Vec<u8>,
    application: &Application,
    plan: &Plan,
    invocation: &Invocation,
    (taken, step): (&Taken, &Step),
    random: &mut Random,
) {
    let function = &application.functions[usize::from(invocation.function)];
    let mut text = Vec::with_capacity(160);
    if function.request_ids {
        aws_request_id(&mut text, step.kind, random);
        if !text.is_empty() {
            proto::text(out, OF_SPAN, "aws.request_id", &text);
            text.clear();
        }
    }
    match step.kind {
        Kind::DynamoDb => {
            let status = if taken.failed { 400 } else { 200 };
            proto::int(out, OF_SPAN, "http.response.status_code", status);
            let capacity = 0.5 * (1 + random.skewed(20)) as f64;
            proto::double(out, OF_SPAN, "aws.dynamodb.consumed_capacity", capacity);
        }
        Kind::S3 => {
            text.extend_from_slice(step.prefix.as_bytes());
            text.extend_from_slice(&plan.order);
            text.extend_from_slice(b".json");
            proto::text(out, OF_SPAN, "aws.s3.key", &text);
            proto::int(out, OF_SPAN, "http.response.status_code", 200);
            proto::int(
                out,
                OF_SPAN,
                "http.response.body.size",
                random.below(2_000_000),
            );
        }
        Kind::Postgres => {
            proto::int(
                out,
                OF_SPAN,
                "db.response.returned_rows",
                random.skewed(500),
            );
            proto::flag(out, OF_SPAN, "db.prepared", random.per_mille(900));
        }
        Kind::Redis => {
            text.extend_from_slice(step.prefix.as_bytes());
            proto::decimal(&mut text, random.skewed(100_000));
            proto::text(out, OF_SPAN, "db.query.text", &text);
            proto::flag(out, OF_SPAN, "app.cache.hit", random.per_mille(860));
        }
        Kind::Http => {
            text.extend_from_slice(step.prefix.as_bytes());
            if step.prefix.ends_with('/') {
                text.extend_from_slice(&plan.order);
            }
            proto::text(out, OF_SPAN, "url.full", &text);
            let status = if taken.failed { 503 } else { 200 };
            proto::int(out, OF_SPAN, "http.response.status_code", status);
            proto::int(out, OF_SPAN, "http.request.resend_count", random.skewed(3));
            proto::int(
                out,
                OF_SPAN,
                "http.response.body.size",
                200 + random.skewed(9_000),
            );
        }
        Kind::Internal => {
            proto::text(out, OF_SPAN, "app.order.id", &plan.order);
            proto::int(out, OF_SPAN, "app.order.items", 1 + random.skewed(40));
            let total = random.skewed(100_000) as f64 / 100.0;
            proto::double(out, OF_SPAN, "app.order.total", total);
        }
        Kind::Invoke | Kind::Publish => {
            proto::int(out, OF_SPAN, "http.response.status_code", 200);
            sent(out, application, plan, taken, random);
        }
        Kind::Init => {
            let millis = (taken.end - taken.begin) as f64 / 1e6;
            proto::double(out, OF_SPAN, "faas.init_duration", millis);
            proto::flag(out, OF_SPAN, "faas.coldstart", true);
        }
    }
}

/// In the form that each service gives it; nothing for what is no call of AWS.
fn aws_request_id(out: &mut Vec<u8>, kind: Kind, random: &mut Random) {
    match kind {
        Kind::DynamoDb => proto::capitals(out, 52, random.next()),
        Kind::S3 => proto::capitals(out, 16, random.next()),
        Kind::Invoke | Kind::Publish => proto::uuid(out, random.next(), random.next()),
        Kind::Postgres | Kind::Redis | Kind::Http | Kind::Internal | Kind::Init => {}
    }
}

/// What a call and a message say of whom they are for.
fn sent(
    out: &mut Vec<u8>,
    application: &Application,
    plan: &Plan,
    taken: &Taken,
    random: &mut Random,
) {
    match taken.what {
        What::Invoke(callee) => {
            let callee = usize::from(plan.invocations[callee as usize].function);
            let name = application.functions[callee].name.as_bytes();
            proto::text(out, OF_SPAN, "faas.invoked_name", name);
        }
        What::Publish(callee) => {
            let callee = &plan.invocations[callee as usize];
            let mut id = Vec::with_capacity(36);
            proto::uuid(&mut id, callee.seed, callee.parent);
            proto::text(out, OF_SPAN, "messaging.message.id", &id);
            let size = 300 + random.skewed(12_000);
            proto::int(out, OF_SPAN, "messaging.message.body.size", size);
        }
        What::Step(_) | What::Init => {}
    }
}

fn link(out: &mut Vec<u8>, trace_id: &[u8; 16], span_id: u64) {
    proto::message(out, 0x6a, |out| {
        proto::bytes(out, 0x0a, trace_id);
        proto::bytes(out, 0x12, &span_id.to_be_bytes());
    });
}

/// An event, and the status that says so.
fn exception(out: &mut Vec<u8>, at: u64, function: &Function, random: &mut Random) {
    let number = random.skewed(EXCEPTIONS.len() as u64) as usize;
    let mut message = Vec::with_capacity(96);
    let kind = exception_text(&mut message, number, random);
    proto::message(out, 0x5a, |out| {
        proto::fixed64(out, 0x09, at);
        proto::bytes(out, 0x12, b"exception");
        proto::text(out, OF_EVENT, "exception.type", kind.as_bytes());
        proto::text(out, OF_EVENT, "exception.message", &message);
        let mut trace = Vec::with_capacity(1024);
        stack(&mut trace, kind, &message, function, number);
        proto::text(out, OF_EVENT, "exception.stacktrace", &trace);
    });
    proto::message(out, 0x7a, |out| {
        proto::bytes(out, 0x12, &message);
        out.extend_from_slice(&[0x18, 2]);
    });
}

/// Writes its message; returns its type.
pub(crate) fn exception_text(
    out: &mut Vec<u8>,
    number: usize,
    random: &mut Random,
) -> &'static str {
    let (kind, message) = EXCEPTIONS[number];
    let (before, after) = message.split_once('#').unwrap_or((message, ""));
    out.extend_from_slice(before.as_bytes());
    if before.len() < message.len() {
        proto::decimal(out, random.between(100, 9_999));
    }
    out.extend_from_slice(after.as_bytes());
    kind
}

/// As Node prints it; each exception comes from one of a few places.
pub(crate) fn stack(
    out: &mut Vec<u8>,
    kind: &str,
    message: &[u8],
    function: &Function,
    number: usize,
) {
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(message);
    let depth = 6 + number as u64;
    for frame in 0..depth {
        let step = &function.steps[(number + frame as usize) % function.steps.len()];
        out.extend_from_slice(b"\n    at ");
        out.extend_from_slice(step.name.as_bytes());
        out.extend_from_slice(b" (/var/task/src/");
        out.extend_from_slice(function.name.as_bytes());
        out.extend_from_slice(b".js:");
        proto::decimal(out, 10 + 17 * frame + number as u64);
        out.extend_from_slice(b":13)");
    }
    out.extend_from_slice(
        b"\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
    );
}

/// The field of `ScopeSpans` with its spans.
const SPAN: u8 = 0x12;
/// The field of an event with its attributes.
const OF_EVENT: u8 = 0x1a;
