//! Which words and values the rows of a segment may have, range by range.
//!
//! A segment is cut into ranges of some sixteen thousand rows, none of which ends inside of a trace,
//! and each has a filter ([`Filter`](super::filter)) of the tokens of its bodies and of its
//! attributes with their values, those of resources among them. All filters of a segment have as many
//! blocks, and lie across: the first block of each, then the second. So one read of some two
//! kilobytes tells of all ranges whether they may have a word.
//!
//! ```text
//! words := ranges:u32 blocks:u32 end:u32*ranges crc:u32 row*blocks
//! row   := block:[u32;8]*ranges crc:u32
//! ```
//!
//! Numbers are little-endian; `end` is the row after the last of a range.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{FixedSizeBinaryArray, RecordBatch, StringArray};
use throughline_telemetry::Signal;
use twox_hash::XxHash64;

use super::columns::{AttributeLists, Columns};
use super::filter::{self, Block};
use super::index::load_range;
use super::table::Damage;
use super::value::{self, attributes_from_json};
use crate::hash::HashMap;
use crate::limits::{RANGE_ROWS, RANGE_WORDS_MAX};
use crate::token::tokens;

/// What a filter knows of an attribute with a value, by the text that the value reads as.
pub(crate) fn attribute_hash(key: &str, text: &str) -> u64 {
    XxHash64::oneshot(key_hash(key), text.as_bytes())
}

fn key_hash(key: &str) -> u64 {
    XxHash64::oneshot(1, key.as_bytes())
}

/// Collects the words of a segment while its rows are written, in their order.
#[derive(Debug)]
pub(super) struct WordsSerializer {
    signal: Signal,
    rows: u32,
    ranges: Vec<(u32, Vec<u64>)>,
    begin: u32,
    words: HashSet<u64, BuildHasherDefault<AsItIs>>,
    last_trace: [u8; 16],
    resources: HashMap<String, Arc<[u64]>>,
}

impl WordsSerializer {
    pub(super) fn new(signal: Signal) -> Self {
        WordsSerializer {
            signal,
            rows: 0,
            ranges: Vec::new(),
            begin: 0,
            words: HashSet::default(),
            last_trace: [0; 16],
            resources: HashMap::default(),
        }
    }

    /// Adds the rows of a canonical batch.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), Damage> {
        let columns = Columns(batch);
        let (traces, bodies): (Option<&FixedSizeBinaryArray>, Option<&StringArray>) =
            match self.signal {
                Signal::Traces => (Some(columns.get("trace_id")?), None),
                Signal::Logs => (None, Some(columns.get("body")?)),
                Signal::Metrics => return Ok(()),
            };
        let lists = AttributeLists::new(columns.get("attributes")?)?;
        let resources = columns.texts("resource")?;
        let keys: Vec<u64> = lists.keys.distinct().map(key_hash).collect();
        // By key what a row had last: most of what a trace says is the same in all its spans.
        let mut last: Vec<Option<(u8, &str)>> = vec![None; keys.len()];
        // The range for which a resource of the batch was added.
        let mut added: Vec<Option<usize>> = vec![None; resources.distinct().len()];
        for row in 0..batch.num_rows() {
            let trace = traces.map(|traces| traces.value(row));
            if self.rows - self.begin >= RANGE_ROWS
                && trace.is_none_or(|trace| trace != self.last_trace)
            {
                self.end_range();
                last.fill(None);
            }
            if let Some(trace) = trace {
                self.last_trace.copy_from_slice(trace);
            }
            self.rows += 1;
            if self.words.len() > RANGE_WORDS_MAX {
                continue;
            }
            if let Some(bodies) = bodies {
                self.words
                    .extend(tokens(bodies.value(row)).map(|token| token.hash().0));
            }
            for item in lists.range(row) {
                let (code, (_, tag, text)) = (lists.keys.code(item), lists.item(item));
                if last[code].replace((tag, text)) != Some((tag, text)) {
                    self.words.insert(value_hash(keys[code], tag, text)?);
                }
            }
            let code = resources.code(row);
            if added[code].replace(self.ranges.len()) != Some(self.ranges.len()) {
                let words = self.resource(resources.value(row))?;
                self.words.extend(words.iter());
            }
        }
        Ok(())
    }

    /// What there is to say of a resource.
    fn resource(&mut self, json: &str) -> Result<Arc<[u64]>, Damage> {
        if let Some(known) = self.resources.get(json) {
            return Ok(Arc::clone(known));
        }
        if self.resources.len() >= RESOURCES_KEPT {
            self.resources.clear();
        }
        let attributes = attributes_from_json(json)?;
        let words = attributes
            .iter()
            .map(|(key, value)| attribute_hash(key, &value.to_text()));
        let words: Arc<[u64]> = words.collect();
        self.resources.insert(json.to_owned(), Arc::clone(&words));
        Ok(words)
    }

    fn end_range(&mut self) {
        self.ranges
            .push((self.rows, self.words.drain().collect::<Vec<_>>()));
        self.begin = self.rows;
    }

    /// The part of the index, if there is anything to say.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        if self.rows > self.begin {
            self.end_range();
        }
        let limited = |words: &[u64]| words.len().min(RANGE_WORDS_MAX);
        let most = self.ranges.iter().map(|(_, words)| limited(words)).max()?;
        let bits = match self.signal {
            Signal::Logs => BITS_PER_WORD,
            Signal::Traces | Signal::Metrics => BITS_PER_VALUE,
        };
        let blocks = filter::blocks_for(most * bits);
        let ranges = self.ranges.len();
        let mut filters = vec![Block::default(); blocks * ranges];
        for (number, (_, words)) in self.ranges.iter().enumerate() {
            if words.len() > RANGE_WORDS_MAX {
                // It may have any.
                let across = filters.iter_mut().skip(number).step_by(ranges);
                across.for_each(|block| *block = [u32::MAX; 8]);
                continue;
            }
            for word in words {
                let place = filter::place(*word, blocks);
                filter::put(&mut filters[place * ranges + number], *word);
            }
        }
        let number = |number: usize| {
            u32::try_from(number)
                .expect("there are fewer")
                .to_le_bytes()
        };
        let mut part = [number(ranges), number(blocks)].concat();
        part.extend(self.ranges.iter().flat_map(|(end, _)| end.to_le_bytes()));
        part.extend(crc32c::crc32c(&part).to_le_bytes());
        for row in filters.chunks(ranges) {
            let begin = part.len();
            part.extend(row.iter().flatten().flat_map(|word| word.to_le_bytes()));
            part.extend(crc32c::crc32c(&part[begin..]).to_le_bytes());
        }
        Some(part)
    }
}

