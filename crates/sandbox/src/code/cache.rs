//! Folders that are made once and kept for the next start.
//!
//! A folder is made under another name and renamed when it is whole, so that whoever finds it finds all of it, and a
//! start that is cut off leaves nothing that another could take for it.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where the sandbox keeps what it unpacks and installs.
#[derive(Debug, Clone)]
pub(crate) struct Cache(PathBuf);

impl Cache {
    pub(crate) fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// `$XDG_CACHE_HOME/throughline`, by default `~/.cache/throughline`; without a home a folder below the temporary one.
    #[allow(clippy::disallowed_methods)] // the edge where the sandbox learns where caches are
    pub(crate) fn of_machine() -> Self {
        let folder = |key: &str, below: &str| {
            let folder = PathBuf::from(std::env::var_os(key)?);
            folder.is_absolute().then(|| folder.join(below))
        };
        let found = folder("XDG_CACHE_HOME", "throughline")
            .or_else(|| folder("HOME", ".cache/throughline"));
        Self(found.unwrap_or_else(|| private_below(&std::env::temp_dir())))
    }

    /// A folder that is there already.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        Some(self.0.join(name)).filter(|folder| folder.is_dir())
    }

    /// The folder of this name, made by `fill` if it is not there yet. Two that make it at once both succeed.
    pub(crate) fn make<E: From<io::Error>>(
        &self,
        name: &str,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        if let Some(folder) = self.find(name) {
            return Ok(folder);
        }
        let stage = Stage::beside(&self.0.join(name))?;
        fill(&stage.0)?;
        let folder = self.0.join(name);
        match std::fs::rename(&stage.0, &folder) {
            Err(_) if folder.is_dir() => Ok(folder), // someone else was faster
            done => Ok(done.map(|()| folder)?),
        }
    }

    /// Waits until nobody else in any process holds this name, and holds it.
    pub(crate) fn lock(&self, name: &str) -> io::Result<std::fs::File> {
        let path = self.0.join(format!("{name}.lock"));
        std::fs::create_dir_all(path.parent().unwrap_or(&self.0))?;
        let file = std::fs::File::create(path)?;
        file.lock()?;
        Ok(file)
    }
}

/// A folder that only we can write to. What is in the cache is run, so one of its name that somebody else has made is not
/// taken; then there is a new one for each start.
fn private_below(temporary: &Path) -> PathBuf {
    let own = nix::unistd::geteuid().as_raw();
    let path = temporary.join(format!("throughline-cache-{own}"));
    // It may be there already; who made it is looked at next.
    let _ = std::fs::DirBuilder::new().mode(0o700).create(&path);
    let is_private = path.symlink_metadata().is_ok_and(|found| {
        found.is_dir() && found.uid() == own && found.permissions().mode() & 0o022 == 0
    });
    if is_private {
        return path;
    }
    let other = temporary.join(format!(
        "throughline-cache-{}",
        uuid::Uuid::new_v4().simple()
    ));
    // If this fails, so does whoever writes to it, and says so.
    let _ = std::fs::DirBuilder::new().mode(0o700).create(&other);
    other
}

/// A folder that is removed unless it is renamed.
struct Stage(PathBuf);

impl Stage {
    fn beside(folder: &Path) -> io::Result<Self> {
        let name = format!(".making-{}", uuid::Uuid::new_v4().simple());
        let stage = folder.with_file_name(name);
        std::fs::create_dir_all(&stage)?;
        Ok(Self(stage))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // After a rename there is nothing, and what cannot be removed now cannot be removed later.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_that_others_can_write_to_is_no_cache() {
        let temporary = tempfile::tempdir().unwrap();
        let private = private_below(temporary.path());
        assert_eq!(private_below(temporary.path()), private);
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&private, open).unwrap();
        let other = private_below(temporary.path());
        assert_ne!(other, private);
        assert_eq!(
            other.metadata().unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}
