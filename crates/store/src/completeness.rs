//! Is anything missing, and why: what is stored of each environment beside what it says it has.
//!
//! [`Ranges`] are the numbers of the batches that are stored, [`Ledger`] is the environment's own
//! account, [`account`] holds one against the other, and [`Report`] is the answer for whole
//! functions. All but the report are pure.

mod account;
mod ledger;
mod ranges;
mod report;

#[cfg(test)]
#[allow(unreachable_pub, reason = "it is public for the fuzz target")]
#[path = "../../../fuzz/src/ledger.rs"]
mod check;

pub use account::{Missing, Why};
pub(crate) use account::{Verdict, account};
pub use ledger::{BadLedger, Gone, Ledger};
pub(crate) use ranges::Ranges;
pub(crate) use report::report;
pub use report::{CompletenessFilter, FunctionReport, OpenEnvironment, Report, ReportCursor};
