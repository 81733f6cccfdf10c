//! What spans, log records and reports add to what rollups tell.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use throughline_insight::contrast::Differences;
use throughline_insight::detect::{Change, Node};
use throughline_insight::facts::Facts;
use throughline_insight::investigate::{
    Found, Investigation, Lines, Pattern, Reference, Seen, Suspect, part_in, patterns, self_times,
    shapes,
};
use throughline_insight::question::Symptom;
use throughline_store::{Condition, Count, Filter, ReadError, SearchQuery, SplitQuery, Stretch};
use throughline_telemetry::{Span, TraceId, UnixNanos};

use super::evidence::{
    self, Row, rows_of_differences, rows_of_patterns, rows_of_shapes, rows_of_traces,
};
use super::{Known, Times, filters};
use crate::api::contrast::{LeftOut, Sides};
use crate::api::error::ApiError;
use crate::api::queries::Queries;
use crate::api::view::{Evidence, Example, RowSearch, RuledOut};
use crate::detection::quoted;

/// Looks for evidence.
pub(super) struct Gather<'a> {
    pub(super) queries: &'a Queries,
    pub(super) known: &'a Known,
    pub(super) changes: &'a [Change],
    pub(super) traces: &'a Traces,
    /// How much time there is.
    pub(super) left: Duration,
}

/// Traces of the node that was asked about: of before, and some that show what is wrong.
#[derive(Default)]
pub(super) struct Traces {
    before: Vec<Vec<Span>>,
    now: Vec<Vec<Span>>,
}

impl Traces {
    /// None where nothing was found, or nothing that traces could tell more of.
    pub(super) async fn load(
        queries: &Queries,
        told: Option<&Investigation>,
    ) -> Result<Self, ApiError> {
        let Some((told, found)) = told.and_then(|told| Some((told, told.found.as_ref()?))) else {
            return Ok(Traces::default());
        };
        let case = Case::new(queries, told, found);
        match told.symptom {
            Symptom::Slow | Symptom::Error | Symptom::Throttle | Symptom::Timeout => {
                case.traces().await
            }
            _ => Ok(Traces::default()),
        }
    }

    /// Nodes of which only their callers tell, and that are in it as much as nearly all of what is wrong.
    pub(super) fn shown(&self, told: &Investigation, facts: &Facts) -> BTreeSet<Node> {
        let causes = told.found.iter().flat_map(|found| &found.causes);
        let others = causes.filter(|cause| !facts.own.contains(&cause.node));
        let shown = others.filter(|cause| {
            let is_asked = |span: &Span| filters::is_of(span, &told.node);
            let is_call = |span: &Span| filters::is_call(span, &cause.node);
            part_in(&self.before, &self.now, told.symptom, is_asked, is_call) >= SHOWN_MIN
        });
        shown.map(|cause| cause.node.clone()).collect()
    }
}

/// What was found.
#[derive(Default)]
pub(in crate::api) struct Gathered {
    pub(in crate::api) evidence: Vec<Evidence>,
    pub(in crate::api) ruled_out: Vec<RuledOut>,
}

