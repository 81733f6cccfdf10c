//! A plan and a graph to rows.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::aggregate::Folded;
use super::matching::{Cell, Matcher, Row, Wanted};
use super::model::{EdgeId, Graph, NodeId};
use super::plan::{Plan, Way};
use super::reach::{Budget, Over};
use super::value::Value;

/// How much an answer may have and take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Rows that are answered.
    pub rows: usize,
    /// Rows, or groups, that are held to be put in order.
    pub held: usize,
    /// Relationships and rows that are looked at.
    pub steps: u64,
    /// Nodes that are drawn.
    pub drawn: usize,
}

/// What a query found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The columns.
    pub columns: Vec<Heading>,
    /// A value for each of them.
    pub rows: Vec<Vec<Value>>,
    /// How many rows there are, before SKIP and LIMIT; at least so many if it was stopped.
    pub total: u64,
    /// Why this is not all that was asked for.
    pub cut: Option<Cut>,
    /// How many relationships and rows were looked at.
    pub steps: u64,
    /// The nodes that the rows are about, of the first rows.
    pub nodes: Vec<NodeId>,
    /// The relationships between them that the rows are about.
    pub edges: Vec<EdgeId>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Its name.
    pub name: String,
    /// In what it is, as far as that is plain: `ms`, `usd`, `per_second`, `share`, `count`, `time`; else empty.
    pub unit: &'static str,
}

/// Why an answer is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// There are more rows than an answer has; those that are there come first.
    Rows,
    /// So many rows were found that the rest was not looked for.
    Held,
    /// So much was looked at that the rest was not.
    Steps,
    /// The time was over.
    Time,
}

impl Cut {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Cut::Rows => "rows",
            Cut::Held => "held",
            Cut::Steps => "steps",
            Cut::Time => "time",
        }
    }
}

/// What is kept of a row, or of a group.
struct Found {
    values: Vec<Value>,
    /// What it is about: of a group the first rows.
    about: Vec<Row>,
}

/// A group, and what its aggregates have seen.
struct Group {
    folded: Vec<Folded>,
    about: Vec<Row>,
}

