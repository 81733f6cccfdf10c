//! Managed services between who sends and who receives, as spans.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use throughline_telemetry::correlation::{IN_PATH, LINK_IN};
use throughline_telemetry::{
    Attributes, Resource, Scope, Span, SpanId, SpanKind, SpanStatus, UnixNanos,
};

use super::SpanAt;
use super::keys::texts;
use super::tree::{Forest, Node};

/// One service that a record came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hop<'a> {
    pub(crate) kind: &'a str,
    /// Empty if the record does not tell it: an event does not name its bus.
    pub(crate) name: &'a str,
    /// When it took the record.
    pub(crate) accepted: Option<UnixNanos>,
    pub(crate) key: Option<&'a str>,
}

impl Forest {
    /// Puts a span for each service that records came through between who sent them and who received them.
    pub(super) fn add_hops(&mut self) {
        let mut made = HashMap::new();
        for place in 0..self.nodes.len() {
            let paths = texts(&self.nodes[place].span.attributes, IN_PATH);
            let paths: Vec<String> = paths.take(PATHS_MAX).map(str::to_owned).collect();
            if !paths.is_empty() {
                self.hops_of(place, &paths, &mut made);
            }
        }
    }

    fn hops_of(&mut self, place: usize, paths: &[String], made: &mut HashMap<Made, usize>) {
        let senders = self.senders(place);
        let top = self.top(place);
        let parent = self.nodes[top].parent;
        let paths: Vec<Vec<Hop<'_>>> = paths.iter().map(|path| parse(path)).collect();
        let sender = |path: &[Hop<'_>]| {
            let mut keys = path.iter().filter_map(|hop| hop.key);
            keys.find_map(|key| senders.get(key).copied())
        };
        // The record that led here: that of the parent, or the only one, or of those nobody sent the first.
        let main = paths
            .iter()
            .position(|path| parent.is_some() && sender(path) == parent);
        let is_plain = paths.len() == 1 || parent.is_none() || senders.is_empty();
        let main = main.or(is_plain.then_some(0));
        for (record, path) in paths.iter().enumerate() {
            let is_main = main == Some(record);
            let from = if is_main { parent } else { sender(path) };
            if !is_main && from.is_none() || made.len() >= HOPS_MAX {
                continue;
            }
            if from.is_some_and(|from| self.is_below(from, top)) {
                continue;
            }
            let last = self.chain(from, path, (place, top, record), made);
            if is_main && last.is_some() {
                self.nodes[top].parent = last;
            }
        }
    }

    /// Who sent what a span has received, by key.
    fn senders(&self, place: usize) -> HashMap<String, usize> {
        let span = &self.nodes[place].span;
        let at = SpanAt::of(span);
        let mut senders = HashMap::new();
        for link in &span.links {
            let from = SpanAt {
                trace_id: link.trace_id,
                span_id: link.span_id,
            };
            if let Some(from) = self.places.get(&from) {
                let keys = texts(&link.attributes, LINK_IN);
                senders.extend(keys.map(|key| (key.to_owned(), *from)));
            }
        }
        // A key knows the very call.
        let joins = self.joins.iter().filter(|join| join.to == at);
        for join in joins {
            if let (Some(key), Some(from)) = (&join.key, self.places.get(&join.from)) {
                senders.insert(key.clone(), *from);
            }
        }
        senders
    }