impl Gather<'_> {
    /// All that there is time for; what there is none for is named.
    pub(super) async fn all(&self, left_out: &mut Vec<&'static str>) -> Gathered {
        let Some(told) = &self.known.told else {
            return Gathered::default();
        };
        let mut ruled_out = Vec::new();
        let affected = &self.known.affected;
        let mut rows = evidence::changes(told, self.changes, affected, &mut ruled_out);
        let Some(found) = &told.found else {
            rows.extend(evidence::new_calls(told, self.known.facts()));
            let (evidence, missing) = self.searched(rows).await;
            left_out.extend(missing);
            return Gathered {
                evidence,
                ruled_out,
            };
        };
        let case = Case::new(self.queries, told, found);
        rows.extend(evidence::beside(told, found, &case.now, &mut ruled_out));
        let within = |what: &'static str| (self.left, what);
        let of_traces = self.of_traces(&case);
        rows.splice(0..0, of_traces.into_iter().map(Row::from));
        let (suspects, searched, lines, attributes) = tokio::join!(
            in_time(within(SPANS), case.suspects()),
            self.searched(rows),
            in_time(within("logs"), case.lines()),
            in_time(within("attributes"), case.attributes()),
        );
        let mut missing = Vec::new();
        let mut take = |rows: Result<Vec<Evidence>, &'static str>| match rows {
            Ok(rows) => rows,
            Err(what) => {
                missing.push(what);
                Vec::new()
            }
        };
        let mut evidence = take(suspects);
        let waits = evidence::waits(told, self.known.facts(), affected, &mut ruled_out);
        match told.symptom {
            Symptom::Waiting => evidence.splice(0..0, waits).for_each(drop),
            _ => evidence.extend(waits),
        }
        evidence.extend(searched.0);
        evidence.extend(take(attributes));
        evidence.extend(take(lines));
        missing.extend(searched.1.filter(|what| !missing.contains(what)));
        left_out.extend(missing);
        Gathered {
            evidence,
            ruled_out,
        }
    }

    /// The rows with the searches that find their spans, and what of these there was no time for.
    async fn searched(&self, rows: Vec<Row>) -> (Vec<Evidence>, Option<&'static str>) {
        let mut missing = Some(SPANS);
        let mut evidence = Vec::new();
        let mut sought = Vec::new();
        for row in rows {
            sought.push(row.shown_by);
            evidence.push(row.evidence);
        }
        let look = async {
            let mut is_whole = true;
            for (row, sought) in evidence.iter_mut().zip(&sought) {
                let Some((spans, times)) = sought else {
                    continue;
                };
                match spans.filters(self.queries, times).await {
                    Ok(filters) => {
                        row.search = filters.map(|filters| RowSearch::spans(filters, times));
                    }
                    Err(error) => {
                        tracing::warn!(?error, "spans of evidence cannot be looked for");
                        is_whole = false;
                    }
                }
            }
            is_whole
        };
        if let Ok(true) = tokio::time::timeout(self.left, look).await {
            missing = None;
        }
        (evidence, missing)
    }

    /// What traces have more of, and of what is slow in which steps the time is.
    fn of_traces(&self, case: &Case<'_>) -> Vec<Evidence> {
        let Traces { before, now } = self.traces;
        let is_slow = case.told.symptom == Symptom::Slow;
        let mut shapes = shapes(before, now);
        // What would have come after a failure is no news.
        shapes.retain(|it| is_slow || it.seen != Seen::Vanished);
        let mut rows = rows_of_shapes(&shapes, &case.before(), &case.now);
        if is_slow {
            let is_asked = |span: &Span| filters::is_of(span, &case.told.node);
            let times = self_times(before, now, is_asked);
            rows.extend(rows_of_traces(&times, now, &case.now));
        }
        rows
    }
}

async fn in_time(
    (left, what): (Duration, &'static str),
    work: impl Future<Output = Result<Vec<Evidence>, ApiError>>,
) -> Result<Vec<Evidence>, &'static str> {
    match tokio::time::timeout(left, work).await {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(error)) => {
            tracing::warn!(?error, what, "evidence cannot be read");
            Err(what)
        }
        Err(_) => Err(what),
    }
}

/// What something was found of.
struct Case<'a> {
    queries: &'a Queries,
    told: &'a Investigation,
    found: &'a Found,
    /// When it is so.
    now: Times,
}

impl<'a> Case<'a> {
    fn new(queries: &'a Queries, told: &'a Investigation, found: &'a Found) -> Self {
        Case {
            queries,
            told,
            found,
            now: found.onset..found.until,
        }
    }

    /// What it is held against: not more than an hour of it.
    fn before(&self) -> Times {
        match self.told.reference {
            Reference::HoursBefore => self.now.start.minus(HOUR)..self.now.start,
            Reference::DayBefore => {
                let normal = &self.told.frame.normal;
                normal.start..normal.end.min(normal.start.plus(HOUR))
            }
        }
    }

