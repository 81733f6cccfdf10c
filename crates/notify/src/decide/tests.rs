use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::notice::{Line, Whose};
use crate::outbox::Outbox;
use crate::testing::{at, hook, notice, settings};

fn check(more: Value, severity: Severity, expected: &[(&str, Fate)]) {
    let mut json = json!({
        "environment": "production",
        "receivers": [hook("a", json!({})), hook("b", json!({}))],
        "routes": [{"name": "all", "receivers": ["a", "b"]}]
    });
    for (name, value) in more.as_object().unwrap() {
        json[name] = value.clone();
    }
    let notice = notice("incident-1", Phase::Opened, severity);
    let decisions = decide(&settings(json), &notice, notice.at, &ToldAll::default());
    let fates: Vec<(&str, Fate)> = decisions
        .iter()
        .map(|it| (it.receiver.as_str(), it.fate))
        .collect();
    assert_eq!(fates, expected, "{more}");
}

#[test]
fn routes_go_by_severity_environment_and_node() {
    let route = |more: Value| {
        let mut first = json!({"name": "first", "receivers": ["a"]});
        for (name, value) in more.as_object().unwrap() {
            first[name] = value.clone();
        }
        json!({"routes": [first, {"name": "rest", "receivers": ["b"], "environments": ["nowhere"]}]})
    };
    let told: &[(&str, Fate)] = &[("a", Fate::Deliver)];
    check(route(json!({})), Severity::Warning, told);
    check(route(json!({})), Severity::Note, &[]);
    check(
        route(json!({"severity": "critical"})),
        Severity::Warning,
        &[],
    );
    check(
        route(json!({"environments": ["prod*"]})),
        Severity::Critical,
        told,
    );
    check(
        route(json!({"environments": ["staging"]})),
        Severity::Critical,
        &[],
    );
    // The table is in the second finding.
    check(
        route(json!({"nodes": ["table:*"]})),
        Severity::Warning,
        told,
    );
    check(
        route(json!({"nodes": ["function:ship", "queue:*"]})),
        Severity::Warning,
        &[],
    );
}

/// Which routes, each named after its receiver, take a notice of the server `production` where this is known of it.
fn taken([environments, owners]: [&[&str]; 2], routes: &Value) -> Vec<String> {
    let names = ["a", "b", "c"];
    let mut routes = routes.as_array().unwrap().clone();
    for (route, name) in routes.iter_mut().zip(names) {
        (route["name"], route["receivers"]) = (name.into(), json!([name]));
    }
    let settings = settings(json!({
        "environment": "production",
        "receivers": names.map(|name| hook(name, json!({}))),
        "routes": routes
    }));
    let lines = |texts: &[&str]| -> Vec<Line> { texts.iter().map(|it| Line::new(it)).collect() };
    let mut notice = notice("incident-1", Phase::Opened, Severity::Warning);
    notice.whose = Whose {
        environments: lines(environments),
        owners: lines(owners),
    };
    let decisions = decide(&settings, &notice, notice.at, &ToldAll::default());
    decisions.into_iter().map(|it| it.receiver).collect()
}

#[test]
fn owners_are_told_of_what_is_theirs() {
    let routes = json!([{"owners": ["pay*"]}, {"owners": ["shop", "web"]}, {}]);
    let of = |owners: &[&str]| taken([&[], owners], &routes);
    assert_eq!(of(&["payments"]), ["a", "c"]);
    assert_eq!(of(&["web"]), ["b", "c"]);
    assert_eq!(of(&["payments", "shop"]), ["a", "b", "c"]);
    assert_eq!(of(&["search"]), ["c"]);
    // Of nobody is not of anybody.
    assert_eq!(of(&[]), ["c"]);
    let all =
        json!([{"owners": ["*"]}, {"owners": ["pay*"], "nodes": ["queue:*"]}, {"owners": []}]);
    assert_eq!(taken([&[], &[]], &all), ["c"]);
    assert_eq!(taken([&[], &["payments"]], &all), ["a", "c"]);
}

#[test]
fn where_it_runs_goes_before_what_is_said_of_the_server() {
    let routes = json!([{"environments": ["prod*"]}, {"environments": ["stag*"]},
        {"environments": ["staging"], "owners": ["payments"]}]);
    let of = |environments: &[&str], owners: &[&str]| taken([environments, owners], &routes);
    assert_eq!(of(&[], &[]), ["a"]);
    assert_eq!(of(&["staging"], &[]), ["b"]);
    assert_eq!(of(&["staging", "prod-eu"], &[]), ["a", "b"]);
    assert_eq!(of(&["staging"], &["payments"]), ["b", "c"]);
    assert_eq!(of(&["dev"], &["payments"]), Vec::<String>::new());
}

