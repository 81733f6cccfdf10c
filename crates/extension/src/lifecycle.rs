//! The life of an extension, as a machine that is told what happened and says what to do.
//!
//! ```text
//! AwaitSubscribed ─ answer ─▶ AwaitInvoke ─ INVOKE ─▶ AwaitRuntimeDone ─ runtimeDone ─▶ AwaitFlush ─┐
//!                               ▲    │                                                              │
//!                               └────┼───────────────────────── next ◀──────────────────────────────┘
//!                                    └ SHUTDOWN ─▶ AwaitReport ─ report ─▶ AwaitLastFlush ─▶ Done
//! ```
//!
//! With [`Pace::Ahead`], or when the server turns out to be [`Happened::Hopeless`], an INVOKE is answered by asking for the next event at once: the state stays
//! AwaitInvoke, and what the invocation made is sent while the next one runs.
//!
//! Two rules hold in every state. The function always wins: each wait has an end, and what comes
//! after it is the way to `/next`. And the machine never waits for something that cannot come: no
//! telemetry, no wait for it.

use std::time::Duration;

use throughline_telemetry::UnixNanos;

/// What happened, as far as the life of the extension is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The platform answered the subscription.
    Subscribed(Telemetry),
    /// `/next` answered with an invocation.
    Invoked {
        /// Which.
        request_id: String,
        /// When the function is stopped.
        deadline: UnixNanos,
        /// Whether its end is waited for.
        pace: Pace,
    },
    /// The runtime is done with an invocation.
    RuntimeDone {
        /// Which.
        request_id: String,
        /// When it was.
        ended: UnixNanos,
    },
    /// Somebody in the function says that all of an invocation's telemetry is here.
    Signalled {
        /// Of which invocation, if that was said.
        request_id: Option<String>,
    },
    /// The summary of an invocation came.
    Reported {
        /// Which.
        request_id: String,
    },
    /// Everything that was to be sent is sent, or cannot be sent now.
    Flushed,
    /// The server was waited for before and has still not answered: there is no point in waiting again.
    Hopeless,
    /// `/next` answered with the end of the environment.
    ShutDown {
        /// When the extension is killed.
        deadline: UnixNanos,
    },
    /// Nothing but time passed.
    Tick,
}

/// When the next event is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At once, so that nobody ever waits for the extension.
    Ahead,
    /// After the invocation, and after its delivery if that is quick.
    AtEnd,
}

/// Whether the platform sends telemetry here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telemetry {
    /// It does.
    On,
    /// It does not, or it was not asked to.
    Off,
    /// It was not asked to, because there is nowhere to send it on to.
    Idle,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask for the next event; from here on the environment may freeze.
    Next,
    /// Send what there is; nobody waits.
    Deliver,
    /// Send what there is; it is waited for until then.
    Flush {
        /// The end of the wait.
        until: UnixNanos,
    },
    /// The flush took too long: count it against the server and go on without it.
    GiveUpFlush,
    /// Close what is open and send everything.
    LastFlush {
        /// When it must be over.
        until: UnixNanos,
    },
    /// Say what is lost and end.
    Exit,
}

/// Effects in the order they are to be performed.
pub type Effects = Vec<Effect>;

/// The states, named by what they wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The answer to the subscription; then a flush holds an invocation up to so long.
    AwaitSubscribed {
        /// At most.
        flush_max: Duration,
    },
    /// The next invocation, or the end.
    AwaitInvoke(AwaitInvoke),
    /// The end of a running invocation.
    AwaitRuntimeDone(AwaitRuntimeDone),
    /// The end of a flush after an invocation.
    AwaitFlush(AwaitFlush),
    /// The report of the last invocation, while the environment ends.
    AwaitReport(AwaitReport),
    /// The end of the last flush.
    AwaitLastFlush(AwaitLastFlush),
    /// Nothing any more.
    Done,
}

/// What does not change in a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    telemetry: Telemetry,
    flush_max: Duration,
}

/// See [`State::AwaitInvoke`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitInvoke {
    terms: Terms,
    /// The invocation that runs meanwhile, as far as is known.
    running: Option<String>,
    /// An invocation whose `runtimeDone` overtook its INVOKE: the two come over different connections.
    done_early: Option<String>,
    unreported: Option<String>,
}

