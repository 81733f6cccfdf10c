use expect_test::{Expect, expect};

use super::*;

fn check(text: &str, expected: Expect) {
    let found = match Application::parse(text, Path::new("/app")) {
        Ok(application) => application
            .functions()
            .iter()
            .map(|function| format!("{function:#?}\n"))
            .collect(),
        Err(problems) => problems.sentences().join("\n"),
    };
    expected.assert_eq(&found);
}

#[test]
fn whole_definition_is_read() {
    check(
        r#"
        [functions.checkout]
        runtime = "python3.13"
        handler = "app.handler"
        code = "checkout/bin"
        memory_mb = 256
        timeout_seconds = 10
        url = "127.0.0.1:4310"
        log_format = "JSON"
        application_log_level = "DEBUG"
        system_log_level = "WARN"
        [functions.checkout.environment]
        KEY = "value"
        "#,
        expect![[r#"
            Function {
                name: "checkout",
                runtime: Python(
                    "python3.13",
                ),
                handler: "app.handler",
                code: "/app/checkout/bin",
                memory_mb: 256,
                timeout: 10s,
                url: Some(
                    127.0.0.1:4310,
                ),
                url_streams: true,
                layers: [],
                ephemeral_storage_mb: 512,
                concurrency: None,
                initialization: OnDemand,
                sources: [],
                destinations: EventDestinations {
                    on_success: None,
                    on_failure: None,
                    dead_letter: None,
                },
                event_retries_max: None,
                event_age_max: None,
                environment: {
                    "KEY": "value",
                },
                logging: Logging {
                    format: Json,
                    application: Debug,
                    system: Warn,
                },
                telemetry: true,
            }
        "#]],
    );
}

#[test]
fn every_mistake_is_named_at_once() {
    check(
        r#"
        version = 1
        [functions.checkout]
        runtime = "java21"
        memory_mb = "lots"
        timeout_seconds = 901
        url = "0.0.0.0:4310"
        memry = 5
        application_log_level = "LOUD"
        system_log_level = "ERROR"
        [functions.checkout.environment]
        "A-B" = "x"
        C = 3
        [functions."no good"]
        runtime = "python3.13"
        code = "x"
        "#,
        expect![[r#"
            version: unknown key, expected one of functions
            functions.checkout.memry: unknown key, expected one of runtime, handler, code, memory_mb, timeout_seconds, url, log_format, application_log_level, system_log_level, environment
            functions.checkout: missing key code, the folder with the function's code
            functions.checkout.runtime: unknown runtime "java21": expected provided.al2023, python3.x or nodejs2x.x
            functions.checkout.memory_mb: expected a whole number of MB from 128 to 10240, found "lots"
            functions.checkout.timeout_seconds: expected a whole number of seconds from 1 to 900, found 901
            functions.checkout.url: 0.0.0.0:4310 is not on loopback: the sandbox runs any request that reaches it
            functions.checkout.application_log_level: only with log_format = "JSON", as on Lambda
            functions.checkout.system_log_level: only with log_format = "JSON", as on Lambda
            functions.checkout.application_log_level: expected one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL, found "LOUD"
            functions.checkout.system_log_level: expected one of DEBUG, INFO, WARN, found "ERROR"
            functions.checkout.environment.A-B: a variable name is letters, digits and underscores, a letter first
            functions.checkout.environment.C: expected a string, found 3
            functions.no good: a function name is 1 to 64 letters, digits, hyphens and underscores
            functions.no good: missing key handler, such as app.handler"#]],
    );
}

#[test]
fn two_functions_cannot_share_a_url() {
    check(
        r#"
        [functions.a]
        runtime = "provided.al2023"
        code = "a"
        url = "127.0.0.1:4310"
        [functions.b]
        runtime = "provided.al2023"
        code = "b"
        url = "127.0.0.1:4310"
        "#,
        expect!["functions.b.url: already the url of a"],
    );
}

#[test]
fn empty_and_broken_files_say_so() {
    check(
        "",
        expect!["functions: missing: an application has at least one [functions.NAME]"],
    );
    check(
        "[functions]",
        expect!["functions: empty: an application has at least one [functions.NAME]"],
    );
    check(
        "functions = 3",
        expect!["functions: expected a table of functions, found 3"],
    );
    check(
        "[functions",
        expect!["line 1 is not TOML: unclosed table, expected `]`"],
    );
}

#[test]
fn broken_toml_is_one_line_with_its_number() {
    let problems = Application::parse("[functions.a]\nruntime = [\n", Path::new(".")).unwrap_err();
    let said = problems.to_string();
    assert!(
        said.starts_with("line 2 is not TOML: ") || said.starts_with("line 3 is not TOML: "),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}
