//! Who calls a node, and whom it calls, directly and through others.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::arguments::ImpactOf;
use super::lists::{is_cut, times};
use crate::answer::Found;
use crate::ask::{Ask, Parameters, with_query};
use crate::{Api, Failure};

pub(super) async fn impact<A: Api>(ask: &Ask<'_, A>, asked: ImpactOf) -> Result<Found, Failure> {
    let from = ask.since(asked.from.as_deref(), 1)?;
    let to = ask.time(asked.to.as_deref())?;
    let parameters = Parameters::default()
        .and("from", Some(from))
        .and("to", to)
        .and("limit", Some(EDGES_MAX));
    let map = ask.get("/api/v1/edges", parameters).await?;
    let node = resolve(&map["nodes"], &asked.node)?;
    let edges = Edges::new(&map["edges"]);
    let (callers, callees) = (edges.walk(&node, Way::Up), edges.walk(&node, Way::Down));
    let page = Parameters::default().and("select", Some(&node));
    let page = times(page, Some(from), to, ask);
    Ok(Found {
        total: Some((callers.len() + callees.len()) as u64),
        truncated: is_cut(&map),
        path: with_query("/map", page),
        next: None,
        telemetry: json!({"node": node, "affected_callers": callers, "depends_on": callees}),
    })
}

/// The id on the map of what somebody calls by id, by name, or by a part of it that no other has.
fn resolve(nodes: &Value, wanted: &str) -> Result<String, Failure> {
    let nodes: Vec<(&str, &str)> = nodes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| Some((node["id"].as_str()?, node["name"].as_str()?)))
        .collect();
    let by = |is_it: &dyn Fn(&str, &str) -> bool| -> Vec<&str> {
        let found = nodes.iter().filter(|(id, name)| is_it(id, name));
        found.map(|(id, _)| *id).collect()
    };
    let small = wanted.to_lowercase();
    let tries = [
        by(&|id, _| id == wanted),
        by(&|_, name| name == wanted),
        by(&|_, name| name.to_lowercase().contains(&small)),
    ];
    let found = tries.into_iter().find(|found| !found.is_empty());
    match found.as_deref() {
        Some([one]) => Ok((*one).to_owned()),
        Some(several) => {
            let shown = &several[..several.len().min(20)];
            Err(Failure(format!(
                "{wanted:?} may be {}: say which",
                shown.join(", ")
            )))
        }
        None => {
            let known: Vec<&str> = nodes.iter().take(20).map(|(id, _)| *id).collect();
            Err(Failure(format!(
                "nothing called {wanted:?} was called or has called in this time; there are {}",
                known.join(", ")
            )))
        }
    }
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

/// What is said of all calls from one node to another.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    count: u64,
    errors: u64,
    throttles: u64,
    p99_ms: f64,
}

struct Edges<'a>(BTreeMap<(&'a str, &'a str), Calls>);

impl<'a> Edges<'a> {
    fn new(edges: &'a Value) -> Self {
        let mut all: BTreeMap<(&str, &str), Calls> = BTreeMap::new();
        for edge in edges.as_array().into_iter().flatten() {
            let (Some(from), Some(to)) = (edge["from"].as_str(), edge["to"].as_str()) else {
                continue;
            };
            let number = |name: &str| edge[name].as_u64().unwrap_or(0);
            let calls = all.entry((from, to)).or_default();
            calls.count += number("count");
            calls.errors += number("error_count");
            calls.throttles += number("throttle_count");
            let p99_ms = edge["p99_ms"].as_f64().unwrap_or(0.0);
            calls.p99_ms = calls.p99_ms.max(p99_ms);
        }
        Edges(all)
    }

    /// Everything that can be reached, the nearest first, and on each step the most called first.
    fn walk(&self, start: &str, way: Way) -> Vec<Value> {
        let mut found = Vec::new();
        let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut next = VecDeque::new();
        if let Some((start, _)) = self
            .around(start, way)
            .first()
            .map(|(here, ..)| (*here, ()))
        {
            paths.insert(start, vec![start]);
            next.push_back(start);
        }
        while let Some(here) = next.pop_front() {
            let path = paths[here].clone();
            if path.len() > HOPS_MAX {
                continue;
            }
            for (_, there, calls) in self.around(here, way) {
                if paths.contains_key(there) {
                    continue;
                }
                let to_there = [path.clone(), vec![there]].concat();
                found.push(json!({"node": there, "hops": path.len(), "path": to_there,
                    "calls": calls.count, "errors": calls.errors, "throttles": calls.throttles,
                    "p99_ms": calls.p99_ms}));
                paths.insert(there, to_there);
                next.push_back(there);
            }
        }
        found
    }

    /// The node itself, its neighbours in this direction, and the calls between them.
    fn around(&self, node: &str, way: Way) -> Vec<(&'a str, &'a str, Calls)> {
        let edges = self.0.iter().filter_map(|((from, to), calls)| match way {
            Way::Up => (*to == node).then_some((*to, *from, *calls)),
            Way::Down => (*from == node).then_some((*from, *to, *calls)),
        });
        let mut edges: Vec<_> = edges.filter(|(here, there, _)| here != there).collect();
        edges.sort_by_key(|(.., calls)| std::cmp::Reverse(calls.count));
        edges
    }
}

const EDGES_MAX: usize = 10_000;
const HOPS_MAX: usize = 6;
