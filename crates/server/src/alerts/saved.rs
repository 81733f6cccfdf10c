//! Queries that somebody has saved under a name, for colleagues to ask again and for alerts to follow.

use serde::{Deserialize, Serialize};
use throughline_notify::settings::Problems;
use throughline_notify::stop::digest;
use throughline_query::Spec;
use throughline_telemetry::UnixNanos;

use super::check::Checker;
use super::settings::{Asks, without_nulls};

/// Saved queries as they were written. [`SavedQueries`] are those that were checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawSaved {
    /// In the order in which they are shown.
    pub(crate) queries: Vec<SavedQuery>,
}

/// Saved queries that hold together.
#[derive(Clone, Debug, Default)]
pub(crate) struct SavedQueries(RawSaved);

/// A question under a name: one of the three.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedQuery {
    /// What people call it, and alerts that follow it.
    pub(crate) name: String,
    /// A query.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "without_nulls"
    )]
    pub(crate) query: Option<Spec>,
    /// Or a statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sql: Option<String>,
    /// Or a question to the graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) graph: Option<String>,
}

impl SavedQueries {
    /// Checks all of them, and says all that is wrong.
    pub(crate) fn try_new(raw: RawSaved, now: UnixNanos) -> Result<SavedQueries, Problems> {
        let mut checker = Checker::default();
        let names: Vec<&str> = raw.queries.iter().map(|it| it.name.as_str()).collect();
        checker.names("queries", &names, SAVED_MAX, NAME_MAX);
        for (at, saved) in raw.queries.iter().enumerate() {
            let place = |field: &str| format!("queries[{at}].{field}");
            match Asks::one(&saved.query, &saved.sql, &saved.graph) {
                Some(Asks::Query(query)) => {
                    let step = query.granularity.unwrap_or(1.0);
                    checker.that(step > 0.0, &place("query"), || {
                        format!("`granularity` must be seconds, more than 0, not {step}")
                    });
                    // How many points it makes depends on the time that is looked at then.
                    let asked = Spec {
                        granularity: None,
                        ..query.clone()
                    };
                    checker.query(&place("query"), &asked, now);
                }
                Some(Asks::Sql(sql)) => checker.text(&place("sql"), sql),
                Some(Asks::Graph(graph)) => checker.graph(&place("graph"), graph),
                None => checker.that(false, &place("query"), || {
                    "it asks one thing: `query`, `sql` or `graph`".to_owned()
                }),
            }
        }
        checker.finish(SavedQueries(raw))
    }

    pub(crate) fn raw(&self) -> &RawSaved {
        &self.0
    }

    /// Tells these from those before and after them.
    pub(crate) fn edition(&self) -> String {
        digest(&serde_json::to_string(&self.0).unwrap_or_default())
    }

    /// The one of a name.
    pub(super) fn find(&self, name: &str) -> Option<&SavedQuery> {
        self.0.queries.iter().find(|it| it.name == name)
    }

    /// Where in the list it is.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.0.queries.iter().position(|it| it.name == name)
    }
}

const SAVED_MAX: usize = 200;
/// As long as what a browser kept was called.
const NAME_MAX: usize = 120;

#[cfg(test)]
mod tests;
