use expect_test::{Expect, expect};
use proptest::prelude::*;
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::common::v1::{KeyValue, any_value::Value};

use super::*;
use crate::{Rule, Rules, Scrubber};

/// The attributes of one span after a scrubber has seen it, with strings as they are and the rest as it is debugged.
fn attributes(mode: Payloads, fate: Option<Fate>, attributes: &[(&str, &str)]) -> String {
    let (left, _) = scrubbed(mode, fate, attributes);
    let lines = left.iter().map(|attribute| {
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.as_ref());
        match value {
            Some(Value::StringValue(text)) => format!("{} = {text}\n", attribute.key),
            Some(Value::IntValue(number)) => format!("{} = {number}\n", attribute.key),
            other => format!("{} = {other:?}\n", attribute.key),
        }
    });
    lines.collect()
}

fn scrubbed(
    mode: Payloads,
    fate: Option<Fate>,
    attributes: &[(&str, &str)],
) -> (Vec<KeyValue>, Scrubber) {
    let pairs = attributes
        .iter()
        .map(|(key, value)| serde_json::json!({"key": key, "value": {"stringValue": value}}));
    let pairs: Vec<_> = pairs.collect();
    let span = serde_json::json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "s", "attributes": pairs});
    let body = serde_json::json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
    let request = Request::from_json(Signal::Traces, body.to_string().as_bytes()).unwrap();
    let mut scrubber = Scrubber::new(Rules::default().payloads(mode));
    let origin = fate.map(|fate| Origin {
        invocation: 7,
        fate,
    });
    let once = scrubber.request_of(request, &|_, _| origin);
    let mut other = Scrubber::new(Rules::default().payloads(mode));
    let twice = other.request_of(once.clone().into_inner(), &|_, _| origin);
    assert_eq!(once, twice, "scrubbing twice is scrubbing once");
    let Request::Traces(traces) = once.into_inner() else {
        unreachable!()
    };
    let span = traces.resource_spans[0].scope_spans[0].spans[0].clone();
    (span.attributes, scrubber)
}

const EVENT: &str = r#"{"requestId":"8f4e1d2c-7a1b-4c6d-9e0f-112233445566","user":"ann","password":"hunter2","total":1.10,"paid":true,"items":[{"sku":"A-1"},{"sku":"B-22"}],"note":null}"#;

fn check(mode: Payloads, fate: Option<Fate>, expected: &Expect) {
    let given = [
        ("throughline.payload.request", EVENT),
        ("http.response.body", "plain text of Ann"),
        ("http.response.body.size", "17"),
        ("db.query.text", "select 1"),
    ];
    expected.assert_eq(&attributes(mode, fate, &given));
}

