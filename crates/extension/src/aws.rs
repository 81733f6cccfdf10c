//! As much of AWS as it takes to look up one key: signatures, and two questions.
//!
//! Signed by hand because AWS's SDK is ten times as large as this whole program. Everything here is
//! pure: bytes and `now` in, requests and answers out.

pub mod cache;
pub mod credentials;
pub mod sign;
pub mod vault;

pub use credentials::Credentials;
pub use vault::{KeyName, Question};
