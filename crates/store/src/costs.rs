//! Costs: what the invocations of functions are estimated to cost, by the minute.
//!
//! ```text
//! rollups/logs-0000000007-001.costs.parquet   of segments/logs-0000000007-001.parquet
//! ```
//!
//! What an invocation was billed for is known when the platform reports it, which is after its span has
//! left. So the extension says it with the report, a log record with `throughline.cost.usd`, and costs are
//! summed up of log records. They lie beside their segment as other sums do, and live and die with it. A
//! segment without any has no file.
//!
//! A sum says of how many reports it is, because it cannot know of others: functions without the extension,
//! reports that never came, log records that were not sent.

mod file;
mod fold;
mod read;

pub(crate) use file::{load, write};
pub(crate) use fold::{CostFold, LogSums};
pub use read::{CostList, FunctionCost};

/// What the catalog knows of the costs of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CostsMeta {
    /// On disk; 0 where there are none, and no file.
    pub(crate) bytes: u64,
    /// CRC-32C of the file.
    pub(crate) crc: u32,
}

/// The attribute of a report that says what its invocation cost, in US dollars.
const COST: &str = "throughline.cost.usd";

#[cfg(test)]
mod tests;
