//! Plants every kind of secret in every wrapping and at every place of a request, and finds none in what would be sent.
//!
//! What is not covered, and so not planted: base64 of anything but what follows `Basic` or stands in a key, compressed
//! or encrypted bytes, secrets split over several values.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::strategy::Union;
use throughline_scrub::{Fate, Origin, Payloads, Rules, Scrubber};
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

/// A secret as it is written, and a part of it that must not be sent.
#[derive(Clone, Debug)]
struct Secret {
    text: String,
    needle: String,
}

/// Shows what it is by how it looks: its needle is its end.
fn looks(prefix: &str, pattern: &str) -> BoxedStrategy<Secret> {
    let prefix = prefix.to_owned();
    let strategy = proptest::string::string_regex(pattern).unwrap();
    let secret = strategy.prop_map(move |random| Secret {
        text: format!("{prefix}{random}"),
        needle: random[random.len() - 8..].to_owned(),
    });
    secret.boxed()
}

/// Is known by the text around it.
fn within(before: &'static str, pattern: &str, after: &'static str) -> BoxedStrategy<Secret> {
    let strategy = proptest::string::string_regex(pattern).unwrap();
    let secret = strategy.prop_map(move |random| Secret {
        text: format!("{before}{random}{after}"),
        needle: random,
    });
    secret.boxed()
}

fn card() -> BoxedStrategy<Secret> {
    let issuers = prop::sample::select(vec!["4", "51", "55", "2221", "2720", "6011", "65", "35"]);
    let separators = prop::sample::select(vec!["", " ", "-", ".", "\u{a0}"]);
    let card = (issuers, "[0-9]{15}", separators).prop_map(|(issuer, digits, separator)| {
        let mut digits = format!("{issuer}{digits}");
        digits.truncate(15);
        let check = (0..10)
            .find(|check| luhn(&format!("{digits}{check}")))
            .unwrap();
        let digits = format!("{digits}{check}");
        let groups: Vec<_> = (0..4)
            .map(|group| &digits[group * 4..group * 4 + 4])
            .collect();
        Secret {
            text: groups.join(separator),
            needle: groups[..3].join(separator),
        }
    });
    card.boxed()
}

fn luhn(digits: &str) -> bool {
    let digits = digits.chars().rev().enumerate().map(|(place, digit)| {
        let digit = digit.to_digit(10).unwrap() * (1 + u32::from(place % 2 == 1));
        digit / 10 + digit % 10
    });
    digits.sum::<u32>().is_multiple_of(10)
}

