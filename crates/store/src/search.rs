//! Searching spans and log records: any condition, newest or oldest first, some at a time.
//!
//! A [`Search`] takes the parts of a [`Scan`] in the order of their times and reads of each the columns
//! that the filter names, some ten thousand rows at a time. Of the rows that match it remembers the
//! places of as many as a page shows, and decodes only those in the end ([`run`]). Parts that can have
//! nothing for a page that is full are only counted, as far as is asked for.
//!
//! Several threads may work on one search; whoever waits for it can stop it.
//!
//! ```
//! use throughline_store::{Filter, Operator, Options, Search, SearchQuery, Store};
//! use throughline_telemetry::Span;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let (store, _) = Store::open(Options::new(directory.path()))?;
//! let query = SearchQuery {
//!     filter: Filter::is("http.route", Operator::Eq, "/pay"),
//!     ..SearchQuery::default()
//! };
//! let search: Search<Span> = Search::new(&store.scan(), query)?;
//! search.work()?;
//! if let Some(page) = search.finish()? {
//!     println!("{} of {} spans", page.rows.len(), page.total);
//! }
//! # Ok(())
//! # }
//! ```

mod compare;
mod condition;
mod order;
mod points;
mod predicate;
mod run;
mod searched;
mod split;
mod tail;
mod words;

pub use condition::{Condition, Filter, Operator};
pub use order::{SearchCursor, SearchOrder};
pub use points::FoundPoints;
pub(crate) use run::bytes_of;
pub use run::{Search, SearchPage};
pub use searched::Searched;
pub use split::{SplitEnd, SplitQuery, Stretch, Viewer};
pub use tail::{Arrived, Tail};

use throughline_telemetry::UnixNanos;

use crate::error::ReadError;

/// What to find, and how much of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchQuery {
    /// Which rows.
    pub filter: Filter,
    /// Rows of then or later.
    pub from: Option<UnixNanos>,
    /// Rows before then.
    pub to: Option<UnixNanos>,
    /// Which come first.
    pub order: SearchOrder,
    /// How many rows at most, 1000 at the most; fifty if nothing is said.
    pub limit: Option<usize>,
    /// Only what comes after this place in the order.
    pub after: Option<SearchCursor>,
    /// How far to count.
    pub count: Count,
}

/// How far rows are counted that have no place on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    /// No further than the search must go.
    Page,
    /// A million rows further.
    #[default]
    Some,
    /// To the end.
    All,
}

/// Why a search has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The question is wrong: what is wrong with it.
    #[error("{0}")]
    Invalid(String),
    /// Stored data could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

#[cfg(test)]
mod tests;
