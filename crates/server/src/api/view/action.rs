//! Actions: what can be done, what would be, what was.

use std::collections::BTreeSet;

use serde::Serialize;
use throughline_act::{
    Action, ActionId, Before, Digest, DryRun, Entry, Event, Plan, Record, SourceState, Standing,
    State, UnixSeconds, Verdict, Verified,
};
use throughline_insight::detect::{Node, Subject};
use throughline_insight::reach::Way;

use super::Text;
use crate::actions::{Fit, Shown};

/// What can be done about an incident, and what was.
#[derive(Serialize)]
pub(in crate::api) struct FittingActions<'a> {
    place: &'a str,
    stopped: Option<Stopped<'a>>,
    proposals: Vec<ProposalView<'a>>,
    consumers: BTreeSet<String>,
    actions: Vec<ActionView<'a>>,
}

/// What fits an incident.
pub(in crate::api) struct Fitting<'a> {
    /// By its findings.
    pub(in crate::api) fit: &'a [Fit],
    /// The names of what actions are about, as the account has them.
    pub(in crate::api) named: &'a Before,
    /// Functions that take what findings are about.
    pub(in crate::api) consumers: BTreeSet<String>,
}

/// All actions switched off.
#[derive(Serialize)]
struct Stopped<'a> {
    who: &'a str,
    why: &'a str,
}

/// Something that could be proposed.
#[derive(Serialize)]
struct ProposalView<'a> {
    finding: &'a str,
    title: String,
    needs_account: bool,
    destructive: bool,
    action: &'a Action,
    /// Why just so.
    why: Option<&'a str>,
}

/// What came of another memory size.
#[derive(Serialize)]
struct VerifiedView<'a> {
    at_unix_nanos: Text<u128>,
    verdict: Verdict,
    sentence: &'a str,
}

/// From where a function takes events.
#[derive(Serialize)]
pub(in crate::api) struct SourceList<'a> {
    function: &'a str,
    sources: Vec<SourceView<'a>>,
}

#[derive(Serialize)]
struct SourceView<'a> {
    id: &'a str,
    name: String,
    source_arn: &'a str,
    enabled: bool,
}

/// An action and how it stands.
#[derive(Serialize)]
pub(in crate::api) struct ActionView<'a> {
    id: String,
    title: String,
    action: &'a Action,
    state: State,
    incident: Option<u64>,
    proposed_unix_nanos: Text<u128>,
    done_unix_nanos: Option<Text<u128>>,
    until_unix_nanos: Option<Text<u128>>,
    kept_by: Option<&'a str>,
    before: Option<&'a Before>,
    why: Option<&'a str>,
    verified: Option<VerifiedView<'a>>,
    who: Option<&'a str>,
}

/// Some of the actions, the newest first.
#[derive(Serialize)]
pub(in crate::api) struct ActionList<'a> {
    place: &'a str,
    stopped: Option<Stopped<'a>>,
    actions: Vec<ActionView<'a>>,
    total: usize,
    truncated: bool,
    next_cursor: Option<String>,
}

/// Where an action can be confirmed.
#[derive(Serialize)]
pub(in crate::api) struct Proposed {
    id: String,
    path: String,
    expires_unix_nanos: Text<u128>,
}

/// What whoever confirms an action must know.
#[derive(Serialize)]
pub(in crate::api) struct ActionShown<'a> {
    place: &'a str,
    action: ActionView<'a>,
    made_for: &'a str,
    expires_unix_nanos: Text<u128>,
    plan: Option<&'a Plan>,
    problem: Option<&'a str>,
    before: Option<&'a Before>,
    seen: Option<Digest>,
    dry_run: Option<&'a DryRun>,
    #[serde(flatten)]
    radius: Radius,
}

/// Whom an action would touch.
#[derive(Default, Serialize)]
pub(in crate::api) struct Radius {
    pub(in crate::api) touched: Vec<Touched>,
    pub(in crate::api) behind: Vec<Behind>,
}

/// Who is reached through others.
#[derive(Serialize)]
pub(in crate::api) struct Behind {
    node: Node,
    way: &'static str,
    path: Vec<Node>,
}

/// What an action would touch, in numbers of the last hour.
#[derive(Serialize)]
pub(in crate::api) struct Touched {
    node: String,
    to: Option<String>,
    operation: Option<String>,
    calls: u64,
    errors: u64,
}

/// Some of the audit log, the newest entries first.
#[derive(Serialize)]
pub(in crate::api) struct AuditPage<'a> {
    entries: Vec<EntryView<'a>>,
    total: usize,
    truncated: bool,
    next_cursor: Option<Text<usize>>,
}

#[derive(Serialize)]
struct EntryView<'a> {
    number: usize,
    at_unix_nanos: Text<u128>,
    /// The action that it is about, as a sentence.
    title: Option<String>,
    #[serde(flatten)]
    entry: &'a Entry,
}

impl<'a> FittingActions<'a> {
    pub(in crate::api) fn new(
        place: &'a str,
        stopped: Option<(&'a str, &'a str)>,
        fitting: Fitting<'a>,
        known: impl Iterator<Item = &'a Standing>,
    ) -> Self {
        let Fitting {
            fit,
            named,
            consumers,
        } = fitting;
        let mut seen: Vec<&Action> = Vec::new();
        let mut proposals = Vec::new();
        for (finding, (action, why)) in fit
            .iter()
            .flat_map(|fit| fit.actions.iter().map(move |it| (&fit.finding, it)))
        {
            // Several findings are of the same function.
            if !seen.contains(&action) {
                seen.push(action);
                proposals.push(ProposalView {
                    finding,
                    title: action.title_in(named),
                    needs_account: action.function().is_some(),
                    destructive: action.is_destructive(),
                    action,
                    why: why.as_deref(),
                });
            }
        }
        FittingActions {
            place,
            stopped: stopped.map(Stopped::new),
            proposals,
            consumers,
            actions: known.map(ActionView::new).collect(),
        }
    }
}

