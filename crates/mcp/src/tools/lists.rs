//! Tools that ask once and show what comes.

use serde_json::{Value, json};

use super::arguments::{
    Compare, Condition, GraphQuery, Incidents, Investigate, Overview, Query, SearchLogs,
    SearchTraces,
};
use crate::answer::Found;
use crate::ask::{Ask, Parameters, percent_encoded, with_query};
use crate::{Api, Failure, time};

pub(super) async fn overview<A: Api>(ask: &Ask<'_, A>, asked: Overview) -> Result<Found, Failure> {
    if asked.changes {
        return changes(ask, asked).await;
    }
    if let Some(function) = asked.function {
        let parameters = Parameters::default().and("function", Some(function));
        let found = ask.get(COMPLETENESS, parameters).await?;
        return Ok(list(found, "functions", "/completeness".to_owned()));
    }
    let from = ask.since(asked.from.as_deref(), HOURS)?;
    let to = ask.time(asked.to.as_deref())?;
    let times = Parameters::default().and("from", Some(from)).and("to", to);
    let services = ask.get("/api/v1/services", times).await?;
    let open = Parameters::default()
        .and("state", Some("open"))
        .and("limit", Some(10));
    let incidents = ask.get("/api/v1/incidents", open).await?;
    let newest = Parameters::default()
        .and("from", Some(from))
        .and("to", to)
        .and("limit", Some(10));
    let changes = ask.get(CHANGES, newest).await?;
    let complete = ask.get(COMPLETENESS, Parameters::default()).await?;
    let functions = complete["functions"].as_array().into_iter().flatten();
    let lacking: Vec<&Value> = functions.filter(|it| lacks(it)).collect();
    Ok(Found {
        total: services["total"].as_u64(),
        truncated: [&services, &incidents, &changes, &complete]
            .into_iter()
            .any(is_cut),
        path: with_query("/", page_times(Some(from), to, ask)),
        next: None,
        telemetry: json!({"open_incidents_total": incidents["total"],
            "open_incidents": incidents["incidents"], "changes_total": changes["total"],
            "changes": changes["changes"], "missing_telemetry": lacking,
            "services": services["services"]}),
    })
}

/// What was changed, of one function or of all.
async fn changes<A: Api>(ask: &Ask<'_, A>, asked: Overview) -> Result<Found, Failure> {
    let from = ask.since(asked.from.as_deref(), DAY_HOURS)?;
    let to = ask.time(asked.to.as_deref())?;
    let subject = asked.function.as_ref();
    let parameters = Parameters::default()
        .and("subject", subject.map(|name| format!("function:{name}")))
        .and("from", Some(from))
        .and("to", to)
        .and("limit", Some(LIMIT_MAX));
    let found = ask.get(CHANGES, parameters).await?;
    let page = match subject {
        Some(name) => format!("/functions/{}", percent_encoded(name)),
        None => {
            let query = Parameters::default().and("q", Some(CHANGED));
            with_query("/graph", times(query, Some(from), to, ask))
        }
    };
    Ok(list(found, "changes", page))
}

/// Whether something of a function is not here.
fn lacks(function: &Value) -> bool {
    let dropped = function["dropped"].as_object();
    function["missing_total"].as_u64().is_some_and(|it| it > 0)
        || dropped.is_some_and(|dropped| !dropped.is_empty())
}

/// Without a query, what can be asked: the words of the language, and the questions that are asked often.
pub(super) async fn graph<A: Api>(ask: &Ask<'_, A>, asked: GraphQuery) -> Result<Found, Failure> {
    let Some(query) = asked.query else {
        let language = ask.get("/api/v1/graph", Parameters::default()).await?;
        return Ok(Found {
            total: None,
            truncated: false,
            path: "/graph".to_owned(),
            next: None,
            telemetry: language,
        });
    };
    let (from, to) = (
        ask.time(asked.from.as_deref())?,
        ask.time(asked.to.as_deref())?,
    );
    let text = |time: Option<u64>| time.map(|time| time.to_string());
    let body = json!({"query": query, "from": text(from), "to": text(to)});
    let found = ask.post("/api/v1/graph/query", body).await?;
    let page = Parameters::default().and("q", Some(query));
    Ok(Found {
        total: found["total"].as_u64(),
        truncated: is_cut(&found),
        path: with_query("/graph", times(page, from, to, ask)),
        next: None,
        telemetry: json!({"columns": found["columns"], "rows": found["rows"],
            "during": found["during"], "compared": found["compared"]}),
    })
}

