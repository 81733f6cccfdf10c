//! The OpenAPI file is true: real answers of each endpoint fit its schemas.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};
use throughline_server::Limits;
use throughline_telemetry::Signal;

use crate::harness::{Answer, TestServer, method};
use crate::samples::{one_as_json, sample_trace, span, traces};

/// The file, and which of its answers have been seen.
struct OpenApi {
    document: Value,
    seen: BTreeSet<(String, String)>,
}

impl OpenApi {
    fn load() -> Self {
        let document = serde_json::from_str(throughline_server::OPENAPI).expect("JSON");
        OpenApi {
            document,
            seen: BTreeSet::new(),
        }
    }

    /// Whether an answer of the endpoint `path` is one that the file describes.
    fn check(&mut self, path: &str, answer: &Answer) {
        let status = answer.status.as_str();
        let described = &self.operation(path)["responses"][status];
        assert!(
            described.is_object(),
            "{path} answered {status}, which is not described: {}",
            answer.text()
        );
        let schema = &described["content"]["application/json"]["schema"];
        assert_eq!(
            answer.header("content-type"),
            "application/json",
            "{path} {status}"
        );
        let problems = self.problems(schema, &answer.json());
        assert_eq!(problems, "", "{path} {status}: {}", answer.text());
        self.seen.insert((path.to_owned(), status.to_owned()));
    }

    /// What an endpoint does when it is asked; what else those that have a second method do, `notifications`, `alerts` and `saved` see.
    fn operation(&self, path: &str) -> &Value {
        let methods = self.document["paths"][path]
            .as_object()
            .expect("an endpoint");
        let one = methods.get("get").or(methods.values().next());
        one.expect("a method")
    }

    /// The endpoints of a method.
    fn paths(&self, method: &str) -> Vec<String> {
        let paths = self.document["paths"]
            .as_object()
            .expect("endpoints")
            .iter();
        let of_it = paths.filter(|(_, methods)| methods[method].is_object());
        of_it.map(|(path, _)| path.clone()).collect()
    }

    fn problems(&self, schema: &Value, instance: &Value) -> String {
        let problems = self.validator(schema);
        let problems = problems.iter_errors(instance);
        problems
            .map(|problem| format!("{}: {problem}\n", problem.instance_path()))
            .collect()
    }

