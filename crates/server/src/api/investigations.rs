//! `POST /api/v1/investigations`: why was it slow, last night around ten?
//!
//! What is asked is read by [`question`](throughline_insight::question), answered from minutes of the store by
//! [`investigate`](throughline_insight::investigate), and shown with spans, log records and reports that say the same
//! or more. These have [`BUDGET`]: what is not there by then is left out, and the answer says so.

mod cause;
mod evidence;
mod examples;
mod filters;
mod gather;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use serde::Deserialize;
use throughline_insight::detect::Change;
use throughline_insight::facts::Facts;
use throughline_insight::investigate::{
    Affected, Investigation, affected, choose, investigate, noticed, times,
};
use throughline_insight::question::{
    Candidate, Name, Question, Said, Symptom, Wanted, Window, Zone, read as understand,
};
use throughline_telemetry::UnixNanos;
use tokio::sync::Semaphore;

use super::error::ApiError;
use super::queries::{Queries, read};
use super::view;
use crate::config::Limits;
use crate::detection::{ByPlace, Detection, Reports, TakeError};
pub(crate) use cause::cause_of;
pub(super) use gather::Gathered;
use gather::{Gather, Traces};

/// The path.
pub(super) const INVESTIGATIONS: &str = "/api/v1/investigations";

/// What investigates. Cheap to clone.
#[derive(Clone)]
pub(super) struct Investigations {
    detection: Detection,
    queries: Queries,
    turns: Arc<Semaphore>,
    wait: Duration,
}

impl Investigations {
    pub(super) fn new(detection: Detection, queries: Queries, limits: &Limits) -> Self {
        Investigations {
            detection,
            queries,
            turns: Arc::new(Semaphore::new(limits.reads_max.min(AT_ONCE))),
            wait: limits.read_wait,
        }
    }
}

/// What is asked: a sentence, or its slots; a slot that is given is not read from the sentence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    question: String,
    symptom: Option<String>,
    node: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    utc_offset_minutes: i32,
}

/// The same, understood.
pub(super) struct Asked {
    pub(super) question: String,
    pub(super) wanted: Wanted,
    pub(super) symptom: Option<Said<Symptom>>,
    /// The node, if it is given and not to be read.
    pub(super) node: Option<String>,
    pub(super) window: Said<Window>,
    /// Whether the time that was asked about is longer than is looked at.
    pub(super) is_cut: bool,
    read: Question,
}

/// What is known before spans and log records are looked at.
pub(super) struct Known {
    pub(super) candidates: Vec<Candidate>,
    /// The one that is meant, if it was said.
    pub(super) chosen: Option<Candidate>,
    pub(super) told: Option<Investigation>,
    pub(super) affected: Affected,
    /// What else shows at that time.
    pub(super) noticed: Vec<(String, Symptom)>,
    facts: Facts,
}

pub(super) async fn answer(
    State(investigations): State<Investigations>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let begun = moment();
    let request: Request = read(body)?;
    let asked = Arc::new(request.understood(investigations.detection.now())?);
    let turn = tokio::time::timeout(investigations.wait, investigations.turns.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        return Err(ApiError::ReadsBusy);
    };
    let Investigations {
        detection, queries, ..
    } = &investigations;
    let window = until(asked.window.value, detection);
    let mut left_out = Vec::new();
    let ((reports, changes), lying) = tokio::join!(
        reports(detection, &asked, &window, &mut left_out),
        lying(detection, &window),
    );
    let mut facts = detection.facts(times(&window).to_vec(), reports).await?;
    facts.lying = lying.unwrap_or_else(|found| {
        left_out.push("queues");
        found
    });
    let (names, question) = (detection.names(), Arc::clone(&asked));
    let known = queries
        .blocking(move || known(facts, &question, names, &window))
        .await?;
    let left = BUDGET.saturating_sub(begun.elapsed());
    let loaded = tokio::time::timeout(left, Traces::load(queries, known.told.as_ref())).await;
    let traces = match loaded {
        Ok(Ok(traces)) => traces,
        Ok(Err(error)) => {
            tracing::warn!(?error, "traces cannot be read for an investigation");
            left_out.push("traces");
            Traces::default()
        }
        Err(_) => {
            left_out.push("traces");
            Traces::default()
        }
    };
    let known = believed(queries, known, &traces, &window).await?;
    let gather = Gather {
        queries,
        known: &known,
        changes: &changes,
        traces: &traces,
        left: BUDGET.saturating_sub(begun.elapsed()),
    };
    let gathered = gather.all(&mut left_out).await;
    let view = view::InvestigationView::new(&asked, &known, gathered, &left_out, begun.elapsed());
    Ok(view::json_response(view::json(&view)))
}

