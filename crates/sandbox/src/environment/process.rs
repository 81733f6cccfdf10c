//! Starting a process the way Lambda does, and following it to its end.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::groups::ProcessGroups;
use super::output::{read_frames, read_lines};
use crate::code::{self, Code, Prepared, wrapper_of};
use crate::control::Group;
use crate::function::Function;
use crate::lifecycle::Exit;
use crate::world::{self, Place};

/// A program to start.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) command: code::Command,
    pub(super) folder: PathBuf,
    pub(super) variables: BTreeMap<String, String>,
    /// Whether it understands `_LAMBDA_TELEMETRY_LOG_FD`.
    pub(super) log_descriptor: bool,
}

impl Program {
    /// What starts the function's runtime, whose parts are `prepared` on this machine and at the `seen` paths inside.
    pub(super) fn of_runtime(
        function: &Function,
        prepared: &Prepared,
        seen: &Code,
        variables: BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let here = &prepared.code;
        let interpreter = prepared.interpreter.as_deref();
        let mut command = code::Command::of_runtime(function, here, seen, interpreter)?;
        if let Some(wrapper) = wrapper_of(function, &variables) {
            command = command.wrapped(wrapper, here, seen);
        }
        Ok(Self {
            command,
            folder: seen.task.clone(),
            variables,
            // On Managed Instances each worker writes for itself.
            log_descriptor: function.runtime.is_managed() && !function.initialization.is_managed(),
        })
    }

    /// What starts an external extension, which its process sees at another path than we do.
    pub(super) fn of_extension(
        path: &Path,
        seen: PathBuf,
        folder: &Path,
        variables: BTreeMap<String, String>,
    ) -> Self {
        Self {
            command: code::Command {
                program: seen,
                arguments: Vec::new(),
                file: Some(path.to_owned()),
            },
            folder: folder.to_owned(),
            variables,
            log_descriptor: false,
        }
    }

    /// Starts it in a process group of its own. `take` gets what it writes, `ended` is called when all of it has ended.
    pub(super) fn start(
        self,
        place: &Place,
        group: Option<&Group>,
        groups: &Arc<ProcessGroups>,
        take: impl Fn(String) + Clone + Send + Sync + 'static,
        ended: impl FnOnce(Exit) + Send + 'static,
    ) -> Result<Running, String> {
        let name = self.command.program.display().to_string();
        let described = |error: io::Error| format!("fork/exec {name}: {}", reason(&error));
        self.command.check().map_err(described)?;
        let (mut command, frames) = self.command(place, group).map_err(described)?;
        let mut child = command.spawn().map_err(described)?;
        drop(command); // holds the descriptors that the child writes to
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .ok_or("process has no id")?;
        groups.adopt(group);
        let mut readers = Vec::new();
        readers.extend(
            child
                .stdout
                .take()
                .map(|stdout| spawn_lines(stdout, take.clone())),
        );
        readers.extend(
            child
                .stderr
                .take()
                .map(|stderr| spawn_lines(stderr, take.clone())),
        );
        readers.extend(frames.map(|frames| tokio::spawn(read_frames(frames, take))));
        let groups_of_task = groups.clone();
        tokio::spawn(async move {
            let status = child.wait().await;
            groups_of_task.bury(group);
            for reader in readers {
                // Its last words come before its end, unless a process that left the group keeps the pipe open.
                let _ = tokio::time::timeout(LAST_WORDS, reader).await;
            }
            ended(status.map_or(Exit::Code(1), exit_of));
        });
        Ok(Running {
            group,
            groups: groups.clone(),
        })
    }

    fn command(
        self,
        place: &Place,
        group: Option<&Group>,
    ) -> io::Result<(Command, Option<pipe::Receiver>)> {
        let mut command;
        let mut frames = None;
        if self.log_descriptor {
            // A descriptor beyond the first three can only be passed by a shell, short of `unsafe`: it gets the pipe
            // as its standard input, moves it to descriptor 3 and becomes the runtime.
            let (reader, writer) = io::pipe()?;
            frames = Some(pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?);
            command = Command::new("/bin/sh");
            command
                .args(["-c", r#"exec 3>&0 </dev/null; exec "$0" "$@""#])
                .arg(&self.command.program)
                .stdin(writer);
        } else {
            command = Command::new(&self.command.program);
            command.stdin(Stdio::null());
        }
        command
            .args(&self.command.arguments)
            .env_clear()
            .envs(&self.variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if self.log_descriptor {
            command.env("_LAMBDA_TELEMETRY_LOG_FD", "3");
        }
        let mut entrance = place.entrance(&self.folder)?;
        if let Some(group) = group {
            entrance.control_groups = group.doors()?;
        }
        if entrance.is_open() {
            command.current_dir(&self.folder);
        } else {
            world::enter(&mut command, entrance);
        }
        Ok((command, frames))
    }
}

/// A process group that was started. Dropping it kills the group.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) group: i32,
    groups: Arc<ProcessGroups>,
}

impl Running {
    pub(super) fn signal(&self, signal: nix::sys::signal::Signal) {
        self.groups.signal(self.group, signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(nix::sys::signal::Signal::SIGKILL);
    }
}

fn spawn_lines(
    source: impl AsyncRead + Unpin + Send + 'static,
    take: impl Fn(String) + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(read_lines(source, take))
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Code(1),
    }
}

/// As Go says it, since these words reach the caller of the function.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

const LAST_WORDS: Duration = Duration::from_millis(200);
