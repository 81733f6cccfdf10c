//! What an environment finds in its file system.
//!
//! `/var/task` is the function's code and `/opt` its layers and extensions, neither to be written; `/var/runtime` is
//! there; `/tmp` is its own, of the size that the function has; `/etc/hosts` knows the names that lead somewhere. All else
//! is the machine's, as it is, since that is where interpreters and libraries are. So is what is needed of the machine's
//! `/tmp`: a project that lies there runs as it would elsewhere, with links and settings that name its files.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::FileType;
use std::io;
use std::path::{Component, Path, PathBuf};

use nix::sys::statvfs::{FsFlags, statvfs};

use super::steps::Steps;

/// What is shown to one environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileSystem {
    /// Shown as `/var/task`.
    pub(crate) code: Option<PathBuf>,
    /// Shown as `/var/runtime`.
    pub(crate) runtime: Option<PathBuf>,
    /// Their entries are shown in `/opt`; of two with the same name the later one.
    pub(crate) layers: Vec<PathBuf>,
    /// Executables shown in `/opt/extensions`.
    pub(crate) extensions: Vec<PathBuf>,
    /// Shown as `/etc/hosts`.
    pub(crate) hosts: Option<PathBuf>,
    /// Folders right below the machine's `/tmp` that are below the environment's own too.
    pub(crate) kept: BTreeSet<OsString>,
    /// The size of `/tmp`.
    pub(crate) storage_mb: u32,
}

impl FileSystem {
    /// The steps that make it. `stage` is an empty folder of the host on which the new folders are put together.
    pub(crate) fn steps(&self, stage: &Path) -> io::Result<Steps> {
        let mut steps = Steps::default();
        steps.memory(stage, "size=4m,mode=755");
        let var = stage.join("var");
        steps.folder(&var, 0o755);
        show_all(&mut steps, Path::new(VAR), &var, &["task", "runtime"])?;
        let runtime = var.join("runtime");
        steps.folder(&runtime, 0o755);
        if let Some(shown) = &self.runtime {
            show_read_only(&mut steps, shown, &runtime);
        }
        let task = var.join("task");
        steps.folder(&task, 0o755);
        if let Some(code) = &self.code {
            show_read_only(&mut steps, code, &task);
        }
        let opt = stage.join("opt");
        steps.folder(&opt, 0o755);
        self.show_layers(&mut steps, &opt)?;
        steps.bind(&var, Path::new(VAR));
        steps.bind(&opt, Path::new(OPT));
        steps.unmount(stage);
        if let Some(hosts) = self.hosts.as_ref().filter(|_| Path::new(HOSTS).is_file()) {
            steps.bind(hosts, Path::new(HOSTS));
        }
        // The last, because the stage and maybe the code are below the machine's own.
        let size = format!("size={}m,mode=1777", self.storage_mb);
        let tmp = Path::new(TMP);
        steps.stand_in(tmp);
        steps.memory(tmp, &size);
        for name in self.kept.iter().filter(|name| tmp.join(name).is_dir()) {
            steps.folder(&tmp.join(name), 0o755);
            steps.bind(Path::new(name), &tmp.join(name));
        }
        steps.stand_in(Path::new("/"));
        Ok(steps)
    }

    /// The layers' entries, the extensions, and what else the machine has in `/opt`: interpreters may be there.
    fn show_layers(&self, steps: &mut Steps, opt: &Path) -> io::Result<()> {
        let mut taken = BTreeSet::from([OsString::from("extensions")]);
        let extensions = opt.join("extensions");
        steps.folder(&extensions, 0o755);
        let mut names = BTreeSet::new();
        for path in &self.extensions {
            if let Some(name) = path.file_name()
                && names.insert(name.to_owned())
            {
                let target = extensions.join(name);
                steps.file(&target);
                show_read_only(steps, path, &target);
            }
        }
        for layer in self.layers.iter().rev() {
            for (name, kind) in entries(layer)? {
                if name == "extensions" {
                    for (name, kind) in entries(&layer.join(&name))? {
                        if names.insert(name.clone()) {
                            let source = layer.join("extensions").join(&name);
                            show(steps, &source, &extensions.join(&name), kind)?;
                        }
                    }
                } else if taken.insert(name.clone()) {
                    show(steps, &layer.join(&name), &opt.join(&name), kind)?;
                }
            }
        }
        let taken: Vec<_> = taken.iter().filter_map(|name| name.to_str()).collect();
        show_all(steps, Path::new(OPT), opt, &taken)
    }
}

