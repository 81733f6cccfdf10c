//! Spans to edges.

use std::ops::Range;

use arrow::array::{
    Array, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
    UInt8Array,
};
use throughline_telemetry::{Histogram, Resource, SpanKind, SpanStatus, UnixNanos};

use super::call::{self, Call, Fact, Said};
use super::{Callee, Caller, NodeKind};
use crate::batch::typed;
use crate::hash::HashMap;
use crate::limits::{EDGE_NAME_BYTES_MAX, EDGES_A_MINUTE_MAX, EDGES_MAX};
use crate::rollup::{ENVIRONMENT_KEY, MINUTE_NANOS, OTHER};
use crate::segment::{
    AttributeLists, Damage, Texts, attribute_lists, attributes_from_json, texts_of,
};

/// Sums up edges, in memory that is bounded by the limits.
#[derive(Debug, Default)]
pub(crate) struct EdgeFold {
    callers: Vec<Settled>,
    by_caller: HashMap<Settled, u32>,
    /// By the JSON of a resource.
    by_resource: HashMap<String, u32>,
    edges: Vec<Key>,
    by_edge: HashMap<Key, u32>,
    rows: HashMap<(u64, u32), Sums>,
    /// How many edges a minute has.
    of_minute: HashMap<u64, usize>,
}

/// Whoever calls, and from which environment: that of who is called where the caller says none. Empty where neither does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Settled {
    caller: Caller,
    environment: String,
}

/// What is told apart, less the minute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    caller: u32,
    callee: Callee,
    operation: String,
    is_async: bool,
}

/// What is summed up.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) count: i64,
    pub(super) errors: i64,
    pub(super) throttles: i64,
    pub(super) sum_ms: f64,
    pub(super) durations: Histogram,
}

/// One row: when, where, from whom, to whom, how, and how much.
pub(super) struct Row<'a> {
    pub(super) minute: u64,
    pub(super) environment: &'a str,
    pub(super) caller: &'a Caller,
    pub(super) callee: &'a Callee,
    pub(super) operation: &'a str,
    pub(super) is_async: bool,
    pub(super) sums: &'a Sums,
}

/// One call.
struct Counted {
    start: u64,
    duration_nanos: i64,
    is_error: bool,
    is_throttled: bool,
}

impl EdgeFold {
    /// Adds the spans of a canonical batch but those left out, whose places are in order. Of each trace it
    /// has all spans of the segment, in any order. Only calls within these times count.
    pub(crate) fn add(
        &mut self,
        canonical: &RecordBatch,
        left_out: &[usize],
        times: &Range<UnixNanos>,
    ) -> Result<(), Damage> {
        let spans = Spans::new(canonical)?;
        let of_code = spans.resources.distinct().map(|json| self.caller_of(json));
        let of_code = of_code.collect::<Result<Vec<u32>, Damage>>()?;
        let counts = |row: usize| left_out.binary_search(&row).is_err();
        let rows = || (0..canonical.num_rows()).filter(|row| counts(*row));
        let places: HashMap<_, usize> = rows().map(|row| (spans.id(row), row)).collect();
        let mut is_answered = vec![false; canonical.num_rows()];
        for row in rows() {
            let parent = spans.parent(row).and_then(|parent| places.get(&parent));
            let Some(parent) = parent.copied().filter(|parent| *parent != row) else {
                continue;
            };
            let [from, to] = [parent, row].map(|row| of_code[spans.resources.code(row)]);
            if !self.is_call(&spans, (parent, from), (row, to)) {
                continue;
            }
            is_answered[parent] = true;
            let key = Key {
                caller: self.settled(from, to),
                callee: self.callee_of(to),
                operation: cut(spans.names.value(row)).to_owned(),
                is_async: spans.is(parent, SpanKind::Producer) || spans.is(row, SpanKind::Consumer),
            };
            let is_error =
                spans.has_failed(row) || (spans.is_going_out(parent) && spans.has_failed(parent));
            self.count(key, times, spans.counted(row, is_error, false));
        }
        let facts: Vec<_> = spans.attributes.keys.distinct().map(call::fact).collect();
        for row in rows().filter(|row| spans.is_going_out(*row)) {
            let said = spans.said(row, &facts);
            let Some(call) = said.call(spans.names.value(row)) else {
                continue;
            };
            if is_answered[row] && call.kind.may_answer() {
                continue;
            }
            let caller = of_code[spans.resources.code(row)];
            let is_producer = spans.is(row, SpanKind::Producer);
            let counted = spans.counted(row, spans.has_failed(row), said.is_throttled());
            self.count(key_of(caller, &call, is_producer), times, counted);
        }
        Ok(())
    }

