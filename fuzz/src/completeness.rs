//! What an environment says of itself, compiled from the store's own files, because the store itself
//! would bring its databases along.

#[path = "../../crates/store/src/completeness/account.rs"]
mod account;
#[path = "ledger.rs"]
mod check;
#[path = "../../crates/store/src/completeness/ledger.rs"]
mod ledger;
#[path = "../../crates/store/src/completeness/ranges.rs"]
mod ranges;

use account::account;
use ledger::Ledger;
use ranges::Ranges;

pub use check::ledger as read;
