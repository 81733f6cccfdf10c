//! The service with files, a clock that the test moves, and servers of this machine.

#![allow(clippy::unwrap_used)] // tests, helpers too

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use throughline_notify::settings::Mute;
use throughline_notify::{
    Addressee, Choices, Choosing, Link, Notice, Outcome, Phase, SetError, Teller,
};
use throughline_telemetry::UnixNanos;
use throughline_testkit::{Hook, Mailbox, SimClock};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const BEGIN: UnixNanos = UnixNanos(1_795_356_300_000_000_000);

/// Makes links that name whom they are for.
struct Links;

impl Choices for Links {
    fn choices<'a>(&'a self, notice: &'a Notice, to: Addressee<'a>) -> Choosing<'a> {
        let link = Link {
            text: "Ignore from now on".into(),
            href: format!("/act/{}?for={}:{}", notice.about, to.channel, to.person),
        };
        Box::pin(async move { vec![link] })
    }
}

struct Running {
    teller: Teller,
    clock: SimClock,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Running {
    fn on(directory: &TempDir, clock: &SimClock) -> Self {
        let shown = clock.clone();
        let now = Arc::new(move || shown.now());
        let (teller, errors) = Teller::open(
            directory.path(),
            "https://t.example".to_owned(),
            now,
            |_| None,
            Arc::new(Links),
        );
        assert!(errors.is_empty(), "{errors:?}");
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(teller.clone().run(stopped));
        Running {
            teller,
            clock: clock.clone(),
            stop,
            running,
        }
    }

    fn set(&self, settings: Value) {
        self.teller
            .set(serde_json::from_value(settings).unwrap(), None)
            .unwrap();
    }

    fn notice(&self, phase: Phase) -> Notice {
        let mut notice = Notice::sample("https://t.example", "test", BEGIN);
        notice.about = "incident-1".to_owned();
        notice.phase = phase;
        notice.at = self.clock.now();
        notice
    }

    fn tell(&self, phase: Phase) {
        self.teller.tell(&self.notice(phase));
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.running.await.unwrap();
    }
}

fn to_hook(hook: &Hook) -> Value {
    json!({
        "receivers": [{"name": "a", "channel":
            {"type": "webhook", "url": hook.url("/in"), "secret": "sixteen letters!"}}],
        "routes": [{"name": "all", "receivers": ["a"], "severity": "note"}]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_is_not_told_again_after_a_restart_and_what_waits_is() {
    let (directory, clock, hook) = (
        tempfile::tempdir().unwrap(),
        SimClock::at(BEGIN),
        Hook::start().await,
    );
    let first = Running::on(&directory, &clock);
    first.set(to_hook(&hook));
    first.tell(Phase::Opened);
    assert!(hook.wait_for(1).await[0].body.contains("\"opened\""));
    // They are down when it ends, and the server stops meanwhile.
    hook.answer_next(503, "");
    first.tell(Phase::Closed);
    let refused = hook.wait_for(2).await;
    first.stop().await;

    let second = Running::on(&directory, &clock);
    second.tell(Phase::Closed);
    assert_eq!(hook.requests().len(), 2);
    clock.advance(Duration::from_secs(60));
    second.tell(Phase::Grew);
    let all = hook.wait_for(3).await;
    assert_eq!(
        all[2].header("idempotency-key"),
        refused[1].header("idempotency-key")
    );
    assert_ne!(
        all[2].header("idempotency-key"),
        all[0].header("idempotency-key")
    );
    second.stop().await;
    let shown = std::fs::read_to_string(directory.path().join("notifications.state")).unwrap();
    assert!(!shown.contains("sixteen letters!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_stops_the_mails_to_one_address() {
    let (directory, clock, mailbox) = (
        tempfile::tempdir().unwrap(),
        SimClock::at(BEGIN),
        Mailbox::start().await,
    );
    let running = Running::on(&directory, &clock);
    let address = mailbox.address();
    running.set(json!({
        "receivers": [{"name": "a", "channel": {"type": "email", "to": ["x@example.com", "y@example.com"],
            "from": "t@example.com", "smtp": {"host": address.ip(), "port": address.port(), "tls": "none"}}}],
        "routes": [{"name": "all", "receivers": ["a"], "severity": "note"}]
    }));
    running.tell(Phase::Opened);
    let mails = mailbox.wait_for(2).await;
    let to_x = mails.iter().find(|it| it.to == ["x@example.com"]).unwrap();
    let link = to_x.header("List-Unsubscribe");
    let query = link
        .trim_matches(['<', '>'])
        .split_once('?')
        .unwrap()
        .1
        .to_owned();
    let signature = query.split("k=").nth(1).unwrap();
    assert!(running.teller.may_stop("a", "x@example.com", signature));
    assert!(!running.teller.may_stop("a", "y@example.com", signature));
    running.teller.stop("a", "x@example.com").unwrap();
    running.tell(Phase::Closed);
    let mails = mailbox.wait_for(3).await;
    assert_eq!(mails[2].to, ["y@example.com"]);
    assert!(
        mails[2].header("Subject").starts_with("Re: "),
        "{}",
        mails[2].text
    );
    running.stop().await;
    let again = Running::on(&directory, &clock);
    assert_eq!(again.teller.settings().raw().unsubscribed.len(), 1);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_has_links_of_their_own_to_choose_by() {
    let (directory, clock, mailbox, hook) = (
        tempfile::tempdir().unwrap(),
        SimClock::at(BEGIN),
        Mailbox::start().await,
        Hook::start().await,
    );
    let running = Running::on(&directory, &clock);
    let address = mailbox.address();
    running.set(json!({
        "receivers": [
            {"name": "mail", "channel": {"type": "email", "to": ["x@example.com", "y@example.com"],
                "from": "t@example.com", "smtp": {"host": address.ip(), "port": address.port(), "tls": "none"}}},
            {"name": "hook", "channel":
                {"type": "webhook", "url": hook.url("/in"), "secret": "sixteen letters!"}}],
        "routes": [{"name": "all", "receivers": ["mail", "hook"], "severity": "note"}]
    }));
    let link = |whom: &str| format!("https://t.example/act/incident-1?for={whom}");
    hook.answer_next(503, "");
    running.tell(Phase::Opened);
    for mail in mailbox.wait_for(2).await {
        let link = link(&format!("mail:{}", mail.to[0]));
        let body = mail.body();
        assert!(
            body.contains(&format!("- Ignore from now on: {link}\n")),
            "{body}"
        );
    }
    // What is sent again has them as well, and what has ended has none.
    hook.wait_for(1).await;
    clock.advance(Duration::from_secs(60));
    running.tell(Phase::Closed);
    let requests = hook.wait_for(3).await;
    let actions = |at: usize| -> Value {
        let body: Value = serde_json::from_str(&requests[at].body).unwrap();
        body["actions"][0]["href"].clone()
    };
    assert_eq!(actions(0), link("webhook:hook"));
    assert_eq!(actions(1), link("webhook:hook"));
    assert_eq!(actions(2), "https://t.example/notifications");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_what_the_other_side_said() {
    let (directory, clock, hook) = (
        tempfile::tempdir().unwrap(),
        SimClock::at(BEGIN),
        Hook::start().await,
    );
    let running = Running::on(&directory, &clock);
    running.set(to_hook(&hook));
    hook.answer_next(403, "who are you?");
    let answers = running.teller.test("a").await.unwrap();
    assert_eq!(
        answers[0].1.outcome,
        Outcome::Refused("403 Forbidden: who are you?".to_owned())
    );
    assert!(running.teller.test("b").await.is_none());
    // Nothing of it is remembered.
    assert_eq!(running.teller.health().counters.sent, 0);
    assert_eq!(running.teller.report().messages, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pager_is_told_once_that_somebody_looks_after_it() {
    let (directory, clock, hook) = (
        tempfile::tempdir().unwrap(),
        SimClock::at(BEGIN),
        Hook::start().await,
    );
    let running = Running::on(&directory, &clock);
    running.set(json!({
        "receivers": [{"name": "a", "channel":
            {"type": "pagerduty", "routing_key": "R", "url": hook.url("/v2/enqueue")}}],
        "routes": [{"name": "all", "receivers": ["a"], "severity": "note"}]
    }));
    running.tell(Phase::Opened);
    hook.wait_for(1).await;
    let acted = running.notice(Phase::Acknowledged);
    running.teller.acted(&acted);
    running.teller.acted(&acted);
    let report = running.teller.report();
    assert_eq!((report.told, report.acted), (1, 1));
    running.tell(Phase::Closed);
    let requests = hook.wait_for(3).await;
    let actions: Vec<Value> = requests
        .iter()
        .map(|it| serde_json::from_str::<Value>(&it.body).unwrap()["event_action"].clone())
        .collect();
    assert_eq!(actions, ["trigger", "acknowledge", "resolve"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_any_more_has_ended() {
    let (directory, clock, hook) = (
        tempfile::tempdir().unwrap(),
        SimClock::at(BEGIN),
        Hook::start().await,
    );
    let running = Running::on(&directory, &clock);
    running.set(to_hook(&hook));
    running.tell(Phase::Opened);
    let known = BTreeSet::from(["incident-1".to_owned()]);
    running.teller.forget_others(&known);
    running.teller.forget_others(&BTreeSet::new());
    running.teller.forget_others(&BTreeSet::new());
    let requests = hook.wait_for(2).await;
    assert!(requests[1].body.contains("\"closed\""));
    assert!(requests[1].body.contains("nothing more is known of it: "));
    assert!(!running.teller.is_open("incident-1"));
    assert_eq!(running.teller.report().messages, 2);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_meanwhile_is_not_overwritten() {
    let (directory, clock, hook) = (
        tempfile::tempdir().unwrap(),
        SimClock::at(BEGIN),
        Hook::start().await,
    );
    let running = Running::on(&directory, &clock);
    running.set(to_hook(&hook));
    let read = running.teller.settings();
    let edition = read.edition();
    running.teller.stop("a", "x@example.com").unwrap();
    let refused = running.teller.set(read.masked(), Some(&edition));
    assert!(matches!(refused, Err(SetError::Changed)), "{refused:?}");
    let settings = running.teller.settings();
    assert_eq!(settings.raw().unsubscribed.len(), 1);
    let edition = settings.edition();
    let taken = running.teller.set(settings.masked(), Some(&edition));
    assert!(taken.is_ok(), "{taken:?}");

    // What is muted elsewhere stays so when settings change.
    let sample = running.notice(Phase::Opened);
    running.teller.mute(vec![Mute {
        nodes: sample.node().into(),
        to: None,
        kinds: "*".into(),
        person: Some("a".to_owned()),
        until_unix_nanos: None,
        reason: String::new(),
    }]);
    running.set(to_hook(&hook));
    running.teller.tell(&sample);
    assert_eq!(running.teller.health().counters.dropped["muted"], 1);
    running.teller.mute(Vec::new());
    running.teller.tell(&sample);
    hook.wait_for(1).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_a_pager_leaves_nothing_open() {
    let (directory, clock, hook) = (
        tempfile::tempdir().unwrap(),
        SimClock::at(BEGIN),
        Hook::start().await,
    );
    let running = Running::on(&directory, &clock);
    running.set(json!({
        "receivers": [{"name": "page", "channel":
            {"type": "pagerduty", "routing_key": "R0UT1NG", "url": hook.url("/v2/enqueue")}}],
        "routes": [{"name": "all", "receivers": ["page"], "severity": "note"}]
    }));
    let answers = running.teller.test("page").await.unwrap();
    assert_eq!(answers[0].1.outcome, Outcome::Sent);
    let events: Vec<Value> = hook
        .requests()
        .iter()
        .map(|request| serde_json::from_str(&request.body).unwrap())
        .collect();
    let actions: Vec<&Value> = events.iter().map(|it| &it["event_action"]).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(events[0]["dedup_key"], events[1]["dedup_key"]);
    // What is not taken is not ended either.
    hook.answer_next(400, "no such key");
    let answers = running.teller.test("page").await.unwrap();
    assert!(matches!(answers[0].1.outcome, Outcome::Refused(_)));
    assert_eq!(hook.requests().len(), 3);
    running.stop().await;
}
