//! Questions to the graph of who called whom, in a read-only subset of openCypher.
//!
//! The graph is derived and not stored: a [`Builder`] takes what was counted of a window, [`Graph::build`] lays it out.
//! [`Query::parse`] reads a text, [`Query::windows`] says which times it is about, and [`Query::answer`] finds the rows.
//!
//! ```
//! use throughline_insight::graph::{Builder, Counted, Graph, Kind, Limits, Query, Value};
//! use throughline_telemetry::UnixNanos;
//!
//! let mut builder = Builder::new(UnixNanos(0)..UnixNanos(60_000_000_000));
//! let checkout = builder.node(Kind::Function, "checkout");
//! let orders = builder.node(Kind::Table, "orders");
//! let counted = Counted { calls: 12, ..Counted::default() };
//! builder.call(checkout, orders, "PutItem", false, &counted);
//! let graph = Graph::build(builder, None);
//!
//! let query = Query::parse("MATCH (f:Function)-[c:WRITES]->(:Table) RETURN f.name, sum(c.calls)").unwrap();
//! let answer = query.answer(&graph, &Limits::default(), &|| true);
//! assert_eq!(answer.rows, [[Value::Text("checkout".into()), Value::Int(12)]]);
//!
//! let mistake = Query::parse("MATCH (f:Funktion) RETURN f").unwrap_err();
//! assert_eq!(
//!     mistake.to_string(),
//!     "there is no label `Funktion`: did you mean `Function`? at line 1, column 10"
//! );
//! ```
//!
//! Three things differ from openCypher. A piece of several hops that has no name, in a pattern that has none, asks
//! whether there is a way: it gives one row for each two ends, however many ways there are. Relationships may have
//! several types, as in GQL. A whole number by a whole number is what it is, and not rounded down.
//!
//! What it deliberately does not do: no I/O, no clock; nothing in the language writes, and nothing loops without a
//! limit ([`Limits`]).

mod aggregate;
mod answer;
mod evaluate;
mod lexer;
mod matching;
mod mistake;
mod model;
mod parser;
mod plan;
mod questions;
mod reach;
mod read;
mod syntax;
mod times;
mod value;
mod vocabulary;

pub use answer::{Answer, Cut, Heading, Limits};
pub use mistake::Mistake;
pub use model::{Builder, Counted, Edge, EdgeId, Graph, Node, NodeId, Numbers};
pub use plan::Uses;
pub use questions::{QUESTIONS, SavedQuestion};
pub use times::{Asked, Windows};
pub use value::Value;
pub use vocabulary::{Kind, Owner, Word, functions, labels, properties, types};

/// A query that can be answered.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    plan: plan::Plan,
    during: Option<syntax::Times>,
    compared: Option<syntax::Times>,
}

impl Query {
    /// What a text asks, or what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let read = || {
            let written = parser::parse(text)?;
            let plan = plan::plan(&written)?;
            Ok(Query {
                text: text.to_owned(),
                plan,
                during: written.during,
                compared: written.compared,
            })
        };
        read().map_err(|fault: mistake::Fault| fault.in_text(text))
    }

    /// What of the graph it speaks of that is not always there.
    pub fn uses(&self) -> Uses {
        self.plan.uses
    }

    /// The times that it is about.
    pub fn windows(&self, asked: &Asked) -> Result<Windows, Mistake> {
        let found = times::windows(self.during.as_ref(), self.compared.as_ref(), asked);
        found.map_err(|fault| fault.in_text(&self.text))
    }

    /// What it finds in a graph, until it may not go on.
    pub fn answer(&self, graph: &Graph, limits: &Limits, may_go_on: &dyn Fn() -> bool) -> Answer {
        answer::answer(&self.plan, graph, limits, may_go_on)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            rows: 1000,
            held: 200_000,
            steps: 20_000_000,
            drawn: 60,
        }
    }
}

#[cfg(test)]
mod tests;
