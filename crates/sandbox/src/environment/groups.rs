//! The process groups that the sandbox has started, and the certainty that none outlives it.
//!
//! Three nets hang below each other. An orderly shutdown ends every process. Dropping the sandbox kills what is
//! left. And should the sandbox itself be killed, a watchdog, a shell that reads the list of groups from a pipe, sees
//! the pipe close and kills them. (`PR_SET_PDEATHSIG` would need `unsafe`, and fires when the *thread* that forked ends.)

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// All live process groups of a sandbox.
#[derive(Debug)]
pub(crate) struct ProcessGroups {
    live: Mutex<Live>,
}

#[derive(Debug)]
struct Live {
    groups: BTreeSet<i32>,
    watchdog: Child,
    list: Option<ChildStdin>,
}

impl ProcessGroups {
    pub(crate) fn start() -> io::Result<Self> {
        let mut watchdog = Command::new("/bin/sh")
            .args(["-c", WATCHDOG])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // a Ctrl-C for the sandbox is not for its watchdog
            .spawn()?;
        let list = watchdog.stdin.take();
        Ok(Self {
            live: Mutex::new(Live {
                groups: BTreeSet::new(),
                watchdog,
                list,
            }),
        })
    }

    /// Takes responsibility for a group, named by its leader's process id.
    pub(crate) fn adopt(&self, group: i32) {
        let mut live = self.live();
        live.groups.insert(group);
        live.tell('+', group);
    }

    /// Kills what is left of a group whose leader has ended, and lets go of it before the id can be used again.
    pub(crate) fn bury(&self, group: i32) {
        let mut live = self.live();
        if live.groups.remove(&group) {
            signal(group, Signal::SIGKILL);
            live.tell('-', group);
        }
    }

    /// Signals a group that is still ours.
    pub(crate) fn signal(&self, group: i32, which: Signal) {
        let live = self.live();
        if live.groups.contains(&group) {
            signal(group, which);
        }
    }

    /// Kills every group.
    pub(crate) fn kill_all(&self) {
        for group in &self.live().groups {
            signal(*group, Signal::SIGKILL);
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn tell(&mut self, sign: char, group: i32) {
        // Without its watchdog the sandbox still works; only its own violent death would leave processes behind.
        if let Some(list) = &mut self.list
            && let Err(error) = writeln!(list, "{sign} {group}")
        {
            tracing::warn!(%error, "watchdog is gone");
            self.list = None;
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for group in &self.groups {
            signal(*group, Signal::SIGKILL);
        }
        self.list = None;
        // Its input has ended, so it ends now.
        let _ = self.watchdog.wait();
    }
}

fn signal(group: i32, which: Signal) {
    // The only failure that occurs is that the group has just ended, which is as good.
    let _ = killpg(Pid::from_raw(group), which);
}

/// Keeps a list of groups from `+ N` and `- N` lines; at the end of input, kills what is on it.
const WATCHDOG: &str = r#"
live=" "
while read -r sign group; do
  case $sign in
    +) live="$live$group " ;;
    -) live="${live%% $group *} ${live#* $group }" ;;
  esac
done
for group in $live; do kill -s KILL -- "-$group"; done
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep")
            .arg("600")
            .process_group(0)
            .spawn()
            .unwrap()
    }

    fn group_of(child: &Child) -> i32 {
        i32::try_from(child.id()).unwrap()
    }

    #[test]
    fn watchdog_kills_what_is_on_its_list_when_the_sandbox_dies() {
        let groups = ProcessGroups::start().unwrap();
        let mut sleepers = [sleeper(), sleeper(), sleeper()];
        for child in &sleepers {
            groups.adopt(group_of(child));
        }
        groups.bury(group_of(&sleepers[1]));
        assert!(!sleepers[1].wait().unwrap().success());
        // What a killed sandbox leaves behind: a pipe that ends, and nobody who kills.
        let mut live = groups.live.into_inner().unwrap();
        live.groups.clear();
        drop(live);
        assert!(!sleepers[0].wait().unwrap().success());
        assert!(!sleepers[2].wait().unwrap().success());
    }

    #[test]
    fn dropping_the_sandbox_kills_its_groups() {
        let groups = ProcessGroups::start().unwrap();
        let mut child = sleeper();
        groups.adopt(group_of(&child));
        drop(groups);
        assert!(!child.wait().unwrap().success());
    }
}
