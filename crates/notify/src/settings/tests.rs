use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;

fn raw(json: Value) -> RawSettings {
    serde_json::from_value(json).unwrap()
}

fn all_channels() -> Value {
    json!({
        "public_url": "https://throughline.example.com",
        "environment": "production",
        "receivers": [
            {"name": "mail", "channel": {"type": "email", "to": ["a@example.com"], "from": "T <t@example.com>",
                "smtp": {"host": "mail.example.com", "username": "t", "password": "hush"}}},
            {"name": "chat", "channel": {"type": "slack", "url": "https://hooks.slack.com/services/T/B/hush"}},
            {"name": "page", "channel": {"type": "pagerduty", "routing_key": "${NOTIFY_PD_KEY}"}},
            {"name": "am", "channel": {"type": "alertmanager", "url": "http://am:9093", "bearer_token": "hush"}},
            {"name": "hook", "channel": {"type": "webhook", "url": "https://example.com/in",
                "secret": "hush-hush-hush-hush"}}
        ],
        "routes": [{"name": "all", "receivers": ["mail", "chat", "page", "am", "hook"]}]
    })
}

#[test]
fn what_is_shown_has_no_secret_and_can_be_written_back() {
    let settings = Settings::try_new(raw(all_channels())).unwrap();
    let shown = serde_json::to_string(&settings.masked()).unwrap();
    assert!(!shown.contains("hush"), "{shown}");
    assert!(shown.contains("${NOTIFY_PD_KEY}"), "{shown}");
    assert!(!format!("{settings:?}").contains("hush"));
    let written: RawSettings = serde_json::from_str(&shown).unwrap();
    assert_eq!(Settings::try_update(written, &settings).unwrap(), settings);
}

#[test]
fn a_mask_is_a_secret_of_the_same_receiver_and_field_only() {
    let settings = Settings::try_new(raw(all_channels())).unwrap();
    let mut other = all_channels();
    other["receivers"][1]["name"] = "other".into();
    other["receivers"][1]["channel"]["url"] = MASK.into();
    other["routes"][0]["receivers"][1] = "other".into();
    let refused = Settings::try_update(raw(other), &settings).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "receivers[1].channel.url: it is masked, and none is known of a receiver of this name that goes there"
    );
    // A webhook that takes the name of the mail's gets neither its password nor its own.
    let mut other = all_channels();
    other["receivers"][0] = json!({"name": "mail", "channel":
        {"type": "webhook", "url": "https://evil.example", "secret": MASK}});
    assert!(Settings::try_update(raw(other), &settings).is_err());
}

/// A channel that keeps its type and name and goes elsewhere would be told the secret of another place.
#[test]
fn a_password_does_not_go_to_another_host() {
    let settings = Settings::try_new(raw(all_channels())).unwrap();
    let mut other = serde_json::to_value(settings.masked()).unwrap();
    other["receivers"][0]["channel"]["smtp"]["host"] = "evil.example".into();
    other["receivers"][3]["channel"]["url"] = "http://evil.example".into();
    let refused = Settings::try_update(raw(other), &settings).unwrap_err();
    let places: Vec<&str> = refused.0.iter().map(|it| it.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "receivers[0].channel.smtp.password",
            "receivers[3].channel.bearer_token"
        ]
    );
}

