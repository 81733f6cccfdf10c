//! Unpacking a zip file that someone else has made.
//!
//! Whatever it says, nothing is written outside the folder that it is unpacked into: names that lead out are refused,
//! links are made when all files are written and only if they stay inside, and the size is counted while it is written,
//! since a head can lie about it.

use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;

/// Why a layer or an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("not a zip file that can be read: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("its entry {0:?} leads out of the folder")]
    LeadsOut(String),
    #[error("its entry {0:?} is neither a file, a folder nor a link")]
    Odd(String),
    #[error("it has more than {ENTRIES_MAX} entries")]
    TooMany,
    #[error("it is larger than {} MB unpacked, as much as Lambda takes", BYTES_MAX / 1024 / 1024)]
    TooLarge,
}

/// How much may still be written.
#[derive(Debug)]
pub(super) struct Room {
    bytes: u64,
    entries: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            bytes: BYTES_MAX,
            entries: ENTRIES_MAX,
        }
    }
}

impl Room {
    pub(super) fn entry(&mut self) -> Result<(), Error> {
        self.entries = self.entries.checked_sub(1).ok_or(Error::TooMany)?;
        Ok(())
    }

    /// Writes all of it, or finds that there is no room.
    pub(super) fn copy(&mut self, from: impl Read, to: &mut File) -> Result<(), Error> {
        let copied = io::copy(&mut from.take(self.bytes + 1), to)?;
        self.bytes = self.bytes.checked_sub(copied).ok_or(Error::TooLarge)?;
        Ok(())
    }
}

/// Unpacks the file into an empty folder.
pub(super) fn unpack(file: &Path, folder: &Path) -> Result<(), Error> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(file)?))?;
    let mut room = Room::default();
    let mut links = Vec::new();
    for index in 0..archive.len() {
        room.entry()?;
        let mut entry = archive.by_index(index)?;
        let name = inside(&entry.name()?)?;
        let path = folder.join(&name);
        match entry.unix_mode().unwrap_or(0) & KIND {
            LINK => links.push((name, target_of(&mut entry)?)),
            _ if entry.is_dir() => fs::create_dir_all(&path)?,
            0 | FILE => write(&mut entry, &path, &mut room)?,
            _ => return Err(Error::Odd(name.display().to_string())),
        }
    }
    for (name, target) in &links {
        make_link(folder, name, target)?;
    }
    for (name, _) in &links {
        check_link(folder, name)?;
    }
    Ok(())
}

/// What identifies the content of the file: the name, mode, size and checksum of each entry.
pub(super) fn identify(file: &Path, hash: &mut impl std::hash::Hasher) -> Result<(), Error> {
    use std::hash::Hash;
    let mut archive = ZipArchive::new(BufReader::new(File::open(file)?))?;
    if archive.len() > ENTRIES_MAX {
        return Err(Error::TooMany);
    }
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        (
            entry.name()?,
            entry.unix_mode(),
            entry.size(),
            entry.crc32(),
        )
            .hash(hash);
    }
    Ok(())
}

/// Makes a link at `name` below the folder. Lambda's `/opt` is the folder itself, wherever that is here.
pub(super) fn make_link(folder: &Path, name: &Path, target: &Path) -> Result<(), Error> {
    let refuse = || Error::LeadsOut(format!("{} -> {}", name.display(), target.display()));
    let depth = name.components().count().saturating_sub(1);
    let target = match target.strip_prefix(super::OPT) {
        Ok(below) => std::iter::repeat_n("..", depth)
            .collect::<PathBuf>()
            .join(below),
        Err(_) => target.to_owned(),
    };
    let mut level = depth;
    for component in target.components() {
        match component {
            Component::Normal(_) => level += 1,
            Component::CurDir => {}
            Component::ParentDir => level = level.checked_sub(1).ok_or_else(refuse)?,
            Component::RootDir | Component::Prefix(_) => return Err(refuse()),
        }
    }
    let path = folder.join(name);
    make_way(folder, name)?;
    if path.symlink_metadata().is_ok() {
        fs::remove_file(&path)?;
    }
    Ok(symlink(target, path)?)
}

/// A link through other links may lead out although its own words do not say so.
pub(super) fn check_link(folder: &Path, name: &Path) -> Result<(), Error> {
    match fs::canonicalize(folder.join(name)) {
        Ok(found) if !found.starts_with(fs::canonicalize(folder)?) => {
            Err(Error::LeadsOut(name.display().to_string()))
        }
        _ => Ok(()), // inside, or to nothing
    }
}

/// Makes the folders above `name`. What is in the way, a link above all, goes.
pub(super) fn make_way(folder: &Path, name: &Path) -> io::Result<()> {
    let mut path = folder.to_owned();
    for component in name.parent().into_iter().flat_map(Path::components) {
        path.push(component);
        match path.symlink_metadata() {
            Ok(found) if found.is_dir() => continue,
            Ok(_) => fs::remove_file(&path)?,
            Err(_) => {}
        }
        fs::create_dir(&path)?;
    }
    Ok(())
}

fn inside(name: &str) -> Result<PathBuf, Error> {
    let refuse = || Error::LeadsOut(name.to_owned());
    if name.contains(['\0', '\\']) {
        return Err(refuse());
    }
    let mut path = PathBuf::new();
    for component in Path::new(name).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            _ => return Err(refuse()),
        }
    }
    Ok(path)
}

fn write(entry: &mut ZipFile<'_, impl Read>, path: &Path, room: &mut Room) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    if path.is_file() {
        fs::remove_file(path)?; // the later of two with one name, and the earlier may not be writable
    }
    // An archive that was not made on Unix says nothing of modes.
    let mode = entry.unix_mode().unwrap_or(0o644) & 0o777 | 0o400;
    let mut file = File::create(path)?;
    room.copy(entry, &mut file)?;
    Ok(file.set_permissions(Permissions::from_mode(mode))?)
}

fn target_of(entry: &mut ZipFile<'_, impl Read>) -> Result<PathBuf, Error> {
    let name = entry.name()?.into_owned();
    let mut target = String::new();
    entry.take(LINK_BYTES_MAX).read_to_string(&mut target)?;
    if target.is_empty() || target.contains('\0') {
        return Err(Error::Odd(name));
    }
    Ok(PathBuf::from(target))
}

/// Lambda's limit for the code and all layers of a function.
const BYTES_MAX: u64 = 250 * 1024 * 1024;
const ENTRIES_MAX: usize = 100_000;
const LINK_BYTES_MAX: u64 = 4096;
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

#[cfg(test)]
mod tests;