/// The folders right below `/tmp` that these paths, or what they are links to, lie in.
pub(crate) fn kept<'a>(paths: impl IntoIterator<Item = &'a Path>) -> BTreeSet<OsString> {
    let entry = |path: &Path| {
        let below = path.strip_prefix(TMP).ok()?;
        match below.components().next()? {
            Component::Normal(name) => Some(name.to_owned()),
            _ => None,
        }
    };
    let both = |path: &Path| [std::path::absolute(path).ok(), path.canonicalize().ok()];
    let all = paths.into_iter().flat_map(both).flatten();
    all.filter_map(|path| entry(&path)).collect()
}

/// Whether the machine has the folders that are to be replaced; no folder is made outside.
pub(crate) fn can_be_made() -> Result<(), String> {
    match [VAR, OPT, TMP]
        .into_iter()
        .find(|path| !Path::new(path).is_dir())
    {
        Some(path) => Err(format!("this machine has no folder {path}")),
        None => Ok(()),
    }
}

fn show_all(steps: &mut Steps, from: &Path, to: &Path, except: &[&str]) -> io::Result<()> {
    for (name, kind) in entries(from)? {
        if !except.iter().any(|except| name == *except) {
            show(steps, &from.join(&name), &to.join(&name), kind)?;
        }
    }
    Ok(())
}

fn show(steps: &mut Steps, source: &Path, target: &Path, kind: FileType) -> io::Result<()> {
    if kind.is_symlink() {
        steps.link(&std::fs::read_link(source)?, target);
    } else if kind.is_dir() {
        steps.folder(target, 0o755);
        steps.bind(source, target);
    } else if kind.is_file() {
        steps.file(target);
        steps.bind(source, target);
    }
    Ok(())
}

fn show_read_only(steps: &mut Steps, source: &Path, target: &Path) {
    steps.bind(source, target);
    steps.read_only(target, kept_flags(source));
}

/// In a user namespace a mount may only become stricter than the one that it shows.
fn kept_flags(path: &Path) -> u64 {
    let Ok(flags) = statvfs(path).map(|stat| stat.flags()) else {
        return 0;
    };
    let pairs = [
        (FsFlags::ST_NOSUID, libc::MS_NOSUID),
        (FsFlags::ST_NODEV, libc::MS_NODEV),
        (FsFlags::ST_NOEXEC, libc::MS_NOEXEC),
        (FsFlags::ST_NOATIME, libc::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, libc::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, libc::MS_RELATIME),
    ];
    pairs
        .into_iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .fold(0, |all, (_, flag)| all | flag)
}

/// Names and kinds, in the order of the names.
fn entries(folder: &Path) -> io::Result<Vec<(OsString, FileType)>> {
    let listed = std::fs::read_dir(folder).map_err(|error| {
        let message = format!("cannot list {}: {error}", folder.display());
        io::Error::new(error.kind(), message)
    })?;
    let mut entries = listed
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name(), entry.file_type()?))
        })
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(entries)
}

/// Where the extensions are.
pub(crate) const EXTENSIONS: &str = "/opt/extensions";
const VAR: &str = "/var";
const OPT: &str = "/opt";
const TMP: &str = "/tmp";
const HOSTS: &str = "/etc/hosts";