    /// The rows, by caller, callee, operation, environment and minute.
    pub(super) fn rows(&self) -> Vec<Row<'_>> {
        let rows = self.rows.iter().map(|((minute, edge), sums)| {
            let key = &self.edges[*edge as usize];
            let Settled {
                caller,
                environment,
            } = &self.callers[key.caller as usize];
            Row {
                minute: *minute,
                environment,
                caller,
                callee: &key.callee,
                operation: &key.operation,
                is_async: key.is_async,
                sums,
            }
        });
        let mut rows: Vec<Row<'_>> = rows.collect();
        rows.sort_unstable_by_key(Row::about);
        rows
    }

    /// Whether the owner of the parent has called the owner of the span.
    fn is_call(
        &self,
        spans: &Spans<'_>,
        (parent, from): (usize, u32),
        (child, to): (usize, u32),
    ) -> bool {
        let goes_in = spans.is(child, SpanKind::Server) || spans.is(child, SpanKind::Consumer);
        let [a, b] = [from, to].map(|caller| &self.callers[caller as usize].caller);
        !a.is_same(b) || (goes_in && spans.is_going_out(parent))
    }

    fn callee_of(&self, caller: u32) -> Callee {
        let Caller { service, function } = &self.callers[caller as usize].caller;
        let (kind, service, name) = match function.is_empty() {
            true => (NodeKind::Service, "", service),
            false => (NodeKind::Function, service.as_str(), function),
        };
        Callee {
            kind,
            service: service.to_owned(),
            name: name.clone(),
        }
    }

    fn count(&mut self, key: Key, times: &Range<UnixNanos>, counted: Counted) {
        if !times.contains(&UnixNanos(counted.start)) {
            return;
        }
        let minute = counted.start - counted.start % MINUTE_NANOS;
        let edge = self.edge(key, minute);
        #[allow(clippy::cast_precision_loss)] // exact up to 104 days
        let millis = counted.duration_nanos as f64 / 1e6;
        let sums = self.rows.entry((minute, edge)).or_default();
        sums.count += 1;
        sums.errors += i64::from(counted.is_error);
        sums.throttles += i64::from(counted.is_throttled);
        sums.sum_ms += millis;
        sums.durations.record(millis);
    }

    /// The number of an edge that a minute has, or has room for; else that of all others.
    fn edge(&mut self, key: Key, minute: u64) -> u32 {
        let known = self.by_edge.get(&key).copied();
        if let Some(edge) = known.filter(|edge| self.rows.contains_key(&(minute, *edge))) {
            return edge;
        }
        let of_minute = self.of_minute.entry(minute).or_default();
        let has_room = *of_minute < EDGES_A_MINUTE_MAX;
        if let Some(edge) = known.filter(|_| has_room) {
            *of_minute += 1;
            return edge;
        }
        if has_room && self.edges.len() < EDGES_MAX {
            *of_minute += 1;
            return self.new_edge(key);
        }
        let other = Key {
            caller: self.caller(Settled {
                caller: Caller {
                    service: OTHER.to_owned(),
                    function: String::new(),
                },
                environment: String::new(),
            }),
            callee: Callee {
                kind: NodeKind::Other,
                service: String::new(),
                name: OTHER.to_owned(),
            },
            operation: OTHER.to_owned(),
            is_async: false,
        };
        match self.by_edge.get(&other) {
            Some(edge) => *edge,
            None => self.new_edge(other),
        }
    }

    fn new_edge(&mut self, key: Key) -> u32 {
        let edge = number(self.edges.len());
        self.edges.push(key.clone());
        self.by_edge.insert(key, edge);
        edge
    }

    /// Who a resource is.
    fn caller_of(&mut self, json: &str) -> Result<u32, Damage> {
        if let Some(known) = self.by_resource.get(json) {
            return Ok(*known);
        }
        let attributes = attributes_from_json(json)?;
        let resource = Resource { attributes };
        let caller = Caller {
            service: cut(resource.service()).to_owned(),
            function: cut(resource.attributes.text("faas.name").unwrap_or_default()).to_owned(),
        };
        let environment = resource.attributes.text(ENVIRONMENT_KEY);
        let environment = cut(environment.unwrap_or_default()).to_owned();
        let caller = self.caller(Settled {
            caller,
            environment,
        });
        self.by_resource.insert(json.to_owned(), caller);
        Ok(caller)
    }

    /// Who calls, where it or whom it calls says that it is.
    fn settled(&mut self, from: u32, to: u32) -> u32 {
        let [from_where, to_where] =
            [from, to].map(|id| self.callers[id as usize].environment.as_str());
        if !from_where.is_empty() || to_where.is_empty() {
            return from;
        }
        let environment = to_where.to_owned();
        self.caller(Settled {
            caller: self.callers[from as usize].caller.clone(),
            environment,
        })
    }

    fn caller(&mut self, caller: Settled) -> u32 {
        if let Some(known) = self.by_caller.get(&caller) {
            return *known;
        }
        let id = number(self.callers.len());
        self.callers.push(caller.clone());
        self.by_caller.insert(caller, id);
        id
    }
}

