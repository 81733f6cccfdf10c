use serde_json::{Value, json};

use super::*;

const NOW: UnixNanos = UnixNanos(1_795_132_800 * 1_000_000_000);

fn check(raw: Value) -> Result<Settings, String> {
    let raw: RawSettings = serde_json::from_value(raw).map_err(|error| error.to_string())?;
    Settings::try_new(raw, Arc::default(), NOW).map_err(|problems| problems.to_string())
}

fn is(column: &str, value: &str) -> Value {
    json!([{"column": column, "op": "=", "value": value}])
}

fn good() -> Value {
    json!({
        "objectives": [
            {"name": "orders answer", "target": 0.999, "measure": {"spans": {
                "filters": is("service", "orders"),
                "good": [{"column": "status", "op": "!=", "value": "error"}, {"column": "duration_ms", "op": "<=", "value": 500}]
            }}},
            {"name": "orders are mailed", "target": 0.99, "days": 7, "measure": {"actions": {
                "begin": is("name", "POST /orders"), "end": {"service": "mail", "name": "SendEmail"}, "within_ms": 5000
            }}}
        ],
        "alerts": [{"name": "many fail", "op": ">", "value": 20, "for_minutes": 5, "query": {
            "calculations": [{"op": "COUNT"}], "breakdowns": ["service"], "filters": is("status", "error"), "time_range": 300
        }}]
    })
}

#[test]
fn what_is_shown_can_be_set_again() {
    let settings = check(good()).unwrap();
    assert_eq!(settings.objectives()[0].days, 30);
    assert_eq!(settings.alerts()[0].severity, Severity::Warning);
    let shown = serde_json::to_value(settings.raw()).unwrap();
    assert_eq!(check(shown).unwrap().raw(), settings.raw());
}

#[test]
fn an_alert_asks_one_thing() {
    let alert = |asked: Value| {
        let mut raw = good();
        let alert = raw
            .pointer_mut("/alerts/0")
            .unwrap()
            .as_object_mut()
            .unwrap();
        alert.remove("query");
        alert.extend(asked.as_object().unwrap().clone());
        check(raw)
    };
    let sql = json!({"sql": "select count(*) from logs"});
    let shown = serde_json::to_value(alert(sql.clone()).unwrap().raw()).unwrap();
    assert_eq!(shown["alerts"][0]["sql"], sql["sql"]);
    assert!(shown["alerts"][0].get("query").is_none(), "{shown}");
    check(shown).unwrap();
    alert(json!({"graph": "MATCH (f:Function) RETURN f.name, f.errors"})).unwrap();
    let refused = |asked: Value, expected: &str| {
        let said = alert(asked).unwrap_err();
        assert!(said.contains(expected), "{said}");
    };
    refused(json!({}), "alerts[0].query: it asks one thing");
    refused(
        json!({"sql": "select 1", "graph": "MATCH"}),
        "alerts[0].query: it asks one thing",
    );
    refused(
        json!({"sql": " "}),
        "alerts[0].sql: it has 1 to 10000 characters",
    );
    refused(json!({"graph": "MATCH (f RETURN f"}), "alerts[0].graph: ");
    refused(json!({"sequel": "select 1"}), "unknown field");
}

#[test]
fn actions_are_judged_when_their_time_is_over() {
    let settings = check(good()).unwrap();
    let [spans, actions] = settings.objectives() else {
        panic!("two")
    };
    assert_eq!(spans.measure.complete(NOW), complete(NOW));
    let before = NOW.minus(Duration::from_secs(60));
    assert_eq!(actions.measure.complete(NOW), complete(before));
}

#[test]
fn all_that_is_wrong_is_said_with_its_place() {
    let refused = |path: &str, value: Value, expected: &str| {
        let mut raw = good();
        *raw.pointer_mut(path).unwrap() = value;
        let said = check(raw).unwrap_err();
        assert!(said.contains(expected), "{path}: {said}");
    };
    refused(
        "/objectives/0/target",
        json!(1.0),
        "objectives[0].target: it must be from 0.5",
    );
    refused("/objectives/1/days", json!(0), "objectives[1].days");
    refused(
        "/objectives/1/name",
        json!("orders answer"),
        "there is another one of the name",
    );
    refused("/objectives/0/name", json!("a \"b\""), "no quotes");
    refused(
        "/objectives/0/measure/spans/good",
        json!([]),
        "it needs 1 to 20 conditions, not 0",
    );
    refused(
        "/objectives/1/measure/actions/within_ms",
        json!(0),
        "`within_ms`",
    );
    refused(
        "/objectives/1/measure",
        json!({"logs": {}}),
        "unknown variant",
    );
    let sum = json!([{"op": "SUM"}]);
    refused(
        "/alerts/0/query/calculations",
        sum,
        "alerts[0].query: SUM needs a `column`",
    );
    let two = json!([{"op": "COUNT"}, {"op": "RATE"}]);
    refused("/alerts/0/query/calculations", two, "one calculation");
    let heat = json!([{"op": "HEATMAP", "column": "duration_ms"}]);
    refused(
        "/alerts/0/query/calculations",
        heat,
        "a heat map is no number",
    );
    refused("/alerts/0/query", json!({"start_time": 5}), "up to now");
    refused("/alerts/0/query/time_range", json!(1e9), "`time_range`");
    refused("/alerts/0/op", json!("="), "unknown variant");
    refused("/alerts/0/for_minutes", json!(5000), "for_minutes");
}
