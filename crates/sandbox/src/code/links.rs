//! Links of a folder that lead out of it, as developers make them to what they have just built.

use std::fs;
use std::path::{Path, PathBuf};

/// What they lead to. Of a very large folder not all are found; nothing in it is followed.
pub(super) fn leading_out(root: &Path) -> Vec<PathBuf> {
    let Ok(root) = root.canonicalize() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    let mut entries = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            entries += 1;
            if entries > ENTRIES_MAX {
                tracing::debug!(root = %root.display(), "too many files to look for links in all of them");
                return found;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_symlink() => found.extend(targets(&root, &entry.path())),
                _ => {}
            }
        }
    }
    found
}

/// Where a link leads, as it is written and in the end, as far as that is elsewhere.
fn targets(root: &Path, link: &Path) -> impl Iterator<Item = PathBuf> {
    let written = fs::read_link(link).ok().filter(|path| path.is_absolute());
    let reached = link.canonicalize().ok();
    let both = [written, reached].into_iter().flatten();
    both.filter(|path| !path.starts_with(root))
        .collect::<Vec<_>>()
        .into_iter()
}

/// More than the packages of a large function; listing so many takes some milliseconds.
const ENTRIES_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_links_that_lead_out_count() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (code, built) = (root.join("code"), root.join("built"));
        fs::create_dir_all(code.join("deep")).unwrap();
        fs::write(&built, "").unwrap();
        symlink(&built, code.join("deep/bootstrap")).unwrap();
        symlink("deep", code.join("near")).unwrap();
        symlink("../built", code.join("up")).unwrap();
        symlink("/nowhere/at/all", code.join("broken")).unwrap();
        let mut found = leading_out(&code);
        found.sort();
        found.dedup();
        assert_eq!(found, [PathBuf::from("/nowhere/at/all"), built]);
    }
}
