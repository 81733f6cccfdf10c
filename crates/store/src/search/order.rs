//! In which order rows are found, and where in it a page ends.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use throughline_telemetry::UnixNanos;

use crate::read::{BadCursor, hex};

/// In which order rows are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchOrder {
    /// By time, the newest first.
    #[default]
    Newest,
    /// By time, the oldest first.
    Oldest,
}

/// The place of a row among all others of its kind: its time, and what tells it from others of the
/// same time. Outside, a cursor is opaque text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchCursor {
    pub(super) time: UnixNanos,
    pub(super) id: RowId,
}

/// Trace id and span id of a span, the sequence of a log record.
pub(super) type RowId = [u8; 24];

/// A place in the order that is asked for: the lesser comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank([u8; 32]);

impl SearchOrder {
    pub(super) fn rank(self, place: SearchCursor) -> Rank {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&place.time.0.to_be_bytes());
        bytes[8..].copy_from_slice(&place.id);
        Rank(match self {
            SearchOrder::Oldest => bytes,
            SearchOrder::Newest => bytes.map(|byte| !byte),
        })
    }

    pub(super) fn place(self, rank: Rank) -> SearchCursor {
        let bytes = match self {
            SearchOrder::Oldest => rank.0,
            SearchOrder::Newest => rank.0.map(|byte| !byte),
        };
        let (time, id) = bytes.split_first_chunk().expect("it has 32 bytes");
        SearchCursor {
            time: UnixNanos(u64::from_be_bytes(*time)),
            id: *id.first_chunk().expect("it has 32 bytes"),
        }
    }

    /// The first place that a row of this time can have.
    pub(super) fn first_at(self, time: UnixNanos) -> Rank {
        let id = match self {
            SearchOrder::Oldest => [0; 24],
            SearchOrder::Newest => [0xff; 24],
        };
        self.rank(SearchCursor { time, id })
    }
}

impl fmt::Display for SearchCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.time.0)?;
        self.id.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for SearchCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (time, rest) = text.split_at_checked(16).ok_or(BadCursor)?;
        let mut id = [0; 24];
        if rest.len() != 2 * id.len() || !rest.is_ascii() {
            return Err(BadCursor);
        }
        for (part, bytes) in id.chunks_exact_mut(8).enumerate() {
            let number = hex(&rest[part * 16..part * 16 + 16])?;
            bytes.copy_from_slice(&number.to_be_bytes());
        }
        Ok(SearchCursor {
            time: UnixNanos(hex(time)?),
            id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_as_text_and_as_a_rank() {
        let mut id = [7; 24];
        id[20] = 200;
        let cursor = SearchCursor {
            time: UnixNanos(u64::MAX - 5),
            id,
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for order in [SearchOrder::Newest, SearchOrder::Oldest] {
            assert_eq!(order.place(order.rank(cursor)), cursor);
            assert!(order.first_at(cursor.time) < order.rank(cursor));
        }
        for text in ["", "12", &"é".repeat(32), &"0".repeat(63), &"+".repeat(64)] {
            assert_eq!(text.parse::<SearchCursor>(), Err(BadCursor), "{text}");
        }
    }
}
