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
fn what_deployers_say_of_the_function() {
    check(
        &[(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=prod,team",
        )],
        expect![[r#"
            THROUGHLINE_RESOURCE_ATTRIBUTES  deployment.environment.name=prod,team  (OTEL_RESOURCE_ATTRIBUTES)
            -> nowhere for 
            ! cannot use all of OTEL_RESOURCE_ATTRIBUTES: team has no value that is text
            ! cannot use THROUGHLINE_ENDPOINT http://127.0.0.1:4318: the extension itself listens there; nothing is sent
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
        ("http://localhost:4316", "127.0.0.1:4318", true),
        // Where gRPC is listened for.
        ("http://localhost:4317", "127.0.0.1:4318", false),
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

/// What a file says where no variable does.
fn check_with(variables: &[(&str, &str)], file: &str, expected: Expect) {
    let source: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let file = ConfigFile::parse("/opt/throughline.toml", file).unwrap_or_default();
    let raw = RawConfig::read_with(&source, &file);
    let (config, problems) = raw.resolve();
    let headers = match &config.export {
        Target::To(endpoint) => endpoint.headers(),
        Target::Off(_) => &[],
    };
    let lines = raw.to_string();
    let lines = lines
        .lines()
        .filter(|line| !line.ends_with("(not set)") && !line.ends_with("(default)"))
        .map(str::to_owned)
        .chain(problems.iter().map(|problem| format!("! {problem}")))
        .chain(
            headers
                .iter()
                .map(|(name, value)| format!("> {name}: {:?}", value.to_str().unwrap())),
        )
        .chain([format!(
            "{:?} {:?}",
            config.delivery.packing, config.request_timeout
        )]);
    let shown: String = lines.map(|line| format!("{line}\n")).collect();
    expected.assert_eq(&shown);
}

#[test]
fn own_variables_win_over_the_standard_ones_and_those_over_the_file() {
    let file = "[extension]\nendpoint = \"https://file\"\ncompression = \"gzip\"\notlp_listen = \"127.0.0.1:4400\"\ntimeout_ms = 700\nconfig = \"x\"\nendpont = \"x\"\nflush";
    check_with(
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://standard"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b, api-key=k"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "900"),
            ("THROUGHLINE_TIMEOUT_MS", "800"),
            ("THROUGHLINE_COMPRESSION", " "),
        ],
        file,
        expect![[r#"
            THROUGHLINE_ENDPOINT             https://standard  (OTEL_EXPORTER_OTLP_ENDPOINT)
            THROUGHLINE_HEADERS              ********  (OTEL_EXPORTER_OTLP_HEADERS)
            THROUGHLINE_COMPRESSION          none  (OTEL_EXPORTER_OTLP_COMPRESSION)
            THROUGHLINE_TIMEOUT_MS           800  (environment)
            THROUGHLINE_OTLP_LISTEN          127.0.0.1:4400  (/opt/throughline.toml)
            ! /opt/throughline.toml line 8 is skipped: it is not `key = value`
            ! /opt/throughline.toml: there is no key config
            ! /opt/throughline.toml: there is no key endpont
            > x-tenant: "a b"
            > api-key: "k"
            None 800ms
        "#]],
    );
}

#[test]
fn the_endpoint_of_the_functions_sdk_is_not_the_server() {
    let file = "[extension]\nendpoint = \"https://file\"\notlp_listen = \"127.0.0.1:4400\"";
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4400"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ] {
        check_with(
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317"),
                (
                    "OTEL_EXPORTER_OTLP_HEADERS",
                    "authorization=not for everybody",
                ),
                (variable, value),
            ],
            file,
            expect![[r#"
                THROUGHLINE_ENDPOINT             https://file  (/opt/throughline.toml)
                THROUGHLINE_OTLP_LISTEN          127.0.0.1:4400  (/opt/throughline.toml)
                Gzip 5s
            "#]],
        );
    }
}

#[test]
fn bad_values_cost_only_themselves() {
    check_with(
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "snappy"),
            ("THROUGHLINE_TIMEOUT_MS", "5"),
        ],
        "",
        expect![[r#"
            THROUGHLINE_ENDPOINT             collector  (OTEL_EXPORTER_OTLP_ENDPOINT)
            THROUGHLINE_COMPRESSION          snappy  (OTEL_EXPORTER_OTLP_COMPRESSION)
            THROUGHLINE_TIMEOUT_MS           5  (environment)
            ! OTEL_EXPORTER_OTLP_COMPRESSION snappy is neither gzip nor none; gzip is used
            ! THROUGHLINE_TIMEOUT_MS 5 is no number of milliseconds from 100 to 60000; 5000 is used
            ! cannot use OTEL_EXPORTER_OTLP_ENDPOINT collector: it must begin with http:// or https://; nothing is sent
            Gzip 5s
        "#]],
    );
    check_with(
        &[
            ("THROUGHLINE_ENDPOINT", "https://server"),
            (
                "THROUGHLINE_HEADERS",
                "ok=1,host=x,x-throughline-ledger=x,se cret,a=%zz,b=%0a,c",
            ),
        ],
        "",
        expect![[r#"
            THROUGHLINE_ENDPOINT             https://server  (environment)
            THROUGHLINE_HEADERS              ********  (environment)
            ! THROUGHLINE_HEADERS: host is set by the extension itself; it is left out
            ! THROUGHLINE_HEADERS: x-throughline-ledger is set by the extension itself; it is left out
            ! THROUGHLINE_HEADERS: one has no name that a header may have; it is left out
            ! THROUGHLINE_HEADERS: the value of a cannot be in a header; it is left out
            ! THROUGHLINE_HEADERS: the value of b cannot be in a header; it is left out
            > ok: "1"
            > c: ""
            Gzip 5s
        "#]],
    );
}

#[test]
fn listeners_are_on_off_or_at_an_address() {
    for (value, expected, problems) in [
        (None, None, 0),
        (Some("on"), Some("127.0.0.1:8125"), 0),
        (Some("OFF"), None, 0),
        (Some("127.0.0.1:9125"), Some("127.0.0.1:9125"), 0),
        (Some("localhost:9125"), Some("localhost:9125"), 0),
        (Some("[::1]:9125"), Some("[::1]:9125"), 0),
        (Some("yes"), None, 1),
        (Some("9125"), None, 1),
        (Some("127.0.0.1:99999"), None, 1),
        (Some("example.com:9125"), None, 1),
    ] {
        let mut source = BTreeMap::from([("THROUGHLINE_ENDPOINT", "http://collector:4318")]);
        source.extend(value.map(|value| ("THROUGHLINE_STATSD_LISTEN", value)));
        let (config, found) = RawConfig::read(&source).resolve();
        assert_eq!(config.statsd_listen.as_deref(), expected, "{value:?}");
        assert_eq!(found.len(), problems, "{value:?}: {found:?}");
        assert_eq!(config.otlp_grpc_listen.as_deref(), Some("127.0.0.1:4317"));
        assert_eq!(config.xray_listen, None);
    }
}

#[test]
fn how_much_is_kept() {
    let resolve = |variables: &[(&str, &str)]| {
        let source: BTreeMap<&str, &str> = variables.iter().copied().collect();
        RawConfig::read(&source).resolve()
    };
    let memory = |megabytes: &str| {
        let (config, _) = resolve(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", megabytes)]);
        config.delivery.limits.memory_bytes
    };
    assert_eq!(memory("128"), 6_710_886, "5 % of it");
    assert_eq!(memory("10240"), 16_000_000, "at most");
    assert_eq!(memory("-1"), 6_710_886, "as of the smallest function");
    let (config, problems) = resolve(&[
        ("THROUGHLINE_ENDPOINT", "http://collector"),
        ("THROUGHLINE_FLUSH", "periodic,250"),
        ("THROUGHLINE_FLUSH_BUDGET_MS", "20"),
        ("THROUGHLINE_BUFFER_BYTES", "1000000"),
        ("THROUGHLINE_SPILL_BYTES", "0"),
    ]);
    assert_eq!(problems, []);
    let delivery = config.delivery;
    let period = std::time::Duration::from_millis(250);
    assert_eq!(delivery.strategy, crate::Strategy::Periodic(period));
    assert_eq!(delivery.flush_max.as_millis(), 20);
    assert_eq!(delivery.limits.memory_bytes, 1_000_000);
    assert_eq!(delivery.limits.spill_bytes, 0);
    let (config, problems) = resolve(&[
        ("THROUGHLINE_ENDPOINT", "http://collector"),
        ("THROUGHLINE_FLUSH", "never"),
        ("THROUGHLINE_FLUSH_BUDGET_MS", "5000"),
        ("THROUGHLINE_BUFFER_BYTES", "10"),
        ("THROUGHLINE_SPILL_BYTES", "much"),
    ]);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        THROUGHLINE_FLUSH never: it is auto, end, periodic, or periodic with milliseconds, such as periodic,5000; auto is used
        THROUGHLINE_FLUSH_BUDGET_MS 5000: it is a number of milliseconds up to 1000; 50 is used
        THROUGHLINE_BUFFER_BYTES 10: it is a number of bytes from 65536; 6710886 is used
        THROUGHLINE_SPILL_BYTES much: it is a number of bytes; 67108864 is used"#]]
    .assert_eq(&problems.join("\n"));
    assert_eq!(config.delivery.limits.spill_bytes, 67_108_864);
}