impl Caller {
    /// Whether spans of both are of one. A library that says nothing of the function is in one of its
    /// service.
    fn is_same(&self, other: &Caller) -> bool {
        match (self.function.as_str(), other.function.as_str()) {
            ("", _) | (_, "") => self.service == other.service,
            (a, b) => a == b,
        }
    }
}

impl<'a> Row<'a> {
    fn about(&self) -> (&'a Caller, &'a Callee, &'a str, bool, &'a str, u64) {
        (
            self.caller,
            self.callee,
            self.operation,
            self.is_async,
            self.environment,
            self.minute,
        )
    }
}

fn key_of(caller: u32, call: &Call<'_>, is_producer: bool) -> Key {
    Key {
        caller,
        callee: Callee {
            kind: call.kind,
            service: String::new(),
            name: cut(&call.name).to_owned(),
        },
        operation: cut(&call.operation).to_owned(),
        is_async: call.is_async || is_producer,
    }
}

/// The columns that matter.
struct Spans<'a> {
    trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
    parents: &'a FixedSizeBinaryArray,
    kinds: &'a [u8],
    statuses: &'a [u8],
    starts: &'a [i64],
    durations: &'a [i64],
    names: &'a StringArray,
    resources: Texts<'a>,
    attributes: AttributeLists<'a>,
}

impl<'a> Spans<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, Damage> {
        let get = |name: &str| {
            let column = batch.column_by_name(name);
            column.ok_or_else(|| Damage::new(format!("no column {name}")))
        };
        Ok(Spans {
            trace_ids: typed(get("trace_id")?, "trace_id")?,
            span_ids: typed(get("span_id")?, "span_id")?,
            parents: typed(get("parent_span_id")?, "parent_span_id")?,
            kinds: typed::<UInt8Array>(get("kind")?, "kind")?.values(),
            statuses: typed::<UInt8Array>(get("status")?, "status")?.values(),
            starts: typed::<TimestampNanosecondArray>(get("start")?, "start")?.values(),
            durations: typed::<Int64Array>(get("duration")?, "duration")?.values(),
            names: typed(get("name")?, "name")?,
            resources: texts_of(get("resource")?, "resource")?,
            attributes: attribute_lists(get("attributes")?)?,
        })
    }

    fn id(&self, row: usize) -> (&'a [u8], &'a [u8]) {
        (self.trace_ids.value(row), self.span_ids.value(row))
    }

    fn parent(&self, row: usize) -> Option<(&'a [u8], &'a [u8])> {
        let has_one = self.parents.is_valid(row);
        has_one.then(|| (self.trace_ids.value(row), self.parents.value(row)))
    }

    fn is(&self, row: usize, kind: SpanKind) -> bool {
        self.kinds[row] == kind as u8
    }

    fn is_going_out(&self, row: usize) -> bool {
        self.is(row, SpanKind::Client) || self.is(row, SpanKind::Producer)
    }

    fn has_failed(&self, row: usize) -> bool {
        self.statuses[row] == SpanStatus::Error as u8
    }

    fn said(&self, row: usize, facts: &[Option<(Fact, bool)>]) -> Said<'a> {
        let mut said = Said::default();
        for item in self.attributes.range(row) {
            if let Some(fact) = facts[self.attributes.keys.code(item)] {
                said.add(fact, self.attributes.item(item).2);
            }
        }
        said
    }

    fn counted(&self, row: usize, is_error: bool, is_throttled: bool) -> Counted {
        Counted {
            start: self.starts[row].cast_unsigned(),
            duration_nanos: self.durations[row],
            is_error,
            is_throttled,
        }
    }
}

/// What of a name is kept.
fn cut(name: &str) -> &str {
    let mut end = name.len().min(EDGE_NAME_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

fn number(len: usize) -> u32 {
    u32::try_from(len).expect("edges are limited, and so are the rows of a segment")
}
