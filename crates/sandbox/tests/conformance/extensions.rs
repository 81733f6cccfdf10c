//! §2.1 to §2.4: what an extension asks and gets.

use serde_json::{Value, json};
use throughline_sandbox::{Invoke, Who};

use crate::http::Response;
use crate::stage::{EVENT_NEXT, IDENTIFIER, Play, Puppet, Stage, within};

const ERROR_TYPE: &str = "lambda-extension-function-error-type";

/// One external extension, with an invocation that waits for its init.
async fn stage() -> (Stage, Puppet) {
    let stage = Play::new().extension("ext").open().await;
    // Nobody waits for its end.
    drop(stage.invoke());
    let extension = stage.meets("ext").await;
    (stage, extension)
}

fn kind(response: &Response) -> String {
    assert_eq!(response.status, 403, "{:?}", response.body);
    response.json()["errorType"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn registration_tells_the_function_and_gives_an_identifier() {
    let (stage, extension) = stage().await;
    let response = extension.registers(&["INVOKE", "SHUTDOWN"]).await;
    assert_eq!(response.status, 200);
    let expected =
        json!({"functionName": "f", "functionVersion": "$LATEST", "handler": "bootstrap"});
    assert_eq!(response.json(), expected);
    assert!(uuid::Uuid::parse_str(response.header(IDENTIFIER).unwrap()).is_ok());
    let exchange = &stage.sandbox.recorded()[0];
    assert_eq!(exchange.who, Who::Extension("ext".to_owned()));
    assert_eq!(exchange.body, r#"{"events":["INVOKE","SHUTDOWN"]}"#);
}

#[tokio::test]
async fn account_is_told_to_whoever_accepts_it() {
    let (_stage, extension) = stage().await;
    let headers = [
        ("lambda-extension-name", "ext"),
        ("lambda-extension-accept-feature", "other, accountId"),
    ];
    let path = "/2020-01-01/extension/register";
    let response = extension
        .request("POST", path, &headers, r#"{"events":[]}"#)
        .await;
    assert_eq!(response.json()["accountId"], "123456789012");
}

#[tokio::test]
async fn name_of_a_file_is_an_external_extension_and_any_other_an_internal_one() {
    let (stage, extension) = stage().await;
    assert_eq!(extension.registers(&["SHUTDOWN"]).await.status, 200);
    let runtime = stage.runtime().await;
    let refused = runtime
        .registers_as("inside", &json!({"events": ["SHUTDOWN"]}))
        .await;
    assert_eq!(kind(&refused), "Extension.InvalidEventType");
    let taken = runtime
        .registers_as("inside", &json!({"events": ["INVOKE"]}))
        .await;
    assert_eq!(taken.status, 200);
}

#[tokio::test]
async fn registrations_are_refused_for_these_reasons() {
    let (stage, extension) = stage().await;
    let refuse = async |puppet: &Puppet, name: &str, body: Value| {
        kind(&puppet.registers_as(name, &body).await)
    };
    assert_eq!(
        refuse(&extension, "", json!({"events": []})).await,
        "Extension.InvalidExtensionName"
    );
    assert_eq!(
        refuse(&extension, "ext", json!({"events": "INVOKE"})).await,
        "InvalidRequestFormat"
    );
    assert_eq!(
        refuse(
            &extension,
            "ext",
            json!({"events": [], "configurationKeys": ["a"]})
        )
        .await,
        "InvalidRequestFormat"
    );
    assert_eq!(
        refuse(&extension, "ext", json!({"events": ["WAKE"]})).await,
        "Extension.InvalidEventType"
    );
    assert_eq!(extension.registers(&["INVOKE"]).await.status, 200);
    assert_eq!(
        refuse(&extension, "ext", json!({"events": []})).await,
        "Extension.InvalidExtensionState"
    );

    let runtime = stage.runtime().await;
    for number in 2..=10 {
        let name = format!("inside {number}");
        assert_eq!(
            runtime
                .registers_as(&name, &json!({"events": []}))
                .await
                .status,
            200
        );
    }
    let again = runtime
        .registers_as("inside 2", &json!({"events": []}))
        .await;
    assert_eq!(
        again.json()["errorMessage"],
        "Extension with this name already registered"
    );
    assert_eq!(kind(&again), "Extension.InvalidExtensionState");
    let eleventh = runtime
        .registers_as("inside 11", &json!({"events": []}))
        .await;
    assert_eq!(
        eleventh.json()["errorMessage"],
        "Extension limit (10) reached"
    );
    assert_eq!(kind(&eleventh), "Extension.TooManyExtensions");

    runtime.asks_next();
    stage
        .sandbox
        .recorded_until(|all| all.iter().any(|one| one.path.ends_with("invocation/next")))
        .await;
    let late = runtime
        .registers_as("inside 12", &json!({"events": []}))
        .await;
    assert_eq!(
        late.json()["errorMessage"],
        "Extension registration closed already"
    );
    assert_eq!(kind(&late), "Extension.RegistrationClosed");
}

#[tokio::test]
async fn extension_must_say_who_it_is() {
    let (_stage, extension) = stage().await;
    let path = EVENT_NEXT;
    let ask =
        async |headers: &[(&str, &str)]| kind(&extension.request("GET", path, headers, "").await);
    assert_eq!(ask(&[]).await, "Extension.MissingExtensionIdentifier");
    assert_eq!(
        ask(&[(IDENTIFIER, "me")]).await,
        "Extension.InvalidExtensionIdentifier"
    );
    let nobody = "00000000-0000-0000-0000-000000000000";
    assert_eq!(
        ask(&[(IDENTIFIER, nobody)]).await,
        "Extension.UnknownExtensionIdentifier"
    );
}

#[tokio::test]
async fn invoke_event_says_what_is_invoked_and_not_with_what() {
    let (stage, extension) = stage().await;
    extension.registers(&["INVOKE", "SHUTDOWN"]).await;
    let asked = extension.asks_event();
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    let told = within("INVOKE", asked).await.unwrap();
    assert_eq!(told.status, 200);
    assert!(
        uuid::Uuid::parse_str(told.header("lambda-extension-event-identifier").unwrap()).is_ok()
    );
    let header = |name: &str| event.header(name).unwrap().to_owned();
    assert_eq!(
        told.json(),
        json!({
            "eventType": "INVOKE",
            "deadlineMs": header("lambda-runtime-deadline-ms").parse::<u64>().unwrap(),
            "requestId": header("lambda-runtime-aws-request-id"),
            "invokedFunctionArn": header("lambda-runtime-invoked-function-arn"),
            "tracing": {"type": "X-Amzn-Trace-Id", "value": header("lambda-runtime-trace-id")},
        })
    );
}

#[tokio::test]
async fn shutdown_event_says_why_and_until_when() {
    let stage = Play::new().extension("ext").open().await;
    let call = stage.call(Invoke::new("f"));
    let extension = stage.meets("ext").await;
    extension.registers(&["SHUTDOWN"]).await;
    let asked = extension.asks_event();
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    call.await.unwrap();
    let down = tokio::spawn(stage.shut_down());
    let told = within("SHUTDOWN", asked).await.unwrap().json();
    assert_eq!(
        (&told["eventType"], &told["shutdownReason"]),
        (&json!("SHUTDOWN"), &json!("spindown"))
    );
    assert!(told["deadlineMs"].is_u64());
    assert_eq!(told.as_object().unwrap().len(), 3);
    extension.does("exit 0");
    down.await.unwrap();
}

#[tokio::test]
async fn init_error_is_heard_once_and_ends_the_init() {
    let stage = Play::new().extension("ext").open().await;
    let call = stage.invoke();
    let path = "/2020-01-01/extension/init/error";
    for _ in 0..2 {
        let extension = stage.meets("ext").await;
        // With SHUTDOWN, because without it there is no time left after an error.
        extension.registers(&["SHUTDOWN"]).await;
        let nameless = extension.request("POST", path, &[], "").await;
        assert_eq!(kind(&nameless), "Extension.MissingHeader");
        let taken = extension
            .request("POST", path, &[(ERROR_TYPE, "Extension.NoDisk")], "{}")
            .await;
        assert_eq!((taken.status, taken.json()), (202, json!({"status": "OK"})));
        assert_eq!(
            kind(&extension.event().await),
            "Extension.InvalidExtensionState"
        );
        extension.does("exit 1");
    }
    let (answer, finished) = call.await.unwrap();
    assert_eq!(finished.error_type.as_deref(), Some("Extension.InitError"));
    assert!(
        answer.text().contains("Extension.InitError"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn exit_error_is_heard_once_and_fails_the_invocation() {
    let stage = Play::new().extension("ext").open().await;
    let call = stage.invoke();
    let extension = stage.meets("ext").await;
    extension.registers(&["INVOKE", "SHUTDOWN"]).await;
    let asked = extension.asks_event();
    let runtime = stage.runtime().await;
    runtime.next().await;
    asked.await.unwrap();
    let path = "/2020-01-01/extension/exit/error";
    let taken = extension
        .request("POST", path, &[(ERROR_TYPE, "Extension.Full")], "")
        .await;
    assert_eq!(taken.status, 202);
    assert_eq!(
        kind(&extension.event().await),
        "Extension.InvalidExtensionState"
    );
    extension.does("exit 1");
    let (answer, finished) = call.await.unwrap();
    assert_eq!(finished.error_type.as_deref(), Some("Extension.ExitError"));
    assert!(
        answer.text().contains("Extension.ExitError"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn eleventh_file_is_one_too_many() {
    let mut play = Play::new();
    for number in 1..=11 {
        play = play.extension(&format!("ext{number:02}"));
    }
    let stage = play.open().await;
    let (answer, finished) = stage.invoke().await.unwrap();
    assert_eq!(
        finished.error_type.as_deref(),
        Some("Extension.LaunchError")
    );
    assert!(
        answer.text().contains("Extension limit (10) reached"),
        "{}",
        answer.text()
    );
}
