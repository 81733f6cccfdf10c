//! Questions to a graph of 10,000 nodes and 100,000 relationships.

use std::hint::black_box;
use std::time::Instant;

use fastrand::Rng;
use serde_json::Value;
use throughline_insight::graph::{Builder, Counted, Graph, Kind, Limits, NodeId, QUESTIONS, Query};
use throughline_telemetry::{Histogram, UnixNanos};

use super::figure;

/// How long questions take, and how long it takes to lay the graph out.
pub(super) fn figures() -> Vec<Value> {
    let before = town(1);
    let now = town(0);
    let mut builds: Vec<(f64, Graph)> = (0..BUILDS)
        .map(|_| {
            let now = now.clone();
            let begun = Instant::now();
            let graph = Graph::build(now, Some(&before));
            (begun.elapsed().as_secs_f64() * 1e3, graph)
        })
        .collect();
    builds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (built, graph) = builds.swap_remove(BUILDS / 2);
    drop(builds);
    assert!(graph.edges().len() >= EDGES, "{}", graph.edges().len());
    let mut rng = Rng::with_seed(7);
    let mut took: Vec<(f64, String)> = Vec::new();
    let mut cut = 0;
    for text in queries(&mut rng) {
        let query = Query::parse(&text).unwrap();
        let begun = Instant::now();
        let answer = black_box(query.answer(&graph, &Limits::default(), &|| true));
        took.push((begun.elapsed().as_secs_f64() * 1e3, text));
        cut += usize::from(matches!(answer.cut, Some(cut) if cut.name() == "steps"));
    }
    took.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].0;
    let slowest = took.last().unwrap();
    let text = slowest.1.split_whitespace().collect::<Vec<_>>().join(" ");
    let note = format!(
        "{} questions, saved ones and those of on-call people, to {} nodes and {} relationships compared with another \
         window; median {:.1} ms, slowest {:.0} ms ({text}); {cut} were cut off at {} steps",
        took.len(),
        graph.nodes().len(),
        graph.edges().len(),
        at(0.5),
        slowest.0,
        Limits::default().steps
    );
    let p95 = at(0.95);
    let whole = p95 + built;
    vec![
        figure(
            "graph.whole_p95",
            whole,
            "ms",
            ("<= 500", whole <= 500.0),
            "the graph laid out and the question answered, which is what somebody waits for beside reading",
        ),
        figure(
            "graph.query_p95",
            p95,
            "ms",
            ("<= 500", p95 <= 500.0),
            &note,
        ),
        figure(
            "graph.build",
            built,
            "ms",
            ("<= 500", built <= 500.0),
            &format!("both windows, from what was counted; median of {BUILDS}"),
        ),
    ]
}

/// The saved questions about several names, and others.
fn queries(rng: &mut Rng) -> Vec<String> {
    let mut queries = Vec::new();
    for question in QUESTIONS {
        for _ in 0..ROUNDS {
            let name = match question.about {
                "resource" => format!("table-{}", rng.usize(0..RESOURCES)),
                _ => format!("function-{}", rng.usize(0..FUNCTIONS)),
            };
            queries.push(question.query.replace("$NAME", &name));
        }
    }
    for _ in 0..ROUNDS {
        let (a, b) = (rng.usize(0..FUNCTIONS), rng.usize(0..RESOURCES));
        queries.push(format!(
            "MATCH (a {{name: 'function-{a}'}})-[*1..3]-(n) RETURN DISTINCT n.kind, count(*) AS n ORDER BY n DESC"
        ));
        queries.push(format!(
            "MATCH p = shortestPath((a {{name: 'function-{a}'}})-[*1..6]->(t {{name: 'table-{b}'}})) RETURN p, length(p)"
        ));
        queries.push(
            "MATCH (f:Function)-[c]->(r) RETURN f.name, sum(c.errors) AS errors, max(c.p99) AS p99 ORDER BY errors DESC LIMIT 20"
                .to_owned(),
        );
        queries.push("MATCH (q:Queue) WHERE NOT ()-[:TRIGGERS]->(q) RETURN q.name".to_owned());
    }
    queries
}

/// Functions in layers that call each other and resources, some of them very popular.
fn town(shift: u64) -> Builder {
    let mut rng = Rng::with_seed(11);
    let mut builder = Builder::new(UnixNanos(0)..UnixNanos(3_600_000_000_000));
    let functions: Vec<NodeId> = (0..FUNCTIONS)
        .map(|it| builder.node(Kind::Function, &format!("function-{it}")))
        .collect();
    let kinds = [
        Kind::Table,
        Kind::Table,
        Kind::Queue,
        Kind::Bucket,
        Kind::Topic,
    ];
    let resources: Vec<NodeId> = (0..RESOURCES)
        .map(|it| {
            let kind = if it < 50 {
                Kind::Table
            } else {
                kinds[it % kinds.len()]
            };
            builder.node(kind, &format!("table-{it}"))
        })
        .collect();
    let hosts: Vec<NodeId> = (0..50)
        .map(|it| builder.node(Kind::Host, &format!("api-{it}.example.com")))
        .collect();
    let operations = ["GetItem", "PutItem", "Query", "send", "POST /pay", "invoke"];
    for place in 0..EDGES + EDGES / 20 {
        let from = rng.usize(0..FUNCTIONS);
        let popular = |rng: &mut Rng, count: usize| {
            let far = rng.f64();
            ((far * far * far) * count as f64) as usize
        };
        let (to, is_async) = match rng.usize(0..10) {
            // Mostly onwards, so that there are ends.
            0..4 if from + 1 < FUNCTIONS => {
                let reach = (FUNCTIONS - from - 1).min(900);
                (functions[from + 1 + rng.usize(0..reach)], rng.u8(0..5) == 0)
            }
            4 => (functions[popular(&mut rng, FUNCTIONS)], true),
            5 if place % 8 == 0 => (hosts[rng.usize(0..hosts.len())], false),
            _ => (resources[popular(&mut rng, RESOURCES)], rng.u8(0..6) == 0),
        };
        let calls = rng.u64(1..4000) + shift;
        let mut durations = Histogram::default();
        for _ in 0..12 {
            durations.record(rng.f64() * if shift == 0 { 400.0 } else { 200.0 });
        }
        let mut counted = Counted {
            calls,
            errors: if rng.u8(0..20) == 0 { calls / 10 } else { 0 },
            throttles: if rng.u8(0..50) == 0 { 3 } else { 0 },
            sum_ms: calls as f64 * 80.0,
            ..Counted::default()
        };
        counted.durations.add(&durations.to_bytes());
        // A twentieth is new.
        if shift == 0 || rng.u8(0..20) > 0 {
            builder.call(
                functions[from],
                to,
                operations[rng.usize(0..operations.len())],
                is_async,
                &counted,
            );
        }
    }
    for (place, function) in functions.iter().enumerate() {
        builder.cost(*function, place as f64 * 1e-6);
    }
    builder
}

const FUNCTIONS: usize = 7_000;
const RESOURCES: usize = 2_950;
const EDGES: usize = 100_000;
const ROUNDS: usize = 25;
const BUILDS: usize = 5;
