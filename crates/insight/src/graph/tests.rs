mod mistakes;
mod random;

use expect_test::{Expect, expect};
use throughline_telemetry::{Histogram, UnixNanos};

use super::*;

const MINUTE: u64 = 60_000_000_000;

/// So many calls that take so long each, from the first minute to the last.
fn counted(calls: u64, errors: u64, millis: f64, seen: (u64, u64)) -> Counted {
    let mut one = Histogram::default();
    one.record(millis);
    let mut counted = Counted {
        calls,
        errors,
        sum_ms: millis * calls as f64,
        seen: Some((UnixNanos(seen.0 * MINUTE), UnixNanos(seen.1 * MINUTE))),
        ..Counted::default()
    };
    (0..calls).for_each(|_| counted.durations.add(&one.to_bytes()));
    counted
}

/// A shop: an endpoint that calls functions, which use tables, queues and a host outside.
fn shop(is_before: bool) -> Builder {
    let mut builder = Builder::new(UnixNanos(0)..UnixNanos(60 * MINUTE));
    let mut of = |text: &str| {
        let (kind, name) = text.split_once(':').unwrap();
        builder.node(Kind::named(kind).unwrap(), name)
    };
    let [api, checkout, payment, mailer, stats] = [
        "service:api",
        "function:checkout",
        "function:payment",
        "function:mailer",
        "function:stats",
    ]
    .map(&mut of);
    let [orders, users, queue, bank] = [
        "table:orders",
        "table:users",
        "queue:mails",
        "host:bank.example.com",
    ]
    .map(&mut of);
    let slow = if is_before { 10.0 } else { 80.0 };
    let mut calls = vec![
        (
            api,
            checkout,
            "POST /orders",
            false,
            counted(100, 4, slow + 50.0, (0, 59)),
        ),
        (
            checkout,
            payment,
            "pay",
            false,
            counted(90, 4, slow + 20.0, (0, 59)),
        ),
        (
            checkout,
            orders,
            "DynamoDB.PutItem",
            false,
            counted(90, 0, 8.0, (0, 59)),
        ),
        (checkout, queue, "send", true, counted(86, 0, 5.0, (1, 59))),
        (
            checkout,
            mailer,
            "mailer",
            true,
            counted(86, 1, 200.0, (1, 59)),
        ),
        (
            payment,
            users,
            "DynamoDB.GetItem",
            false,
            counted(90, 4, slow, (0, 59)),
        ),
        (payment, bank, "POST", false, counted(86, 0, 15.0, (0, 59))),
        (
            mailer,
            users,
            "DynamoDB.GetItem",
            false,
            counted(86, 0, 9.0, (1, 59)),
        ),
        (mailer, stats, "stats", true, counted(80, 0, 30.0, (2, 59))),
        (stats, mailer, "again", true, counted(2, 0, 12.0, (7, 9))),
    ];
    if !is_before {
        calls.push((
            mailer,
            orders,
            "DynamoDB.DeleteItem",
            false,
            counted(3, 0, 7.0, (40, 42)),
        ));
    }
    if let Some((_, _, _, _, call)) = calls.iter_mut().find(|it| it.0 == payment && it.1 == users) {
        call.throttles = 4;
    }
    for (from, to, operation, is_async, counted) in &calls {
        builder.call(*from, *to, operation, *is_async, counted);
    }
    builder.service(payment, "payments");
    builder.own(api, &counted(100, 5, slow + 60.0, (0, 59)));
    builder.own(checkout, &counted(101, 4, slow + 49.0, (0, 59)));
    builder.operation(api, "POST /orders", &counted(100, 5, slow + 60.0, (0, 59)));
    builder.cost(checkout, 0.002);
    builder.cost(payment, 0.001);
    builder.changed(payment, UnixNanos(30 * MINUTE));
    builder
}

fn graph() -> Graph {
    Graph::build(shop(false), Some(&shop(true)))
}

/// As in a table.
fn shown(graph: &Graph, value: &Value) -> String {
    let name = |node: &NodeId| graph.node(*node).name.to_string();
    let all = |values: &[Value]| {
        let shown: Vec<String> = values
            .iter()
            .map(|value| self::shown(graph, value))
            .collect();
        format!("[{}]", shown.join(", "))
    };
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{}", (number * 100.0).round() / 100.0),
        Value::Text(text) => text.to_string(),
        Value::Time(at) => format!("minute {}", at.0 / MINUTE),
        Value::List(values) => all(values),
        Value::Node(node) => format!("({})", name(node)),
        Value::Edge(edge) => format!("-[{}]->", graph.edge(*edge).operation),
        Value::Path(nodes, _) => nodes.iter().map(name).collect::<Vec<_>>().join("-"),
    }
}

