//! §3: what a subscriber asks, is told, and when.

use serde_json::{Value, json};
use throughline_sandbox::{Exchange, Function, Invoke, LogFormat};

use crate::http::Response;
use crate::lifecycle::{Scene, scene};
use crate::listener::{LOGS, Listener, TELEMETRY};
use crate::stage::{Play, Puppet, REQUEST_ID, Stage, within};

async fn registered(play: Play) -> (Stage, Puppet) {
    let stage = play.extension("ext").open().await;
    drop(stage.invoke());
    let extension = stage.meets("ext").await;
    extension.registers(&["INVOKE", "SHUTDOWN"]).await;
    (stage, extension)
}

pub(crate) async fn put(extension: &Puppet, path: &str, body: &Value) -> Response {
    extension.request("PUT", path, &[], &body.to_string()).await
}

/// Ends the invocation of a scene and has another one, with which the report of the first comes.
async fn until_report(scene: &mut Scene, body: &str) -> Value {
    scene.runtime.responds(&scene.event, body).await;
    let next = scene.runtime.asks_next();
    scene.extension.asks_event();
    (&mut scene.call).await.unwrap();
    drop(next);
    drop(scene.stage.invoke());
    scene.listener.hears("platform.report").await
}

pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == "2026-10-08T12:00:00.000Z".len() && text.ends_with('Z') && &text[10..11] == "T"
}

#[tokio::test]
async fn subscription_is_ok_in_all_three_schemas() {
    let (_stage, extension) = registered(Play::new()).await;
    let listener = Listener::start().await;
    for schema in ["2022-07-01", "2022-12-13", "2025-01-29"] {
        let response = put(
            &extension,
            TELEMETRY,
            &listener.subscription(&["platform"], schema),
        )
        .await;
        assert_eq!(
            (response.status, &response.body[..]),
            (200, &b"\"OK\""[..]),
            "{schema}"
        );
    }
}

#[tokio::test]
async fn deliveries_are_recorded_with_what_the_subscriber_answers() {
    let mut scene = scene(Play::new()).await;
    until_report(&mut scene, "1").await;
    let target = format!("http://127.0.0.1:{}/take", scene.listener.port);
    let is_delivery = |one: &Exchange| {
        one.to_string() == format!("platform to ext POST {target} 200") && one.generation == 1
    };
    let recorded = scene
        .stage
        .sandbox
        .recorded_until(|all| {
            let told =
                |one: &Exchange| String::from_utf8_lossy(&one.body).contains("platform.report");
            all.iter().any(|one| is_delivery(one) && told(one))
        })
        .await;
    let delivered = recorded.iter().filter(|one| is_delivery(one));
    let kinds: Vec<_> = delivered
        .flat_map(|one| serde_json::from_slice::<Vec<Value>>(&one.body).unwrap())
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds[..kinds.len().min(2)],
        ["platform.initStart", "platform.telemetrySubscription"]
    );
}

