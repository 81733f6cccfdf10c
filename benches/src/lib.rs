//! What the store is measured with: a [`corpus`] that looks like the telemetry of real serverless
//! applications, [`statistics`] that say how it looks, and what drives a [`server`] with it: [`client`],
//! [`load`] and [`figures`].
//!
//! ```
//! use throughline_bench::corpus::{Corpus, Options};
//! use throughline_telemetry::{Signal, wire::Request};
//!
//! let mut corpus = Corpus::new(Options::of(1_000_000), Signal::Traces);
//! let mut body = Vec::new();
//! corpus.body(512, &mut body);
//! assert_eq!(Request::from_protobuf(Signal::Traces, &body).unwrap().items(), 512);
//! ```
//!
//! The programs in `src/bin` are behind `make bench-...`; `docs/benchmarks.md` says how they measure.
//! Nothing here is part of a product binary.

#![allow(clippy::cast_precision_loss, reason = "no count here is near 2^52")]

pub mod client;
pub mod corpus;
pub mod export;
pub mod figures;
pub mod load;
pub mod server;
pub mod statistics;
