//! Incidents become notices.
//!
//! Every few seconds the incidents that there are are held against those that were looked at before: what has begun,
//! has become worse or has ended is told. So it does not matter when the server was down, nor that a restart finds
//! the same minutes again: the outbox knows what was told.
//!
//! What people do about them counts as well: that somebody has acted is told to pagers, and whoever does not want to be
//! bothered with something is not told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use throughline_act::{Muted, State as ActionState, UnixSeconds};
use throughline_insight::cause::Answer;
use throughline_insight::detect::{Incident, Severity, State};
use throughline_insight::investigate::Investigation;
use throughline_notify::settings::Mute;
use throughline_notify::{
    Besides, Concern, Line, Link, Notice, Phase, Teller, Whose, about, concerns, iso, notice_of,
};
use throughline_telemetry::UnixNanos;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, timeout_at};

use crate::actions::{Actions, Offers};
use crate::api::{Queries, cause_of, whose_of};
use crate::config::Config;
use crate::detection::Detection;

/// Tells of incidents. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Telling {
    teller: Teller,
    detection: Detection,
    actions: Actions,
    queries: Queries,
}

/// What was looked at already.
#[derive(Default)]
struct Seen {
    /// Incidents as they were then.
    incidents: BTreeMap<u64, Look>,
    /// Where incidents are and whose. None is told before that was asked.
    whose: BTreeMap<u64, AskedWhose>,
    /// Incidents that somebody has acted on, and when that was proposed last.
    acted: BTreeMap<u64, UnixSeconds>,
    /// The version of the settings.
    version: u64,
}

/// An incident as it was.
struct Look {
    as_it_was: (State, Severity, BTreeSet<Concern>, Option<Whose>),
    /// The end of the last minute that was watched, if it was not known then where the incident comes from.
    unexplained: Option<UnixNanos>,
}

/// Where an incident is and whose, as it was asked last.
#[derive(Default)]
struct AskedWhose {
    /// The nodes that were in it.
    nodes: BTreeSet<String>,
    whose: Option<Whose>,
    /// The end of the last minute that was watched, if there was no answer.
    in_vain: Option<UnixNanos>,
}

/// How long all that is asked in one look is waited for, together: what is new meanwhile waits as long.
struct Patience {
    until: Instant,
}

impl Telling {
    /// Goes on where the last run was. Blocks on the disk.
    pub(crate) fn open(
        config: &Config,
        address: SocketAddr,
        detection: Detection,
        actions: Actions,
        queries: Queries,
    ) -> Self {
        let clock = config.clock();
        let (teller, errors) = Teller::open(
            config.data_dir(),
            format!("http://{address}"),
            Arc::new(move || clock.now()),
            variable,
            Arc::new(Offers::new(actions.clone(), queries.clone())),
        );
        for error in errors {
            tracing::error!("{error}");
        }
        Telling {
            teller,
            detection,
            actions,
            queries,
        }
    }

    pub(crate) fn teller(&self) -> &Teller {
        &self.teller
    }

