use std::time::Duration;

use serde_json::{Value, json};
use throughline_insight::detect::Severity;

use super::*;
use crate::notice::{Line, Matter};
use crate::testing::{at, hook, notice, settings};

struct Story {
    settings: Settings,
    outbox: Outbox,
    now: UnixNanos,
}

impl Story {
    fn new(more: Value) -> Self {
        let settings = settings(json!({
            "receivers": [hook("a", more)],
            "routes": [{"name": "all", "receivers": ["a"], "severity": "note"}]
        }));
        Story {
            settings,
            outbox: Outbox::default(),
            now: at("2026-11-22T14:04:00Z"),
        }
    }

    fn later(&mut self, minutes: u64) -> &mut Self {
        self.now = self.now.plus(Duration::from_secs(minutes * 60));
        self
    }

    fn happens(&mut self, about: &str, phase: Phase, severity: Severity) -> &mut Self {
        let notice = notice(about, phase, severity);
        self.outbox.take(&self.settings, &notice, self.now);
        // Whatever is in between, it could be written down and read again.
        let written = serde_json::to_string(&self.outbox).unwrap();
        let counters = self.outbox.counters.clone();
        self.outbox = serde_json::from_str(&written).unwrap();
        self.outbox.counters = counters;
        self
    }

    fn due(&mut self) -> usize {
        self.outbox.due(&self.settings, self.now).len()
    }

    /// What goes out now, in words: its phase, severity and thread, or the titles of a letter.
    fn goes_out(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let due = self.outbox.due(&self.settings, self.now);
            if due.is_empty() {
                return all;
            }
            for job in due {
                self.outbox.done(job.id, &Outcome::Sent, self.now);
                all.push(match job.content {
                    Content::Notice(it, thread) => {
                        format!(
                            "{} {:?} {} {}",
                            it.about,
                            it.phase,
                            it.severity.name(),
                            thread.before
                        )
                    }
                    Content::Letter(letter) => {
                        let notes = letter.items.iter().map(|it| it.note.to_string());
                        format!("{}: {}", letter.title, notes.collect::<Vec<_>>().join("; "))
                    }
                });
            }
        }
    }
}

#[test]
fn a_beginning_a_worsening_and_an_end_are_told_once() {
    let mut story = Story::new(json!({}));
    story.happens("1", Phase::Opened, Severity::Warning);
    assert_eq!(story.goes_out(), ["1 Opened warning 0"]);
    story.later(5).happens("1", Phase::Grew, Severity::Warning);
    assert!(story.goes_out().is_empty());
    story.later(5).happens("1", Phase::Grew, Severity::Critical);
    assert_eq!(story.goes_out(), ["1 Grew critical 1"]);
    story.later(5).happens("1", Phase::Grew, Severity::Warning);
    story.happens("1", Phase::Acknowledged, Severity::Warning);
    assert!(story.goes_out().is_empty());
    story
        .later(5)
        .happens("1", Phase::Closed, Severity::Critical);
    story.happens("1", Phase::Closed, Severity::Critical);
    assert_eq!(story.goes_out(), ["1 Closed critical 2"]);
    story.later(5).happens("1", Phase::Opened, Severity::Note);
    assert_eq!(story.goes_out(), ["1 Opened note 3"]);
    let dropped = &story.outbox.counters().dropped;
    assert_eq!(
        format!("{dropped:?}"),
        r#"{"already_told": 2, "never_told": 1, "not_for_this": 1}"#
    );
}

/// An Alertmanager knows an alert by its labels, and these are made of it.
#[test]
fn whose_it_was_first_stays_with_it() {
    let mut story = Story::new(json!({}));
    for (phase, owner) in [(Phase::Opened, "payments"), (Phase::Closed, "shop")] {
        let mut notice = notice("1", phase, Severity::Warning);
        notice.whose.owners = vec![owner.into()];
        story.outbox.take(&story.settings, &notice, story.now);
        let job = story.outbox.due(&story.settings, story.now).remove(0);
        story.outbox.done(job.id, &Outcome::Sent, story.now);
        let Content::Notice(told, thread) = job.content else {
            panic!("one notice is no letter");
        };
        assert_eq!(told.whose.owners, [Line::new(owner)]);
        assert_eq!(thread.whose.owners, [Line::new("payments")]);
    }
}

