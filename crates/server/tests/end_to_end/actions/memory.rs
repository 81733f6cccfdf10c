//! What is advised is applied, and what came of it is verified; what is worse is undone by whoever says so.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_testkit::Hook;
use tokio::sync::Notify;

use super::account::Account;
use super::{acting, again, stop};
use crate::advice::{Runs, advice};
use crate::harness::{Answer, TestServer};
use crate::incidents::BEGIN;
use crate::openapi::problems;

/// Gives the function another size, as its page does. The name of the action.
async fn resize(server: &TestServer, memory_mb: i64) -> String {
    let action = json!({"do": "memory", "function": "resize", "memory_mb": memory_mb});
    let (link, seen) = server.looked_at(&action).await;
    let done = server.confirm(&link, "", &seen).await;
    assert_eq!(done.json()["state"], "done", "{}", done.text());
    link.0
}

/// The newest of so many messages.
async fn said(hook: &Hook, count: usize) -> String {
    let all = hook.wait_for(count).await;
    let message: Value = serde_json::from_str(&all[count - 1].body).expect("JSON");
    let texts = message["blocks"].as_array().expect("a list").iter();
    let texts = texts.flat_map(|block| {
        let buttons = block["elements"].as_array().cloned().unwrap_or_default();
        let mut all = vec![block["text"]["text"].clone()];
        all.extend(buttons.into_iter().map(|it| it["text"]["text"].clone()));
        all
    });
    let texts: Vec<String> = texts
        .filter_map(|it| Some(it.as_str()?.to_owned()))
        .collect();
    texts.join("\n")
}