/// Of a key with this hash and a value.
fn value_hash(key: u64, tag: u8, text: &str) -> Result<u64, Damage> {
    let hash = |text: &str| XxHash64::oneshot(key, text.as_bytes());
    Ok(match tag {
        value::STRING | value::INT | value::BOOL => hash(text),
        tag => hash(&value::from_text(tag, text)?.to_text()),
    })
}

/// The words of a segment, of which no more is in memory than where its ranges end.
#[derive(Debug)]
pub(super) struct Words {
    ends: Vec<u32>,
    blocks: usize,
    /// Where the first row is in the file.
    rows_at: u64,
}

impl Words {
    /// Reads the beginning of a part of a file.
    pub(super) fn load(file: &File, place: &Range<u64>) -> io::Result<Result<Self, Damage>> {
        let damaged = || Damage::new("not a whole index");
        if place.end - place.start < 8 || file.metadata()?.len() < place.end {
            return Ok(Err(damaged()));
        }
        let head = load_range(file, place.start..place.start + 8)?;
        let number = |at: usize| u64::from(u32::from_le_bytes([0, 1, 2, 3].map(|i| head[at + i])));
        let (ranges, blocks) = (number(0), number(4));
        let head_bytes = 8 + 4 * ranges + 4;
        let row_bytes = ranges * BLOCK_BYTES + 4;
        if head_bytes + blocks * row_bytes != place.end - place.start {
            return Ok(Err(damaged()));
        }
        let head = load_range(file, place.start..place.start + head_bytes)?;
        let Some((head, crc)) = head.split_last_chunk() else {
            return Ok(Err(damaged()));
        };
        if crc32c::crc32c(head) != u32::from_le_bytes(*crc) {
            return Ok(Err(Damage::new("checksum mismatch")));
        }
        let (ends, _) = head[8..].as_chunks();
        Ok(Ok(Words {
            ends: ends.iter().map(|end| u32::from_le_bytes(*end)).collect(),
            blocks: usize::try_from(blocks).map_err(io::Error::other)?,
            rows_at: place.start + head_bytes,
        }))
    }

    /// The rows that may have all of these words, in order.
    pub(super) fn rows_with(
        &self,
        file: &File,
        words: &[u64],
    ) -> io::Result<Result<Vec<Range<u32>>, Damage>> {
        let mut may_have = vec![true; self.ends.len()];
        let row_bytes = self.ends.len() * BLOCK_SIZE + 4;
        for word in words {
            let place = filter::place(*word, self.blocks);
            let begin = self.rows_at + (place * row_bytes) as u64;
            let row = load_range(file, begin..begin + row_bytes as u64)?;
            let Some((row, crc)) = row.split_last_chunk() else {
                return Ok(Err(Damage::new("not a whole index")));
            };
            if crc32c::crc32c(row) != u32::from_le_bytes(*crc) {
                return Ok(Err(Damage::new("checksum mismatch")));
            }
            let (blocks, _) = row.as_chunks();
            for (may_have, block) in may_have.iter_mut().zip(blocks) {
                *may_have &= filter::has(&filter::read(block), *word);
            }
        }
        let mut found: Vec<Range<u32>> = Vec::new();
        let mut begin = 0;
        for (end, may_have) in self.ends.iter().zip(may_have) {
            match found.last_mut().filter(|last| last.end == begin) {
                Some(last) if may_have => last.end = *end,
                _ if may_have => found.push(begin..*end),
                _ => {}
            }
            begin = *end;
        }
        Ok(Ok(found))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.ends)
    }
}

/// Hashes need no hashing.
#[derive(Clone, Copy, Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are hashed")
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Of log records, which are looked for by rare words: four ranges in a thousand are read in vain.
const BITS_PER_WORD: usize = 12;

/// Of spans, most of whose values are looked for by nobody: two in a hundred.
const BITS_PER_VALUE: usize = 8;

const BLOCK_SIZE: usize = size_of::<Block>();
const BLOCK_BYTES: u64 = BLOCK_SIZE as u64;

/// Resources whose words are remembered.
const RESOURCES_KEPT: usize = 4096;