#[tokio::test]
async fn subscription_that_is_wrong_is_told_all_that_is_wrong() {
    let (_stage, extension) = registered(Play::new()).await;
    let listener = Listener::start().await;
    let good = listener.subscription(&["platform"], "2022-12-13");
    let check = async |change: Value, expected: &str| {
        let mut body = good.clone();
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let response = put(&extension, TELEMETRY, &body).await;
        let expected = json!({"errorType": "ValidationError", "errorMessage": expected});
        assert_eq!((response.status, response.json()), (400, expected));
    };
    let to = |uri: &str| json!({"protocol": "HTTP", "URI": uri});
    check(
        json!({"types": [], "destination": to("http://sandbox.localdomain")}),
        "types should not be empty; URI port is not provided",
    )
    .await;
    check(
        json!({"schemaVersion": "2020-08-15"}),
        "schemaVersion 2020-08-15 is not one of 2022-07-01, 2022-12-13, 2025-01-29",
    )
    .await;
    check(
        json!({"buffering": {"maxItems": 999, "maxBytes": 1_048_577, "timeoutMs": 24}}),
        "maxItems 999 is not between 1000 and 10000; maxBytes 1048577 is not between 262144 and 1048576; timeoutMs 24 is not between 25 and 30000",
    )
    .await;
    check(
        json!({"destination": to("https://sandbox.localdomain:80")}),
        "URI scheme is not http",
    )
    .await;
    check(
        json!({"destination": to("http://example.com:80")}),
        "URI host is not sandbox.localdomain",
    )
    .await;
    let response = put(&extension, TELEMETRY, &{
        let mut body = good.clone();
        body["destination"] = to(&format!("http://sandbox:{}", listener.port));
        body
    })
    .await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn subscription_needs_a_registration_and_closes_with_the_init() {
    let Scene {
        stage: _stage,
        extension,
        listener,
        ..
    } = scene(Play::new()).await;
    for (path, api) in [(TELEMETRY, "Telemetry"), (LOGS, "Logs")] {
        let response = put(
            &extension,
            path,
            &listener.subscription(&["platform"], "2022-12-13"),
        )
        .await;
        let expected = json!({
            "errorType": format!("{api}.SubscriptionClosed"),
            "errorMessage": format!("{api} API subscription is closed"),
        });
        assert_eq!((response.status, response.json()), (403, expected));
    }
    let stranger = extension
        .request(
            "PUT",
            TELEMETRY,
            &[("lambda-extension-identifier", "")],
            "{}",
        )
        .await;
    assert_eq!(
        stranger.json()["errorType"],
        "Extension.MissingExtensionIdentifier"
    );
}

#[tokio::test]
async fn sandbox_without_telemetry_says_so_with_202() {
    let (_stage, extension) =
        registered(Play::new().sandbox(throughline_sandbox::Sandbox::without_telemetry)).await;
    for (path, api) in [(TELEMETRY, "Telemetry"), (LOGS, "Logs")] {
        let response = put(&extension, path, &json!({})).await;
        let expected = json!({
            "errorType": format!("{api}.NotSupported"),
            "errorMessage": format!("{api} API is not supported"),
        });
        assert_eq!((response.status, response.json()), (202, expected));
    }
}

#[tokio::test]
async fn batches_are_posts_of_arrays_to_the_path_that_was_given() {
    let Scene {
        stage: _stage,
        listener,
        ..
    } = scene(Play::new()).await;
    listener.hears("platform.start").await;
    for post in listener.posts() {
        assert_eq!(
            (
                post.method.as_str(),
                post.path.as_str(),
                post.content_type.as_str()
            ),
            ("POST", "/take", "application/json")
        );
    }
    for event in listener.events() {
        assert_eq!(keys(&event), ["record", "time", "type"]);
        assert!(is_time(&event["time"]), "{event}");
    }
}

#[tokio::test]
async fn late_subscriber_hears_of_the_init_from_its_start() {
    let (stage, extension) = registered(Play::new()).await;
    let runtime = stage.runtime().await;
    let mut activity = stage.sandbox.activity();
    runtime.does("echo early");
    while !matches!(
        activity.recv().await.unwrap(),
        throughline_sandbox::Activity::Line(_)
    ) {}
    let listener = Listener::start().await;
    listener
        .subscribed_by(&extension, &["platform", "function"])
        .await;
    assert_eq!(listener.hears("function").await, "early");
    assert_eq!(listener.kinds()[0], "platform.initStart");
}

#[tokio::test]
async fn delivery_that_fails_is_tried_again() {
    let (_stage, extension) = registered(Play::new()).await;
    let listener = Listener::refusing(2).await;
    listener.subscribed_by(&extension, &["platform"]).await;
    listener.hears_nth("platform.initStart", 3).await;
    let posts = listener.posts();
    assert!(
        posts[2]
            .body
            .starts_with(posts[0].body.trim_end_matches(']'))
    );
}

#[tokio::test]
async fn events_of_the_init_say_this() {
    let play = Play::new().function(|f: Function| f.memory_mb(256));
    let Scene {
        stage: _stage,
        listener,
        extension,
        ..
    } = scene(play).await;
    let start = listener.hears("platform.initStart").await;
    let instance = start["instanceId"].as_str().unwrap();
    assert!(instance.contains("/f[$LATEST]"), "{instance}");
    assert_eq!(
        start,
        json!({
            "initializationType": "on-demand",
            "phase": "init",
            "functionName": "f",
            "functionVersion": "$LATEST",
            "instanceId": instance,
            "instanceMaxMemory": 256 * 1024 * 1024,
        })
    );
    assert_eq!(
        listener.hears("platform.initRuntimeDone").await,
        json!({"initializationType": "on-demand", "phase": "init", "status": "success"})
    );
    let report = listener.hears("platform.initReport").await;
    assert_eq!(
        keys(&report),
        ["initializationType", "metrics", "phase", "status"]
    );
    assert!(report["metrics"]["durationMs"].as_f64().unwrap() > 0.0);
    let subscription = listener.hears("platform.telemetrySubscription").await;
    let types = json!(["platform", "function", "extension"]);
    assert_eq!(
        subscription,
        json!({"name": "ext", "state": "Subscribed", "types": types})
    );
    assert_eq!(extension.name, "ext");
}

#[tokio::test]
async fn events_of_an_invocation_say_this() {
    let mut scene = scene(Play::new()).await;
    let report = until_report(&mut scene, "[1,2]").await;
    let start = scene.listener.hears("platform.start").await;
    let header = |name: &str| json!(scene.event.header(name).unwrap());
    let id = header(REQUEST_ID);
    let tracing = json!({
        "type": "X-Amzn-Trace-Id",
        "value": header("lambda-runtime-trace-id"),
        "spanId": start["tracing"]["spanId"],
    });
    assert_eq!(start["tracing"]["spanId"].as_str().unwrap().len(), 16);
    assert_eq!(
        start,
        json!({
            "requestId": id,
            "version": "$LATEST",
            "functionArn": header("lambda-runtime-invoked-function-arn"),
            "tracing": tracing,
        })
    );
    let done = scene.listener.hears("platform.runtimeDone").await;
    assert_eq!(
        keys(&done),
        ["metrics", "requestId", "spans", "status", "tracing"]
    );
    assert_eq!(
        (&done["requestId"], &done["status"]),
        (&id, &json!("success"))
    );
    assert_eq!(
        (&done["tracing"], &done["metrics"]["producedBytes"]),
        (&tracing, &json!(5))
    );
    let spans = done["spans"].as_array().unwrap();
    let names: Vec<_> = spans
        .iter()
        .map(|span| span["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["responseLatency", "responseDuration", "runtimeOverhead"]
    );
    let total: f64 = spans
        .iter()
        .map(|span| span["durationMs"].as_f64().unwrap())
        .sum();
    let duration = done["metrics"]["durationMs"].as_f64().unwrap();
    assert!((total - duration).abs() < 0.01, "{total} {duration}");
    assert!(spans.iter().all(|span| is_time(&span["start"])));

    assert_eq!(
        keys(&report),
        ["metrics", "requestId", "spans", "status", "tracing"]
    );
    let metrics = &report["metrics"];
    assert_eq!(
        keys(metrics),
        [
            "billedDurationMs",
            "durationMs",
            "initDurationMs",
            "maxMemoryUsedMB",
            "memorySizeMB"
        ]
    );
    let millis = |name: &str| metrics[name].as_f64().unwrap();
    let billed = (millis("durationMs") + millis("initDurationMs")).ceil();
    assert!((millis("billedDurationMs") - billed).abs() < 1.5);
    assert!(millis("durationMs") >= duration);
    assert_eq!(report["spans"][0]["name"], "extensionOverhead");
    assert_eq!(
        scene.listener.hears("platform.start").await["requestId"],
        id
    );
}

#[tokio::test]
async fn timeout_crash_and_handled_error_have_these_statuses() {
    let cases = [
        ("", "timeout", Value::Null, "timeout", Value::Null),
        (
            "exit 1",
            "error",
            json!("Runtime.ExitError"),
            "error",
            json!("Runtime.ExitError"),
        ),
    ];
    for (what, done, done_error, report, report_error) in cases {
        let Scene {
            stage,
            call,
            extension,
            runtime,
            listener,
            ..
        } = scene(Play::new()).await;
        match what {
            "" => stage.times_out(),
            what => runtime.does(what),
        }
        let told = listener.hears("platform.runtimeDone").await;
        assert_eq!(
            (&told["status"], &told["errorType"]),
            (&json!(done), &done_error)
        );
        assert_eq!(told["metrics"]["producedBytes"], 0);
        runtime.until_gone().await;
        extension.does("exit 0");
        let (_, finished) = call.await.unwrap();
        assert_eq!(json!(finished.status.as_str()), json!(report));
        assert_eq!(json!(finished.error_type), report_error);
        // The report of it is lost with the environment.
        assert!(
            listener
                .kinds()
                .iter()
                .all(|kind| kind != "platform.report")
        );
    }
    let scene = scene(Play::new()).await;
    let id = scene.event.header(REQUEST_ID).unwrap().to_owned();
    scene
        .runtime
        .post(&format!("invocation/{id}/error"), &[], "{}")
        .await;
    scene.runtime.asks_next();
    let done = scene.listener.hears("platform.runtimeDone").await;
    assert_eq!(
        (&done["status"], &done["metrics"]["producedBytes"]),
        (&json!("success"), &json!(0))
    );
}

#[tokio::test]
async fn tenant_is_told_in_the_events_of_its_invocations() {
    let listener = Listener::start().await;
    let stage = Play::new().extension("ext").open().await;
    let call = stage.call(Invoke::new("f").tenant_id("blue"));
    let extension = stage.meets("ext").await;
    extension.registers(&["SHUTDOWN"]).await;
    listener.subscribed_by(&extension, &["platform"]).await;
    extension.asks_event();
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    runtime.responds(&event, "1").await;
    let next = runtime.asks_next();
    call.await.unwrap();
    let second = stage.call(Invoke::new("f").tenant_id("blue"));
    listener.hears("platform.report").await;
    for kind in ["platform.start", "platform.runtimeDone", "platform.report"] {
        assert_eq!(listener.hears(kind).await["tenantId"], "blue", "{kind}");
    }
    let event = within("the event", next).await.unwrap();
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    second.await.unwrap();
}

#[tokio::test]
async fn lines_come_as_text_or_as_the_objects_that_they_are() {
    for (format, schema, expected) in [
        (LogFormat::Text, "2022-12-13", json!("{\"level\":\"INFO\"}")),
        (LogFormat::Json, "2022-07-01", json!("{\"level\":\"INFO\"}")),
        (LogFormat::Json, "2022-12-13", json!({"level": "INFO"})),
        (LogFormat::Json, "2025-01-29", json!({"level": "INFO"})),
    ] {
        let (stage, extension) = registered(Play::new().function(|f| f.log_format(format))).await;
        let listener = Listener::start().await;
        put(
            &extension,
            TELEMETRY,
            &listener.subscription(&["function", "extension"], schema),
        )
        .await;
        let runtime = stage.runtime().await;
        runtime.does(r#"echo '{"level":"INFO"}'"#);
        extension.does("echo ready");
        assert_eq!(listener.hears("function").await, expected, "{schema}");
        assert_eq!(listener.hears("extension").await, "ready");
    }
}

#[tokio::test]
async fn report_of_a_crash_is_not_told_to_the_next_life_either() {
    let Scene {
        stage,
        call,
        extension,
        runtime,
        ..
    } = scene(Play::new()).await;
    runtime.does("exit 1");
    runtime.until_gone().await;
    extension.does("exit 0");
    call.await.unwrap();
    let call = stage.invoke();
    let extension = stage.meets("ext").await;
    extension.registers(&["INVOKE", "SHUTDOWN"]).await;
    let listener = Listener::start().await;
    listener
        .subscribed_with(&extension, &["platform"], "2022-12-13")
        .await;
    extension.asks_event();
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    listener.hears("platform.runtimeDone").await;
    extension.asks_event();
    call.await.unwrap();
    let kinds = listener.kinds();
    assert_eq!(kinds[0], "platform.initStart", "{kinds:?}");
}
