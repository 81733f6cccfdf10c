//! What is asked of the graph of who called whom.

use clap::{Args, ValueEnum};

use super::Target;

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct GraphQuery {
    /// One query in a read-only subset of openCypher, or - for the standard input
    #[arg(value_name = "QUERY", required_unless_present = "questions")]
    pub(crate) query: Option<String>,
    /// How to print the rows
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "table")]
    pub(crate) format: GraphForm,
    /// Print the questions that the page offers, as queries
    #[arg(long, conflicts_with = "query")]
    pub(crate) questions: bool,
    /// Minutes that the clock of the query is ahead of UTC [default: as this machine's is]
    #[arg(long, value_name = "MINUTES", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-1440..=1440))]
    pub(crate) utc_offset: Option<i32>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphForm {
    /// For people
    Table,
    /// What the API answers, as one line
    Json,
    /// RFC 4180, with a line of names
    Csv,
}

const EXAMPLES: &str = "\
Examples:
  throughline graph \"MATCH (t:Table {name: 'orders'})<-[c:WRITES]-(f) RETURN f.name, c.calls\"
  throughline graph \"MATCH (a)-[c]->(b) WHERE c.is_new RETURN a.name, c.operation, b.name
      DURING 'last 1h' COMPARED TO 'yesterday'\"
  throughline graph --questions

Without DURING it is about the last hour. What it took goes to stderr. Exits with 2 if there is no answer.";