impl<'a> Stopped<'a> {
    fn new((who, why): (&'a str, &'a str)) -> Self {
        Stopped { who, why }
    }
}

impl<'a> ActionView<'a> {
    pub(in crate::api) fn new(standing: &'a Standing) -> Self {
        ActionView {
            id: standing.id.to_string(),
            title: standing.title(),
            action: &standing.action,
            state: standing.state,
            incident: standing.incident,
            proposed_unix_nanos: nanos(standing.proposed),
            done_unix_nanos: standing.done.map(nanos),
            until_unix_nanos: standing.until.map(nanos),
            kept_by: standing.kept.as_deref(),
            before: standing.before.as_ref(),
            why: standing.why.as_deref(),
            who: standing.who.as_deref(),
            verified: standing.verified.as_ref().map(VerifiedView::new),
        }
    }
}

impl<'a> VerifiedView<'a> {
    fn new(verified: &'a Verified) -> Self {
        VerifiedView {
            at_unix_nanos: nanos(verified.at),
            verdict: verified.verdict,
            sentence: &verified.sentence,
        }
    }
}

impl<'a> SourceList<'a> {
    pub(in crate::api) fn new(function: &'a str, known: &'a [SourceState]) -> Self {
        let sources = known.iter().map(|source| SourceView {
            id: &source.id,
            name: source.name(),
            source_arn: &source.source_arn,
            enabled: source.enabled,
        });
        SourceList {
            function,
            sources: sources.collect(),
        }
    }
}

impl<'a> ActionList<'a> {
    /// The first of these.
    pub(in crate::api) fn new(
        place: &'a str,
        stopped: Option<(&'a str, &'a str)>,
        mut known: Vec<&'a Standing>,
        limit: usize,
    ) -> Self {
        let total = known.len();
        known.truncate(limit);
        let truncated = total > known.len();
        let last = known.last().filter(|_| truncated);
        ActionList {
            place,
            stopped: stopped.map(Stopped::new),
            next_cursor: last.map(|it| it.id.to_string()),
            actions: known.into_iter().map(ActionView::new).collect(),
            total,
            truncated,
        }
    }
}

impl Proposed {
    pub(in crate::api) fn new(id: &ActionId, path: String, expires: UnixSeconds) -> Self {
        Proposed {
            id: id.to_string(),
            path,
            expires_unix_nanos: nanos(expires),
        }
    }
}

impl<'a> ActionShown<'a> {
    pub(in crate::api) fn new(place: &'a str, shown: &'a Shown, radius: Radius) -> Self {
        let report = shown.report.as_ref();
        let before = report.ok().map(|report| &report.before);
        ActionShown {
            place,
            action: ActionView::new(&shown.standing),
            made_for: &shown.opened.audience,
            expires_unix_nanos: nanos(shown.opened.expires),
            plan: report.ok().and_then(|report| report.plan.as_ref()),
            problem: report.err().map(|failure| failure.message.as_str()),
            before,
            seen: before.map(Before::digest),
            dry_run: report.ok().map(|report| &report.dry_run),
            radius,
        }
    }
}

impl Behind {
    /// The last of this way, which begins with what the action is about.
    pub(in crate::api) fn new(path: Vec<Node>, way: Way) -> Option<Self> {
        Some(Behind {
            node: path.last()?.clone(),
            way: way.name(),
            path,
        })
    }
}

impl Touched {
    pub(in crate::api) fn new(subject: &Subject, calls: u64, errors: u64) -> Self {
        let (node, to, operation) = match subject {
            Subject::Node(node) | Subject::Wait(node) => (node, None, None),
            Subject::Operation(node, operation) => (node, None, Some(operation)),
            Subject::Edge(from, to, operation) => (from, Some(to), Some(operation)),
        };
        Touched {
            node: node.clone(),
            to: to.cloned(),
            operation: operation.cloned(),
            calls,
            errors,
        }
    }

    pub(in crate::api) fn calls(&self) -> u64 {
        self.calls
    }
}

impl<'a> AuditPage<'a> {
    /// The last of these, which are all that there are from the first on.
    pub(in crate::api) fn new(entries: &'a [Entry], record: &Record, limit: usize) -> Self {
        let newest_first = entries.iter().enumerate().rev().take(limit);
        let shown = newest_first.map(|(before, entry)| EntryView {
            number: before + 1,
            at_unix_nanos: nanos(entry.at),
            title: title(&entry.event, record),
            entry,
        });
        let rest = entries.len().saturating_sub(limit);
        AuditPage {
            entries: shown.collect(),
            total: entries.len(),
            truncated: false,
            next_cursor: (rest > 0).then_some(Text(rest)),
        }
    }
}

/// What nobody confirmed in time is known by its proposal alone.
fn title(event: &Event, record: &Record) -> Option<String> {
    let id = match event {
        Event::Proposed { action, .. } => return Some(action.title()),
        Event::Began { id, .. }
        | Event::Did { id, .. }
        | Event::Failed { id, .. }
        | Event::Undid { id, .. }
        | Event::UndoFailed { id, .. }
        | Event::Kept { id }
        | Event::Verified { id, .. } => id,
        Event::Stopped { .. } | Event::Resumed => return None,
    };
    record.action(id).map(|standing| standing.action.title())
}

fn nanos(time: UnixSeconds) -> Text<u128> {
    Text(u128::from(time.0) * 1_000_000_000)
}