/// See [`State::AwaitRuntimeDone`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitRuntimeDone {
    terms: Terms,
    request_id: String,
    until: UnixNanos,
}

/// See [`State::AwaitFlush`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitFlush {
    terms: Terms,
    request_id: String,
    /// The platform did not say that it is over.
    runs: bool,
    reported: bool,
    until: UnixNanos,
}

/// See [`State::AwaitReport`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitReport {
    request_id: String,
    until: UnixNanos,
    deadline: UnixNanos,
}

/// See [`State::AwaitLastFlush`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitLastFlush {
    until: UnixNanos,
}

impl State {
    /// When the state wants a [`Happened::Tick`] at the latest.
    pub fn wakes_at(&self) -> Option<UnixNanos> {
        match self {
            State::AwaitRuntimeDone(AwaitRuntimeDone { until, .. })
            | State::AwaitFlush(AwaitFlush { until, .. })
            | State::AwaitReport(AwaitReport { until, .. })
            | State::AwaitLastFlush(AwaitLastFlush { until }) => Some(*until),
            State::AwaitSubscribed { .. } | State::AwaitInvoke(_) | State::Done => None,
        }
    }

    /// Whether everything is done that an invocation needs, so that the environment may freeze.
    pub fn is_at_rest(&self) -> bool {
        matches!(self, State::AwaitInvoke(_))
    }

    /// Whether the environment ends and the last flush is under way.
    pub fn is_last_flush(&self) -> bool {
        matches!(self, State::AwaitLastFlush(_))
    }

    /// After a fault of ours, which may have hidden that an invocation is over: nothing is waited for
    /// any more but the next one, nor for an answer to the subscription that came. The end of the
    /// environment goes on as it was.
    #[must_use]
    pub fn rests(self, answer: Option<Telemetry>) -> Self {
        let (terms, running) = match self {
            State::AwaitSubscribed { flush_max } => {
                return match answer {
                    Some(telemetry) => subscribed(telemetry, flush_max),
                    None => State::AwaitSubscribed { flush_max },
                };
            }
            State::AwaitRuntimeDone(state) => (state.terms, state.request_id),
            State::AwaitFlush(state) => (state.terms, state.request_id),
            other => return other,
        };
        State::AwaitInvoke(AwaitInvoke {
            terms,
            running: Some(running),
            done_early: None,
            unreported: None,
        })
    }

