use expect_test::{Expect, expect};

use super::*;
use crate::application::source::{KAFKA_KEYS, RABBITMQ_KEYS, SQS_KEYS, STREAM_KEYS};
use crate::function::Initialization;

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
            version: unknown key, expected one of functions, apis, resources, doors, aws, extension
            functions.checkout.memry: unknown key, expected one of runtime, handler, code, layers, memory_mb, timeout_seconds, ephemeral_storage_mb, concurrency, provisioned, snap_start, managed_instances, url, url_streams, event_retries, event_age_seconds, log_format, application_log_level, system_log_level, environment, destinations, sources
            functions.checkout: missing key code, the folder with the function's code
            functions.checkout: missing key handler, such as app.handler
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
fn everything_around_a_function_is_read() {
    let application =
        Application::parse(include_str!("tests/whole.toml"), Path::new("/app")).unwrap();
    let (audit, checkout) = (&application.functions()[0], &application.functions()[1]);
    assert_eq!(audit.initialization, Initialization::SnapStart);
    expect_test::expect_file!["tests/audit.txt"].assert_debug_eq(&audit.sources());
    expect_test::expect_file!["tests/checkout.txt"].assert_debug_eq(&(
        &checkout.layers,
        checkout.ephemeral_storage_mb,
        checkout.concurrency,
        checkout.initialization,
        checkout.url_streams,
        (checkout.event_retries_max, checkout.event_age_max),
        &checkout.destinations,
        &checkout.sources,
    ));
    expect_test::expect_file!["tests/around.txt"].assert_debug_eq(&(
        application.apis(),
        application.resources(),
        application.doors(),
        application.aws_endpoint(),
    ));
    let moved = application.on_free_ports();
    assert_eq!(moved.apis()[0].listen.port(), 0);
}

