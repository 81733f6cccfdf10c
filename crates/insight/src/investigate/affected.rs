//! Who else suffers: what calls a node, and what it calls, as far as the map goes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use throughline_telemetry::UnixNanos;

use crate::detect::{Node, Subject};
use crate::facts::{Did, Facts, Failing, Frame};
use crate::question::Symptom;
use crate::rootcause;

/// What is around a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Affected {
    /// Who calls it, and who calls these; those that are worse first, then the nearest.
    pub upstream: Vec<Neighbour>,
    /// What it calls, and what these call.
    pub downstream: Vec<Neighbour>,
    /// Whether there are more than are told.
    pub truncated: bool,
}

/// A node that is connected with another.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// Its id.
    pub node: Node,
    /// From the node that was asked about to this one.
    pub path: Vec<Node>,
    /// In which ways it is worse than when all was well.
    pub worse: Vec<Symptom>,
    /// What it did, when all was well and now.
    pub did: [Did; 2],
    /// What passes on the edge by which it is connected, in the same times.
    pub edge: [Did; 2],
    /// The minutes of both.
    pub minutes: [f64; 2],
}

impl Affected {
    /// Those that are worse than when all was well: who calls the node first, the nearest of them first.
    pub fn worse(&self) -> impl Iterator<Item = &Neighbour> {
        let all = self.upstream.iter().chain(&self.downstream);
        all.filter(|near| !near.worse.is_empty())
    }
}

/// What is around a node while something is wrong with it.
pub fn affected(facts: &Facts, node: &Node, frame: &Frame) -> Affected {
    let (scene, places) = facts.scene(frame, Failing::All);
    let times = [&frame.normal, &frame.now];
    let around = Around {
        scene,
        places,
        sums: times.map(|times| sums(facts, times)),
        minutes: times.map(|times| facts.minutes(times)),
    };
    let (upstream, more) = around.walk(node, Way::Up);
    let (downstream, most) = around.walk(node, Way::Down);
    Affected {
        upstream,
        downstream,
        truncated: more || most,
    }
}

/// What nodes did, and what passed between two of them.
#[derive(Default)]
struct Sums<'a> {
    nodes: BTreeMap<&'a Node, Did>,
    edges: BTreeMap<(&'a Node, &'a Node), Did>,
}

struct Around<'a> {
    scene: rootcause::Scene,
    places: BTreeMap<&'a Node, usize>,
    sums: [Sums<'a>; 2],
    minutes: [f64; 2],
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Up,
    Down,
}

impl<'a> Around<'a> {
    /// The nearest first, `NEIGHBOURS_MAX` at most, and whether there are more.
    fn walk(&self, node: &Node, way: Way) -> (Vec<Neighbour>, bool) {
        let mut next: BTreeMap<&Node, BTreeSet<&'a Node>> = BTreeMap::new();
        for (from, to) in self.sums.iter().flat_map(|sums| sums.edges.keys().copied()) {
            match way {
                Way::Up => next.entry(to).or_default().insert(from),
                Way::Down => next.entry(from).or_default().insert(to),
            };
        }
        let mut found = Vec::new();
        let mut known = BTreeSet::from([node]);
        let mut open = VecDeque::from([vec![node]]);
        while let Some(path) = open.pop_front() {
            let at = path[path.len() - 1];
            for other in next.get(at).into_iter().flatten().copied() {
                if !known.insert(other) {
                    continue;
                }
                let mut path = path.clone();
                path.push(other);
                found.push(self.neighbour(&path, way));
                if path.len() <= PATH_MAX && known.len() <= LOOKED_MAX {
                    open.push_back(path);
                }
            }
        }
        found.sort_by_key(|it| (it.worse.is_empty(), it.path.len()));
        let more = found.len() > NEIGHBOURS_MAX;
        found.truncate(NEIGHBOURS_MAX);
        (found, more)
    }

    fn neighbour(&self, path: &[&Node], way: Way) -> Neighbour {
        let (node, nearer) = (path[path.len() - 1], path[path.len() - 2]);
        let edge = match way {
            Way::Up => (node, nearer),
            Way::Down => (nearer, node),
        };
        let of = |at: usize| self.sums[at].nodes.get(node).cloned().unwrap_or_default();
        let on = |at: usize| self.sums[at].edges.get(&edge).cloned().unwrap_or_default();
        let series = self.places.get(node).map(|place| &self.scene.nodes[*place]);
        let both = [
            (rootcause::Symptom::Slow, Symptom::Slow),
            (rootcause::Symptom::Failing, Symptom::Error),
        ];
        let worse = both
            .into_iter()
            .filter(|(way, _)| series.is_some_and(|series| rootcause::is_so(series, *way)));
        Neighbour {
            node: node.clone(),
            path: path.iter().map(|node| (*node).clone()).collect(),
            worse: worse.map(|(_, symptom)| symptom).collect(),
            did: [of(0), of(1)],
            edge: [on(0), on(1)],
            minutes: self.minutes,
        }
    }
}

fn sums<'a>(facts: &'a Facts, times: &Range<UnixNanos>) -> Sums<'a> {
    let mut sums = Sums::default();
    for ((_, subject), did) in facts.between(times) {
        match subject {
            Subject::Node(node) => sums.nodes.entry(node).or_default().add(did),
            Subject::Edge(from, to, _) if from != to => {
                sums.edges.entry((from, to)).or_default().add(did);
            }
            Subject::Edge(..) | Subject::Operation(..) | Subject::Wait(_) => {}
        }
    }
    sums
}

const NEIGHBOURS_MAX: usize = 50;
const LOOKED_MAX: usize = 1000;
const PATH_MAX: usize = 8;