pub(super) fn answer(
    plan: &Plan,
    graph: &Graph,
    limits: &Limits,
    may_go_on: &dyn Fn() -> bool,
) -> Answer {
    let budget = Budget::new(limits.steps, may_go_on);
    let mut matcher = Matcher::new(graph, &budget);
    let mut found = match plan.aggregates.is_empty() {
        true => rows(plan, &mut matcher, limits),
        false => groups(plan, &mut matcher, limits),
    };
    if plan.is_distinct {
        distinct(&mut found, plan.columns.len());
    }
    found.sort_by(|a, b| {
        let columns = plan.order.iter().map(|(column, is_descending)| {
            let ordering = a.values[*column].order(&b.values[*column]);
            match is_descending {
                true => ordering.reverse(),
                false => ordering,
            }
        });
        columns
            .into_iter()
            .find(|it| it.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let total = found.len() as u64;
    let asked = plan.limit.unwrap_or(usize::MAX);
    let behind = found.len().saturating_sub(plan.skip);
    let is_cut = behind.min(asked) > limits.rows;
    let shown = found
        .into_iter()
        .skip(plan.skip)
        .take(asked.min(limits.rows));
    let shown: Vec<Found> = shown.collect();
    let steps = budget.steps();
    let over = budget.over();
    let (nodes, edges) = drawn(plan, graph, &shown, limits, may_go_on);
    let columns = plan.columns.iter().map(|column| Heading {
        name: column.name.clone(),
        unit: column.unit,
    });
    let rows = shown.into_iter().map(|mut found| {
        found.values.truncate(plan.columns.len());
        found.values
    });
    Answer {
        columns: columns.collect(),
        rows: rows.collect(),
        total,
        cut: match over {
            Some(Over::Time) => Some(Cut::Time),
            Some(Over::Steps) => Some(Cut::Steps),
            Some(Over::Rows) => Some(Cut::Held),
            None => is_cut.then_some(Cut::Rows),
        },
        steps,
        nodes,
        edges,
    }
}

fn rows(plan: &Plan, matcher: &mut Matcher<'_>, limits: &Limits) -> Vec<Found> {
    let mut found = Vec::new();
    each(plan, matcher, |matcher, row| {
        if found.len() == limits.held {
            matcher.budget.end(Over::Rows);
            return false;
        }
        let columns = plan.columns.iter().map(|column| &column.what);
        let all = columns.chain(&plan.hidden);
        let values = all.map(|what| matcher.value(what, row, &[])).collect();
        found.push(Found {
            values,
            about: vec![row.clone()],
        });
        true
    });
    found
}

fn groups(plan: &Plan, matcher: &mut Matcher<'_>, limits: &Limits) -> Vec<Found> {
    let new = || Group {
        folded: plan.aggregates.iter().map(|_| Folded::new()).collect(),
        about: Vec::new(),
    };
    let keys: Vec<_> = plan.columns.iter().filter(|column| column.is_key).collect();
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Vec<u8>, usize, RandomState> = HashMap::default();
    each(plan, matcher, |matcher, row| {
        let mut key = Vec::new();
        for column in &keys {
            matcher.value(&column.what, row, &[]).key(&mut key);
        }
        let place = match places.get(&key) {
            Some(place) => *place,
            None if groups.len() == limits.held => {
                matcher.budget.end(Over::Rows);
                return false;
            }
            None => {
                groups.push(new());
                places.insert(key, groups.len() - 1);
                groups.len() - 1
            }
        };
        let group = &mut groups[place];
        for (folded, call) in group.folded.iter_mut().zip(&plan.aggregates) {
            let value = call.of.as_ref().map(|of| matcher.value(of, row, &[]));
            folded.add(call, value);
        }
        if group.about.len() < ABOUT_MAX {
            group.about.push(row.clone());
        }
        true
    });
    if groups.is_empty() && keys.is_empty() {
        // Nothing was found: that is one row, of zeros and nulls.
        groups.push(new());
    }
    let found = groups.into_iter().map(|group| {
        let pairs = group.folded.iter().zip(&plan.aggregates);
        let aggregated: Vec<Value> = pairs.map(|(folded, call)| folded.finish(call)).collect();
        let mut row = group.about.first().cloned();
        let row = row.get_or_insert_with(|| vec![Cell::None; plan.slots]);
        let columns = plan.columns.iter().map(|column| &column.what);
        let all = columns.chain(&plan.hidden);
        let values = all
            .map(|what| matcher.value(what, row, &aggregated))
            .collect();
        Found {
            values,
            about: group.about,
        }
    });
    found.collect()
}

/// Goes over all rows that fit.
fn each(
    plan: &Plan,
    matcher: &mut Matcher<'_>,
    mut take: impl FnMut(&mut Matcher<'_>, &mut Row) -> bool,
) {
    let wanted = Wanted {
        nodes: &plan.nodes,
        pieces: &plan.pieces,
        conditions: &plan.conditions,
    };
    let mut row = vec![Cell::None; plan.slots];
    matcher.rows(wanted, &mut row, &mut |matcher, row| take(matcher, row));
}

fn distinct(found: &mut Vec<Found>, columns: usize) {
    let mut seen: HashMap<Vec<u8>, usize, RandomState> = HashMap::default();
    let mut kept: Vec<Found> = Vec::new();
    for row in found.drain(..) {
        let mut key = Vec::new();
        row.values[..columns]
            .iter()
            .for_each(|value| value.key(&mut key));
        match seen.get(&key) {
            Some(place) => {
                let about = &mut kept[*place].about;
                if about.len() < ABOUT_MAX {
                    about.extend(row.about);
                }
            }
            None => {
                seen.insert(key, kept.len());
                kept.push(row);
            }
        }
    }
    *found = kept;
}

/// The nodes and relationships that rows are about, up to a limit: of a piece whose way was not asked for a shortest
/// one.
fn drawn(
    plan: &Plan,
    graph: &Graph,
    shown: &[Found],
    limits: &Limits,
    may_go_on: &dyn Fn() -> bool,
) -> (Vec<NodeId>, Vec<EdgeId>) {
    let budget = Budget::new(limits.steps / 4, may_go_on);
    let mut matcher = Matcher::new(graph, &budget);
    let mut nodes: BTreeSet<NodeId> = BTreeSet::new();
    let mut edges: BTreeSet<EdgeId> = BTreeSet::new();
    let ways: Vec<_> = plan
        .pieces
        .iter()
        .filter(|it| matches!(it.way, Way::Any(..)))
        .collect();
    for row in shown.iter().flat_map(|found| &found.about) {
        let mut of_row: Vec<EdgeId> = Vec::new();
        for cell in row {
            match cell {
                Cell::None => {}
                Cell::Node(node) => {
                    nodes.insert(*node);
                }
                Cell::Edge(edge) => of_row.push(*edge),
                Cell::Edges(way) => of_row.extend(way.iter()),
            }
        }
        for piece in &ways {
            of_row.extend(matcher.way(piece, row).unwrap_or_default());
        }
        for edge in of_row {
            nodes.extend([graph.edge(edge).from, graph.edge(edge).to]);
            edges.insert(edge);
        }
        if nodes.len() >= limits.drawn || edges.len() >= limits.drawn * 4 {
            break;
        }
    }
    (nodes.into_iter().collect(), edges.into_iter().collect())
}

/// Rows of a group that are drawn.
const ABOUT_MAX: usize = 20;
