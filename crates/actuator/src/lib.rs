//! Makes the calls of an action.
//!
//! [`perform`] takes an [`Order`](throughline_act::Order), reads how things are, lets `throughline-act` say what
//! follows, and makes exactly those calls. There is no other way in: nobody can have it call anything else. It runs in
//! two places with the same code:
//!
//! - in the account, as the Lambda function of `deploy/actuator` with a role of its own, which a server may
//!   [`invoke`] and nothing more;
//! - beside the server, with the credentials of whoever started it.

mod aws;
mod failure;
mod form;
mod perform;

pub use aws::{Aws, SetupError};
pub use perform::{invoke, perform};
