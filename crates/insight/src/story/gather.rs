//! From one trace to all that belong to it.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use throughline_telemetry::correlation::End;
use throughline_telemetry::{Span, SpanId, TraceId, UnixNanos};

use super::keys::{Record, invocation, is_invocation, received, request_key, request_of, sent};
use super::{Gathered, How, Join, LeftOut, Limits, Part, Source, SpanAt};

/// Finds the traces that belong to the same user action as those asked for.
///
/// # Errors
///
/// What the source fails with.
pub fn gather<S: Source>(
    source: &mut S,
    asked: &[TraceId],
    limits: Limits,
) -> Result<Gathered, S::Error> {
    let mut gathering = Gathering {
        source,
        limits,
        known: HashMap::new(),
        senders: HashMap::new(),
        invocations: HashMap::new(),
        places: HashMap::new(),
        linked: HashMap::new(),
        inferred: HashMap::new(),
        order: Vec::new(),
        members: HashSet::new(),
        spans: 0,
        loads: 0,
        left_out: LeftOut::default(),
        refused: BTreeSet::new(),
    };
    gathering.upstream(asked)?;
    gathering.downstream()?;
    Ok(gathering.finish())
}

struct Gathering<'s, S> {
    source: &'s mut S,
    limits: Limits,
    /// Traces that were looked at, whether they belong to it or not.
    known: HashMap<TraceId, Part>,
    /// By key, the spans of these that sent it.
    senders: HashMap<String, Vec<SpanAt>>,
    /// By request id, the invocations.
    invocations: HashMap<String, Vec<SpanAt>>,
    places: HashMap<SpanId, SpanAt>,
    /// What was found by ends.
    linked: HashMap<End, Vec<TraceId>>,
    /// By trace, what its spans probably go on from.
    inferred: HashMap<TraceId, Vec<Join>>,
    order: Vec<TraceId>,
    members: HashSet<TraceId>,
    spans: usize,
    loads: usize,
    left_out: LeftOut,
    /// Traces that there was no room for.
    refused: BTreeSet<TraceId>,
}