    /// The services of a path, each below the one before it. The position of the last.
    fn chain(
        &mut self,
        from: Option<usize>,
        path: &[Hop<'_>],
        (place, top, record): (usize, usize, usize),
        made: &mut HashMap<Made, usize>,
    ) -> Option<usize> {
        let begin = self.nodes[top].span.start;
        let mut above = from;
        for (number, hop) in path.iter().enumerate() {
            let sent = above.map(|above| self.nodes[above].span.start);
            // A bus tells whole seconds, and clocks differ: nothing was accepted before it was sent.
            let start = hop
                .accepted
                .or(sent)
                .unwrap_or(begin)
                .max(sent.unwrap_or_default());
            let name = self.name_of(hop, above);
            let next = path[number + 1..].iter().find_map(|hop| hop.accepted);
            let end = next.unwrap_or(begin).max(start);
            let one = Made {
                above,
                kind: hop.kind.to_owned(),
                name: name.clone(),
                start,
                end,
            };
            let nodes = &mut self.nodes;
            above = Some(*made.entry(one).or_insert_with(|| {
                let of = &nodes[place].span;
                let span = hop.span(&name, of, (record, number), start, end);
                nodes.push(Node {
                    span,
                    parent: above,
                    join: None,
                    is_inferred: true,
                });
                nodes.len() - 1
            }));
        }
        above.filter(|_| !path.is_empty())
    }

    /// The name of a service; where the record does not tell it, what the call that sent it says of where it went.
    fn name_of(&self, hop: &Hop<'_>, sender: Option<usize>) -> String {
        let call = sender.filter(|_| hop.name.is_empty());
        let said = call.and_then(|call| self.nodes[call].span.attributes.text(DESTINATION));
        said.unwrap_or(hop.name).to_owned()
    }
}

/// What was made, so that records that took the same way at the same time have one.
#[derive(PartialEq, Eq, Hash)]
struct Made {
    above: Option<usize>,
    kind: String,
    name: String,
    start: UnixNanos,
    end: UnixNanos,
}

impl Hop<'_> {
    /// The span of a service that a record came through on its way to a span.
    fn span(
        &self,
        name: &str,
        of: &Span,
        at: (usize, usize),
        start: UnixNanos,
        end: UnixNanos,
    ) -> Span {
        let mut hasher = DefaultHasher::new();
        (of.trace_id.as_bytes(), of.span_id.as_bytes(), at).hash(&mut hasher);
        let id = hasher.finish().max(1).to_be_bytes();
        let mut attributes = Attributes::default();
        attributes.set("throughline.inferred", true);
        attributes.set("throughline.hop.kind", self.kind);
        // One that nobody names is called what it is.
        let (service, shown) = match name {
            "" => (self.kind, self.kind.to_owned()),
            name => (name, format!("{} {name}", self.kind)),
        };
        attributes.set("throughline.hop.name", service);
        let mut resource = Attributes::default();
        resource.set("service.name", service);
        Span {
            trace_id: of.trace_id,
            span_id: SpanId::new(id).unwrap_or(of.span_id),
            parent_id: None,
            trace_state: String::new(),
            name: shown,
            kind: SpanKind::Internal,
            start,
            end,
            status: SpanStatus::Unset,
            status_message: String::new(),
            attributes,
            events: Vec::new(),
            links: Vec::new(),
            resource: Arc::new(Resource {
                attributes: resource,
            }),
            scope: Arc::new(Scope::default()),
        }
    }
}

/// The services of a path; what cannot be read is left out.
pub(crate) fn parse(path: &str) -> Vec<Hop<'_>> {
    let hops = path.split('>').filter_map(|hop| {
        let (hop, key) = match hop.split_once('#') {
            Some((hop, key)) => (hop, Some(key)),
            None => (hop, None),
        };
        let (kind, name) = hop.split_once(':')?;
        let timed = name.rsplit_once('@').and_then(|(name, millis)| {
            let millis: u64 = millis.parse().ok()?;
            Some((name, UnixNanos(millis.checked_mul(1_000_000)?)))
        });
        let (name, accepted) = timed.map_or((name, None), |(name, at)| (name, Some(at)));
        Some(Hop {
            kind,
            name,
            accepted,
            key,
        })
    });
    hops.take(HOPS_A_PATH_MAX).collect()
}

/// The attribute of where a call sends something.
const DESTINATION: &str = "messaging.destination.name";

/// Services of one record: more than a record passes.
const HOPS_A_PATH_MAX: usize = 16;

/// Records of one invocation whose ways are shown.
const PATHS_MAX: usize = 100;

/// Spans of services in one story.
const HOPS_MAX: usize = 1000;
