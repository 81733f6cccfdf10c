//! Checksums of a file, block by block, so that damage is found by whoever reads it.
//!
//! Parquet's pages could carry checksums, but the writer makes none. Blocks of the size in which the
//! kernel reads cost no read that would not be made anyway, and cover the footer too.

use super::table::Damage;

/// The length of a file and the checksums of its blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checks {
    /// Bytes of the file.
    pub(crate) bytes: u64,
    /// CRC-32C of each block; the last one may be shorter.
    pub(super) blocks: Vec<u32>,
}

impl Checks {
    /// Adds what comes next in the file.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let filled = place(self.bytes % CHECKED_BYTES);
            let room = place(CHECKED_BYTES) - filled;
            let (block, rest) = bytes.split_at(room.min(bytes.len()));
            match self.blocks.last_mut().filter(|_| filled > 0) {
                Some(crc) => *crc = crc32c::crc32c_append(*crc, block),
                None => self.blocks.push(crc32c::crc32c(block)),
            }
            self.bytes += block.len() as u64;
            bytes = rest;
        }
    }

    /// The whole blocks that bytes are in.
    pub(super) fn widen(&self, start: u64, end: u64) -> std::ops::Range<u64> {
        let begin = start - start % CHECKED_BYTES;
        begin..end.next_multiple_of(CHECKED_BYTES).min(self.bytes)
    }

    /// Checks whole blocks that begin at a place in the file.
    pub(super) fn check(&self, begin: u64, bytes: &[u8]) -> Result<(), Damage> {
        let first = place(begin / CHECKED_BYTES);
        for (number, block) in bytes.chunks(place(CHECKED_BYTES)).enumerate() {
            let number = first + number;
            if self.blocks.get(number) != Some(&crc32c::crc32c(block)) {
                let from = number as u64 * CHECKED_BYTES;
                let what = format!("checksum mismatch in the 4 KiB at byte {from}");
                return Err(Damage::new(what));
            }
        }
        Ok(())
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let blocks = self.blocks.iter();
        blocks.flat_map(|crc| crc.to_le_bytes()).collect()
    }

    /// None if these cannot be the checksums of a file of this length.
    pub(super) fn from_bytes(file_bytes: u64, bytes: &[u8]) -> Option<Self> {
        let (blocks, rest) = bytes.as_chunks();
        let whole = rest.is_empty() && blocks.len() as u64 == file_bytes.div_ceil(CHECKED_BYTES);
        whole.then(|| Checks {
            bytes: file_bytes,
            blocks: blocks.iter().map(|crc| u32::from_le_bytes(*crc)).collect(),
        })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(self) + self.blocks.len() * size_of::<u32>()
    }
}

fn place(at: u64) -> usize {
    usize::try_from(at).expect("files are addressable")
}

/// A page of the kernel's cache.
const CHECKED_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_do_not_depend_on_how_bytes_come() {
        let bytes: Vec<u8> = (0..10_000_u32).map(|at| (at % 251) as u8).collect();
        let mut whole = Checks::default();
        whole.add(&bytes);
        assert_eq!((whole.bytes, whole.blocks.len()), (10_000, 3));
        for step in [1, 7, 4095, 4096, 4097, 9000] {
            let mut pieces = Checks::default();
            bytes.chunks(step).for_each(|piece| pieces.add(piece));
            assert_eq!(pieces, whole, "{step}");
        }
        whole.check(0, &bytes).unwrap();
        whole.check(4096, &bytes[4096..8192]).unwrap();
        assert_eq!(whole.widen(5000, 5001), 4096..8192);
        assert_eq!(whole.widen(8191, 9999), 4096..10_000);
        whole.check(4096, &bytes[..4096]).unwrap_err();
        whole.check(12_288, &bytes[..1]).unwrap_err();
        let again = Checks::from_bytes(10_000, &whole.to_bytes());
        assert_eq!(again, Some(whole));
        assert_eq!(Checks::from_bytes(4096, &[0; 8]), None);
    }
}
