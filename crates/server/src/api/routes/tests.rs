use expect_test::{Expect, expect};

use super::{ROUTES, completeness_filter, trace_filter};
use crate::api::error::ApiError;
use crate::api::{
    actions, advice, alerts, changes, contrast, graph_query, health, incidents, investigations,
    live, metrics, notifications, outer, queries, saved, search, waits,
};

/// What is wrong with a query, one problem a line.
fn check<T>(filter: Result<T, ApiError>, expected: Expect) {
    let Err(ApiError::BadParameters(problems)) = filter else {
        panic!("must be refused");
    };
    expected.assert_eq(&(problems.join("\n") + "\n"));
}

#[test]
fn all_problems_of_a_trace_query_at_once() {
    let query = "servce=a&service=&status=bad&min_duration_ms=-1&attribute=novalue&attribute==x\
                 &from=yesterday&to=%2B7&limit=0&cursor=%20";
    check(
        trace_filter(Some(query)),
        expect![[r#"
            unknown parameter `servce`: this endpoint takes service, operation, status, min_duration_ms, attribute, from, to, limit, cursor
            `service` must not be empty
            `status` must be one of ok, error, not `bad`
            `min_duration_ms` must be a number of milliseconds, at least 0, not `-1`
            `attribute` must be written key=value, not `novalue`
            `attribute` must be written key=value, not `=x`
            `from` must be a time in Unix nanoseconds (decimal digits), not `yesterday`
            `to` must be a time in Unix nanoseconds (decimal digits), not `+7`
            `limit` must be a whole number from 1 to 200, not `0`
            `cursor` must be the `next_cursor` of the page before, not ` `
        "#]],
    );
}

#[test]
fn all_problems_of_a_completeness_query_at_once() {
    check(
        completeness_filter(Some("function=&from=x&to=&limit=201&cursor=f0&since=1")),
        expect![[r#"
            unknown parameter `since`: this endpoint takes function, from, to, limit, cursor
            `function` must not be empty
            `from` must be a time in Unix nanoseconds (decimal digits), not `x`
            `to` must be a time in Unix nanoseconds (decimal digits), not ``
            `limit` must be a whole number from 1 to 200, not `201`
            `cursor` must be the `next_cursor` of the page before, not `f0`
        "#]],
    );
}

#[test]
fn all_problems_of_a_log_query_at_once() {
    check(
        search::log_query(Some(
            "min_severity=25&limit=1001&trace_id=abc&service=a&service=b&q=%22&where=a+like+b",
        )),
        expect![[r#"
            `service` may be given once only
            `trace_id` must be a trace id of 32 hexadecimal digits, not `abc`: 1 bytes, want 16
            `min_severity` must be a whole number from 1 to 24, not `25`
            `q` the phrase " has no end
            `where` has no operator that is known: `a like b`
            `limit` must be a whole number from 1 to 1000, not `1001`
        "#]],
    );
}

#[test]
fn too_many_attributes() {
    let query = "attribute=a=1&".repeat(17);
    check(
        trace_filter(Some(query.trim_end_matches('&'))),
        expect![[r#"
            `attribute` may be given 16 times at most, not 17
        "#]],
    );
}

#[test]
fn numbers_that_no_duration_or_time_holds() {
    for bad in [
        "min_duration_ms=NaN",
        "min_duration_ms=inf",
        "min_duration_ms=1e300",
        "from=18446744073709551616",
    ] {
        assert!(trace_filter(Some(bad)).is_err(), "{bad}");
    }
}

#[test]
fn good_values_arrive() {
    let query = "service=check+out&attribute=http.url%3Da%3Db%26c&min_duration_ms=1.5&from=18446744073709551615";
    let filter = trace_filter(Some(query)).unwrap();
    assert_eq!(filter.service.as_deref(), Some("check out"));
    assert_eq!(
        filter.attributes,
        [("http.url".to_owned(), "a=b&c".to_owned())]
    );
    assert_eq!(
        filter.min_duration.map(|duration| duration.as_micros()),
        Some(1500)
    );
    assert_eq!(filter.from.map(|from| from.0), Some(u64::MAX));
    assert_eq!(filter.limit, 50);
    assert_eq!(search::log_query(None).unwrap().limit, Some(100));
}

/// The paths of the OpenAPI file and the routes are the same, and so are their parameters.
#[test]
fn openapi_and_routes_agree() {
    let openapi: serde_json::Value = serde_json::from_str(crate::OPENAPI).unwrap();
    let mut described: Vec<&str> = openapi["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let asked = ROUTES.iter().map(|(path, _)| *path);
    let asked = asked.chain([
        search::SPANS,
        search::LOGS,
        search::TAIL,
        live::LIVE,
        waits::WAITS,
        advice::ADVICE,
        metrics::METRICS,
        metrics::RANGE,
        health::STATUS,
        incidents::INCIDENTS,
        incidents::INCIDENT,
        changes::CHANGES,
        actions::FITTING,
        actions::ACTIONS,
        actions::ACTION,
        actions::SOURCES,
        actions::AUDIT,
        alerts::ALERTS,
        notifications::NOTIFICATIONS,
        notifications::STOP,
        saved::SAVED,
    ]);
    let posted = [
        crate::cloudwatch::PATH,
        contrast::CONTRAST,
        graph_query::QUERY,
        investigations::INVESTIGATIONS,
        notifications::TEST,
        outer::ALERTS,
        outer::WEBHOOK,
        queries::SQL,
        queries::QUERY,
        search::SEARCH,
        actions::PROPOSE,
        actions::SWITCH,
        actions::UNDO,
        actions::KEEP,
        actions::ACT,
    ];
    let mut routed: Vec<&str> = asked.chain(posted).collect();
    described.sort_unstable();
    routed.sort_unstable();
    assert_eq!(described, routed);
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        let methods: Vec<&String> = methods.as_object().unwrap().keys().collect();
        let expected: &[&str] = match path.as_str() {
            alerts::ALERTS | notifications::NOTIFICATIONS | saved::SAVED => &["get", "put"],
            notifications::STOP => &["get", "post"],
            path if posted.contains(&path) => &["post"],
            _ => &["get"],
        };
        assert_eq!(methods, expected, "{path}");
    }
    let parameters = |path: &str| -> Vec<String> {
        let parameters = openapi["paths"][path]["get"]["parameters"]
            .as_array()
            .unwrap();
        parameters
            .iter()
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(parameters("/api/v1/traces"), super::TRACE_PARAMETERS);
    assert_eq!(parameters(search::LOGS), search::LOG_PARAMETERS);
    assert_eq!(parameters(search::SPANS), search::SPAN_PARAMETERS);
    assert_eq!(parameters(search::TAIL), search::TAIL_PARAMETERS);
    assert_eq!(parameters(metrics::METRICS), metrics::LIST_PARAMETERS);
    assert_eq!(parameters(metrics::RANGE), metrics::RANGE_PARAMETERS);
    assert_eq!(parameters(incidents::INCIDENTS), incidents::LIST_PARAMETERS);
    assert_eq!(parameters(changes::CHANGES), changes::PARAMETERS);
    assert_eq!(parameters(waits::WAITS), waits::PARAMETERS);
    assert_eq!(parameters(actions::ACTIONS), actions::LIST_PARAMETERS);
    assert_eq!(parameters(actions::AUDIT), actions::AUDIT_PARAMETERS);
    assert_eq!(parameters(actions::SOURCES), actions::SOURCES_PARAMETERS);
    assert_eq!(
        parameters(notifications::STOP),
        notifications::STOP_PARAMETERS
    );
    let setting = &openapi["paths"][notifications::NOTIFICATIONS]["put"]["parameters"];
    assert_eq!(setting[0]["name"], notifications::SET_PARAMETERS[0]);
    let saving = &openapi["paths"][saved::SAVED]["put"]["parameters"];
    assert_eq!(saving[0]["name"], saved::SET_PARAMETERS[0]);
    assert_eq!(parameters(advice::ADVICE)[1..], *advice::PARAMETERS);
    let completeness = parameters("/api/v1/completeness");
    assert_eq!(completeness, super::COMPLETENESS_PARAMETERS);
}
