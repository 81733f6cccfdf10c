//! What processes write: lines of stdout and stderr, and frames of the log descriptor.

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// Reads lines until the end and hands each one over without its line feed. Longer ones come in pieces.
pub(super) async fn read_lines(source: impl AsyncRead + Unpin, mut take: impl FnMut(String)) {
    let mut source = BufReader::with_capacity(16 * 1024, source);
    let mut line = Vec::new();
    while let Ok(available) = source.fill_buf().await {
        if available.is_empty() {
            break;
        }
        let room = LINE_BYTES_MAX - line.len();
        let chunk = &available[..available.len().min(room)];
        let end = chunk.iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
        let used = end.map_or(chunk.len(), |end| end + 1);
        source.consume(used);
        if end.is_some() || line.len() == LINE_BYTES_MAX {
            take(String::from_utf8_lossy(&line).into_owned());
            line.clear();
        }
    }
    if !line.is_empty() {
        take(String::from_utf8_lossy(&line).into_owned());
    }
}

/// Reads frames of `_LAMBDA_TELEMETRY_LOG_FD` until the end or until one is none.
///
/// A frame is a big-endian type, a length and a time in microseconds, then the message; one frame is one event, so
/// a stack trace stays in one piece.
pub(super) async fn read_frames(source: impl AsyncRead + Unpin, mut take: impl FnMut(String)) {
    let mut source = BufReader::new(source);
    loop {
        let (Ok(kind), Ok(length), Ok(_micros)) = (
            source.read_u32().await,
            source.read_u32().await,
            source.read_i64().await,
        ) else {
            return;
        };
        let bytes = usize::try_from(length).unwrap_or(usize::MAX);
        if kind >> 8 != FRAME_MAGIC || bytes > FRAME_BYTES_MAX {
            tracing::warn!(
                kind,
                length,
                "log descriptor: not a frame, the rest is not read"
            );
            return;
        }
        let mut message = vec![0; bytes];
        if source.read_exact(&mut message).await.is_err() {
            return;
        }
        take(String::from_utf8_lossy(&message).into_owned());
    }
}

/// Lambda cuts longer lines too.
const LINE_BYTES_MAX: usize = 256 * 1024;
/// The upper three bytes of `0xA55A0002` (JSON) and `0xA55A0003` (text), whatever level is in the lowest.
const FRAME_MAGIC: u32 = 0x00A5_5A00;
const FRAME_BYTES_MAX: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(input: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        read_lines(input, |line| lines.push(line)).await;
        lines
    }

    #[tokio::test]
    async fn lines_end_at_line_feeds_and_at_the_end() {
        assert_eq!(lines(b"a\n\nb\rc\nrest").await, ["a", "", "b\rc", "rest"]);
        assert_eq!(lines(b"\xff\n").await, ["\u{fffd}"]);
        assert!(lines(b"").await.is_empty());
    }

    #[tokio::test]
    async fn endless_line_comes_in_pieces() {
        let lengths: Vec<_> = lines(&vec![b'x'; LINE_BYTES_MAX * 2 + 5])
            .await
            .iter()
            .map(String::len)
            .collect();
        assert_eq!(lengths, [LINE_BYTES_MAX, LINE_BYTES_MAX, 5]);
    }

    #[tokio::test]
    async fn frame_is_one_message_whatever_is_in_it() {
        let frame = |kind: u32, message: &[u8]| {
            let length = u32::try_from(message.len()).unwrap();
            [
                &kind.to_be_bytes()[..],
                &length.to_be_bytes(),
                &1_i64.to_be_bytes(),
                message,
            ]
            .concat()
        };
        let input = [
            frame(0xA55A_0003 | 20, b"error\n  at line 1\n"),
            frame(0xA55A_0002, b"{}"),
            frame(7, b"x"),
        ]
        .concat();
        let mut messages = Vec::new();
        read_frames(&input[..], |message| messages.push(message)).await;
        assert_eq!(messages, ["error\n  at line 1\n", "{}"]);
    }
}
