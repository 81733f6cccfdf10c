//! Where an incident comes from, as its page and messages tell it.

use std::time::Duration;

use throughline_insight::cause::Answer;
use throughline_insight::detect::Incident;

use super::gather::Traces;
use crate::api::error::ApiError;
use crate::api::queries::Queries;
use crate::detection::Detection;

/// The most probable causes of an incident, and who suffers from the first. What only callers say of a node is believed as
/// a whole where their traces show it, as in an investigation. None where nothing is found, or nothing can be read.
pub(crate) async fn cause_of(
    detection: &Detection,
    queries: &Queries,
    incident: &Incident,
) -> Option<Answer> {
    let answer = answer(detection, queries, incident).await;
    answer.unwrap_or_else(|error| {
        tracing::warn!(
            ?error,
            incident = incident.id,
            "where an incident comes from cannot be worked out"
        );
        None
    })
}

async fn answer(
    detection: &Detection,
    queries: &Queries,
    incident: &Incident,
) -> Result<Option<Answer>, ApiError> {
    let Some((question, facts)) = detection.asked(incident).await? else {
        return Ok(None);
    };
    let first = move || {
        let answer = question.answer(&facts);
        (question, facts, answer)
    };
    let (question, mut facts, answer) = queries.blocking(first).await?;
    let Some(answer) = answer else {
        return Ok(None);
    };
    let traces = tokio::time::timeout(TRACES, Traces::load(queries, Some(&answer.told))).await;
    let traces = traces.unwrap_or_else(|_| {
        tracing::warn!(
            incident = incident.id,
            "an incident is explained without its traces, which take too long to read"
        );
        Ok(Traces::default())
    })?;
    facts.shown = traces.shown(&answer.told, &facts);
    if facts.shown.is_empty() {
        return Ok(Some(answer));
    }
    let again = move || question.answer(&facts).or(Some(answer));
    Ok(queries.blocking(again).await?)
}

/// Messages wait for it.
const TRACES: Duration = Duration::from_secs(5);