#[test]
fn limits_of_lambda_are_named() {
    check(
        r#"
        [aws]
        endpoint = "localhost:5000"
        [doors]
        db = "localhost"
        [apis.a]
        listen = "0.0.0.0:80"
        kind = "soap"
        [apis.b]
        [resources.orders]
        type = "AWS::SQS::Queu"
        [resources.events]
        type = "AWS::SNS::Topic"
        [functions.a]
        runtime = "provided.al2023"
        code = "a"
        timeout = 5
        layers = ["1", "2", "3", "4", "5", "6"]
        ephemeral_storage_mb = 511
        concurrency = 1001
        provisioned = 1
        snap_start = true
        url_streams = true
        event_retries = 3
        event_age_seconds = 59
        destinations = { on_failure = "nobody", dead_letter = "a", sometimes = "x" }
        sources = [
            { sqs = "events" },
            { sqs = "orders", batch_size = 11 },
            { sqs = "orders", batch_size = 10_001, concurrency_max = 1 },
            { sqs = "orders.fifo", batch_size = 11, window_seconds = 1 },
            { sqs = "orders.fifo", window_seconds = 301 },
            { kinesis = "s", parallelization = 11, retries_max = 10_001, record_age_max_seconds = 59, tumbling_window_seconds = 901 },
            { kinesis = "s", starting_position = "AT_TIMESTAMP" },
            { dynamodb = "s", starting_position = "AT_TIMESTAMP" },
            { dynamodb = "s", filters = ["x"], on_failure = "a" },
            { http = "GET /" },
            { http = "GET /", api = "c" },
            { http = "/", api = "b" },
            { http = "FETCH /", api = "b" },
            { http = "GET /{a+}/b", api = "b" },
            { http = "GET /x{a}", api = "b" },
            { schedule = "every day" },
            { sns = "events", filter_policy_scope = "MessageBody" },
            { event_bridge = "default" },
            { s3 = "b", events = ["ObjectCreated"] },
            { kafka = "t" },
            { rabbitmq = "q" },
            { rabbitmq = "q", broker = "amqp://shop:secret@127.0.0.1:5672" },
            { queue = "x" },
            { sq = "x" },
            { sqs = "x", sns = "y" },
            { sqs = "x", batchsize = 3 },
        ]
        "#,
        expect![[r#"
            aws.endpoint: expected a URL such as http://127.0.0.1:5000, or aws for AWS itself, found "localhost:5000"
            doors.db: expected host:port such as 127.0.0.1:5432, found "localhost"
            apis.a.kind: expected one of http, rest, found "soap"
            apis.a.listen: 0.0.0.0:80 is not on loopback: the sandbox runs any request that reaches it
            resources.orders.type: no type "AWS::SQS::Queu", did you mean AWS::SQS::Queue
            functions.a.timeout: unknown key, did you mean timeout_seconds
            functions.a.concurrency: expected a whole number of environments from 0 to 1000, found 1001
            functions.a.ephemeral_storage_mb: expected a whole number of MB from 512 to 10240, found 511
            functions.a.event_retries: expected a whole number of retries from 0 to 2, found 3
            functions.a.event_age_seconds: expected a whole number of seconds from 60 to 21600, found 59
            functions.a.snap_start: not together with provisioned, as on Lambda
            functions.a.layers: 6 layers are too many, Lambda takes 5
            functions.a.url_streams: only with url
            functions.a.destinations.sometimes: unknown key, expected one of on_success, on_failure, dead_letter
            functions.a.destinations.dead_letter: expected a queue or a topic, found arn:aws:lambda:us-east-1:123456789012:function:a
            functions.a.destinations.on_failure: expected an ARN, or the name of a function or of a [resources.NAME] of this file, found "nobody"
            functions.a.sources[0].sqs: [resources.events] is a topic, expected a queue
            functions.a.sources[1].batch_size: more than 10 messages need window_seconds of at least 1
            functions.a.sources[2].batch_size: expected a whole number of records from 1 to 10000, found 10001
            functions.a.sources[2].concurrency_max: expected a whole number of batches from 2 to 1000, found 1
            functions.a.sources[3].batch_size: a FIFO queue gives at most 10 messages, found 11
            functions.a.sources[4].window_seconds: expected a whole number of seconds from 0 to 300, found 301
            functions.a.sources[5].parallelization: expected a whole number of batches from 1 to 10, found 11
            functions.a.sources[5].retries_max: expected -1 for no end or a whole number of retries from 0 to 10000, found 10001
            functions.a.sources[5].record_age_max_seconds: expected -1 for no end or a whole number of seconds from 60 to 604800, found 59
            functions.a.sources[5].tumbling_window_seconds: expected a whole number of seconds from 0 to 900, found 901
            functions.a.sources[6].starting_timestamp: missing: AT_TIMESTAMP begins there, in seconds since 1970
            functions.a.sources[7].starting_position: expected one of TRIM_HORIZON, LATEST, found "AT_TIMESTAMP"
            functions.a.sources[8].filters[0]: expected a table, the pattern, found "x"
            functions.a.sources[8].on_failure: expected a queue, a topic or a bucket, found arn:aws:lambda:us-east-1:123456789012:function:a
            functions.a.sources[9]: missing key api: this file has several APIs
            functions.a.sources[10].api: no [apis.c] in this file
            functions.a.sources[11].http: expected a method and a path such as GET /orders/{id}, found "/"
            functions.a.sources[12].http: expected one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, ANY, found "FETCH"
            functions.a.sources[13].http: {name+} is the last segment, found "/{a+}/b"
            functions.a.sources[14].http: {name} is a whole segment of a path, found "/x{a}"
            functions.a.sources[15].schedule: "every day": expected rate(5 minutes) or cron(0 10 * * ? *)
            functions.a.sources[16].filter_policy_scope: only with filter_policy
            functions.a.sources[17].pattern: missing, such as { source = ["shop"] }
            functions.a.sources[18].events: expected events such as s3:ObjectCreated:*, found "ObjectCreated"
            functions.a.sources[19].brokers: missing, such as ["127.0.0.1:9092"]
            functions.a.sources[20].broker: missing, such as "127.0.0.1:5672"
            functions.a.sources[21].broker: expected host:port, and user and password as keys
            functions.a.sources[22]: does not say what it is, with one of http, schedule, sqs, sns, event_bridge, kinesis, dynamodb, s3, kafka, rabbitmq
            functions.a.sources[23]: does not say what it is, did you mean sqs
            functions.a.sources[24]: is sqs and sns, make two sources of it
            functions.a.sources[25].batchsize: unknown key, did you mean batch_size"#]],
    );
}

const INLINE: &str = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: python3.13, Handler: index.handler, InlineCode: 'def handler(e, c): pass'}\n";

#[test]
fn files_are_read_by_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let own = "[functions.f]\nruntime = \"provided.al2023\"\ncode = \"f\"\n";
    let json = r#"{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "provided.al2023", "Code": "f"}}}}"#;
    for (name, text, functions) in [
        ("throughline.toml", own, "f"),
        ("app", own, "f"),
        ("template.yaml", INLINE, "F"),
        ("template.yml", INLINE, "F"),
        ("deployed", INLINE, "F"),
        ("app.json", json, "F"),
        ("synthesized", json, "F"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let cache = folder.path().join("cache");
        let application = Application::load_into(&path, &Overrides::default(), &cache).unwrap();
        assert_eq!(application.functions()[0].name(), functions, "{name}");
        if text == INLINE {
            let code = application.functions()[0].code();
            assert!(code.starts_with(&cache), "{}", code.display());
            let written = std::fs::read_to_string(code.join("index.py")).unwrap();
            assert_eq!(written, "def handler(e, c): pass");
        } else {
            assert_eq!(application.functions()[0].code(), folder.path().join("f"));
        }
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    let load = |cache: &Path| {
        let error = Application::load_into(&path, &Overrides::default(), cache).unwrap_err();
        error
            .to_string()
            .replace(folder.path().to_str().unwrap(), "FOLDER")
    };
    let cache = folder.path().join("cache");
    assert!(load(&cache).starts_with("cannot read FOLDER/template.yaml: No such file"));
    std::fs::write(&path, INLINE.replace("Handler", "Handlr")).unwrap();
    assert_eq!(
        load(&cache),
        "cannot use FOLDER/template.yaml: Resources.F.Properties.Handlr (line 4): unknown property, did you mean Handler; \
         Resources.F.Properties (line 4): missing key Handler, such as app.handler"
    );
    std::fs::write(&path, INLINE).unwrap();
    // A file is where the folder of the cache should be.
    assert!(
        load(&path).starts_with("cannot write code of the template to FOLDER/template.yaml/F-")
    );
    // A template beside which `sam build` has left its own.
    let built = folder.path().join(".aws-sam/build");
    std::fs::create_dir_all(&built).unwrap();
    std::fs::write(built.join("template.yaml"), "").unwrap();
    let application = Application::load_into(&path, &Overrides::default(), &cache).unwrap();
    assert!(application.notes()[0].starts_with("sam build has been run"));
}

/// Each example of the page is a whole file.
#[test]
fn the_examples_of_the_page_are_sound() {
    let page = include_str!("../../../../docs/application.md");
    let examples: Vec<_> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .collect();
    assert_eq!(examples.len(), 2);
    let mut written = String::new();
    for (example, _) in examples {
        Application::parse(example, Path::new("/app")).unwrap();
        written += example;
    }
    let keys = [SQS_KEYS, STREAM_KEYS, KAFKA_KEYS, RABBITMQ_KEYS].concat();
    for key in keys.iter().chain(throughline_toml::FUNCTION_KEYS) {
        let told = [
            format!("{key} = "),
            format!("# {key} = "),
            format!(".{key}]"),
        ];
        assert!(
            told.iter().any(|told| written.contains(told)),
            "{key} is not on the page"
        );
    }
}

#[test]
fn a_route_leads_to_one_function() {
    check(
        r#"
        [functions.a]
        runtime = "provided.al2023"
        code = "a"
        sources = [{ http = "GET /x" }]
        [functions.b]
        runtime = "provided.al2023"
        code = "b"
        sources = [{ http = "get /x" }, { http = "$default" }]
        "#,
        expect!["functions.b: the route GET /x of default leads to another function already"],
    );
}

#[test]
fn environment_variables_have_an_end() {
    let text = format!(
        "[functions.a]\nruntime = \"provided.al2023\"\ncode = \"a\"\nenvironment = {{ A = \"{}\" }}\n",
        "x".repeat(4096)
    );
    check(
        &text,
        expect![
            "functions.a.environment: 4097 bytes of names and values are too many, Lambda takes 4096"
        ],
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

#[test]
fn managed_instances_are_read_with_their_limits() {
    let text = r#"
        [functions.checkout]
        runtime = "provided.al2023"
        code = "bin"
        concurrency = 5
        managed_instances = {max_concurrency = 4, environments = 2}
        [functions.audit]
        runtime = "provided.al2023"
        code = "bin"
        memory_mb = 16384
        managed_instances = {}
    "#;
    let application = Application::parse(text, Path::new("/app")).unwrap();
    let told: Vec<_> = application
        .functions()
        .iter()
        .map(|function| {
            format!(
                "{}: {:?}, {} MB, {:?}, {:?}, {:?}",
                function.name,
                function.initialization,
                function.memory_mb,
                function.concurrency,
                function.logging.format,
                function.managed_problem(),
            )
        })
        .collect();
    expect![[r#"
        audit: Managed(ManagedInstances { max_concurrency: 64, environments_min: 3 }), 16384 MB, None, Json, None
        checkout: Managed(ManagedInstances { max_concurrency: 4, environments_min: 2 }), 2048 MB, Some(5), Json, None"#]].assert_eq(&told.join("\n"));
    check(
        r#"
        [functions.a]
        runtime = "provided.al2023"
        code = "bin"
        memory_mb = 1024
        log_format = "Text"
        provisioned = 2
        managed_instances = {max_concurrency = 0, environment = 2}
        [functions.b]
        runtime = "provided.al2023"
        code = "bin"
        concurrency = 1
        managed_instances = {environments = 2}
        "#,
        expect![[r#"
            functions.a.memory_mb: expected a whole number of MB on managed instances from 2048 to 32768, found 1024
            functions.a.managed_instances.environment: unknown key, did you mean environments
            functions.a.managed_instances.max_concurrency: expected a whole number of invocations at once from 1 to 1600, found 0
            functions.a.managed_instances: neither provisioned environments nor SnapStart, as on Lambda
            functions.a.log_format: the log of managed instances is JSON
            functions.b.managed_instances: 1 environments at most are fewer than the 2 that are always there"#]],
    );
}
