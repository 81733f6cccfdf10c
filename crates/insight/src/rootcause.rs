//! Why something is slow, or fails: which node of the graph it comes from.
//!
//! [`explain`] needs what every node did, now and when all was well, and who calls whom. It works with nothing
//! else, so that it can say something of any application:
//!
//! 1. **Is it so?** The symptom must be far from its own normal in two steps one after the other, half as far in either,
//!    because it may begin in the middle of one. All such steps together must be more than chance makes of as many steps
//!    as are looked at, and more than there was of them when all was well. If not, nothing is said. Only those steps are
//!    looked at from here on, so that the onset does not water down the rest.
//! 2. **Who is worse than usual?** Of every node that the symptom reaches by calls: how many milliseconds, or
//!    failures, there are more a call than in the steps around the symptom (than in its own median, if the symptom is
//!    in all of them), and how far that is from what it varies by when all is well (robust z, of the median
//!    deviation). What varies so much, or was as bad before it began, is no news and is ruled out.
//! 3. **How much of it arrives?** Worse times calls: a node that is 133 ms slower in 1,200 calls matters more than one
//!    that is a second slower in three. A node that others call as well counts with the part of its calls that comes
//!    from here, and no more arrives than its callers pass on: what is slow behind something that is as quick as ever,
//!    because nobody waits for it, is no cause.
//! 4. **Explain away**: what a node's callees add is not its own. What remains is its own share of the symptom. What a
//!    client says of others ([`View::Client`]) is believed half: such views often look worse than what they look at.
//!    What is asked about itself was confirmed, and is believed.
//!    A node that was never seen before has no normal; it explains nothing, so its caller stays the suspect.
//! 5. Nodes are ranked by their own part of what the symptom has more, times how certain it is that they are worse at
//!    all. Nodes below that are worse in the other way at the same time are named beside them.
//!
//! It is a heuristic on a graph without times of single calls: what waits in parallel is counted twice.

mod normal;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use normal::{Excess, Normal};

/// Everything that is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// What there is.
    pub nodes: Vec<NodeSeries>,
    /// Who calls whom: positions in `nodes`.
    pub calls: Vec<(usize, usize)>,
}

/// What a node did.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSeries {
    /// Its name.
    pub name: String,
    /// Who says so.
    pub view: View,
    /// When all was well, step by step; empty of what was never seen.
    pub normal: Vec<Step>,
    /// Now, step by step: the same steps of all nodes.
    pub now: Vec<Step>,
}

/// Who says what a node did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// It does, or it is known otherwise.
    Own,
    /// Who calls it does.
    Client,
}

/// What a node did in some minutes, as many in all steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// How often it was called.
    pub count: f64,
    /// How often it failed.
    pub errors: f64,
    /// How long it took in the mean, in milliseconds; `None` where it was not called.
    pub mean_ms: Option<f64>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symptom {
    /// It takes longer.
    Slow,
    /// It fails.
    Failing,
}

impl Symptom {
    fn other(self) -> Self {
        match self {
            Symptom::Slow => Symptom::Failing,
            Symptom::Failing => Symptom::Slow,
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// How the symptom's node was, is, and in which steps it is unlike that.
    pub confirmed: Evidence,
    /// The steps that were looked at.
    pub steps: Vec<usize>,
    /// Where it comes from, the most probable first.
    pub causes: Vec<Cause>,
    /// Nodes below that are worse in the other way in the same steps: slow where the symptom is failures, as when a
    /// caller gives up. Their shares are of each other.
    pub beside: Vec<Cause>,
    /// Nodes that it reaches and that are as usual.
    pub ruled_out: Vec<String>,
    /// The part of the symptom that no cause explains, 0 to 1.
    pub unexplained: f64,
    /// How many times as many calls as usual the symptom's node has: far from 1, it is load and no fault.
    pub load: f64,
}

/// A node that something comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// Its name.
    pub node: String,
    /// In which way it is worse.
    pub symptom: Symptom,
    /// The part of the symptom that enters here and that nothing below explains, 0 to 1.
    pub share: f64,
    /// What it is ranked by.
    pub score: f64,
    /// What is seen of it.
    pub evidence: Evidence,
    /// How the symptom reaches it, from its node to this one.
    pub path: Vec<String>,
}

/// What is seen of a node: milliseconds a call, or the part of the calls that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Its median when all was well.
    pub before: f64,
    /// Its mean in the steps that were looked at.
    pub after: f64,
    /// How far that is from normal, in robust standard deviations.
    pub z: f64,
    /// Calls in those steps.
    pub calls: f64,
}

