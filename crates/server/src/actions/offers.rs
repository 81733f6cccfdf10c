//! What messages about an incident, and about memory that a function should have, offer: a link for each of the few things that fit it, made for whoever is told.
//!
//! An action is proposed once for an incident. Everybody who is told has a link of their own to it, so whoever confirms it
//! first has it done, and the others see that it was; not being bothered again is each person's own. Asking again gives
//! the same links until they would open for less than half a day.

use std::mem::discriminant;
use std::sync::PoisonError;

use throughline_act::{
    Action, Before, Claim, Event, ITSELF, LINK_LIFE_SECONDS, Offer, TRIED_HOURS,
};
use throughline_insight::detect::{Incident, State};
use throughline_notify::{Addressee, CHOICES_MAX, Choices, Choosing, Line, Link, Notice, about};

use super::{ActError, Actions, Sources, advised_fit, fit, needs, new_id, takers, with_sources};
use crate::advising::ADVICE;
use crate::api::Queries;

/// Makes the links of messages.
pub(crate) struct Offers {
    actions: Actions,
    /// What tells which memory is advised.
    queries: Queries,
}

impl Choices for Offers {
    fn choices<'a>(&'a self, notice: &'a Notice, to: Addressee<'a>) -> Choosing<'a> {
        Box::pin(self.offers(notice, to))
    }
}

impl Offers {
    pub(crate) fn new(actions: Actions, queries: Queries) -> Self {
        Offers { actions, queries }
    }

    async fn offers(&self, notice: &Notice, to: Addressee<'_>) -> Vec<Link> {
        let Offers { actions, queries } = self;
        let audience = format!("{}:{}", to.channel, to.person);
        if let Some(function) = notice.about.strip_prefix(ADVICE) {
            let resize = actions.resize(function).into_iter().collect();
            let none = Before::default();
            return actions.links(resize, None, &audience, &none).await;
        }
        let detection = &actions.0.detection;
        let found = detection.with(|detector| {
            let is_it = |it: &&Incident| about(it) == notice.about;
            let incident = detector.incidents().iter().find(is_it)?;
            let fitting = fit::of_incident(incident, detector, Some(to.person));
            let takers = takers(incident, detector);
            let known = (incident.id, fitting, needs(incident), takers);
            (incident.state == State::Open).then_some(known)
        });
        // An alert, a test, or an incident that has ended meanwhile.
        let Some((incident, fitting, needs, takers)) = found else {
            return Vec::new();
        };
        let may_change = actions.may_change();
        let (fitting, named): (Vec<Action>, Before) = match may_change {
            true => {
                let (fit, sources) = tokio::join!(
                    advised_fit(queries, fitting, &needs, detection.now()),
                    Sources::of(actions, &takers)
                );
                let fit = with_sources(fit, &takers, &sources).into_iter();
                let all = fit.flat_map(|fit| fit.actions);
                (all.map(|(action, _)| action).collect(), sources.named())
            }
            // What is left needs neither advice nor the account.
            false => {
                let all = fitting.into_iter().flat_map(|(_, all)| all);
                (all.collect(), Before::default())
            }
        };
        let few = few(fitting.into_iter(), may_change);
        actions.links(few, Some(incident), &audience, &named).await
    }
}

impl Actions {
    /// Somebody is told that a function should have so much memory, and can choose to give it that.
    pub(crate) fn advised(&self, function: &str, memory_mb: u32) {
        let advised = self.0.advised.lock();
        let mut advised = advised.unwrap_or_else(PoisonError::into_inner);
        advised.insert(function.to_owned(), memory_mb);
    }

    /// The size of memory that somebody is told of, where it may be changed.
    fn resize(&self, function: &str) -> Option<Action> {
        let may_change = self.may_change();
        let advised = self.0.advised.lock();
        let advised = advised.unwrap_or_else(PoisonError::into_inner);
        Some(Action::Memory {
            function: function.parse().ok()?,
            memory_mb: *advised.get(function).filter(|_| may_change)?,
            hours: Some(TRIED_HOURS),
        })
    }

    /// Whether anything in the account may be changed.
    fn may_change(&self) -> bool {
        self.0.actuation.is_on() && self.with(|it, _| it.gate().stopped().is_none())
    }

    /// `named` has the names of what actions are about.
    async fn links(
        &self,
        few: Vec<Action>,
        incident: Option<u64>,
        audience: &str,
        named: &Before,
    ) -> Vec<Link> {
        let mut links = Vec::new();
        for action in few {
            let text = Line::new(&label(&action, named));
            match self.offer(action, incident, audience).await {
                Ok(Some(href)) => links.push(Link { text, href }),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, ?incident, "a message lacks links to choose by");
                    break;
                }
            }
        }
        links
    }

    /// The path at which an action can be confirmed; none where it is being done or was done.
    async fn offer(
        &self,
        action: Action,
        incident: Option<u64>,
        audience: &str,
    ) -> Result<Option<String>, ActError> {
        let action = action.with_end().checked()?;
        let (now, fresh, offered) = (self.now(), new_id()?, action.clone());
        // Whether it was proposed and that it is are one step, so that it is proposed once.
        let offering = self.write(move |log| match log.record.offer(&offered, incident, now) {
            Offer::Again(id, expires) => Ok(Some((id, expires))),
            Offer::Anew => {
                let event = Event::Proposed {
                    id: fresh.clone(),
                    action: offered,
                    incident,
                };
                log.take(now, ITSELF.to_owned(), None, event)?;
                Ok(Some((fresh, now.plus(LINK_LIFE_SECONDS))))
            }
            Offer::Done => Ok(None),
            Offer::Full => Err(ActError::Full),
        });
        let offered = offering.await?;
        Ok(offered.map(|(id, expires)| {
            let path = self.0.links.path(&Claim {
                id: &id,
                action: &action,
                audience,
                expires,
            });
            // Nothing but a way back for when the link has expired and nothing is known of it.
            match incident {
                Some(incident) => format!("{path}&incident={incident}"),
                None => path,
            }
        }))
    }
}

