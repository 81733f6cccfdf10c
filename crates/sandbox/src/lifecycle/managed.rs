//! Managed Instances: several invocations at once in an environment that is never frozen and has one init only.
//!
//! The runtime's workers each have a `next` of their own open. An invocation goes to the one that has waited longest and
//! is over with its answer, or with its time: then its caller is told, the code goes on, and its late answer gets 410.
//! The first fault ends all invocations and the environment with them.

use std::collections::VecDeque;

use super::advance::Move::{self, On, Stay};
use super::calls::{Handled, judge, late_or_unknown};
use super::effect::{Effect, Reply, Report, Verdict};
use super::environment::{Environment, Phase};
use super::event::{
    Body, CallId, Ending, Invocation, ResponseMode, RuntimeAnswer, ShutdownReason, StreamEnd,
};
use super::extension::RuntimeState;
use super::fault::{Fault, Refusal, STREAM_BYTES_MAX, known_error_type};
use super::platform::{self, InitPhase};
use super::running::{Failure, Response, Running};
use super::stop::Then;
use super::stream::{TRUNCATED, failed, too_large, truncated};
use crate::invoke::Status;
use crate::time::UnixNanos;

/// The workers of a runtime and what is there for them to do.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// The open `next` calls, the oldest first.
    pub(super) workers: VecDeque<CallId>,
    /// In the order in which they came.
    tasks: Vec<Task>,
    /// The pool holds the environment for busy with an init.
    pub(super) ahead: bool,
    /// The last telemetry was delivered.
    pub(super) flushed: bool,
}

/// One of several invocations.
#[derive(Debug)]
struct Task {
    running: Running,
    awaits: Awaits,
    /// `platform.start` was told, and its time runs.
    told: bool,
}

/// What an invocation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// A worker, and not for longer than this; for an init it waits as long as that takes.
    Worker(Option<UnixNanos>),
    /// The answer; the event went out as the reply to this call.
    Response(CallId),
    /// The end of a streamed answer.
    StreamEnd,
}

/// How an invocation is over.
struct End {
    status: Status,
    error_type: Option<String>,
    verdict: Verdict,
    at: UnixNanos,
}

impl Task {
    fn awaits_worker(&self) -> bool {
        matches!(self.awaits, Awaits::Worker(_))
    }

    fn deadline(&self) -> Option<UnixNanos> {
        match self.awaits {
            _ if self.told => Some(self.running.deadline),
            Awaits::Worker(until) => until,
            Awaits::Response(_) | Awaits::StreamEnd => None,
        }
    }

    fn tell(&mut self, out: &mut Vec<Effect>) {
        self.told = true;
        out.push(Effect::Emit(platform::start(&self.running.invocation)));
    }
}

impl Crowd {
    pub(super) fn next_deadline(&self) -> Option<UnixNanos> {
        self.tasks.iter().filter_map(Task::deadline).min()
    }

    /// The worker has hung up before it got its event, which now is another one's.
    pub(super) fn give_back(&mut self, call: CallId) {
        for task in &mut self.tasks {
            if task.awaits == Awaits::Response(call) {
                task.awaits = Awaits::Worker(None);
            }
        }
    }
}

impl Environment {
    /// An invocation comes, perhaps while others run, or while there is no worker yet.
    pub(super) fn join_crowd(
        &mut self,
        invocation: Invocation,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) {
        if self.phase.is_stopping() {
            out.push(Effect::Reject(invocation.request_id));
            return;
        }
        let cold_start = !matches!(self.phase, Phase::AwaitInvocations);
        self.crowd.tasks.push(Task {
            running: Running {
                cold_start,
                ..Running::new(invocation, now, now, now)
            },
            awaits: Awaits::Worker(None),
            told: false,
        });
    }