/// Where the symptom of a node comes from; `None` if there is no symptom.
pub fn explain(scene: &Scene, node: usize, symptom: Symptom) -> Option<Explanation> {
    let steps = steps_of(scene.nodes.get(node)?, symptom, normal::are_bad)?;
    let graph = Graph::from(scene, node);
    let main = Parts::of(scene, &graph, symptom, &steps, Arrives::Passed);
    let evidence = |parts: &Parts, at: usize| parts.excess[at].evidence();
    let total = main.total[node].max(f64::MIN_POSITIVE);
    let causes = main.causes(scene, &graph, symptom, total);
    let explained: f64 = causes.iter().map(|cause| cause.share).sum();
    let other = symptom.other();
    let parts = Parts::of(scene, &graph, other, &steps, Arrives::All);
    let beside = parts.causes(scene, &graph, other, f64::MIN_POSITIVE);
    let named: BTreeSet<&str> = causes
        .iter()
        .chain(&beside)
        .map(|cause| cause.node.as_str())
        .collect();
    let as_usual = |at: &&usize| main.total[**at] == 0.0 && !scene.nodes[**at].normal.is_empty();
    let names = graph
        .reached
        .keys()
        .filter(as_usual)
        .map(|at| &scene.nodes[*at].name);
    let ruled_out = names
        .filter(|name| !named.contains(name.as_str()))
        .cloned()
        .collect();
    Some(Explanation {
        confirmed: evidence(&main, node),
        load: load(&scene.nodes[node], &steps),
        steps,
        ruled_out,
        unexplained: (1.0 - explained).max(0.0),
        causes,
        beside,
    })
}

/// All symptoms that there are, by node: what to ask about when nobody asks. They must be worse than any two steps in
/// a row were when all was well, by 20 ms or half a percent of the calls, in 20 calls a step.
pub fn symptoms(scene: &Scene) -> Vec<(usize, Symptom)> {
    let nodes = scene.nodes.iter().enumerate();
    let all = nodes.flat_map(|(at, node)| {
        let both = [Symptom::Slow, Symptom::Failing].into_iter();
        both.filter(|symptom| steps_of(node, *symptom, normal::are_alarming).is_some())
            .map(move |symptom| (at, symptom))
    });
    all.collect()
}

/// Whether a node has a symptom: bad enough to be told when somebody asks about it.
pub fn is_so(node: &NodeSeries, symptom: Symptom) -> bool {
    steps_of(node, symptom, normal::are_bad).is_some()
}

/// The steps in which the symptom is there: at least two, one after the other, and enough for all the steps that are
/// looked at.
///
/// Of many steps some are bad by chance. So those that are must together be as far from normal as a sum over all steps
/// hardly is: each varies by one deviation, their sum by the root of their number. And only what is more than when all
/// was well counts: what varies in bursts has had its bad steps then as well.
fn steps_of(
    node: &NodeSeries,
    symptom: Symptom,
    is: fn(&Excess, &Excess, Symptom) -> bool,
) -> Option<Vec<usize>> {
    let normal = Normal::of(node, symptom)?;
    let now = Bad::of(&normal, &node.now, |one, other| is(one, other, symptom));
    let well = normal.when_all_was_well();
    let well = Bad::of(&well, &node.normal, |one, other| {
        normal::are_bad(one, other, symptom)
    });
    let usual = well.far / well.known.max(1.0) * now.known;
    // No number is no more: where nothing ever varied, anything is endlessly far, then as now.
    let is_enough = now.far - usual >= normal::Z_MIN * now.known.sqrt();
    (is_enough && !now.steps.is_empty()).then_some(now.steps)
}

/// What is bad of a node's steps.
struct Bad {
    /// Which, each beside another one.
    steps: Vec<usize>,
    /// How far they are from normal, in robust standard deviations, all together.
    far: f64,
    /// In how many steps anything was called.
    known: f64,
}