/// Of what fits an incident the first of each sort, what harms least first. Nothing that changes the account where
/// nobody may.
fn few(fitting: impl Iterator<Item = Action>, may_change: bool) -> Vec<Action> {
    let mut few: Vec<Action> = Vec::new();
    for action in fitting.filter(|it| may_change || it.function().is_none()) {
        if few
            .iter()
            .all(|it| discriminant(it) != discriminant(&action))
        {
            few.push(action);
        }
    }
    few.sort_by_key(|action| match action {
        Action::Ignore { .. } => 0,
        Action::Mute { .. } => 1,
        Action::Deny { .. } => 2,
        Action::Disable { .. } => 3,
        Action::Stop { .. } => 4,
        Action::Memory { .. } => 5,
    });
    // Where events can wait, the function itself need not be stopped.
    let disabled = few
        .iter()
        .find(|it| matches!(it, Action::Disable { .. }))
        .and_then(|it| it.function().map(str::to_owned));
    if few.len() > CHOICES_MAX && disabled.is_some() {
        let is_of_it = |it: &Action| it.function() == disabled.as_deref();
        few.retain(|it| !(matches!(it, Action::Stop { .. }) && is_of_it(it)));
    }
    few.truncate(CHOICES_MAX);
    few
}

/// As people choose it. What changes the account says what it would do.
fn label(action: &Action, named: &Before) -> String {
    match action {
        Action::Ignore { .. } => "Ignore from now on".to_owned(),
        Action::Mute { .. } => "Don't bother me again".to_owned(),
        Action::Deny { .. } | Action::Stop { .. } | Action::Disable { .. } => {
            format!("Shut it down: {}", action.title_in(named))
        }
        Action::Memory { .. } => format!("Update setting: {}", action.title()),
    }
}

#[cfg(test)]
mod tests {
    use throughline_act::SourceState;

    use super::*;

    #[test]
    fn a_message_offers_the_first_of_each_sort() {
        let all = [
            r#"{"do":"memory","function":"pay","memory_mb":1024}"#,
            r#"{"do":"stop","function":"pay","hours":1}"#,
            r#"{"do":"ignore","node":"function:pay","kind":"latency","reason":"ok","days":1}"#,
            r#"{"do":"mute","person":"a","node":"function:pay","kind":"latency","days":1}"#,
            r#"{"do":"deny","function":"pay","resource":"table:users","class":"write","hours":4}"#,
            r#"{"do":"deny","function":"pay","resource":"table:other","class":"write","hours":4}"#,
        ];
        let labels = |may_change: bool| {
            let all = all.iter().map(|it| serde_json::from_str(it).unwrap());
            let few = few(all, may_change);
            let labels = few.iter().map(|action| label(action, &Before::default()));
            labels.collect::<Vec<_>>()
        };
        assert_eq!(
            labels(true),
            [
                "Ignore from now on",
                "Don't bother me again",
                "Shut it down: deny pay writing to table:users for 4 hours",
                "Shut it down: stop pay for 1 hour",
            ]
        );
        assert_eq!(
            labels(false),
            ["Ignore from now on", "Don't bother me again"]
        );
    }

    #[test]
    fn an_event_source_is_called_by_its_name_and_comes_before_a_stop() {
        let source = SourceState {
            id: "9c2b1f5e-1111-4222-8333-444455556666".to_owned(),
            source_arn: "arn:aws:sqs:eu-west-1:123456789012:orders".to_owned(),
            names: vec![],
            enabled: true,
        };
        let named = Before {
            sources: vec![source],
            ..Before::default()
        };
        let all = [
            r#"{"do":"stop","function":"pay","hours":1}"#,
            r#"{"do":"disable","function":"pay","source":"9c2b1f5e-1111-4222-8333-444455556666","hours":4}"#,
            r#"{"do":"ignore","node":"function:pay","kind":"retries","reason":"ok","days":1}"#,
            r#"{"do":"mute","person":"a","node":"function:pay","kind":"retries","days":1}"#,
            r#"{"do":"memory","function":"pay","memory_mb":1024,"hours":168}"#,
        ];
        let labels = |all: &[&str]| {
            let all = all.iter().map(|it| serde_json::from_str(it).unwrap());
            let few = few(all, true);
            let labels = few.iter().map(|action| label(action, &named));
            labels.collect::<Vec<_>>()
        };
        let [ignore, mute] = ["Ignore from now on", "Don't bother me again"];
        let disable = "Shut it down: disable event source SQS orders of pay for 4 hours";
        let stop = "Shut it down: stop pay for 1 hour";
        assert_eq!(labels(&all[..4]), [ignore, mute, disable, stop]);
        let memory = "Update setting: give pay 1024 MB of memory for 7 days";
        assert_eq!(labels(&all), [ignore, mute, disable, memory]);
    }
}
