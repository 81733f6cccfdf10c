//! The doors by which events come in over HTTP.

pub(crate) mod function_url;
pub(crate) mod lambda_api;