    fn validator(&self, schema: &Value) -> Validator {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        jsonschema::draft202012::new(&schema).expect("a good schema")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_answers_fit_their_schemas() {
    let mut openapi = OpenApi::load();
    let server = TestServer::start().await;
    for signal in Signal::ALL {
        server
            .post(
                &format!("/v1/{signal}"),
                &[("content-type", "application/json")],
                one_as_json(signal, "sample"),
            )
            .await;
    }
    let mut values = span("sample", 7, 1, 99, 0, 0);
    values.attributes.set("double", 0.5);
    values.attributes.set("nan", f64::NAN);
    values.attributes.set("truth", true);
    server
        .post_protobuf(
            Signal::Traces,
            traces(&[
                values,
                span("sample", 8, 2, 0, 1, 2),
                span("called", 8, 3, 2, 1, 2),
            ]),
        )
        .await;

    let sample = format!("/api/v1/traces/{}", sample_trace("sample"));
    let numbered = [
        ("content-type", "application/x-protobuf"),
        ("x-throughline-environment", "e-1"),
        ("x-throughline-sequence", "3"),
        ("x-throughline-function", "checkout"),
        (
            "x-throughline-ledger",
            r#"{"revision":1,"sealed":9,"accepted":99,"waiting":5,"dropped":{"x":2},"gone":[[4,5,"x",2]]}"#,
        ),
    ];
    let body = traces(&[span("sample", 9, 1, 0, 1, 2)]);
    server.post("/v1/traces", &numbered, body.clone()).await;
    let unnumbered = r#"{"revision":1,"sealed":1,"accepted":9,"waiting":8}"#;
    let mut other = numbered;
    (other[1].1, other[2].1, other[3].1, other[4].1) = ("e-2", "1", "pay", unnumbered);
    server.post("/v1/traces", &other, body).await;

    let cases: [(&str, &str); 66] = [
        ("/healthz", "/healthz"),
        ("/api/v1/status", "/api/v1/status"),
        ("/api/v1/status", "/api/v1/status?x=1"),
        ("/api/v1/openapi.json", "/api/v1/openapi.json"),
        ("/api/v1/traces", "/api/v1/traces"),
        ("/api/v1/traces", "/api/v1/traces?limit=1"),
        ("/api/v1/traces", "/api/v1/traces?limit=0"),
        ("/api/v1/traces/{id}", &sample),
        (
            "/api/v1/traces/{id}",
            "/api/v1/traces/00000000000000000000000000000007",
        ),
        (
            "/api/v1/traces/{id}",
            "/api/v1/traces/000000000000000000000000000000ff",
        ),
        ("/api/v1/traces/{id}", "/api/v1/traces/zz?x=1"),
        ("/api/v1/logs", "/api/v1/logs"),
        ("/api/v1/logs", "/api/v1/logs?min_severity=x"),
        ("/api/v1/spans", "/api/v1/spans"),
        (
            "/api/v1/spans",
            "/api/v1/spans?service=sample&limit=1&where=double%3E0.25",
        ),
        ("/api/v1/spans", "/api/v1/spans?where=double=text"),
        ("/api/v1/logs", "/api/v1/logs?q=hello&limit=1"),
        ("/api/v1/logs/tail", "/api/v1/logs/tail?limit=1"),
        ("/api/v1/live", "/api/v1/live?x=1"),
        ("/api/v1/metrics", "/api/v1/metrics?from=0"),
        ("/api/v1/metrics", "/api/v1/metrics?x=1"),
        (
            "/api/v1/metrics/range",
            "/api/v1/metrics/range?name=sample&from=0&step=9000000&group_by=service",
        ),
        ("/api/v1/metrics/range", "/api/v1/metrics/range?agg=mode"),
        ("/api/v1/services", "/api/v1/services"),
        ("/api/v1/services", "/api/v1/services?x=1"),
        ("/api/v1/operations", "/api/v1/operations?from=0"),
        ("/api/v1/operations", "/api/v1/operations?limit=0"),
        ("/api/v1/waits", "/api/v1/waits?from=0"),
        ("/api/v1/waits", "/api/v1/waits?limit=0"),
        (
            "/api/v1/functions/{name}/advice",
            "/api/v1/functions/sample/advice",
        ),
        (
            "/api/v1/functions/{name}/advice",
            "/api/v1/functions/sample/advice?limit=0",
        ),
        ("/api/v1/costs", "/api/v1/costs?from=0"),
        ("/api/v1/costs", "/api/v1/costs?limit=0"),
        ("/api/v1/edges", "/api/v1/edges?from=0"),
        ("/api/v1/edges", "/api/v1/edges?from=2&to=1"),
        ("/api/v1/attributes", "/api/v1/attributes"),
        ("/api/v1/attributes", "/api/v1/attributes?dataset=spam"),
        ("/api/v1/attributes", "/api/v1/attributes?dataset=logs"),
        (
            "/api/v1/attributes/{key}/values",
            "/api/v1/attributes/double/values?limit=1",
        ),
        (
            "/api/v1/attributes/{key}/values",
            "/api/v1/attributes/double/values?limit=0",
        ),
        ("/api/v1/completeness", "/api/v1/completeness"),
        ("/api/v1/completeness", "/api/v1/completeness?limit=1"),
        (
            "/api/v1/completeness",
            "/api/v1/completeness?function=nobody",
        ),
        ("/api/v1/completeness", "/api/v1/completeness?limit=0"),
        ("/api/v1/incidents", "/api/v1/incidents?state=open"),
        ("/api/v1/incidents", "/api/v1/incidents?severity=grave"),
        ("/api/v1/changes", "/api/v1/changes?subject=function:pay"),
        ("/api/v1/changes", "/api/v1/changes?limit=0"),
        ("/api/v1/alerts", "/api/v1/alerts"),
        ("/api/v1/alerts", "/api/v1/alerts?x=1"),
        ("/api/v1/saved", "/api/v1/saved"),
        ("/api/v1/saved", "/api/v1/saved?x=1"),
        ("/api/v1/notifications", "/api/v1/notifications"),
        ("/api/v1/notifications", "/api/v1/notifications?x=1"),
        (
            "/api/v1/notifications/unsubscribe",
            "/api/v1/notifications/unsubscribe?x=1",
        ),
        ("/api/v1/incidents/{id}", "/api/v1/incidents/7"),
        ("/api/v1/incidents/{id}", "/api/v1/incidents/7?x=1"),
        (
            "/api/v1/incidents/{id}/actions",
            "/api/v1/incidents/7/actions",
        ),
        (
            "/api/v1/incidents/{id}/actions",
            "/api/v1/incidents/7/actions?x=1",
        ),
        ("/api/v1/actions", "/api/v1/actions"),
        ("/api/v1/actions", "/api/v1/actions?limit=0"),
        (
            "/api/v1/actions/sources",
            "/api/v1/actions/sources?function=pay",
        ),
        (
            "/api/v1/actions",
            "/api/v1/actions?in_force=true&cursor=0123456789abcdef",
        ),
        (
            "/api/v1/actions/{id}",
            "/api/v1/actions/0123456789abcdef?x=1",
        ),
        ("/api/v1/audit", "/api/v1/audit"),
        ("/api/v1/audit", "/api/v1/audit?limit=0"),
    ];
    for (path, asked) in cases {
        openapi.check(path, &server.get(asked).await);
    }
    let refused = method(Method::DELETE, server.addresses.http, "/api/v1/logs").await;
    let error = json!({"$ref": "#/components/schemas/Error"});
    assert_eq!(openapi.problems(&error, &refused.json()), "");

    let keyed = TestServer::start_with(Some("k"), Limits::default()).await;
    let paths = openapi.paths("get");
    for path in paths.iter().filter(|path| path.starts_with("/api/")) {
        openapi.check(path, &keyed.get(&path.replace("{trace_id}", "aa")).await);
    }

    let busy = Limits {
        reads_max: 0,
        tails_max: 0,
        read_wait: Duration::from_millis(1),
        ..Limits::default()
    };
    let busy = TestServer::start_with(None, busy).await;
    for path in &paths {
        let asked = path.replace("{trace_id}", &sample_trace("sample"));
        let foreign = server.get_with(&asked, ("host", "elsewhere.example")).await;
        openapi.check(path, &foreign);
        let answer = busy.get(&asked).await;
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), "1");
            assert_eq!(answer.json()["code"], "TL0209");
        }
        openapi.check(path, &answer);
    }

    let asked = [
        ("/api/v1/spans", ""),
        ("/api/v1/logs", ""),
        ("/api/v1/waits", ""),
        ("/api/v1/functions/{name}/advice", ""),
        ("/api/v1/metrics", ""),
        ("/api/v1/metrics/range", "?name=sample"),
    ];
    for (path, query) in asked {
        let asked = format!("{path}{query}");
        openapi.check(path, &hasty_server().await.get(&asked).await);
    }
    let asks = [
        "/api/v1/sql",
        "/api/v1/query",
        "/api/v1/search",
        "/api/v1/contrast",
        "/api/v1/investigations",
        "/api/v1/graph/query",
    ];
    for (path, good) in asks.into_iter().zip([
        r#"{"sql": "select name, time, duration_ms, double, truth from spans"}"#,
        r#"{"breakdowns": ["name"], "calculations": [{"op": "HEATMAP", "column": "duration_ms"}], "start_time": 0, "granularity": 9000000}"#,
        r#"{"filters": [{"not": {"column": "double", "op": "exists"}}], "limit": 5}"#,
        r#"{"selection": {"filters": [{"column": "service", "op": "=", "value": "sample"}]}, "rest": {}}"#,
        r#"{"question": "was sample slow?", "from": "1795228000000000000"}"#,
        r#"{"query": "MATCH (a)-[c]->(b) RETURN a, c, b, c.p99, c.first_seen", "from": "0", "to": "1"}"#,
    ]) {
        openapi.check(path, &server.post_api(path, &[], good).await);
        openapi.check(path, &server.post_api(path, &[], "{").await);
        openapi.check(path, &keyed.post_api(path, &[], good).await);
        openapi.check(path, &hasty_server().await.post_api(path, &[], good).await);
        openapi.check(path, &busy.post_api(path, &[], good).await);
        let foreign = [("host", "elsewhere.example")];
        openapi.check(path, &server.post_api(path, &foreign, good).await);
    }
    let of_logs =
        r#"{"dataset": "logs", "q": "hello", "selection": {"q": "-x"}, "start_time": 1795228000}"#;
    let compared = server.post_api("/api/v1/contrast", &[], of_logs).await;
    assert_eq!(compared.status, 200, "{}", compared.text());
    openapi.check("/api/v1/contrast", &compared);

    actions(&mut openapi, &server, &keyed).await;

    let take = openapi.paths("post");
    assert_eq!(
        take,
        [
            "/act/{id}",
            "/api/v1/actions/propose",
            "/api/v1/actions/switch",
            "/api/v1/actions/{id}/keep",
            "/api/v1/actions/{id}/undo",
            "/api/v1/alertmanager",
            "/api/v1/cloudwatch",
            "/api/v1/contrast",
            "/api/v1/graph/query",
            "/api/v1/investigations",
            "/api/v1/notifications/test",
            "/api/v1/notifications/unsubscribe",
            "/api/v1/query",
            "/api/v1/search",
            "/api/v1/sql",
            "/api/v2/alerts"
        ]
    );
    let (path, small) = ("/api/v1/cloudwatch", small_server().await);
    let firehose = ("x-amz-firehose-request-id", "r-1");
    for header in [("content-type", "text/plain"), firehose] {
        for body in [
            "",
            "{\"__otel_otlp_stdout\":\"1\"}",
            "{\"awslogs\":{\"data\":\"?\"}}",
        ] {
            openapi.check(path, &server.post_api(path, &[header], body).await);
        }
        let unknown = [header, ("content-encoding", "br")];
        openapi.check(path, &server.post_api(path, &unknown, "").await);
        let large = "x".repeat(2000);
        openapi.check(path, &small.post_api(path, &[header], large).await);
    }
    openapi.check(path, &keyed.post_api(path, &[], "").await);
    let foreign = [("host", "elsewhere.example")];
    openapi.check(path, &server.post_api(path, &foreign, "").await);

    let (path, asked) = ("/api/v1/notifications/test", r#"{"receiver": "nobody"}"#);
    openapi.check(path, &server.post_api(path, &[], asked).await);
    openapi.check(path, &keyed.post_api(path, &[], asked).await);
    openapi.check(path, &server.post_api(path, &foreign, asked).await);

    for path in ["/api/v1/alertmanager", "/api/v2/alerts"] {
        for body in ["[]", "{"] {
            openapi.check(path, &server.post_api(path, &[], body).await);
        }
        openapi.check(path, &keyed.post_api(path, &[], "[]").await);
        openapi.check(path, &server.post_api(path, &foreign, "[]").await);
    }

    // All that is described was seen, but for what takes a broken or a slow disk.
    for path in paths.iter().chain(&take) {
        let responses = openapi.operation(path)["responses"].as_object();
        for status in responses.unwrap().keys() {
            let seen = openapi.seen.contains(&(path.clone(), status.clone()));
            let rare: &[&str] = match path.as_str() {
                "/api/v1/cloudwatch" => &["429", "503"],
                // They have no end; `tail` and `live` read them.
                "/api/v1/logs/tail" | "/api/v1/live" => &["200", "500"],
                // `notifications` has a receiver, and a link that is whole.
                "/api/v1/notifications/test" | "/api/v1/notifications/unsubscribe" => &["200"],
                // There is none yet; `incidents` has one.
                "/api/v1/incidents/{id}" | "/api/v1/incidents/{id}/actions" => &["200", "500"],
                "/api/v1/actions/propose" => &["409", "500"],
                // Where there is an account.
                "/act/{id}" | "/api/v1/actions/{id}/undo" => &["500", "502"],
                // There is no memory to keep; `actions` has some.
                "/api/v1/actions/{id}/keep" => &["200", "500"],
                "/api/v1/actions/sources" => &["200", "502"],
                _ => &["500"],
            };
            let rare = rare.contains(&status.as_str());
            assert!(seen || rare, "{path} never answered {status}");
        }
    }
}

