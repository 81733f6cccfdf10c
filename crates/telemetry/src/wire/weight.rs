//! What a request takes once it is decoded, before it is.
//!
//! Two bytes can say "one more span, with nothing in it", and the span takes hundreds. So a body of
//! a few megabytes may decode into gigabytes, which no limit on bodies holds back.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::json::{Kind, Message, request};
use crate::model::Signal;

/// About how many bytes the decoded request takes: all its messages and all that they point to.
/// What cannot be decoded counts as far as it can.
pub fn memory_bytes(signal: Signal, body: &[u8]) -> usize {
    body.len()
        .saturating_add(messages(request(signal), body, 0))
}

/// Only of the messages.
fn messages(message: &Message, mut body: &[u8], depth: usize) -> usize {
    let mut bytes = message.bytes;
    if depth > DEPTH_MAX {
        return bytes; // it will not be decoded
    }
    while !body.is_empty() {
        let Ok((number, wire)) = decode_key(&mut body) else {
            return bytes;
        };
        let field = message.fields.iter().find(|field| field.number == number);
        match (field.map(|field| field.kind), wire) {
            (Some(Kind::Message(inner)), WireType::LengthDelimited) => {
                let length = decode_varint(&mut body).ok();
                let length = length.and_then(|length| usize::try_from(length).ok());
                let Some((value, rest)) = length.and_then(|length| body.split_at_checked(length))
                else {
                    return bytes;
                };
                body = rest;
                bytes = bytes.saturating_add(messages(inner, value, depth + 1));
            }
            // Packed, one byte can be an integer of eight.
            (Some(Kind::Uint64), WireType::LengthDelimited) => {
                let before = body.len();
                if skip_field(wire, number, &mut body, DecodeContext::default()).is_err() {
                    return bytes;
                }
                bytes = bytes.saturating_add((before - body.len()).saturating_mul(8));
            }
            (kind, _) => {
                if let Some(Kind::Text) = kind {
                    bytes = bytes.saturating_add(size_of::<String>());
                }
                if skip_field(wire, number, &mut body, DecodeContext::default()).is_err() {
                    return bytes;
                }
            }
        }
    }
    bytes
}

/// Where prost stops as well.
const DEPTH_MAX: usize = 100;