/// The incident of these tests with a finding more, which is of this kind.
fn with(kind: &str, severity: Severity) -> Notice {
    let mut notice = notice("1", Phase::Opened, Severity::Warning);
    notice.matters.push(Matter {
        kind: kind.to_owned(),
        nodes: vec!["function:pay".to_owned()],
        title: Line::new(&format!("function:pay and its {kind}")),
        severity,
    });
    notice
}

#[test]
fn what_is_about_something_else_as_well_is_told_once() {
    for more in [
        json!({}),
        json!({"quiet_hours": {"from": "15:00", "to": "18:00"}}),
    ] {
        let mut story = Story::new(more.clone());
        story.happens("1", Phase::Opened, Severity::Warning);
        assert_eq!(story.goes_out(), ["1 Opened warning 0"]);
        story.later(60);
        for kind in ["latency", "retries", "cost", "cost"] {
            let more = with(kind, Severity::Warning);
            story.outbox.take(&story.settings, &more, story.now);
        }
        // That it costs can wait until the morning, as all of it could.
        story.later(180);
        let told = story.outbox.due(&story.settings, story.now);
        let [
            Job {
                id,
                content: Content::Notice(notice, thread),
                ..
            },
        ] = &told[..]
        else {
            panic!("one message: {told:?}");
        };
        assert_eq!(notice.title.as_str(), "function:pay and its cost");
        assert_eq!(
            (notice.phase, notice.kind(), thread.before),
            (Phase::Grew, "cost", 1)
        );
        let kinds: Vec<&str> = notice.matters.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["cost", "latency", "new_error"]);
        story.outbox.done(*id, &Outcome::Sent, story.now);
        story
            .outbox
            .take(&story.settings, &with("cost", Severity::Warning), story.now);
        assert!(story.later(180).goes_out().is_empty(), "{more}");
    }
    // Who does not hear of notes does not hear of one beside what is worse.
    let mut story = Story::new(json!({}));
    story.settings = settings(json!({
        "receivers": [hook("a", json!({}))], "routes": [{"name": "all", "receivers": ["a"], "severity": "warning"}]
    }));
    story.happens("1", Phase::Opened, Severity::Warning);
    assert_eq!(story.goes_out(), ["1 Opened warning 0"]);
    story.outbox.take(
        &story.settings,
        &with("new_edge", Severity::Note),
        story.now,
    );
    assert!(story.goes_out().is_empty());
}

#[test]
fn where_it_comes_from_is_told_once_it_is_known() {
    let unexplained = |story: &mut Story, severity: Severity| {
        let mut notice = notice("1", Phase::Opened, severity);
        notice.cause = None;
        story.outbox.take(&story.settings, &notice, story.now);
    };
    let mut story = Story::new(json!({}));
    unexplained(&mut story, Severity::Warning);
    assert_eq!(story.goes_out(), ["1 Opened warning 0"]);
    unexplained(story.later(1), Severity::Warning);
    assert!(story.goes_out().is_empty());
    story
        .later(1)
        .happens("1", Phase::Opened, Severity::Warning);
    assert_eq!(story.goes_out(), ["1 Grew warning 1"]);
    story
        .later(1)
        .happens("1", Phase::Opened, Severity::Warning);
    unexplained(&mut story, Severity::Warning);
    assert!(story.goes_out().is_empty(), "once");
    // What comes back is told anew.
    story.happens("1", Phase::Closed, Severity::Warning);
    assert_eq!(story.goes_out(), ["1 Closed warning 2"]);
    unexplained(&mut story, Severity::Warning);
    assert_eq!(story.goes_out(), ["1 Opened warning 3"]);
    story.happens("1", Phase::Opened, Severity::Warning);
    assert_eq!(story.goes_out(), ["1 Grew warning 4"]);
    // Nobody waits for the cause of what is only good to know.
    let mut story = Story::new(json!({}));
    unexplained(&mut story, Severity::Note);
    assert_eq!(story.goes_out(), ["1 Opened note 0"]);
    story.happens("1", Phase::Opened, Severity::Note);
    assert!(story.goes_out().is_empty());
}