    /// It has one init and one end.
    pub(super) fn managed_cold(
        &mut self,
        phase: InitPhase,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Move {
        if self.closing {
            self.reject_unheard(out);
            out.push(Effect::Gone);
            return Stay(Phase::Gone);
        }
        if self.init_wanted || !self.crowd.tasks.is_empty() {
            self.crowd.workers.clear();
            return On(self.start_init(phase, now, out));
        }
        Stay(Phase::Cold(phase))
    }

    /// From now on workers get invocations.
    pub(super) fn open_to_crowd(&mut self, out: &mut Vec<Effect>) -> Phase {
        if std::mem::take(&mut self.crowd.ahead) {
            out.push(Effect::Idle);
        }
        Phase::AwaitInvocations
    }

    /// AwaitInvocations => AwaitRuntimeExit
    pub(super) fn advance_crowd(&mut self, now: UnixNanos, out: &mut Vec<Effect>) -> Move {
        self.end_overdue(now, out);
        if let Some(fault) = self.fault.take() {
            self.reject_unheard(out);
            return On(self.end_crowd(&Failure::Fault(fault), now, out));
        }
        if self.closing {
            self.reject_unheard(out);
            let fault = Fault::new("Sandbox.Failure", "the sandbox is shutting down");
            return On(self.end_crowd(&Failure::Fault(fault), now, out));
        }
        self.release_to_workers(now, out);
        Stay(Phase::AwaitInvocations)
    }

    /// The init failed: so have all invocations that waited for it.
    pub(super) fn fail_crowd(
        &mut self,
        failure: Failure,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        for task in &mut self.crowd.tasks {
            task.tell(out);
        }
        let failure = failure.of_init(self.spec.limits.init_managed);
        self.end_crowd(&failure, now, out)
    }

    /// Callers are told at once, and then the processes are shut down.
    fn end_crowd(&mut self, failure: &Failure, now: UnixNanos, out: &mut Vec<Effect>) -> Phase {
        out.push(Effect::Ending);
        while let Some(task) = self.crowd.tasks.first() {
            let request_id = &task.running.invocation.request_id;
            let end = End {
                status: failure.status(),
                error_type: failure.error_type().map(str::to_owned),
                verdict: failure.verdict(request_id, self.spec.timeout),
                at: now,
            };
            self.end_task(0, end, out);
        }
        let reason = match failure.reason() {
            ShutdownReason::Timeout => ShutdownReason::Failure,
            reason => reason,
        };
        self.start_stop(reason, Then::Gone, now, out)
    }

    /// Invocations whose time is over, and those that no worker has taken in time.
    fn end_overdue(&mut self, now: UnixNanos, out: &mut Vec<Effect>) {
        let overdue = |task: &Task| task.deadline().is_some_and(|at| now >= at);
        while let Some(index) = self.crowd.tasks.iter().position(overdue) {
            let task = &self.crowd.tasks[index];
            let request_id = task.running.invocation.request_id.clone();
            if !task.told {
                self.crowd.tasks.remove(index);
                out.extend([Effect::Reject(request_id), Effect::Idle]);
                continue;
            }
            // Charged by the clock's face: nothing lasts longer than it may.
            let end = End {
                status: Status::Timeout,
                error_type: Some("Sandbox.Timedout".to_owned()),
                verdict: Failure::Timeout.verdict(&request_id, self.spec.timeout),
                at: task.running.deadline,
            };
            self.remember_timed_out(&request_id);
            self.end_task(index, end, out);
        }
    }

    fn reject_unheard(&mut self, out: &mut Vec<Effect>) {
        self.crowd.tasks.retain_mut(|task| {
            if !task.told {
                let request_id = task.running.invocation.request_id.clone();
                out.extend([Effect::Reject(request_id), Effect::Idle]);
            }
            task.told
        });
    }

    fn release_to_workers(&mut self, now: UnixNanos, out: &mut Vec<Effect>) {
        let crowd = &mut self.crowd;
        for task in crowd.tasks.iter_mut().filter(|task| task.awaits_worker()) {
            let Some(worker) = crowd.workers.pop_front() else {
                if let Awaits::Worker(until) = &mut task.awaits {
                    until.get_or_insert(now + self.spec.limits.worker);
                }
                continue;
            };
            // One that a worker has hung up on keeps its time.
            if !task.told {
                let running = &mut task.running;
                (running.started, running.released) = (now, now);
                running.deadline = now + self.spec.timeout;
                task.tell(out);
            }
            task.awaits = Awaits::Response(worker);
            let event = Reply::Invocation {
                invocation: task.running.invocation.clone(),
                deadline: task.running.deadline,
            };
            out.push(Effect::Reply(worker, event));
        }
    }

    pub(super) fn worker_next(&mut self, call: CallId) -> Handled {
        if self.runtime == RuntimeState::InitError {
            return Err(Refusal::runtime_transition(self.runtime.name(), "Ready"));
        }
        if self.crowd.workers.len() >= WORKERS_MAX {
            return Err(Refusal::internal());
        }
        self.runtime = RuntimeState::Ready;
        self.crowd.workers.push_back(call);
        Ok(None)
    }

    /// An answer; an error may also come in the middle of a streamed one, and ends it.
    pub(super) fn crowd_answer(
        &mut self,
        answer: RuntimeAnswer,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Handled {
        let index = self.task_of(&answer.request_id, answer.attempt.as_deref())?;
        let task = &mut self.crowd.tasks[index];
        let first_byte = match (task.awaits, answer.mode, task.running.response) {
            (Awaits::StreamEnd, ResponseMode::Error, begun) => {
                begun.map_or(answer.first_byte, |begun| begun.first_byte)
            }
            (Awaits::StreamEnd, _, _) => return Err(Refusal::invalid_request_id()),
            _ => answer.first_byte,
        };
        let error_type = match (answer.mode, &answer.body) {
            (ResponseMode::Response, Body::Whole(_)) => None,
            (ResponseMode::Error, Body::Whole(_)) => {
                Some(known_error_type(answer.error_type.as_deref()))
            }
            (ResponseMode::InvalidMode, _) => Some("Runtime.InvalidResponseModeHeader".to_owned()),
            (_, Body::TooLarge { .. }) => Some("Function.ResponseSizeTooLarge".to_owned()),
            (_, Body::Truncated) => Some("Runtime.TruncatedResponse".to_owned()),
        };
        let (verdict, refusal) = judge(answer.mode, answer.body);
        task.running.response = Some(Response {
            first_byte,
            last_byte: now,
            produced_bytes: verdict.payload.len(),
        });
        task.running.error_cause = answer.error_cause;
        self.end_task(index, End::answered(error_type, verdict, now), out);
        refusal.map_or(Ok(Some(Reply::Accepted)), Err)
    }

    /// A streamed answer begins.
    pub(super) fn crowd_streams(
        &mut self,
        request_id: &str,
        attempt: Option<&str>,
    ) -> Result<(), Refusal> {
        let index = self.task_of(request_id, attempt)?;
        let task = &mut self.crowd.tasks[index];
        if task.awaits == Awaits::StreamEnd {
            return Err(Refusal::invalid_request_id());
        }
        task.awaits = Awaits::StreamEnd;
        Ok(())
    }

    pub(super) fn crowd_stream_ends(
        &mut self,
        end: StreamEnd,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Handled {
        let index = self.task_of(&end.request_id, end.attempt.as_deref())?;
        let task = &mut self.crowd.tasks[index];
        if task.awaits != Awaits::StreamEnd {
            return Err(Refusal::invalid_request_id());
        }
        task.running.response = Some(Response {
            first_byte: end.first_byte,
            last_byte: now,
            produced_bytes: end.bytes,
        });
        let (error_type, verdict, refusal) = match end.ending {
            Ending::Complete => (None, Verdict::returned(bytes::Bytes::new()), None),
            Ending::Failed { error_type, error } => {
                let verdict = failed(&error_type, error);
                (Some(error_type), verdict, None)
            }
            Ending::TooLarge { bytes } => (
                Some("Function.ResponseSizeTooLarge".to_owned()),
                too_large(bytes),
                Some(Refusal::too_large(STREAM_BYTES_MAX)),
            ),
            Ending::Truncated => (
                Some(TRUNCATED.to_owned()),
                truncated(),
                Some(Refusal::truncated()),
            ),
        };
        self.end_task(index, End::answered(error_type, verdict, now), out);
        refusal.map_or(Ok(Some(Reply::Accepted)), Err)
    }

    /// The invocation that this answer is for.
    fn task_of(&self, request_id: &str, attempt: Option<&str>) -> Result<usize, Refusal> {
        let is_asked = |task: &Task| task.told && task.running.invocation.request_id == request_id;
        let index = self.crowd.tasks.iter().position(is_asked);
        let index = index.ok_or_else(|| late_or_unknown(&self.timed_out, request_id))?;
        let own = &self.crowd.tasks[index].running.invocation.attempt;
        match attempt {
            Some(attempt) if attempt != own => Err(Refusal::invoke_timeout()),
            _ => Ok(index),
        }
    }

    fn end_task(&mut self, index: usize, end: End, out: &mut Vec<Effect>) {
        let Task { mut running, .. } = self.crowd.tasks.remove(index);
        running.outcome = Some(end.verdict.outcome);
        let request_id = running.invocation.request_id.clone();
        out.push(Effect::Answer(request_id, end.verdict));
        out.push(Effect::Idle);
        let spans = running.response_spans();
        let error_type = end.error_type.as_deref();
        out.push(Effect::Report(Report {
            managed: true,
            ..running.into_report(end.status, error_type, end.at, spans)
        }));
    }
}

impl End {
    /// A failure that the function tells is one of the invocation here.
    fn answered(error_type: Option<String>, verdict: Verdict, at: UnixNanos) -> Self {
        let status = match error_type {
            None => Status::Success,
            Some(_) => Status::Error,
        };
        Self {
            status,
            error_type,
            verdict,
            at,
        }
    }
}

/// Open `next` calls of one runtime. Lambda's own core has this limit, far above any number of workers.
const WORKERS_MAX: usize = 10_000;
