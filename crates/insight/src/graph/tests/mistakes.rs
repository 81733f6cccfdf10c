use expect_test::{Expect, expect};

use crate::graph::Query;

#[track_caller]
fn check(query: &str, expect: Expect) {
    expect.assert_eq(&Query::parse(query).unwrap_err().to_string());
}

#[test]
fn what_is_not_in_the_language_is_named() {
    check(
        "",
        expect![
            "a query begins with MATCH, such as MATCH (f:Function) RETURN f.name at line 1, column 1"
        ],
    );
    check(
        "RETURN 1",
        expect![
            "a query begins with MATCH, such as MATCH (f:Function) RETURN f.name at line 1, column 1"
        ],
    );
    check(
        "CREATE (f:Function)",
        expect![
            "CREATE would write: the graph is derived from what was seen, and only read at line 1, column 1"
        ],
    );
    check(
        "MATCH (f) SET f.name = 'x' RETURN f",
        expect![
            "SET would write: the graph is derived from what was seen, and only read at line 1, column 11"
        ],
    );
    check(
        "MATCH (f)\nOPTIONAL MATCH (f)-->(g) RETURN f",
        expect![
            "OPTIONAL is not in this subset: MATCH, WHERE, RETURN, ORDER BY, SKIP, LIMIT, DURING and COMPARED TO are at line 2, column 1"
        ],
    );
    check(
        "MATCH (f) RETURN *",
        expect!["name what is wanted: RETURN * is not in this subset at line 1, column 18"],
    );
    check(
        "MATCH (f) WHERE f.name =~ '.*' RETURN f",
        expect![
            "there are no regular expressions: STARTS WITH, ENDS WITH and CONTAINS are there at line 1, column 24"
        ],
    );
    check(
        "MATCH (f {name: $name}) RETURN f",
        expect!["there are no parameters: write the value itself at line 1, column 17"],
    );
    check(
        "MATCH (f) RETURN f;",
        expect!["one query at a time, without a semicolon at line 1, column 19"],
    );
    check(
        "MATCH (f) RETURN CASE WHEN 1 THEN 2 END",
        expect!["CASE is not in this subset at line 1, column 18"],
    );
    check(
        "MATCH p = allShortestPaths((a)-[*]->(b)) RETURN p",
        expect!["there is shortestPath(...), which finds one of them at line 1, column 11"],
    );
}

#[test]
fn what_would_be_right_is_said() {
    check(
        "MATCH (f:Tabel) RETURN f",
        expect!["there is no label `Tabel`: did you mean `Table`? at line 1, column 10"],
    );
    check(
        "MATCH (f:Lambda) RETURN f",
        expect![
            "there is no label `Lambda`: there are Function, Service, Table, Queue, Topic, Bus, Stream, Bucket, Database, Cache, Host, Operation, Other, Resource, Endpoint, External at line 1, column 10"
        ],
    );
    check(
        "MATCH (f)-[:CALL]->() RETURN f",
        expect!["there is no type `CALL`: did you mean `CALLS`? at line 1, column 13"],
    );
    check(
        "MATCH (f) RETURN f.latency",
        expect![
            "there is no property `latency`: there are id, kind, name, service, calls, errors, throttles, cold_starts, rate, error_rate, time, mean, p50, p99, cost, first_seen, last_seen, changed, is_new at line 1, column 20"
        ],
    );
    check(
        "MATCH (f) RETURN f.errrors",
        expect!["there is no property `errrors`: did you mean `errors`? at line 1, column 20"],
    );
    check(
        "MATCH (f)-[c]->() RETURN c.cost",
        expect!["`cost` is a property of nodes, and relationships have none at line 1, column 28"],
    );
    check(
        "MATCH (f) RETURN f.operation",
        expect![
            "`operation` is a property of relationships, and nodes have none at line 1, column 20"
        ],
    );
    check(
        "MATCH (f) RETURN length(f, f)",
        expect!["length takes one value between its brackets at line 1, column 18"],
    );
    check(
        "MATCH (f) RETURN lenght(f)",
        expect!["there is no function `lenght`: did you mean `length`? at line 1, column 18"],
    );
    check(
        "MATCH (fn) RETURN f.name",
        expect!["`f` is not in MATCH: did you mean `fn`? at line 1, column 19"],
    );
    check(
        "MATCH () RETURN f.name",
        expect!["`f` is not in MATCH: name it there, such as (f:Function) at line 1, column 17"],
    );
    check(
        "MATCH (f) RETURN f.Δp99",
        expect![
            "`Δp99` needs another window: end the query with COMPARED TO 'yesterday' at line 1, column 20"
        ],
    );
    check(
        "MATCH (f) WHERE f.is_new RETURN f",
        expect![
            "`is_new` needs another window: end the query with COMPARED TO 'yesterday' at line 1, column 19"
        ],
    );
    check(
        "MATCH (f) RETURN f.Δname COMPARED TO 'yesterday'",
        expect![
            "`name` is no number, of which there is one before and a difference at line 1, column 20"
        ],
    );
    check(
        "MATCH (t)<-[c]-(f) WHERE c.errors['ThrottlingException'] > 0 RETURN f",
        expect![
            "errors are counted and not told apart by name: `throttles` are those refused because there were too many at line 1, column 35"
        ],
    );
}

