//! Where the next page begins. Outside, a cursor is opaque text.

use std::fmt;
use std::str::FromStr;

use throughline_telemetry::{TraceId, UnixNanos};

/// A place in the order of traces, newest start first, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceCursor {
    /// Start of the last trace seen.
    pub start: UnixNanos,
    /// Its id.
    pub trace_id: TraceId,
}

/// A place in the order of log records, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogCursor {
    /// Time of the last record seen.
    pub time: UnixNanos,
    /// Its number in the store.
    pub sequence: u64,
}

/// Text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that this server gave out")]
pub struct BadCursor;

impl fmt::Display for TraceCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{}", self.start.0, self.trace_id)
    }
}

impl FromStr for TraceCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (start, id) = text.split_at_checked(16).ok_or(BadCursor)?;
        Ok(TraceCursor {
            start: UnixNanos(hex(start)?),
            trace_id: id.parse().map_err(|_| BadCursor)?,
        })
    }
}

impl fmt::Display for LogCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.time.0, self.sequence)
    }
}

impl FromStr for LogCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (time, sequence) = text.split_at_checked(16).ok_or(BadCursor)?;
        Ok(LogCursor {
            time: UnixNanos(hex(time)?),
            sequence: hex(sequence)?,
        })
    }
}

/// Sixteen hexadecimal digits, without the sign that `from_str_radix` would allow.
pub(crate) fn hex(text: &str) -> Result<u64, BadCursor> {
    let plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = plain.then(|| u64::from_str_radix(text, 16).ok()).flatten();
    number.ok_or(BadCursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_as_text() {
        let trace = TraceCursor {
            start: UnixNanos(u64::MAX - 1),
            trace_id: TraceId::new([7; 16]).unwrap(),
        };
        assert_eq!(trace.to_string().parse(), Ok(trace));
        let log = LogCursor {
            time: UnixNanos(5),
            sequence: 1 << 40,
        };
        assert_eq!(log.to_string().parse(), Ok(log));
    }

    #[test]
    fn other_text_is_no_cursor() {
        for text in [
            "",
            "12",
            "+000000000000001+000000000000001",
            "é",
            &"0".repeat(48),
            &"0".repeat(33),
        ] {
            assert_eq!(text.parse::<TraceCursor>(), Err(BadCursor), "{text}");
        }
        assert_eq!(
            "+000000000000001+000000000000001".parse::<LogCursor>(),
            Err(BadCursor)
        );
    }
}
