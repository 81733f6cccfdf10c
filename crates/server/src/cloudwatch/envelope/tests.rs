use expect_test::{Expect, expect};

use super::*;

/// What is found in a line, an envelope a line.
fn check(line: &str, expect: Expect) {
    let found = find(line).into_iter().map(|found| match found {
        Ok(envelope) => {
            let headers = envelope.headers.iter().map(|(name, value)| {
                format!(" {name}={}", String::from_utf8_lossy(value.as_bytes()))
            });
            let payload = String::from_utf8_lossy(&envelope.payload).into_owned();
            let (signal, format, encoding) = (envelope.signal, envelope.format, envelope.encoding);
            format!(
                "{signal} {format:?} {encoding:?} {payload:?}{}",
                headers.collect::<String>()
            )
        }
        Err(bad) => bad.to_string(),
    });
    expect.assert_eq(&found.collect::<Vec<_>>().join("\n"));
}

/// Lines as programs write them and logs wrap them, each with the same payload, the text "hi".
#[test]
fn lines_of_many_writers() {
    let corpus = include_str!("../../../tests/corpus/envelopes.txt");
    let mut cases = 0;
    for case in corpus.split("\n\n") {
        let lines = case.lines().filter(|line| !line.starts_with('#'));
        for line in lines.filter(|line| !line.is_empty()) {
            let found = find(line);
            let [Ok(envelope)] = found.as_slice() else {
                panic!("{case}: {found:?}");
            };
            assert_eq!(envelope.payload, b"hi", "{case}");
            assert_eq!(envelope.signal, Signal::Logs, "{case}");
            cases += 1;
        }
    }
    assert!(cases >= 12, "{cases} lines");
}

#[test]
fn all_parts_are_read() {
    check(
        r#"{"__otel_otlp_stdout":"throughline-extension@0.1.0","source":"checkout","endpoint":"http://localhost:4318/v1/traces","method":"POST","content-type":"application/x-protobuf","content-encoding":"gzip","headers":{"x-throughline-environment":"e-1","x-throughline-sequence":"17","X-Other":5,"bad name":"x","deep":{}},"payload":"aGk=","base64":true,"level":"INFO"}"#,
        expect![[
            r#"traces Protobuf Gzip "hi" x-other=5 x-throughline-environment=e-1 x-throughline-sequence=17"#
        ]],
    );
    check(
        r#"{"__otel_otlp_stdout":"1","endpoint":"https://x/base/v1/metrics/?a=b","headers":{"Content-Type":"application/json","CONTENT-ENCODING":"zstd"},"payload":"aGk"}"#,
        expect![[r#"metrics Json Zstd "hi" content-encoding=zstd content-type=application/json"#]],
    );
    check(
        r#"{"__otel_otlp_stdout":"1","endpoint":"/v1/logs","payload":{"resourceLogs":[]},"base64":false}"#,
        expect![[r#"logs Json Identity "{\"resourceLogs\":[]}""#]],
    );
    check(
        r#"{"__otel_otlp_stdout":"1","endpoint":"/v1/logs","payload":"{}","base64":false}"#,
        expect![[r#"logs Json Identity "{}""#]],
    );
}

#[test]
fn lines_without() {
    for line in [
        "",
        "START RequestId: 7 Version: $LATEST",
        "{\"message\":\"hello\"}",
        "{{{{",
        "a note on __otel_otlp_stdout",
    ] {
        check(line, expect![""]);
    }
}

#[test]
fn several_in_one_line_and_one_that_is_bad() {
    let one = |path: &str| {
        format!(r#"{{"__otel_otlp_stdout":"1","endpoint":"{path}","payload":"aGk="}}"#)
    };
    let line = format!(
        "{{}} {{ {}{} [{}]",
        one("/v1/traces"),
        one("/v1/nothing"),
        one("/v1/logs")
    );
    check(
        &line,
        expect![[r#"
            traces Protobuf Identity "hi"
            the path of `endpoint` is `/v1/nothing`: want /v1/traces, /v1/logs or /v1/metrics
            logs Protobuf Identity "hi""#]],
    );
}

#[test]
fn what_is_wrong_is_said() {
    let with =
        |member: &str| format!(r#"{{"__otel_otlp_stdout":"1","endpoint":"/v1/logs",{member}}}"#);
    check(
        r#"{"__otel_otlp_stdout":"0.16.0","endpoint":"/v1/logs","payload":"aG"#,
        expect![
            "the line has the mark of an envelope but no whole JSON object with it; it may be cut"
        ],
    );
    check(
        &with(r#""payload":7"#),
        expect!["`payload` is absent or not text"],
    );
    check(
        &with(r#""payload":"!!""#),
        expect!["`payload` is not base64: Invalid symbol 33, offset 0."],
    );
    check(
        &with(r#""payload":"aGk=","content-encoding":"br""#),
        expect!["unknown content encoding `br`"],
    );
    check(
        &with(r#""payload":"aGk=","content-type":"text/html""#),
        expect!["unknown content type `text/html`"],
    );
    let long = with(&format!(r#""payload":"{}""#, "A".repeat(LINE_BYTES_MAX)));
    check(&long, expect!["the line is longer than 2097152 bytes"]);
}

/// Neither depth nor number of objects makes a line expensive.
#[test]
fn hostile_lines_end() {
    let deep = format!("{}\"__otel_otlp_stdout\"", "{\"a\":".repeat(100_000));
    assert_eq!(find(&deep).len(), 1);
    let many = format!("{}\"__otel_otlp_stdout\"", "{}".repeat(100_000));
    assert_eq!(find(&many).len(), 1);
    let mut wrapped = r#"{"__otel_otlp_stdout":"1"}"#.to_owned();
    for _ in 0..8 {
        wrapped = serde_json::json!({ "message": wrapped }).to_string();
    }
    assert_eq!(find(&wrapped).len(), 1);
}
