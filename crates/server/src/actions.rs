//! Actions: proposed, confirmed, done, undone, and written down.
//!
//! What is so is folded from the audit log ([`Record`]), so it is the same after a restart. The way of an action:
//! somebody proposes it, which makes a link; whoever opens the link sees what would be done; whoever confirms it has it
//! done, once; it is undone when somebody says so or when its time is over. Reading never acts.
//!
//! That somebody confirmed it is on disk before anything is called. A server that stops between that and the answer does
//! not know what came of it: it is [begun](State::Begun), can be undone, and is undone when its time is over.
//!
//! What changes something in the account goes to an [`Actuator`]. Without one (`--actions off`, which is what there is
//! unless told) findings can be ignored and people left alone, and that is all.

mod actuation;
mod advised;
mod audit;
mod error;
mod fit;
mod health;
mod keep;
mod offers;
mod sources;
mod verified;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use throughline_act::{
    Action, ActionId, BadAction, Claim, Digest, Entry, Event, Failure, FunctionName, ITSELF,
    LINK_LIFE_SECONDS, Links, Muted, Opened, Order, Record, Refused, Report, SourceState, Standing,
    State, UnixSeconds,
};
use throughline_insight::detect::{Allowed, Change};
use throughline_telemetry::UnixNanos;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::config::Clock;
use crate::detection::Detection;
use audit::Audit;

pub use actuation::{Actuation, Actuator, Following};
pub(crate) use advised::{Fit, advised_fit, needs};
pub(crate) use error::ActError;
pub(crate) use fit::of_incident as fitting;
pub(crate) use health::ActionsHealth;
pub(crate) use offers::Offers;
pub(crate) use sources::{Sources, consumers, takers, with_sources};

/// All actions of a server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Actions(Arc<Shared>);

struct Shared {
    actuation: Actuation,
    clock: Clock,
    detection: Detection,
    links: Links,
    log: Mutex<Log>,
    /// What is being done or undone.
    busy: Mutex<BTreeSet<ActionId>>,
    /// Sizes of memory that somebody is told functions should have.
    advised: Mutex<BTreeMap<String, u32>>,
}

struct Log {
    record: Record,
    audit: Audit,
}

/// What can be shown of an action to whoever has its link.
pub(crate) struct Shown {
    pub(crate) standing: Standing,
    pub(crate) opened: Opened,
    /// What would be done, and what was seen for it; or why that cannot be told.
    pub(crate) report: Result<Report, Failure>,
}

/// A person's confirmation.
pub(crate) struct Confirmation {
    pub(crate) who: String,
    /// What they typed.
    pub(crate) typed: Option<String>,
    /// What they saw.
    pub(crate) seen: Option<Digest>,
    /// Whether it is to stay, and not to be put back by itself.
    pub(crate) keep: bool,
}

/// An action that is being done or undone, so that nobody does the other meanwhile.
struct Busy {
    actions: Actions,
    id: ActionId,
}

impl Actions {
    /// Goes on where the last run was. Blocks on the disk.
    pub(crate) fn open(
        data_dir: &Path,
        actuation: Actuation,
        detection: Detection,
        clock: Clock,
    ) -> io::Result<Self> {
        let folder = data_dir.join("actions");
        let (audit, record) = Audit::open(&folder)?;
        let actions = Actions(Arc::new(Shared {
            actuation,
            clock,
            detection,
            links: audit::links(&folder)?,
            log: Mutex::new(Log { record, audit }),
            busy: Mutex::default(),
            advised: Mutex::default(),
        }));
        actions.tell_detection();
        Ok(actions)
    }

