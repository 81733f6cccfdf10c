use expect_test::{Expect, expect};

use super::*;

fn check(variables: &[(&str, &str)], expected: Expect) {
    let source: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let raw = RawConfig::read(&source);
    let (config, problems) = raw.resolve();
    let to = match &config.export {
        Target::To(endpoint) => endpoint.url("/v1/traces"),
        Target::Off(_) => "nowhere".to_owned(),
    };
    let problems: String = problems
        .iter()
        .map(|problem| format!("\n! {problem}"))
        .collect();
    // What is not set is not shown, so that a new variable changes no test but its own.
    let shown: String = raw
        .to_string()
        .lines()
        .filter(|line| !line.ends_with("(not set)") && !line.ends_with("(default)"))
        .map(|line| format!("{line}\n"))
        .collect();
    expected.assert_eq(&format!(
        "{shown}-> {to} for {}{problems}\n",
        config.function.name
    ));
}

#[test]
fn what_the_sandbox_sets() {
    check(
        &[
            ("THROUGHLINE_ENDPOINT", "http://127.0.0.1:4318/"),
            ("THROUGHLINE_OTLP_LISTEN", "127.0.0.1:40123"),
            ("THROUGHLINE_API_KEY", "very-secret"),
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:40001"),
            ("AWS_LAMBDA_FUNCTION_NAME", "checkout"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ],
        expect![[r#"
            THROUGHLINE_ENDPOINT             http://127.0.0.1:4318/  (environment)
            THROUGHLINE_OTLP_LISTEN          127.0.0.1:40123  (environment)
            THROUGHLINE_API_KEY              ********  (environment)
            AWS_LAMBDA_RUNTIME_API           127.0.0.1:40001  (environment)
            AWS_LAMBDA_FUNCTION_NAME         checkout  (environment)
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE  256  (environment)
            -> http://127.0.0.1:4318/v1/traces for checkout
        "#]],
    );
}

#[test]
fn what_is_wrong_is_switched_off() {
    check(
        &[],
        expect![[r#"
            -> nowhere for 
            ! cannot use THROUGHLINE_ENDPOINT http://127.0.0.1:4318: the extension itself listens there; nothing is sent
        "#]],
    );
    check(
        &[
            ("THROUGHLINE_ENDPOINT", "collector:4318"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "big"),
        ],
        expect![[r#"
            THROUGHLINE_ENDPOINT             collector:4318  (environment)
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE  big  (environment)
            -> nowhere for 
            ! AWS_LAMBDA_FUNCTION_MEMORY_SIZE big is not a number
            ! cannot use THROUGHLINE_ENDPOINT collector:4318: it must begin with http:// or https://; nothing is sent
        "#]],
    );
    check(
        &[
            ("THROUGHLINE_ENDPOINT", "https://example.com/base/"),
            ("THROUGHLINE_API_KEY", "two words"),
        ],
        expect![[r#"
            THROUGHLINE_ENDPOINT             https://example.com/base/  (environment)
            THROUGHLINE_API_KEY              ********  (environment)
            -> nowhere for 
            ! cannot use THROUGHLINE_ENDPOINT https://example.com/base/: THROUGHLINE_API_KEY has characters that no header may have; nothing is sent
        "#]],
    );
    check(
        &[("THROUGHLINE_ENDPOINT", "https://me:secret@example.com")],
        expect![[r#"
            THROUGHLINE_ENDPOINT             https://example.com  (environment)
            -> nowhere for 
            ! cannot use THROUGHLINE_ENDPOINT https://example.com: a key belongs into THROUGHLINE_API_KEY; nothing is sent
        "#]],
    );
}

#[test]
fn it_never_sends_to_itself() {
    for (endpoint, listen, sent) in [
        ("http://localhost:4318", "127.0.0.1:4318", false),
        ("http://127.0.0.1:4318", "0.0.0.0:4318", false),
        ("http://[::1]:4318", "localhost:4318", false),
        ("http://localhost", "127.0.0.1:80", false),
        ("http://collector:4318", "collector:4318", false),
        ("http://localhost:4317", "127.0.0.1:4318", true),
        ("http://10.0.0.1:4318", "127.0.0.1:4318", true),
        ("https://collector", "127.0.0.1:443", true),
    ] {
        let source = BTreeMap::from([
            ("THROUGHLINE_ENDPOINT", endpoint),
            ("THROUGHLINE_OTLP_LISTEN", listen),
        ]);
        let (config, _) = RawConfig::read(&source).resolve();
        let goes = matches!(config.export, Target::To(_));
        assert_eq!(goes, sent, "{endpoint} with {listen}");
    }
}

#[test]
fn what_is_not_set_is_shown_with_where_its_value_comes_from() {
    let shown = RawConfig::read(&BTreeMap::new()).to_string();
    for line in [
        "THROUGHLINE_ENDPOINT             http://127.0.0.1:4318  (default)",
        "THROUGHLINE_API_KEY              -  (not set)",
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "{line} in\n{shown}"
        );
    }
    assert_eq!(shown.lines().count(), KEYS.len());
}
