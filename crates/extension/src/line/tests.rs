use expect_test::{Expect, expect, expect_file};
use serde_json::json;

use super::*;

const ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

fn check(record: Json, expected: Expect) {
    expected.assert_eq(&show(&read(record)));
}

fn show(reading: &Reading) -> String {
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
    let id = reading.request_id.as_ref();
    add(
        "request",
        id.map(|id| match id.doubtful {
            None => id.id.clone(),
            Some(field) => format!("{} maybe, of {field:?}", id.id),
        }),
    );
    add("trace", reading.trace_id.map(|id| id.to_string()));
    add("span", reading.span_id.map(|id| id.to_string()));
    add("foreign", reading.foreign.map(|ids| format!("{ids:?}")));
    add("tells", reading.tells.map(|tells| format!("{tells:?}")));
    add(
        "durable",
        reading.durable.as_ref().map(|of| format!("{of:?}")),
    );
    for measure in &reading.measures {
        let Measure {
            name,
            unit,
            numbers,
            time,
            attributes,
        } = measure;
        let time = time.map_or("-".to_owned(), |time| time.to_string());
        let attributes = serde_json::to_string(attributes).unwrap();
        add(
            "measure",
            Some(format!("{name:?} {unit:?} {numbers:?} {time} {attributes}")),
        );
    }
    for (key, value) in reading.attributes.iter() {
        add(key, Some(value.to_text()));
    }
    shown
}

#[test]
fn the_corpus_is_read_and_no_field_is_lost() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/line/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let mut shown = String::new();
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let record: Json = serde_json::from_str(line).unwrap();
            let reading = read(record.clone());
            shown += &format!("{line}\n{}\n", show(&reading));
            let lost = lost(&record, &reading);
            assert_eq!(lost, Vec::<String>::new(), "{line}");
        }
        expect_file![file.with_extension("txt")].assert_eq(&shown);
    }
}

/// Cut anywhere, and with bytes of other lines in the middle: whatever comes of it, it is read.
#[test]
fn broken_lines_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/line/corpus");
    let files = std::fs::read_dir(folder).unwrap();
    let texts = files.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let lines: Vec<String> = texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let seed = 0x5eed_u64;
    let mut state = seed;
    let mut next = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    for round in 0..4000 {
        let (one, other) = (
            lines[next(lines.len())].as_bytes(),
            lines[next(lines.len())].as_bytes(),
        );
        let (cut, from) = (next(one.len()), next(other.len()));
        let bytes = [&one[..cut], &other[from..]].concat();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let read_all = || {
            let _ = read(Json::String(text.clone()));
            if let Ok(record) = serde_json::from_str::<Json>(&text) {
                let _ = read(record);
            }
        };
        let result = std::panic::catch_unwind(read_all);
        assert!(result.is_ok(), "seed {seed} round {round}: {text:?}");
    }
}

/// What the record holds in its leaves, or in its text, that the reading has nowhere.
fn lost(record: &Json, reading: &Reading) -> Vec<String> {
    let mut kept = vec![reading.level_text.clone()];
    leaves(&to_json(&reading.body), &mut kept);
    for (_, value) in reading.attributes.iter() {
        leaves(&to_json(value), &mut kept);
    }
    kept.extend(reading.request_id.iter().map(|id| id.id.clone()));
    kept.extend(reading.trace_id.iter().map(|id| id.to_string()));
    kept.extend(reading.span_id.iter().map(|id| id.to_string()));
    let mut written = Vec::new();
    let text = record.as_str().unwrap_or("");
    let at = text.find('{').unwrap_or(0);
    match json::object(&text[at..]).or_else(|| logfmt::read(text)) {
        Some(object) => leaves(&Json::Object(object), &mut written),
        None if text.contains('\u{1b}') => {}
        None if record.is_string() => written.extend(text.split_whitespace().map(str::to_owned)),
        None => leaves(record, &mut written),
    }
    let is_time = |leaf: &String| {
        let number = leaf.parse::<f64>().ok().map(Json::from);
        let time = crate::timestamp::parse(leaf).or_else(|| json::epoch(&number?));
        (time.is_some() || leaf == "123000000") && reading.time.is_some()
    };
    let is_kept = |leaf: &String| {
        let plain = leaf.replace("1-5759e988-", "5759e988");
        let plain = plain.trim_end().trim_matches(['[', ']']);
        let within =
            |kept: &&String| (record.is_string() || plain.len() > 8) && kept.contains(plain);
        kept.iter().any(|kept| kept == leaf || kept == plain)
            || kept.iter().any(|kept| within(&kept))
    };
    let says_nothing = |leaf: &String| matches!(leaf.trim(), "" | "null" | "-" | "undefined");
    written
        .into_iter()
        .filter(|leaf| !says_nothing(leaf) && !is_kept(leaf) && !is_time(leaf))
        .collect()
}

fn leaves(json: &Json, out: &mut Vec<String>) {
    match json {
        Json::Array(values) => values.iter().for_each(|value| leaves(value, out)),
        Json::Object(fields) => fields.values().for_each(|value| leaves(value, out)),
        Json::String(text) => out.push(text.clone()),
        other => out.push(other.to_string()),
    }
}

fn to_json(value: &Value) -> Json {
    serde_json::to_value(value).unwrap()
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
            tells Raised
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
            tells Raised
            exception.type Error
            exception.message boom
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
    assert_eq!(read(object.clone()), read(as_text));
    check(
        object,
        expect![[r#"
            Warn [WARN] "slow"
            time 1791460800123000000
            request 8476a536-e9f4-11e8-9739-2dfe598c3fcd maybe, of "requestId"
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
            exception.type KeyError
            exception.message 'sku'
            exception.stacktrace   File "app.py"
              boom
            log_level ERROR
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
            request 8476a536-e9f4-11e8-9739-2dfe598c3fcd maybe, of "requestId"
            tells MaybeRaised
            exception.type Error
            exception.message boom
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
            order 7
            span {"name":"Lambda runtime invoke","requestId":"8476a536-e9f4-11e8-9739-2dfe598c3fcd"}
            target checkout
        "#]],
    );
    // Pino: numbers for the level and for the time, which is kept because it is not understood.
    check(
        json!({"level": 50, "time": 1791460800123_i64, "msg": "boom", "trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"}),
        expect![[r#"
            Error [50] "boom"
            time 1791460800123000000
            trace 5b8efff798038103d269b633813fc60c
            span eee19b7ec3c1b174
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
            Warn [warn] "x"
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
