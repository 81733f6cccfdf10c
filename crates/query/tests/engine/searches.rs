//! A search finds the rows that a query with the same filters counts, and refuses what it refuses.

use serde_json::{Value, json};
use throughline_query::{QueryError, Spec};
use throughline_store::{Count, Filter, SearchQuery};
use throughline_telemetry::{LogRecord, Span, UnixNanos};

use super::engine;
use crate::shop::{Sealed, Shop};

const SPANS: &[(&str, &str, &str)] = &[
    ("service", "=", r#""shop""#),
    ("service", "!=", r#""shop""#),
    ("service", "in", r#"["shop", "payment", 7]"#),
    ("service", ">", r#""pay""#),
    ("name", "contains", r#""cart""#),
    ("name", "matches", r#""^(GET|ch).*(item|ge)$""#),
    ("name", "matches", r#""(""#),
    ("kind", "=", r#""client""#),
    ("kind", "not-in", r#"["client", "server"]"#),
    ("status", "does-not-start-with", r#""e""#),
    ("duration_ms", ">=", "3"),
    ("duration_ms", "<", r#""2.5""#),
    ("duration_ms", "=", r#""long""#),
    ("duration_ms", "contains", r#"".""#),
    ("time", ">", r#""1970-01-01T00:00:25Z""#),
    ("time", "<=", "30000000000"),
    ("time", "=", r#""never""#),
    ("parent_span_id", "exists", "null"),
    ("trace_id", "ends-with", r#""a""#),
    ("http.route", "=", r#""/cart""#),
    ("http.route", "!=", r#""/cart""#),
    ("http.route", "exists", "null"),
    ("http.route", "does-not-exist", "null"),
    ("http.route", "ends-with", r#""m""#),
    ("http.route", "does-not-contain", r#""a""#),
    ("http.route", "=", "5"),
    ("http.route", "=", "true"),
    ("http.route", "=", "null"),
    ("http.route", "in", r#""/cart""#),
    ("http.route", "contains", "5"),
    ("http.response.body.size", "=", "100"),
    ("http.response.body.size", ">", "150.5"),
    ("http.response.body.size", "<=", r#""200""#),
    ("http.response.body.size", "starts-with", r#""6""#),
    ("http.response.body.size", "in", r#"[100, "300", 6100.0]"#),
    ("faas.coldstart", "=", "true"),
    ("faas.coldstart", "!=", "true"),
    ("faas.coldstart", "=", r#""false""#),
    ("faas.coldstart", "=", "1"),
    ("cloud.region", "=", r#""eu-west-1""#),
    ("cloud.region", "!=", r#""eu-west-1""#),
    ("nobody", "=", r#""x""#),
    ("nobody", "!=", r#""x""#),
];

const LOGS: &[(&str, &str, &str)] = &[
    ("body", "contains", r#""declined""#),
    ("severity_number", ">=", "17"),
    ("severity", "=", r#""ERROR""#),
    ("trace_id", "does-not-exist", "null"),
    ("service", "!=", r#""payment""#),
];

#[tokio::test(flavor = "multi_thread")]
async fn searches_and_queries_agree() {
    for sealed in Sealed::ALL {
        let shop = Shop::open(sealed).await;
        for (dataset, cases) in [("spans", SPANS), ("logs", LOGS)] {
            for (column, op, value) in cases {
                let value: Value = serde_json::from_str(value).unwrap();
                let filter = json!({"column": column, "op": op, "value": value});
                let counted = counted(&shop, dataset, &filter).await;
                let found = found(&shop, dataset, &filter).await;
                assert_eq!(found, counted, "{dataset} {filter}, {sealed:?} sealed");
            }
        }
    }
}

/// How many rows a query counts, or none if it refuses the question.
async fn counted(shop: &Shop, dataset: &str, filter: &Value) -> Option<u64> {
    let spec = json!({"dataset": dataset, "filters": [filter], "start_time": 0, "end_time": 1000});
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let answer = engine().query(shop.scan(), &spec, UnixNanos(0)).await;
    match answer {
        Ok(answer) => {
            let rows = answer.results.to_json().unwrap();
            // Of no rows there is no group.
            Some(rows["rows"][0][0].as_u64().unwrap_or_default())
        }
        Err(QueryError::Invalid(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

async fn found(shop: &Shop, dataset: &str, filter: &Value) -> Option<u64> {
    let query = SearchQuery {
        filter: serde_json::from_value::<Filter>(filter.clone()).unwrap(),
        count: Count::All,
        ..SearchQuery::default()
    };
    let total = match dataset {
        "spans" => {
            let found = engine().search::<Span>(shop.store(), query).await;
            found.map(|(page, _)| (page.rows.len(), page.total))
        }
        _ => {
            let found = engine().search::<LogRecord>(shop.store(), query).await;
            found.map(|(page, _)| (page.rows.len(), page.total))
        }
    };
    match total {
        Ok((rows, total)) => {
            assert_eq!(rows as u64, total);
            Some(total)
        }
        Err(QueryError::Invalid(_)) => None,
        Err(error) => panic!("{error}"),
    }
}
