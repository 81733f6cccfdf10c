//! How much memory the processes of an environment have used at most.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The sum of the highest resident sizes of all processes in these groups, in MB rounded up.
///
/// Pages that processes share count for each of them, which errs on the side of more. All processes of the machine are
/// looked through, which takes milliseconds where there are hundreds.
pub(super) fn high_water_mb(groups: &[i32]) -> u64 {
    let Ok(entries) = fs::read_dir("/proc") else {
        return 0;
    };
    let pids = entries.flatten().filter_map(|entry| number_of(&entry));
    let kilobytes: u64 = pids
        .filter(|pid| in_groups(*pid, groups))
        .filter_map(high_water_kb)
        .sum();
    kilobytes.div_ceil(1024)
}

/// The same of these leaders and all that descends from them, which is quick, and right unless a parent has ended before
/// its child. `None` where the kernel does not tell children.
pub(super) fn high_water_of_families_mb(leaders: &[i32]) -> Option<u64> {
    let mut waiting: Vec<u32> = leaders
        .iter()
        .filter_map(|leader| u32::try_from(*leader).ok())
        .collect();
    let mut kilobytes = 0;
    let mut seen = 0;
    while let Some(pid) = waiting.pop() {
        seen += 1;
        if seen > FAMILY_MAX {
            return None;
        }
        // One that has ended uses nothing.
        let Some(own) = high_water_kb(pid) else {
            continue;
        };
        kilobytes += own;
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            match fs::read_to_string(thread.path().join("children")) {
                Ok(children) => waiting.extend(
                    children
                        .split_ascii_whitespace()
                        .filter_map(|child| child.parse::<u32>().ok()),
                ),
                // A thread that ends while it is looked at is nothing new; a kernel without the file is.
                Err(_) if thread.path().exists() => return None,
                Err(_) => {}
            }
        }
    }
    Some(kilobytes.div_ceil(1024))
}

fn number_of(entry: &fs::DirEntry) -> Option<u32> {
    entry.file_name().to_str()?.parse().ok()
}

/// Kills the largest process of these groups if together they use more than this, and returns its id.
///
/// What they map from files does not count: most of it is shared with the whole machine.
pub(super) fn kill_beyond(memory_mb: u32, groups: &[i32]) -> Option<i32> {
    let entries = fs::read_dir("/proc").ok()?;
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let used: Vec<_> = pids
        .filter(|pid| in_groups(*pid, groups))
        .map(|pid| (own_kb(pid), pid))
        .collect();
    let sum: u64 = used.iter().map(|(kilobytes, _)| kilobytes).sum();
    if sum <= u64::from(memory_mb) * 1024 {
        return None;
    }
    let (_, largest) = used.into_iter().max()?;
    let largest = i32::try_from(largest).ok()?;
    let _ = kill(Pid::from_raw(largest), Signal::SIGKILL);
    Some(largest)
}

/// Whether a process has not ended yet.
pub(super) fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

fn own_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |key: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    of("RssAnon:").unwrap_or(0) + of("RssShmem:").unwrap_or(0)
}

fn in_groups(pid: u32, groups: &[i32]) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    group_in(&stat).is_some_and(|group| groups.contains(&group))
}

/// The fifth field, counted after the command's closing parenthesis because a command may contain spaces.
fn group_in(stat: &str) -> Option<i32> {
    let (_, after_command) = stat.rsplit_once(')')?;
    after_command.split_ascii_whitespace().nth(2)?.parse().ok()
}

fn high_water_kb(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Whoever has more is looked for among all processes.
const FAMILY_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_is_found_behind_any_command_name() {
        assert_eq!(group_in("42 (a) b (c) S 1 77 42 0 -1"), Some(77));
        assert_eq!(group_in("nonsense"), None);
    }

    #[test]
    fn own_group_uses_memory() {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let own = group_in(&stat).unwrap();
        assert!(high_water_mb(&[own]) > 0);
        assert_eq!(high_water_mb(&[]), 0);
    }

    #[test]
    fn families_are_counted_with_all_their_generations() {
        use std::io::Read;
        use std::os::unix::process::CommandExt;

        use nix::sys::signal::{Signal, killpg};
        use nix::unistd::Pid;

        // The second shell says that it is there, and stays.
        let mut shell = std::process::Command::new("sh")
            .args(["-c", "sh -c 'echo ready; kill -STOP $$' & wait"])
            .stdout(std::process::Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        shell
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut [0; 6])
            .unwrap();
        let leader = i32::try_from(shell.id()).unwrap();
        let alone = high_water_kb(shell.id()).unwrap().div_ceil(1024);
        let family = high_water_of_families_mb(&[leader]);
        killpg(Pid::from_raw(leader), Signal::SIGKILL).unwrap();
        shell.wait().unwrap();
        let Some(family) = family else {
            println!("skipped: this kernel does not tell children");
            shell.kill().unwrap();
            shell.wait().unwrap();
            return;
        };
        // With what they share each counts.
        assert!(family > alone, "{family} {alone}");
        assert_eq!(high_water_of_families_mb(&[]), Some(0));
    }
}
