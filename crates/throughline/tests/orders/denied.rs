//! What is shut down in the demo stops, and works again once that is undone: `throughline demo --actions local`.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use serde_json::{Value, json};

use crate::ATTEMPTS_MAX;
use crate::process::{self, Http, Process, client, has_moto};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_denied_in_the_demo_fails_until_it_is_undone() {
    if !has_moto() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let mut arguments = vec!["demo", "--any-port", "--json", "--rate", "0"];
    arguments.extend(["--actions", "local"]);
    let demo = Process::start(&arguments, data.path());
    let client = client();
    let server = format!("http://{}", demo.text("http"));
    let orders = format!("{}orders", demo.text("shop"));
    expect_order(&client, &orders, 201).await;

    let deny = json!({"do": "deny", "function": "place-order", "resource": "table:orders", "class": "write", "hours": 1});
    let proposal = json!({"who": "ada", "action": deny});
    let propose = format!("{server}/api/v1/actions/propose");
    let (_, proposed) = post(&client, &propose, &proposal).await;
    let id = proposed["id"].as_str().unwrap();
    let (_, key) = proposed["path"].as_str().unwrap().split_once("k=").unwrap();
    let shown = process::json(&client, &format!("{server}/api/v1/actions/{id}?k={key}")).await;
    let confirmed = json!({"k": key, "who": "ada", "typed": "place-order", "seen": shown["seen"]});
    let (_, done) = post(&client, &format!("{server}/act/{id}"), &confirmed).await;
    assert_eq!(done["state"], "done", "{done}");
    // As an HTTP API answers for a function that fails.
    expect_order(&client, &orders, 500).await;

    let undo = format!("{server}/api/v1/actions/{id}/undo");
    let (_, undone) = post(&client, &undo, &json!({"who": "ada"})).await;
    assert_eq!(undone["state"], "undone", "{undone}");
    expect_order(&client, &orders, 201).await;
}

/// Orders until that is answered: on a busy machine calls time out.
async fn expect_order(client: &Http, orders: &str, expected: u16) {
    let order = json!({"user": "u-1", "restaurant": "r-1",
        "items": [{"dish": "miso ramen", "quantity": 2}]});
    let mut answers = Vec::new();
    for _ in 0..ATTEMPTS_MAX {
        let (status, answer) = post(client, orders, &order).await;
        if status == expected {
            return;
        }
        answers.push(format!("{status} {answer}"));
    }
    panic!("never {expected}: {answers:?}");
}

async fn post(client: &Http, url: &str, body: &Value) -> (u16, Value) {
    let request = Request::post(url)
        .header("content-type", "application/json")
        .body(Full::from(body.to_string()))
        .unwrap();
    let answer = client.request(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}