/// Up to the last minute that is complete: in the others there seems to be less than there is.
fn until(window: Window, detection: &Detection) -> Window {
    let to = window.to.min(detection.complete());
    Window::try_new(window.from, to, detection.now()).unwrap_or(window)
}

/// What the platform reported, and what was changed. What was ended because it took too long is only looked for if it
/// is asked about.
async fn reports(
    detection: &Detection,
    asked: &Asked,
    window: &Window,
    left_out: &mut Vec<&'static str>,
) -> (Arc<Reports>, Vec<Change>) {
    let [_, now] = times(window);
    let symptom = asked.symptom.as_ref().map(|said| said.value);
    let timeouts = async {
        match symptom {
            Some(Symptom::Timeout) => detection.timeouts(&now).await,
            _ => Ok(Reports::default()),
        }
    };
    let both = async { tokio::try_join!(detection.reports(&now), timeouts) };
    let reports = match tokio::time::timeout(REPORTS, both).await {
        Ok(Ok((reports, timeouts))) => reports.and(timeouts),
        Ok(Err(error)) => {
            tracing::warn!(%error, "reports cannot be read for an investigation");
            left_out.push("reports");
            Reports::default()
        }
        Err(_) => {
            left_out.push("reports");
            Reports::default()
        }
    };
    let changes = detection.changes(&reports);
    (Arc::new(reports), changes)
}

/// What lies in queues; as an error where that is not all of it.
async fn lying(detection: &Detection, window: &Window) -> Result<ByPlace, ByPlace> {
    let times = times(window);
    match tokio::time::timeout(REPORTS, detection.lying(&times)).await {
        Ok(Ok((found, true))) => Ok(found),
        Ok(Ok((found, false))) => Err(found),
        Ok(Err(error)) => {
            tracing::warn!(%error, "queues cannot be read for an investigation");
            Err(ByPlace::new())
        }
        Err(_) => Err(ByPlace::new()),
    }
}

/// What rollups and edges tell.
fn known(facts: Facts, asked: &Asked, names: Vec<Name>, window: &Window) -> Known {
    let names = all_names(&facts, names);
    let candidates = asked.read.candidates(&names);
    let symptom = asked.symptom.as_ref().map(|said| said.value);
    let noticed = noticed(&facts, window);
    let chosen = match asked.node {
        Some(_) => None,
        None => choose(&facts, &candidates, symptom, window).cloned(),
    };
    // Who says no name asks what there is, of one kind or all.
    let kind = asked.read.kind();
    let is_kind = |node: &str| kind.is_none_or(|kind| node.starts_with(&format!("{kind}:")));
    let is_open = asked.read.subjects.is_empty() || kind.is_some();
    let names_none = asked.node.is_none() && is_open;
    let seen = noticed
        .iter()
        .filter(|(node, _)| names_none && is_kind(node));
    let mut fits = seen.filter(|(_, is)| symptom.is_none_or(|symptom| symptom == *is));
    let of_chosen = chosen.as_ref().map(|chosen| &chosen.node);
    let node = asked.node.as_ref().or(of_chosen).cloned();
    let node = node.or_else(|| fits.next().map(|(node, _)| node.clone()));
    let told = node.map(|node| investigate(&facts, &node, symptom, window));
    let around = told
        .as_ref()
        .map(|told| affected(&facts, &told.node, &told.seen()));
    Known {
        candidates,
        chosen,
        told,
        affected: around.unwrap_or_default(),
        noticed,
        facts,
    }
}

/// The same, where traces show what only callers tell.
async fn believed(
    queries: &Queries,
    mut known: Known,
    traces: &Traces,
    window: &Window,
) -> Result<Known, ApiError> {
    let Some(told) = &known.told else {
        return Ok(known);
    };
    let shown = traces.shown(told, &known.facts);
    if shown.is_empty() {
        return Ok(known);
    }
    known.facts.shown = shown;
    let window = *window;
    let again = move || {
        let again = |told: Investigation| {
            investigate(&known.facts, &told.node, Some(told.symptom), &window)
        };
        known.told = known.told.take().map(again);
        known
    };
    Ok(queries.blocking(again).await?)
}

