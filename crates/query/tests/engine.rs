//! Questions and their answers, over a store. Each is asked while the rows are in buffers, while some
//! are in segments, and while all are, and has the same answer.
#![allow(clippy::unwrap_used)]

#[path = "engine/bounds.rs"]
mod bounds;
#[path = "engine/rolled.rs"]
mod rolled;
#[path = "engine/searches.rs"]
mod searches;
#[path = "engine/shop.rs"]
mod shop;

use arrow::util::pretty::pretty_format_batches;
use expect_test::{Expect, expect};
use throughline_query::{Answer, Engine, Limits, QueryError, Spec};
use throughline_telemetry::UnixNanos;

use shop::{Sealed, Shop};

fn engine() -> Engine {
    Engine::start(2, Limits::default()).unwrap()
}

async fn ask(sealed: Sealed, sql: &str) -> Result<Answer, QueryError> {
    engine().sql(Shop::open(sealed).await.scan(), sql).await
}

fn show(answer: &Answer) -> String {
    pretty_format_batches(&answer.batches).unwrap().to_string()
}

#[allow(clippy::needless_pass_by_value)]
async fn check(sql: &str, expect: Expect) {
    let mut seen = Vec::new();
    for sealed in Sealed::ALL {
        seen.push(match ask(sealed, sql).await {
            Ok(answer) => show(&answer),
            Err(error) => error.to_string(),
        });
    }
    same(&seen, &expect);
}

#[allow(clippy::needless_pass_by_value)]
async fn query(json: &str, expect: Expect) {
    let spec: Spec = serde_json::from_str(json).unwrap();
    let now = UnixNanos(1_000 * 1_000_000_000);
    let mut all_seen = Vec::new();
    for sealed in Sealed::ALL {
        let shop = Shop::open(sealed).await;
        let seen = match engine().query(shop.scan(), &spec, now).await {
            Ok(answer) => {
                let mut seen = show(&answer.results);
                for more in answer.series.iter().chain(&answer.heatmaps) {
                    seen += &format!("\n{}", show(more));
                }
                seen
            }
            Err(error) => error.to_string(),
        };
        all_seen.push(seen);
    }
    same(&all_seen, &expect);
}

