//! One export of the function's SDK: bytes to a checked [`Request`].

use throughline_telemetry::Signal;
use throughline_telemetry::wire::{Request, WireError};

use crate::join::otlp::remove_unusable;

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Protobuf.
    Protobuf,
    /// OTLP/JSON.
    Json,
}

/// An export that can be kept.
#[derive(Clone, Debug)]
pub struct Taken {
    /// What is kept of it.
    pub request: Request,
    /// How many of its items were left out, because no server could take them.
    pub rejected: u64,
}

/// Reads an export.
///
/// # Errors
/// When it is not what it should be.
pub fn read(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Taken, WireError> {
    let mut request = match encoding {
        Encoding::Protobuf => Request::from_protobuf(signal, body)?,
        Encoding::Json => Request::from_json(signal, body)?,
    };
    let rejected = remove_unusable(&mut request);
    Ok(Taken { request, rejected })
}

/// One export, packed or not.
pub const BODY_BYTES_MAX: usize = 4 << 20;
