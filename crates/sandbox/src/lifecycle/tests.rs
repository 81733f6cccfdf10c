//! Stories of one environment in made-up time: who does what when, and what the platform does about it.

mod calls;
mod failures;
mod managed;
mod order;
mod random;
mod snapshots;
mod streams;

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::function::Initialization;
use crate::invoke::Outcome;
use crate::time::UnixNanos;

/// A play with one environment. Everything is written down as one line each, effects indented.
struct Story {
    environment: Environment,
    now: UnixNanos,
    next_call: u64,
    lines: Vec<String>,
}

/// Identifiers must look like UUIDs; these say whose they are.
const FIRST: &str = "00000000-0000-0000-0000-000000000001";

impl Story {
    fn new(extensions: &[&str]) -> Self {
        let spec = Spec {
            function: "f".to_owned(),
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            initialization: Initialization::OnDemand,
            runtime_version: None,
            instance: "stream".to_owned(),
            extensions: extensions.iter().map(|name| (*name).to_owned()).collect(),
            limits: Limits::default(),
        };
        Self {
            environment: Environment::new(spec),
            now: UnixNanos::from_millis(0),
            next_call: 0,
            lines: Vec::new(),
        }
    }

    fn with(mut self, initialization: Initialization) -> Self {
        self.environment.spec.initialization = initialization;
        self
    }

    fn init(&mut self) -> &mut Self {
        self.step("init", Event::Init)
    }

    /// Lets time pass, up to this many milliseconds after the start.
    fn at(&mut self, millis: u64) -> &mut Self {
        self.now = UnixNanos::from_millis(millis);
        self.step("time passes", Event::Tick)
    }

    fn invoke(&mut self, request_id: &str) -> &mut Self {
        self.step(
            &format!("invoke {request_id}"),
            Event::Invoke(invocation(request_id)),
        )
    }

    fn shut_down(&mut self) -> &mut Self {
        self.step("shut down", Event::Shutdown)
    }

    fn call(&mut self, what: &str, call: ApiCall) -> &mut Self {
        let id = CallId(self.next_call);
        self.next_call += 1;
        self.step(&format!("#{} {what}", id.0), Event::Call(id, call))
    }

    fn runtime_next(&mut self) -> &mut Self {
        self.call("runtime next", ApiCall::RuntimeNext)
    }

    fn respond(&mut self, request_id: &str, body: &'static str) -> &mut Self {
        let answer = answer(
            request_id,
            ResponseMode::Response,
            Body::Whole(body.into()),
            self.now,
        );
        self.call(&format!("respond to {request_id}"), answer)
    }

    fn register(&mut self, name: &str, events: &[&str]) -> &mut Self {
        let call = ApiCall::Register {
            name: name.to_owned(),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            fresh_id: FIRST.to_owned(),
            with_account: false,
        };
        self.call(&format!("register {name} for {}", events.join(", ")), call)
    }

    fn extension_next(&mut self) -> &mut Self {
        self.call(
            "extension next",
            ApiCall::ExtensionNext {
                identifier: Some(FIRST.to_owned()),
            },
        )
    }

    fn exit(&mut self, role: Role, exit: Exit) -> &mut Self {
        let process = Process {
            generation: self.environment.generation,
            role,
        };
        self.step(
            &format!("{} ends: {exit}", name_of(role)),
            Event::Exited(process, exit),
        )
    }

    fn step(&mut self, what: &str, event: Event) -> &mut Self {
        let mut effects = Vec::new();
        self.environment.step(event, self.now, &mut effects);
        if what != "time passes" || !effects.is_empty() {
            self.lines
                .push(format!("{} ms: {what}", self.now.as_millis()));
        }
        self.lines
            .extend(effects.iter().map(|effect| format!("    {}", line(effect))));
        self
    }

    /// Forgets what was written so far.
    fn skip(&mut self) -> &mut Self {
        self.lines.clear();
        self
    }

    fn check(&mut self, expected: &expect_test::Expect) -> &mut Self {
        expected.assert_eq(&self.lines.join("\n"));
        self.skip()
    }

    /// A warm environment with one extension that wants everything.
    fn warm_with_extension() -> Self {
        let mut story = Self::new(&["ext"]);
        story
            .invoke("r0")
            .register("ext", &["INVOKE", "SHUTDOWN"])
            .extension_next()
            .runtime_next();
        story
            .respond("r0", "{}")
            .runtime_next()
            .extension_next()
            .skip();
        story
    }
}