#[test]
fn the_place_is_the_one_that_is_wrong() {
    check(
        "MATCH (f:Function RETURN f",
        expect!["expected `)`, which ends a node, but `RETURN` stands there at line 1, column 19"],
    );
    check(
        "MATCH (f)-[:CALLS->(g) RETURN f",
        expect![
            "expected `]`, which ends a relationship, but `-` stands there at line 1, column 18"
        ],
    );
    check(
        "MATCH (f)\n  WHERE f.calls > RETURN f",
        expect![
            "expected a value, such as f.name, 100 or 'orders', but `RETURN` stands there at line 2, column 19"
        ],
    );
    check(
        "MATCH (f)-[*1..9]->(g) RETURN f",
        expect!["at most 6 hops are followed, such as *1..6 at line 1, column 13"],
    );
    check(
        "MATCH (f)-[*5..2]->(g) RETURN f",
        expect!["*5..2 is empty: the fewest come first at line 1, column 13"],
    );
    check(
        "MATCH (f) WHERE 1 < f.calls < 3 RETURN f",
        expect!["compare two at a time, and join them with AND at line 1, column 29"],
    );
    check(
        "MATCH (f) RETURN f LIMIT many",
        expect!["expected how many rows at most, but `many` stands there at line 1, column 26"],
    );
    check(
        "MATCH (f) RETURN f LIMIT 1 LIMIT 2",
        expect!["LIMIT stands there twice at line 1, column 28"],
    );
    check(
        "MATCH (f) RETURN f DURING yesterday",
        expect![
            "expected a time between quotes, such as 'last 1h' or 'yesterday', but `yesterday` stands there at line 1, column 27"
        ],
    );
    check(
        "MATCH (f) RETURN f.name, f.name",
        expect!["`f.name` is returned twice: name one of them with AS at line 1, column 26"],
    );
    check(
        "MATCH (f)-[f]->() RETURN f",
        expect!["`f` is a name of something else already at line 1, column 12"],
    );
    check(
        "MATCH p = (f) RETURN p.name",
        expect![
            "this is several: nodes(p) and relationships(p) are lists, of which [0] is the first at line 1, column 24"
        ],
    );
    check(
        "MATCH (f) WHERE NOT (f)-->(g) RETURN f",
        expect![
            "`g` is not in MATCH: a pattern in a condition names nothing new at line 1, column 28"
        ],
    );
}

#[test]
fn groups_are_what_they_say() {
    check(
        "MATCH (f) WHERE count(f) > 1 RETURN f",
        expect!["WHERE is asked of each row, before anything is aggregated at line 1, column 17"],
    );
    check(
        "MATCH (f) RETURN sum(count(f))",
        expect!["an aggregate of an aggregate means nothing at line 1, column 22"],
    );
    check(
        "MATCH (f) RETURN f.calls + count(*)",
        expect![
            "this is different within a group: return it by itself too, so that rows are grouped by it at line 1, column 18"
        ],
    );
    check(
        "MATCH (f) RETURN f.kind, count(*) ORDER BY f.name",
        expect![
            "this is different within a group: return it by itself too, so that rows are grouped by it at line 1, column 44"
        ],
    );
    check(
        "MATCH (f) RETURN f.name ORDER BY count(*)",
        expect![
            "order by an aggregate that is returned, such as RETURN f.name, count(*) AS n ORDER BY n at line 1, column 34"
        ],
    );
    check(
        "MATCH (f) RETURN DISTINCT f.kind ORDER BY f.name",
        expect!["with DISTINCT, order by what is returned at line 1, column 43"],
    );
    check(
        "MATCH (f) RETURN sum(*)",
        expect!["there is count(*), but no sum(*) at line 1, column 18"],
    );
}

#[test]
fn deep_and_long_queries_are_refused() {
    let deep = format!("MATCH (f) RETURN {}1{}", "(".repeat(80), ")".repeat(80));
    check(
        &deep,
        expect!["expressions are at most 64 deep at line 1, column 82"],
    );
    let long = format!("MATCH (f) RETURN 1{}", " + 1".repeat(400));
    check(
        &long,
        expect!["a query has at most 300 operators at line 1, column 1222"],
    );
    let nulls = format!("MATCH (f) RETURN 1{}", " IS NULL".repeat(400));
    check(
        &nulls,
        expect!["a query has at most 300 operators at line 1, column 2423"],
    );
    let wide = format!("MATCH (f){} RETURN f", "-->()".repeat(40));
    check(
        &wide,
        expect![
            "a pattern has at most 12 pieces: `*1..6` goes over several hops at line 1, column 75"
        ],
    );
    check(
        &"x".repeat(20_000),
        expect!["a query has at most 16384 bytes at line 1, column 1"],
    );
}
