//! What a file begins with.

use super::{MAGIC, VERSION, VERSION_CUTTING};

/// The beginning of a WAL file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WalHeader {
    pub(crate) generation: u64,
    /// How many bytes of the file before count, if not all.
    pub(crate) before: Option<u64>,
}

impl WalHeader {
    /// The header that a file of this generation begins with; none if it is damaged.
    pub(crate) fn read(file: &[u8], generation: u64) -> Option<Self> {
        let (fields, before) = match *file.first()? {
            VERSION => (file.get(..16)?, None),
            VERSION_CUTTING => (file.get(..24)?, Some(le_u64(file.get(16..24)?)?)),
            _ => return None,
        };
        let crc = file.get(fields.len()..fields.len() + 4)?;
        let is_good = fields[1..6] == *MAGIC
            && le_u64(&fields[8..16]) == Some(generation)
            && crc == crc32c::crc32c(fields).to_le_bytes();
        is_good.then_some(WalHeader { generation, before })
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut header = vec![VERSION];
        header.extend(MAGIC);
        header.extend([0; 2]);
        header.extend(self.generation.to_le_bytes());
        if let Some(before) = self.before {
            header[0] = VERSION_CUTTING;
            header.extend(before.to_le_bytes());
        }
        header.extend(crc32c::crc32c(&header).to_le_bytes());
        header
    }
}

fn le_u64(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}

/// Of the longest header.
pub(crate) const HEADER_BYTES_MAX: usize = 28;
