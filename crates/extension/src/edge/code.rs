//! Which code this is. Of `$LATEST` nobody says when it is deployed anew, but then its files are others.
//!
//! Names, sizes and the beginning of files are read, what is nearer to the top first, and only so much of them as takes a
//! moment. Times of files are left out, since nobody promises that they are the same in every environment, and so is
//! what Python writes beside its sources once they have run.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The same in every environment that runs the same code, and hardly ever of other code: 16 hexadecimal digits. Empty
/// where there is no code to be seen.
pub(super) fn digest() -> String {
    let folder = [PathBuf::from(TASK_ROOT), PathBuf::from(".")]
        .into_iter()
        .find_map(|path| path.canonicalize().ok());
    // Whatever else is at the top is not code.
    match folder.filter(|path| path.parent().is_some()) {
        Some(folder) => digest_of(&folder).map_or_else(String::new, |it| format!("{it:016x}")),
        None => String::new(),
    }
}

fn digest_of(folder: &Path) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let (mut entries, mut bytes) = (ENTRIES_MAX, BYTES_MAX);
    let mut folders = VecDeque::from([folder.to_owned()]);
    while let Some(next) = folders.pop_front() {
        let Ok(listed) = fs::read_dir(&next) else {
            continue;
        };
        let mut listed: Vec<_> = listed.take(LISTED_MAX).flatten().collect();
        listed.sort_by_key(fs::DirEntry::file_name);
        for entry in listed {
            // That of a link itself.
            let about = entry.metadata().ok();
            let Some(about) = about.filter(|_| entry.file_name() != WRITTEN) else {
                continue;
            };
            if entries == 0 {
                return Some(hasher.finish());
            }
            entries -= 1;
            entry.file_name().hash(&mut hasher);
            if about.is_dir() {
                folders.push_back(entry.path());
            } else if about.is_file() {
                about.len().hash(&mut hasher);
                bytes -= begin(&entry.path(), bytes, &mut hasher);
            }
        }
    }
    (entries < ENTRIES_MAX).then(|| hasher.finish())
}

/// Takes in the beginning of a file, and says how much that was.
fn begin(path: &Path, most: u64, hasher: &mut DefaultHasher) -> u64 {
    let mut text = Vec::new();
    if let Ok(file) = File::open(path) {
        // What cannot be read to its end is taken as far as it can be.
        let _ = file.take(most.min(FILE_BYTES_MAX)).read_to_end(&mut text);
    }
    text.hash(hasher);
    u64::try_from(text.len()).unwrap_or(most).min(most)
}

const TASK_ROOT: &str = "/var/task";
const WRITTEN: &str = "__pycache__";
/// Files and folders.
const ENTRIES_MAX: usize = 256;
/// Of one folder, in whatever order they come; with more of them the digest may differ between environments, so there
/// are more than any function has.
const LISTED_MAX: usize = 5_000;
/// Of all files together.
const BYTES_MAX: u64 = 256 << 10;
const FILE_BYTES_MAX: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of a test, gone with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("throughline-code-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn other_code_has_another_digest() {
        let folder = Folder::new("small");
        let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
        let digest = || digest_of(folder.path());
        assert_eq!(digest(), None);
        fs::create_dir(folder.path().join("lib")).unwrap();
        write("index.js", "return 1;");
        write("lib/a.js", "a");
        let first = digest();
        assert!(first.is_some() && first == digest());
        // One letter, as long as before.
        write("index.js", "return 2;");
        let second = digest();
        assert_ne!(second, first);
        write("lib/a.js", "b");
        let third = digest();
        assert_ne!(third, second);
        write("lib/b.js", "");
        assert_ne!(digest(), third);
        fs::remove_file(folder.path().join("lib/b.js")).unwrap();
        assert_eq!(digest(), third);
        fs::create_dir(folder.path().join("lib/__pycache__")).unwrap();
        write("lib/__pycache__/a.pyc", "compiled");
        assert_eq!(digest(), third);
    }

    #[test]
    fn much_is_not_read_to_its_end() {
        let folder = Folder::new("large");
        for at in 0..2 * ENTRIES_MAX {
            let name = format!("{at:04}.js");
            fs::write(folder.path().join(name), [b'a'; 1000]).unwrap();
        }
        let digest = || digest_of(folder.path());
        let first = digest();
        // It is known that it is there, and how long it is; what else is in it was beyond what is read.
        fs::write(folder.path().join("0255.js"), [b'a'; 999]).unwrap();
        assert_ne!(digest(), first);
        fs::write(folder.path().join("0255.js"), [b'a'; 1000]).unwrap();
        fs::write(folder.path().join("0400.js"), "b").unwrap();
        assert_eq!(digest(), first);
    }
}