pub(super) async fn traces<A: Api>(
    ask: &Ask<'_, A>,
    asked: SearchTraces,
) -> Result<Found, Failure> {
    let (from, to) = (
        ask.time(asked.from.as_deref())?,
        ask.time(asked.to.as_deref())?,
    );
    let limit = asked.limit.unwrap_or(20).clamp(1, LIMIT_MAX);
    let narrow = || {
        Parameters::default()
            .and("service", asked.service.as_deref())
            .and("operation", asked.operation.as_deref())
            .and("status", asked.status.as_deref())
            .and_all("attribute", &asked.attributes)
    };
    let parameters = narrow()
        .and("min_duration_ms", asked.min_duration_ms)
        .and("from", from)
        .and("to", to)
        .and("limit", Some(limit));
    let found = ask.get("/api/v1/traces", parameters).await?;
    let min = asked.min_duration_ms.map(|min| format!("{min}ms"));
    let page = times(narrow().and("min", min), from, to, ask);
    Ok(list(found, "traces", with_query("/", page)))
}

pub(super) async fn logs<A: Api>(ask: &Ask<'_, A>, asked: SearchLogs) -> Result<Found, Failure> {
    let (from, to) = (
        ask.time(asked.from.as_deref())?,
        ask.time(asked.to.as_deref())?,
    );
    let limit = asked.limit.unwrap_or(30).clamp(1, LIMIT_MAX);
    let parameters = Parameters::default()
        .and("q", asked.q.as_deref())
        .and("service", asked.service.as_deref())
        .and("function", asked.function.as_deref())
        .and("request_id", asked.request_id.as_deref())
        .and("trace_id", asked.trace_id.as_deref())
        .and("min_severity", asked.min_severity)
        .and_all("where", &asked.conditions)
        .and("from", from)
        .and("to", to)
        .and("limit", Some(limit));
    let found = ask.get("/api/v1/logs", parameters).await?;
    // The page has conditions for what has no field of its own there.
    let mut conditions = asked.conditions;
    for (column, value) in [
        ("faas.name", asked.function),
        ("faas.invocation_id", asked.request_id),
        ("trace_id", asked.trace_id),
    ] {
        conditions.extend(value.map(|value| format!("{column}={value}")));
    }
    let page = Parameters::default()
        .and("q", asked.q)
        .and("service", asked.service)
        .and("min", asked.min_severity)
        .and_all("where", &conditions);
    Ok(list(
        found,
        "logs",
        with_query("/logs", times(page, from, to, ask)),
    ))
}

pub(super) async fn query<A: Api>(ask: &Ask<'_, A>, asked: Query) -> Result<Found, Failure> {
    let (found, page) = match (asked.sql, asked.query) {
        (Some(sql), None) => {
            let found = ask.post("/api/v1/sql", json!({"sql": sql})).await?;
            let page = Parameters::default()
                .and("tab", Some("sql"))
                .and("sql", Some(sql));
            (found, page)
        }
        (None, Some(query)) => {
            let found = ask.post("/api/v1/query", query.clone()).await?;
            let page = Parameters::default().and("query", Some(on_the_page(query)));
            (found, page)
        }
        _ => return Err(Failure("give either sql or query".to_owned())),
    };
    let table = found.get("results").unwrap_or(&found);
    let rows = table["rows"].as_array().map(|rows| rows.len() as u64);
    Ok(Found {
        total: rows,
        truncated: is_cut(table),
        path: with_query("/explore", page),
        next: None,
        telemetry: json!({"columns": table["columns"], "rows": table["rows"]}),
    })
}

pub(super) async fn compare<A: Api>(ask: &Ask<'_, A>, asked: Compare) -> Result<Found, Failure> {
    let from = ask.since(asked.from.as_deref(), 2)?;
    let to = ask.time(asked.to.as_deref())?;
    let selection: Vec<Value> = asked.selection.iter().map(filter).collect();
    let among: Vec<Value> = asked.among.iter().map(filter).collect();
    let end = to.unwrap_or(ask.now.0);
    let question = json!({"filters": among, "selection": {"filters": selection},
        "start_time": from / NANOS, "end_time": end.div_ceil(NANOS)});
    let found = ask.post("/api/v1/contrast", question).await?;
    let filters = [among, selection].concat();
    let draft = on_the_page(json!({"filters": filters}));
    let page = Parameters::default().and("query", Some(draft));
    let page = times(page, Some(from), Some(end), ask);
    let telemetry = json!({"selection": found["selection"], "rest": found["rest"],
        "differences": found["differences"]});
    Ok(Found {
        total: found["total"].as_u64(),
        truncated: is_cut(&found),
        path: with_query("/explore", page),
        next: None,
        telemetry,
    })
}