    /// Tells until the server stops.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let sending = tokio::spawn(self.teller.clone().run(stopped.clone()));
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = Seen::default();
        loop {
            let look = async {
                looks.tick().await;
                self.look(&mut seen).await;
            };
            tokio::select! {
                () = look => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        if let Err(error) = sending.await {
            tracing::error!(%error, "sending ended badly");
        }
    }

    async fn look(&self, seen: &mut Seen) {
        self.teller.mute(self.muted());
        let version = self.teller.version();
        if seen.version != version {
            // Whoever can be told from now on hears of what goes on.
            seen.version = version;
            seen.incidents.clear();
        }
        if self.teller.settings().raw().receivers.is_empty() {
            return;
        }
        self.forget();
        self.ask_whose(seen).await;
        let patience = Patience::of(PATIENCE);
        let mut changed = self.changed(seen);
        let news = changed.len();
        changed.extend(self.unexplained(seen));
        for (at, incident) in changed.into_iter().enumerate() {
            let complete = self.detection.complete();
            let cause = match at < CAUSES_MAX {
                true => self.cause(&incident, &patience).await,
                false => None,
            };
            if at < news || cause.is_some() {
                let (phase, whose) = (phase(&incident), seen.whose_of(&incident));
                let notice = self.notice(&incident, phase, cause.as_ref(), whose);
                self.teller.tell(&notice);
            }
            let look = Look {
                as_it_was: seen.as_it_is(&incident),
                unexplained: cause.is_none().then_some(complete),
            };
            seen.incidents.insert(incident.id, look);
        }
        self.tell_acted(seen);
    }

    /// Asks where incidents are and whose, the gravest first: once with all that is in them, and again after a minute
    /// where there was no answer, after all others. Those that there is no time for are asked about in the next look.
    async fn ask_whose(&self, seen: &mut Seen) {
        let complete = self.detection.complete();
        let mut due: Vec<Incident> = self.detection.with(|detector| {
            let all = detector.incidents().iter();
            all.filter(|it| self.is_news(it) && seen.asks_whose(it, complete))
                .cloned()
                .collect()
        });
        due.sort_by_key(|it| (seen.is_in_vain(it), std::cmp::Reverse(it.severity())));
        let patience = Patience::of(WHOSE_PATIENCE);
        for incident in due {
            if patience.is_over() {
                break;
            }
            let answer = patience.wait(whose_of(&self.queries, &incident)).await;
            let answer = answer.flatten();
            let asked = seen.whose.entry(incident.id).or_default();
            asked.nodes = incident.nodes().into_iter().cloned().collect();
            asked.in_vain = answer.is_none().then_some(complete);
            asked.whose = answer.or(asked.whose.take());
        }
    }

    /// Whether somebody is to be told of it, or of its end.
    fn is_news(&self, incident: &Incident) -> bool {
        incident.state == State::Open || self.teller.is_open(&about(incident))
    }

    /// Incidents that have not changed, and of which more may be known by now: more minutes have gone by, and somebody
    /// was told of them without their cause.
    fn unexplained(&self, seen: &Seen) -> Vec<Incident> {
        let complete = self.detection.complete();
        let is_due = |incident: &&Incident| {
            let look = seen.incidents.get(&incident.id);
            let look = look.filter(|it| it.as_it_was == seen.as_it_is(incident));
            let since = look.and_then(|it| it.unexplained);
            incident.state == State::Open
                && incident.severity() > Severity::Note
                && incident.opened.plus(EXPLAINED_WITHIN) > complete
                && since.is_some_and(|since| since < complete)
        };
        self.detection.with(|detector| {
            let all = detector.incidents().iter();
            all.filter(is_due).cloned().collect()
        })
    }

    /// Incidents that are another than they were when they were looked at, the gravest first.
    fn changed(&self, seen: &mut Seen) -> Vec<Incident> {
        let mut changed: Vec<Incident> = self.detection.with(|detector| {
            let all = detector.incidents();
            let known: BTreeSet<u64> = all.iter().map(|incident| incident.id).collect();
            seen.incidents.retain(|id, _| known.contains(id));
            seen.whose.retain(|id, _| known.contains(id));
            let changed = all.iter().filter(|incident| {
                let look = seen.incidents.get(&incident.id);
                let is_asked = seen.whose.contains_key(&incident.id);
                let has_changed = look.is_none_or(|it| it.as_it_was != seen.as_it_is(incident));
                is_asked && has_changed && self.is_news(incident)
            });
            changed.cloned().collect()
        });
        changed.sort_by_key(|incident| std::cmp::Reverse(incident.severity()));
        changed
    }

    /// Tells the end of what detection remembers no more, once it knows all that there is to know.
    fn forget(&self) {
        let behind = self.detection.health().behind;
        if behind.is_none_or(|behind| behind > CAUGHT_UP) {
            return;
        }
        let known: BTreeSet<String> = self
            .detection
            .with(|detector| detector.incidents().iter().map(about).collect());
        self.teller.forget_others(&known);
    }

    /// Tells that somebody has acted on incidents.
    fn tell_acted(&self, seen: &mut Seen) {
        let mut acted: BTreeMap<u64, UnixSeconds> = BTreeMap::new();
        self.actions.with(|record, _| {
            let confirmed = record.actions();
            for action in confirmed.filter(|it| it.state != ActionState::Proposed) {
                // Those that were proposed later come later.
                acted.extend(action.incident.map(|incident| (incident, action.proposed)));
            }
        });
        for (id, proposed) in &acted {
            if seen.acted.get(id) == Some(proposed) {
                continue;
            }
            let incident: Option<Incident> = self.detection.with(|detector| {
                let mut all = detector.incidents().iter();
                // Numbers begin with 1 again after what detection remembered is lost.
                let is_it = |it: &&Incident| it.id == *id && it.opened.0 / NANOS <= proposed.0;
                all.find(is_it).cloned()
            });
            if let Some(incident) = incident {
                let whose = seen.whose_of(&incident);
                let notice = self.notice(&incident, Phase::Acknowledged, None, whose);
                self.teller.acted(&notice);
            }
        }
        seen.acted = acted;
    }

    /// What people do not want to be bothered with, by actions that they have confirmed.
    fn muted(&self) -> Vec<Mute> {
        let mute = |it: Muted| Mute {
            nodes: it.node.as_str().into(),
            to: it.to.as_deref().map(Into::into),
            kinds: it.kind.as_str().into(),
            person: Some(it.person),
            until_unix_nanos: Some(it.until.0.saturating_mul(NANOS)),
            reason: String::new(),
        };
        let muted = self.actions.muted().into_iter();
        muted.take(MUTES_MAX).map(mute).collect()
    }

    /// Where an incident comes from, if that is known soon enough to be told with it.
    async fn cause(&self, incident: &Incident, patience: &Patience) -> Option<Answer> {
        let cause = cause_of(&self.detection, &self.queries, incident);
        let known = patience.wait(cause).await;
        if known.is_none() {
            tracing::warn!(
                incident = incident.id,
                "an incident is told before its cause is known"
            );
        }
        known.flatten()
    }

    fn notice(
        &self,
        incident: &Incident,
        phase: Phase,
        cause: Option<&Answer>,
        whose: Option<&Whose>,
    ) -> Notice {
        let settings = self.teller.settings();
        let base = settings.base();
        let besides = Besides {
            cause,
            evidence: &evidence(incident, cause.map(|answer| &answer.told), base),
            actions: &actions(incident, base),
            environment: &settings.raw().environment,
            whose,
            base,
        };
        let notice = notice_of(incident, phase, besides, self.detection.now());
        match incident.state {
            State::MergedInto(id) => Notice {
                title: Line::new(&format!("this is part of incident {id}")),
                page: format!("{base}/incidents/{id}"),
                ..notice
            },
            State::Open | State::Closed(_) => notice,
        }
    }
}

impl Seen {
    fn as_it_is(&self, incident: &Incident) -> (State, Severity, BTreeSet<Concern>, Option<Whose>) {
        let whose = self.whose_of(incident).cloned();
        (
            incident.state,
            incident.severity(),
            concerns(incident),
            whose,
        )
    }

