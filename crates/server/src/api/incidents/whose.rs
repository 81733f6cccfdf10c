//! Where an incident is and whose, by the spans of its functions and services.

use std::time::Duration;

use serde_json::Value;
use throughline_insight::detect::Incident;
use throughline_notify::{Line, Whose};
use throughline_query::QueryError;

use crate::api::live::ENVIRONMENT;
use crate::api::queries::Queries;
use crate::detection::quoted;

/// Nothing where no function or service is in it, or they do not say; none where they cannot be asked in time.
pub(crate) async fn whose_of(queries: &Queries, incident: &Incident) -> Option<Whose> {
    let Some(sql) = question(incident) else {
        return Some(Whose::default());
    };
    match tokio::time::timeout(PATIENCE, ask(queries, &sql)).await {
        Ok(Ok(whose)) => Some(whose),
        Ok(Err(error)) => {
            tracing::warn!(%error, incident = incident.id, "whose an incident is cannot be read");
            None
        }
        Err(_) => {
            tracing::warn!(
                incident = incident.id,
                "whose an incident is takes too long to read"
            );
            None
        }
    }
}

async fn ask(queries: &Queries, sql: &str) -> Result<Whose, QueryError> {
    let answer = queries.sql(sql).await?.to_json()?;
    Ok(said(answer["rows"].as_array().map_or(&[], Vec::as_slice)))
}

/// What says most first.
fn question(incident: &Incident) -> Option<String> {
    let nodes = incident.nodes();
    let columns = [("\"faas.name\"", "function:"), ("service", "service:")];
    let of = columns.into_iter().filter_map(|(column, kind)| {
        let names = nodes.iter().filter_map(|node| node.strip_prefix(kind));
        let names: Vec<String> = names.take(NAMES_MAX).map(quoted).collect();
        (!names.is_empty()).then(|| format!("{column} in ({})", names.join(", ")))
    });
    let of: Vec<String> = of.collect();
    (!of.is_empty()).then(|| {
        format!(
            r#"
select "{ENVIRONMENT}", "{}", "{}", count(*) as n from spans
where time >= to_timestamp_nanos({}) and time < to_timestamp_nanos({}) and ({})
group by 1, 2, 3 order by n desc limit {ROWS_MAX}"#,
            OWNERS[0],
            OWNERS[1],
            incident.since.minus(BEFORE).0,
            incident.since.plus(AFTER).0,
            of.join(" or ")
        )
    })
}

/// What rows of the [`question`] say.
fn said(rows: &[Value]) -> Whose {
    let mut whose = Whose::default();
    for row in rows {
        add(&mut whose.environments, line(&row[0]));
        add(&mut whose.owners, line(&row[1]).or_else(|| line(&row[2])));
    }
    whose
}

fn add(known: &mut Vec<Line>, said: Option<Line>) {
    let said = said.filter(|it| known.len() < EACH_MAX && !known.contains(it));
    known.extend(said);
}

/// An owner may be a number.
fn line(value: &Value) -> Option<Line> {
    let line = match value {
        Value::String(text) => Line::new(text),
        Value::Number(number) => Line::new(&number.to_string()),
        _ => return None,
    };
    (!line.as_str().is_empty()).then_some(line)
}

/// Who says whose a span is, the first that does.
const OWNERS: [&str; 2] = ["service.owner", "team"];
/// What is silent says something before.
const BEFORE: Duration = Duration::from_secs(30 * 60);
const AFTER: Duration = Duration::from_secs(60 * 60);
/// Messages and the page wait for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// Of an incident, functions and services that are asked about.
const NAMES_MAX: usize = 50;
const ROWS_MAX: usize = 100;
/// Environments, and owners, that an incident has.
const EACH_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;
    use throughline_insight::detect::{
        Finding, InIncident, Kind, Measure, Severity, State, Subject,
    };
    use throughline_telemetry::UnixNanos;

    use super::*;

    fn incident(subject: Subject) -> Incident {
        let at = UnixNanos(7_200_000_000_000);
        let finding = Finding {
            subject,
            kind: Kind::Errors,
            before: None,
            after: Measure::exact(0.5, 100),
            since: at,
            seen: at,
            confidence: 0.99,
            severity: Severity::Warning,
            change: None,
        };
        Incident {
            id: 1,
            since: at,
            opened: at,
            state: State::Open,
            findings: vec![InIncident {
                finding,
                goes_on: true,
            }],
        }
    }

    #[test]
    fn functions_and_services_are_asked_about_and_nothing_else() {
        let asked = question(&incident(Subject::Node("table:user".to_owned())));
        assert_eq!(asked, None);
        let edge = Subject::Edge(
            "function:o'pay".to_owned(),
            "service:web".to_owned(),
            "GET".to_owned(),
        );
        assert_eq!(
            question(&incident(edge)).unwrap(),
            r#"
select "deployment.environment.name", "service.owner", "team", count(*) as n from spans
where time >= to_timestamp_nanos(5400000000000) and time < to_timestamp_nanos(10800000000000) and ("faas.name" in ('o''pay') or service in ('web'))
group by 1, 2, 3 order by n desc limit 100"#
        );
    }

    #[test]
    fn each_that_is_said_is_there_once_and_few_are() {
        let of = |rows: Value| said(rows.as_array().unwrap());
        let lines = |texts: &[&str]| -> Vec<Line> { texts.iter().map(|it| (*it).into()).collect() };
        let whose = of(json!([
            ["prod", "payments", "seven", 90],
            ["staging", null, "shop", 20],
            ["prod", "", 7, 9],
            [null, null, "shop", 1],
            [null, null, null, 1]
        ]));
        assert_eq!(whose.environments, lines(&["prod", "staging"]));
        assert_eq!(whose.owners, lines(&["payments", "shop", "7"]));
        assert_eq!(of(json!([])), Whose::default());
        let many: Vec<Value> = (0..20)
            .map(|at| json!([format!("pr-{at}"), null, null, 1]))
            .collect();
        let whose = said(&many);
        assert_eq!(whose.environments.len(), 8);
        assert_eq!(whose.environments[7].as_str(), "pr-7");
    }
}
