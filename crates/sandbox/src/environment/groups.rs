//! The process groups that the sandbox has started, and the certainty that none outlives it.
//!
//! Three nets hang below each other. An orderly shutdown ends every process. Dropping the sandbox kills what is
//! left. And should the sandbox itself be killed, a watchdog, a shell that reads the list of groups from a pipe, sees
//! the pipe close and kills them. Where there are control groups, they are emptied and removed as well, and so what has
//! left its process group does not get away. (`PR_SET_PDEATHSIG` would need `unsafe`, and fires when the *thread* that forked ends.)

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::control::ControlGroups;

/// All live process groups of a sandbox.
#[derive(Debug)]
pub(crate) struct ProcessGroups {
    // Before the watchdog, which would find work otherwise.
    control: ControlGroups,
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
        let control = ControlGroups::start(watchdog.id());
        let list = watchdog.stdin.take();
        let mut live = Live {
            groups: BTreeSet::new(),
            watchdog,
            list,
        };
        for folder in control.folders() {
            live.tell('c', folder.display());
        }
        let live = Mutex::new(live);
        Ok(Self { control, live })
    }

    /// Has the sandbox's own folder removed, should the sandbox be killed.
    pub(crate) fn adopt_folder(&self, folder: &std::path::Path) {
        self.live().tell('f', folder.display());
    }

    /// The control groups of the sandbox, as far as the machine lets it have some.
    pub(crate) fn control(&self) -> &ControlGroups {
        &self.control
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
        self.control.kill_all();
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn tell(&mut self, sign: char, what: impl std::fmt::Display) {
        // Without its watchdog the sandbox still works; only its own violent death would leave processes behind.
        if let Some(list) = &mut self.list
            && let Err(error) = writeln!(list, "{sign} {what}")
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

/// Keeps a list of groups from `+ N` and `- N` lines; at the end of input, kills what is on it, and what is in the control
/// groups of which `c PATH` lines have told, and removes those and the folder of the `f PATH` line.
const WATCHDOG: &str = r#"
live=" "
controls=""
folder=""
while read -r sign what; do
  case $sign in
    +) live="$live$what " ;;
    -) live="${live%% $what *} ${live#* $what }" ;;
    c) controls="$controls $what" ;;
    f) folder="$what" ;;
  esac
done
for group in $live; do kill -s KILL -- "-$group"; done
round=0
while [ -n "$controls" ] && [ $round -lt 20 ]; do
  left=""
  for control in $controls; do
    for group in "$control"/*/ "$control/"; do
      [ -e "$group/cgroup.procs" ] || continue
      while read -r pid; do kill -s KILL "$pid"; done < "$group/cgroup.procs"
      if [ -e "$group/freezer.state" ]; then echo THAWED > "$group/freezer.state"; fi
      if [ -e "$group/cgroup.freeze" ]; then echo 0 > "$group/cgroup.freeze"; fi
      rmdir "$group"
    done
    if [ -d "$control" ]; then left="$left $control"; fi
  done
  controls=$left
  round=$((round + 1))
  if [ -n "$controls" ]; then sleep 0.1; fi
done
if [ -n "$folder" ]; then rm -rf -- "$folder"; fi
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