#[test]
fn what_waits_for_the_morning_survives_a_look_at_the_same() {
    let night = json!({"quiet_hours": {"from": "15:00", "to": "18:00", "except": "critical"}});
    let mut story = Story::new(night);
    story.happens("1", Phase::Opened, Severity::Note);
    assert_eq!(story.goes_out(), ["1 Opened note 0"]);
    story
        .later(60)
        .happens("1", Phase::Opened, Severity::Warning);
    // As after a restart.
    story
        .later(5)
        .happens("1", Phase::Opened, Severity::Warning);
    assert!(story.goes_out().is_empty());
    assert_eq!(story.later(180).goes_out(), ["1 Opened warning 1"]);
    // What is no worse any more in the morning is nothing new.
    story
        .later(22 * 60)
        .happens("1", Phase::Opened, Severity::Warning);
    story.happens("1", Phase::Opened, Severity::Critical);
    assert_eq!(story.goes_out(), ["1 Opened critical 2"]);
}

#[test]
fn what_was_worse_overnight_only_is_not_told() {
    let night = json!({"quiet_hours": {"from": "15:00", "to": "18:00"}});
    let mut story = Story::new(night);
    story.happens("1", Phase::Opened, Severity::Note);
    assert_eq!(story.goes_out(), ["1 Opened note 0"]);
    story
        .later(60)
        .happens("1", Phase::Opened, Severity::Warning);
    story.later(5).happens("1", Phase::Opened, Severity::Note);
    assert!(story.later(180).goes_out().is_empty());
}

#[test]
fn what_waits_is_told_together_and_as_it_is_by_then() {
    let mut story = Story::new(json!({"digest": {"minutes": 60, "up_to": "warning"}}));
    story.happens("1", Phase::Opened, Severity::Note);
    story
        .later(10)
        .happens("2", Phase::Opened, Severity::Warning);
    story.later(10).happens("1", Phase::Closed, Severity::Note);
    story.later(10).happens("3", Phase::Opened, Severity::Note);
    // What became critical does not wait any longer.
    story.happens("3", Phase::Grew, Severity::Critical);
    assert_eq!(story.goes_out(), ["3 Grew critical 0"]);
    assert_eq!(story.outbox.waiting(), (0, 2));
    assert_eq!(
        story.later(30).goes_out(),
        [
            "2 notices: 1 warning, 1 note: warning · since 2026-11-22 14:02 UTC · production; \
          ended 2026-11-22 17:07 UTC, after 3 h 5 min · production"
        ]
    );
    // That it ended was in it.
    story.happens("1", Phase::Closed, Severity::Note);
    assert!(story.later(120).goes_out().is_empty());
}

#[test]
fn an_end_that_waits_is_forgotten_when_it_goes_on() {
    let night = json!({"quiet_hours": {"from": "15:00", "to": "18:00"}});
    let mut story = Story::new(night);
    story.happens("1", Phase::Opened, Severity::Warning);
    assert_eq!(story.goes_out(), ["1 Opened warning 0"]);
    story
        .later(60)
        .happens("1", Phase::Closed, Severity::Warning);
    story
        .later(20)
        .happens("1", Phase::Opened, Severity::Warning);
    assert!(story.later(600).goes_out().is_empty());
    story.happens("1", Phase::Closed, Severity::Warning);
    assert_eq!(story.goes_out(), ["1 Closed warning 1"]);
}

