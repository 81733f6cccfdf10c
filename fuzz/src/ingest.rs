//! What the server's decoders use of its intake.

#[path = "../../crates/server/src/ingest/encoding.rs"]
mod encoding;

pub(crate) use encoding::{Encoding, InflateError, Inflater};

/// The same as the server's, whose file needs the whole store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Protobuf,
    Json,
}
