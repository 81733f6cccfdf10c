//! Control groups: what an environment's processes may use, and the certainty that none of them gets away.
//!
//! Each sandbox has a folder `throughline-PID-N` below the group that it is in itself, so that it stays within whatever
//! limits that has, and in it one group for each environment. Both versions of control groups are used as they are found;
//! where nothing may be written there, freezing is SIGSTOP and memory is looked at now and then.

mod group;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) use group::{Group, Limits, Pressure};

/// A sandbox's folder in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tree {
    kind: Kind,
    path: PathBuf,
}

/// What a hierarchy is for, and how it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Memory,
    Freezer,
    Cpu,
    /// Version 2, which has all of them, or at least the freezer.
    Unified {
        memory: bool,
        cpu: bool,
    },
}

/// The control groups of a sandbox. Dropping it removes what is left of them.
#[derive(Debug, Default)]
pub(crate) struct ControlGroups {
    trees: Vec<Tree>,
}

impl ControlGroups {
    /// Makes the sandbox's folders in every hierarchy that lets it and into which `probe`, a child of ours, can be moved;
    /// it is moved back. Removes what sandboxes have left behind that are gone.
    pub(crate) fn start(probe: u32) -> Self {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let number = SANDBOXES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        let mut trees: Vec<Tree> = Vec::new();
        for found in hierarchies(&mounts, &own) {
            let covered = |tree: &Tree| tree.kind == found.kind || tree.kind.is_unified();
            // Of a hierarchy of version 2 beside those of version 1 only the freezer is left to be had.
            let useless = found.kind.is_unified() && has_freezer(&trees);
            if !useless
                && !trees.iter().any(covered)
                && let Some(tree) = found.grow(&name, probe)
            {
                trees.push(tree);
            }
        }
        Self { trees }
    }

    /// The group of a new environment; without one if there are no hierarchies, or they refuse.
    pub(crate) fn group(&self, name: &str, limits: Limits) -> Option<Group> {
        if self.trees.is_empty() {
            return None;
        }
        let group = Group::make(&self.trees, name, limits);
        group
            .inspect_err(|error| tracing::warn!(%error, "cannot make a control group"))
            .ok()
    }

    /// Whether there is a freezer.
    pub(crate) fn freezes(&self) -> bool {
        has_freezer(&self.trees)
    }

    /// Whether the kernel can keep environments to their memory.
    pub(crate) fn limits_memory(&self) -> bool {
        let limits =
            |tree: &Tree| matches!(tree.kind, Kind::Memory | Kind::Unified { memory: true, .. });
        self.trees.iter().any(limits)
    }

    /// Kills every process of every environment.
    pub(crate) fn kill_all(&self) {
        for tree in &self.trees {
            let entries = fs::read_dir(&tree.path).into_iter().flatten().flatten();
            for entry in entries.filter(|entry| entry.path().is_dir()) {
                group::kill_in(&entry.path());
            }
        }
    }

    /// Every folder, for whoever cleans up after us.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.trees.iter().map(|tree| tree.path.as_path())
    }
}

impl Drop for ControlGroups {
    fn drop(&mut self) {
        for tree in &self.trees {
            clear(&tree.path);
        }
    }
}

impl Kind {
    fn is_unified(self) -> bool {
        matches!(self, Self::Unified { .. })
    }
}

fn has_freezer(trees: &[Tree]) -> bool {
    trees
        .iter()
        .any(|tree| matches!(tree.kind, Kind::Freezer | Kind::Unified { .. }))
}

/// A hierarchy, and the group in it that the sandbox belongs to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    kind: Kind,
    root: PathBuf,
    own: PathBuf,
}

impl Hierarchy {
    fn grow(&self, name: &str, probe: u32) -> Option<Tree> {
        if !self.kind.is_unified() {
            return self.grow_in(&self.own, name, probe, self.kind);
        }
        // A group of version 2 that has processes cannot share its controllers out; the one above it may.
        let above = self
            .own
            .parent()
            .filter(|above| above.starts_with(&self.root));
        let mut plain = None;
        for parent in [Some(self.own.as_path()), above].into_iter().flatten() {
            for controller in ["+memory", "+cpu"] {
                let _ = fs::write(parent.join("cgroup.subtree_control"), controller);
            }
            let given = fs::read_to_string(parent.join("cgroup.subtree_control"));
            let given = given.unwrap_or_default();
            let has = |controller| given.split_whitespace().any(|given| given == controller);
            let kind = Kind::Unified {
                memory: has("memory"),
                cpu: has("cpu"),
            };
            if has("memory")
                && let Some(tree) = self.grow_in(parent, name, probe, kind)
            {
                for controller in ["+memory", "+cpu"] {
                    let _ = fs::write(tree.path.join("cgroup.subtree_control"), controller);
                }
                return Some(tree);
            }
            plain.get_or_insert(parent);
        }
        let kind = Kind::Unified {
            memory: false,
            cpu: false,
        };
        self.grow_in(plain?, name, probe, kind)
    }

    fn grow_in(&self, parent: &Path, name: &str, probe: u32, kind: Kind) -> Option<Tree> {
        remove_stale(parent);
        let path = parent.join(name);
        fs::create_dir(&path).ok()?;
        let test = path.join("probe");
        let joins = fs::create_dir(&test)
            .and_then(|()| fs::write(test.join("cgroup.procs"), probe.to_string()))
            .and_then(|()| fs::write(self.own.join("cgroup.procs"), probe.to_string()));
        if joins.is_err() {
            clear(&path);
            return None;
        }
        let _ = fs::remove_dir(&test);
        Some(Tree { kind, path })
    }
}

