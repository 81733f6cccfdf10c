//! From where a function takes events is read from the account, so that one of them can be disabled by its name.

use serde_json::{Value, json};
use throughline_act::SourceState;

use super::account::Account;
use super::{acting, at_minute};
use crate::harness::TestServer;
use crate::mcp;
use crate::openapi::problems;
use crate::queues::{poisoned, usual};

const SOURCE: &str = "9c2b1f5e-1111-4222-8333-444455556666";
const PATH: &str = "/api/v1/actions/sources?function=notify-restaurant";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_source_is_disabled_by_its_name() {
    let account = Account::default();
    account.change(|it| {
        it.sources = vec![SourceState {
            id: SOURCE.to_owned(),
            source_arn: "arn:aws:sqs:eu-west-1:123456789012:notifications".to_owned(),
            names: vec![],
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
async fn a_topic_of_kafka_is_disabled_by_its_name() {
    let account = Account::default();
    account.change(|it| {
        it.sources = vec![SourceState {
            id: SOURCE.to_owned(),
            source_arn: String::new(),
            names: vec!["orders".to_owned()],
            enabled: true,
        }];
    });
    let (server, _) = acting(&account).await;
    let list = server.json(PATH).await;
    assert_eq!(problems("SourceList", &list), "");
    assert_eq!(list["sources"][0]["name"], "Kafka orders");
    let disable =
        json!({"do": "disable", "function": "notify-restaurant", "source": SOURCE, "hours": 4});
    let link = server.propose(&disable, None).await;
    let shown = server.show(&link).await;
    let title = "disable event source Kafka orders of notify-restaurant for 4 hours";
    assert_eq!(shown["plan"]["title"], title);
    let done = server
        .confirm(&link, "notify-restaurant", &shown["seen"])
        .await
        .json();
    assert_eq!(problems("ActionStanding", &done), "");
    assert_eq!(done["before"]["sources"][0]["names"], json!(["orders"]));
    assert_eq!(account.called(), ["UpdateEventSourceMapping"]);
}

/// A queue's mapping.
fn of_queue(id: &str, queue: &str) -> SourceState {
    SourceState {
        id: id.to_owned(),
        source_arn: format!("arn:aws:sqs:eu-west-1:123456789012:{queue}"),
        names: vec![],
        enabled: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_fails_again_and_again_the_event_source_can_be_disabled() {
    let account = Account::default();
    let other = "9c2b1f5e-1111-4222-8333-444455557777";
    account.change(|it| {
        it.sources = vec![of_queue(other, "other"), of_queue(SOURCE, "mails")];
    });
    let (server, clock) = acting(&account).await;
    server.given(&usual(0..70)).await;
    at_minute(&server, &clock, 70).await;
    server.given(&poisoned(70..85)).await;
    at_minute(&server, &clock, 85).await;
    let found = server.findings().await;
    let retries = &found["retries"]["title"];
    let open = server.incidents("state=open&subject=function:mail").await;
    assert_eq!(open.len(), 1, "{open:#?}");

    // By its name, of the queue that the function takes from.
    let path = format!("/api/v1/incidents/{}/actions", open[0]["id"]);
    let fit = server.json(&path).await;
    assert_eq!(problems("FittingActions", &fit), "");
    assert_eq!(fit["consumers"], json!(["mail"]));
    let proposals = fit["proposals"].as_array().expect("a list").iter();
    let disable: Vec<&Value> = proposals
        .filter(|it| it["action"]["do"] == "disable")
        .collect();
    let title = "disable event source SQS mails of mail for 4 hours";
    let [disable] = disable[..] else {
        panic!("one: {fit:#}");
    };
    assert_eq!(
        (&disable["title"], &disable["finding"]),
        (&json!(title), retries)
    );
    let action = json!({"do": "disable", "function": "mail", "source": SOURCE, "hours": 4});
    assert_eq!(disable["action"], action);

    // An assistant gets the address at which a person confirms it.
    let client = mcp::connect(&server, None).await.expect("it connects");
    let asked = json!({"incident": open[0]["id"], "action": "disable"});
    let told = mcp::answer(&client, "propose_action", asked).await;
    client.cancel().await.expect("it ends");
    assert_eq!(told["telemetry"]["title"], title);
    let calls = json!(["lambda:UpdateEventSourceMapping"]);
    assert_eq!(told["telemetry"]["calls"], calls, "{told:#}");
    assert_eq!(account.called(), Vec::<String>::new());
    let address = told["permalink"].as_str().expect("an address");
    let (_, link) = address.split_once("/act/").expect("an action");
    let (id, key) = link.split_once("?k=").expect("a key");
    let link = (id.to_owned(), key.to_owned());
    let shown = server.show(&link).await;
    let done = server.confirm(&link, "mail", &shown["seen"]).await;
    assert_eq!(done.json()["state"], "done", "{}", done.text());
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
