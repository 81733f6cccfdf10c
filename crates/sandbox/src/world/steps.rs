//! How a world's file system comes to be: the steps, as the holder takes them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Steps in the order in which they are taken.
///
/// Each is a kind, eight bytes of flags and four strings that end with a zero: the two paths, the kind of file system and
/// its options.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    bytes: Vec<u8>,
    /// What each is, for errors.
    told: Vec<String>,
}

impl Steps {
    pub(super) fn folder(&mut self, path: &Path, mode: u32) {
        self.add(FOLDER, u64::from(mode), [path.as_os_str()], "make");
    }

    pub(super) fn file(&mut self, path: &Path) {
        self.add(FILE, 0, [path.as_os_str()], "make");
    }

    pub(super) fn link(&mut self, target: &Path, path: &Path) {
        self.add(LINK, 0, [target.as_os_str(), path.as_os_str()], "link");
    }

    /// Shows a file or folder, with all that is mounted below it, at another place too.
    pub(super) fn bind(&mut self, source: &Path, target: &Path) {
        let paths = [source.as_os_str(), target.as_os_str()];
        self.add(MOUNT, libc::MS_BIND | libc::MS_REC, paths, "show");
    }

    /// Makes what is mounted there read-only; `kept` are the flags that it has and must keep.
    pub(super) fn read_only(&mut self, target: &Path, kept: u64) {
        let flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | kept;
        let paths = [OsStr::new("none"), target.as_os_str()];
        self.add(MOUNT, flags, paths, "make read-only");
    }

    pub(super) fn memory(&mut self, target: &Path, options: &str) {
        let strings = [
            OsStr::new("tmpfs"),
            target.as_os_str(),
            OsStr::new("tmpfs"),
            OsStr::new(options),
        ];
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        self.add(MOUNT, flags, strings, "mount memory as");
    }

    /// Sources that are no absolute paths are seen from there, also once something else is mounted over it.
    pub(super) fn stand_in(&mut self, path: &Path) {
        self.add(STAND, 0, [path.as_os_str()], "stand in");
    }

    pub(super) fn unmount(&mut self, target: &Path) {
        self.add(UNMOUNT, 0, [target.as_os_str()], "unmount");
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the step of this number is.
    pub(super) fn told(&self, step: u32) -> &str {
        let index = usize::try_from(step).unwrap_or(usize::MAX);
        self.told.get(index).map_or("finish", String::as_str)
    }

    fn add<const N: usize>(&mut self, kind: u8, flags: u64, strings: [&OsStr; N], verb: &str) {
        self.bytes.push(kind);
        self.bytes.extend(flags.to_le_bytes());
        for index in 0..4 {
            let string = strings
                .get(index)
                .map_or(&b""[..], |string| string.as_bytes());
            self.bytes.extend(string.iter().filter(|byte| **byte != 0));
            self.bytes.push(0);
        }
        let paths: Vec<_> = strings
            .iter()
            .take(2)
            .map(|path| path.to_string_lossy())
            .collect();
        self.told.push(format!("{verb} {}", paths.join(" as ")));
    }
}

pub(super) const FOLDER: u8 = 1;
pub(super) const FILE: u8 = 2;
pub(super) const LINK: u8 = 3;
pub(super) const MOUNT: u8 = 4;
pub(super) const UNMOUNT: u8 = 5;
pub(super) const STAND: u8 = 6;
/// The steps of one world, in bytes; some hundred steps are usual, of a hundred bytes each.
pub(super) const BYTES_MAX: usize = 128 * 1024;
