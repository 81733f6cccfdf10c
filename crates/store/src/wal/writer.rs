//! The file that frames are appended to.

use std::io::{self, Write};

use super::WalSerializer;
use crate::directory::Layout;
use crate::disk::{File, sync_directory};
use crate::probe::{Probe, Step};

/// Appends groups of frames to the WAL file of one generation.
#[derive(Debug)]
pub(crate) struct WalWriter {
    generation: u64,
    file: File,
    bytes: u64,
    probe: Probe,
}

impl WalWriter {
    /// Makes the file of a generation, so that it is there after a crash.
    pub(crate) fn create(layout: &Layout, generation: u64, probe: Probe) -> io::Result<Self> {
        probe.at(Step::WalRoll)?;
        let path = layout.wal(generation);
        let mut file = File::create_new(&path)?;
        let header = WalSerializer::header(generation);
        file.write_all(&header)?;
        file.sync_all()?;
        sync_directory(&layout.wal_directory())?;
        Ok(WalWriter {
            generation,
            file,
            bytes: header.len() as u64,
            probe,
        })
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Bytes in the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes a group and waits until the disk has it.
    pub(crate) fn commit(&mut self, group: &WalSerializer) -> io::Result<()> {
        self.probe.at(Step::WalWrite)?;
        self.file.write_all(group.bytes())?;
        self.probe.at(Step::WalSync)?;
        self.file.sync_data()?;
        self.bytes += group.bytes().len() as u64;
        self.probe.at(Step::WalSynced)
    }
}
