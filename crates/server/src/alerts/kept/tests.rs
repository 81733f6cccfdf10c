use std::sync::Arc;

use serde_json::{Value, json};
use throughline_insight::slo::Counts;
use throughline_query::QueryError;

use super::super::saved::SavedQueries;
use super::super::settings::RawSettings;
use super::*;

const HOUR: u64 = 60;

fn at(minute: u64) -> UnixNanos {
    UnixNanos((29_918_880 + minute) * MINUTE_NANOS)
}

fn settings(target: f64, service: &str) -> RawSettings {
    let of = json!([{"column": "service", "op": "=", "value": service}]);
    let good = json!([{"column": "status", "op": "!=", "value": "error"}]);
    let objective = json!({"name": "orders answer", "target": target, "days": 1, "measure": {"spans": {"filters": of, "good": good}}});
    let alert = json!({"name": "many", "query": {"filters": of}, "op": ">", "value": 5});
    serde_json::from_value(json!({"objectives": [objective], "alerts": [alert]})).unwrap()
}

/// As they are after a start with these saved queries.
fn checked(raw: RawSettings, saved: &[Value]) -> Settings {
    let saved = serde_json::from_value(json!({"queries": saved})).unwrap();
    let saved = SavedQueries::try_new(saved, at(0)).unwrap();
    Settings::reopened(raw, Arc::new(saved), at(0)).unwrap()
}

fn counted(minutes: Range<UnixNanos>, bad: u64) -> Counted {
    let counts = Counts {
        good: 100 - bad,
        bad,
    };
    let all = (minutes.start.0 / MINUTE_NANOS)..(minutes.end.0 / MINUTE_NANOS);
    Counted {
        minutes: all
            .map(|it| (UnixNanos(it * MINUTE_NANOS), counts))
            .collect(),
        until: minutes.end,
        ..Counted::default()
    }
}

/// Counts all that is due, and says in how many questions.
fn catch_up(kept: &mut Kept, objective: &Objective, due: UnixNanos, bad: u64) -> usize {
    let mut questions = 0;
    while let Some(minutes) = kept.next_minutes(objective, due) {
        kept.count(objective, Ok(counted(minutes, bad)), due);
        questions += 1;
    }
    questions
}

#[test]
fn the_past_is_counted_and_only_what_is_now_is_judged() {
    let raw = settings(0.99, "orders");
    let objective = &raw.objectives[0];
    let mut kept = Kept::default();
    let due = at(0);
    let first = kept.next_minutes(objective, due).unwrap();
    assert_eq!(first.start, due.minus(Duration::from_secs(24 * 3600)));
    kept.count(objective, Ok(counted(first, 50)), due);
    let watched = kept.objective("orders answer").unwrap();
    assert!(!watched.is_complete && watched.burning.severity().is_none());
    assert_eq!(catch_up(&mut kept, objective, due, 50), 3);
    let watched = kept.objective("orders answer").unwrap();
    assert!(watched.is_complete);
    assert_eq!(watched.burning.severity(), Some(Severity::Critical));
    assert_eq!(watched.last(), Some((Severity::Critical, due)));
    let standing = watched.standing(objective).unwrap();
    assert_eq!(
        standing.counts,
        Counts {
            good: 72_000,
            bad: 72_000
        }
    );
}

#[test]
fn what_fails_is_asked_again_a_minute_later_and_less_of_it() {
    let raw = settings(0.99, "orders");
    let objective = &raw.objectives[0];
    let mut kept = Kept::default();
    let wide = kept.next_minutes(objective, at(0)).unwrap();
    let failed = || {
        Err(AskError::Query(QueryError::TooSlow(Duration::from_secs(
            30,
        ))))
    };
    kept.count(objective, failed(), at(0));
    assert_eq!(kept.next_minutes(objective, at(0)), None);
    let narrow = kept.next_minutes(objective, at(1)).unwrap();
    let width = |it: &Range<UnixNanos>| it.end.since(it.start).as_secs() / 60;
    assert_eq!((width(&wide), width(&narrow)), (6 * HOUR, 90));
    let watched = kept.objective("orders answer").unwrap();
    assert!(watched.error.as_ref().unwrap().contains("30s"));
    kept.count(objective, Ok(counted(narrow, 0)), at(1));
    assert!(kept.objective("orders answer").unwrap().error.is_none());
}

