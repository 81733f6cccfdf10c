//! Random graphs and texts: what is found is what a search without any cleverness finds.

use std::collections::BTreeSet;

use fastrand::Rng;
use proptest::prelude::*;
use throughline_telemetry::UnixNanos;

use crate::graph::{Builder, Counted, Edge, Graph, Kind, Limits, NodeId, Query, Value};

fn random(rng: &mut Rng) -> Graph {
    let mut builder = Builder::new(UnixNanos(0)..UnixNanos(60_000_000_000));
    let count = rng.usize(1..8);
    let nodes: Vec<NodeId> = (0..count)
        .map(|it| {
            let kind = [Kind::Function, Kind::Table, Kind::Queue][rng.usize(0..3)];
            builder.node(kind, &format!("n{it}"))
        })
        .collect();
    for _ in 0..rng.usize(0..14) {
        let [from, to] = [0; 2].map(|_| nodes[rng.usize(0..count)]);
        let operation = ["get", "put"][rng.usize(0..2)];
        let counted = Counted {
            calls: rng.u64(1..9),
            ..Counted::default()
        };
        builder.call(from, to, operation, rng.bool(), &counted);
    }
    Graph::build(builder, None)
}

#[derive(Clone, Copy)]
enum Direction {
    Right,
    Left,
    Either,
}

/// The ends of all ways of so many hops, without going over a relationship twice.
fn ends(
    graph: &Graph,
    at: usize,
    hops: (usize, usize),
    direction: Direction,
    fits: &dyn Fn(&Edge) -> bool,
    used: &mut Vec<usize>,
    found: &mut Vec<usize>,
) {
    if used.len() >= hops.0 {
        found.push(at);
    }
    if used.len() == hops.1 {
        return;
    }
    for (place, edge) in graph.edges().iter().enumerate() {
        if used.contains(&place) || !fits(edge) {
            continue;
        }
        let (from, to) = (edge.from.0 as usize, edge.to.0 as usize);
        let mut next = Vec::new();
        if from == at && !matches!(direction, Direction::Left) {
            next.push(to);
        }
        if to == at && !matches!(direction, Direction::Right) && (from != to || next.is_empty()) {
            next.push(from);
        }
        for next in next {
            used.push(place);
            ends(graph, next, hops, direction, fits, used, found);
            used.pop();
        }
    }
}

fn pairs(graph: &Graph, text: &str) -> Vec<(String, String)> {
    let query = Query::parse(text).unwrap();
    let limits = Limits {
        rows: usize::MAX,
        ..Limits::default()
    };
    let answer = query.answer(graph, &limits, &|| true);
    assert_eq!(answer.cut, None);
    let text = |value: &Value| match value {
        Value::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    };
    let mut rows: Vec<_> = answer
        .rows
        .iter()
        .map(|row| (text(&row[0]), text(&row[1])))
        .collect();
    rows.sort();
    rows
}

/// From every node, or from the other side, each way that there is or each end once.
#[test]
fn ways_are_those_that_there_are() {
    let directions = [
        (Direction::Right, "-[", "]->"),
        (Direction::Left, "<-[", "]-"),
        (Direction::Either, "-[", "]-"),
    ];
    for seed in 0..1500 {
        let mut rng = Rng::with_seed(seed);
        let graph = random(&mut rng);
        let (direction, open, close) = directions[rng.usize(0..3)];
        let few = rng.usize(0..4);
        let many = rng.usize(few..5);
        let (types, fits): (&str, fn(&Edge) -> bool) = match rng.usize(0..3) {
            0 => ("", |_| true),
            1 => (":CALLS", |edge| !edge.is_async),
            _ => (":TRIGGERS", |edge| edge.is_async),
        };
        let name = |place: usize| graph.nodes()[place].name.to_string();
        let (mut all, mut each_end) = (Vec::new(), Vec::new());
        for from in 0..graph.nodes().len() {
            let mut found = Vec::new();
            ends(
                &graph,
                from,
                (few, many),
                direction,
                &fits,
                &mut Vec::new(),
                &mut found,
            );
            all.extend(found.iter().map(|to| (name(from), name(*to))));
            let once: BTreeSet<usize> = found.into_iter().collect();
            each_end.extend(once.into_iter().map(|to| (name(from), name(to))));
        }
        all.sort();
        each_end.sort();
        // With labels that all have, so that it begins on either side.
        let (left, right) = match rng.bool() {
            true => ("a", "b"),
            false => ("a", "b:Function|Table|Queue"),
        };
        let piece = format!("{open}{types}*{few}..{many}{close}");
        let query = format!("MATCH ({left}){piece}({right}) RETURN a.name, b.name");
        assert_eq!(pairs(&graph, &query), each_end, "seed {seed}: {query}");
        let query = format!("MATCH p = ({left}){piece}({right}) RETURN a.name, b.name");
        assert_eq!(pairs(&graph, &query), all, "seed {seed}: {query}");
        let query = format!("MATCH (a), (b) WHERE (a){piece}(b) RETURN a.name, b.name");
        assert_eq!(pairs(&graph, &query), each_end, "seed {seed}: {query}");
        let query =
            format!("MATCH p = shortestPath(({left}){piece}({right})) RETURN a.name, b.name");
        assert_eq!(pairs(&graph, &query), each_end, "seed {seed}: {query}");
    }
}