fn secrets() -> impl Strategy<Value = Secret> {
    Union::new([
        looks("AKIA", "[A-Z2-7]{16}"),
        looks("ASIA", "[A-Z2-7]{16}"),
        looks("ghp_", "[A-Za-z0-9]{36}"),
        looks("glpat-", "[A-Za-z0-9_-]{19}[a-z]"),
        looks("xoxb-", "[0-9]{10}-[A-Za-z0-9]{20}"),
        looks("sk_live_", "[A-Za-z0-9]{24}"),
        looks("AIza", "[0-9A-Za-z_-]{34}[a-z]"),
        looks("npm_", "[A-Za-z0-9]{36}"),
        looks("sk-", "[A-Za-z0-9]{40}"),
        looks(
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.",
            "[A-Za-z0-9_-]{39}[a-z]",
        ),
        within("Bearer ", "[A-Za-z0-9]{20}", ""),
        within("Authorization: Basic ", "[A-Za-z0-9]{20}", ""),
        within("https://ann:", "[a-z0-9]{9}zq", "@example.com/x"),
        within("postgres://ann:", "[a-z0-9]{9}zq", "@db:5432/shop"),
        within("", "[a-z]{9}zq", "@example.com"),
        within("password=", "[a-z0-9]{9}zq", ""),
        within("db_password: ", "[a-z0-9]{9}zq", ""),
        within(
            "aws secret ",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYEQ[a-z0-9/+]{9}[a-z]",
            "",
        ),
        within(
            "AWS_SECRET_ACCESS_KEY=",
            "[a-z]{10}[A-Z0-9/+]{20}[a-z0-9]{10}",
            "",
        ),
        within("https://s3/?X-Amz-Signature=", "[0-9a-f]{40}", "&x=1"),
        within("--api-key ", "[a-z0-9]{9}zq", " --verbose"),
        within("<password>", "[a-z0-9]{9}zq", "</password>"),
        within(
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADAN\n",
            "[A-Za-z0-9]{40}",
            "\nabc\n-----END RSA PRIVATE KEY-----",
        ),
        card(),
    ])
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

type Wrapping = (&'static str, fn(&str) -> String);

/// The ways in which texts are wrapped.
const WRAPPINGS: &[Wrapping] = &[
    ("plain", str::to_owned),
    ("prose", |text| format!("Ünter {text} ist es")),
    ("brackets", |text| format!("[({text})]")),
    ("fullwidth colon", |text| format!("ключ：{text}\u{3000}x")),
    ("json", |text| {
        format!(r#"{{"n":1,"note":{},"m":2}}"#, quoted(text))
    }),
    ("json in json", |text| {
        let inner = format!(r#"{{"note":{}}}"#, quoted(text));
        format!(r#"{{"body":{},"n":1}}"#, quoted(&inner))
    }),
    ("json in json in json", |text| {
        let inner = format!(r#"["x",{}]"#, quoted(text));
        let inner = format!(r#"{{"body":{}}}"#, quoted(&inner));
        format!("got {{\"body\":{}}} there", quoted(&inner))
    }),
    ("header array", |text| {
        format!(r#"[["x-note",{}],["b","c"]]"#, quoted(text))
    }),
    ("url", |text| format!("/path?note={}&n=1", percent(text))),
    ("url twice", |text| {
        format!("/path?u={}", percent(&percent(text)))
    }),
    ("html", |text| {
        text.replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    }),
    ("slashes", |text| text.replace('/', "\\/")),
    ("unicode escapes", |text| {
        let escape = |letter: char| match letter {
            '=' | '&' | '<' | '>' | '@' | ':' => format!("\\u{:04x}", u32::from(letter)),
            other => other.to_string(),
        };
        text.chars().map(escape).collect()
    }),
    ("python", |text| format!("{{'n': 1, 'note': '{text}'}}")),
    ("tabs", |text| format!("a\t{text}\tb")),
];

/// Every place of a request that can hold text; `HERE` is a JSON string, quotes included.
fn places() -> Vec<(Signal, String)> {
    let text = r#"{"stringValue":HERE}"#.to_owned();
    let array =
        |value: &str| format!(r#"{{"arrayValue":{{"values":[{{"intValue":"1"}},{value}]}}}}"#);
    let map =
        |value: &str| format!(r#"{{"kvlistValue":{{"values":[{{"key":"k","value":{value}}}]}}}}"#);
    let deep = |levels: usize| {
        (0..levels).fold(text.clone(), |value, level| match level % 2 {
            0 => array(&value),
            _ => map(&value),
        })
    };
    let named = r#"{"kvlistValue":{"values":[{"key":HERE,"value":{"intValue":"1"}}]}}"#.to_owned();
    let mut values: Vec<String> = [0, 1, 2, 3, 7, 14].into_iter().map(deep).collect();
    values.push(named);
    let attribute = |key: &str, value: &str| format!(r#"[{{"key":"{key}","value":{value}}}]"#);
    let mut lists: Vec<String> = values
        .iter()
        .map(|value| attribute("note", value))
        .collect();
    for key in [
        "throughline.payload.request",
        "http.response.body",
        "db.query.parameter.1",
    ] {
        lists.extend(values[..3].iter().map(|value| attribute(key, value)));
    }
    lists.push(r#"[{"key":HERE,"value":{"boolValue":true}}]"#.to_owned());

    let mut found = Vec::new();
    let mut span = |inside: String| {
        let body =
            format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{inside}}}]}}]}}]}}"#);
        found.push((Signal::Traces, body));
    };
    span(r#""name":HERE"#.to_owned());
    span(r#""traceState":HERE"#.to_owned());
    span(r#""status":{"code":2,"message":HERE}"#.to_owned());
    span(r#""events":[{"name":HERE}]"#.to_owned());
    for list in &lists {
        span(format!(r#""attributes":{list}"#));
        span(format!(r#""events":[{{"attributes":{list}}}]"#));
        span(format!(
            r#""links":[{{"traceState":HERE,"attributes":{list}}}]"#
        ));
    }
    let mut log = |inside: String| {
        let body =
            format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{inside}}}]}}]}}]}}"#);
        found.push((Signal::Logs, body));
    };
    log(r#""severityText":HERE"#.to_owned());
    for value in &values {
        log(format!(r#""body":{value}"#));
    }
    for list in &lists {
        log(format!(r#""attributes":{list}"#));
    }
    let mut metric = |inside: String| {
        let body = format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"m",{inside}}}]}}]}}]}}"#
        );
        found.push((Signal::Metrics, body));
    };
    metric(r#""description":HERE,"unit":HERE"#.to_owned());
    for list in &lists {
        for kind in [
            "gauge",
            "sum",
            "histogram",
            "exponentialHistogram",
            "summary",
        ] {
            metric(format!(
                r#""{kind}":{{"dataPoints":[{{"attributes":{list}}}]}}"#
            ));
        }
        for kind in ["gauge", "sum", "histogram", "exponentialHistogram"] {
            metric(format!(
                r#""{kind}":{{"dataPoints":[{{"exemplars":[{{"filteredAttributes":{list}}}]}}]}}"#
            ));
        }
    }
    for list in &lists {
        found.push((Signal::Traces, format!(r#"{{"resourceSpans":[{{"resource":{{"attributes":{list}}},"scopeSpans":[{{"scope":{{"name":HERE,"version":HERE,"attributes":{list}}},"spans":[{{}}]}}]}}]}}"#)));
        found.push((Signal::Logs, format!(r#"{{"resourceLogs":[{{"resource":{{"attributes":{list}}},"scopeLogs":[{{"scope":{{"attributes":{list}}},"logRecords":[{{}}]}}]}}]}}"#)));
        found.push((Signal::Metrics, format!(r#"{{"resourceMetrics":[{{"resource":{{"attributes":{list}}},"scopeMetrics":[{{"scope":{{"attributes":{list}}},"metrics":[{{}}]}}]}}]}}"#)));
    }
    found
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

fn modes() -> impl Strategy<Value = (Payloads, Fate)> {
    let modes = [
        Payloads::Off,
        Payloads::Metadata,
        Payloads::OnError,
        Payloads::All,
    ];
    let fates = [Fate::Open, Fate::Succeeded, Fate::Failed];
    (
        prop::sample::select(modes.to_vec()),
        prop::sample::select(fates.to_vec()),
    )
}

/// The bytes of the request with this text in its place, after a scrubber; and after another one.
fn sent(
    signal: Signal,
    place: &str,
    text: &str,
    mode: (Payloads, Fate),
) -> Result<Vec<u8>, TestCaseError> {
    let body = place.replace("HERE", &quoted(text));
    let request = Request::from_json(signal, body.as_bytes()).unwrap();
    let scrub = |request| {
        let mut scrubber = Scrubber::new(Rules::default().payloads(mode.0));
        let origin = Origin {
            invocation: 1,
            fate: mode.1,
        };
        scrubber
            .request_of(request, &|_, _| Some(origin))
            .into_inner()
    };
    let once = scrub(request);
    let bytes = once.to_protobuf();
    let twice = scrub(once.clone());
    prop_assert_eq!(twice, once, "scrubbing twice is scrubbing once: {}", place);
    Ok(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_is_sent_from_any_place(
        secret in secrets(),
        wrapping in prop::sample::select((0..WRAPPINGS.len()).collect::<Vec<_>>()),
        mode in modes(),
        place in any::<prop::sample::Index>(),
    ) {
        let (name, wrap) = WRAPPINGS[wrapping];
        let text = wrap(&secret.text);
        let places = places();
        // One place at random, and the two that see everything.
        let log = (Signal::Logs, r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":HERE}}]}]}]}"#.to_owned());
        for (signal, place) in [place.get(&places), &places[4], &log] {
            let bytes = sent(*signal, place, &text, mode)?;
            let percent = percent(&secret.needle);
            prop_assert!(
                !contains(&bytes, &secret.needle) && !contains(&bytes, &percent),
                "{name}: {text:?} in {place}: {:?}", String::from_utf8_lossy(&bytes)
            );
        }
    }

    #[test]
    fn headers_as_lists_and_objects_go_by_their_name(
        value in "[a-z0-9]{9}zq",
        name in prop::sample::select(vec!["Authorization", "x-api-key", "Cookie", "X-Amz-Security-Token", "Proxy-Authorization"]),
        mode in modes(),
    ) {
        let text = |value: &str| format!(r#"{{"stringValue":"{value}"}}"#);
        let list = |values: &[String]| format!(r#"{{"arrayValue":{{"values":[{}]}}}}"#, values.join(","));
        let object = |pairs: &[(&str, String)]| {
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!(r#"{{"key":"{key}","value":{value}}}"#)).collect();
            format!(r#"{{"kvlistValue":{{"values":[{}]}}}}"#, pairs.join(","))
        };
        let values = [
            list(&[list(&[text("host"), text("h")]), list(&[text(name), text(&value)])]),
            list(&[text("host"), text("h"), text(name), text(&value)]),
            list(&[object(&[("name", text(name)), ("value", text(&value))])]),
            list(&[object(&[("Value", text(&value)), ("Key", text(name))])]),
            object(&[(name, list(&[text(&value)]))]),
            text(&format!(r#"[[\"host\",\"h\"],[\"{name}\",\"{value}\"]]"#)),
            text(&format!(r#"{{\"headers\":[{{\"name\":\"{name}\",\"value\":\"{value}\"}}]}}"#)),
            text(&format!(r#"{{\"rawHeaders\":[\"host\",\"h\",\"{name}\",\"{value}\",\"a\",\"b\"]}}"#)),
        ];
        for value_of_body in values {
            let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{value_of_body}}}]}}]}}]}}"#);
            let bytes = sent(Signal::Logs, &body, "", mode)?;
            prop_assert!(!contains(&bytes, &value), "{body}: {:?}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn bytes_that_are_no_text_hide_nothing(letters in "[A-Z2-7]{16}", before in prop::collection::vec(any::<u8>(), 0..20)) {
        let secret = format!("AKIA{letters}");
        let mut bytes = before;
        bytes.push(0xff);
        bytes.extend_from_slice(format!(" {secret} ").as_bytes());
        bytes.push(0xc3);
        let mut request = Request::from_json(Signal::Logs, br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"bytesValue":""}}]}]}]}"#).unwrap();
        if let Request::Logs(logs) = &mut request {
            use throughline_telemetry::wire::otlp::common::v1::{AnyValue, any_value::Value};
            logs.resource_logs[0].scope_logs[0].log_records[0].body = Some(AnyValue { value: Some(Value::BytesValue(bytes)) });
        }
        let scrubbed = Scrubber::new(Rules::default()).request(request);
        prop_assert!(!contains(&scrubbed.to_protobuf(), &secret));
    }
}

/// What looks a little like a secret and is none must arrive as it was.
#[test]
fn ids_times_numbers_and_hashes_arrive_as_they_are() {
    let texts = [
        "8f4e1d2c-7a1b-4c6d-9e0f-112233445566",
        "00000000-0000-0000-0000-000000000000",
        "01HF5Z3Q8K9V7W2X4Y6Z8A0B1C",
        "5b8efff798038103d269b633813fc60c",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:0|68fd508a:5",
        "00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01",
        "VJ0S8MGEQ4BI4Q1L4D0TJ4ERH7VV4KQNSO5AEMVJF66Q9ASUAAJG",
        "49590338271490256608559692538361571095921575989136588898",
        "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
        "2026-11-21T05:27:05.123Z",
        "2026-11-21 05:27:05,123",
        "21/Nov/2026:05:27:05 +0000",
        "1732160000",
        "1732160000000",
        "1732160000000000",
        "1732160000000000000",
        "order 77123, invoice 2026-000123, tracking 1Z999AA10123456784",
        "ORD-2026-11-21-000123",
        "4111-2222",
        "tel +49 30 1234567",
        "ISBN 978-3-16-148410-0",
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "\"d41d8cd98f00b204e9800998ecf8427e\"",
        "W/\"5e3-18f2c4a\"",
        "arn:aws:lambda:us-east-1:123456789012:function:checkout:$LATEST",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbCdEf",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop:1.2.3",
        "https://example.com:8443/a/b?page=2&sort=desc#top",
        "10.1.2.3:44321 -> 192.168.0.1:443",
        "fe80::1ff:fe23:4567:890a",
        "2001:db8::1",
        "version 4.0.30319.42000",
        "v20.14.0",
        "0.4111111111111111",
        "-1.5e-10",
        "select id, name from users where id = 42 and author = 'ann'",
        "next token is fetched",
        "the session ended after 30 s",
        "passed 12 of 12, bypassed 0",
        "basic checks are done; bearer of bad news",
        "continuationToken missing",
        "nextToken=null",
        "tokens: 512",
        "max_tokens=4096",
        "lat=52.520008,lon=13.404954",
        "#ff00aa",
        "0x7ffd4a3b2c10",
        "00:1b:44:11:3a:b7",
        "at handler (/var/task/index.js:12:34)",
        "s3://bucket/key/part-00001.parquet",
        r#"{"Key":{"id":{"S":"o-1"}},"partitionKey":"p-1","s3":{"object":{"key":"a/b.txt"}}}"#,
        r#"{"count":4111,"total":129.90,"pages":[1,2,3],"sku":"A-1001"}"#,
        "@timestamp",
        "user@host",
        "a@b",
        "%d items, 100% done",
        r"C:\Users\x00",
        "a && b",
        "<b>bold</b>",
        "no Option<Token> but a List<Session> was given, not <nil>",
        "2026/11/21/[$LATEST]4e1d2c7a1b4c6d9e0f112233445566aa",
    ];
    for text in texts {
        let mut scrubber = Scrubber::new(Rules::default());
        assert_eq!(scrubber.text(text), text);
        let inside = format!(r#"{{"note":{},"n":1}}"#, quoted(text));
        assert_eq!(scrubber.text(&inside), inside);
    }
    for name in [
        "aws.request_id",
        "faas.invocation_id",
        "messaging.message.id",
        "session.id",
        "cloud.account.id",
        "http.response.status_code",
        "db.query.text",
        "gen_ai.usage.input_tokens",
        "http.request.body.size",
    ] {
        let body = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"attributes":[{{"key":"{name}","value":{{"intValue":"1732160000000"}}}}]}}]}}]}}]}}"#
        );
        let request = Request::from_json(Signal::Traces, body.as_bytes()).unwrap();
        let scrubbed = Scrubber::new(Rules::default()).request(request.clone());
        assert_eq!(*scrubbed, request, "{name}");
    }
}