/// What detection knows by name, and what did something at that time.
fn all_names(facts: &Facts, mut names: Vec<Name>) -> Vec<Name> {
    let known: std::collections::BTreeSet<String> =
        names.iter().map(|name| name.node.clone()).collect();
    let mut nodes = facts.nodes();
    nodes.extend(facts.lying.keys());
    let more = nodes.into_iter().filter(|node| !known.contains(*node));
    names.extend(more.map(|node| Name::of(node)));
    names
}

impl Known {
    /// Whether a name was said that fits nothing.
    pub(super) fn names_nothing(&self, asked: &Asked) -> bool {
        let is_named = !asked.read.subjects.is_empty() && asked.read.kind().is_none();
        self.candidates.is_empty() && is_named
    }

    /// What spans of this time belong to.
    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl Request {
    fn understood(self, now: UnixNanos) -> Result<Asked, ApiError> {
        if self.question.chars().count() > QUESTION_CHARS_MAX {
            let what = format!("`question` must have at most {QUESTION_CHARS_MAX} characters");
            return Err(ApiError::BadQuery(what));
        }
        let zone = Zone::of_minutes(self.utc_offset_minutes);
        let read = understand(&self.question, now, zone);
        let symptom = match self.symptom.as_deref() {
            None => read.symptom.clone(),
            Some(name) => Some(given(Symptom::named(name).ok_or_else(|| {
                let all = Symptom::ALL.map(Symptom::name).join(", ");
                ApiError::BadQuery(format!("`symptom` must be one of {all}, not {name}"))
            })?)),
        };
        let window = match (&self.from, &self.to) {
            (None, None) => read.window.clone(),
            (from, to) => given(between(from.as_ref(), to.as_ref(), &read, now)?),
        };
        let Window { from, to } = window.value;
        let is_cut = to.since(from) > LONGEST;
        let value = match is_cut {
            true => Window {
                from: to.minus(LONGEST),
                to,
            },
            false => window.value,
        };
        Ok(Asked {
            question: self.question,
            wanted: read.wanted,
            symptom,
            node: self.node.filter(|node| !node.is_empty()),
            window: Said { value, ..window },
            is_cut,
            read,
        })
    }
}

/// What was not read from words.
fn given<T>(value: T) -> Said<T> {
    Said {
        value,
        words: String::new(),
    }
}

fn between(
    from: Option<&String>,
    to: Option<&String>,
    read: &Question,
    now: UnixNanos,
) -> Result<Window, ApiError> {
    let time = |text: Option<&String>, otherwise: UnixNanos| match text {
        None => Ok(otherwise),
        Some(text) => text.parse().map(UnixNanos).map_err(|_| {
            ApiError::BadQuery("`from` and `to` are Unix nanoseconds, as text".to_owned())
        }),
    };
    let Window {
        from: begin,
        to: end,
    } = read.window.value;
    let (from, to) = (time(from, begin)?, time(to, end)?);
    Window::try_new(from, to, now)
        .ok_or_else(|| ApiError::BadQuery("`from` must be before `to`, and before now".to_owned()))
}

impl From<TakeError> for ApiError {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Query(error) => ApiError::from(error),
            TakeError::Read(error) => ApiError::from(error),
            TakeError::Search(error) => ApiError::from(error),
        }
    }
}

/// From one time to another, as filters have it.
pub(super) type Times = Range<UnixNanos>;

#[allow(clippy::disallowed_methods)] // an edge: an answer says how long it took
fn moment() -> Instant {
    Instant::now()
}

/// From the question on: when it is over, spans and log records that are still looked for are left out.
const BUDGET: Duration = Duration::from_millis(2500);
/// What reports of the platform, and what lies in queues, may take of it.
const REPORTS: Duration = Duration::from_millis(1200);
/// Of what is longer, the end is looked at.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const QUESTION_CHARS_MAX: usize = 500;
/// Investigations at once, each of which reads hours of minutes.
const AT_ONCE: usize = 2;
