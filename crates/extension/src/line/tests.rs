use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

const ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

fn check(record: Json, expected: Expect) {
    let reading = read(&record);
    let mut shown = format!(
        "{} [{}] {}\n",
        reading
            .level
            .map_or("-".to_owned(), |level| format!("{level:?}")),
        reading.level_text,
        Json::String(reading.body.to_text()),
    );
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            shown += &format!("{name} {value}\n");
        }
    };
    add("time", reading.time.map(|time| time.to_string()));
    add("request", reading.request_id);
    add("trace", reading.trace_id.map(|id| id.to_string()));
    add("span", reading.span_id.map(|id| id.to_string()));
    for (key, value) in reading.attributes.iter() {
        add(key, Some(value.to_text()));
    }
    expected.assert_eq(&shown);
}

#[test]
fn python_text() {
    check(
        json!(format!(
            "[INFO]\t2026-10-08T12:00:00.123Z\t{ID}\tcounted 3\titems\n"
        )),
        expect![[r#"
            Info [INFO] "counted 3\titems"
            time 1791460800123000000
            request 8476a536-e9f4-11e8-9739-2dfe598c3fcd
        "#]],
    );
    check(
        json!(
            "[ERROR] KeyError: 'sku'\rTraceback (most recent call last):\r\u{a0}\u{a0}File \"app.py\", line 3\n"
        ),
        expect![[r#"
            Error [ERROR] "[ERROR] KeyError: 'sku'\nTraceback (most recent call last):\n  File \"app.py\", line 3"
            exception.type KeyError
            exception.message 'sku'
            exception.stacktrace Traceback (most recent call last):
              File "app.py", line 3
        "#]],
    );
    check(
        json!("LAMBDA_WARNING: Unhandled exception."),
        expect![[r#"
            - [] "LAMBDA_WARNING: Unhandled exception."
        "#]],
    );
}

#[test]
fn node_text() {
    check(
        json!(format!(
            "2026-10-08T12:00:00.123Z\t{ID}\tERROR\tInvoke Error \t{{\"errorType\":\"Error\",\"errorMessage\":\"boom\",\"stack\":[\"Error: boom\",\"  at x\"]}}\n"
        )),
        expect![[r#"
            Error [ERROR] "Invoke Error \t{\"errorType\":\"Error\",\"errorMessage\":\"boom\",\"stack\":[\"Error: boom\",\"  at x\"]}"
            time 1791460800123000000
            request 8476a536-e9f4-11e8-9739-2dfe598c3fcd
            exception.message boom
            exception.type Error
            exception.stacktrace Error: boom
              at x
        "#]],
    );
    check(
        json!("2026-10-08T12:00:00.123Z\tundefined\tINFO\tloading"),
        expect![[r#"
            Info [INFO] "loading"
            time 1791460800123000000
        "#]],
    );
}

#[test]
fn json_of_the_managed_runtimes() {
    let object = json!({"timestamp": "2026-10-08T12:00:00.123Z", "level": "WARN", "requestId": ID, "message": "slow", "ms": 812, "deep": {"a": [1, null, 0.5]}});
    let as_text = Json::String(format!("{object}\n"));
    assert_eq!(read(&object), read(&as_text));
    check(
        object,
        expect![[r#"
        Warn [WARN] "slow"
        time 1791460800123000000
        request 8476a536-e9f4-11e8-9739-2dfe598c3fcd
        deep {"a":[1,null,0.5]}
        ms 812
    "#]],
    );
    check(
        json!({"timestamp": "2026-10-08T12:00:00Z", "log_level": "ERROR", "level": "ERROR", "errorType": "KeyError", "errorMessage": "'sku'", "stackTrace": ["  File \"app.py\"", "  boom"], "AWSRequestId": ID}),
        expect![[r#"
            Error [ERROR] "'sku'"
            time 1791460800000000000
            request 8476a536-e9f4-11e8-9739-2dfe598c3fcd
            exception.message 'sku'
            exception.type KeyError
            log_level ERROR
            exception.stacktrace   File "app.py"
              boom
        "#]],
    );
}

#[test]
fn an_error_inside_of_the_message() {
    check(
        json!({"timestamp": "2026-10-08T12:00:00Z", "level": "ERROR", "requestId": ID, "message": {"errorType": "Error", "errorMessage": "boom", "stackTrace": ["Error: boom", "    at handler"]}}),
        expect![[r#"
            Error [ERROR] "boom"
            time 1791460800000000000
            request 8476a536-e9f4-11e8-9739-2dfe598c3fcd
            exception.message boom
            exception.type Error
            exception.stacktrace Error: boom
                at handler
        "#]],
    );
}

#[test]
fn json_of_libraries() {
    // Rust's tracing, as lambda_runtime sets it up.
    check(
        json!({"timestamp": "2026-10-08T12:00:00.000001Z", "level": "INFO", "fields": {"message": "took an order", "order": 7}, "target": "checkout", "span": {"requestId": ID, "name": "Lambda runtime invoke"}}),
        expect![[r#"
            Info [INFO] "took an order"
            time 1791460800000001000
            request 8476a536-e9f4-11e8-9739-2dfe598c3fcd
            fields {"order":7}
            span {"name":"Lambda runtime invoke","requestId":"8476a536-e9f4-11e8-9739-2dfe598c3fcd"}
            target checkout
        "#]],
    );
    // Pino: numbers for the level and for the time, which is kept because it is not understood.
    check(
        json!({"level": 50, "time": 1791460800123_i64, "msg": "boom", "trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"}),
        expect![[r#"
            Error [50] "boom"
            trace 5b8efff798038103d269b633813fc60c
            span eee19b7ec3c1b174
            time 1791460800123
        "#]],
    );
    check(
        json!({"message": {"not": "text"}, "level": "loud", "trace_id": "xyz"}),
        expect![[r#"
            - [] "{\"not\":\"text\"}"
            level loud
            trace_id xyz
        "#]],
    );
    check(
        json!({"only": "fields"}),
        expect![[r#"
        - [] "{\"only\":\"fields\"}"
    "#]],
    );
    check(
        json!("{not json"),
        expect![[r#"
        - [] "{not json"
    "#]],
    );
}

#[test]
fn free_text() {
    check(
        json!("2026-10-08T12:00:00Z \u{1b}[32m INFO\u{1b}[0m checkout: ready"),
        expect![[r#"
            Info [INFO] "2026-10-08T12:00:00Z  INFO checkout: ready"
        "#]],
    );
    check(
        json!("level=warn msg=\"x\""),
        expect![[r#"
        Warn [warn] "level=warn msg=\"x\""
    "#]],
    );
    check(
        json!("[debug] x"),
        expect![[r#"
        Debug [debug] "[debug] x"
    "#]],
    );
    check(
        json!("An error in prose is no ERROR line, ERROR"),
        expect![[r#"
            - [] "An error in prose is no ERROR line, ERROR"
        "#]],
    );
    check(
        json!("two\nlines\r\n"),
        expect![[r#"
        - [] "two\nlines"
    "#]],
    );
    check(
        json!(""),
        expect![[r#"
        - [] ""
    "#]],
    );
    check(
        json!(17),
        expect![[r#"
        - [] "17"
    "#]],
    );
    check(
        Json::Null,
        expect![[r#"
        - [] ""
    "#]],
    );
}
