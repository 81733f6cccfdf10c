//! Why a query has no answer.

use std::time::Duration;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The question is wrong: what is wrong with it.
    #[error("{0}")]
    Invalid(String),
    /// It took too long.
    #[error("the query was stopped after {0:?}: ask for less time, or for fewer groups")]
    TooSlow(Duration),
    /// It would have taken too much memory.
    #[error(
        "the query needs more memory than it may have: ask for fewer groups or less time ({0})"
    )]
    TooLarge(String),
    /// Stored data could not be read, or the engine failed.
    #[error("the query failed: {0}")]
    Failed(String),
}

impl QueryError {
    pub(crate) fn of(error: &DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(what) => QueryError::TooLarge(what.clone()),
            DataFusionError::SQL(error, _) => QueryError::Invalid(unparsed(&error.to_string())),
            DataFusionError::Plan(what)
            | DataFusionError::NotImplemented(what)
            | DataFusionError::Execution(what) => QueryError::Invalid(plainly(what)),
            DataFusionError::SchemaError(error, _) => QueryError::Invalid(error.to_string()),
            // Divisions by zero, casts that fail: what the question asked for.
            DataFusionError::ArrowError(error, _) => QueryError::Invalid(error.to_string()),
            DataFusionError::Diagnostic(_, error) | DataFusionError::Context(_, error) => {
                QueryError::of(error)
            }
            DataFusionError::External(error) if error.to_string().starts_with(NO_REGEX) => {
                QueryError::Invalid(error.to_string())
            }
            error => QueryError::Failed(error.to_string()),
        }
    }
}

impl From<ArrowError> for QueryError {
    fn from(error: ArrowError) -> Self {
        QueryError::Failed(error.to_string())
    }
}

/// What the parser says, in our words: `... at Line: 1, Column: 8` says where.
fn unparsed(what: &str) -> String {
    let what = what.trim_start_matches("sql parser error: ");
    let what = what.replace(" at Line: ", " at line ");
    format!("cannot parse: {}", what.replace(", Column: ", ", column "))
}

/// What the engine says, less what only its authors need.
fn plainly(what: &str) -> String {
    let what = what.replace("datafusion.public.", "");
    if what.contains("a single SQL statement") {
        return "one statement at a time".to_owned();
    }
    if what.starts_with("table ") && what.ends_with(" not found") {
        return format!("{what}: there are spans, logs and metrics");
    }
    // Beside it stand an invitation to report a bug and a list of overloads.
    match what.find("No function matches") {
        None => what,
        Some(begin) => what[begin..].lines().next().unwrap_or_default().to_owned(),
    }
}

/// How the engine begins to say that an expression cannot be one.
const NO_REGEX: &str = "regex parse error";
