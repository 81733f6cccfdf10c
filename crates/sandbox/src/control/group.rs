//! The control group of one environment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Kind, Tree};

/// The group of one environment, in each hierarchy. Dropping it kills what is in it.
#[derive(Debug)]
pub(crate) struct Group {
    parts: Vec<Tree>,
    memory_bytes: Option<u64>,
}

/// What an environment may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Without a limit it is not looked at.
    pub(crate) memory_mb: Option<u32>,
    /// What `/tmp` may hold beside it, where that is memory.
    pub(crate) storage_mb: u32,
    /// Of the machine's cores.
    pub(crate) cores: Option<f64>,
}

/// What the memory limit asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// There is room.
    Fits,
    /// The environment has used up what it has.
    Exceeded,
}

impl Group {
    pub(super) fn make(trees: &[Tree], name: &str, limits: Limits) -> io::Result<Self> {
        let mut group = Self {
            parts: Vec::new(),
            memory_bytes: limits.memory_mb.map(bytes),
        };
        for tree in trees {
            let path = tree.path.join(name);
            fs::create_dir(&path)?;
            group.parts.push(Tree {
                kind: tree.kind,
                path,
            });
        }
        if let Some(memory) = group.memory_bytes {
            group.limit_memory(memory + bytes(limits.storage_mb))?;
        }
        if let Some(cores) = limits.cores {
            group.limit_cpu(cores)?;
        }
        Ok(group)
    }

    /// What a new process writes `0` to, to join.
    pub(crate) fn doors(&self) -> io::Result<Vec<OwnedFd>> {
        let open = |part: &Tree| -> io::Result<OwnedFd> {
            let file = part.path.join("cgroup.procs");
            Ok(OpenOptions::new().write(true).open(file)?.into())
        };
        self.parts.iter().map(open).collect()
    }

    /// Whether it can freeze.
    pub(crate) fn freezes(&self) -> bool {
        let freezes = |part: &Tree| matches!(part.kind, Kind::Freezer | Kind::Unified { .. });
        self.parts.iter().any(freezes)
    }

    /// Freezes every process in it, wherever it has moved its group or session to.
    pub(crate) fn freeze(&self) {
        for part in &self.parts {
            match part.kind {
                Kind::Freezer => {
                    let state = part.path.join("freezer.state");
                    // A process between two states is not taken the first time.
                    for _ in 0..FREEZE_ATTEMPTS {
                        let _ = write(&state, "FROZEN");
                        if fs::read_to_string(&state).is_ok_and(|state| state.trim() == "FROZEN") {
                            break;
                        }
                    }
                }
                Kind::Unified { .. } => drop(write(&part.path.join("cgroup.freeze"), "1")),
                Kind::Memory | Kind::Cpu => {}
            }
        }
    }

    pub(crate) fn thaw(&self) {
        for part in &self.parts {
            thaw_in(&part.path);
        }
    }

    /// Kills every process in it.
    pub(crate) fn kill(&self) {
        for part in &self.parts {
            kill_in(&part.path);
        }
    }

    /// Whether the kernel keeps its memory within the limit.
    pub(crate) fn limits_memory(&self) -> bool {
        self.memory_part().is_some() && self.memory_bytes.is_some()
    }

    /// How the memory is at the limit. To be asked now and then while the processes run.
    pub(crate) fn pressure(&self) -> Pressure {
        let (Some(part), Some(limit)) = (self.memory_part(), self.memory_bytes) else {
            return Pressure::Fits;
        };
        let read = |name: &str| fs::read_to_string(part.path.join(name)).unwrap_or_default();
        let used = number(&read(match part.kind {
            Kind::Memory => "memory.usage_in_bytes",
            _ => "memory.current",
        }));
        if used + SLACK_BYTES < limit {
            return Pressure::Fits;
        }
        // What is in /tmp is memory too, but not the function's, and what was read from files can be given back.
        let stat = read("memory.stat");
        let others = ["shmem", "inactive_file", "active_file"];
        let others: u64 = others.iter().map(|word| field(&stat, word)).sum();
        if used.saturating_sub(others) + SLACK_BYTES < limit {
            Pressure::Fits
        } else {
            Pressure::Exceeded
        }
    }

    /// Kills the process that has most of the memory, as the kernel would, and returns its id.
    pub(crate) fn kill_largest(&self) -> Option<i32> {
        let part = self.memory_part().or(self.parts.first())?;
        let largest = pids_in(&part.path)
            .into_iter()
            .max_by_key(|pid| resident_kb(*pid))?;
        let _ = kill(Pid::from_raw(largest), Signal::SIGKILL);
        Some(largest)
    }

    fn memory_part(&self) -> Option<&Tree> {
        self.parts
            .iter()
            .find(|part| matches!(part.kind, Kind::Memory | Kind::Unified { memory: true, .. }))
    }

    fn limit_memory(&self, bytes: u64) -> io::Result<()> {
        let Some(part) = self.memory_part() else {
            return Ok(());
        };
        let text = bytes.to_string();
        if part.kind == Kind::Memory {
            write(&part.path.join("memory.limit_in_bytes"), &text)?;
            // Swapping would only hide that it is too much. Without the kernel's killer processes stand still at the limit,
            // until it is known that it is not the content of /tmp.
            let _ = write(&part.path.join("memory.swappiness"), "0");
            return write(&part.path.join("memory.oom_control"), "1");
        }
        let _ = write(&part.path.join("memory.swap.max"), "0");
        write(&part.path.join("memory.high"), &text)
    }