#[test]
fn mutes_hold_for_all_that_a_notice_is_made_of_or_for_nothing() {
    let both: &[(&str, Fate)] = &[("a", Fate::Deliver), ("b", Fate::Deliver)];
    let none: &[(&str, Fate)] = &[
        ("a", Fate::Drop(Reason::Muted)),
        ("b", Fate::Drop(Reason::Muted)),
    ];
    let mutes = |mutes: Value| json!({"mutes": mutes});
    let one = json!({"nodes": "function:pay", "kinds": "latency"});
    check(mutes(json!([one])), Severity::Critical, both);
    let other = json!({"nodes": "*", "kinds": "new_*"});
    check(mutes(json!([one, other])), Severity::Critical, none);
    let all = json!({"nodes": "function:*", "kinds": "*"});
    check(mutes(json!([all])), Severity::Critical, none);
    let ended = json!({"nodes": "*", "kinds": "*", "until_unix_nanos": 1});
    check(mutes(json!([ended])), Severity::Critical, both);
}

#[test]
fn calls_of_one_are_muted_and_those_of_others_are_not() {
    let receivers = json!([hook("a", json!({}))]);
    let routes = json!([{"name": "all", "receivers": ["a"]}]);
    let mute = json!({"nodes": "function:pay", "to": "table:users", "kinds": "new_edge"});
    let settings =
        settings(json!({"receivers": receivers, "routes": routes, "mutes": [mute.clone()]}));
    let is_muted = |nodes: &[&str]| {
        let mut notice = notice("incident-1", Phase::Opened, Severity::Warning);
        notice.matters.truncate(1);
        notice.matters[0].kind = "new_edge".to_owned();
        notice.matters[0].nodes = nodes.iter().map(|it| (*it).to_owned()).collect();
        let decisions = decide(&settings, &notice, notice.at, &ToldAll::default());
        decisions[0].fate == Fate::Drop(Reason::Muted)
    };
    assert!(is_muted(&["function:pay", "table:users"]));
    assert!(!is_muted(&["function:pay", "table:audit"]));
    assert!(!is_muted(&["function:shop", "function:pay"]));
    assert!(!is_muted(&["table:users", "function:pay"]));
    assert!(!is_muted(&["function:pay"]));
    let written = serde_json::to_value(settings.raw()).unwrap();
    assert_eq!(written["mutes"][0]["to"], mute["to"]);
}

#[test]
fn one_receiver_is_not_bothered_and_the_other_is() {
    let mute = |person: &str| json!({"nodes": "function:*", "kinds": "*", "person": person});
    let a: &[(&str, Fate)] = &[("a", Fate::Drop(Reason::Muted)), ("b", Fate::Deliver)];
    check(json!({"mutes": [mute("a")]}), Severity::Critical, a);
    let both: &[(&str, Fate)] = &[("a", Fate::Deliver), ("b", Fate::Deliver)];
    check(json!({"mutes": [mute("c")]}), Severity::Critical, both);
}

#[test]
fn what_an_alertmanager_has_told_is_told_to_all_but_alertmanagers() {
    let channel = json!({"type": "alertmanager", "url": "http://alertmanager:9093"});
    let settings = settings(json!({
        "receivers": [hook("a", json!({})), {"name": "am", "channel": channel}],
        "routes": [{"name": "all", "receivers": ["a", "am"]}]
    }));
    let check = |kind: &str, expected: Fate| {
        let mut notice = notice("incident-1", Phase::Opened, Severity::Critical);
        notice.matters.truncate(1);
        notice.matters[0].kind = kind.to_owned();
        let decisions = decide(&settings, &notice, notice.at, &ToldAll::default());
        let fates: Vec<Fate> = decisions.iter().map(|it| it.fate).collect();
        assert_eq!(fates, [Fate::Deliver, expected], "{kind}");
    };
    check("alertmanager", Fate::Drop(Reason::KnowsIt));
    check("prometheus", Fate::Deliver);
    check("latency", Fate::Deliver);
}

#[test]
fn quiet_hours_and_digests_hold_what_matters_less() {
    let receivers = json!({"receivers": [
        hook("a", json!({"utc_offset_minutes": 60, "quiet_hours": {"from": "15:00", "to": "18:00"}})),
        hook("b", json!({"digest": {"minutes": 30, "up_to": "warning"}}))
    ]});
    let six = at("2026-11-22T17:00:00Z");
    let half_past = at("2026-11-22T14:34:00Z");
    let held = [("a", Fate::Hold(six)), ("b", Fate::Hold(half_past))];
    check(receivers.clone(), Severity::Warning, &held);
    let told = [("a", Fate::Deliver), ("b", Fate::Deliver)];
    check(receivers, Severity::Critical, &told);
}

