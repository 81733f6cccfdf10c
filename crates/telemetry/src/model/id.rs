//! Trace and span ids: fixed bytes, never all zero, lower-case hex in text.

use std::fmt;
use std::str::FromStr;

/// Why some bytes or some text are not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// The wrong number of bytes.
    #[error("{got} bytes, want {want}")]
    Length {
        /// How many bytes there were.
        got: usize,
        /// How many an id has.
        want: usize,
    },
    /// All zero, which W3C Trace Context and OTLP define as "no id".
    #[error("all bytes are zero")]
    Zero,
    /// Text that is not hexadecimal.
    #[error("not hexadecimal")]
    NotHex,
}

macro_rules! id {
    ($name:ident, $bytes:literal, $what:literal) => {
        #[doc = $what]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// How many bytes the id has.
            pub const BYTES: usize = $bytes;

            /// The id of these bytes, unless they are all zero.
            pub fn new(bytes: [u8; $bytes]) -> Result<Self, BadId> {
                if bytes == [0; $bytes] {
                    return Err(BadId::Zero);
                }
                Ok(Self(bytes))
            }

            /// The id of a slice that must have exactly the right length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, BadId> {
                let array = bytes.try_into().map_err(|_| BadId::Length {
                    got: bytes.len(),
                    want: $bytes,
                })?;
                Self::new(array)
            }

            /// The raw bytes, most significant first.
            pub fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                if !text.is_ascii() || text.len() != 2 * $bytes {
                    return Err(BadId::Length {
                        got: text.len() / 2,
                        want: $bytes,
                    });
                }
                let mut bytes = [0; $bytes];
                for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
                }
                Self::new(bytes)
            }
        }
    };
}

id!(TraceId, 16, "The id of one trace: 16 bytes, not all zero.");
id!(SpanId, 8, "The id of one span: 8 bytes, not all zero.");

fn hex_digit(digit: u8) -> Result<u8, BadId> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(BadId::NotHex),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        let id: TraceId = "5B8efff798038103d269b633813fc60c".parse().unwrap();
        assert_eq!(id.to_string(), "5b8efff798038103d269b633813fc60c");
        assert_eq!(TraceId::from_slice(id.as_bytes()), Ok(id));
    }

    #[test]
    fn what_is_not_an_id() {
        assert_eq!("".parse::<SpanId>(), Err(BadId::Length { got: 0, want: 8 }));
        assert_eq!("0000000000000000".parse::<SpanId>(), Err(BadId::Zero));
        assert_eq!("zz00000000000000".parse::<SpanId>(), Err(BadId::NotHex));
        assert_eq!(
            "é0000000000000".parse::<SpanId>(),
            Err(BadId::Length { got: 7, want: 8 })
        );
        let short = SpanId::from_slice(&[1, 2, 3]);
        assert_eq!(short, Err(BadId::Length { got: 3, want: 8 }));
    }
}
