//! What the function has sent and what its extension said to that, written by the function where
//! the test can read it whatever becomes of the function.
//!
//! One line an export: `FIRST COUNT STATUS`, the number of its first span, how many there are, and
//! the status of the extension's answer; 0 where there was none.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file, as both sides know it.
pub(crate) struct Journal(PathBuf);

/// One export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Export {
    /// The number of its first span, which is the id of that.
    pub(crate) first: u64,
    pub(crate) count: u64,
    /// What the extension answered; 0 if it said nothing.
    pub(crate) status: u16,
}

impl Journal {
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Journal(path.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// One write, so that what a kill leaves is whole lines.
    pub(crate) fn add(&self, export: Export) {
        let Export {
            first,
            count,
            status,
        } = export;
        let file = OpenOptions::new().create(true).append(true).open(&self.0);
        let line = format!("{first} {count} {status}\n");
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }

    pub(crate) fn exports(&self) -> Vec<Export> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let export = |line: &str| {
            let mut words = line.split(' ');
            let mut number = || words.next()?.parse::<u64>().ok();
            let (first, count, status) = (number()?, number()?, number()?);
            let status = u16::try_from(status).ok()?;
            Some(Export {
                first,
                count,
                status,
            })
        };
        text.lines().filter_map(export).collect()
    }

    /// Every span that the extension has answered for, with the invocation that sent it.
    pub(crate) fn taken(&self) -> BTreeMap<u64, u64> {
        let exports = self.exports().into_iter();
        let taken = exports.filter(|export| export.status == 200);
        let spans = taken.flat_map(|export| export.first..export.first + export.count);
        spans.map(|span| (span, span >> INVOCATION_BITS)).collect()
    }
}

/// The number of the first span of an export of an invocation.
pub(crate) fn first_span(invocation: u64, export: u64) -> u64 {
    (invocation << INVOCATION_BITS) | (export << EXPORT_BITS)
}

/// So many spans may an invocation send, in so many exports.
const INVOCATION_BITS: u32 = 20;
const EXPORT_BITS: u32 = 10;
