//! Who sent a body, as bytes in its frame.

use crate::completeness::Ledger;
use crate::origin::{EnvironmentId, Origin, Sequence, function_name};

/// The most that a tag takes: its length, a number and three texts.
pub(super) const TAG_BYTES_MAX: usize = 2 + u16::MAX as usize;

/// How many bytes [`write`] adds, but for a ledger, which is counted as it was read.
pub(super) fn bytes(origin: &Origin) -> usize {
    let ledger = origin.ledger.as_ref().map_or(0, Ledger::memory_bytes);
    FIXED_BYTES + origin.environment.as_str().len() + origin.function.len() + ledger
}

/// Adds the tag and its length.
pub(super) fn write(origin: &Origin, out: &mut Vec<u8>) {
    let environment = origin.environment.as_str();
    let function = function_name(&origin.function);
    // A ledger is read from at most 4 KiB, and written without what was not understood.
    let ledger = origin
        .ledger
        .as_ref()
        .map(Ledger::to_json)
        .unwrap_or_default();
    let fixed = FIXED_BYTES - 2 + environment.len() + function.len();
    let ledger = if fixed + ledger.len() <= usize::from(u16::MAX) {
        ledger.as_str()
    } else {
        ""
    };
    let length = u16::try_from(fixed + ledger.len()).expect("checked above");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&origin.sequence.map_or(0, Sequence::number).to_le_bytes());
    for text in [environment, function] {
        out.push(u8::try_from(text.len()).expect("both are cut to less"));
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(ledger.as_bytes());
}

/// The tag at the beginning of a frame's rest, and the body behind it.
pub(super) fn read(rest: &[u8]) -> Option<(Origin, &[u8])> {
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (tag, body) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let (sequence, tag) = tag.split_first_chunk::<8>()?;
    let (environment, tag) = short_text(tag)?;
    let (function, ledger) = short_text(tag)?;
    let ledger = std::str::from_utf8(ledger).ok()?;
    let origin = Origin {
        environment: EnvironmentId::try_new(environment)?,
        sequence: Sequence::try_new(u64::from_le_bytes(*sequence)),
        function: function.to_owned(),
        ledger: Ledger::parse_stored(ledger),
    };
    Some((origin, body))
}

fn short_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

/// The length of the tag, the number, and the lengths of two texts.
const FIXED_BYTES: usize = 2 + 8 + 1 + 1;