fn table(graph: &Graph, answer: &Answer) -> String {
    let mut lines = Vec::new();
    for row in &answer.rows {
        let values: Vec<String> = row.iter().map(|value| shown(graph, value)).collect();
        lines.push(values.join(" | "));
    }
    if answer.total != answer.rows.len() as u64 || answer.cut.is_some() {
        lines.push(format!(
            "{} of {}, {:?}",
            answer.rows.len(),
            answer.total,
            answer.cut
        ));
    }
    match lines.is_empty() {
        true => "nothing\n".to_owned(),
        false => lines.join("\n") + "\n",
    }
}

#[track_caller]
fn check(query: &str, expect: Expect) {
    let graph = graph();
    let query = Query::parse(query).unwrap();
    let answer = query.answer(&graph, &Limits::default(), &|| true);
    expect.assert_eq(&table(&graph, &answer));
}

#[test]
fn nodes_by_label_and_property() {
    check(
        "MATCH (t:Table) RETURN t.name, t.calls, t.error_rate ORDER BY t.name",
        expect![[r#"
            orders | 93 | 0
            users | 176 | 0.02
        "#]],
    );
    check(
        "MATCH (n:Endpoint|External) RETURN n.id, labels(n)",
        expect![[r#"
            service:api | [Service, Endpoint]
            host:bank.example.com | [Host, Resource, External]
        "#]],
    );
    check(
        "MATCH (n:Resource) RETURN count(*), count(DISTINCT n.kind)",
        expect![[r#"
            4 | 3
        "#]],
    );
    check(
        "MATCH (f:Function {name: 'payment'}) RETURN f, f.kind, f.service, f.cost, f.changed",
        expect![[r#"
            (payment) | function | payments | 0 | minute 30
        "#]],
    );
    check(
        "MATCH (n) WHERE n.id = 'table:orders' RETURN n.name",
        expect![[r#"
            orders
        "#]],
    );
    check(
        "MATCH (o:Operation) RETURN o.name, o.calls, o.p50",
        expect![[r#"
            api POST /orders | 100 | 141.1
        "#]],
    );
    check(
        "MATCH (n {name: 'nobody'}) RETURN n",
        expect![[r#"
            nothing
        "#]],
    );
}

#[test]
fn relationships_by_type_direction_and_property() {
    check(
        "MATCH (f)-[c:WRITES]->(t:Table) RETURN f.name, c.operation, t.name, c.calls ORDER BY c.calls DESC",
        expect![[r#"
            checkout | DynamoDB.PutItem | orders | 90
            mailer | DynamoDB.DeleteItem | orders | 3
        "#]],
    );
    check(
        "MATCH (t:Table {name: 'users'})<-[c]-(f) RETURN f.name, type(c), c.wait, c.throttles ORDER BY f.name",
        expect![[r#"
            mailer | CALLS | 774 | 0
            payment | CALLS | 7200 | 4
        "#]],
    );
    check(
        "MATCH (:Function {name: 'mailer'})-[c:TRIGGERS]-(f) RETURN f.name, startNode(c).name, c.asynchronous, c.wait ORDER BY f.name, c.calls",
        expect![[r#"
            checkout | checkout | true | 0
            stats | stats | true | 0
            stats | mailer | true | 0
        "#]],
    );
    check(
        "MATCH (a)-[c {operation: 'pay'}]->(b) RETURN a.name, b.name",
        expect![[r#"
            checkout | payment
        "#]],
    );
    check(
        "MATCH (a)-[:READS]->(t)<-[:READS]-(b) WHERE a.name < b.name RETURN a.name, b.name, t.name",
        expect![[r#"
            mailer | payment | users
        "#]],
    );
    check(
        "MATCH (f)-[:DOES]->(o) RETURN f.name, o.name",
        expect![[r#"
            api | api POST /orders
        "#]],
    );
}

#[test]
fn several_hops_ask_whether_there_is_a_way() {
    check(
        "MATCH (t {name: 'users'})<-[:CALLS|TRIGGERS*1..6]-(n) RETURN n.name ORDER BY n.name",
        expect![[r#"
            api
            checkout
            mailer
            payment
            stats
        "#]],
    );
    check(
        "MATCH (t:Table)<-[c:CALLS]-(f)<-[:CALLS|TRIGGERS*0..5]-(e:Endpoint) WHERE c.throttles > 0
         RETURN e.name, f.name, sum(c.throttles) AS throttled, e.Δp99 ORDER BY throttled DESC COMPARED TO 'yesterday'",
        expect![[r#"
            api | payment | 4 | 70.55
        "#]],
    );
    check(
        "MATCH (a {name: 'checkout'})-[*2]->(b) RETURN b.name ORDER BY b.name",
        expect![[r#"
            bank.example.com
            orders
            stats
            users
        "#]],
    );
    check(
        "MATCH (a {name: 'mailer'})-[:TRIGGERS*..3]->(b) RETURN b.name ORDER BY b.name",
        expect![[r#"
            mailer
            stats
        "#]],
    );
    check(
        "MATCH (q:Queue)-[*1..2]-(n) RETURN n.name ORDER BY n.name",
        expect![[r#"
            api
            checkout
            mailer
            orders
            payment
        "#]],
    );
}

#[test]
fn named_ways_are_all_of_them() {
    check(
        "MATCH p = (:Endpoint)-[*1..6]->(t:Table {name: 'users'}) RETURN p, length(p) ORDER BY length(p), p",
        expect![[r#"
            api-checkout-payment-users | 3
            api-checkout-mailer-users | 3
            api-checkout-mailer-stats-mailer-users | 5
        "#]],
    );
    check(
        "MATCH (f:Function {name: 'mailer'})-[r:TRIGGERS*1..4]->(f) RETURN f.name, size(r), r[0].operation, r[-1].operation",
        expect![[r#"
            mailer | 2 | stats | again
        "#]],
    );
    check(
        "MATCH p = shortestPath((e:Endpoint)-[*1..6]->(h:External)) RETURN p, nodes(p)[1].name, size(relationships(p))",
        expect![[r#"
            api-checkout-payment-bank.example.com | checkout | 3
        "#]],
    );
    check(
        "MATCH p = shortestPath((a {name: 'stats'})-[*0..6]->(b {name: 'orders'})) RETURN p",
        expect![[r#"
            stats-mailer-orders
        "#]],
    );
}

#[test]
fn groups_sums_and_lists() {
    check(
        "MATCH (f:Function)-[c]->(r:Resource) RETURN f.name, count(*) AS n, sum(c.calls) AS calls, avg(c.mean), max(c.p99), collect(DISTINCT r.kind)
         ORDER BY n DESC, f.name",
        expect![[r#"
            checkout | 2 | 176 | 6.5 | 7.91 | [table, queue]
            mailer | 2 | 89 | 8 | 9.01 | [table]
            payment | 2 | 176 | 47.5 | 80.34 | [table, host]
        "#]],
    );
    check(
        "MATCH (f:Function)-[c]->() RETURN f.name AS name, sum(c.errors) / sum(c.calls) AS rate ORDER BY rate DESC LIMIT 2",
        expect![[r#"
            payment | 0.02
            checkout | 0.01
            2 of 4, None
        "#]],
    );
    check(
        "MATCH (n:Bucket) RETURN count(n), sum(n.calls), min(n.p99), collect(n)",
        expect![[r#"
            0 | 0 | null | []
        "#]],
    );
    check(
        "MATCH (n:Bucket) RETURN n.kind, count(*)",
        expect![[r#"
            nothing
        "#]],
    );
    check(
        "MATCH (a)-[c]->() RETURN DISTINCT a.kind, type(c) ORDER BY a.kind, type(c) SKIP 1 LIMIT 2",
        expect![[r#"
            function | TRIGGERS
            service | CALLS
            2 of 4, None
        "#]],
    );
    check(
        "MATCH (f:Function)-->(r:Resource)<--(g) RETURN f.name, collect(DISTINCT r.name) AS shared ORDER BY size(shared) DESC, f.name",
        expect![[r#"
            checkout | [orders, mails]
            mailer | [users, orders]
            payment | [users, bank.example.com]
        "#]],
    );
}

#[test]
fn conditions_know_what_is_not_known() {
    check(
        "MATCH (n) WHERE n.cost > 0.0015 RETURN n.name",
        expect![[r#"
            checkout
        "#]],
    );
    check(
        "MATCH (n:Function) WHERE NOT n.cost > 0.0015 RETURN n.name",
        expect![[r#"
            payment
        "#]],
    );
    check(
        "MATCH (n:Function) WHERE n.cost IS NULL OR n.cost < 0.0015 RETURN n.name ORDER BY n.name",
        expect![[r#"
            mailer
            payment
            stats
        "#]],
    );
    check(
        "MATCH (n) WHERE n.name STARTS WITH 'ma' AND n.kind IN ['queue', 'function'] RETURN n.name ORDER BY n.name",
        expect![[r#"
            mailer
            mails
        "#]],
    );
    check(
        "MATCH (n:Function) WHERE n.name CONTAINS 'ay' XOR n.name ENDS WITH 's' RETURN n.name ORDER BY n.name",
        expect![[r#"
            payment
            stats
        "#]],
    );
    check(
        "MATCH (n:Function) WHERE NOT (n)-->(:Table) RETURN n.name",
        expect![[r#"
            stats
        "#]],
    );
    check(
        "MATCH (n:Function) WHERE exists((n)<-[:TRIGGERS]-()) RETURN n.name ORDER BY n.name",
        expect![[r#"
            mailer
            stats
        "#]],
    );
    check(
        "MATCH (a:Endpoint), (b:Table) WHERE NOT (a)-[*1..2]->(b) RETURN a.name, b.name",
        expect![[r#"
            api | users
        "#]],
    );
    check(
        "MATCH (n:Queue) RETURN 7 / 2, 7 % 4, -n.calls + 1, round(n.mean, 1), coalesce(n.cost, 0), toUpper(n.name)",
        expect![[r#"
            3.5 | 3 | -85 | 5 | 0 | MAILS
        "#]],
    );
}

#[test]
fn another_window_is_compared() {
    check(
        "MATCH (a)-[c]->(b) WHERE c.is_new RETURN a.name, b.name, c.first_seen, c.last_seen COMPARED TO 'yesterday'",
        expect![[r#"
            mailer | orders | minute 40 | minute 42
        "#]],
    );
    check(
        "MATCH (n:Table) RETURN n.name, n.Δcalls, n.before_calls, round(n.delta_p99), n.is_new ORDER BY n.name COMPARED TO 'yesterday'",
        expect![[r#"
            orders | 3 | 90 | 0 | false
            users | 0 | 176 | 70 | false
        "#]],
    );
}

#[test]
fn limits_are_told() {
    let graph = graph();
    let query = Query::parse("MATCH (a)-[c]->(b) RETURN a.name ORDER BY a.name").unwrap();
    let check = |limits: Limits, may_go_on: bool, expect: Expect| {
        let answer = query.answer(&graph, &limits, &|| may_go_on);
        expect.assert_eq(&format!(
            "{} of {}, {:?}",
            answer.rows.len(),
            answer.total,
            answer.cut
        ));
    };
    let limits = Limits::default();
    check(limits, true, expect!["12 of 12, None"]);
    check(
        Limits { rows: 3, ..limits },
        true,
        expect!["3 of 12, Some(Rows)"],
    );
    check(
        Limits { held: 4, ..limits },
        true,
        expect!["4 of 4, Some(Held)"],
    );
    check(
        Limits { steps: 8, ..limits },
        true,
        expect!["2 of 2, Some(Steps)"],
    );
}

#[test]
fn time_is_looked_at_in_long_walks() {
    let mut builder = Builder::new(UnixNanos(0)..UnixNanos(MINUTE));
    let nodes: Vec<NodeId> = (0..30)
        .map(|it| builder.node(Kind::Function, &it.to_string()))
        .collect();
    for from in &nodes {
        for to in &nodes {
            builder.call(*from, *to, "", false, &Counted::default());
        }
    }
    let graph = Graph::build(builder, None);
    let query = Query::parse("MATCH p = (a)-[*6]->(b) RETURN count(*)").unwrap();
    let answer = query.answer(&graph, &Limits::default(), &|| false);
    assert_eq!(answer.cut, Some(Cut::Time));
    let answer = query.answer(
        &graph,
        &Limits {
            steps: 100_000,
            ..Limits::default()
        },
        &|| true,
    );
    assert_eq!(answer.cut, Some(Cut::Steps));
    assert!(answer.steps <= 100_100, "{}", answer.steps);
}

#[test]
fn what_rows_are_about_is_drawn() {
    let graph = graph();
    let query = "MATCH (e:Endpoint)-[*1..6]->(t:Table {name: 'users'}) RETURN count(*)";
    let answer = Query::parse(query)
        .unwrap()
        .answer(&graph, &Limits::default(), &|| true);
    let nodes: Vec<&str> = answer
        .nodes
        .iter()
        .map(|id| &*graph.node(*id).name)
        .collect();
    assert_eq!(nodes, ["api", "checkout", "payment", "users"]);
    assert_eq!(answer.edges.len(), 3);
}

#[test]
fn saved_questions_can_be_answered() {
    let graph = graph();
    for question in QUESTIONS {
        let text = question.query.replace("$NAME", "users");
        let query = Query::parse(&text).unwrap_or_else(|it| panic!("{}: {it}", question.title));
        let answer = query.answer(&graph, &Limits::default(), &|| true);
        assert_eq!(answer.cut, None, "{}", question.title);
        assert_eq!(
            question.about.is_empty(),
            !question.query.contains("$NAME"),
            "{}",
            question.title
        );
    }
}