#[test]
fn another_target_keeps_what_was_counted_and_another_question_does_not() {
    let raw = settings(0.99, "orders");
    let mut kept = Kept::default();
    catch_up(&mut kept, &raw.objectives[0], at(0), 0);
    kept.settle(&checked(settings(0.999, "orders"), &[]));
    assert!(kept.objective("orders answer").is_some());
    kept.settle(&checked(settings(0.999, "pay"), &[]));
    assert!(kept.objective("orders answer").is_none());
    // An answer that was under way is of something else.
    kept.count(&raw.objectives[0], Ok(counted(at(0)..at(1), 0)), at(1));
    assert!(kept.objective("orders answer").is_none());
}

#[test]
fn an_alert_fires_and_goes_on_after_a_restart() {
    let raw = settings(0.99, "orders");
    let alert = &raw.alerts[0];
    let mut kept = Kept::default();
    let number = |value: f64| {
        Ok(Number {
            value: Some(value),
            ..Number::default()
        })
    };
    assert!(kept.is_due(alert, at(0)));
    kept.answer(alert, number(6.0), at(0));
    assert!(!kept.is_due(alert, at(0)) && kept.is_due(alert, at(1)));
    let text = serde_json::to_string(&kept.saved(at(0))).unwrap();
    assert!(!kept.is_old(at(9)) && kept.is_old(at(10)));
    let mut kept: Kept = serde_json::from_str(&text).unwrap();
    kept.settle(&checked(raw.clone(), &[]));
    let asked = kept.alert("many").unwrap();
    assert_eq!((asked.state.name(), asked.last()), ("firing", Some(at(0))));
    // That nobody can look ends nothing.
    for minute in 1..20 {
        let failed = Err(AskError::Query(QueryError::Failed("no disk".to_owned())));
        kept.answer(alert, failed, at(minute));
    }
    assert_eq!(kept.alert("many").unwrap().state.name(), "firing");
    for minute in 20..26 {
        kept.answer(alert, number(0.0), at(minute));
    }
    assert_eq!(kept.alert("many").unwrap().state.name(), "ok");
}

#[test]
fn an_alert_that_follows_is_asked_anew_when_its_saved_query_is_another() {
    let follows = json!({"name": "many", "saved": "orders", "op": ">", "value": 5});
    let raw: RawSettings = serde_json::from_value(json!({"alerts": [follows]})).unwrap();
    let saved = |of: &str| json!({"name": "orders", "sql": format!("select count(*) from {of}")});
    let spans = checked(raw.clone(), &[saved("spans")]);
    let alert = &spans.alerts()[0];
    let mut kept = Kept::default();
    let number = Ok(Number {
        value: Some(6.0),
        ..Number::default()
    });
    assert!(kept.is_due(alert, at(0)));
    kept.answer(alert, number, at(0));
    kept.settle(&spans);
    assert_eq!(kept.alert("many").unwrap().state.name(), "firing");
    // That it cannot be followed ends nothing, and says why.
    let gone = checked(raw.clone(), &[]);
    kept.settle(&gone);
    let alert = &gone.alerts()[0];
    let why = gone.unfollowed("many").unwrap().to_owned();
    kept.answer(alert, Err(AskError::NotFollowed(why)), at(1));
    let asked = kept.alert("many").unwrap();
    assert_eq!(asked.state.name(), "firing");
    assert_eq!(
        asked.error.as_deref(),
        Some("it cannot follow its saved query: there is no saved query \"orders\"")
    );
    kept.settle(&spans);
    assert_eq!(kept.alert("many").unwrap().state.name(), "firing");
    kept.settle(&checked(raw, &[saved("logs")]));
    assert!(kept.alert("many").is_none());
}