    /// Undoes what has reached its end, until the server stops.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut looks = tokio::time::interval(SWEEP_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut later = BTreeMap::new();
        loop {
            let sweep = async {
                looks.tick().await;
                self.sweep(&mut later).await;
            };
            tokio::select! {
                () = sweep => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    /// Makes a link at which an action can be confirmed within a day.
    pub(crate) async fn propose(
        &self,
        action: Action,
        incident: Option<u64>,
        who: String,
        audience: &str,
    ) -> Result<(ActionId, String, UnixSeconds), ActError> {
        let action = action.with_end().checked()?;
        let who = named(&who)?;
        let now = self.now();
        let id = new_id()?;
        let event = Event::Proposed {
            id: id.clone(),
            action: action.clone(),
            incident,
        };
        let proposed = action.clone();
        self.write(move |log| {
            log.record.check_trial(&proposed)?;
            match log.record.has_room(now) {
                true => log.take(now, who, None, event),
                false => Err(ActError::Full),
            }
        })
        .await?;
        let expires = now.plus(LINK_LIFE_SECONDS);
        let path = self.0.links.path(&Claim {
            id: &id,
            action: &action,
            audience,
            expires,
        });
        Ok((id, path, expires))
    }

    /// What whoever has the link may see: what would be done, how things are, what a dry run says. Changes nothing.
    pub(crate) async fn show(&self, id: &ActionId, key: &str) -> Result<Shown, ActError> {
        let standing = self.standing(id)?;
        let opened = self.0.links.open(id, &standing.action, key, self.now())?;
        let report = match standing.state {
            State::Proposed => match self.check_trial(&standing.action) {
                Ok(()) => self.look(id, &standing.action).await,
                Err(refused) => Err(Failure::new("impossible", refused)),
            },
            _ => Err(Failure::new("impossible", already(standing.state))),
        };
        Ok(Shown {
            standing,
            opened,
            report,
        })
    }

    /// Does what was proposed, once.
    pub(crate) async fn act(
        &self,
        id: &ActionId,
        key: &str,
        confirmation: Confirmation,
    ) -> Result<Standing, ActError> {
        let Confirmation {
            who,
            typed,
            seen,
            keep,
        } = confirmation;
        let who = named(&who)?;
        let standing = self.standing(id)?;
        let action = standing.action;
        let opened = self.0.links.open(id, &action, key, self.now())?;
        if standing.state != State::Proposed {
            return Err(ActError::State(already(standing.state)));
        }
        let function = action.function().filter(|_| action.is_destructive());
        if let Some(function) = function.filter(|name| typed.as_deref() != Some(*name)) {
            return Err(ActError::Typed(function.to_owned()));
        }
        if keep && action.kept().is_none() {
            return Err(ActError::State(keep::ENDS));
        }
        let _busy = self.occupy(id)?;
        let before = self.look(id, &action).await?.before;
        match seen {
            Some(seen) if seen != before.digest() => return Err(ActError::Changed),
            // Nobody changes an account without having seen how it is.
            None if action.function().is_some() => return Err(ActError::Unseen),
            _ => {}
        }
        let began = Event::Began {
            id: id.clone(),
            before: Box::new(before.clone()),
            keep,
        };
        self.begin(id, &who, &opened, began).await?;
        let order = Order::Act {
            id: id.clone(),
            action: action.clone(),
            seen: before.digest(),
        };
        let at = self.0.clock.now();
        let event = match self.follow(&action, order).await {
            Ok(report) => Event::Did {
                id: id.clone(),
                until: action.until(self.now()).filter(|_| !keep),
                done: report.done,
            },
            Err(failure) => Event::Failed {
                id: id.clone(),
                why: brief(&failure.message),
                // An answer that did not come says nothing of what was done.
                unsure: failure.code == "unreachable" || !failure.done.is_empty(),
                done: failure.done,
            },
        };
        let may_be_done = matches!(
            event,
            Event::Did { .. } | Event::Failed { unsure: true, .. }
        );
        let noted = self.note(who.clone(), Some(opened.audience), event).await;
        noted.map_err(ActError::of_what_came)?;
        self.tell_detection();
        if may_be_done {
            let what = action.change(&before, false);
            self.tell_change(&action, what, at, who).await;
        }
        self.standing(id)
    }

    /// Undoes what was done.
    pub(crate) async fn undo(&self, id: &ActionId, who: &str) -> Result<Standing, ActError> {
        let who = named(who)?;
        let busy = self.occupy(id)?;
        self.take_back(&busy, who).await
    }

    /// Undoes what has reached its end. It may have been kept since that was looked up.
    async fn end(&self, id: &ActionId) -> Result<(), ActError> {
        let busy = self.occupy(id)?;
        if self.standing(id)?.is_due(self.now()) {
            self.take_back(&busy, ITSELF.to_owned()).await?;
        }
        Ok(())
    }

    async fn take_back(&self, Busy { id, .. }: &Busy, who: String) -> Result<Standing, ActError> {
        let standing = self.standing(id)?;
        let before = match (standing.state, standing.before) {
            (State::Done | State::Begun, Some(before)) => before,
            (State::Proposed, _) => return Err(ActError::State("it was never done")),
            (state, _) => return Err(ActError::State(already(state))),
        };
        let order = Order::Undo {
            id: id.clone(),
            action: standing.action.clone(),
            before: before.clone(),
        };
        let at = self.0.clock.now();
        let failure = match self.follow(&standing.action, order).await {
            Ok(report) => {
                // Nothing is called where somebody else had undone it.
                let what = standing.action.change(&before, true);
                let what = what.filter(|_| !report.done.is_empty());
                let event = Event::Undid {
                    id: id.clone(),
                    done: report.done,
                };
                let noted = self.note(who.clone(), None, event).await;
                noted.map_err(ActError::of_what_came)?;
                self.tell_detection();
                self.tell_change(&standing.action, what, at, who).await;
                return self.standing(id);
            }
            Err(failure) => failure,
        };
        let why = brief(&failure.message);
        // What fails again and again for the same reason is written down once.
        if standing.why.as_ref() != Some(&why) {
            let event = Event::UndoFailed {
                id: id.clone(),
                why,
                drifted: failure.code == "drifted",
            };
            let noted = self.note(who, None, event).await;
            noted.map_err(ActError::of_what_came)?;
        }
        Err(failure.into())
    }

    /// Stops all actions, or lets them be done again. What was done can be undone either way.
    pub(crate) async fn switch(&self, who: &str, why: Option<String>) -> Result<(), ActError> {
        let event = match why {
            Some(why) if why.is_empty() || why.chars().count() > WHY_MAX => {
                return Err(BadAction::Text("why").into());
            }
            Some(why) => Event::Stopped { why },
            None => Event::Resumed,
        };
        self.note(named(who)?, None, event).await
    }

    /// `off`, or where actions are done.
    pub(crate) fn place(&self) -> String {
        self.0.actuation.place()
    }

    /// From where a function takes events, as the account has it. Changes nothing.
    pub(crate) async fn sources(
        &self,
        function: FunctionName,
    ) -> Result<Vec<SourceState>, ActError> {
        Ok(self.0.actuation.sources(function).await?)
    }

    /// Looks at what there is: the record, and all entries, oldest first.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Record, &[Entry]) -> T) -> T {
        let log = self.log();
        look(&log.record, log.audit.entries())
    }

    /// Undoes what has reached its end. What cannot be undone is tried again after a minute.
    async fn sweep(&self, later: &mut BTreeMap<ActionId, UnixSeconds>) {
        let now = self.now();
        let due = self.log().record.due(now);
        later.retain(|id, at| *at > now && due.contains(id));
        for id in due {
            if later.contains_key(&id) {
                continue;
            }
            let known = self.standing(&id).ok().and_then(|it| it.why);
            let Err(error) = self.end(&id).await else {
                continue;
            };
            if known != Some(brief(&error.to_string())) {
                tracing::warn!(%error, %id, "an action has reached its end and is not undone");
            }
            later.insert(id, now.plus(AGAIN_SECONDS));
        }
    }

    async fn look(&self, id: &ActionId, action: &Action) -> Result<Report, Failure> {
        let order = Order::Look {
            id: id.clone(),
            action: action.clone(),
        };
        self.follow(action, order).await
    }

    async fn begin(
        &self,
        id: &ActionId,
        who: &str,
        opened: &Opened,
        began: Event,
    ) -> Result<(), ActError> {
        let now = self.now();
        let (id, who, audience) = (id.clone(), who.to_owned(), opened.audience.clone());
        // Whether it may be done and that it is begun are one step, so that no two do it.
        self.write(move |log| {
            let standing = log.record.action(&id);
            let standing = standing.ok_or_else(|| ActError::Unknown(id.to_string()))?;
            if standing.state != State::Proposed {
                return Err(ActError::State(already(standing.state)));
            }
            if standing.action.function().is_some() {
                log.record.gate().check(now)?;
            }
            log.record.check_trial(&standing.action)?;
            log.take(now, who, Some(audience), began)
        })
        .await
    }

    async fn follow(&self, action: &Action, order: Order) -> Result<Report, Failure> {
        let now = self.now();
        self.0.actuation.follow(action, order, now).await
    }

    async fn note(
        &self,
        who: String,
        by_link_for: Option<String>,
        event: Event,
    ) -> Result<(), ActError> {
        let now = self.now();
        self.write(move |log| log.take(now, who, by_link_for, event))
            .await
    }

    /// Works on the log where blocking on the disk is in nobody's way.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Log) -> Result<T, ActError> + Send + 'static,
    ) -> Result<T, ActError> {
        let actions = self.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let mut log = actions.log();
            work(&mut log)
        });
        match writing.await {
            Ok(done) => done,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }

    fn check_trial(&self, action: &Action) -> Result<(), Refused> {
        self.log().record.check_trial(action)
    }

    fn standing(&self, id: &ActionId) -> Result<Standing, ActError> {
        let standing = self.log().record.action(id).cloned();
        standing.ok_or_else(|| ActError::Unknown(id.to_string()))
    }

    /// What people do not want to be told of now.
    pub(crate) fn muted(&self) -> Vec<Muted> {
        let now = self.now();
        self.log().record.muted(now)
    }

    /// Findings that are ignored open no incidents.
    fn tell_detection(&self) {
        // Under the lock, so that what is told last is what is so.
        let log = self.log();
        let ignored = log.record.ignored(self.now());
        let allowed = ignored.into_iter().map(|it| Allowed {
            node: it.node,
            to: it.to,
            class: it.class,
            operation: it.operation,
            signature: it.signature,
            kind: it.kind,
            until: UnixNanos(it.until.0.saturating_mul(NANOS)),
        });
        self.0.detection.allow(allowed.collect());
    }

    /// What follows from what was done is explained by it.
    async fn tell_change(&self, action: &Action, what: Option<String>, at: UnixNanos, who: String) {
        let Some((function, what)) = action.function().zip(what) else {
            return;
        };
        let change = Change {
            node: format!("function:{function}"),
            at,
            what,
            before: None,
            by: Some(who),
        };
        let detection = self.0.detection.clone();
        let telling = tokio::task::spawn_blocking(move || detection.changed(change));
        if let Err(failed) = telling.await {
            std::panic::resume_unwind(failed.into_panic());
        }
    }

    fn occupy(&self, id: &ActionId) -> Result<Busy, ActError> {
        match self.busy().insert(id.clone()) {
            true => Ok(Busy {
                actions: self.clone(),
                id: id.clone(),
            }),
            false => Err(ActError::State(
                "it is being done or undone right now: look again in a moment",
            )),
        }
    }

    pub(crate) fn now(&self) -> UnixSeconds {
        UnixSeconds(self.0.clock.now().0 / NANOS)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> MutexGuard<'_, BTreeSet<ActionId>> {
        self.0.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Writes an entry down, then lets it count.
    fn take(
        &mut self,
        at: UnixSeconds,
        who: String,
        by_link_for: Option<String>,
        event: Event,
    ) -> Result<(), ActError> {
        let entry = Entry {
            at,
            who,
            by_link_for,
            event,
        };
        self.audit.append(entry.clone())?;
        self.record.take(&entry);
        Ok(())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.actions.busy().remove(&self.id);
    }
}

