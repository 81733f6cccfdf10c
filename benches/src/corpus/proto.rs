//! Protobuf by appending: fields with tags below 16, lengths in as few bytes as they need.

#[inline]
pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
pub(crate) fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// A length-delimited field.
#[inline]
pub(crate) fn bytes(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// The bytes that [`bytes`] writes for a value of this length.
#[inline]
pub(crate) fn bytes_len(value: usize) -> usize {
    1 + varint_len(value as u64) + value
}

#[inline]
pub(crate) fn fixed64(out: &mut Vec<u8>, tag: u8, value: u64) {
    out.push(tag);
    out.extend_from_slice(&value.to_le_bytes());
}

#[inline]
pub(crate) fn number(out: &mut Vec<u8>, tag: u8, value: u64) {
    out.push(tag);
    varint(out, value);
}

/// A message whose length is known only when it is written.
pub(crate) fn message(out: &mut Vec<u8>, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[tag, 0, 0]);
    let begin = out.len();
    write(out);
    let length = out.len() - begin;
    match varint_len(length as u64) {
        // Nearly all are between 128 bytes and 16 KiB: nothing has to move.
        2 => {
            out[begin - 2] = length as u8 | 0x80;
            out[begin - 1] = (length >> 7) as u8;
        }
        _ => {
            let mut head = Vec::new();
            varint(&mut head, length as u64);
            drop(out.splice(begin - 2..begin, head));
        }
    }
}

/// A `KeyValue` in the given field of its parent, with what follows the tag of the value.
#[inline]
fn attribute(out: &mut Vec<u8>, tag: u8, key: &str, any_len: usize) {
    let length = bytes_len(key.len()) + bytes_len(any_len);
    number(out, tag, length as u64);
    bytes(out, 0x0a, key.as_bytes());
    number(out, 0x12, any_len as u64);
}

#[inline]
pub(crate) fn text(out: &mut Vec<u8>, tag: u8, key: &str, value: &[u8]) {
    attribute(out, tag, key, bytes_len(value.len()));
    bytes(out, 0x0a, value);
}

#[inline]
pub(crate) fn flag(out: &mut Vec<u8>, tag: u8, key: &str, value: bool) {
    attribute(out, tag, key, 2);
    out.extend_from_slice(&[0x10, u8::from(value)]);
}

#[inline]
pub(crate) fn int(out: &mut Vec<u8>, tag: u8, key: &str, value: u64) {
    attribute(out, tag, key, 1 + varint_len(value));
    number(out, 0x18, value);
}

#[inline]
pub(crate) fn double(out: &mut Vec<u8>, tag: u8, key: &str, value: f64) {
    attribute(out, tag, key, 9);
    fixed64(out, 0x21, value.to_bits());
}

/// A list with one text in it.
pub(crate) fn list(out: &mut Vec<u8>, tag: u8, key: &str, value: &[u8]) {
    let any = bytes_len(value.len());
    let values = bytes_len(any);
    attribute(out, tag, key, bytes_len(values));
    number(out, 0x2a, values as u64);
    number(out, 0x0a, any as u64);
    bytes(out, 0x0a, value);
}

/// Sixteen hexadecimal digits.
#[inline]
pub(crate) fn hex(out: &mut Vec<u8>, word: u64) {
    for byte in word.to_be_bytes() {
        out.extend_from_slice(&HEX[usize::from(byte)]);
    }
}

/// A random UUID in its usual form.
#[inline]
pub(crate) fn uuid(out: &mut Vec<u8>, high: u64, low: u64) {
    let high = (high & !0xf000) | 0x4000;
    let low = (low & (u64::MAX >> 2)) | (1 << 63);
    let mut text = *b"00000000-0000-0000-0000-000000000000";
    let bytes = high.to_be_bytes().into_iter().chain(low.to_be_bytes());
    for (place, byte) in UUID_PLACES.into_iter().zip(bytes) {
        text[place..place + 2].copy_from_slice(&HEX[usize::from(byte)]);
    }
    out.extend_from_slice(&text);
}

/// So many capital letters and digits.
#[inline]
pub(crate) fn capitals(out: &mut Vec<u8>, count: usize, seed: u64) {
    let mut random = super::random::Random::new(seed);
    let mut word = 0;
    for place in 0..count {
        if place % 10 == 0 {
            word = random.next();
        }
        out.push(CAPITALS[(word % 36) as usize]);
        word /= 36;
    }
}

#[inline]
pub(crate) fn decimal(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let (mut place, mut rest) = (digits.len(), value);
    loop {
        place -= 1;
        digits[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[place..]);
}

const UUID_PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const CAPITALS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_as_few_bytes_as_they_need() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
            let (mut plain, mut nested) = (Vec::new(), Vec::new());
            bytes(&mut plain, 0x4a, &vec![7; length]);
            message(&mut nested, 0x4a, |out| out.resize(out.len() + length, 7));
            assert_eq!(plain.len(), bytes_len(length));
            assert_eq!(plain, nested, "{length}");
        }
    }

    #[test]
    fn a_uuid_says_its_version() {
        let mut out = Vec::new();
        uuid(&mut out, u64::MAX, 0);
        assert_eq!(out, b"ffffffff-ffff-4fff-8000-000000000000");
    }
}