/// Whatever is repeated, the time it takes grows as the text does; if it grew as its square, this would take minutes.
#[test]
fn long_text_of_anything_repeated_is_done_soon() {
    let units = [
        "eyJ-",
        "eyJ.",
        "sk-",
        "a@",
        "password=",
        "password: ",
        "\"token\",",
        "\"value\":",
        "{\"name\":\"token\",",
        "<token>",
        "<token",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY",
        "--token ",
        "4111 ",
        "1.",
        "aws secret ",
        "://",
        ":",
        "=",
        "%3D",
        "%25",
        "\\u003d",
        "\\",
        "\"",
        "'",
        "[",
        "{",
        "bearer ",
        "é@",
        "&quot;",
        "arn:aws:secret:",
        "x]=",
    ];
    for unit in units {
        let text = unit.repeat((256 << 10) / unit.len());
        Scrubber::new(Rules::default()).text(&text);
        let body = format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"attributes":[{{"key":"http.request.body","value":{{"stringValue":{}}}}}]}}]}}]}}]}}"#,
            quoted(&text)
        );
        let request = Request::from_json(Signal::Logs, body.as_bytes()).unwrap();
        for mode in [Payloads::Metadata, Payloads::All] {
            Scrubber::new(Rules::default().payloads(mode)).request(request.clone());
        }
    }
}
