//! What a function is made of: its code, its layers and the client of its runtime, as folders of this machine.
//!
//! All of it is found, unpacked and installed when the sandbox starts, so that what cannot work is told there, for all
//! functions at once, and no invocation waits for it.

mod archive;
mod cache;
mod client;
mod command;
mod interpreter;
mod layers;
mod links;
mod prepare;
mod watch;

use std::path::{Path, PathBuf};

pub(crate) use cache::Cache;
pub(crate) use command::{Command, wrapper_of};
pub(crate) use prepare::{Prepared, Preparer, Tell};
pub(crate) use watch::Watch;

/// Where the parts of a function are: on this machine, or as its processes see them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Code {
    /// `/var/task`.
    pub(crate) task: PathBuf,
    /// `/opt`: the layers.
    pub(crate) opt: Option<PathBuf>,
    /// `/var/runtime`: the runtime client that the sandbox has installed.
    pub(crate) runtime: Option<PathBuf>,
}

impl Code {
    /// The paths on Lambda, for a process that has a file system of its own.
    pub(crate) fn as_on_lambda() -> Self {
        Self {
            task: PathBuf::from(TASK),
            opt: Some(PathBuf::from(OPT)),
            runtime: Some(PathBuf::from(RUNTIME)),
        }
    }

    /// Where a path of Lambda's is here: `/opt/wrapper` is in the layers. Any other path is what it is, seen from the code.
    fn of_lambda_path(&self, path: &Path) -> PathBuf {
        let folders = [
            (TASK, Some(&self.task)),
            (OPT, self.opt.as_ref()),
            (RUNTIME, self.runtime.as_ref()),
        ];
        for (on_lambda, here) in folders {
            if let (Ok(below), Some(here)) = (path.strip_prefix(on_lambda), here) {
                return here.join(below);
            }
        }
        self.task.join(path)
    }
}

const TASK: &str = "/var/task";
const OPT: &str = "/opt";
const RUNTIME: &str = "/var/runtime";