/// An action from its proposal to its undoing, and what is refused on the way.
async fn actions(openapi: &mut OpenApi, server: &TestServer, keyed: &TestServer) {
    let propose = "/api/v1/actions/propose";
    let as_json = ("content-type", "application/json");
    let ignore = r#"{"who": "ada", "action": {"do": "ignore", "node": "function:pay", "kind": "latency", "reason": "known", "days": 1}}"#;
    let proposed = server.post_api(propose, &[as_json], ignore).await;
    openapi.check(propose, &proposed);
    let proposed = proposed.json();
    let (id, link) = (
        proposed["id"].as_str().expect("a name"),
        proposed["path"].as_str().expect("a link"),
    );
    let shown = server
        .get(&format!(
            "/api/v1{}",
            link.replacen("/act/", "/actions/", 1)
        ))
        .await;
    openapi.check("/api/v1/actions/{id}", &shown);
    assert_eq!(shown.status, 200);
    let (_, key) = link.split_once("k=").expect("a key");
    let confirm = json!({"k": key, "who": "ada", "seen": shown.json()["seen"]}).to_string();
    let forged = json!({"k": "a", "who": "ada"}).to_string();
    let (act, undo) = (format!("/act/{id}"), format!("/api/v1/actions/{id}/undo"));
    let keep = format!("/api/v1/actions/{id}/keep");
    let someone = r#"{"who": "ada"}"#;
    let switch = "/api/v1/actions/switch";
    for (path, asked, good) in [
        (propose, propose, ignore),
        (switch, switch, someone),
        ("/act/{id}", act.as_str(), confirm.as_str()),
        ("/api/v1/actions/{id}/keep", keep.as_str(), someone),
        ("/api/v1/actions/{id}/undo", undo.as_str(), someone),
    ] {
        let good = good.to_owned();
        openapi.check(path, &server.post_api(asked, &[as_json], "{").await);
        openapi.check(path, &keyed.post_api(asked, &[as_json], good.clone()).await);
        let foreign = [as_json, ("host", "elsewhere.example")];
        openapi.check(path, &server.post_api(asked, &foreign, good.clone()).await);
        if path == "/act/{id}" {
            assert_eq!(
                server
                    .post_api(asked, &[as_json], forged.clone())
                    .await
                    .status,
                403
            );
        }
        // A page of another origin can send text without asking first, and JSON it cannot.
        let text = server.post_api(asked, &[("content-type", "text/plain")], good.clone());
        openapi.check(path, &text.await);
        let answer = server.post_api(asked, &[as_json], good.clone()).await;
        // What is ignored ends when it was said.
        let status = if path.ends_with("/keep") { 409 } else { 200 };
        assert_eq!(answer.status, status, "{}", answer.text());
        openapi.check(path, &answer);
        if path.contains("{id}") {
            // Once.
            openapi.check(
                path,
                &server.post_api(asked, &[as_json], good.clone()).await,
            );
            let nobody = asked.replace(id, "0123456789abcdef");
            openapi.check(
                path,
                &server.post_api(&nobody, &[as_json], good.clone()).await,
            );
        }
    }
    for (path, asked) in [
        ("/api/v1/actions", "/api/v1/actions?limit=1"),
        ("/api/v1/audit", "/api/v1/audit?limit=1"),
        ("/api/v1/audit", "/api/v1/audit"),
    ] {
        openapi.check(path, &server.get(asked).await);
    }
}

