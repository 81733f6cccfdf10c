//! What every run needs: the function's code, the extension, and what a running environment says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use throughline_sandbox::{Activity, Function, Line, Sandbox};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::function::JOURNAL;
use crate::journal::Journal;

/// The function's code and the built extension.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    extension: PathBuf,
}

impl Stage {
    pub(crate) fn build() -> Self {
        // Environments see this folder as we do; the system's temporary one they do not.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let own = std::env::current_exe().unwrap();
        let bootstrap = folder.path().join("code/bootstrap");
        std::fs::create_dir(folder.path().join("code")).unwrap();
        std::fs::hard_link(&own, &bootstrap)
            .or_else(|_| std::fs::copy(&own, &bootstrap).map(|_| ()))
            .unwrap();
        let extension = Path::new(env!("CARGO_BIN_EXE_throughline")).with_file_name(EXTENSION);
        assert!(
            extension.exists(),
            "the extension is not built: cargo build --workspace --bins"
        );
        Stage { folder, extension }
    }

    /// A function that writes down in `journal` what it sends.
    pub(crate) fn function(&self, name: &str, marker: &str, journal: &Journal) -> Function {
        Function::new(name, self.folder.path().join("code"))
            .env(MARKER, marker)
            .env(JOURNAL, journal.path().display().to_string())
    }

    pub(crate) fn sandbox(&self, function: Function, with: With) -> Sandbox {
        let sandbox = Sandbox::new()
            .function(function)
            .idle_timeout(LONG)
            .concurrency(1);
        match with {
            With::Extension => sandbox.extension(&self.extension),
            With::Nothing => sandbox,
        }
    }

    pub(crate) fn extension(&self) -> &Path {
        &self.extension
    }

    pub(crate) fn journal(&self, name: &str) -> Journal {
        Journal::at(self.folder.path().join(name))
    }
}

/// What went wrong in environments, by their log streams.
pub(crate) type Struck = BTreeMap<String, Vec<String>>;

/// What runs beside the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum With {
    Extension,
    Nothing,
}

/// Everything that the processes of a sandbox write.
pub(crate) struct Lines {
    lines: Arc<Mutex<Vec<Line>>>,
    count: watch::Receiver<usize>,
    listening: JoinHandle<Result<Struck, String>>,
}

impl Lines {
    pub(crate) fn of(mut activity: broadcast::Receiver<Activity>) -> Self {
        let lines: Arc<Mutex<Vec<Line>>> = Arc::default();
        let (sender, count) = watch::channel(0);
        let kept = lines.clone();
        let listening = tokio::spawn(async move {
            let mut struck = Struck::new();
            loop {
                match activity.recv().await {
                    Ok(Activity::Line(line)) => {
                        locked(&kept).push(line);
                        sender.send_modify(|count| *count += 1);
                    }
                    Ok(Activity::Fault(fault)) => {
                        let here = fault.environment.map(|stream| struck.entry(stream));
                        here.into_iter()
                            .for_each(|here| here.or_default().push(fault.what.clone()));
                    }
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Closed) => return Ok(struck),
                    Err(broadcast::error::RecvError::Lagged(lines)) => {
                        return Err(format!("{lines} lines were missed"));
                    }
                }
            }
        });
        Lines {
            lines,
            count,
            listening,
        }
    }

    /// Waits until somebody has written this line.
    pub(crate) async fn until(&self, text: &str) -> Result<(), String> {
        let mut count = self.count.clone();
        let written = count.wait_for(|_| locked(&self.lines).iter().any(|line| line.text == text));
        match tokio::time::timeout(PATIENCE, written).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(format!("nobody writes {text:?}")),
        }
    }

    /// All that the extension has written, once the sandbox is gone.
    pub(crate) async fn of_extension(self) -> Result<Vec<String>, String> {
        Ok(self.of_all().await?.0)
    }

    /// The same, and the environments in which a fault has struck.
    pub(crate) async fn of_all(self) -> Result<(Vec<String>, Struck), String> {
        let struck = self.listening.await.map_err(|error| error.to_string())??;
        let lines = locked(&self.lines);
        let of_it = lines.iter().filter(|line| line.extension.is_some());
        let lines = of_it.map(|line| line.text.clone()).collect();
        Ok((lines, struck))
    }
}

fn locked(lines: &Mutex<Vec<Line>>) -> MutexGuard<'_, Vec<Line>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name under which the extension registers.
pub(crate) const EXTENSION: &str = "throughline-extension";
/// The variable by which a run's processes are found.
pub(crate) const MARKER: &str = "PROOF_RUN";
/// Nothing that is not broken takes so long, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// No environment ends by itself before.
const LONG: Duration = Duration::from_secs(86_400);
