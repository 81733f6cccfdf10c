//! How much memory the processes of an environment have used at most.

use std::fs;

/// The sum of the highest resident sizes of all processes in these groups, in MB rounded up.
///
/// Pages that processes share count for each of them, which errs on the side of more.
pub(super) fn high_water_mb(groups: &[i32]) -> u64 {
    let Ok(entries) = fs::read_dir("/proc") else {
        return 0;
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let kilobytes: u64 = pids
        .filter(|pid| in_groups(*pid, groups))
        .filter_map(high_water_kb)
        .sum();
    kilobytes.div_ceil(1024)
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
}