    /// The next state, and what is to be done on the way.
    #[must_use]
    pub fn step(self, happened: Happened, now: UnixNanos, out: &mut Effects) -> Self {
        match (self, happened) {
            // Any but the last three => (AwaitReport | AwaitLastFlush). SHUTDOWN normally answers
            // `/next`, so it finds AwaitInvoke, but no other state is worth more than the deadline.
            (State::AwaitSubscribed { .. }, Happened::ShutDown { deadline }) => {
                last_flush(deadline, now, out)
            }
            (State::AwaitInvoke(state), Happened::ShutDown { deadline }) => {
                match (state.terms.telemetry, state.running.or(state.unreported)) {
                    (Telemetry::On, Some(request_id)) => {
                        await_report(request_id, deadline, now, out)
                    }
                    _ => last_flush(deadline, now, out),
                }
            }
            (State::AwaitRuntimeDone(state), Happened::ShutDown { deadline }) => {
                match state.terms.telemetry {
                    Telemetry::On => await_report(state.request_id, deadline, now, out),
                    Telemetry::Off | Telemetry::Idle => last_flush(deadline, now, out),
                }
            }
            (State::AwaitFlush(_), Happened::ShutDown { deadline }) => {
                last_flush(deadline, now, out)
            }

            // AwaitSubscribed => (AwaitInvoke). Init ends only when everybody asked for the next event.
            (State::AwaitSubscribed { flush_max }, Happened::Subscribed(telemetry)) => {
                out.push(Effect::Next);
                subscribed(telemetry, flush_max)
            }

            // AwaitInvoke => (AwaitInvoke | AwaitRuntimeDone | AwaitFlush)
            (
                State::AwaitInvoke(state),
                Happened::Invoked {
                    request_id,
                    deadline,
                    pace,
                },
            ) => {
                let is_done = state.done_early.as_deref() == Some(request_id.as_str());
                match (pace, is_done) {
                    // The way to the next event is open before anything else is done.
                    (Pace::Ahead, _) => {
                        out.push(Effect::Next);
                        if is_done {
                            out.push(Effect::Deliver);
                        }
                        State::AwaitInvoke(AwaitInvoke {
                            running: (!is_done).then_some(request_id),
                            done_early: None,
                            ..state
                        })
                    }
                    (Pace::AtEnd, true) => {
                        let reported = state.unreported.is_none();
                        await_flush(state.terms, request_id, Some(now), reported, now, out)
                    }
                    (Pace::AtEnd, false) => {
                        await_runtime_done(state.terms, request_id, deadline, now)
                    }
                }
            }
            // AwaitInvoke => (AwaitInvoke). The end of what runs meanwhile, news of the past, or of
            // an INVOKE that is on its way.
            (State::AwaitInvoke(state), Happened::RuntimeDone { request_id, .. }) => {
                let is_running = state.running.as_deref() == Some(request_id.as_str());
                let is_known = state.running.is_some()
                    || state.unreported.as_deref() == Some(request_id.as_str());
                // Before its INVOKE nothing can be joined to it.
                if is_known {
                    out.push(Effect::Deliver);
                }
                State::AwaitInvoke(AwaitInvoke {
                    running: state.running.filter(|_| !is_running),
                    done_early: (!is_known).then(|| request_id.clone()),
                    unreported: Some(request_id),
                    ..state
                })
            }
            (State::AwaitInvoke(mut state), Happened::Reported { request_id }) => {
                let is_it = |known: &mut String| *known == request_id;
                state.unreported.take_if(is_it);
                if state.running.take_if(is_it).is_some() {
                    out.push(Effect::Deliver);
                }
                State::AwaitInvoke(state)
            }
            (State::AwaitInvoke(state), Happened::Signalled { .. }) => {
                out.push(Effect::Deliver);
                State::AwaitInvoke(state)
            }

            // AwaitRuntimeDone => (AwaitFlush)
            (State::AwaitRuntimeDone(state), Happened::RuntimeDone { request_id, ended })
                if state.request_id == request_id =>
            {
                await_flush(state.terms, request_id, Some(ended), false, now, out)
            }
            // The report comes after runtimeDone, so runtimeDone was lost.
            (State::AwaitRuntimeDone(state), Happened::Reported { request_id })
                if state.request_id == request_id =>
            {
                await_flush(state.terms, request_id, Some(now), true, now, out)
            }
            // What the platform says of it leaves with the next one: who signals wants that.
            (State::AwaitRuntimeDone(state), Happened::Signalled { request_id })
                if request_id.as_ref().is_none_or(|id| *id == state.request_id) =>
            {
                await_flush(state.terms, state.request_id, None, false, now, out)
            }
            // No news in time: go on, because an extension that does not ask for the next event
            // turns a finished invocation into one that timed out.
            (State::AwaitRuntimeDone(state), Happened::Tick) if now >= state.until => {
                await_flush(state.terms, state.request_id, None, false, now, out)
            }

            // AwaitRuntimeDone => (AwaitInvoke)
            (state @ State::AwaitRuntimeDone(_), Happened::Hopeless) => {
                out.push(Effect::Next);
                state.rests(None)
            }

            // AwaitFlush => (AwaitInvoke)
            (State::AwaitFlush(state), Happened::Flushed) => await_invoke(state, out),
            (State::AwaitFlush(state), Happened::Tick) if now >= state.until => {
                out.push(Effect::GiveUpFlush);
                await_invoke(state, out)
            }
            (State::AwaitFlush(state), Happened::RuntimeDone { request_id, .. })
                if state.request_id == request_id =>
            {
                State::AwaitFlush(AwaitFlush {
                    runs: false,
                    ..state
                })
            }
            (State::AwaitFlush(state), Happened::Reported { request_id })
                if state.request_id == request_id =>
            {
                State::AwaitFlush(AwaitFlush {
                    runs: false,
                    reported: true,
                    ..state
                })
            }

            // AwaitReport => (AwaitLastFlush)
            (State::AwaitReport(state), Happened::Reported { request_id })
                if state.request_id == request_id =>
            {
                last_flush(state.deadline, now, out)
            }
            (State::AwaitReport(state), Happened::Tick) if now >= state.until => {
                last_flush(state.deadline, now, out)
            }

            // AwaitLastFlush => (Done)
            (State::AwaitLastFlush(_), Happened::Flushed) => done(out),
            (State::AwaitLastFlush(state), Happened::Tick) if now >= state.until => done(out),

            // Everything else changes nothing: news of older invocations, early ticks, repeats.
            (state, _) => state,
        }
    }
}

