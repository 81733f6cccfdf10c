//! The public runtime clients, installed when the first function needs one that does not bring its own.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::cache::Cache;
use super::interpreter::Interpreter;
use crate::function::Runtime;

/// Why a client is not there. The folder is not, either.
#[derive(Debug)]
enum Failed {
    Io(std::io::Error),
    Step(String),
}

/// Installs into a folder, with this interpreter.
type Fill = fn(&Path, &Path) -> Result<(), Failed>;

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Failed> for String {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Io(error) => error.to_string(),
            Failed::Step(text) => text,
        }
    }
}

/// The folder that is `/var/runtime`, installed if it is not there. `None` for runtimes whose client the user supplies.
///
/// # Errors
/// What could not be done, and what to do about it.
pub(super) fn install(
    runtime: &Runtime,
    interpreter: &Interpreter,
    cache: &Cache,
    tell: &dyn Fn(&str),
) -> Result<Option<PathBuf>, String> {
    let (package, fill): (_, Fill) = match runtime {
        Runtime::Python(_) => (PYTHON_CLIENT, install_python),
        Runtime::Node(_) => (NODE_CLIENT, install_node),
        Runtime::Provided(_) | Runtime::Java(_) => return Ok(None),
    };
    let name = folder_name(runtime, package, interpreter);
    if let Some(folder) = cache.find(&name) {
        return Ok(Some(folder));
    }
    // Whoever comes second waits, and finds it installed.
    let _lock = cache.lock(&name).map_err(|error| error.to_string())?;
    if let Some(folder) = cache.find(&name) {
        return Ok(Some(folder));
    }
    tell(&format!("installing {package} for {runtime}, this once"));
    let made = cache.make(&name, |folder| fill(folder, &interpreter.path));
    let told = |failed| {
        format!(
            "cannot install {package}: {}; install it in the code folder, or start once with the network at hand",
            String::from(failed)
        )
    };
    made.map(Some).map_err(told)
}

/// A virtual environment leads to the interpreter that made it, so each interpreter has its own.
fn folder_name(runtime: &Runtime, package: &str, interpreter: &Interpreter) -> String {
    let client: String = package
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "-.".contains(*letter))
        .collect();
    if !matches!(runtime, Runtime::Python(_)) {
        return format!("runtimes/{client}");
    }
    let mut hash = DefaultHasher::new();
    interpreter.path.hash(&mut hash);
    format!(
        "runtimes/{client}-boto3-python{}-{:08x}",
        interpreter.version,
        hash.finish() >> 32
    )
}

fn install_python(folder: &Path, python: &Path) -> Result<(), Failed> {
    let mut venv = Command::new(python);
    venv.args(["-m", "venv"]).arg(folder);
    run(venv, "python -m venv (Debian has it in python3-venv)")?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]);
    pip.args([PYTHON_CLIENT, PYTHON_SDK]);
    run(pip, "pip install")
}

/// Without the native part, which takes a C++ compiler and minutes: a few lines of JavaScript stand in for it.
fn install_node(folder: &Path, _node: &Path) -> Result<(), Failed> {
    fs::write(folder.join("package.json"), r#"{"private":true}"#)?;
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel",
        "error",
    ]);
    npm.arg(NODE_CLIENT).current_dir(folder);
    run(npm, "npm install")?;
    let shim = folder.join("node_modules/aws-lambda-ric/rapid-client.node");
    fs::create_dir_all(&shim)?;
    for (name, text) in SHIM {
        fs::write(shim.join(name), text)?;
    }
    Ok(())
}

/// Runs a step to its end; its last words are the reason if it fails.
fn run(mut command: Command, step: &str) -> Result<(), Failed> {
    let failed = |reason: &str| Failed::Step(format!("{step} failed: {reason}"));
    // Files, since a pipe that nobody reads would stop a step that says much.
    let mut words = tempfile()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(words.try_clone()?)
        .stderr(words.try_clone()?)
        .spawn()
        .map_err(|error| failed(&error.to_string()))?;
    let mut waited = Duration::ZERO;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if waited >= STEP_MAX {
            child.kill()?;
            child.wait()?;
            return Err(failed(&format!(
                "not done after {} minutes",
                STEP_MAX.as_secs() / 60
            )));
        }
        std::thread::sleep(STEP_LOOK);
        waited += STEP_LOOK;
    };
    if status.success() {
        return Ok(());
    }
    let text = last_words(&mut words)?;
    Err(failed(if text.is_empty() {
        "it said nothing"
    } else {
        &text
    }))
}

fn tempfile() -> std::io::Result<fs::File> {
    let name = format!("throughline-install-{}", uuid::Uuid::new_v4().simple());
    let path = std::env::temp_dir().join(name);
    let mut options = fs::OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

fn last_words(file: &mut fs::File) -> std::io::Result<String> {
    use std::io::{Read, Seek, SeekFrom};
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(WORDS_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    Ok(lines[lines.len().saturating_sub(WORDS_LINES_MAX)..].join("; "))
}

const PYTHON_CLIENT: &str = "awslambdaric==4.2.2";
/// Lambda's Python has it, and functions are written as if it were there. Which one depends on the interpreter.
const PYTHON_SDK: &str = "boto3<2";
const NODE_CLIENT: &str = "aws-lambda-ric@4.0.2";
const SHIM: [(&str, &str); 2] = [
    (
        "index.js",
        include_str!("../../../../examples/checkout/notify/runtime-shim/index.js"),
    ),
    (
        "package.json",
        include_str!("../../../../examples/checkout/notify/runtime-shim/package.json"),
    ),
];
/// Both take some seconds, and minutes where the network is slow.
const STEP_MAX: Duration = Duration::from_secs(600);
const STEP_LOOK: Duration = Duration::from_millis(50);
const WORDS_BYTES_MAX: u64 = 4096;
const WORDS_LINES_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreter(path: &str) -> Interpreter {
        Interpreter {
            path: path.into(),
            version: "3.13.1".to_owned(),
        }
    }

    #[test]
    fn failed_install_leaves_nothing_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let runtime = "python3.13".parse().unwrap();
        let told = std::cell::RefCell::new(Vec::new());
        let tell = |text: &str| told.borrow_mut().push(text.to_owned());
        let failed = install(&runtime, &interpreter("/bin/false"), &cache, &tell).unwrap_err();
        assert_eq!(
            failed,
            "cannot install awslambdaric==4.2.2: python -m venv (Debian has it in python3-venv) failed: it said nothing; \
             install it in the code folder, or start once with the network at hand"
        );
        assert_eq!(
            *told.borrow(),
            ["installing awslambdaric==4.2.2 for python3.13, this once"]
        );
        let left = fs::read_dir(folder.path().join("runtimes")).unwrap();
        let left: Vec<_> = left
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn each_python_has_a_client_of_its_own() {
        let runtime = "python3.13".parse().unwrap();
        let name = |path| folder_name(&runtime, PYTHON_CLIENT, &interpreter(path));
        assert!(
            name("/usr/bin/python3").starts_with("runtimes/awslambdaric4.2.2-boto3-python3.13.1-")
        );
        assert_ne!(name("/usr/bin/python3"), name("/opt/bin/python3"));
    }

    #[test]
    fn last_words_of_a_step_are_told() {
        let mut command = Command::new("/bin/sh");
        command.args([
            "-c",
            "echo one; echo two >&2; echo; echo three; echo four; exit 3",
        ]);
        let failed = String::from(run(command, "step").unwrap_err());
        assert_eq!(failed, "step failed: two; three; four");
    }
}
