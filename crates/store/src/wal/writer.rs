//! The file that frames are appended to.

use std::io::{self, Write};

use super::{WalHeader, WalSerializer};
use crate::directory::Layout;
use crate::disk::{File, remove_file, rename, sync_directory};
use crate::probe::{Probe, Step};

/// Appends groups of frames to the WAL file of one generation.
#[derive(Debug)]
pub(crate) struct WalWriter {
    header: WalHeader,
    file: File,
    /// Those that count: the header, and all groups that the disk has for certain.
    bytes: u64,
    /// Whether something may be in the file after them.
    is_torn: bool,
    probe: Probe,
}

impl WalWriter {
    /// Makes a file, so that it is there after a crash, and whole. If there is one of this generation
    /// already, nothing in it may count: it is replaced.
    pub(crate) fn create(layout: &Layout, header: WalHeader, probe: Probe) -> io::Result<Self> {
        probe.at(Step::WalRoll)?;
        let path = layout.wal(header.generation);
        let new = layout.unfinished_wal(header.generation);
        match remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = File::create_new(&new)?;
        let bytes = header.to_bytes();
        file.write_all(&bytes)?;
        file.sync_all()?;
        rename(&new, &path)?;
        sync_directory(&layout.wal_directory())?;
        Ok(WalWriter {
            header,
            file,
            bytes: bytes.len() as u64,
            is_torn: false,
            probe,
        })
    }

    pub(crate) fn generation(&self) -> u64 {
        self.header.generation
    }

    /// Bytes in the file that count.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What the file begins with that the next group goes into if none may go into this one any more:
    /// one of the next generation, or one that replaces this, if no group is in it.
    pub(crate) fn next(&self) -> WalHeader {
        if self.bytes == self.header.to_bytes().len() as u64 {
            return self.header;
        }
        WalHeader {
            generation: self.header.generation + 1,
            before: self.is_torn.then_some(self.bytes),
        }
    }

    /// Writes a group and waits until the disk has it. After an error nothing more may be written into
    /// this file: what the disk has of the group is not known, and a second fdatasync that succeeds
    /// would not tell.
    pub(crate) fn commit(&mut self, group: &WalSerializer) -> io::Result<()> {
        assert!(
            !self.is_torn,
            "a group goes into a file after a failed write"
        );
        self.is_torn = true;
        self.probe.at(Step::WalWrite)?;
        self.file.write_all(group.bytes())?;
        self.probe.at(Step::WalSync)?;
        self.file.sync_data()?;
        self.probe.at(Step::WalSynced)?;
        self.bytes += group.bytes().len() as u64;
        self.is_torn = false;
        Ok(())
    }
}
