//! The memory that is offered for what an incident found, on its page and in messages: what the function's last week
//! advises.
//!
//! Who has too little memory is offered more of it whatever is known. Who is slow is so where a larger size is predicted to
//! be faster, and nowhere else: a foreign host that answers late is not made quicker by it.

use std::collections::BTreeMap;
use std::time::Duration;

use throughline_act::Action;
use throughline_insight::detect::{Finding, Incident, Kind};
use throughline_insight::rightsize::{Advice, Need, relief};
use throughline_telemetry::UnixNanos;

use crate::api::{Queries, of_last_week};

/// What can be done about a finding.
pub(crate) struct Fit {
    /// The finding, as a sentence.
    pub(crate) finding: String,
    /// What can be done, with why just so where that is known.
    pub(crate) actions: Vec<(Action, Option<String>)>,
}

/// What the findings of an incident lack that more memory may give, by their sentences.
pub(crate) type Needs = BTreeMap<String, Need>;

pub(crate) fn needs(incident: &Incident) -> Needs {
    let findings = incident.findings.iter().map(|known| &known.finding);
    let needs = findings.filter_map(|finding| Some((finding.to_string(), need(finding)?)));
    needs.collect()
}

fn need(finding: &Finding) -> Option<Need> {
    match finding.kind {
        Kind::Memory | Kind::Leak { .. } => Some(Need::Room),
        Kind::NearTimeout { .. } | Kind::Latency { .. } => Some(Need::Time),
        _ => None,
    }
}

/// The same actions with the memory that is advised, and why. Where nothing is advised, or not soon, who needs room is
/// offered what they would be, and who needs time no memory.
pub(crate) async fn advised_fit(
    queries: &Queries,
    fitting: Vec<(String, Vec<Action>)>,
    needs: &Needs,
    now: UnixNanos,
) -> Vec<Fit> {
    let all = fitting.iter().flat_map(|(_, actions)| actions);
    let functions = all.filter_map(|action| match action {
        Action::Memory { function, .. } => Some(function.to_string()),
        _ => None,
    });
    let mut functions: Vec<String> = functions.collect();
    functions.sort_unstable();
    functions.dedup();
    functions.truncate(FUNCTIONS_MAX);
    let mut advice = BTreeMap::new();
    let reading = async {
        for function in functions {
            match of_last_week(queries, &function, now).await {
                Ok(told) => advice.extend(told.map(|told| (function, told))),
                Err(error) => tracing::warn!(%error, "no memory is advised for an incident"),
            }
        }
    };
    if tokio::time::timeout(PATIENCE, reading).await.is_err() {
        tracing::warn!("memory is not advised in time for an incident");
    }
    let fit = fitting.into_iter().map(|(finding, actions)| {
        let need = needs.get(&finding).copied();
        let actions = actions.into_iter();
        Fit {
            actions: actions
                .filter_map(|action| with_advice(action, need, &advice))
                .collect(),
            finding,
        }
    });
    fit.collect()
}

fn with_advice(
    action: Action,
    need: Option<Need>,
    advice: &BTreeMap<String, Advice>,
) -> Option<(Action, Option<String>)> {
    let Action::Memory {
        function, hours, ..
    } = &action
    else {
        return Some((action, None));
    };
    let told = need.zip(advice.get(&function.to_string()));
    match told.and_then(|(need, advice)| relief(advice, need)) {
        Some(relief) => {
            let action = Action::Memory {
                function: function.clone(),
                memory_mb: relief.memory_mb,
                hours: *hours,
            };
            Some((action, Some(relief.why)))
        }
        None => (need == Some(Need::Room)).then_some((action, None)),
    }
}

/// Of one incident, those that advice is read for.
const FUNCTIONS_MAX: usize = 3;
/// For all of them. A message waits for its links no longer than five seconds.
const PATIENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use throughline_insight::rightsize::{Invocation, Setup, advise};

    use super::*;

    /// A function with 512 MB whose invocations take 680 ms, with so much processor time.
    fn known(cpu_ms: f64) -> BTreeMap<String, Advice> {
        let run = Invocation {
            duration_ms: 680.0,
            cpu_ms: Some(cpu_ms),
            memory_mb: 512,
            memory_used_mb: Some(100),
            ..Invocation::default()
        };
        let advice = advise(&vec![run; 100], &Setup::default()).unwrap();
        BTreeMap::from([("pay".to_owned(), advice)])
    }

    fn action(json: &str) -> Action {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn memory_is_as_advised_and_everything_else_as_it_was() {
        let advice = known(200.0);
        let twice = action(r#"{"do":"memory","function":"pay","memory_mb":1024}"#);
        let (advised, why) = with_advice(twice.clone(), Some(Need::Time), &advice).unwrap();
        let best = advice["pay"].recommendation.as_ref().unwrap();
        let Action::Memory { memory_mb, .. } = advised else {
            panic!("{advised:?}");
        };
        assert_eq!(memory_mb, best.point.memory_mb);
        assert_eq!(why, Some(best.to_string()));
        // Of another function nothing is known, and a stop has no size.
        let plain = |action: &Action, need| {
            let same = with_advice(action.clone(), need, &advice);
            assert_eq!(same, Some((action.clone(), None)));
        };
        plain(
            &action(r#"{"do":"stop","function":"pay","hours":1}"#),
            Some(Need::Time),
        );
        plain(
            &action(r#"{"do":"memory","function":"web","memory_mb":1024}"#),
            Some(Need::Room),
        );
    }

    #[test]
    fn who_is_slow_is_offered_memory_only_where_it_is_known_to_help() {
        let twice = action(r#"{"do":"memory","function":"pay","memory_mb":1024}"#);
        let none = BTreeMap::new();
        let offered = |need, advice| with_advice(twice.clone(), Some(need), advice);
        assert_eq!(offered(Need::Time, &none), None);
        // It waits for somebody else nearly all the time.
        let waits = known(4.0);
        assert_eq!(offered(Need::Time, &waits), None);
        assert_eq!(offered(Need::Room, &waits), Some((twice.clone(), None)));
    }
}