impl<S: Source> Gathering<'_, S> {
    /// The traces asked for, and what they go back to.
    fn upstream(&mut self, asked: &[TraceId]) -> Result<(), S::Error> {
        let mut next: VecDeque<TraceId> = asked.iter().copied().collect();
        while let Some(id) = next.pop_front() {
            if self.load(id)? && self.admit(id) {
                next.extend(self.origins(id)?);
            }
        }
        Ok(())
    }

    /// The traces that go on from those.
    fn downstream(&mut self) -> Result<(), S::Error> {
        let mut at = 0;
        while let Some(id) = self.order.get(at).copied() {
            at += 1;
            for candidate in self.candidates(id)? {
                if self.members.contains(&candidate) || !self.load(candidate)? {
                    continue;
                }
                if self.goes_on(candidate)? {
                    self.admit(candidate);
                }
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Gathered {
        let mut joins: Vec<Join> = Vec::new();
        for id in &self.order {
            joins.extend(self.joins(*id));
            joins.extend(self.inferred.remove(id).unwrap_or_default());
        }
        joins.retain(|join| self.members.contains(&join.from.trace_id));
        joins.sort();
        joins.dedup();
        self.left_out.traces = self.refused.len();
        let parts = self.order.iter();
        let parts = parts.filter_map(|id| Some((*id, self.known.remove(id)?)));
        Gathered {
            parts: parts.collect(),
            order: self.order,
            joins,
            left_out: self.left_out,
        }
    }

    /// Whether a trace is there; then it is known from here on.
    fn load(&mut self, id: TraceId) -> Result<bool, S::Error> {
        if let Some(part) = self.known.get(&id) {
            return Ok(!part.is_empty());
        }
        if self.loads >= self.limits.loads_max {
            self.left_out.is_partial = true;
            return Ok(false);
        }
        self.loads += 1;
        let mut part = self.source.load(id)?;
        // An answer must not depend on the order in which they came.
        part.spans.sort_by_key(|span| (span.start, span.span_id));
        for span in &part.spans {
            let at = SpanAt::of(span);
            for key in sent(span) {
                self.senders.entry(key.to_owned()).or_default().push(at);
            }
            if let Some(request) = invocation(span).filter(|_| is_invocation(span)) {
                let of_request = self.invocations.entry(request.to_owned());
                of_request.or_default().push(at);
            }
            self.places.entry(span.span_id).or_insert(at);
        }
        let is_there = !part.is_empty();
        self.known.insert(id, part);
        Ok(is_there)
    }

    /// Takes a trace in, if it is not yet and there is room.
    fn admit(&mut self, id: TraceId) -> bool {
        if self.members.contains(&id) {
            return false;
        }
        let part = &self.known[&id];
        let is_full = self.order.len() >= self.limits.traces_max
            || self.spans + part.spans.len() > self.limits.spans_max;
        if is_full && !self.order.is_empty() {
            self.refused.insert(id);
            return false;
        }
        self.left_out.is_partial |= part.truncated;
        self.spans += part.spans.len();
        self.order.push(id);
        self.members.insert(id);
        true
    }

    /// The traces that a trace goes back to, and those with other attempts of its requests. They are known
    /// from here on.
    fn origins(&mut self, id: TraceId) -> Result<BTreeSet<TraceId>, S::Error> {
        let mut ends = BTreeSet::new();
        let mut origins: BTreeSet<TraceId> = BTreeSet::new();
        for span in &self.known[&id].spans {
            let links = span.links.iter().map(|link| link.trace_id);
            origins.extend(links.filter(|linked| *linked != id));
            let requests = invocation(span).filter(|_| is_invocation(span));
            ends.extend(requests.map(|request| End::In(request_key(request))));
            for key in received(span).iter().flat_map(|record| &record.exact) {
                ends.insert(End::Out((*key).to_owned()));
                if request_of(key).is_some() {
                    ends.insert(End::In((*key).to_owned()));
                }
            }
        }
        let ends: Vec<End> = ends.into_iter().collect();
        origins.extend(self.look(&ends)?.into_iter().flatten());
        for origin in &origins {
            self.load(*origin)?;
        }
        self.infer(id)?;
        let joins = self.joins(id);
        let inferred = self.inferred.get(&id).into_iter().flatten();
        let from = joins.iter().chain(inferred).map(|join| join.from.trace_id);
        origins.extend(from);
        origins.remove(&id);
        Ok(origins)
    }

    /// Whether a trace that is known goes on from one that belongs to it.
    fn goes_on(&mut self, id: TraceId) -> Result<bool, S::Error> {
        let is_from_member = |joins: &[Join], members: &HashSet<TraceId>| -> bool {
            let mut from = joins.iter().map(|join| join.from.trace_id);
            from.any(|from| members.contains(&from))
        };
        if is_from_member(&self.joins(id), &self.members) {
            return Ok(true);
        }
        self.origins(id)?;
        let inferred = self.inferred.get(&id).map_or(&[] as &[Join], Vec::as_slice);
        Ok(is_from_member(inferred, &self.members))
    }

    /// The traces that may go on from a trace.
    fn candidates(&mut self, id: TraceId) -> Result<BTreeSet<TraceId>, S::Error> {
        let keys = self.known[&id].spans.iter().flat_map(sent);
        let ends = keys.map(|key| End::In(key.to_owned()));
        let mut ends: BTreeSet<End> = ends.collect();
        ends.insert(End::LinkTo(id));
        // Whoever gets what became of a request has its id.
        let requests = self.known[&id]
            .spans
            .iter()
            .filter(|span| is_invocation(span));
        ends.extend(requests.filter_map(|span| Some(End::In(request_key(invocation(span)?)))));
        let ends: Vec<End> = ends.into_iter().collect();
        Ok(self.look(&ends)?.into_iter().flatten().collect())
    }

    /// What the spans of a trace go on from for certain, among all spans that are known.
    fn joins(&self, id: TraceId) -> Vec<Join> {
        let mut joins = Vec::new();
        let spans = &self.known[&id].spans;
        let own: HashSet<SpanId> = spans.iter().map(|span| span.span_id).collect();
        for span in spans {
            let to = SpanAt::of(span);
            let mut join = |from: SpanAt, how, key: Option<&str>| {
                if from != to {
                    let key = key.map(str::to_owned);
                    joins.push(Join { from, to, how, key });
                }
            };
            let parent = span.parent_id.filter(|parent| !own.contains(parent));
            if let Some(parent) = parent.and_then(|parent| self.places.get(&parent)) {
                join(*parent, How::Carried, None);
            }
            for link in &span.links {
                let from = SpanAt {
                    trace_id: link.trace_id,
                    span_id: link.span_id,
                };
                join(from, How::Carried, None);
            }
            for key in received(span).iter().flat_map(|record| &record.exact) {
                for from in self.senders.get(*key).into_iter().flatten() {
                    join(*from, How::Matched, Some(key));
                }
                let request = request_of(key).filter(|request| invocation(span) != Some(*request));
                let invoked = request.and_then(|request| self.invocations.get(request));
                for from in invoked.into_iter().flatten() {
                    join(*from, How::Matched, Some(key));
                }
            }
        }
        joins
    }

    /// Finds out what the spans of a trace probably go on from, where nothing is known for certain.
    fn infer(&mut self, id: TraceId) -> Result<(), S::Error> {
        if self.inferred.contains_key(&id) {
            return Ok(());
        }
        let certain = self.joins(id);
        let is_certain = |span: &Span, keys: &[&str]| {
            certain.iter().any(|join| {
                let is_of_record = join.key.as_deref().is_some_and(|key| keys.contains(&key));
                join.to == SpanAt::of(span) && (join.how == How::Carried || is_of_record)
            })
        };
        let spans = &self.known[&id].spans;
        let mut open: Vec<(SpanAt, UnixNanos, String)> = Vec::new();
        for span in spans {
            let records = received(span).into_iter();
            let is_open = |record: &Record<'_>| {
                !record.probable.is_empty() && !is_certain(span, &record.exact)
            };
            let mut records = records.filter(is_open).peekable();
            if records.peek().is_none() || !begins_here(spans, span) {
                continue;
            }
            let keys = records.flat_map(|record| record.probable);
            let at = SpanAt::of(span);
            open.extend(keys.map(|key| (at, span.start, key.to_owned())));
        }
        let keys: BTreeSet<&String> = open.iter().map(|(_, _, key)| key).collect();
        let ends: Vec<End> = keys.into_iter().map(|key| End::Out(key.clone())).collect();
        for traces in self.look(&ends)? {
            if traces.len() > CANDIDATES_MAX {
                self.left_out.is_partial = true;
                continue;
            }
            for trace in traces {
                self.load(trace)?;
            }
        }
        let mut joins = Vec::new();
        for (to, received, key) in open {
            let senders = self.senders.get(&key).into_iter().flatten();
            let before = senders.filter_map(|from| {
                let start = self.start(*from)?;
                let is_before = start.0 <= received.0.saturating_add(SKEW_NANOS);
                (is_before && *from != to).then_some((start, *from))
            });
            if let Some((_, from)) = before.max() {
                let key = Some(key);
                let how = How::Inferred;
                joins.push(Join { from, to, how, key });
            }
        }
        self.inferred.insert(id, joins);
        Ok(())
    }

    fn start(&self, at: SpanAt) -> Option<UnixNanos> {
        let mut spans = self.known.get(&at.trace_id)?.spans.iter();
        let span = spans.find(|span| span.span_id == at.span_id)?;
        Some(span.start)
    }

    /// The traces of these ends; each is asked for once.
    fn look(&mut self, ends: &[End]) -> Result<Vec<Vec<TraceId>>, S::Error> {
        let new = ends.iter().filter(|end| !self.linked.contains_key(end));
        let new: Vec<End> = new.cloned().collect();
        if !new.is_empty() {
            let found = self.source.linked(&new)?;
            self.left_out.is_partial |= found.truncated;
            self.linked.extend(new.into_iter().zip(found.traces));
        }
        let found = ends.iter().map(|end| self.linked.get(end).cloned());
        Ok(found.map(Option::unwrap_or_default).collect())
    }
}

impl Part {
    fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.logs.is_empty()
    }
}

/// Whether nothing that this trace knows of has led to a span, but its own invocation.
fn begins_here(spans: &[Span], span: &Span) -> bool {
    let mut at = span;
    for _ in 0..CLIMB_MAX {
        let parent = at.parent_id;
        let parent = parent.and_then(|id| spans.iter().find(|span| span.span_id == id));
        match parent {
            None => return true,
            Some(parent)
                if invocation(parent).is_some() && invocation(parent) == invocation(at) =>
            {
                at = parent;
            }
            Some(_) => return false,
        }
    }
    false
}

/// Traces that may have sent the same probable key. Of more, nobody can tell which it was.
const CANDIDATES_MAX: usize = 20;

/// How much clocks may differ: what was received before it was sent by more than that was not it.
const SKEW_NANOS: u64 = 1_000_000_000;

/// Spans of one invocation above another: the platform's above a layer's.
const CLIMB_MAX: usize = 8;
