//! Processes that left their group, found by what every process of an environment inherits.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Kills every process that has `variable` among the variables it was started with, and says how many those were.
///
/// A process that leaves its group *and* throws its variables away is not found.
pub(super) fn kill_with(variable: &str) -> usize {
    let Ok(entries) = fs::read_dir("/proc") else {
        return 0;
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| has(*pid, variable))
        .filter(|pid| kill(Pid::from_raw(*pid), Signal::SIGKILL).is_ok())
        .count()
}

fn has(pid: i32, variable: &str) -> bool {
    let Ok(environ) = fs::read(format!("/proc/{pid}/environ")) else {
        return false; // somebody else's, or gone
    };
    environ
        .split(|byte| *byte == 0)
        .any(|entry| entry == variable.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn stray_is_found_by_its_variable_and_nobody_else_is() {
        let variable = format!("STRAY={}", uuid::Uuid::new_v4());
        let (key, value) = variable.split_once('=').unwrap();
        let mut stray = Command::new("sleep")
            .arg("600")
            .env(key, value)
            .spawn()
            .unwrap();
        assert_eq!(kill_with(&format!("{key}=another")), 0);
        // Until it has become another program the child shows its parent's variables.
        while kill_with(&variable) == 0 {
            std::thread::yield_now();
        }
        assert!(!stray.wait().unwrap().success());
    }
}