#[test]
fn what_is_refused_is_not_tried_again_and_what_fails_is_with_longer_pauses() {
    let mut story = Story::new(json!({}));
    story.happens("1", Phase::Opened, Severity::Warning);
    story.happens("2", Phase::Opened, Severity::Warning);
    let begun = story.now;
    let mut pauses = Vec::new();
    let failed = Outcome::Later("503".to_owned(), None);
    loop {
        // The second never overtakes the first.
        let due = story.outbox.due(&story.settings, story.now);
        match due.as_slice() {
            [] => {
                story.now = story.now.plus(Duration::from_secs(1));
                continue;
            }
            [job] if job.id == 1 => {}
            _ => break,
        }
        pauses.push(story.now.since(begun).as_secs());
        story.outbox.done(1, &failed, story.now);
    }
    assert_eq!(pauses[..6], [0, 7, 20, 45, 94, 192]);
    let day = Duration::from_secs(24 * 3600);
    let tried_for = story.now.since(begun);
    assert!(
        tried_for >= day && tried_for < day + Duration::from_secs(900),
        "{tried_for:?}"
    );
    story
        .outbox
        .done(2, &Outcome::Refused("400".to_owned()), story.now);
    assert_eq!(story.outbox.waiting(), (0, 0));
    let counters = story.outbox.counters();
    assert_eq!(
        (counters.refused, counters.given_up, counters.sent),
        (1, 1, 0)
    );
    assert_eq!(counters.retried, u64::try_from(pauses.len() - 1).unwrap());
}

#[test]
fn they_say_how_long_to_wait() {
    let mut story = Story::new(json!({}));
    story.happens("1", Phase::Opened, Severity::Warning);
    let asked = |seconds| Outcome::Later("429".to_owned(), Some(Duration::from_secs(seconds)));
    story.outbox.done(1, &asked(90), story.now);
    assert_eq!(story.later(1).due(), 0);
    assert_eq!(story.later(1).due(), 1);
    // Nobody makes us wait for ever.
    story.outbox.done(1, &asked(1_000_000), story.now);
    assert_eq!(story.later(60).due(), 1);
}

#[test]
fn there_is_an_end_to_what_waits() {
    let mut story = Story::new(json!({}));
    for number in 0..1010 {
        let notice = notice(&format!("incident-{number}"), Phase::Opened, Severity::Note);
        story.outbox.take(&story.settings, &notice, story.now);
    }
    assert_eq!(story.outbox.waiting(), (1000, 0));
    assert_eq!(story.outbox.counters().no_room, 10);
}

#[test]
fn messages_to_whom_is_gone_are_gone() {
    let mut story = Story::new(json!({}));
    story.happens("1", Phase::Opened, Severity::Warning);
    let other = settings(json!({
        "receivers": [hook("b", json!({}))], "routes": [{"name": "all", "receivers": ["b"]}]
    }));
    story.outbox.settle(&other);
    assert_eq!(story.outbox.waiting(), (0, 0));
    assert_eq!(story.outbox.counters().dropped["receiver_gone"], 1);
}

#[test]
fn each_address_has_its_own_mail_until_it_wants_none() {
    let smtp = json!({"host": "mail.example.com", "tls": "none"});
    let channel = json!({"type": "email", "to": ["x@example.com", "y@example.com"], "from": "t@example.com", "smtp": smtp});
    let settings = settings(json!({
        "receivers": [{"name": "m", "channel": channel}], "routes": [{"name": "all", "receivers": ["m"]}]
    }));
    let mut outbox = Outbox::default();
    let first = notice("1", Phase::Opened, Severity::Critical);
    let addresses = |outbox: &mut Outbox, settings: &Settings| -> Vec<String> {
        outbox
            .due(settings, first.at)
            .into_iter()
            .filter_map(|job| job.address)
            .collect()
    };
    outbox.take(&settings, &first, first.at);
    assert_eq!(
        addresses(&mut outbox, &settings),
        ["x@example.com", "y@example.com"]
    );
    let less = settings.without("m", "x@example.com");
    outbox.settle(&less);
    assert_eq!(addresses(&mut outbox, &less), ["y@example.com"]);
    let none = less.without("m", "y@example.com");
    let second = notice("2", Phase::Opened, Severity::Critical);
    let decisions = outbox.take(&none, &second, second.at);
    assert_eq!(decisions[0].fate, Fate::Drop(Reason::Unsubscribed));
}