#[test]
fn whoever_gets_it_is_told_why() {
    let json = json!({
        "receivers": [hook("a", json!({}))],
        "routes": [{"name": "payments", "receivers": ["a"], "nodes": ["function:pay*"],
            "owners": ["payments", "shop"], "environments": ["prod*"]}]
    });
    let mut notice = notice("incident-1", Phase::Opened, Severity::Critical);
    notice.whose.owners = vec!["shop".into()];
    let decisions = decide(&settings(json), &notice, notice.at, &ToldAll::default());
    assert_eq!(
        decisions[0].why,
        "the route \"payments\" sends warnings and worse of function:pay* owned by payments, shop in prod* here"
    );
}

/// One thing that happens to an incident, some time later.
type Happening = (u8, u8, u16);

fn phase_of(number: u8) -> Phase {
    [
        Phase::Opened,
        Phase::Grew,
        Phase::Closed,
        Phase::Acknowledged,
    ][usize::from(number % 4)]
}

fn severity_of(number: u8) -> Severity {
    [Severity::Note, Severity::Warning, Severity::Critical][usize::from(number % 3)]
}

proptest! {
    /// Whatever happens, in any order and with any pauses: a receiver hears the same thing twice in a row only if
    /// it is worse, never hears the end of what it did not hear the beginning of, and never hears two ends in a row.
    #[test]
    fn nobody_is_told_twice(happenings in proptest::collection::vec(any::<Happening>(), 1..60), waits in any::<bool>()) {
        let more = match waits {
            true => json!({"quiet_hours": {"from": "22:00", "to": "07:00"}, "digest": {"minutes": 45}}),
            false => json!({}),
        };
        let settings = settings(json!({
            "receivers": [hook("a", more)],
            "routes": [{"name": "all", "receivers": ["a"], "severity": "warning"}]
        }));
        let mut outbox = Outbox::default();
        let mut now = at("2026-11-22T14:00:00Z");
        let mut heard: Option<(bool, Severity)> = None;
        for (phase, severity, pause) in happenings {
            now = now.plus(std::time::Duration::from_secs(u64::from(pause)));
            let mut notice = notice("incident-1", phase_of(phase), severity_of(severity));
            notice.at = now;
            outbox.take(&settings, &notice, now);
            for job in outbox.due(&settings, now) {
                outbox.done(job.id, &crate::outbox::Outcome::Sent, now);
                let crate::outbox::Content::Notice(told, _) = job.content else {
                    panic!("one notice is no letter");
                };
                let ended = told.phase == Phase::Closed;
                match heard {
                    Some((true, before)) => prop_assert!(ended || told.severity > before),
                    // What waited may have begun and ended meanwhile.
                    Some((false, _)) | None => prop_assert!(!ended || waits),
                }
                heard = Some((!ended, told.severity));
            }
        }
    }

    /// Everybody whom a route leads to hears of it, and nobody else.
    #[test]
    fn routes_reach_whom_they_name(routes in proptest::collection::vec((0usize..3, 0u8..3, any::<bool>()), 0..6), severity in 0u8..3) {
        let names = ["a", "b", "c"];
        let severities = ["note", "warning", "critical"];
        let mut written: Vec<Value> = routes.iter().map(|(to, least, of_pay)| json!({
            "name": "r", "receivers": [names[*to]], "severity": severities[usize::from(*least)],
            "nodes": [if *of_pay { "function:pay" } else { "function:ship" }]
        })).collect();
        // No receiver is without a route.
        written.push(json!({"name": "never", "receivers": names, "environments": ["nowhere"]}));
        let settings = settings(json!({
            "receivers": names.map(|name| hook(name, json!({}))), "routes": written
        }));
        let notice = notice("incident-1", Phase::Opened, severity_of(severity));
        let told: Vec<String> = decide(&settings, &notice, notice.at, &ToldAll::default())
            .into_iter().map(|it| it.receiver).collect();
        for (at, name) in names.iter().enumerate() {
            let leads = routes.iter().any(|(to, least, of_pay)| *to == at && severity >= *least && *of_pay);
            prop_assert_eq!(told.iter().filter(|it| it == name).count(), usize::from(leads));
        }
    }
}
