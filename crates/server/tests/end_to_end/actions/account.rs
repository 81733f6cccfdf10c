//! A pretended account, which follows orders as the actuator does.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use throughline_act::{
    Action, Before, Done, DryRun, Failure, Order, Plan, Report, SourceState, UnixSeconds, undo,
};
use throughline_server::{Actuator, Following};
use tokio::sync::Notify;

/// A pretended account.
#[derive(Clone, Default)]
pub(crate) struct Account(Arc<Mutex<AccountState>>);

#[derive(Default)]
pub(crate) struct AccountState {
    called: Vec<String>,
    /// The code of the failure with which what changes something ends, after it was done.
    pub(crate) trouble: Option<&'static str>,
    pub(crate) revision: u64,
    /// The memory of its functions, if it is not the usual one.
    pub(crate) memory_mb: Option<u32>,
    /// From where its functions take events.
    pub(crate) sources: Vec<SourceState>,
    /// What somebody else has reserved for `pay` since.
    pub(crate) reserved_since: Option<u32>,
    /// The audit log, in which everything must stand that is begun.
    pub(crate) audit: Option<PathBuf>,
    /// What acting waits for.
    pub(crate) waits_for: Option<Arc<Notify>>,
    /// What is told that undoing has begun, and what that then waits for.
    pub(crate) undoing: Option<(Arc<Notify>, Arc<Notify>)>,
}

impl Account {
    fn before(state: &AccountState) -> Before {
        Before {
            function_arn: "arn:aws:lambda:eu-west-1:123456789012:function:pay".to_owned(),
            role_arn: "arn:aws:iam::123456789012:role/pay-role".to_owned(),
            memory_mb: state.memory_mb.unwrap_or(512),
            revision_id: state.revision.to_string(),
            sources: state.sources.clone(),
            ..Before::default()
        }
    }

    /// What was called since this was asked last.
    pub(crate) fn called(&self) -> Vec<String> {
        std::mem::take(&mut self.state().called)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut AccountState)) {
        change(&mut self.state());
    }

    pub(crate) fn memory_mb(&self) -> Option<u32> {
        self.state().memory_mb
    }

    fn state(&self) -> MutexGuard<'_, AccountState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, order: Order) -> Result<Report, Failure> {
        let mut state = self.state();
        let before = Self::before(&state);
        let now = UnixSeconds(0);
        let (plan, calls) = match order {
            Order::Look { id, action } => {
                let plan = Plan::of(&action, &id, now, &before).expect("a good action");
                (Some(plan), Vec::new())
            }
            Order::Act { id, action, seen } => {
                assert_eq!(seen, before.digest());
                if let Some(audit) = &state.audit {
                    let log = std::fs::read_to_string(audit).expect("a log");
                    let last = log.lines().last().expect("an entry");
                    let is_written = last.contains(r#""event":"began""#);
                    assert!(is_written && last.contains(&id.to_string()), "{last}");
                }
                let plan = Plan::of(&action, &id, now, &before).expect("a good action");
                let calls = plan.calls.clone();
                if let Action::Memory { memory_mb, .. } = action {
                    state.memory_mb = Some(memory_mb);
                }
                (Some(plan), calls)
            }
            Order::Undo { id, action, before } => {
                let mut now = before.clone();
                now.reserved = state.reserved_since.or(Some(0));
                now.memory_mb = state.memory_mb.unwrap_or(512);
                let calls = undo(&action, &id, &before, &now);
                let calls = calls.map_err(|error| Failure::new("drifted", error))?;
                if let Action::Memory { .. } = action {
                    state.memory_mb = Some(before.memory_mb);
                }
                (None, calls)
            }
            Order::Sources { .. } => (None, Vec::new()),
        };
        let done: Vec<Done> = calls
            .iter()
            .map(|call| Done {
                call: call.operation.clone(),
                request_id: "r-1".to_owned(),
            })
            .collect();
        state.called.extend(done.iter().map(|it| it.call.clone()));
        match state.trouble {
            Some(code) if !done.is_empty() => Err(Failure::new(code, code)),
            _ => Ok(Report {
                before,
                plan,
                dry_run: DryRun::None,
                done,
            }),
        }
    }
}

impl Actuator for Account {
    fn place(&self) -> String {
        "pretended".to_owned()
    }

    fn follow(&self, order: Order) -> Following<'_> {
        let is_act = matches!(order, Order::Act { .. });
        let is_undo = matches!(order, Order::Undo { .. });
        let waits_for = self.state().waits_for.clone();
        let undoing = self.state().undoing.clone();
        Box::pin(async move {
            if let Some(waits_for) = waits_for.filter(|_| is_act) {
                waits_for.notified().await;
            }
            if let Some((begun, waits_for)) = undoing.filter(|_| is_undo) {
                begun.notify_one();
                waits_for.notified().await;
            }
            self.answer(order)
        })
    }
}