fn check_problems(json: Value, expected: Expect) {
    let refused = Settings::try_new(raw(json)).unwrap_err();
    let lines: Vec<String> = refused
        .0
        .iter()
        .map(|it| format!("{}: {}\n", it.place, it.why))
        .collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    check_problems(
        json!({
            "public_url": "throughline.example.com/",
            "receivers": [
                {"name": "", "utc_offset_minutes": 900, "channel": {"type": "email", "to": ["nobody", "a@b\nBcc: x@y"],
                    "from": "", "smtp": {"host": "", "username": "u"}}},
                {"name": "page", "channel": {"type": "pagerduty", "routing_key": "${}", "url": "ftp://x"},
                    "quiet_hours": {"from": "22:00", "to": "22:00"}, "digest": {"minutes": 0}},
                {"name": "page", "channel": {"type": "slack", "url": "hush"}},
                {"name": "alone", "channel": {"type": "webhook", "url": "https://x", "secret": "short"}}
            ],
            "routes": [{"name": "a", "receivers": ["pager", "page", ""]}, {"name": "b", "receivers": []}],
            "weekly_report": ["nobody"]
        }),
        expect![[r#"
            public_url: "throughline.example.com/" is no address that begins with https:// or http://
            public_url: it ends with a slash, and paths begin with one
            receivers[0].name: "" is no name: one line of 1 to 100 bytes
            receivers[0].utc_offset_minutes: 900 is no offset from UTC: from -720 to 840
            receivers[0].channel.to[0]: "nobody" is no mail address
            receivers[0].channel.to[1]: "a@b\nBcc: x@y" is no mail address
            receivers[0].channel.from: "" is no mail address
            receivers[0].channel.smtp.host: it is empty
            receivers[0].channel.smtp: a username and a password go together
            receivers[1].quiet_hours: PagerDuty and Alertmanager have schedules of their own
            receivers[1].quiet_hours: they never end: name days, or another time to end at
            receivers[1].digest: PagerDuty and Alertmanager have schedules of their own
            receivers[1].digest: 0 minutes: from 1 to 10080
            receivers[1].channel.routing_key: ${} is no variable for this: its name begins with NOTIFY_
            receivers[1].channel.url: "ftp://x" is no address that begins with https:// or http://
            receivers[2]: there is another receiver of the name "page"
            receivers[2].channel.url: it is no address that begins with https:// or http://
            receivers[3].channel.secret: it has fewer than 16 characters
            routes[0].receivers: there is no receiver "pager"
            routes[1]: it leads to no receiver
            weekly_report: there is no receiver "nobody"
            receivers[3]: no route leads to "alone", so it is never told anything
        "#]],
    );
}

#[test]
fn what_is_not_known_is_refused() {
    let with_more = |more: Value| {
        let mut json = all_channels();
        for (name, value) in more.as_object().unwrap() {
            json["receivers"][1]["channel"][name] = value.clone();
        }
        serde_json::from_value::<RawSettings>(json)
    };
    assert!(with_more(json!({})).is_ok());
    let refused = with_more(json!({"ulr": "x"})).unwrap_err().to_string();
    assert!(refused.contains("unknown field `ulr`"), "{refused}");
}

/// Whoever may set settings says where secrets go, and must not get what else the server was started with.
#[test]
fn no_other_variable_of_the_server_can_be_sent() {
    for name in ["AWS_SECRET_ACCESS_KEY", "THROUGHLINE_API_KEY", "NOTIFY_"] {
        let mut json = all_channels();
        json["receivers"][3]["channel"]["bearer_token"] = format!("${{{name}}}").into();
        let refused = Settings::try_new(raw(json)).unwrap_err().to_string();
        assert!(refused.contains("is no variable for this"), "{refused}");
    }
}

#[test]
fn an_edition_is_of_what_was_written() {
    let first = Settings::try_new(raw(all_channels())).unwrap();
    let same = first.clone().reached_at("https://t.example".to_owned());
    assert_eq!(first.edition(), same.edition());
    let other = first.without("mail", "a@example.com");
    assert_ne!(first.edition(), other.edition());
}

#[test]
fn whoever_asked_first_is_forgotten_at_the_limit() {
    let mut settings = Settings::try_new(raw(all_channels())).unwrap();
    for number in 0..2501 {
        settings = settings.without("mail", &format!("{number}@example.com"));
    }
    let unsubscribed = &settings.raw().unsubscribed;
    assert_eq!(unsubscribed.len(), 2500);
    assert_eq!(unsubscribed[0].address, "1@example.com");
    // What is written can be read again.
    assert!(Settings::try_new(settings.raw().clone()).is_ok());
}