/// The hierarchies that are mounted, those of version 1 first, with the group that `/proc/self/cgroup` names in each.
fn hierarchies(mounts: &str, own: &str) -> Vec<Hierarchy> {
    let mut found = Vec::new();
    for mount in mounts.lines() {
        let mut fields = mount.split(' ').skip(1);
        let (Some(root), Some(system), Some(options)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let kinds: &[(&str, Kind)] = match system {
            "cgroup" => &[
                ("memory", Kind::Memory),
                ("freezer", Kind::Freezer),
                ("cpu", Kind::Cpu),
            ],
            "cgroup2" => &[(
                "",
                Kind::Unified {
                    memory: false,
                    cpu: false,
                },
            )],
            _ => continue,
        };
        for (controller, kind) in kinds {
            let mounted =
                controller.is_empty() || options.split(',').any(|other| other == *controller);
            let path = own.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                let (controllers, path) = rest.split_once(':')?;
                controllers
                    .split(',')
                    .any(|other| other == *controller)
                    .then_some(path)
            });
            if let Some(path) = path.filter(|_| mounted) {
                found.push(Hierarchy {
                    kind: *kind,
                    root: PathBuf::from(root),
                    own: Path::new(root).join(path.trim_start_matches('/')),
                });
            }
        }
    }
    found.sort_by_key(|hierarchy| hierarchy.kind.is_unified());
    found
}

/// Removes the folders of sandboxes that are gone.
fn remove_stale(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|rest| rest.split('-').next())
            .and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            clear(&entry.path());
        }
    }
}

/// Kills what is in a folder and in those below it, and removes them. Says whether they are gone.
pub(super) fn clear(path: &Path) -> bool {
    if let Ok(entries) = fs::read_dir(path) {
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                clear(&entry.path());
            }
        }
    }
    group::kill_in(path);
    match fs::remove_dir(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// How many sandboxes this process has started.
static SANDBOXES: AtomicU32 = AtomicU32::new(0);
const PREFIX: &str = "throughline-";

#[cfg(test)]
mod tests {
    use super::*;

    /// On a machine whose controllers are all version 1, the mount of version 2 beside them still has its freezer.
    #[test]
    fn version_2_freezes_and_kills_on_this_machine_if_it_has_it() {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let found = hierarchies(&mounts, &own);
        let Some(unified) = found.iter().find(|found| found.kind.is_unified()) else {
            return println!("skipped: no control groups of version 2 are mounted");
        };
        let mut sleeper = std::process::Command::new("sleep")
            .arg("600")
            .spawn()
            .unwrap();
        let name = format!("{PREFIX}{}-test", std::process::id());
        let Some(tree) = unified.grow(&name, sleeper.id()) else {
            sleeper.kill().unwrap();
            sleeper.wait().unwrap();
            return println!(
                "skipped: nothing may be written to {}",
                unified.own.display()
            );
        };
        let groups = ControlGroups { trees: vec![tree] };
        let limits = Limits {
            memory_mb: Some(256),
            storage_mb: 64,
            cores: Some(0.25),
        };
        let group = groups.group("environment", limits).unwrap();
        let folder = groups.trees[0].path.join("environment");
        fs::write(folder.join("cgroup.procs"), sleeper.id().to_string()).unwrap();
        let is_frozen = |wanted: &str| {
            let is = || fs::read_to_string(folder.join("cgroup.events")).unwrap();
            (0..2_000).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(5));
                is().lines().any(|line| line == wanted)
            })
        };
        group.freeze();
        assert!(group.freezes() && is_frozen("frozen 1"));
        group.thaw();
        assert!(is_frozen("frozen 0"));
        // Where its other controllers are here too, they have what they were given.
        if groups.limits_memory() {
            let high = fs::read_to_string(folder.join("memory.high")).unwrap();
            assert_eq!(high.trim(), (320 * 1024 * 1024).to_string());
        } else {
            println!("skipped: its memory controller belongs to version 1 here");
        }
        group.freeze();
        group.kill();
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(sleeper.wait().unwrap().signal(), Some(9));
        drop(group);
    }

    #[test]
    fn hierarchies_are_found_with_our_own_place_in_them() {
        let mounts = "cgroup /cg/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n\
            cgroup2 /cg/unified cgroup2 rw 0 0\n\
            cgroup /cg/memory cgroup rw,memory 0 0\n\
            tmpfs /tmp tmpfs rw 0 0\n";
        let own = "4:memory:/job/7\n2:cpu,cpuacct:/\n1:name=systemd:/\n0::/user.slice\n";
        let told: Vec<_> = hierarchies(mounts, own)
            .into_iter()
            .map(|found| (found.kind, found.own))
            .collect();
        let unified = Kind::Unified {
            memory: false,
            cpu: false,
        };
        assert_eq!(
            told,
            [
                (Kind::Cpu, PathBuf::from("/cg/cpu/")),
                (Kind::Memory, PathBuf::from("/cg/memory/job/7")),
                (unified, PathBuf::from("/cg/unified/user.slice")),
            ]
        );
    }
}
