//! §3.8: the Logs API.

use serde_json::json;

use crate::listener::{LOGS, Listener, TELEMETRY};
use crate::stage::{Play, REQUEST_ID, within};
use crate::telemetry::{keys, put};

#[tokio::test]
async fn crash_is_a_fault_to_the_logs_api_and_a_timeout_is_not() {
    for (what, expected) in [
        ("exit 1", vec!["platform.fault", "platform.runtimeDone"]),
        ("", vec!["platform.runtimeDone"]),
    ] {
        let listener = Listener::start().await;
        let stage = Play::new().extension("ext").open().await;
        let call = stage.invoke();
        let extension = stage.meets("ext").await;
        extension.registers(&["INVOKE", "SHUTDOWN"]).await;
        let subscription = listener.subscription(&["platform"], "2021-03-18");
        assert_eq!(put(&extension, LOGS, &subscription).await.status, 200);
        extension.asks_event();
        let runtime = stage.runtime().await;
        let event = runtime.next().await;
        let id = event.header(REQUEST_ID).unwrap();
        match what {
            "" => stage.times_out(),
            what => runtime.does(what),
        }
        listener.hears("platform.runtimeDone").await;
        if expected.len() > 1 {
            let words = format!("RequestId: {id} Process exited before completing request");
            assert_eq!(listener.hears("platform.fault").await, words);
        }
        runtime.until_gone().await;
        extension.does("exit 0");
        call.await.unwrap();
        let kinds = listener.kinds();
        let after: Vec<_> = kinds
            .iter()
            .skip_while(|kind| *kind != "platform.start")
            .collect();
        assert_eq!(after[1..], expected, "{kinds:?}");
    }
}

#[tokio::test]
async fn logs_api_tells_the_same_in_older_words() {
    let listener = Listener::start().await;
    let stage = Play::new().extension("ext").open().await;
    let call = stage.invoke();
    let extension = stage.meets("ext").await;
    extension.registers(&["INVOKE", "SHUTDOWN"]).await;
    let mut subscription = listener.subscription(&["platform", "function"], "2021-03-18");
    subscription["destination"]["method"] = json!("PUT");
    let response = put(&extension, LOGS, &subscription).await;
    assert_eq!((response.status, &response.body[..]), (200, &b"\"OK\""[..]));
    let other = put(
        &extension,
        TELEMETRY,
        &listener.subscription(&["platform"], "2022-12-13"),
    )
    .await;
    assert_eq!(
        (other.status, &other.json()["errorType"]),
        (400, &json!("ValidationError"))
    );
    extension.asks_event();
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    let id = event.header(REQUEST_ID).unwrap();
    runtime.does("echo line");
    assert_eq!(listener.hears("function").await, "line");
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    listener.hears("platform.runtimeDone").await;
    let asked = extension.asks_event();
    call.await.unwrap();
    let down = tokio::spawn(stage.shut_down());
    listener.hears("platform.report").await;
    within("SHUTDOWN", asked).await.unwrap();
    extension.does("exit 0");
    down.await.unwrap();
    let told: Vec<_> = listener
        .events()
        .into_iter()
        .map(|event| {
            (
                event["type"].as_str().unwrap().to_owned(),
                event["record"].clone(),
            )
        })
        .filter(|(kind, _)| kind != "platform.report")
        .collect();
    let subscribed =
        json!({"name": "ext", "state": "Subscribed", "types": ["platform", "function"]});
    let expected = [
        ("platform.logsSubscription", subscribed),
        (
            "platform.extension",
            json!({"name": "ext", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}),
        ),
        (
            "platform.start",
            json!({"requestId": id, "version": "$LATEST"}),
        ),
        ("function", json!("line")),
        (
            "platform.runtimeDone",
            json!({"requestId": id, "status": "success"}),
        ),
        ("platform.end", json!({"requestId": id})),
    ]
    .map(|(kind, record)| (kind.to_owned(), record));
    assert_eq!(told, expected);
    let report = listener.hears("platform.report").await;
    assert_eq!(keys(&report), ["metrics", "requestId"]);
    assert!(listener.posts().iter().all(|post| post.method == "PUT"));
}
