//! A disk that keeps what was synced, and of everything else what chance wants.
//!
//! It promises no more than POSIX does: a file's contents are there after a sync of the file, its
//! name after a sync of its directory, and neither says anything of the other. Between two syncs
//! each write, truncation, rename, creation and removal happened or not, in any order, a write also
//! in part. A rename happens whole or not at all. A change of the catalog is there when it has
//! returned, and before that all or nothing: SQLite's own files are not simulated.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fastrand::Rng;

use super::recorder::Operation;

/// What the disk knows, and what it has only been told.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: Vec<Contents>,
    /// Names as the programs see them.
    seen: Names,
    /// Names that survive.
    kept: Names,
    /// Changes of names that may survive, by directory.
    unsynced: BTreeMap<PathBuf, Vec<Change>>,
    catalog: Catalog,
    /// Numbers of open files to places in `files`.
    open: BTreeMap<usize, usize>,
}

type Names = BTreeMap<PathBuf, Entry>;
type Catalog = Vec<(PathBuf, Vec<u8>)>;
/// Names that get another meaning at once.
type Change = Vec<(PathBuf, Option<Entry>)>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Entry {
    Directory,
    File(usize),
}

#[derive(Debug, Default)]
struct Contents {
    synced: Vec<u8>,
    unsynced: Vec<Edit>,
}

#[derive(Debug)]
enum Edit {
    Empty,
    Append(Vec<u8>),
}

/// What is left of a crash.
#[derive(Debug)]
pub(crate) struct Image {
    directories: Vec<PathBuf>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Disk {
    /// A disk that has what is in a directory.
    pub(crate) fn of(root: &Path) -> Self {
        let mut disk = Disk::default();
        disk.load(root, root);
        disk.seen = disk.kept.clone();
        disk
    }

    fn load(&mut self, root: &Path, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_owned();
            if path.is_dir() {
                self.kept.insert(name, Entry::Directory);
                self.load(root, &path);
            } else if is_catalog(&name) {
                self.catalog.push((name, fs::read(path).unwrap()));
            } else {
                self.kept.insert(name, Entry::File(self.files.len()));
                self.files.push(Contents {
                    synced: fs::read(path).unwrap(),
                    unsynced: Vec::new(),
                });
            }
        }
    }

    /// Does what was done.
    pub(crate) fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Create { path, file } => self.create(path, *file),
            Operation::Write { file, bytes } => {
                let edits = &mut self.files[self.open[file]].unsynced;
                edits.push(Edit::Append(bytes.clone()));
            }
            Operation::Sync { file, .. } => self.files[self.open[file]].sync(),
            Operation::Rename { from, to } => {
                let moved = self.seen[from];
                let change = vec![(from.clone(), None), (to.clone(), Some(moved))];
                self.change(to, change);
            }
            Operation::Remove { path } => self.change(path, vec![(path.clone(), None)]),
            Operation::MakeDirectory { path } => {
                self.change(path, vec![(path.clone(), Some(Entry::Directory))]);
            }
            Operation::SyncDirectory { path } => {
                let changes = self.unsynced.remove(path).unwrap_or_default();
                changes
                    .iter()
                    .for_each(|change| put(change, &mut self.kept));
            }
            Operation::CatalogEnd(files) => self.catalog.clone_from(files),
            Operation::CatalogBegin | Operation::Acknowledged(_) => {}
        }
    }

    fn create(&mut self, path: &Path, file: usize) {
        if let Some(Entry::File(place)) = self.seen.get(path) {
            self.files[*place].unsynced.push(Edit::Empty);
            self.open.insert(file, *place);
            return;
        }
        let place = self.files.len();
        self.files.push(Contents::default());
        self.open.insert(file, place);
        self.change(path, vec![(path.to_owned(), Some(Entry::File(place)))]);
    }

    fn change(&mut self, path: &Path, change: Change) {
        put(&change, &mut self.seen);
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        self.unsynced.entry(directory).or_default().push(change);
    }

    /// What a crash could leave now. `next` are the files of a change of the catalog under way.
    pub(crate) fn crash(&self, rng: &mut Rng, next: Option<&Catalog>) -> Image {
        let mut names = self.kept.clone();
        for changes in self.unsynced.values() {
            let luck = Luck::pick(rng);
            for change in changes {
                if luck.keeps(rng) {
                    put(change, &mut names);
                }
            }
        }
        let catalog = next.filter(|_| rng.bool()).unwrap_or(&self.catalog);
        let mut image = Image {
            directories: Vec::new(),
            files: Vec::new(),
        };
        for (path, entry) in &names {
            // The name of a directory may be lost whose contents are not.
            match entry {
                _ if !has_parents(path, &names) => {}
                Entry::Directory => image.directories.push(path.clone()),
                Entry::File(place) => {
                    let contents = self.files[*place].crash(rng);
                    image.files.push((path.clone(), contents));
                }
            }
        }
        let catalog = catalog.iter().filter(|(path, _)| has_parents(path, &names));
        image.files.extend(catalog.cloned());
        image
    }
}

impl Contents {
    fn sync(&mut self) {
        for edit in std::mem::take(&mut self.unsynced) {
            match edit {
                Edit::Empty => self.synced.clear(),
                Edit::Append(bytes) => self.synced.extend(bytes),
            }
        }
    }

    fn crash(&self, rng: &mut Rng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        let luck = Luck::pick(rng);
        for edit in &self.unsynced {
            match edit {
                _ if !luck.keeps(rng) => {}
                Edit::Empty => bytes.clear(),
                Edit::Append(appended) => {
                    let from = bytes.len();
                    bytes.extend(appended);
                    luck.tear(rng, &mut bytes, from);
                }
            }
        }
        bytes
    }
}

impl Image {
    /// Makes a directory of it.
    pub(crate) fn write(&self, root: &Path) {
        for directory in &self.directories {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for (path, contents) in &self.files {
            fs::write(root.join(path), contents).unwrap();
        }
    }
}

/// How much of what was not synced survives. All and nothing are likely on a real disk.
#[derive(Clone, Copy)]
enum Luck {
    All,
    None,
    Some,
}

impl Luck {
    fn pick(rng: &mut Rng) -> Self {
        *rng.choice(&[Luck::All, Luck::None, Luck::Some])
            .unwrap_or(&Luck::All)
    }

    fn keeps(self, rng: &mut Rng) -> bool {
        match self {
            Luck::All => true,
            Luck::None => false,
            Luck::Some => rng.bool(),
        }
    }

    /// Blocks may not have been written though the file has grown, and it may have grown by less.
    fn tear(self, rng: &mut Rng, bytes: &mut Vec<u8>, from: usize) {
        let Luck::Some = self else {
            return;
        };
        for block in bytes[from..].chunks_mut(BLOCK_BYTES) {
            if rng.u8(0..4) == 0 {
                block.fill(0);
            }
        }
        if rng.bool() {
            bytes.truncate(rng.usize(from..=bytes.len()));
        }
    }
}

fn put(change: &Change, names: &mut Names) {
    for (path, entry) in change {
        match entry {
            Some(entry) => names.insert(path.clone(), *entry),
            None => names.remove(path),
        };
    }
}

fn has_parents(path: &Path, names: &Names) -> bool {
    let mut above = path
        .ancestors()
        .skip(1)
        .filter(|path| *path != Path::new(""));
    above.all(|path| names.get(path) == Some(&Entry::Directory))
}

fn is_catalog(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("catalog.sqlite")
}

/// What a disk writes at once.
const BLOCK_BYTES: usize = 512;
