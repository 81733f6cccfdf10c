//! Which spans show something: conditions that a search and the page understand, which hold for these spans and no others.
//!
//! Some of that only spans can say: by which attribute a table is named, of what type and with which words something
//! failed. So a span that shows it is looked for, and what it says of itself are the conditions.

mod calls;
mod said;

use std::ops::Range;

use serde_json::{Value, json};
use throughline_insight::detect::{Change, Node};
use throughline_store::{Condition, Count, Filter, Operator, SearchQuery};
use throughline_telemetry::{Span, UnixNanos};

use self::calls::Calls;
use self::said::Said;
use super::error::ApiError;
use super::queries::Queries;

/// Spans that are looked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sought {
    /// What holds for them as far as that is known.
    filters: Vec<Condition>,
    /// What they say themselves.
    says: Says,
}

#[derive(Clone, Debug, PartialEq)]
enum Says {
    /// Nothing that is not known.
    Known,
    /// Whom they call.
    Calls(Calls),
    /// How they failed, or what they ran with.
    Said(Said),
}

impl Sought {
    /// What a node did: its own spans, or of what sends none the calls of it.
    pub(super) fn of_node(node: &Node) -> Option<Self> {
        match own(node) {
            Some(own) => Some(Sought::known(vec![own, kinds(&ANSWERS)])),
            None => Sought::calls(None, node, None),
        }
    }

    /// An operation of a node that sends spans.
    pub(super) fn of_operation(node: &Node, operation: &str) -> Option<Self> {
        let name = is("name", Operator::Eq, json!(operation));
        Some(Sought::known(vec![own(node)?, kinds(&ANSWERS), name]))
    }

    /// Calls of a node, as those who call tell of them: of one caller or all, of one operation or all.
    pub(super) fn calls(from: Option<&Node>, to: &Node, operation: Option<&str>) -> Option<Self> {
        let mut filters = Vec::new();
        if let Some(from) = from {
            filters.push(own(from)?);
        }
        filters.push(kinds(&CALLS));
        Some(Sought {
            filters,
            says: Says::Calls(Calls::new(to, operation)?),
        })
    }

    /// Invocations with what a change has brought.
    pub(super) fn changed(change: &Change) -> Option<Self> {
        Some(Sought {
            filters: vec![own(&change.node)?, kinds(&ANSWERS)],
            says: Says::Said(Said::changed(&change.what)?),
        })
    }

    /// Those of them for which this holds too.
    pub(super) fn and(mut self, column: &str, op: Operator, value: Value) -> Self {
        self.filters.push(is(column, op, value));
        self
    }

    /// Those of them that failed.
    pub(super) fn failed(self) -> Self {
        self.and("status", Operator::Eq, json!("error"))
    }

    /// Those of them that failed with this signature, which only what somebody answers has.
    pub(super) fn failed_as(self, signature: &str) -> Option<Self> {
        let is_answer = self.says == Says::Known;
        is_answer.then(|| Sought {
            says: Says::Said(Said::Failure(signature.to_owned())),
            ..self.failed()
        })
    }

    /// Those of the calls that were refused because there were too many. Of other spans nobody knows it.
    pub(super) fn refused(self) -> Option<Self> {
        match self.says {
            Says::Calls(calls) => Some(Sought {
                says: Says::Calls(calls.refused()),
                ..self
            }),
            Says::Known | Says::Said(_) => None,
        }
    }

    /// The conditions that hold for them and for no others; none where no span of this time is one of them. Asks once at
    /// most.
    pub(super) async fn filters(
        &self,
        queries: &Queries,
        times: &Range<UnixNanos>,
    ) -> Result<Option<Vec<Condition>>, ApiError> {
        let Some(alike) = self.alike() else {
            return Ok(Some(self.filters.clone()));
        };
        let query = SearchQuery {
            filter: alike,
            from: Some(times.start),
            to: Some(times.end.max(times.start)),
            limit: Some(ALIKE_MAX),
            count: Count::Page,
            ..SearchQuery::default()
        };
        let (page, _) = queries.search::<Span>(query).await?;
        Ok(page.rows.iter().find_map(|span| self.told_by(span)))
    }

    fn known(filters: Vec<Condition>) -> Self {
        Sought {
            filters,
            says: Says::Known,
        }
    }

    /// What lets through all of them, and a few that only look so; none where the filters are known.
    fn alike(&self) -> Option<Filter> {
        let alike = match &self.says {
            Says::Known => return None,
            Says::Calls(calls) => calls.alike(),
            Says::Said(said) => vec![said.alike()],
        };
        let known = self.filters.iter().cloned().map(Filter::Is);
        Some(Filter::All(known.chain(alike).collect()))
    }

    /// The conditions by what a span says that is alike; none if it is none of them.
    fn told_by(&self, span: &Span) -> Option<Vec<Condition>> {
        let told = match &self.says {
            Says::Known => Vec::new(),
            Says::Calls(calls) => calls.told_by(span)?,
            Says::Said(said) => said.told_by(span)?,
        };
        Some(self.filters.iter().cloned().chain(told).collect())
    }
}

/// A condition.
pub(super) fn is(column: &str, op: Operator, value: Value) -> Condition {
    Condition {
        column: column.to_owned(),
        op,
        value,
    }
}

/// Spans that a node sends itself, if it does.
fn own(node: &Node) -> Option<Condition> {
    let (kind, name) = node.split_once(':')?;
    let column = match kind {
        "function" => "faas.name",
        "service" => "service",
        _ => return None,
    };
    Some(is(column, Operator::Eq, json!(name)))
}

fn kinds(kinds: &[&str]) -> Condition {
    is("kind", Operator::In, json!(kinds))
}

/// What an attribute of a span says, or of its resource; none where it says nothing.
fn text(span: &Span, key: &str) -> Option<String> {
    let of_resource = || span.resource.attributes.get(key);
    let value = span.attributes.get(key).or_else(of_resource)?;
    Some(value.to_text()).filter(|text| !text.is_empty())
}

const ANSWERS: [&str; 2] = ["server", "consumer"];
const CALLS: [&str; 2] = ["client", "producer"];
/// Spans that only look so are few.
const ALIKE_MAX: usize = 20;

#[cfg(test)]
mod tests;
