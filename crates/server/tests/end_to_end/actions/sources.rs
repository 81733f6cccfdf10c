//! From where a function takes events is read from the account, so that one of them can be disabled by its name.

use serde_json::{Value, json};
use throughline_act::SourceState;

use super::account::Account;
use super::acting;
use crate::harness::TestServer;
use crate::openapi::problems;

const SOURCE: &str = "9c2b1f5e-1111-4222-8333-444455556666";
const PATH: &str = "/api/v1/actions/sources?function=notify-restaurant";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_source_is_disabled_by_its_name() {
    let account = Account::default();
    account.change(|it| {
        it.sources = vec![SourceState {
            id: SOURCE.to_owned(),
            source_arn: "arn:aws:sqs:eu-west-1:123456789012:notifications".to_owned(),
            enabled: true,
        }];
    });
    let (server, _) = acting(&account).await;
    let list = server.json(PATH).await;
    assert_eq!(problems("SourceList", &list), "");
    let source = &list["sources"][0];
    assert_eq!(
        (&source["name"], &source["enabled"]),
        (&json!("SQS notifications"), &json!(true))
    );
    assert_eq!(account.called(), Vec::<String>::new());

    let disable = json!({"do": "disable", "function": "notify-restaurant", "source": source["id"], "hours": 4});
    let link = server.propose(&disable, None).await;
    let shown = server.show(&link).await;
    let title = "disable event source SQS notifications of notify-restaurant for 4 hours";
    assert_eq!(shown["plan"]["title"], title);
    let done = server
        .confirm(&link, "notify-restaurant", &shown["seen"])
        .await
        .json();
    assert_eq!(
        (&done["state"], &done["title"]),
        (&json!("done"), &json!(title))
    );
    assert_eq!(account.called(), ["UpdateEventSourceMapping"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_where_nothing_may_be_changed() {
    let server = TestServer::start().await;
    let off = server.get(PATH).await;
    assert_eq!(
        (off.status.as_u16(), &off.json()["code"]),
        (409, &json!("TL0216"))
    );
    assert!(off.text().contains("--actions off"), "{}", off.text());
    for wrong in [
        "",
        "?function=",
        "?function=arn:aws:lambda:x",
        "?function=a&function=b",
    ] {
        let refused = server.get(&format!("/api/v1/actions/sources{wrong}")).await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text());
    }
    assert_eq!(server.events().await, Vec::<String>::new());
    assert_eq!(
        server.json("/api/v1/actions").await["total"],
        Value::from(0)
    );
}
