//! What came of other memory sizes, in the background: whether a function is as quick as was predicted since somebody gave
//! it another size.
//!
//! It is written into the audit log and told once, as soon as enough invocations are known. What is tried is kept by it
//! where it is as was predicted. Nothing is undone by it: who reads that it is slower may undo it, and what is tried is
//! put back at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use throughline_act::{Action, ActionId, Standing, UnixSeconds, Verdict};
use throughline_insight::rightsize::{Change, Verdict as Came, Why};
use throughline_notify::Teller;
use throughline_telemetry::UnixNanos;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::actions::{ActError, Actions};
use crate::advising::came_of;
use crate::api::{Queries, Resized, verify};

/// Looks at what came of other memory sizes until the server stops.
pub(crate) struct Verifying {
    pub(crate) actions: Actions,
    pub(crate) queries: Queries,
    pub(crate) teller: Teller,
}

impl Verifying {
    /// Looks until the server stops.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut later = BTreeMap::new();
        loop {
            let look = async {
                looks.tick().await;
                self.look(&mut later).await;
            };
            tokio::select! {
                () = look => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    /// One look at each whose turn has come: soon after it was done often, later ever more rarely.
    async fn look(&self, later: &mut BTreeMap<ActionId, UnixSeconds>) {
        let now = self.actions.now();
        let waiting = self.actions.unverified();
        later.retain(|id, _| waiting.iter().any(|it| it.id == *id));
        for standing in waiting {
            if later.get(&standing.id).is_some_and(|at| *at > now) {
                continue;
            }
            let Some(resized) = resized(&standing) else {
                continue;
            };
            let age = now.0.saturating_sub(resized.at.0 / NANOS);
            let next = next_look(now, age, standing.until);
            later.insert(standing.id.clone(), next);
            let until = UnixNanos(now.0.saturating_mul(NANOS));
            match verify(&self.queries, &resized, until).await {
                Ok(None) => {}
                Ok(Some(came)) => {
                    let id = standing.id;
                    if let Err(error) = self.note(&id, &resized.function, &came).await {
                        tracing::warn!(%error, %id, "what came of another memory size is not written down");
                        later.insert(id, now.plus(AGAIN_SECONDS));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, id = %standing.id, "what came of another memory size is not known");
                }
            }
        }
    }

    async fn note(
        &self,
        id: &ActionId,
        function: &str,
        came: &Result<Change, Why>,
    ) -> Result<(), ActError> {
        let (verdict, sentence) = words(came);
        let Some(standing) = self.actions.verified(id, verdict, &sentence).await? else {
            return Ok(());
        };
        let settings = self.teller.settings();
        let now = UnixNanos(self.actions.now().0.saturating_mul(NANOS));
        let notice = came_of(function, (verdict, &sentence), &standing, &settings, now);
        self.teller.tell(&notice);
        Ok(())
    }
}

/// Ever more rarely, but every minute just before it is put back: that is the last chance to be as was predicted.
fn next_look(now: UnixSeconds, age_seconds: u64, until: Option<UnixSeconds>) -> UnixSeconds {
    let again = now.plus(AGAIN_SECONDS);
    let next = again.max(now.plus(age_seconds / PART_OF_AGE));
    match until {
        Some(until) if until > now => {
            let last = UnixSeconds(until.0.saturating_sub(LAST_LOOKS_SECONDS));
            next.min(again.max(last))
        }
        _ => next,
    }
}

/// What was done, if it gave a function another size.
fn resized(standing: &Standing) -> Option<Resized> {
    let Action::Memory {
        function,
        memory_mb,
        ..
    } = &standing.action
    else {
        return None;
    };
    Some(Resized {
        function: function.to_string(),
        before_mb: standing.before.as_ref()?.memory_mb,
        memory_mb: *memory_mb,
        at: UnixNanos(standing.done?.0.saturating_mul(NANOS)),
    })
}

fn words(came: &Result<Change, Why>) -> (Verdict, String) {
    match came {
        Ok(change) => {
            let verdict = match change.verdict {
                Came::Slower { .. } => Verdict::Slower,
                Came::AsPredicted { .. } => Verdict::AsPredicted,
                Came::TooEarly { .. } => Verdict::Unknown,
            };
            (verdict, change.outcome())
        }
        Err(why) => (
            Verdict::Unknown,
            format!("nothing was predicted of it: {why}"),
        ),
    }
}

const NANOS: u64 = 1_000_000_000;
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// No action is looked at more often.
const AGAIN_SECONDS: u64 = 60;
/// The next look is after this part of the time since it was done: after an hour every six minutes, after a day every two
/// and a half hours.
const PART_OF_AGE: u64 = 10;
/// How long before its end what is tried is looked at every minute.
const LAST_LOOKS_SECONDS: u64 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(action: &str) -> Standing {
        Standing {
            id: "0123456789abcdef".parse().unwrap(),
            action: serde_json::from_str(action).unwrap(),
            incident: None,
            state: throughline_act::State::Done,
            proposed: UnixSeconds(1),
            done: Some(UnixSeconds(2)),
            until: None,
            kept: None,
            before: Some(throughline_act::Before {
                memory_mb: 512,
                ..Default::default()
            }),
            why: None,
            verified: None,
            who: None,
        }
    }

    #[test]
    fn what_is_verified_is_another_memory_size() {
        let memory = standing(r#"{"do":"memory","function":"pay","memory_mb":1024}"#);
        let resized_to = resized(&memory).unwrap();
        assert_eq!((resized_to.before_mb, resized_to.memory_mb), (512, 1024));
        assert_eq!(resized_to.at, UnixNanos(2_000_000_000));
        let stop = standing(r#"{"do":"stop","function":"pay","hours":1}"#);
        assert!(resized(&stop).is_none());
    }

    #[test]
    fn what_is_tried_is_looked_at_before_its_end() {
        const DAY: u64 = 24 * 3600;
        let end = 7 * DAY;
        let next =
            |age, until: Option<u64>| next_look(UnixSeconds(age), age, until.map(UnixSeconds)).0;
        assert_eq!(next(30, Some(end)), 90);
        assert_eq!(next(DAY, Some(end)), DAY + DAY / 10);
        // The next look by age alone would come after it was put back.
        assert_eq!(
            next(end - DAY / 2, None),
            end - DAY / 2 + 6 * DAY / 10 + DAY / 20
        );
        assert_eq!(next(end - DAY / 2, Some(end)), end - 600);
        assert_eq!(next(end - 600, Some(end)), end - 540);
        assert_eq!(next(end - 61, Some(end)), end - 1);
        // What cannot be put back is no reason to look every minute.
        assert_eq!(next(end, Some(end)), end + end / 10);
    }

    #[test]
    fn of_what_could_not_be_predicted_it_is_said_why() {
        let (verdict, sentence) = words(&Err(Why::NoProcessorTime));
        assert_eq!(verdict, Verdict::Unknown);
        assert_eq!(
            sentence,
            "nothing was predicted of it: nobody has measured its processor time"
        );
    }
}
