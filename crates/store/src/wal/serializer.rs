//! Bodies to frames.

use throughline_telemetry::{Signal, UnixNanos};

use super::{HEAD_BYTES, MARK, VERSION, VERSION_TAGGED, head_crc, signal_number, tag};
use crate::limits::BODY_BYTES_MAX;
use crate::origin::Origin;

/// Collects the frames of one group.
#[derive(Debug)]
pub(crate) struct WalSerializer {
    generation: u64,
    bytes: Vec<u8>,
}

impl WalSerializer {
    pub(crate) fn new(generation: u64) -> Self {
        WalSerializer {
            generation,
            bytes: Vec::new(),
        }
    }

    /// How many bytes the frame of a body has.
    pub(crate) fn frame_bytes(body: &[u8], origin: Option<&Origin>) -> usize {
        HEAD_BYTES + origin.map_or(0, tag::bytes) + body.len()
    }

    /// Adds a frame. The caller has checked that the body is not above the limit.
    pub(crate) fn push(
        &mut self,
        signal: Signal,
        received: UnixNanos,
        body: &[u8],
        origin: Option<&Origin>,
    ) {
        assert!(
            body.len() <= BODY_BYTES_MAX,
            "a body above the limit reached the WAL"
        );
        let head_at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEAD_BYTES]);
        if let Some(origin) = origin {
            tag::write(origin, &mut self.bytes);
        }
        self.bytes.extend_from_slice(body);
        let (written, rest) = self.bytes[head_at..].split_at(HEAD_BYTES);
        let length = u32::try_from(rest.len()).expect("the limit fits into 32 bits");
        let mut head = [0; HEAD_BYTES];
        debug_assert_eq!(written, head);
        head[0] = match origin {
            None => VERSION,
            Some(_) => VERSION_TAGGED,
        };
        head[1] = signal_number(signal);
        head[2..4].copy_from_slice(MARK);
        head[4..8].copy_from_slice(&length.to_le_bytes());
        head[8..16].copy_from_slice(&received.0.to_le_bytes());
        head[16..20].copy_from_slice(&crc32c::crc32c(rest).to_le_bytes());
        let crc = head_crc(&head[..20], self.generation);
        head[20..].copy_from_slice(&crc.to_le_bytes());
        self.bytes[head_at..head_at + HEAD_BYTES].copy_from_slice(&head);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }
}