/// Nobody goes by the name of what happens by itself.
fn named(who: &str) -> Result<String, ActError> {
    let who = who.trim();
    let is_name = (1..=NAME_MAX).contains(&who.chars().count());
    match is_name && !who.eq_ignore_ascii_case(ITSELF) && !who.contains(char::is_control) {
        true => Ok(who.to_owned()),
        false => Err(ActError::Nobody),
    }
}

/// What others say of themselves may be as long as they like.
fn brief(text: &str) -> String {
    text.chars().take(BRIEF_MAX).collect()
}

fn already(state: State) -> &'static str {
    match state {
        State::Proposed => "nobody has confirmed it yet",
        State::Begun => "it is being done, or nobody knows whether it was: links act once",
        State::Done => "it was done already: links act once",
        State::Failed => "it was tried already and failed: propose it again",
        State::Undone => "it was done and undone already: links act once",
        State::Drifted => "somebody has changed it since, so it is theirs",
    }
}

/// Of the time and of chance, so that those proposed later come later.
fn new_id() -> Result<ActionId, ActError> {
    let id = uuid::Uuid::now_v7().simple().to_string();
    Ok(id.parse::<ActionId>()?)
}

const NANOS: u64 = 1_000_000_000;
const NAME_MAX: usize = 200;
const WHY_MAX: usize = 500;
const BRIEF_MAX: usize = 1000;
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// After which an undoing that failed is tried again.
const AGAIN_SECONDS: u64 = 60;
