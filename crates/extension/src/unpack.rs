//! Unpacking what others packed, up to a limit.

use std::io::Read;

/// Why it cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum BadPack {
    /// It would be larger than allowed.
    #[error("unpacked it is larger than {0} bytes")]
    TooLarge(usize),
    /// Not gzip, or not all of it.
    #[error("cannot unpack the body: {0}")]
    Broken(#[from] std::io::Error),
}

/// Unpacks gzip. Never more than `bytes_max` bytes exist, whatever the input says.
///
/// # Errors
/// See [`BadPack`].
pub fn gzip(packed: &[u8], bytes_max: usize) -> Result<Vec<u8>, BadPack> {
    let mut plain = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let unpacker = flate2::read::GzDecoder::new(packed);
    unpacker
        .take(limit.saturating_add(1))
        .read_to_end(&mut plain)?;
    if plain.len() > bytes_max {
        return Err(BadPack::TooLarge(bytes_max));
    }
    Ok(plain)
}