/// Whatever is sealed, the answer is this.
fn same(seen: &[String], expect: &Expect) {
    for (sealed, seen_now) in Sealed::ALL.iter().zip(seen) {
        assert_eq!(*seen_now, seen[0], "{sealed:?} sealed");
    }
    expect.assert_eq(&seen[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_by_an_attribute_without_quotes() {
    check(
        "select http.route, count(*) as n, avg(duration_ms) as mean from spans \
         where kind = 'server' group by http.route order by n desc, http.route",
        expect![[r#"
            +------------+---+--------------------+
            | http.route | n | mean               |
            +------------+---+--------------------+
            | /cart      | 3 | 21.333333333333332 |
            | /item      | 1 | 62.0               |
            +------------+---+--------------------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_numbers() {
    check(
        "select sum(http.response.body.size) as bytes, max(duration_ms) from spans where faas.coldstart",
        expect![[r#"
            +-------+------------------------+
            | bytes | max(spans.duration_ms) |
            +-------+------------------------+
            | 6500  | 61.0                   |
            +-------+------------------------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_twice_counts_once() {
    check(
        "select count(*) as n, count(distinct span_id) as spans from spans",
        expect![[r#"
            +---+-------+
            | n | spans |
            +---+-------+
            | 5 | 5     |
            +---+-------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_and_attributes_of_resources() {
    check(
        "select name, trace_id, parent_span_id, cloud.region, service.name, no.such from spans \
         where service = 'payment' and time < timestamp '1970-01-01T00:01:00Z'",
        expect![[r#"
            +--------+----------------------------------+----------------+--------------+--------------+---------+
            | name   | trace_id                         | parent_span_id | cloud.region | service.name | no.such |
            +--------+----------------------------------+----------------+--------------+--------------+---------+
            | charge | 8b8043bc603ac9ca000000000000001e |                | eu-west-1    | payment      |         |
            +--------+----------------------------------+----------------+--------------+--------------+---------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_see_one_snapshot() {
    check(
        "select s.name, l.body from spans s join logs l on s.trace_id = l.trace_id and s.span_id = l.span_id \
         where l.severity_number >= 17",
        expect![[r#"
            +--------+---------------+
            | name   | body          |
            +--------+---------------+
            | charge | card declined |
            +--------+---------------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_writes_is_refused() {
    for sql in [
        "create table x as select 1",
        "insert into spans values (1)",
        "copy spans to '/tmp/x'",
        "set a = 1",
        "drop table spans",
        "create external table x stored as csv location '/etc/passwd'",
        "explain drop table spans",
    ] {
        let error = ask(Sealed::Some, sql).await.unwrap_err();
        assert!(matches!(error, QueryError::Invalid(_)), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_say_what_is_wrong() {
    check(
        "select service from span",
        expect!["table 'span' not found: there are spans, logs and metrics"],
    )
    .await;
    check(
        "selct 1",
        expect!["cannot parse: Expected: an SQL statement, found: selct at line 1, column 1"],
    )
    .await;
    check("select avg(name) from spans", expect!["No function matches the given name and argument types 'avg(Utf8)'. You might need to add explicit type casts."]).await;
    check(
        "select * from '/etc/passwd'",
        expect!["table '/etc/passwd' not found: there are spans, logs and metrics"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_cut_and_say_so() {
    let engine = Engine::start(
        1,
        Limits {
            rows: 3,
            ..Limits::default()
        },
    )
    .unwrap();
    let shop = Shop::open(Sealed::Some).await;
    let answer = engine
        .sql(shop.scan(), "select name from spans")
        .await
        .unwrap();
    assert!(answer.truncated);
    assert_eq!(answer.rows(), 3);
    assert!(answer.cost.rows >= 3 && answer.cost.segments >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_limited() {
    let engine = Engine::start(
        1,
        Limits {
            memory_bytes: 100,
            ..Limits::default()
        },
    )
    .unwrap();
    let sql = "select span_id, count(*) from spans group by span_id";
    let error = engine
        .sql(Shop::open(Sealed::Some).await.scan(), sql)
        .await
        .unwrap_err();
    assert!(matches!(error, QueryError::TooLarge(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_limited() {
    let limits = Limits {
        time: std::time::Duration::from_millis(50),
        ..Limits::default()
    };
    let engine = Engine::start(1, limits).unwrap();
    let sql = "select count(*) from generate_series(1, 30000) a, generate_series(1, 30000) b, spans \
               where a.value + b.value % 7 = 3";
    let error = engine
        .sql(Shop::open(Sealed::Some).await.scan(), sql)
        .await
        .unwrap_err();
    assert!(matches!(error, QueryError::TooSlow(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_describe_themselves() {
    check(
        "select column_name, data_type from information_schema.columns where table_name = 'metrics'",
        expect![[r#"
            +-------------+------------------------+
            | column_name | data_type              |
            +-------------+------------------------+
            | time        | Timestamp(ns, "UTC")   |
            | start_time  | Timestamp(ns, "UTC")   |
            | name        | Utf8                   |
            | unit        | Utf8                   |
            | kind        | Dictionary(Int8, Utf8) |
            | value       | Float64                |
            | count       | Int64                  |
            | service     | Utf8                   |
            | scope       | Utf8                   |
            +-------------+------------------------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_and_percentiles_by_group() {
    query(
        r#"{"breakdowns": ["service", "http.route"], "calculations": [{"op": "COUNT"}, {"op": "P50", "column": "duration_ms"}, {"op": "RATE"}],
            "filters": [{"column": "kind", "op": "=", "value": "server"}], "time_range": 1000}"#,
        expect![[r#"
            +---------+------------+-------+------------------+-------+
            | service | http.route | COUNT | P50(duration_ms) | RATE  |
            +---------+------------+-------+------------------+-------+
            | shop    | /cart      | 3     | 2.0              | 0.003 |
            | shop    | /item      | 1     | 62.0             | 0.001 |
            +---------+------------+-------+------------------+-------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn series_have_the_groups_of_the_results() {
    query(
        r#"{"breakdowns": ["http.route"], "calculations": [{"op": "COUNT"}], "limit": 1, "time_range": 1000, "granularity": 500}"#,
        expect![[r#"
            +------------+-------+
            | http.route | COUNT |
            +------------+-------+
            | /cart      | 3     |
            +------------+-------+
            +----------------------+------------+-------+
            | time                 | http.route | COUNT |
            +----------------------+------------+-------+
            | 1970-01-01T00:00:00Z | /cart      | 2     |
            | 1970-01-01T00:08:20Z | /cart      | 1     |
            +----------------------+------------+-------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_compare_by_the_type_of_the_value() {
    query(
        r#"{"breakdowns": ["name"], "filter_combination": "OR", "time_range": 1000, "filters": [
            {"column": "http.response.body.size", "op": ">=", "value": 200},
            {"column": "name", "op": "contains", "value": "arg"},
            {"column": "user", "op": "in", "value": ["u2"]}]}"#,
        expect![[r#"
            +-----------+-------+
            | name      | COUNT |
            +-----------+-------+
            | GET /cart | 2     |
            | GET /item | 1     |
            | charge    | 1     |
            +-----------+-------+"#]],
    )
    .await;
    query(
        r#"{"breakdowns": ["name"], "time_range": 1000, "filters": [
            {"column": "user", "op": "!=", "value": "u1"}, {"column": "http.route", "op": "exists"},
            {"column": "http.route", "op": "matches", "value": "^/c"}]}"#,
        expect![[r#"
            +-----------+-------+
            | name      | COUNT |
            +-----------+-------+
            | GET /cart | 2     |
            +-----------+-------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heat_maps_count_values() {
    query(
        r#"{"calculations": [{"op": "HEATMAP", "column": "duration_ms"}, {"op": "MAX", "column": "duration_ms"}], "time_range": 1000, "granularity": 1000}"#,
        expect![[r#"
            +------------------+
            | MAX(duration_ms) |
            +------------------+
            | 62.0             |
            +------------------+
            +----------------------+------------------+
            | time                 | MAX(duration_ms) |
            +----------------------+------------------+
            | 1970-01-01T00:00:00Z | 62.0             |
            +----------------------+------------------+
            +----------------------+-------------------+------+
            | time                 | up_to             | rows |
            +----------------------+-------------------+------+
            | 1970-01-01T00:00:00Z | 1.0               | 1    |
            | 1970-01-01T00:00:00Z | 2.0               | 1    |
            | 1970-01-01T00:00:00Z | 3.363585661014858 | 1    |
            | 1970-01-01T00:00:00Z | 64.0              | 2    |
            +----------------------+-------------------+------+"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_filtered_and_ordered() {
    query(
        r#"{"breakdowns": ["name"], "calculations": [{"op": "COUNT"}, {"op": "SUM", "column": "duration_ms"}], "time_range": 1000,
            "havings": [{"calculate_op": "COUNT", "op": ">", "value": 1}], "orders": [{"column": "name", "order": "ascending"}]}"#,
        expect![[r#"
            +-----------+-------+------------------+
            | name      | COUNT | SUM(duration_ms) |
            +-----------+-------+------------------+
            | GET /cart | 3     | 64.0             |
            +-----------+-------+------------------+"#]],
    )
    .await;
}