/// Where a pattern is begun makes no difference.
#[test]
fn the_order_of_patterns_makes_no_difference() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let graph = random(&mut rng);
        let written = [
            "MATCH (a)-[x]->(b)<-[y]-(c:Function) WHERE x.calls > y.calls RETURN a.name, c.name",
            "MATCH (c:Function)-[y]->(b), (a)-[x]->(b) WHERE y.calls < x.calls RETURN a.name, c.name",
            "MATCH (a)-[x]->(b) MATCH (b)<-[y]-(c) WHERE x.calls > y.calls AND c.kind = 'function' RETURN a.name, c.name",
        ];
        let mut expected = Vec::new();
        for x in graph.edges() {
            for y in graph.edges() {
                let fits = x.to == y.to
                    && x.numbers.calls > y.numbers.calls
                    && graph.node(y.from).kind == Kind::Function;
                if fits {
                    let name = |node: NodeId| graph.node(node).name.to_string();
                    expected.push((name(x.from), name(y.from)));
                }
            }
        }
        expected.sort();
        for query in written {
            assert_eq!(pairs(&graph, query), expected, "seed {seed}: {query}");
        }
    }
}

/// What queries are made of.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "MATCH",
        "(f:Function)",
        "(t {name: 'a'})",
        "-[c:CALLS*1..3]->",
        "<-[:READS]-",
        "--",
        "-->",
        "WHERE",
        "f.calls > 1",
        "NOT",
        "AND",
        "OR",
        "(f)-->()",
        "RETURN",
        "DISTINCT",
        "f.name",
        "count(*)",
        "sum(f.Δp99)",
        "AS n",
        ",",
        "ORDER BY",
        "n DESC",
        "SKIP 1",
        "LIMIT 2",
        "DURING 'last 1h'",
        "COMPARED TO 'yesterday'",
        "'",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "..",
        "*",
        "$x",
        "é",
        "1e9",
        "IS NULL",
        "IN [1, 'a']",
        "exists(",
        "p =",
        "shortestPath(",
    ];
    prop_oneof![
        8 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => ".{0,6}",
    ]
}

proptest! {
    /// No text makes it panic, and what is wrong is always within the text.
    #[test]
    fn any_text_is_understood_or_refused(pieces in proptest::collection::vec(piece(), 0..14), seed in 0..50_u64) {
        let text = pieces.join(" ");
        let graph = random(&mut Rng::with_seed(seed));
        for text in [text.clone(), format!("MATCH (f)-[c]->(t) {text}"), format!("MATCH (f) RETURN {text}")] {
            match Query::parse(&text) {
                Ok(query) => {
                    let limits = Limits { steps: 20_000, ..Limits::default() };
                    let answer = query.answer(&graph, &limits, &|| true);
                    prop_assert!(answer.rows.iter().all(|row| row.len() == answer.columns.len()));
                    prop_assert!(answer.rows.len() as u64 <= answer.total);
                }
                Err(mistake) => {
                    let line = text.split('\n').nth(mistake.line() - 1);
                    let chars = line.map(|line| line.chars().count()).unwrap_or_default();
                    prop_assert!(line.is_some() && mistake.column() <= chars + 1, "{}", mistake);
                }
            }
        }
    }
}