#[test]
fn off_leaves_nothing_of_a_payload() {
    check(
        Payloads::Off,
        None,
        &expect![[r#"
            http.response.body.size = 17
            db.query.text = select 1
        "#]],
    );
}

#[test]
fn metadata_is_names_types_sizes_and_ids() {
    let expected = expect![[r#"
        throughline.payload.request = {"requestId":"8f4e1d2c-7a1b-4c6d-9e0f-112233445566","user":"string(3)","password":"string(7)","total":"number","paid":"boolean","items":[{"sku":"string(3)"},{"sku":"string(4)"}],"note":"null"}
        http.response.body = string(17)
        http.response.body.size = 17
        db.query.text = select 1
        throughline.payload.request.size = 162
    "#]];
    for (mode, fate) in [
        (Payloads::Metadata, Some(Fate::Failed)),
        (Payloads::OnError, Some(Fate::Succeeded)),
        (Payloads::OnError, Some(Fate::Open)),
    ] {
        check(mode, fate, &expected);
    }
}

#[test]
fn payloads_of_what_failed_leave_scrubbed() {
    let expected = expect![[r#"
        throughline.payload.request = {"requestId":"8f4e1d2c-7a1b-4c6d-9e0f-112233445566","user":"ann","password":"[redacted]","total":1.10,"paid":true,"items":[{"sku":"A-1"},{"sku":"B-22"}],"note":null}
        http.response.body = plain text of Ann
        http.response.body.size = 17
        db.query.text = select 1
        throughline.payload.request.size = 162
    "#]];
    check(Payloads::OnError, Some(Fate::Failed), &expected);
    check(Payloads::All, Some(Fate::Succeeded), &expected);
}

#[test]
fn bodies_of_vaults_do_not_leave_in_any_mode() {
    let given = [
        ("rpc.service", "SecretsManager"),
        ("rpc.method", "GetSecretValue"),
        ("rpc.response.body", r#"{"SecretString":"x"}"#),
        ("aws.response.body.Name", "db"),
    ];
    for mode in [Payloads::Metadata, Payloads::All] {
        let text = attributes(mode, Some(Fate::Failed), &given);
        assert!(text.contains("rpc.response.body = [withheld]\n"), "{text}");
        assert!(
            text.contains("aws.response.body.Name = [withheld]\n"),
            "{text}"
        );
    }
    let (_, scrubber) = scrubbed(Payloads::All, None, &given);
    assert_eq!(scrubber.counts().of(&Rule::Withheld), 2);
}

#[test]
fn long_payloads_are_cut_between_letters_and_json_stays_json() {
    let long = "é".repeat(5000);
    let key = "rpc.request.body";
    let text = attributes(Payloads::All, None, &[(key, &long)]);
    let (value, _) = text.split_once("…(+").unwrap();
    let missing: usize = text
        .split_once("…(+")
        .unwrap()
        .1
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        value.len() - "rpc.request.body = ".len() + missing,
        long.len()
    );

    for (mode, fate, most) in [
        (Payloads::All, Fate::Succeeded, VALUE_BYTES_MAX),
        (Payloads::OnError, Fate::Failed, VALUE_BYTES_MAX_FAILED),
        (Payloads::Metadata, Fate::Failed, VALUE_BYTES_MAX),
    ] {
        let rows: Vec<_> = (0..300)
            .map(|row| serde_json::json!({"messageId": format!("m-{row}"), "body": "x".repeat(row), "deep": [[[[[[[[[[1]]]]]]]]]]}))
            .collect();
        let whole = serde_json::json!({ "Records": rows, "traceId": "t-1" }).to_string();
        let (left, scrubber) = scrubbed(mode, Some(fate), &[(key, &whole)]);
        let Some(Value::StringValue(text)) = &left[0].value.as_ref().unwrap().value else {
            panic!("{left:?}");
        };
        assert!(
            text.len() <= most && text.len() > 200,
            "{} {text}",
            text.len()
        );
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(json["traceId"], "t-1");
        assert_eq!(json["Records"][0]["messageId"], "m-0", "{text}");
        assert!(scrubber.counts().total() > 0);
    }
}

#[test]
fn an_invocation_has_a_budget_over_all_its_spans() {
    let long = "x".repeat(5000);
    let names: Vec<_> = (0..40).map(|n| format!("db.query.parameter.{n}")).collect();
    let given: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), long.as_str()))
        .collect();
    let (left, scrubber) = scrubbed(Payloads::All, Some(Fate::Failed), &given);
    let fit = INVOCATION_BYTES_MAX / VALUE_BYTES_MAX_FAILED;
    assert_eq!(left.len(), fit);
    assert_eq!(scrubber.counts().of(&Rule::Cut), (40 + 40 - fit) as u64);
    let mut budgets = Budgets::default();
    assert!(budgets.take(1, INVOCATION_BYTES_MAX) && !budgets.take(1, 1) && budgets.take(2, 1));
    assert!(budgets.take(NO_INVOCATION, INVOCATION_BYTES_MAX));
    budgets.begin_request();
    assert!(budgets.take(NO_INVOCATION, 1));
}

#[test]
fn modes_are_read_as_they_are_written() {
    for mode in [
        Payloads::Off,
        Payloads::Metadata,
        Payloads::OnError,
        Payloads::All,
    ] {
        assert_eq!(Payloads::from_word(&mode.to_string()), Some(mode));
    }
    assert_eq!(Payloads::from_word(" On-Error "), Some(Payloads::OnError));
    assert_eq!(Payloads::from_word("some"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_value_leaves_as_metadata(word in "[g-z]{6}q", depth in 0_usize..12, rows in 1_usize..200) {
        let inner = serde_json::json!({"name": word, "list": vec![word.clone(); rows], "id": word});
        let json = (0..depth).fold(inner, |inner, _| serde_json::json!({"in": [inner, word]}));
        for text in [json.to_string(), word.clone(), format!("{{\"broken\":\"{word}")] {
            let left = attributes(Payloads::Metadata, None, &[("http.request.body", &text)]);
            prop_assert!(!left.contains(&word), "{}", left);
        }
    }

    #[test]
    fn cut_text_fits_and_says_how_much_is_missing(text in "\\PC{0,200}", most in 24_usize..100) {
        let cut = cut::text(&text, most);
        prop_assert!(cut.len() <= most.max(text.len().min(most)));
        prop_assert_eq!(cut::text(&cut, most), cut);
    }
}
