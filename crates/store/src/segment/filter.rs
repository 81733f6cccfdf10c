//! Sets of hashes that answer "surely not" or "perhaps" from a few bits an item.
//!
//! The split-block Bloom filter of Parquet: blocks of 256 bits, one of which the upper half of a hash
//! chooses; in each of its eight words the lower half chooses a bit. One look takes one line of the
//! processor's cache. With [`BITS_PER_ITEM`] one answer in a hundred is wrong.

/// Hashes, as bits.
#[derive(Debug, PartialEq)]
pub(crate) struct Filter {
    blocks: Vec<Block>,
}

/// Eight words.
pub(super) type Block = [u32; 8];

impl Filter {
    /// A filter of these hashes.
    pub(crate) fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let mut blocks = vec![Block::default(); blocks_for(hashes.len() * BITS_PER_ITEM)];
        for hash in hashes {
            let place = place(hash, blocks.len());
            put(&mut blocks[place], hash);
        }
        Filter { blocks }
    }

    /// Whether a hash may have been put in. Of those that were, always.
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        has(&self.blocks[place(hash, self.blocks.len())], hash)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let words = self.blocks.iter().flatten();
        words.flat_map(|word| word.to_le_bytes()).collect()
    }

    /// None if these cannot be the bytes of a filter.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        (rest.is_empty() && !blocks.is_empty()).then(|| Filter {
            blocks: blocks.iter().map(read).collect(),
        })
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.blocks.len() * BLOCK_BYTES
    }
}

/// Blocks that have so many bits, at least one.
pub(super) fn blocks_for(bits: usize) -> usize {
    bits.div_ceil(8 * BLOCK_BYTES).max(1)
}

/// The block of a hash.
pub(super) fn place(hash: u64, blocks: usize) -> usize {
    let place = (u128::from(hash >> 32) * blocks as u128) >> 32;
    usize::try_from(place).expect("it is less than the number of blocks")
}

/// Puts a hash into its block.
pub(super) fn put(block: &mut Block, hash: u64) {
    let bits = bits_of(hash);
    block
        .iter_mut()
        .zip(bits)
        .for_each(|(word, bit)| *word |= bit);
}

/// Whether a hash may have been put into its block.
pub(super) fn has(block: &Block, hash: u64) -> bool {
    let mut words = block.iter().zip(bits_of(hash));
    words.all(|(word, bit)| word & bit != 0)
}

/// The block with these bytes.
pub(super) fn read(bytes: &[u8; BLOCK_BYTES]) -> Block {
    let (words, _) = bytes.as_chunks();
    let mut block = Block::default();
    block
        .iter_mut()
        .zip(words)
        .for_each(|(word, bytes)| *word = u32::from_le_bytes(*bytes));
    block
}

/// One bit of each word.
fn bits_of(hash: u64) -> Block {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    let low = u32::from_le_bytes([a, b, c, d]);
    SALTS.map(|salt| 1 << (low.wrapping_mul(salt) >> 27))
}

/// One in a hundred is let through that is not there.
const BITS_PER_ITEM: usize = 10;

const BLOCK_BYTES: usize = 32;

/// As Parquet has them.
const SALTS: Block = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_is_found_and_little_else() {
        let mut rng = fastrand::Rng::with_seed(3);
        let hashes: Vec<u64> = (0..20_000).map(|_| rng.u64(..)).collect();
        let filter = Filter::of(hashes.iter().copied());
        let filter = Filter::from_bytes(&filter.to_bytes()).unwrap();
        assert!(hashes.iter().all(|hash| filter.may_have(*hash)));
        let wrong = (0..20_000).filter(|_| filter.may_have(rng.u64(..))).count();
        assert!(wrong < 400, "{wrong} of 20000");
        assert_eq!(filter.memory_bytes(), 25_024);
    }

    #[test]
    fn an_empty_one_has_nothing() {
        let filter = Filter::of(std::iter::empty());
        assert!(!filter.may_have(0) && !filter.may_have(u64::MAX));
        assert_eq!(Filter::from_bytes(&[]), None);
        assert_eq!(Filter::from_bytes(&[0; 33]), None);
    }
}
