//! What can be done about an incident, as data.
//!
//! An [`Action`] is what somebody wants. [`Action::reads`] says what must be known of the account first,
//! [`Before`] is what was read, and a [`Plan`] is what follows: the exact calls, the policy, what to know before
//! one agrees, and how it is undone. [`Links`] signs the address at which a person confirms it, [`Gate`] says
//! whether anything may be done at all, and [`Record`] is what became of everything, folded from the entries of
//! the audit log.
//!
//! ```
//! use throughline_act::{Action, Class, Before, Plan, UnixSeconds};
//!
//! let action: Action = serde_json::from_str(
//!     r#"{"do": "deny", "function": "pay", "resource": "table:users", "class": "write", "hours": 4}"#,
//! ).unwrap();
//! let before = Before {
//!     function_arn: "arn:aws:lambda:eu-west-1:123456789012:function:pay".to_owned(),
//!     role_arn: "arn:aws:iam::123456789012:role/pay-role".to_owned(),
//!     ..Before::default()
//! };
//! let id = "01jabc0000000000".parse().unwrap();
//! let plan = Plan::of(&action, &id, UnixSeconds(1_795_384_800), &before).unwrap();
//! assert_eq!(plan.calls[0].operation, "PutRolePolicy");
//! assert_eq!(plan.undo[0].operation, "DeleteRolePolicy");
//! ```
//!
//! It reads nothing, sends nothing and knows no clock: `crates/actuator` makes the calls. It has no way to say
//! "call this": whoever can make an action can only make one of these.

mod action;
mod arn;
mod before;
mod call;
mod digest;
mod gate;
mod link;
mod order;
mod plan;
mod policy;
mod record;
mod time;
mod words;

pub use action::{
    Action, ActionId, BadAction, Class, FunctionName, Resource, ResourceKind, SourceId, TRIED_HOURS,
};
pub use before::{Answer, Before, SourceState, UnreadableAnswer, source_reads};
pub use call::{Call, Service};
pub use digest::Digest;
pub use gate::{Gate, Refused};
pub use link::{Claim, LINK_LIFE_SECONDS, LinkError, Links, Opened};
pub use order::{Done, DryRun, Failure, Order, Outcome, Report, Simulated};
pub use plan::{CodeLine, Plan, PlanError, UndoError, undo};
pub use record::{
    Entry, Event, ITSELF, Ignored, Muted, Offer, Record, Standing, State, Verdict, Verified,
};
pub use time::UnixSeconds;