impl Bad {
    #[allow(clippy::cast_precision_loss)] // steps of a day
    fn of(normal: &Normal, steps: &[Step], are_bad: impl Fn(&Excess, &Excess) -> bool) -> Self {
        let found: Vec<Option<Excess>> = steps.iter().map(|step| normal.excess(step)).collect();
        let pair = |one: usize, other: usize| match (found.get(one), found.get(other)) {
            (Some(Some(one)), Some(Some(other))) => are_bad(one, other),
            _ => false,
        };
        let is_of_one = |at: usize| pair(at, at + 1) || at > 0 && pair(at - 1, at);
        let steps: Vec<usize> = (0..found.len()).filter(|at| is_of_one(*at)).collect();
        let bad = steps.iter().filter_map(|at| found[*at].as_ref());
        Bad {
            far: bad.map(|excess| excess.evidence().z).sum(),
            known: found.iter().flatten().count() as f64,
            steps,
        }
    }
}

#[allow(clippy::cast_precision_loss)] // steps of a day
fn load(node: &NodeSeries, steps: &[usize]) -> f64 {
    let mean = |counts: &mut dyn Iterator<Item = f64>| {
        let (sum, of) = counts.fold((0.0, 0.0), |(sum, of), count| (sum + count, of + 1.0));
        sum / f64::max(of, 1.0)
    };
    let before = mean(&mut node.normal.iter().map(|step| step.count));
    mean(&mut steps.iter().map(|at| node.now[*at].count)) / before.max(f64::MIN_POSITIVE)
}

/// What the symptom's node reaches.
struct Graph {
    /// By node, the one that it was reached from first; its own for the symptom's.
    reached: BTreeMap<usize, usize>,
    /// The nearest first.
    order: Vec<usize>,
    callees: BTreeMap<usize, Vec<usize>>,
    callers: BTreeMap<usize, Vec<usize>>,
}

impl Graph {
    fn from(scene: &Scene, node: usize) -> Self {
        let mut callees: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut callers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (from, to) in heard_calls(scene) {
            callees.entry(from).or_default().push(to);
            callers.entry(to).or_default().push(from);
        }
        let mut reached = BTreeMap::from([(node, node)]);
        let mut next = VecDeque::from([node]);
        let mut order = Vec::new();
        while let Some(at) = next.pop_front() {
            order.push(at);
            for callee in callees.get(&at).into_iter().flatten() {
                if let std::collections::btree_map::Entry::Vacant(free) = reached.entry(*callee) {
                    free.insert(at);
                    next.push_back(*callee);
                }
            }
        }
        Graph {
            reached,
            order,
            callees,
            callers,
        }
    }

    fn path(&self, scene: &Scene, to: usize) -> Vec<String> {
        let mut path = vec![scene.nodes[to].name.clone()];
        let mut at = to;
        while let Some(from) = self.reached.get(&at).filter(|from| **from != at) {
            at = *from;
            path.push(scene.nodes[at].name.clone());
        }
        path.reverse();
        path
    }
}

/// How much worse everything is, by node.
struct Parts {
    excess: Vec<Excess>,
    /// Milliseconds, or failures, more than usual in the steps; 0 of what is as usual.
    total: Vec<f64>,
    /// The part of it that nothing below explains and that comes from the symptom's node.
    own: Vec<f64>,
}

/// How much of what is worse below arrives at a node's callers.
#[derive(Clone, Copy, PartialEq)]
enum Arrives {
    /// What they are worse by themselves.
    Passed,
    /// All of it.
    All,
}

