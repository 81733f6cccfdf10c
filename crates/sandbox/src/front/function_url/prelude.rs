//! The head of a streamed HTTP response: JSON, eight NUL bytes, and then the body.

use bytes::{Bytes, BytesMut};

/// Finds the end of the head in chunks that may be cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Prelude {
    gathered: BytesMut,
}

/// What there is after another chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    NotYet,
    Head { head: Bytes, body: Bytes },
    TooLong,
}

impl Prelude {
    pub(super) fn push(&mut self, chunk: &[u8]) -> Found {
        let seen = self.gathered.len().saturating_sub(SEPARATOR.len() - 1);
        self.gathered.extend_from_slice(chunk);
        let separator = self.gathered[seen..]
            .windows(SEPARATOR.len())
            .position(|window| window == SEPARATOR);
        match separator {
            Some(at) => {
                let mut body = std::mem::take(&mut self.gathered).freeze();
                let head = body.split_to(seen + at);
                Found::Head {
                    head,
                    body: body.slice(SEPARATOR.len()..),
                }
            }
            None if self.gathered.len() > PRELUDE_BYTES_MAX => Found::TooLong,
            None => Found::NotYet,
        }
    }
}

const SEPARATOR: &[u8] = &[0; 8];
/// More than any head needs; a body without a head ends here.
const PRELUDE_BYTES_MAX: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_found_wherever_chunks_are_cut() {
        let whole = b"{\"statusCode\":201}\0\0\0\0\0\0\0\0body\0";
        let head = &whole[..18];
        for first in 0..whole.len() {
            for second in first..whole.len() {
                let mut prelude = Prelude::default();
                let mut found = None;
                let mut rest = Vec::new();
                for chunk in [&whole[..first], &whole[first..second], &whole[second..]] {
                    if found.is_some() {
                        rest.extend_from_slice(chunk);
                    } else if let Found::Head { head, body } = prelude.push(chunk) {
                        found = Some(head);
                        rest.extend_from_slice(&body);
                    }
                }
                assert_eq!(found.as_deref(), Some(head), "cut at {first} and {second}");
                assert_eq!(rest, b"body\0", "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn head_without_end_is_given_up() {
        let mut prelude = Prelude::default();
        assert_eq!(prelude.push(&vec![b'x'; PRELUDE_BYTES_MAX]), Found::NotYet);
        assert_eq!(prelude.push(b"x"), Found::TooLong);
    }
}
