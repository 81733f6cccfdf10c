//! What lines, exports and reports say about how an invocation went, and telling it once.

use std::collections::VecDeque;

use throughline_telemetry::{Span, SpanStatus, UnixNanos};

use super::Joiner;
use super::failure::Failure;
use super::invocation::Invocation;
use super::lines::Line;
use super::measure::OUT_OF_MEMORY;
use crate::ids;
use crate::line::{Durable, Level, Tells};
use crate::process::{Snapshot, When};

/// The durable executions that were seen here: who comes again repeats what was done before.
#[derive(Debug, Default)]
pub(super) struct Executions(VecDeque<Execution>);

#[derive(Clone, Copy, Debug)]
struct Execution {
    execution: u64,
    /// The earliest request that was a part of it, and when it began.
    request: u64,
    start: UnixNanos,
}

impl Executions {
    /// Whether an earlier request was a part of this execution. News come in any order.
    fn repeats(&mut self, execution: &str, request_id: &str, start: UnixNanos) -> bool {
        let this = Execution {
            execution: ids::hash(&[execution]),
            request: ids::hash(&[request_id]),
            start,
        };
        let known = self
            .0
            .iter_mut()
            .find(|known| known.execution == this.execution);
        match known {
            Some(known) if known.request == this.request => false,
            Some(known) if known.start <= start => true,
            Some(known) => {
                *known = this;
                false
            }
            None => {
                if self.0.len() == EXECUTIONS_MAX {
                    self.0.pop_front();
                }
                self.0.push_back(this);
                false
            }
        }
    }
}

impl Joiner {
    /// What a line says of its invocation. What the handler's own span says is the better account,
    /// and comes first.
    pub(super) fn learn(&mut self, line: &Line, owner: Option<usize>) {
        let Some(at) = owner else {
            return;
        };
        let known = &mut self.invocations[at];
        let raised = match line.tells {
            Some(Tells::OutOfMemory) => {
                known.out_of_memory = true;
                false
            }
            Some(Tells::Raised) => true,
            Some(Tells::MaybeRaised) => known.answered_nothing(),
            Some(Tells::TimedOut) | None => false,
        };
        if raised && known.failure.is_none() {
            known.failure = Failure::of_line(&line.record.attributes);
        }
        if let Some(durable) = &line.durable {
            let request_id = known.request_id.clone();
            self.is_part_of(&request_id, line.at, durable);
        }
    }

    /// The invocation is a part of a durable execution.
    pub(super) fn is_part_of(&mut self, request_id: &str, time: UnixNanos, durable: &Durable) {
        let Some(at) = self.attempt(request_id, time) else {
            return;
        };
        let known = &mut self.invocations[at];
        let start = known.start();
        let replay = known.durable.as_ref().is_some_and(|known| known.replay);
        known.durable = Some(Durable {
            execution: durable.execution.clone(),
            replay: replay || durable.replay,
        });
        self.executions
            .repeats(&durable.execution, request_id, start);
    }

    /// What the kernel says when an invocation begins, or before its end is told. It is of the one
    /// that runs, which is the last that was invoked, and a beginning is the end of the one before.
    pub(crate) fn measured(&mut self, when: When, snapshot: &Snapshot) {
        self.ephemeral_bytes = snapshot.tmp_size_bytes.unwrap_or(self.ephemeral_bytes);
        let mut invoked = self.invocations.iter_mut().rev();
        let mut invoked = invoked.by_ref().filter(|known| known.is_invoked());
        let (Some(running), before) = (invoked.next(), invoked.next()) else {
            return;
        };
        match when {
            When::Begin => {
                if let Some(before) = before {
                    before.used_until(snapshot);
                }
                running.begin = Some(*snapshot).filter(|_| !running.written);
            }
            When::End => running.used_until(snapshot),
        }
    }

    /// Says on an invocation's span what others know of it.
    pub(super) fn complete(&mut self, span: &mut Span) {
        let known = self
            .invocations
            .iter_mut()
            .rfind(|known| known.span_id == span.span_id);
        let Some(known) = known else {
            return self.move_step(span);
        };
        known.has_left = true;
        if known.adopted {
            span.trace_id = known.context.trace_id;
            span.parent_id = known.context.parent_id;
        }
        let heard = std::mem::take(&mut known.heard);
        span.attributes.0.extend(heard.0);
        if let Some(failure) = &known.failure {
            failure.mark(span);
        }
        if let Some(durable) = &known.durable {
            let execution = durable.execution.as_str();
            span.attributes
                .set("throughline.durable.execution", execution);
            let executions = &mut self.executions;
            let again = executions.repeats(execution, &known.request_id, known.start());
            if durable.replay || again {
                span.attributes.set("throughline.replay", true);
            }
        }
        if let Some(usage) = &known.usage {
            span.attributes.0.extend(usage.attributes().0);
            let full = usage.reached(self.function.memory_mb);
            known.out_of_memory |= usage.ran_out_of_memory || full;
        }
        let kind = span.attributes.text("error.type").unwrap_or_default();
        let named = NAMES.iter().any(|name| kind.ends_with(name));
        let killed = kind == EXIT && known.out_of_memory;
        if span.status == SpanStatus::Error && (named || killed) {
            known.out_of_memory_told = true;
            span.attributes.set(OUT_OF_MEMORY, true);
            if killed {
                span.attributes.set("error.type", "Runtime.OutOfMemory");
                span.status_message = "the function ran out of memory".to_owned();
            }
        }
    }

    /// A step is in the trace of its invocation.
    fn move_step(&self, span: &mut Span) {
        let parent = |known: &&Invocation| Some(known.span_id) == span.parent_id;
        if let Some(known) = self.invocations.iter().rfind(parent) {
            span.trace_id = known.context.trace_id;
        }
    }

    /// Says on a report that the memory was not enough, if its invocation's span left without it.
    pub(super) fn complete_report(&self, line: &mut Line, owner: Option<usize>) {
        let Some(known) = owner.map(|at| &self.invocations[at]) else {
            return;
        };
        let exited = line.record.attributes.text("error.type") == Some(EXIT);
        if line.used.is_some() && exited && known.out_of_memory && !known.out_of_memory_told {
            line.record.severity_number = Level::Fatal as u8;
            line.record.severity_text = "FATAL".to_owned();
            line.record
                .attributes
                .set("error.type", "Runtime.OutOfMemory");
            line.record.attributes.set(OUT_OF_MEMORY, true);
        }
    }
}

/// The process ended before the invocation did, for whatever reason.
const EXIT: &str = "Runtime.ExitError";
/// How the errors end that say it themselves.
const NAMES: &[&str] = &[
    "OutOfMemory",
    "OutOfMemoryError",
    "OutOfMemoryException",
    "MemoryError",
];
/// More than one environment takes part in at a time.
const EXECUTIONS_MAX: usize = 64;
