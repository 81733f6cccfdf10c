//! gRPC over HTTP/2, as much of it as a unary call needs: the frame of a message, the codes, and
//! the details that travel in trailers.
//!
//! A message on the wire is one byte (0 plain, 1 packed), four bytes of length, big-endian, and the
//! message. A unary call has exactly one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use prost::Message;

/// The codes of gRPC that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Code {
    /// It went well.
    Ok = 0,
    /// The sender is wrong; the same request is wrong again.
    InvalidArgument = 3,
    /// It did not arrive in time.
    DeadlineExceeded = 4,
    /// There is no such path.
    NotFound = 5,
    /// Too large.
    ResourceExhausted = 8,
    /// There is no such method, or no such packing.
    Unimplemented = 12,
    /// The frames are not gRPC's.
    Internal = 13,
    /// Not now.
    Unavailable = 14,
}

impl Code {
    /// Its number.
    pub fn number(self) -> u16 {
        self as u16
    }
}

/// One message as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framed<'a> {
    /// Whether it is packed as `grpc-encoding` says.
    pub is_packed: bool,
    /// Its bytes.
    pub message: &'a [u8],
}

/// Why a body is not one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// Nothing.
    #[error("the call carries no message")]
    None,
    /// More than one.
    #[error("the call carries several messages")]
    Several,
    /// It ends too early.
    #[error("the message ends too early")]
    Cut,
    /// The first byte is neither 0 nor 1.
    #[error("the first byte of the message is {0}, not 0 or 1")]
    Flag(u8),
}

/// Takes the one message out of a body.
///
/// # Errors
/// See [`BadFrame`].
pub fn message(body: &[u8]) -> Result<Framed<'_>, BadFrame> {
    let Some((flag, rest)) = body.split_first() else {
        return Err(BadFrame::None);
    };
    let is_packed = match flag {
        0 => false,
        1 => true,
        other => return Err(BadFrame::Flag(*other)),
    };
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(BadFrame::Cut)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    match rest.len() {
        got if got < length => Err(BadFrame::Cut),
        got if got > length => Err(BadFrame::Several),
        _ => Ok(Framed {
            is_packed,
            message: rest,
        }),
    }
}

/// Puts a plain message into a frame.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut framed = Vec::with_capacity(FRAME_BYTES + message.len());
    framed.push(0);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

/// A message for the header `grpc-message`: everything but printable ASCII, and `%`, is escaped.
pub fn escaped(message: &str) -> String {
    let escape = |byte: u8| match byte {
        b' '..=b'~' if byte != b'%' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    message.bytes().map(escape).collect()
}

/// `grpc-status-details-bin` of a status that asks to come again after so many milliseconds.
pub fn retry_details(code: Code, message: &str, after_ms: u32) -> String {
    let delay = Delay {
        seconds: i64::from(after_ms / 1000),
        nanos: i32::try_from(after_ms % 1000 * 1_000_000).unwrap_or_default(),
    };
    let retry = RetryInfo { delay: Some(delay) };
    let status = Status {
        code: i32::from(code.number()),
        message: message.to_owned(),
        details: vec![Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: retry.encode_to_vec(),
        }],
    };
    STANDARD_NO_PAD.encode(status.encode_to_vec())
}

/// `google.rpc.Status`, the body of every OTLP/HTTP error too.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Status {
    /// A [`Code`].
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// Why.
    #[prost(string, tag = "2")]
    pub message: String,
    /// More, each of its own type.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Any {
    /// Which message it is.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The message.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RetryInfo {
    /// How long to wait.
    #[prost(message, optional, tag = "1")]
    pub delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Delay {
    /// Whole seconds.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// The rest.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// What a frame takes beside its message.
pub const FRAME_BYTES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_are_not_one_message() {
        for (body, expected) in [
            (&b""[..], BadFrame::None),
            (b"\x02\0\0\0\0", BadFrame::Flag(2)),
            (b"\0\0\0", BadFrame::Cut),
            (b"\0\0\0\0\x03ab", BadFrame::Cut),
            (b"\0\xff\xff\xff\xffab", BadFrame::Cut),
            (b"\0\0\0\0\x01ab", BadFrame::Several),
        ] {
            assert_eq!(message(body), Err(expected), "{body:?}");
        }
    }

    #[test]
    fn a_frame_holds_its_message() {
        let body = framed(b"abc");
        assert_eq!(body, b"\0\0\0\0\x03abc");
        let expected = Framed {
            is_packed: false,
            message: b"abc",
        };
        assert_eq!(message(&body), Ok(expected));
        assert!(message(b"\x01\0\0\0\0").unwrap().is_packed);
    }

    #[test]
    fn messages_are_escaped() {
        assert_eq!(escaped("50 % of ä\n"), "50 %25 of %C3%A4%0A");
    }

    #[test]
    fn the_hint_to_come_again_can_be_read() {
        let details = retry_details(Code::Unavailable, "later", 1500);
        let status = STANDARD_NO_PAD.decode(details).unwrap();
        let status = Status::decode(&status[..]).unwrap();
        assert_eq!((status.code, status.message.as_str()), (14, "later"));
        let retry = RetryInfo::decode(&status.details[0].value[..]).unwrap();
        let delay = retry.delay.unwrap();
        assert_eq!((delay.seconds, delay.nanos), (1, 500_000_000));
    }
}
