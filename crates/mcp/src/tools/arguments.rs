//! What each tool takes. The words here are what the assistant reads.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Overview {
    /// Only whether telemetry of this function is missing, and why.
    pub(super) function: Option<String>,
    /// Only what was changed: new versions, code, architectures, memory sizes and timeouts of functions, and what was done
    /// with actions, or of `function` alone, with what was before; within a day unless `from` is said.
    #[serde(default)]
    pub(super) changes: bool,
    /// Since when: RFC 3339, or 15m, 2h, 3d ago; an hour unless it is said.
    pub(super) from: Option<String>,
    /// Until when; now unless it is said.
    pub(super) to: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Find {
    /// What a name should have in it; for values of a key what they begin with.
    #[serde(default)]
    pub(super) text: String,
    /// An attribute key whose most frequent values are wanted, such as `http.route`.
    pub(super) key: Option<String>,
    /// `spans` (unless it is said), `logs` or `metrics`.
    pub(super) dataset: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphQuery {
    /// Such as `MATCH (f:Function)-[c:WRITES]->(t:Table) RETURN f.name, t.name, c.calls, c.p99 ORDER BY c.calls DESC
    /// LIMIT 20 DURING 'last 1h' COMPARED TO 'yesterday'`. Without one, the language and questions that are asked often.
    pub(super) query: Option<String>,
    /// Since when, where the query has no DURING: RFC 3339, or 15m, 2h, 3d ago; an hour unless it is said.
    pub(super) from: Option<String>,
    /// Until when; now unless it is said.
    pub(super) to: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchTraces {
    /// A span is of this service or function.
    pub(super) service: Option<String>,
    /// The same span has this name.
    pub(super) operation: Option<String>,
    /// `error`: some span failed; `ok`: none did.
    pub(super) status: Option<String>,
    /// The whole took at least so many milliseconds.
    pub(super) min_duration_ms: Option<f64>,
    /// The same span has these attributes, each as `key=value`.
    #[serde(default)]
    pub(super) attributes: Vec<String>,
    /// Since when: RFC 3339, or 15m, 2h, 3d ago.
    pub(super) from: Option<String>,
    /// Until when.
    pub(super) to: Option<String>,
    /// How many at most, up to 100; 20 unless it is said.
    pub(super) limit: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetTrace {
    /// A trace id, a request id, the id of a message, or another id that its spans have.
    pub(super) id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchLogs {
    /// Words of the line: `timeout payment`, `"order 1234"`, `/took \d{4,} ms/`, `-retry`.
    pub(super) q: Option<String>,
    /// Only of this service.
    pub(super) service: Option<String>,
    /// Only of this function.
    pub(super) function: Option<String>,
    /// Only of this request.
    pub(super) request_id: Option<String>,
    /// Only of this trace.
    pub(super) trace_id: Option<String>,
    /// 1 to 24: 9 is INFO, 13 WARN, 17 ERROR.
    pub(super) min_severity: Option<u8>,
    /// Conditions that must all hold, such as `order.total>=100` or `error.type exists`.
    #[serde(default, rename = "where")]
    pub(super) conditions: Vec<String>,
    /// Since when: RFC 3339, or 15m, 2h, 3d ago.
    pub(super) from: Option<String>,
    /// Until when.
    pub(super) to: Option<String>,
    /// How many at most, up to 100; 30 unless it is said.
    pub(super) limit: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// One SELECT. Times are compared as in `time >= timestamp '2026-11-22T14:00:00Z'`.
    pub(super) sql: Option<String>,
    /// In place of SQL: {"dataset": "spans", "calculations": [{"op": "P99", "column": "duration_ms"}],
    /// "breakdowns": ["service"], "filters": [{"column": "status", "op": "=", "value": "error"}],
    /// "`time_range`": 3600, "limit": 20}; `time_range` is in seconds.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub(super) query: Option<Value>,
}

/// A condition on a column or an attribute of a span.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    /// `service`, `name`, `status`, `duration_ms`, or the key of an attribute.
    pub(super) column: String,
    /// =, !=, <, <=, >, >=, in, not-in, contains, starts-with, ends-with, matches, exists, does-not-exist.
    pub(super) op: String,
    /// With what; a list for `in` and `not-in`.
    pub(super) value: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Compare {
    /// Those of which it is asked why they are different, such as `duration_ms` > 800.
    pub(super) selection: Vec<Condition>,
    /// Which spans are looked at on both sides, such as service = pay and kind = server.
    #[serde(default)]
    pub(super) among: Vec<Condition>,
    /// Since when: RFC 3339, or 15m, 2h, 3d ago; two hours unless it is said.
    pub(super) from: Option<String>,
    /// Until when; now unless it is said.
    pub(super) to: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Investigate {
    /// What was wrong, what of, and when, in words.
    pub(super) question: String,
    /// Since when, in place of the time in the question: RFC 3339, or 2h ago.
    pub(super) from: Option<String>,
    /// Until when.
    pub(super) to: Option<String>,
    /// How many minutes the clock of whoever asks is ahead of UTC, for words such as "10PM".
    pub(super) utc_offset_minutes: Option<i32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Incidents {
    /// The number of one that is to be shown whole.
    pub(super) id: Option<u64>,
    /// `open` or `closed`; both unless it is said.
    pub(super) state: Option<String>,
    /// `note`, `warning` or `critical`, and worse.
    pub(super) severity: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImpactOf {
    /// Its name, or its id on the map: `checkout`, `function:checkout`, `table:orders`, `queue:mails`.
    pub(super) node: String,
    /// Since when: RFC 3339, or 15m, 2h, 3d ago; an hour unless it is said.
    pub(super) from: Option<String>,
    /// Until when; now unless it is said.
    pub(super) to: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProposeAction {
    /// The number of the incident.
    pub(super) incident: u64,
    /// Which of those that the incident offers: `ignore`, `mute`, `deny`, `stop`, `disable` or `memory`, or a title as it
    /// lists them. Without one, those that it offers.
    pub(super) action: Option<String>,
}