/// The newest action.
async fn newest(server: &TestServer) -> Value {
    let all = server.json("/api/v1/actions").await;
    assert_eq!(problems("ActionList", &all), "");
    all["actions"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_is_applied_and_verified_and_what_is_worse_is_undone() {
    let account = Account::default();
    account.change(|it| it.memory_mb = Some(442));
    let (server, clock) = acting(&account).await;
    let runs = |seconds, memory_mb, took_ms| Runs {
        seconds,
        memory_mb,
        took_ms,
        cpu_ms: 200.0,
    };
    let hook = Hook::start().await;
    let settings = json!({
        "receivers": [{"name": "chat", "channel": {"type": "slack", "url": hook.url("/slack")}}],
        "routes": [{"name": "all", "receivers": ["chat"], "severity": "note"}]
    });
    let set = server.set(&settings).await;
    assert_eq!(set.status, 200, "{}", set.text());
    // A quarter of a processor: 200 ms of work take most of a second.
    runs(0..200, 442, 795.0).send(&server).await;
    let advised = advice(&server, "").await["advice"]["recommendation"]["point"].take();
    let size = advised["memory_mb"].as_i64().expect("a size");
    assert!(size > 442, "{advised:#}");
    let predicted = advised["duration_ms"]["value"].as_f64().expect("a time");

    // Somebody is told, and the message has the link to that.
    clock.advance(Duration::from_secs(250));
    let told = said(&hook, 1).await;
    let begin = "function:resize can run ";
    assert!(told.starts_with(begin), "{told}");
    let update = format!("Update setting: give resize {size} MB of memory for 7 days");
    assert!(told.contains(&update), "{told}");
    let id = resize(&server, size).await;
    assert_eq!(account.called(), ["UpdateFunctionConfiguration"]);
    assert_eq!(account.memory_mb().map(i64::from), Some(size));
    let action = newest(&server).await;
    assert_eq!(action["id"], id);
    assert_eq!(action["done_unix_nanos"], "1795133050000000000");
    assert_eq!(
        action["verified"],
        Value::Null,
        "nothing has come of it yet"
    );

    // It is as quick as was predicted.
    runs(300..550, size, predicted).send(&server).await;
    clock.advance(Duration::from_secs(350));
    server.until("throughline verified").await;
    let verified = newest(&server).await["verified"].take();
    assert_eq!(verified["verdict"], "as_predicted", "{verified:#}");
    let sentence = verified["sentence"].as_str().expect("a sentence");
    assert!(
        sentence.starts_with("as predicted: 795 ms → "),
        "{sentence}"
    );
    let action = newest(&server).await;
    let ends = (&action["until_unix_nanos"], &action["kept_by"]);
    assert_eq!(ends, (&Value::Null, &json!("throughline")), "it stays");

    let told = said(&hook, 2).await;
    assert!(told.contains(sentence) && told.contains("ended"), "{told}");
    assert!(told.contains("; it is kept"), "{told}");

    // More of it makes nothing faster, and something is wrong with it besides.
    let id = resize(&server, 3008).await;
    runs(650..900, 3008, 700.0).send(&server).await;
    clock.advance(Duration::from_secs(400));
    server.until("throughline verified").await;
    let action = newest(&server).await;
    assert_eq!(
        (&action["state"], &action["verified"]["verdict"]),
        (&json!("done"), &json!("slower")),
        "nobody undoes it by itself: {action:#}"
    );
    assert_eq!(account.called(), ["UpdateFunctionConfiguration"]);

    let told = said(&hook, 3).await;
    let slower = "function:resize has another size of memory, slower than predicted: ";
    assert!(told.contains(slower) && told.contains("undo it?"), "{told}");

    // What was written down is so after a restart, and whoever reads it undoes it.
    let server = again(&account, &clock, server.stop().await).await;
    let action = newest(&server).await;
    assert_eq!(action["verified"]["verdict"], "slower", "{action:#}");
    assert_eq!(server.undo(&id).await.json()["state"], "undone");
    assert_eq!(account.memory_mb().map(i64::from), Some(size));
    assert_eq!(
        server.events().await,
        [
            "throughline proposed",
            "ada proposed",
            "ada began",
            "ada did",
            "throughline verified",
            "ada proposed",
            "ada began",
            "ada did",
            "throughline verified",
            "bob undid",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_nothing_could_be_predicted_it_is_said_why() {
    let account = Account::default();
    let (server, clock) = acting(&account).await;
    clock.advance(Duration::from_secs(250));
    resize(&server, 1024).await;
    let runs = Runs {
        seconds: 300..550,
        memory_mb: 1024,
        took_ms: 400.0,
        cpu_ms: 200.0,
    };
    runs.send(&server).await;
    clock.advance(Duration::from_secs(350));
    server.until("throughline verified").await;
    let verified = newest(&server).await["verified"].take();
    assert_eq!(verified["verdict"], "unknown", "{verified:#}");
    let sentence = verified["sentence"].as_str().expect("a sentence");
    assert!(
        sentence.starts_with("nothing was predicted of it: 0 invocations"),
        "{sentence}"
    );
}

const HOUR: Duration = Duration::from_secs(3600);

/// Confirms another memory size that is tried for a day, or is kept. What was answered.
async fn tried(server: &TestServer, keep: bool) -> Value {
    let action = json!({"do": "memory", "function": "resize", "memory_mb": 1024, "hours": 24});
    let ((id, key), seen) = server.looked_at(&action).await;
    let body = json!({"k": key, "who": "ada", "seen": seen, "keep": keep});
    let done = server.send(&format!("/act/{id}"), &body).await.json();
    assert_eq!(problems("ActionStanding", &done), "");
    assert_eq!(done["state"], "done", "{done:#}");
    done
}

/// Who keeps an action that was answered.
async fn keep(server: &TestServer, action: &Value) -> Answer {
    let id = action["id"].as_str().expect("a name");
    let path = format!("/api/v1/actions/{id}/keep");
    server.send(&path, &json!({"who": "bob"})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_memory_size_is_put_back_when_its_time_is_over() {
    let account = Account::default();
    let (server, clock) = acting(&account).await;
    // Tried for a week where nobody has said for how long.
    let unsaid = json!({"do": "memory", "function": "resize", "memory_mb": 1024});
    let shown = server.show(&server.propose(&unsaid, None).await).await;
    assert_eq!(
        (&shown["plan"]["title"], &shown["action"]["action"]["hours"]),
        (
            &json!("give resize 1024 MB of memory for 7 days"),
            &json!(168)
        )
    );
    let warnings = shown["plan"]["warnings"].to_string();
    assert!(warnings.contains("put back to 512 MB"), "{warnings}");

    let done = tried(&server, false).await;
    let end = BEGIN.plus(24 * HOUR).0.to_string();
    assert_eq!(
        (&done["until_unix_nanos"], &done["kept_by"]),
        (&json!(end), &Value::Null)
    );
    assert_eq!(account.memory_mb(), Some(1024));
    clock.advance(24 * HOUR);
    let server = again(&account, &clock, server.stop().await).await;
    server.until("throughline undid").await;
    assert_eq!(account.memory_mb(), Some(512));
    assert_eq!(account.called(), ["UpdateFunctionConfiguration"; 2]);
    let refused = keep(&server, &done).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_memory_size_stays_that_somebody_keeps() {
    for from_the_start in [false, true] {
        let account = Account::default();
        let (server, clock) = acting(&account).await;
        let mut action = tried(&server, from_the_start).await;
        if !from_the_start {
            action = keep(&server, &action).await.json();
            assert_eq!(problems("ActionStanding", &action), "");
        }
        let who = if from_the_start { "ada" } else { "bob" };
        assert_eq!(
            (&action["until_unix_nanos"], &action["kept_by"]),
            (&Value::Null, &json!(who))
        );
        assert_eq!(action["title"], "give resize 1024 MB of memory");
        let again_kept = keep(&server, &action).await;
        assert_eq!(again_kept.status, 409, "{}", again_kept.text());

        // What ends at the same time is undone after it would have been.
        let (link, seen) = server.looked_at(&stop()).await;
        assert_eq!(server.confirm(&link, "pay", &seen).await.status, 200);
        let other = json!({"id": link.0});
        let refused = keep(&server, &other).await;
        assert!(
            refused.text().contains("it ends when it was said"),
            "{}",
            refused.text()
        );
        clock.advance(8 * 24 * HOUR);
        let server = again(&account, &clock, server.stop().await).await;
        server.until("throughline undid").await;
        assert_eq!(server.states().await, ["undone", "done"]);
        assert_eq!(account.memory_mb(), Some(1024));
        // It has a way back all the same.
        let id = action["id"].as_str().expect("a name");
        let undone = server.undo(id).await.json();
        assert_eq!(
            (&undone["state"], &undone["kept_by"]),
            (&json!("undone"), &Value::Null)
        );
        assert_eq!(account.memory_mb(), Some(512));
    }
}

/// Several end at once, and each takes its time: who keeps one meanwhile does not have it put back.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_while_others_are_undone_stays() {
    let account = Account::default();
    let (server, clock) = acting(&account).await;
    let first = json!({"do": "stop", "function": "pay", "hours": 24});
    let (link, seen) = server.looked_at(&first).await;
    assert_eq!(server.confirm(&link, "pay", &seen).await.status, 200);
    let size = tried(&server, false).await;
    let last = json!({"do": "ignore", "node": "function:pay", "kind": "latency", "reason": "known", "days": 1});
    let (link, seen) = server.looked_at(&last).await;
    assert_eq!(server.confirm(&link, "", &seen).await.status, 200);

    let (begun, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let undoing = (Arc::clone(&begun), Arc::clone(&goes_on));
    account.change(|it| it.undoing = Some(undoing));
    clock.advance(24 * HOUR);
    let server = again(&account, &clock, server.stop().await).await;
    let waiting = tokio::time::timeout(Duration::from_secs(30), begun.notified()).await;
    waiting.expect("the first is being undone");
    let kept = keep(&server, &size).await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    account.change(|it| it.undoing = None);
    goes_on.notify_one();
    server.until("throughline undid").await;
    while server.states().await[0] != "undone" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.states().await, ["undone", "done", "undone"]);
    assert_eq!(account.memory_mb(), Some(1024));
}

/// One would be put back to what the other was tried from.
#[tokio::test(flavor = "multi_thread")]
async fn while_one_memory_size_is_tried_another_one_is_refused() {
    let account = Account::default();
    let (server, _) = acting(&account).await;
    let other = json!({"do": "memory", "function": "resize", "memory_mb": 2048});
    let (link, seen) = server.looked_at(&other).await;
    let size = tried(&server, false).await;
    let id = size["id"].as_str().expect("a name");

    let refused = |answer: &Answer| {
        assert_eq!(answer.status, 409, "{}", answer.text());
        let text = answer.text();
        assert!(text.contains("TL0216") && text.contains(id), "{text}");
        assert!(text.contains("undo or keep it first"), "{text}");
    };
    let body = json!({"who": "ada", "action": &other});
    refused(&server.send("/api/v1/actions/propose", &body).await);
    let shown = server.show(&link).await;
    let problem = shown["problem"].as_str().expect("a reason");
    assert!(problem.contains("undo or keep it first"), "{shown:#}");
    // Who has seen it before does not begin it either, also where the account looks as it did.
    account.change(|it| it.memory_mb = None);
    account.called();
    refused(&server.confirm(&link, "", &seen).await);
    assert_eq!(account.called(), [""; 0]);

    assert_eq!(keep(&server, &size).await.status, 200);
    let done = server.confirm(&link, "", &seen).await;
    assert_eq!(done.json()["state"], "done", "{}", done.text());
    assert_eq!(account.memory_mb(), Some(2048));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_size_that_somebody_else_has_set_is_left_at_the_end() {
    let account = Account::default();
    let (server, clock) = acting(&account).await;
    tried(&server, false).await;
    account.change(|it| it.memory_mb = Some(2048));
    account.called();
    clock.advance(24 * HOUR);
    let server = again(&account, &clock, server.stop().await).await;
    server.until("throughline undo_failed").await;
    let action = newest(&server).await;
    assert_eq!(action["state"], "drifted", "{action:#}");
    let why = action["why"].as_str().expect("a reason");
    assert!(
        why.contains("changed since") && why.contains("2048 MB"),
        "{why}"
    );
    assert_eq!(account.memory_mb(), Some(2048));
    assert_eq!(account.called(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_always_ends_cannot_be_kept_by_whoever_confirms_it() {
    let account = Account::default();
    let (server, _) = acting(&account).await;
    let ((id, key), seen) = server.looked_at(&stop()).await;
    let body = json!({"k": key, "who": "ada", "typed": "pay", "seen": seen, "keep": true});
    let refused = server.send(&format!("/act/{id}"), &body).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(account.called(), [""; 0]);
}
