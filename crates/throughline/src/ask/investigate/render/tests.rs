use expect_test::expect;
use serde_json::json;

use super::*;

fn answer() -> Value {
    let pair = |before: f64, after: f64| json!({"before": before, "after": after});
    json!({
        "asked": {"question": "", "wanted": "cause", "symptom": "slow", "symptom_words": "slow",
            "node": "function:order", "node_words": "order", "time_words": "last night around 10PM",
            "from_unix_nanos": "1795293000000000000", "to_unix_nanos": "1795296600000000000",
            "is_cut": false, "candidates": [
                {"node": "function:order", "score": 1.0, "words": "order"},
                {"node": "table:orders", "score": 0.9, "words": "order"}]},
        "state": "found",
        "title": "function:order is slow: 65 ms → 445 ms, 52 % of it from table:user-table",
        "reference": {"name": "hours_before"},
        "figures": [
            {"what": "mean time", "unit": "ms", "before": 64.5, "after": 444.5},
            {"what": "failed", "unit": "share", "before": 0.0, "after": 0.0},
            {"what": "calls", "unit": "per_minute", "before": 12.0, "after": 12.0}],
        "onset_unix_nanos": "1795295220000000000",
        "began_before": false,
        "causes": [
            {"node": "table:user-table", "symptom": "slow", "share": 0.521, "unit": "ms", "before": 24.5,
                "after": 404.5, "calls": 276.0, "path": ["function:order", "function:pay", "table:user-table"]},
            {"node": "function:pay", "symptom": "slow", "share": 0.42, "unit": "ms", "before": 44.5,
                "after": 424.5, "calls": 276.0, "path": ["function:order", "function:pay"]}],
        "beside": [{"node": "queue:mails", "symptom": "error", "share": 1.0, "unit": "share", "before": 0.0,
            "after": 0.2, "calls": 40.0, "path": ["function:order", "queue:mails"]}],
        "evidence": [
            {"title": "GetItem of pay takes longer by itself: 24 ms → 404 ms a trace, in 12 traces and 12 of before",
                "examples": []},
            {"title": "table:user-table is slow: 24 ms → 404 ms, of 276 calls",
                "examples": [{"trace_id": "00000000000000000000000000000001"}]}],
        "ruled_out": [{"node": null, "title": "load: 1.0 times the usual calls"}],
        "unexplained": 0.059,
        "noticed": [],
        "upstream": [],
        "downstream": [{"node": "function:pay", "path": ["function:order", "function:pay"], "worse": ["slow"],
            "calls_per_minute": pair(12.0, 12.0), "failed": pair(0.0, 0.005), "mean_ms": pair(44.5, 424.5),
            "throttle_count": 3}],
        "left_out": ["logs"],
        "elapsed_ms": 412.0,
    })
}

#[test]
fn what_was_found_is_told_from_the_answer_to_its_evidence() {
    let text = render(&answer(), 60, (Paint::Plain, 90)).unwrap();
    expect![[r#"
        function:order is slow: 65 ms → 445 ms, 52 % of it from table:user-table
        asked    slow · function:order · 2026-11-21 21:30 to 2026-11-21 22:30 +01:00
        or       table:orders
        since    2026-11-21 22:07
        against  the four hours before
        numbers  mean time 64.5 ms → 444 ms, failed 0 % → 0 %, calls 12.0 a minute → 12.0 a minute

        Where it comes from
          52 %  ██████████··········  table:user-table  24.5 ms → 404 ms  by way of function:pay
          42 %  ████████············  function:pay      44.5 ms → 424 ms
         5.9 %  █···················  unexplained
        beside   queue:mails (error)

        Evidence
        · GetItem of pay takes longer by itself: 24 ms → 404 ms a trace, in 12 traces and 12 of
          before
        · table:user-table is slow: 24 ms → 404 ms, of 276 calls
            throughline trace 00000000000000000000000000000001

        Ruled out
        · load: 1.0 times the usual calls

        What it calls
        ✗ function:pay  12.0 calls a minute, 0 % → 0.5 % fail, 44.5 ms → 424 ms, 3 throttled
    "#]]
    .assert_eq(&text);
    assert_eq!(
        summary(&answer()),
        "answered in 412 ms, without what there was no time for: logs"
    );
}

#[test]
fn where_nothing_was_found_that_is_told_and_what_shows_instead() {
    let mut nothing = answer();
    for (key, value) in [
        ("state", json!("nothing_found")),
        (
            "title",
            json!("nothing found: function:order, mean time 64 ms → 65 ms"),
        ),
        ("onset_unix_nanos", Value::Null),
        ("unexplained", Value::Null),
        (
            "noticed",
            json!([{"node": "function:mail", "symptom": "error"}]),
        ),
        ("left_out", json!([])),
    ] {
        nothing[key] = value;
    }
    for key in ["causes", "evidence", "ruled_out", "downstream"] {
        nothing[key] = json!([]);
    }
    let text = render(&nothing, -90, (Paint::Plain, 90)).unwrap();
    expect![[r#"
        nothing found: function:order, mean time 64 ms → 65 ms
        asked    slow · function:order · 2026-11-21 19:00 to 2026-11-21 20:00 -01:30
        or       table:orders
        instead  function:mail (error)
        numbers  mean time 64.5 ms → 444 ms, failed 0 % → 0 %, calls 12.0 a minute → 12.0 a minute
    "#]]
    .assert_eq(&text);
    assert_eq!(summary(&nothing), "answered in 412 ms");
}
