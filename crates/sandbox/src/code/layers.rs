//! The layers of a function, laid over each other as `/opt`.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::archive::{self, Error, Room};
use super::cache::Cache;

/// The folder with the content of `/opt`; none without layers. A single folder is taken where it is.
///
/// # Errors
/// Which layer cannot be used, and why.
pub(super) fn merge(layers: &[PathBuf], cache: &Cache) -> Result<Option<PathBuf>, String> {
    let mut folders = Vec::new();
    for layer in layers {
        let folder = folder_of(layer, cache)
            .map_err(|error| format!("cannot use the layer {}: {error}", layer.display()))?;
        folders.push(folder);
    }
    if folders.len() < 2 {
        return Ok(folders.pop());
    }
    merged(&folders, cache).map(Some).map_err(|error| {
        let last = layers.last().map(|layer| layer.display().to_string());
        format!(
            "cannot lay the layers up to {} over each other: {error}",
            last.unwrap_or_default()
        )
    })
}

/// A folder as it is; a zip file unpacked.
pub(super) fn folder_of(path: &Path, cache: &Cache) -> Result<PathBuf, Error> {
    let path = std::path::absolute(path)?;
    if path.is_dir() {
        return Ok(path);
    }
    let mut hashes = Hashes::default();
    archive::identify(&path, &mut hashes)?;
    cache.make(&format!("layers/{}", hashes.name()), |folder| {
        archive::unpack(&path, folder)
    })
}

/// The executables that Lambda starts as external extensions, in the order of their names.
pub(super) fn extensions_of(opt: Option<&Path>) -> Vec<PathBuf> {
    let folder = opt.map(|opt| opt.join("extensions"));
    let entries = folder.and_then(|folder| fs::read_dir(folder).ok());
    let files = entries.into_iter().flatten().flatten();
    // One that is not executable fails to start, as on Lambda.
    let mut files: Vec<_> = files
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

fn merged(folders: &[PathBuf], cache: &Cache) -> Result<PathBuf, Error> {
    let mut hashes = Hashes::default();
    let mut all = Vec::new();
    for folder in folders {
        let mut entries = Vec::new();
        list(folder, Path::new(""), 0, &mut entries)?;
        for entry in &entries {
            entry.hash(&mut hashes);
        }
        all.push((folder, entries));
    }
    cache.make(&format!("layers/{}", hashes.name()), |target| {
        let mut room = Room::default();
        let mut links = Vec::new();
        for (folder, entries) in &all {
            for entry in entries {
                room.entry()?;
                lay(folder, entry, target, &mut room)?;
                links.extend(entry.link.is_some().then_some(&entry.name));
            }
        }
        for name in links {
            if target.join(name).is_symlink() {
                archive::check_link(target, name)?;
            }
        }
        Ok(())
    })
}

/// Something in a layer, and what tells that it has changed.
#[derive(Debug, Hash)]
struct Entry {
    name: PathBuf,
    is_folder: bool,
    link: Option<PathBuf>,
    mode: u32,
    bytes: u64,
    modified: (i64, i64),
}

/// Links that stay in the layer are links; others, as developers make them to what they have just built, are what they
/// lead to.
fn list(root: &Path, below: &Path, depth: usize, out: &mut Vec<Entry>) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::Odd(below.display().to_string()));
    }
    let mut names: Vec<_> = fs::read_dir(root.join(below))?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<std::io::Result<_>>()?;
    names.sort();
    for name in names {
        let name = below.join(name);
        let path = root.join(&name);
        let link = link_inside(root, &path)?;
        let metadata = match link {
            Some(_) => path.symlink_metadata()?,
            None => path.metadata()?,
        };
        let is_folder = metadata.is_dir();
        if !is_folder && !metadata.is_file() && link.is_none() {
            return Err(Error::Odd(name.display().to_string()));
        }
        out.push(Entry {
            name: name.clone(),
            is_folder,
            link,
            mode: metadata.permissions().mode() & 0o777,
            bytes: if is_folder { 0 } else { metadata.len() },
            modified: if is_folder {
                (0, 0)
            } else {
                (metadata.mtime(), metadata.mtime_nsec())
            },
        });
        if is_folder {
            list(root, &name, depth + 1, out)?;
        }
    }
    Ok(())
}

fn link_inside(root: &Path, path: &Path) -> Result<Option<PathBuf>, Error> {
    if !path.is_symlink() {
        return Ok(None);
    }
    let target = fs::read_link(path)?;
    let inside = match fs::canonicalize(path) {
        Ok(found) => found.starts_with(fs::canonicalize(root)?) && target.is_relative(),
        Err(_) => true,
    };
    Ok(inside.then_some(target))
}

/// Puts one entry over what is there.
fn lay(folder: &Path, entry: &Entry, target: &Path, room: &mut Room) -> Result<(), Error> {
    archive::make_way(target, &entry.name)?;
    let path = target.join(&entry.name);
    let there = path.symlink_metadata().ok();
    match there {
        Some(there) if there.is_dir() && entry.is_folder => return Ok(()),
        Some(there) if there.is_dir() => fs::remove_dir_all(&path)?,
        Some(_) => fs::remove_file(&path)?,
        None => {}
    }
    if entry.is_folder {
        return Ok(fs::create_dir(&path)?);
    }
    if let Some(link) = &entry.link {
        return archive::make_link(target, &entry.name, link);
    }
    let mut file = File::create(&path)?;
    room.copy(File::open(folder.join(&entry.name))?, &mut file)?;
    Ok(file.set_permissions(fs::Permissions::from_mode(entry.mode | 0o400))?)
}

/// Two hashes from different beginnings, since 64 bits are few for a name that stands for the content.
struct Hashes(DefaultHasher, DefaultHasher);

impl Default for Hashes {
    fn default() -> Self {
        let mut second = DefaultHasher::new();
        second.write(b"second");
        Self(DefaultHasher::new(), second)
    }
}

impl Hashes {
    fn name(&self) -> String {
        format!("{:016x}{:016x}", self.0.finish(), self.1.finish())
    }
}

impl Hasher for Hashes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
        self.1.write(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

/// Deeper than any package; a link to a folder above itself would go on for ever.
const DEPTH_MAX: usize = 64;

#[cfg(test)]
mod tests;
