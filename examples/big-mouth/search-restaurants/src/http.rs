//! What this function needs of an HTTP API's events and answers.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(crate) struct Request {
    #[serde(default, rename = "queryStringParameters")]
    pub(crate) query: HashMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Response {
    status_code: u16,
    headers: HashMap<&'static str, &'static str>,
    body: String,
}

impl Response {
    pub(crate) fn json(status_code: u16, body: String) -> Self {
        Self {
            status_code,
            headers: HashMap::from([("content-type", "application/json")]),
            body,
        }
    }
}
