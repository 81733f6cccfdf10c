//! The memory that an incident's function is offered: what its last week advises, where that says something.

use std::collections::BTreeMap;
use std::time::Duration;

use throughline_act::Action;
use throughline_insight::detect::{Finding, Incident, Kind};
use throughline_insight::rightsize::{Advice, Need, relief};
use throughline_telemetry::UnixNanos;

use crate::api::advice;
use crate::api::queries::Queries;

/// What can be done about a finding.
pub(in crate::api) struct Fit {
    /// The finding, as a sentence.
    pub(in crate::api) finding: String,
    /// What can be done, with why just so where that is known.
    pub(in crate::api) actions: Vec<(Action, Option<String>)>,
}

/// What the findings of an incident lack that more memory may give, by their sentences.
pub(super) type Needs = BTreeMap<String, Need>;

pub(super) fn needs(incident: &Incident) -> Needs {
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

/// The same actions with the memory that is advised, and why. Where nothing is advised, or not soon, they stay as they are.
pub(super) async fn advised(
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
    for function in functions {
        let asked = advice::of_last_week(queries, &function, now);
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Some(told))) => {
                advice.insert(function, told);
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "no memory is advised for an incident"),
            Err(_) => tracing::warn!(function, "memory is not advised in time for an incident"),
        }
    }
    let fit = fitting.into_iter().map(|(finding, actions)| {
        let need = needs.get(&finding).copied();
        let actions = actions.into_iter();
        Fit {
            actions: actions
                .map(|action| with_advice(action, need, &advice))
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
) -> (Action, Option<String>) {
    let Action::Memory { function, .. } = &action else {
        return (action, None);
    };
    let told = need.zip(advice.get(&function.to_string()));
    match told.and_then(|(need, advice)| relief(advice, need)) {
        Some(relief) => (
            Action::Memory {
                function: function.clone(),
                memory_mb: relief.memory_mb,
            },
            Some(relief.why),
        ),
        None => (action, None),
    }
}

/// Of one incident, those that advice is read for.
const FUNCTIONS_MAX: usize = 3;
/// Nobody waits longer for what an incident is only completed by.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use throughline_insight::rightsize::{Invocation, Setup, advise};

    use super::*;

    /// A function with 512 MB that is at work all the time.
    fn busy() -> BTreeMap<String, Advice> {
        let run = Invocation {
            duration_ms: 680.0,
            cpu_ms: Some(200.0),
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
        let advice = busy();
        let twice = action(r#"{"do":"memory","function":"pay","memory_mb":1024}"#);
        let (advised, why) = with_advice(twice.clone(), Some(Need::Time), &advice);
        let best = advice["pay"].recommendation.as_ref().unwrap();
        let Action::Memory { memory_mb, .. } = advised else {
            panic!("{advised:?}");
        };
        assert_eq!(memory_mb, best.point.memory_mb);
        assert_eq!(why, Some(best.to_string()));
        // Of another function nothing is known, and a stop has no size.
        let plain = |action: &Action, need| {
            let same = with_advice(action.clone(), need, &advice);
            assert_eq!(same, (action.clone(), None));
        };
        plain(
            &action(r#"{"do":"stop","function":"pay","hours":1}"#),
            Some(Need::Time),
        );
        plain(
            &action(r#"{"do":"memory","function":"web","memory_mb":1024}"#),
            Some(Need::Time),
        );
        plain(&twice, None);
    }
}