impl Parts {
    fn of(
        scene: &Scene,
        graph: &Graph,
        symptom: Symptom,
        steps: &[usize],
        arrives: Arrives,
    ) -> Self {
        let of_node = |node: &NodeSeries| {
            Normal::around(node, symptom, steps).and_then(|normal| {
                let now = steps.iter().filter_map(|at| node.now.get(*at));
                normal.excess(&now.fold(Step::default(), Step::plus))
            })
        };
        let excess: Vec<Excess> = scene
            .nodes
            .iter()
            .map(|node| of_node(node).unwrap_or_default())
            .collect();
        let total: Vec<f64> = excess.iter().map(|excess| excess.total()).collect();
        let calls = |node: usize| excess[node].calls();
        // Of all that call a node, the part that this one is.
        let part = |caller: usize, callee: usize| {
            let callers = graph.callers.get(&callee).into_iter().flatten();
            let all: f64 = callers.map(|caller| calls(*caller)).sum();
            if all > 0.0 { calls(caller) / all } else { 0.0 }
        };
        // From the symptom's node downwards: what arrives there of each.
        let mut carried = vec![0.0; scene.nodes.len()];
        for node in graph.order.iter().copied() {
            let callers = graph.callers.get(&node).into_iter().flatten();
            let nearer = callers.filter(|caller| graph.order.contains(caller));
            let (from_here, above) = nearer.fold((0.0, 0.0), |(parts, above), caller| {
                (parts + part(*caller, node), above + carried[*caller])
            });
            carried[node] = match graph.reached[&node] == node {
                true if arrives == Arrives::All => f64::INFINITY,
                true => total[node],
                false if arrives == Arrives::All => f64::INFINITY,
                false => f64::min(total[node] * from_here, above),
            };
        }
        let mut own = vec![0.0; scene.nodes.len()];
        for node in graph.order.iter().copied() {
            let below = graph.callees.get(&node).into_iter().flatten();
            let explained: f64 = below
                .map(|callee| total[*callee] * part(node, *callee) * believed(scene, *callee))
                .sum();
            // What is asked about was confirmed.
            let believed = match graph.reached[&node] == node {
                true => 1.0,
                false => believed(scene, node),
            };
            own[node] = (carried[node].min(total[node]) - explained).max(0.0) * believed;
        }
        Parts { excess, total, own }
    }

    fn causes(&self, scene: &Scene, graph: &Graph, symptom: Symptom, total: f64) -> Vec<Cause> {
        let sum: f64 = self.own.iter().sum();
        // What is called in parallel adds up to more than the symptom: then it is parts of the sum.
        let all = total.max(sum);
        let cause = |(at, own): (usize, &f64)| Cause {
            node: scene.nodes[at].name.clone(),
            symptom,
            share: own / all,
            score: own / all * self.excess[at].certainty(),
            evidence: self.excess[at].evidence(),
            path: graph.path(scene, at),
        };
        let own = self.own.iter().enumerate().filter(|(_, own)| **own > 0.0);
        let mut causes: Vec<Cause> = own.map(cause).collect();
        causes.sort_by(|a, b| b.score.total_cmp(&a.score));
        causes.truncate(CAUSES_MAX);
        causes
    }
}

/// Who calls whom, past the hops that nobody measures.
fn heard_calls(scene: &Scene) -> BTreeSet<(usize, usize)> {
    let is_heard = |node: usize| {
        let steps = scene.nodes[node]
            .normal
            .iter()
            .chain(&scene.nodes[node].now);
        steps.into_iter().any(|step| step.count > 0.0)
    };
    let mut direct: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (from, to) in &scene.calls {
        direct.entry(*from).or_default().push(*to);
    }
    let mut calls = BTreeSet::new();
    for from in (0..scene.nodes.len()).filter(|node| is_heard(*node)) {
        let mut next = direct.get(&from).cloned().unwrap_or_default();
        let mut passed = BTreeSet::new();
        while let Some(to) = next.pop() {
            if is_heard(to) {
                calls.insert((from, to));
            } else if passed.insert(to) {
                next.extend(direct.get(&to).into_iter().flatten());
            }
        }
    }
    calls.retain(|(from, to)| from != to);
    calls
}

fn believed(scene: &Scene, node: usize) -> f64 {
    match scene.nodes[node].view {
        View::Own => 1.0,
        View::Client => 0.5,
    }
}

impl Step {
    fn plus(self, other: &Step) -> Step {
        let weighed = |step: &Step| step.mean_ms.map(|mean| mean * step.count);
        let count = self.count + other.count;
        let sum = match (weighed(&self), weighed(other)) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
        Step {
            count,
            errors: self.errors + other.errors,
            mean_ms: sum.map(|sum| sum / count.max(f64::MIN_POSITIVE)),
        }
    }
}

/// Causes that are named.
const CAUSES_MAX: usize = 10;

#[cfg(test)]
mod tests;