    /// The node itself as the first suspect, where it is none of the causes.
    fn asked(&self) -> Suspect {
        Suspect {
            node: self.told.node.clone(),
            symptom: self.told.symptom,
            share: 1.0,
            evidence: self.found.confirmed,
            path: vec![self.told.node.clone()],
        }
    }

    /// The node, and what it comes from.
    fn nodes(&self) -> Vec<Suspect> {
        let others = self.found.causes.iter();
        let others = others.filter(|cause| cause.node != self.told.node);
        let beside = self.found.beside.iter().take(1);
        let all = std::iter::once(self.asked());
        all.chain(others.take(CAUSES).cloned())
            .chain(beside.cloned())
            .collect()
    }

    /// How each of the nodes did, with the spans that show it.
    async fn suspects(&self) -> Result<Vec<Evidence>, ApiError> {
        let mut rows = Vec::new();
        // What waits is told by what lies there, and not by spans.
        let by_spans = |it: &Suspect| it.symptom != Symptom::Waiting;
        for suspect in self.nodes().into_iter().filter(by_spans) {
            let filters = filters::of_node(self.queries, &suspect.node, &self.now).await?;
            let filters = filters.map(|filters| filters::that_show(filters, &suspect));
            let examples = match &filters {
                Some(filters) => self.spans(filters, &self.now, EXAMPLES).await?,
                None => Vec::new(),
            };
            let search = filters.map(|filters| RowSearch::spans(filters, &self.now));
            let examples = examples.iter().map(Example::new).collect();
            rows.push(evidence::of_suspect(&suspect, search, examples));
        }
        Ok(rows)
    }

    async fn spans(
        &self,
        filters: &[Condition],
        times: &Times,
        limit: usize,
    ) -> Result<Vec<Span>, ApiError> {
        let query = SearchQuery {
            filter: Filter::All(filters.iter().cloned().map(Filter::Is).collect()),
            from: Some(times.start),
            to: Some(times.end),
            limit: Some(limit),
            count: Count::Page,
            ..SearchQuery::default()
        };
        let (page, _) = self.queries.search::<Span>(query).await?;
        Ok(page.rows)
    }

    /// Some of its traces, before and now; of what fails those that fail.
    async fn traces(&self) -> Result<Traces, ApiError> {
        let Some(filters) = filters::of_node(self.queries, &self.told.node, &self.now).await?
        else {
            return Ok(Traces::default());
        };
        let now = match self.told.symptom {
            Symptom::Slow => filters.clone(),
            _ => filters::that_show(filters.clone(), &self.asked()),
        };
        let mut both: [BTreeSet<TraceId>; 2] = Default::default();
        let sides = [(self.before(), filters), (self.now.clone(), now)];
        for (ids, (times, filters)) in both.iter_mut().zip(sides) {
            let spans = self.spans(&filters, &times, TRACES).await?;
            ids.extend(spans.iter().map(|span| span.trace_id));
        }
        let store = self.queries.store().clone();
        let read = move || -> Result<Traces, ApiError> {
            let traces = store.traces(|stored| {
                let [before, now] = both.each_ref().map(|ids| {
                    let traces = ids.iter().map(|id| Ok(stored.spans(*id)?.spans));
                    traces.collect::<Result<Vec<Vec<Span>>, ReadError>>()
                });
                Ok(Traces {
                    before: before?,
                    now: now?,
                })
            })?;
            Ok(traces)
        };
        self.queries.blocking(read).await?
    }

