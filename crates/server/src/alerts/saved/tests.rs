use std::sync::Arc;

use serde_json::{Value, json};

use super::super::settings::{RawSettings, Settings};
use super::*;

const NOW: UnixNanos = UnixNanos(1_795_132_800 * 1_000_000_000);

fn saved(queries: &Value) -> Result<SavedQueries, String> {
    let raw = serde_json::from_value(json!({"queries": queries}));
    let raw = raw.map_err(|error| error.to_string())?;
    SavedQueries::try_new(raw, NOW).map_err(|problems| problems.to_string())
}

fn good() -> Value {
    json!([
        {"name": "What \"fails\"", "query": {"calculations": [{"op": "COUNT"}, {"op": "HEATMAP", "column": "duration_ms"}]}},
        {"name": "by hand", "sql": "select count(*) from spans"},
        {"name": "tables", "graph": "MATCH (t:Table) RETURN t.name, t.errors"}
    ])
}

fn alerts(follow: &[&str], queries: &Value) -> Result<Settings, String> {
    let alert = |name: &&str| json!({"name": format!("of {}", name.len()), "saved": name, "op": ">", "value": 1});
    let alerts: Vec<Value> = follow.iter().map(alert).collect();
    let raw: RawSettings = serde_json::from_value(json!({"alerts": alerts})).unwrap();
    let saved = Arc::new(saved(queries).unwrap());
    Settings::try_new(raw, saved, NOW).map_err(|problems| problems.to_string())
}

#[test]
fn what_is_shown_can_be_saved_again() {
    let first = saved(&good()).unwrap();
    let shown = serde_json::to_value(first.raw()).unwrap();
    assert!(shown["queries"][0].get("sql").is_none());
    let again = saved(&shown["queries"]).unwrap();
    assert_eq!(again.edition(), first.edition());
    let other = saved(&json!([good()[1]])).unwrap();
    assert_ne!(other.edition(), first.edition());
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let refused = |query: Value, expected: &str| {
        let mut queries = good();
        queries.as_array_mut().unwrap().push(query);
        let said = saved(&queries).unwrap_err();
        assert!(said.contains(expected), "{said}");
    };
    refused(
        json!({"name": "none"}),
        "queries[3].query: it asks one thing",
    );
    refused(
        json!({"name": "two", "sql": "select 1", "graph": "MATCH (f) RETURN f"}),
        "queries[3].query: it asks one thing",
    );
    refused(
        json!({"name": "by hand", "sql": "select 1"}),
        "queries[3].name: there is another one of the name",
    );
    refused(
        json!({"name": "", "sql": "select 1"}),
        "queries[3].name: a name has 1 to 120 characters",
    );
    refused(
        json!({"name": "long", "sql": "x".repeat(10_001)}),
        "queries[3].sql: it has 1 to 10000 characters",
    );
    refused(
        json!({"name": "graph", "graph": "MATCH (f"}),
        "queries[3].graph: ",
    );
    refused(
        json!({"name": "sum", "query": {"calculations": [{"op": "SUM"}]}}),
        "queries[3].query: SUM needs a `column`",
    );
    refused(
        json!({"name": "more", "sql": "select 1", "x": 1}),
        "unknown field",
    );
    let many: Vec<Value> = (0..201)
        .map(|at| json!({"name": at.to_string(), "sql": "select 1"}))
        .collect();
    let said = saved(&json!(many)).unwrap_err();
    assert!(
        said.contains("queries: there are 201 of them, and 200 at most"),
        "{said}"
    );
}

#[test]
fn an_alert_asks_what_the_saved_query_does() {
    let settings = alerts(&["What \"fails\"", "by hand", "tables"], &good()).unwrap();
    let [query, sql, graph] = settings.alerts() else {
        panic!("three")
    };
    let Some(Asks::Query(spec)) = query.asks() else {
        panic!("a query")
    };
    // The heat map is drawn beside the number.
    assert_eq!((spec.calculations.len(), spec.time_range), (1, Some(300.0)));
    assert!(matches!(
        sql.asks(),
        Some(Asks::Sql("select count(*) from spans"))
    ));
    assert!(matches!(graph.asks(), Some(Asks::Graph(_))));
    // What is written says whom it follows, and no more.
    let shown = serde_json::to_value(settings.raw()).unwrap();
    assert_eq!(shown["alerts"][0]["saved"], "What \"fails\"");
    assert!(shown["alerts"][0].get("query").is_none(), "{shown}");
}

#[test]
fn what_cannot_be_watched_is_not_followed() {
    let said = alerts(&["nobody"], &good()).unwrap_err();
    assert!(
        said.contains("alerts[0].saved: there is no saved query \"nobody\""),
        "{said}"
    );
    let refused = |query: Value, expected: &str| {
        let said = alerts(&["it"], &json!([{"name": "it", "query": query}])).unwrap_err();
        assert!(
            said.contains(&format!("alerts[0].saved: {expected}")),
            "{said}"
        );
    };
    let two = json!({"calculations": [{"op": "COUNT"}, {"op": "RATE"}]});
    refused(two, "it must have one calculation");
    let heat = json!({"calculations": [{"op": "HEATMAP", "column": "duration_ms"}]});
    refused(heat, "a heat map is no number");
    refused(
        json!({"start_time": 5}),
        "it is asked of the time up to now",
    );
    let mut raw =
        json!({"name": "both", "saved": "by hand", "sql": "select 1", "op": ">", "value": 1});
    let both = |raw: &Value| {
        let raw = serde_json::from_value(json!({"alerts": [raw]})).unwrap();
        Settings::try_new(raw, Arc::new(saved(&good()).unwrap()), NOW)
    };
    let said = both(&raw).unwrap_err().to_string();
    assert!(
        said.contains("it asks one thing: `query`, `sql`, `graph` or `saved`"),
        "{said}"
    );
    raw.as_object_mut().unwrap().remove("sql");
    both(&raw).unwrap();
}

#[test]
fn what_is_followed_is_neither_removed_nor_made_something_else() {
    let settings = alerts(&["by hand"], &good()).unwrap();
    let change = |queries: Value| {
        let next = settings.following(Arc::new(saved(&queries).unwrap()), NOW);
        next.map_err(|problems| problems.to_string())
    };
    let said = change(json!([])).unwrap_err();
    let alert = "queries: the alert \"of 7\" follows \"by hand\": change or remove the alert first";
    assert!(said.contains(alert), "{said}");
    let renamed = json!([{"name": "BY HAND", "sql": "select count(*) from spans"}]);
    assert!(change(renamed).unwrap_err().contains(alert));
    let two =
        json!([{"name": "by hand", "query": {"calculations": [{"op": "COUNT"}, {"op": "RATE"}]}}]);
    let said = change(two).unwrap_err();
    let alert = "queries[0]: the alert \"of 7\" follows \"by hand\": it must have one calculation";
    assert!(said.contains(alert), "{said}");
    let other = change(json!([{"name": "by hand", "sql": "select 2"}])).unwrap();
    assert!(matches!(
        other.alerts()[0].asks(),
        Some(Asks::Sql("select 2"))
    ));
    // What was lost is no reason against what is saved then.
    let raw = settings.raw().clone();
    let lost = Settings::reopened(raw, Arc::default(), NOW).unwrap();
    assert_eq!(
        lost.unfollowed("of 7"),
        Some("there is no saved query \"by hand\"")
    );
    let next = lost.following(Arc::new(saved(&json!([])).unwrap()), NOW);
    assert!(next.is_ok());
}
