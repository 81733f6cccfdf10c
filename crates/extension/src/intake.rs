//! One export of the function's SDK: bytes to a checked [`Request`].

use throughline_telemetry::Signal;
use throughline_telemetry::wire::{Request, WireError, memory_bytes};

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

/// Why an export is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BadExport {
    /// Not what it should be.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Decoded it would be too large.
    #[error("it takes more than {MEMORY_BYTES_MAX} bytes once it is decoded")]
    TooLarge,
}

/// Reads an export.
///
/// # Errors
/// See [`BadExport`].
pub fn read(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Taken, BadExport> {
    let transcoded;
    let protobuf = match encoding {
        Encoding::Protobuf => body,
        Encoding::Json => {
            transcoded = Request::json_to_protobuf(signal, body)?;
            &transcoded
        }
    };
    let may_be_large = protobuf.len() > MEMORY_BYTES_MAX / GROWTH_MAX;
    if may_be_large && memory_bytes(signal, protobuf) > MEMORY_BYTES_MAX {
        return Err(BadExport::TooLarge);
    }
    let mut request = Request::from_protobuf(signal, protobuf)?;
    let rejected = remove_unusable(&mut request);
    Ok(Taken { request, rejected })
}

/// One export, packed or not.
pub const BODY_BYTES_MAX: usize = 4 << 20;
/// What one export may take in memory: twice what the largest takes if it is ordinary.
pub const MEMORY_BYTES_MAX: usize = 32 << 20;
/// What ordinary telemetry takes once it is decoded, for each byte of it.
pub const GROWTH_USUAL: usize = 4;
/// The emptiest items grow as much.
const GROWTH_MAX: usize = 256;