    /// Lines of logs that appear, or are missing, of the node, of what it comes from and of all between.
    async fn lines(&self) -> Result<Vec<Evidence>, ApiError> {
        let suspects = self.nodes();
        let nodes = suspects
            .iter()
            .flat_map(|it| it.path.iter().chain([&it.node]));
        let nodes: BTreeSet<&Node> = nodes.collect();
        let names: Vec<String> = nodes
            .into_iter()
            .filter_map(|node| {
                let (kind, name) = node.split_once(':')?;
                matches!(kind, "function" | "service").then(|| quoted(name))
            })
            .collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let before = self.before();
        let now = self.now.start..self.now.end.min(self.now.start.plus(HOUR));
        let within = |times: &Times| {
            let at = |time: UnixNanos| format!("to_timestamp_nanos({})", time.0);
            format!("time >= {} and time < {}", at(times.start), at(times.end))
        };
        let sql = LINES
            .replace("$names", &names.join(", "))
            .replace("$before", &within(&before))
            .replace("$now", &within(&now));
        let answer = self.queries.sql(&sql).await?.to_json()?;
        let rows = answer["rows"].as_array().into_iter().flatten();
        let lines = rows.map(|row| Lines {
            service: row[0].as_str().unwrap_or_default().to_owned(),
            template: row[1].as_str().unwrap_or_default().to_owned(),
            severity: row[2]
                .as_u64()
                .and_then(|it| u8::try_from(it).ok())
                .unwrap_or(0),
            before: row[3].as_u64().unwrap_or_default(),
            now: row[4].as_u64().unwrap_or_default(),
        });
        let long = |times: &Times| times.end.since(times.start).as_secs_f64();
        let found: Vec<Pattern> = patterns(lines.collect(), long(&before) / long(&now).max(1.0));
        Ok(rows_of_patterns(&found, &before, &now))
    }

    /// By which attributes its spans that show it differ from its others.
    async fn attributes(&self) -> Result<Vec<Evidence>, ApiError> {
        let causes = self.found.causes.iter();
        let mut own = causes.filter(|cause| is_own(&cause.node));
        let suspect = own.next().cloned().unwrap_or_else(|| self.asked());
        let has_spans = !matches!(suspect.symptom, Symptom::Silent | Symptom::Waiting);
        if !is_own(&suspect.node) || !has_spans {
            return Ok(Vec::new());
        }
        let Some(of) = filters::of_node(self.queries, &suspect.node, &self.now).await? else {
            return Ok(Vec::new());
        };
        let shows = filters::that_show(of.clone(), &suspect);
        let all = |filters: &[Condition]| -> Vec<Filter> {
            filters.iter().cloned().map(Filter::Is).collect()
        };
        let left_out = Arc::new(LeftOut::of(&all(&shows)));
        let before = self.before();
        let split = SplitQuery {
            of: Stretch {
                filter: Filter::All(all(&of)),
                from: Some(before.start),
                to: Some(self.now.end),
            },
            selection: Stretch {
                filter: Filter::All(all(&shows)),
                from: Some(self.now.start),
                to: Some(self.now.end),
            },
            rest: None,
        };
        let split = self
            .queries
            .split(split, move || Sides::<Span>::new(Arc::clone(&left_out)))
            .await?;
        let contrast = split.viewer.contrast;
        let found: Differences = self.queries.blocking(move || contrast.finish()).await?;
        Ok(rows_of_differences(&suspect, &found, &of, &self.now))
    }
}

/// Whether it sends spans of its own.
fn is_own(node: &Node) -> bool {
    node.starts_with("function:") || node.starts_with("service:")
}

/// Lines with what differs taken out: what stands in quotes, and words with a digit.
const LINES: &str = r#"
select coalesce(service, '') as service, regexp_replace(substr(body, 1, 300),
    '"[^"]*"|[^\s,;()\[\]{}=:"]*[0-9][^\s,;()\[\]{}=:"]*', '…', 'g') as template,
    max(severity_number), sum(case when $before then 1 else 0 end), sum(case when $now then 1 else 0 end)
from logs where (($before) or ($now)) and (service in ($names) or "faas.name" in ($names))
    and body is not null and "throughline.duration.billed_ms" is null
group by 1, 2 order by count(*) desc limit 2000"#;

/// What is left out where spans are not found in time.
const SPANS: &str = "spans";
const HOUR: Duration = Duration::from_secs(3600);
/// Causes, the first ones, that spans are looked for of.
const CAUSES: usize = 3;
/// Examples of each.
const EXAMPLES: usize = 3;
/// So much of what is wrong must be in calls of a node to believe its callers.
const SHOWN_MIN: f64 = 0.8;
/// Traces of each of the two times.
const TRACES: usize = 12;