fn subscribed(telemetry: Telemetry, flush_max: Duration) -> State {
    let terms = Terms {
        telemetry,
        flush_max,
    };
    State::AwaitInvoke(AwaitInvoke {
        terms,
        running: None,
        done_early: None,
        unreported: None,
    })
}

fn await_invoke(state: AwaitFlush, out: &mut Effects) -> State {
    out.push(Effect::Next);
    let AwaitFlush {
        terms,
        request_id,
        runs,
        reported,
        ..
    } = state;
    State::AwaitInvoke(AwaitInvoke {
        terms,
        running: runs.then(|| request_id.clone()),
        done_early: None,
        unreported: (!reported).then_some(request_id),
    })
}

fn await_runtime_done(
    terms: Terms,
    request_id: String,
    deadline: UnixNanos,
    now: UnixNanos,
) -> State {
    let until = match terms.telemetry {
        Telemetry::On => deadline.minus(DEADLINE_GUARD).max(now),
        Telemetry::Off => now.plus(BLIND_GRACE),
        Telemetry::Idle => now,
    };
    State::AwaitRuntimeDone(AwaitRuntimeDone {
        terms,
        request_id,
        until,
    })
}

/// The wait is counted from the end of the invocation, because that is from when on it is paid for.
fn await_flush(
    terms: Terms,
    request_id: String,
    ended: Option<UnixNanos>,
    reported: bool,
    now: UnixNanos,
    out: &mut Effects,
) -> State {
    let flush_max = terms.flush_max.saturating_sub(WAY_TO_NEXT);
    let until = ended.unwrap_or(now).min(now).plus(flush_max).max(now);
    out.push(Effect::Flush { until });
    State::AwaitFlush(AwaitFlush {
        terms,
        request_id,
        runs: ended.is_none() && terms.telemetry == Telemetry::On,
        reported,
        until,
    })
}

/// What is known already leaves meanwhile.
fn await_report(
    request_id: String,
    deadline: UnixNanos,
    now: UnixNanos,
    out: &mut Effects,
) -> State {
    out.push(Effect::Deliver);
    let until = now.plus(REPORT_GRACE);
    State::AwaitReport(AwaitReport {
        request_id,
        until,
        deadline,
    })
}

fn last_flush(deadline: UnixNanos, now: UnixNanos, out: &mut Effects) -> State {
    let until = deadline
        .minus(EXIT_GUARD)
        .min(now.plus(LAST_FLUSH_MAX))
        .max(now);
    out.push(Effect::LastFlush { until });
    State::AwaitLastFlush(AwaitLastFlush { until })
}

fn done(out: &mut Effects) -> State {
    out.push(Effect::Exit);
    State::Done
}

/// What a flush may cost an invocation unless somebody says otherwise.
pub const FLUSH_MAX: Duration = Duration::from_millis(50);
/// Of that, what it takes from the end of the wait until the platform has heard of it: the timer counts
/// in milliseconds, what waits is written to `/tmp`, and then the call is made.
const WAY_TO_NEXT: Duration = Duration::from_millis(2);
/// How long before the function's deadline the wait for `runtimeDone` ends: time for one flush and
/// for the platform to take `/next`.
const DEADLINE_GUARD: Duration = Duration::from_millis(250);
/// How long the function may send telemetry before the flush where the end cannot be seen. As long as
/// the Telemetry API buffers; a longer wait would be billed.
const BLIND_GRACE: Duration = Duration::from_millis(25);
/// How long a report may take at the end: others saw 5 ms on average and 40 at most.
const REPORT_GRACE: Duration = Duration::from_millis(100);
/// Kept for saying what is lost before the kill.
const EXIT_GUARD: Duration = Duration::from_millis(200);
/// The end of an environment is not billed, but a new one may wait for it.
const LAST_FLUSH_MAX: Duration = Duration::from_millis(1400);

#[cfg(test)]
mod tests;