fn invocation(request_id: &str) -> Invocation {
    Invocation {
        request_id: request_id.to_owned(),
        attempt: format!("attempt of {request_id}"),
        payload: Bytes::from_static(b"{}"),
        arn: "arn".to_owned(),
        trace_header: "Root=1".to_owned(),
        span_id: "span".to_owned(),
        client_context: None,
        cognito_identity: None,
        tenant_id: None,
    }
}

fn answer(request_id: &str, mode: ResponseMode, body: Body, first_byte: UnixNanos) -> ApiCall {
    let attempt = Some(format!("attempt of {request_id}"));
    ApiCall::RuntimeAnswer(RuntimeAnswer {
        request_id: request_id.to_owned(),
        attempt,
        first_byte,
        body,
        mode,
        error_type: None,
        error_cause: None,
    })
}

fn name_of(role: Role) -> String {
    match role {
        Role::Runtime => "runtime".to_owned(),
        Role::Extension(index) => format!("extension {index}"),
    }
}

fn line(effect: &Effect) -> String {
    match effect {
        Effect::Reply(call, reply) => format!("reply #{}: {}", call.0, reply_line(reply)),
        Effect::Spawn(process) => format!("start {}", name_of(process.role)),
        Effect::Signal(process, signal) => format!("{signal:?} {}", name_of(process.role)),
        Effect::Emit(event) => {
            let field = |name: &str| {
                event.record[name]
                    .as_str()
                    .map(|value| format!(" {value}"))
                    .unwrap_or_default()
            };
            let duration = &event.record["metrics"]["durationMs"];
            let duration = duration
                .as_f64()
                .map(|millis| format!(" {millis} ms"))
                .unwrap_or_default();
            let words = ["name", "phase", "requestId", "state", "status", "errorType"]
                .map(field)
                .concat();
            format!("tell {}{words}{duration}", event.kind)
        }
        Effect::Answer(_, verdict) => {
            let outcome = if verdict.outcome == Outcome::Returned {
                "return"
            } else {
                "fail with"
            };
            format!("{outcome} {}", String::from_utf8_lossy(&verdict.payload))
        }
        Effect::Report(report) => {
            let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
            let init = report
                .init
                .map(|init| format!(", init {} ms", millis(init)))
                .unwrap_or_default();
            let overhead = report.spans.iter().map(|span| match span.name {
                "extensionOverhead" => format!(", extensions {} ms", millis(span.duration)),
                name => format!(", {name} {} ms", millis(span.duration)),
            });
            let overhead: String = overhead.collect();
            let error = report
                .error_type
                .as_deref()
                .map(|error| format!(" {error}"))
                .unwrap_or_default();
            let restore = report
                .restore
                .map(|restore| format!(", restore {} ms", millis(restore)))
                .unwrap_or_default();
            let cold = if report.cold_start { ", cold" } else { "" };
            let billed = if report.managed {
                String::new()
            } else {
                format!(", billed {} ms", millis(report.billed()))
            };
            format!(
                "report {} {}{error}: {} ms{billed}{init}{restore}{}{cold}",
                report.invocation.request_id,
                report.status.as_str(),
                millis(report.duration),
                overhead,
            )
        }
        Effect::Subscribe { extension, .. } => format!("subscribe {extension}"),
        other => format!("{other:?}"),
    }
}

fn reply_line(reply: &Reply) -> String {
    match reply {
        Reply::Invocation {
            invocation,
            deadline,
        } => {
            format!(
                "event {} until {} ms",
                invocation.request_id,
                deadline.as_millis()
            )
        }
        Reply::Invoke {
            invocation,
            deadline,
        } => {
            format!(
                "INVOKE {} until {} ms",
                invocation.request_id,
                deadline.as_millis()
            )
        }
        Reply::Shutdown { reason, deadline } => format!(
            "SHUTDOWN {} until {} ms",
            reason.as_str(),
            deadline.as_millis()
        ),
        Reply::Refused(refusal) => format!(
            "{} {}: {}",
            refusal.status, refusal.error_type, refusal.message
        ),
        Reply::Registered { .. } => "Registered".to_owned(),
        other => format!("{other:?}"),
    }
}
