//! The doors by which events come in over HTTP.
//!
//! `received` is a request as all gateways see it, `format_1` and `format_2` are the two forms in which functions get
//! one and answer it, and `http_api` and `function_url` say who is called and what becomes of a failure.

pub(crate) mod faults;
mod format_1;
mod format_2;
pub(crate) mod function_url;
pub(crate) mod http_api;
pub(crate) mod lambda_api;
mod received;
mod sender;