/// What is wrong with something that should be one of the described shapes.
pub(crate) fn problems(schema: &str, instance: &Value) -> String {
    let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
    OpenApi::load().problems(&schema, instance)
}

/// Gives every query up at once.
async fn hasty_server() -> TestServer {
    let mut limits = Limits::default();
    limits.queries.time = Duration::ZERO;
    limits.queries.queries = 0;
    limits.queries.searches = 0;
    TestServer::start_with(None, limits).await
}

async fn small_server() -> TestServer {
    let limits = Limits {
        body_bytes_max: 1000,
        ..Limits::default()
    };
    TestServer::start_with(None, limits).await
}

#[test]
fn every_schema_is_good_and_its_examples_fit() {
    let openapi = OpenApi::load();
    for (name, schema) in openapi.document["components"]["schemas"]
        .as_object()
        .unwrap()
    {
        assert!(
            schema["description"].is_string(),
            "{name} must be described"
        );
        for example in schema["examples"].as_array().into_iter().flatten() {
            assert_eq!(openapi.problems(schema, example), "", "example of {name}");
        }
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            let described = schema["description"].is_string() || schema["$ref"].is_string();
            assert!(described, "{name}.{property} must be described");
        }
        if schema["type"] == "object" && schema["properties"].is_object() {
            // What other programs send has more, which is not read.
            assert_eq!(
                schema["additionalProperties"],
                ["OuterAlert", "OuterWebhook"].contains(&name.as_str()),
                "{name} must say whether it has more"
            );
        }
    }
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let openapi = OpenApi::load();
    let service = json!({"$ref": "#/components/schemas/ServiceCount"});
    let good = json!({"name": "a", "span_count": 1, "error_count": 0});
    assert_eq!(openapi.problems(&service, &good), "");
    for (key, value) in [
        ("name", json!(7)),
        ("span_count", json!(-1)),
        ("more", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        assert_ne!(openapi.problems(&service, &bad), "", "{bad}");
    }
}