pub(super) async fn investigate<A: Api>(
    ask: &Ask<'_, A>,
    asked: Investigate,
) -> Result<Found, Failure> {
    let (from, to) = (
        ask.time(asked.from.as_deref())?,
        ask.time(asked.to.as_deref())?,
    );
    let text = |nanos: Option<u64>| nanos.map(|nanos| nanos.to_string());
    let question = json!({"question": asked.question, "from": text(from), "to": text(to),
        "utc_offset_minutes": asked.utc_offset_minutes.unwrap_or(0)});
    let found = ask.post("/api/v1/investigations", question).await?;
    let page = Parameters::default().and("q", Some(asked.question));
    let page = times(page, from, to, ask);
    Ok(Found {
        total: found["causes"].as_array().map(|causes| causes.len() as u64),
        truncated: is_cut(&found),
        path: with_query("/investigate", page),
        next: None,
        telemetry: found,
    })
}

pub(super) async fn incidents<A: Api>(
    ask: &Ask<'_, A>,
    asked: Incidents,
) -> Result<Found, Failure> {
    if let Some(id) = asked.id {
        let path = format!("/api/v1/incidents/{id}");
        let found = ask.get(&path, Parameters::default()).await?;
        return Ok(Found {
            total: found["finding_count"].as_u64(),
            truncated: false,
            path: format!("/incidents/{id}"),
            next: None,
            telemetry: found,
        });
    }
    let parameters = Parameters::default()
        .and("state", asked.state.as_deref())
        .and("severity", asked.severity)
        .and("limit", Some(30));
    let found = ask.get("/api/v1/incidents", parameters).await?;
    let open = asked.state.filter(|state| state == "open");
    let page = with_query("/incidents", Parameters::default().and("show", open));
    Ok(list(found, "incidents", page))
}

/// A page of a list.
fn list(mut found: Value, name: &str, path: String) -> Found {
    Found {
        total: found["total"].as_u64(),
        truncated: is_cut(&found),
        path,
        next: None,
        telemetry: json!({name: found[name].take()}),
    }
}

/// A question as the page writes it into its address: what is compared with is a text.
fn on_the_page(mut question: Value) -> Value {
    let any = question["filter_combination"] == "OR";
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let filters = question.get_mut("filters").and_then(Value::as_array_mut);
    for filter in filters
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        let written = match filter.get("value") {
            None | Some(Value::Null) => String::new(),
            Some(Value::Array(items)) => items.iter().map(text).collect::<Vec<_>>().join(", "),
            Some(value) => text(value),
        };
        filter.insert("value".to_owned(), json!(written));
    }
    json!({"dataset": question["dataset"], "calculations": question["calculations"],
        "breakdowns": question["breakdowns"], "filters": question["filters"], "any": any,
        "limit": question["limit"]})
}

/// Whether there is more than came.
pub(super) fn is_cut(found: &Value) -> bool {
    found["truncated"] == true || found["next_cursor"].is_string()
}

fn filter(condition: &Condition) -> Value {
    let mut filter = json!({"column": condition.column, "op": condition.op});
    if let Some(value) = &condition.value {
        filter["value"] = value.clone();
    }
    filter
}

fn page_times<A: Api>(from: Option<u64>, to: Option<u64>, ask: &Ask<'_, A>) -> Parameters {
    times(Parameters::default(), from, to, ask)
}

/// As the page writes times into its address: both ends, or none.
pub(super) fn times<A: Api>(
    parameters: Parameters,
    from: Option<u64>,
    to: Option<u64>,
    ask: &Ask<'_, A>,
) -> Parameters {
    let ends = from.map(|from| (from, to.unwrap_or(ask.now.0)));
    parameters
        .and("from", ends.map(|(from, _)| time::written(from)))
        .and("to", ends.map(|(_, to)| time::written(to)))
}

const COMPLETENESS: &str = "/api/v1/completeness";
const CHANGES: &str = "/api/v1/changes";
/// The same on the page of the graph.
const CHANGED: &str = "MATCH (f:Function) WHERE f.changed IS NOT NULL RETURN f.name, f.changed ORDER BY f.changed DESC";
const HOURS: u64 = 1;
const DAY_HOURS: u64 = 24;
const LIMIT_MAX: u32 = 100;
const NANOS: u64 = 1_000_000_000;
