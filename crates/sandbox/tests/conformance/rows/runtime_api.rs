//! §1: the Runtime API.

use crate::table::Here::Same;
use crate::table::{Section, row};

pub(crate) const ENDPOINTS: Section = Section {
    title: "Runtime API: endpoints",
    rows: &[row(
        "`GET /2018-06-01/ping`",
        "200 `pong`",
        Same(&["conformance::runtime_api::ping_is_answered_whoever_asks"]),
    )],
};