    fn whose_of(&self, incident: &Incident) -> Option<&Whose> {
        self.whose.get(&incident.id)?.whose.as_ref()
    }

    fn is_in_vain(&self, incident: &Incident) -> bool {
        let asked = self.whose.get(&incident.id);
        asked.is_some_and(|asked| asked.in_vain.is_some())
    }

    /// Whether it is to be asked where an incident is and whose: it never was, or without one of its nodes, or in vain a
    /// minute ago.
    fn asks_whose(&self, incident: &Incident, complete: UnixNanos) -> bool {
        self.whose.get(&incident.id).is_none_or(|asked| {
            let mut nodes = incident.nodes().into_iter();
            !nodes.all(|node| asked.nodes.contains(node))
                || asked.in_vain.is_some_and(|then| then < complete)
        })
    }
}

impl Patience {
    fn of(time: Duration) -> Self {
        Patience {
            until: Instant::now() + time,
        }
    }

    /// What comes of this, if it comes in time. Nothing is begun that nobody waits for any more.
    async fn wait<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.is_over() {
            true => None,
            false => timeout_at(self.until, work).await.ok(),
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

fn phase(incident: &Incident) -> Phase {
    match incident.state {
        State::Open => Phase::Opened,
        State::Closed(_) | State::MergedInto(_) => Phase::Closed,
    }
}

/// The page of what it is of, and the question where it comes from.
fn evidence(incident: &Incident, cause: Option<&Investigation>, base: &str) -> Vec<Link> {
    let first = incident.findings.first().map(|known| &known.finding);
    let Some(first) = first.and_then(|finding| finding.subject.nodes().next()) else {
        return Vec::new();
    };
    let mut links = Vec::new();
    if let Some(alert) = incident.outer() {
        if !alert.href.is_empty() {
            links.push(Link {
                text: Line::new(&format!("{} at {}", alert.name, alert.source.title())),
                href: alert.href.clone(),
            });
        }
        if *first == alert.own_node() {
            return links;
        }
    }
    if let Some(("function" | "service", name)) = first.split_once(':') {
        links.push(Link {
            text: Line::new(&format!("The page of {name}")),
            href: function_page(base, name),
        });
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("node", cause.map_or(first, |cause| &cause.node));
    if let Some(cause) = cause {
        query.append_pair("symptom", cause.symptom.name());
    }
    query.append_pair("from", &iso(incident.since.minus(BEFORE)));
    if let State::Closed(at) = incident.state {
        query.append_pair("to", &iso(UnixNanos(at)));
    }
    links.push(Link {
        text: "Where it comes from".into(),
        href: format!("{base}/investigate?{}", query.finish()),
    });
    links
}

/// What can be done besides what a message [offers](Actions) to whom it is for: on the page of the incident, and not
/// hearing of it again.
fn actions(incident: &Incident, base: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let page = match incident.state {
        State::Open => Some(incident.id),
        State::MergedInto(id) => Some(id),
        State::Closed(_) => None,
    };
    if let Some(id) = page {
        links.push(Link {
            text: "Choose what to do about it".into(),
            href: format!("{base}/incidents/{id}#actions"),
        });
    }
    let first = incident.findings.first().map(|known| &known.finding);
    if let Some(finding) = first {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, node) in ["mute", "to"].into_iter().zip(finding.subject.nodes()) {
            query.append_pair(name, node);
        }
        let query = query.append_pair("kind", finding.kind.name()).finish();
        links.push(Link {
            text: "Don't bother me again".into(),
            href: format!("{base}/notifications?{query}"),
        });
    }
    links
}

/// The address of a function's page.
pub(crate) fn function_page(base: &str, name: &str) -> String {
    format!("{base}/functions/{}", encoded(name))
}

/// As a part of a path.
fn encoded(text: &str) -> String {
    let text: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    text.replace('+', "%20")
}

#[allow(clippy::disallowed_methods)] // the edge where secrets come from the environment
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What is asked begins a while before, so that the beginning is seen.
const BEFORE: Duration = Duration::from_secs(30 * 60);
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// An incident whose cause was not known when it was told is looked at again after each minute, for so long.
const EXPLAINED_WITHIN: Duration = Duration::from_secs(15 * 60);
/// How long notices wait until it is known whose they are.
const WHOSE_PATIENCE: Duration = Duration::from_secs(10);
/// How long they wait for their causes after that.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of incidents that change at once, those that are told with their cause if there is time: the others must not wait for
/// theirs.
const CAUSES_MAX: usize = 5;
/// From the end of the last minute that is watched until now, where detection keeps up: three minutes at most.
const CAUGHT_UP: Duration = Duration::from_secs(240);
/// Of all people together.
const MUTES_MAX: usize = 1000;
const NANOS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use std::future::pending;

    use throughline_insight::detect::{Finding, InIncident, Kind, Measure, Subject};

    use super::*;

    #[tokio::test]
    async fn causes_of_one_look_have_one_patience_together() {
        let patience = Patience::of(Duration::from_secs(2));
        assert_eq!(patience.wait(async { 1 }).await, Some(1));
        assert_eq!(patience.wait(pending::<u8>()).await, None);
        let mut is_begun = false;
        let late = patience.wait(async { is_begun = true }).await;
        assert_eq!((late, is_begun), (None, false));
    }

    #[test]
    fn whose_an_incident_is_is_asked_once_and_again_for_what_is_new_in_it() {
        let minute = |minute: u64| UnixNanos(minute * 60 * NANOS);
        let mut incident = Incident {
            id: 1,
            since: minute(0),
            opened: minute(1),
            state: State::Open,
            findings: Vec::new(),
        };
        let mut seen = Seen::default();
        assert!(seen.asks_whose(&incident, minute(2)));
        let in_vain = AskedWhose {
            in_vain: Some(minute(2)),
            ..AskedWhose::default()
        };
        seen.whose.insert(1, in_vain);
        assert!(!seen.asks_whose(&incident, minute(2)));
        assert!(seen.asks_whose(&incident, minute(3)));
        let before = seen.as_it_is(&incident);
        let answered = AskedWhose {
            whose: Some(Whose::default()),
            ..AskedWhose::default()
        };
        seen.whose.insert(1, answered);
        assert!(!seen.asks_whose(&incident, minute(9)));
        assert_ne!(before, seen.as_it_is(&incident));
        incident.findings.push(InIncident {
            finding: Finding {
                subject: Subject::Node("function:pay".to_owned()),
                kind: Kind::Errors,
                before: None,
                after: Measure::exact(0.5, 100),
                since: minute(0),
                seen: minute(1),
                confidence: 0.99,
                severity: Severity::Warning,
                change: None,
            },
            goes_on: true,
        });
        assert!(seen.asks_whose(&incident, minute(9)));
    }
}