/// Two people, one of whom has muted what is wrong with `function:pay`.
fn two_people(more: &Value) -> Settings {
    let smtp = json!({"host": "mail.example.com", "tls": "none"});
    let channel = json!({"type": "email", "to": ["x@example.com", "y@example.com"], "from": "t@example.com", "smtp": smtp});
    let mut receiver = json!({"name": "m", "channel": channel});
    for (name, value) in more.as_object().unwrap() {
        receiver[name] = value.clone();
    }
    settings(json!({
        "receivers": [receiver],
        "routes": [{"name": "all", "receivers": ["m"], "severity": "note"}],
        "mutes": [{"nodes": "function:pay", "kinds": "*", "person": "x@example.com"}]
    }))
}

#[test]
fn who_does_not_want_to_be_bothered_is_not_and_the_others_are() {
    let settings = two_people(&json!({}));
    let mut outbox = Outbox::default();
    for phase in [Phase::Opened, Phase::Closed] {
        let told = notice("1", phase, Severity::Critical);
        outbox.take(&settings, &told, told.at);
    }
    let to: Vec<Option<String>> = outbox.jobs.iter().map(|job| job.address.clone()).collect();
    assert_eq!(to, vec![Some("y@example.com".to_owned()); 2]);
}

#[test]
fn a_digest_holds_what_each_wants_to_hear_of() {
    let settings = two_people(&json!({"digest": {"minutes": 60, "up_to": "critical"}}));
    let mut outbox = Outbox::default();
    let mut last = UnixNanos(0);
    for about in ["1", "2", "3"] {
        let mut told = notice(about, Phase::Opened, Severity::Warning);
        if about == "3" {
            told.matters.truncate(1);
            told.matters[0].nodes = vec!["function:ship".to_owned()];
        }
        last = told.at;
        outbox.take(&settings, &told, told.at);
    }
    let due = outbox.due(&settings, last.plus(Duration::from_secs(3600)));
    let items: Vec<(Option<&str>, usize)> = due
        .iter()
        .map(|job| match &job.content {
            Content::Letter(letter) => (job.address.as_deref(), letter.items.len()),
            Content::Notice(..) => panic!("{job:?}"),
        })
        .collect();
    assert_eq!(
        items,
        [(Some("x@example.com"), 1), (Some("y@example.com"), 3)]
    );
}

#[test]
fn mondays_have_a_report_that_proposes_mutes() {
    let mut json = json!({
        "receivers": [hook("a", json!({}))],
        "routes": [{"name": "all", "receivers": ["a"], "severity": "note"}]
    });
    json["weekly_report"] = json!(["a"]);
    let mut story = Story::new(json!({}));
    story.settings = settings(json);
    // Sunday, so the report comes the next morning.
    for about in ["1", "2", "3"] {
        story.happens(about, Phase::Opened, Severity::Note);
        story.happens(about, Phase::Closed, Severity::Note);
    }
    assert_eq!(story.goes_out().len(), 6);
    let monday = at("2026-11-23T08:00:00Z");
    story.now = monday.minus(Duration::from_secs(60));
    assert!(story.goes_out().is_empty());
    story.now = monday.plus(Duration::from_secs(60));
    let due = story.outbox.due(&story.settings, story.now);
    let [
        Job {
            id,
            content: Content::Letter(letter),
            ..
        },
    ] = due.as_slice()
    else {
        panic!("{due:?}");
    };
    assert_eq!(
        letter.title.as_str(),
        "what was told last week: 6 messages about 3 incidents, 0 of which somebody looked after"
    );
    let item = &letter.items[0];
    assert_eq!(item.title.as_str(), "latency of function:pay");
    assert_eq!(
        item.note.as_str(),
        "6 messages about 3 incidents, 0 looked after; nobody ever looked after it: mute it?"
    );
    assert_eq!(
        item.href,
        "https://t.example/notifications?mute=function%3Apay&kind=latency"
    );
    story.outbox.done(*id, &Outcome::Sent, story.now);
    assert!(story.later(60 * 24 * 6).goes_out().is_empty());
    // What somebody looked after is no noise.
    story.happens("4", Phase::Opened, Severity::Note);
    story.goes_out();
    story.outbox.acted("4");
    let report = noise::report(story.outbox.told(), story.now);
    assert_eq!(
        (report.messages, report.acted, report.groups[0].is_noise),
        (7, 1, false)
    );
}
