//! What is known of a runtime client before it is tried.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use throughline_sandbox::Function;

/// A runtime client and how it behaves where that is its own choice.
pub(crate) struct Client {
    pub(crate) language: &'static str,
    /// The package, as its registry calls it.
    pub(crate) package: &'static str,
    pub(crate) version: fn() -> String,
    pub(crate) runtime: &'static str,
    pub(crate) handler: &'static str,
    /// The folder with its function, or why there is none.
    pub(crate) code: fn() -> Result<Code, String>,
    /// What else its function needs.
    pub(crate) with: fn(Function) -> Function,
    /// The error type of what its handler throws.
    pub(crate) failure: &'static str,
    /// All that the error of its handler has.
    pub(crate) failure_fields: &'static [&'static str],
    /// The error type of what fails before its handler is there.
    pub(crate) init_failure: &'static str,
    /// Whether it sends the `Lambda-Runtime-Invocation-Id` of an event back with the answer.
    pub(crate) echoes: bool,
    /// How its `User-Agent` begins, if it is always the same.
    pub(crate) agent: Option<&'static str>,
    /// Whether a message of two lines stays one.
    pub(crate) messages: Messages,
    pub(crate) json: JsonLog,
    pub(crate) memory: Memory,
    pub(crate) refused: Refused,
    pub(crate) streams: Streams,
    /// What else one should know, in Markdown.
    pub(crate) remarks: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Messages {
    /// Through the log descriptor.
    Whole,
    /// Through the standard output.
    LineByLine,
}

/// What happens to a handler that wants more memory than its function has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Memory {
    /// The machine kills the process.
    Killed,
    /// The process runs out of its own heap before, tells this error type and ends.
    Told(&'static str),
}

/// What the client does when its answer is refused with 413, because it is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It asks for the next event.
    GoesOn,
    /// It ends the process.
    Ends,
}

/// Where a structured log line has what, as JSON pointers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonLog {
    pub(crate) level: &'static str,
    pub(crate) message: &'static str,
    pub(crate) request_id: &'static str,
}

impl JsonLog {
    /// As Lambda's documentation has it.
    pub(crate) const LAMBDA: Self = Self {
        level: "/level",
        message: "/message",
        request_id: "/requestId",
    };
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Streams {
    With(StreamShape),
    /// For this reason.
    No(&'static str),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamShape {
    pub(crate) handler: &'static str,
    /// Whether an HTTP head comes first, whoever calls.
    pub(crate) head_always: bool,
    pub(crate) failure: StreamFailure,
}

/// What becomes of a failure in the middle.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StreamFailure {
    /// It is told in the trailers, with this error type, and so to the caller.
    Told(&'static str),
    /// The client writes the trailers into the body: nobody can tell it from a good end.
    InBody,
}

/// A folder with a function, there as long as this is.
pub(crate) struct Code {
    pub(crate) folder: PathBuf,
    _own: Option<TempDir>,
}

impl Code {
    /// A folder that was there before.
    pub(crate) fn found(folder: PathBuf) -> Self {
        Self { folder, _own: None }
    }

    /// A folder of these names, each leading to a file or folder elsewhere.
    pub(crate) fn linked(names: &[(&str, PathBuf)]) -> Self {
        let own = TempDir::with_prefix_in("code-", env!("CARGO_TARGET_TMPDIR")).unwrap();
        for (name, target) in names {
            std::os::unix::fs::symlink(target, own.path().join(name)).unwrap();
        }
        Self {
            folder: own.path().to_owned(),
            _own: Some(own),
        }
    }
}

/// A file of these tests.
pub(crate) fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(path)
}

/// Where `scripts/clients` has put the clients of a language.
pub(crate) fn installed(language: &str) -> Result<PathBuf, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/clients");
    let output = Command::new(script)
        .args(["where", language])
        .output()
        .map_err(|error| format!("scripts/clients cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "the clients of {language} are not installed (scripts/clients)"
        ));
    }
    let place = String::from_utf8(output.stdout).unwrap();
    Ok(PathBuf::from(place.trim_end()))
}

/// The version that a file of these tests asks for: what stands between two texts.
pub(crate) fn version_in(file: &str, before: &str, after: &str) -> String {
    let text = std::fs::read_to_string(here(file)).unwrap();
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {file}"));
    rest.split_once(after).unwrap().0.trim().to_owned()
}
