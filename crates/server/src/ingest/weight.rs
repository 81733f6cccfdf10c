//! What a JSON body would take in memory, before it is decoded.
//!
//! An empty message is two bytes in JSON too, and its column entries are a hundred, so a body within the
//! 64 MiB of the wire may ask for gigabytes; compressed it fits into a hundred kilobytes. One quick
//! pass over the bytes adds up the messages in it and stops at the limit. Of protobuf the store does the
//! same while it checks a body.
//!
//! It judges nothing else: where the bytes make no sense it stops, and the decoder says why.

use std::mem::size_of;

use throughline_telemetry::wire::otlp::trace::v1::Span;

/// A body that would take too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooHeavy;

/// Adds up a JSON body: each object and each list outside of text counts as the largest message.
/// Lists count as if they were messages, which errs on the safe side.
pub(crate) fn json(body: &[u8], bytes_max: usize) -> Result<usize, TooHeavy> {
    let mut left = bytes_max;
    let (mut in_text, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => take(&mut left, size_of::<Span>())?,
            _ => {}
        }
    }
    Ok(bytes_max - left)
}

fn take(left: &mut usize, bytes: usize) -> Result<(), TooHeavy> {
    *left = left.checked_sub(bytes).ok_or(TooHeavy)?;
    Ok(())
}

#[cfg(test)]
mod tests;
