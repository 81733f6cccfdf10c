//! The lists of prices: a file in `data` for each day on which prices changed, with its sources. `build.rs` makes
//! tables of them.

use crate::Day;

/// What was asked from some day on.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) since: Day,
    /// One row for each region that is listed.
    pub(super) prices: &'static [Prices],
}

/// What a region asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prices {
    /// `eu-west-1`
    pub(super) region: &'static str,
    /// For a request.
    pub(super) request: f64,
    /// For a second of a gigabyte of `/tmp` beyond what is free.
    pub(super) ephemeral_gb_second: f64,
    pub(super) x86: OfTime,
    pub(super) arm: OfTime,
}

/// For a second of a gigabyte of memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfTime {
    pub(super) gb_second: f64,
    /// Where capacity is provisioned, if it is listed.
    pub(super) provisioned_gb_second: Option<f64>,
}

/// The list that is in force on a day: the newest without one, the oldest on days before all.
pub(super) fn in_force(lists: &[List], day: Option<Day>) -> &[Prices] {
    let is_in_force = |list: &&List| day.is_none_or(|day| list.since <= day);
    let newest = lists.iter().rev().find(is_in_force).or(lists.first());
    newest.map_or(&[], |list| list.prices)
}

/// In the order of their days.
pub(super) static LISTS: &[List] = include!(concat!(env!("OUT_DIR"), "/lists.rs"));