    fn limit_cpu(&self, cores: f64) -> io::Result<()> {
        let quota = format!(
            "{:.0}",
            (cores * CPU_PERIOD_MICROS).max(CPU_QUOTA_MIN_MICROS)
        );
        for part in &self.parts {
            match part.kind {
                Kind::Cpu => {
                    let period = format!("{CPU_PERIOD_MICROS:.0}");
                    write(&part.path.join("cpu.cfs_period_us"), &period)?;
                    write(&part.path.join("cpu.cfs_quota_us"), &quota)?;
                }
                Kind::Unified { cpu: true, .. } => {
                    let both = format!("{quota} {CPU_PERIOD_MICROS:.0}");
                    write(&part.path.join("cpu.max"), &both)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.parts.iter().map(|part| part.path.clone()).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        let paths = self.paths();
        // What was killed is gone in a moment. What is not gone then goes with the sandbox's own folder.
        let removed = paths.iter().all(|path| fs::remove_dir(path).is_ok());
        if !removed {
            std::thread::spawn(move || {
                for _ in 0..REMOVE_ATTEMPTS {
                    let left = paths.iter().filter(|path| !super::clear(path)).count();
                    if left == 0 {
                        return;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
            });
        }
    }
}

/// Kills what is in a group, be it frozen or not.
pub(super) fn kill_in(path: &Path) {
    for pid in pids_in(path) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    // Only where it is, and then it also takes those that are just being born.
    let _ = write(&path.join("cgroup.kill"), "1");
    thaw_in(path);
}

fn thaw_in(path: &Path) {
    let _ = write(&path.join("freezer.state"), "THAWED");
    let _ = write(&path.join("cgroup.freeze"), "0");
}

/// Without ourselves, should we ever be in a group of our own.
fn pids_in(path: &Path) -> Vec<i32> {
    let own = std::process::id();
    let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    let pids = text.lines().filter_map(|line| line.parse::<i32>().ok());
    pids.filter(|pid| *pid > 0 && u32::try_from(*pid) != Ok(own))
        .collect()
}

fn resident_kb(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    field(&status, "VmRSS:")
}

/// Writes to a file that is there; a control group has no others.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn bytes(mb: u32) -> u64 {
    u64::from(mb) * 1024 * 1024
}

fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}

/// The number behind a word, 0 if it is not there.
fn field(text: &str, word: &str) -> u64 {
    let mut words = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(word)).then(|| words.next())?
    });
    words
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

const FREEZE_ATTEMPTS: usize = 50;
const REMOVE_ATTEMPTS: usize = 100;
/// The kernel counts in batches and keeps a little for itself.
const SLACK_BYTES: u64 = 1024 * 1024;
const CPU_PERIOD_MICROS: f64 = 100_000.0;
/// The least that the kernel takes.
const CPU_QUOTA_MIN_MICROS: f64 = 1_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with the files of a group of version 2, of which the kernel would make what is written.
    fn like_version_2(stat: &str) -> (tempfile::TempDir, Group) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("cgroup.procs", ""),
            ("cgroup.freeze", "0"),
            ("cgroup.kill", ""),
            ("cpu.max", "max 100000"),
            ("memory.current", "0"),
            ("memory.high", "max"),
            ("memory.swap.max", "max"),
            ("memory.stat", stat),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let kind = Kind::Unified {
            memory: true,
            cpu: true,
        };
        let group = Group {
            parts: vec![Tree {
                kind,
                path: folder.path().to_owned(),
            }],
            memory_bytes: Some(bytes(128)),
        };
        (folder, group)
    }

    /// A write to a group replaces what a file says; one to a plain file only its beginning.
    fn text(folder: &tempfile::TempDir, name: &str) -> String {
        fs::read_to_string(folder.path().join(name)).unwrap()
    }

    #[test]
    fn version_2_is_told_limits_in_its_own_words() {
        let (folder, group) = like_version_2("");
        group.limit_memory(bytes(128) + bytes(512)).unwrap();
        group.limit_cpu(0.25).unwrap();
        assert_eq!(
            text(&folder, "memory.high"),
            (640 * 1024 * 1024).to_string()
        );
        assert!(text(&folder, "memory.swap.max").starts_with('0'));
        assert_eq!(text(&folder, "cpu.max"), "25000 100000");
        assert!(group.limits_memory() && group.freezes());
        std::mem::forget(group);
    }

    #[test]
    fn version_2_is_frozen_thawed_and_killed_by_its_files() {
        let (folder, group) = like_version_2("");
        group.freeze();
        assert_eq!(text(&folder, "cgroup.freeze"), "1");
        group.thaw();
        assert_eq!(text(&folder, "cgroup.freeze"), "0");
        group.kill();
        assert_eq!(text(&folder, "cgroup.kill"), "1");
        assert_eq!(group.doors().unwrap().len(), 1);
        std::mem::forget(group); // its end would remove the folder under its owner
    }

    #[test]
    fn version_2_is_at_its_limit_without_what_can_be_given_back() {
        let used = (140 * 1024 * 1024).to_string();
        let shared = format!("anon 1\nshmem {}\n", 100 * 1024 * 1024);
        for (used, stat, expected) in [
            ("1000", "", Pressure::Fits),
            (used.as_str(), "", Pressure::Exceeded),
            (used.as_str(), shared.as_str(), Pressure::Fits),
        ] {
            let (folder, group) = like_version_2(stat);
            fs::write(folder.path().join("memory.current"), used).unwrap();
            assert_eq!(group.pressure(), expected, "{used} {stat}");
            std::mem::forget(group);
        }
    }
}
