//! Questions to the store that need grouping: SQL, and the product's own form of a query.
//!
//! [`Engine`] runs both over a [`Scan`](throughline_store::Scan), which is one snapshot of the store,
//! within [`Limits`].
//! Three tables can be asked, [`Dataset::Spans`], `logs` and `metrics`. Each has its fixed columns
//! and a column for every attribute, by its key, with or without quotes:
//!
//! ```sql
//! select http.route, approx_percentile_cont(duration_ms, 0.99) as p99
//! from spans
//! where time > now() - interval '1 hour' and kind = 'server'
//! group by http.route order by p99 desc limit 10
//! ```
//!
//! This is the one crate that names DataFusion. What it deliberately does not do: write, read
//! files, keep anything between two queries, or answer what the store answers without it: one
//! trace by id, and the rows that a filter lets through, which [`Engine::search`] only gives threads.

mod bounds;
mod counts;
mod engine;
mod error;
mod names;
mod percentile;
mod render;
mod search;
mod spec;
mod split;
mod table;
mod watch;

pub use counts::Counts;
pub use engine::{Answer, Cost, Engine, Limits};
pub use error::QueryError;
pub use spec::{Calculation, Combination, Direction, Having, Operation, Order, QueryAnswer, Spec};
pub use split::Split;
pub use throughline_store::{Condition as Filter, Dataset, Intrinsic, Operator};
