//! StatsD and DogStatsD: lines of text in datagrams, turned into OTLP metrics and log records.
//!
//! [`line`] reads one line. [`Window`] adds up what comes until it is asked for it, so that a
//! function which counts a thousand times sends one number: counters become sums with delta
//! temporality, gauges gauges, timings, histograms and distributions exponential histograms, sets
//! the number of different values. Events become log records; service checks become a gauge and a
//! log record.

pub mod line;

mod distinct;
mod export;
mod sketch;
mod window;

pub use window::{Taken, Window};

#[cfg(test)]
mod tests;
