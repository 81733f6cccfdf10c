//! Frames of `application/vnd.amazon.eventstream`.
//!
//! ```text
//! u32 length of all │ u32 length of headers │ u32 CRC-32 of these two │ headers │ payload │ u32 CRC-32 of all before
//! header: u8 length of name │ name │ u8 7 (a string) │ u16 length of value │ value
//! ```

use bytes::{BufMut, Bytes, BytesMut};

/// One event as a frame.
pub(super) fn event(kind: &str, content_type: &str, payload: &[u8]) -> Bytes {
    let mut headers = BytesMut::new();
    for (name, value) in [
        (":event-type", kind),
        (":content-type", content_type),
        (":message-type", "event"),
    ] {
        put_header(&mut headers, name, value);
    }
    let bytes = PRELUDE_BYTES + headers.len() + payload.len() + CRC_BYTES;
    let mut frame = BytesMut::with_capacity(bytes);
    frame.put_u32(length(bytes));
    frame.put_u32(length(headers.len()));
    frame.put_u32(crc32(&frame));
    frame.put(headers);
    frame.put(payload);
    frame.put_u32(crc32(&frame));
    frame.freeze()
}

fn put_header(headers: &mut BytesMut, name: &str, value: &str) {
    headers.put_u8(u8::try_from(name.len()).expect("names are short constants"));
    headers.put(name.as_bytes());
    headers.put_u8(STRING);
    headers.put_u16(u16::try_from(value.len()).expect("values are short constants"));
    headers.put(value.as_bytes());
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("payloads are a few mebibytes at most")
}

/// CRC-32 as in zip and Ethernet.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8);
    !bytes.iter().fold(!0, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index: u32 = 0;
    while index < 256 {
        let mut crc = index;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[index as usize] = crc;
        index += 1;
    }
    table
}

const TABLE: [u32; 256] = table();
const STRING: u8 = 7;
const PRELUDE_BYTES: usize = 12;
const CRC_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_has_the_check_value_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    /// The expected frame was made with zlib's checksums and read back by botocore.
    #[test]
    fn frame_is_laid_out_as_the_format_says() {
        let frame = event("E", "t", b"hi");
        let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        expect_test::expect!["0000004a000000385f63271f0b3a6576656e742d74797065070001450d3a636f6e74656e742d74797065070001740d3a6d6573736167652d747970650700056576656e7468695115f1f2"].assert_eq(&hex);
    }
}
