//! Finding the program that runs the code of a managed runtime.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::function::Runtime;

/// A program that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interpreter {
    pub(super) path: PathBuf,
    /// Such as `3.11.7`.
    pub(super) version: String,
}

/// What a runtime asks for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The programs to try, the best first.
    names: Vec<String>,
    /// What prints the path and the version of the program, in two lines.
    question: &'static [&'static str],
    /// How the version begins if it is the one that was asked for.
    version: String,
    name: &'static str,
}

impl Wanted {
    /// `None` for runtimes that need none.
    pub(super) fn by(runtime: &Runtime) -> Option<Self> {
        let digits = |identifier: &str, prefix: &str| {
            let rest = identifier.trim_start_matches(prefix);
            rest.split(".x").next().unwrap_or_default().to_owned()
        };
        match runtime {
            Runtime::Provided(_) => None,
            Runtime::Python(identifier) => Some(Self {
                names: vec![identifier.clone(), "python3".to_owned()],
                question: &[
                    "-c",
                    "import platform, sys; print(sys.executable, platform.python_version(), sep='\\n')",
                ],
                version: digits(identifier, "python"),
                name: "Python",
            }),
            Runtime::Node(identifier) => Some(Self {
                names: vec!["node".to_owned()],
                question: &["-p", "process.execPath + '\\n' + process.versions.node"],
                version: digits(identifier, "nodejs"),
                name: "Node",
            }),
            Runtime::Java(_) => Some(Self {
                names: vec!["java".to_owned()],
                question: &[],
                version: String::new(),
                name: "Java",
            }),
        }
    }

    /// The first that is installed; for a Java program whatever is.
    pub(super) fn find(&self) -> Result<Interpreter, String> {
        let found = self.names.iter().filter_map(|name| self.ask(name));
        let mut found: Vec<_> = found.collect();
        let right = found
            .iter()
            .position(|interpreter| self.is_right(interpreter));
        if found.is_empty() {
            return Err(format!(
                "{} is not installed: none of {} can be run",
                self.name,
                self.names.join(", ")
            ));
        }
        Ok(found.swap_remove(right.unwrap_or(0)))
    }

    /// What there is to say when another version has to do.
    pub(super) fn remark(&self, runtime: &Runtime, found: &Interpreter) -> Option<String> {
        let remark = || {
            format!(
                "{} {} is not installed: functions of {runtime} run with {} {}",
                self.name, self.version, self.name, found.version
            )
        };
        (!self.is_right(found)).then(remark)
    }

    fn is_right(&self, found: &Interpreter) -> bool {
        let rest = found.version.strip_prefix(&self.version);
        rest.is_some_and(|rest| self.version.is_empty() || rest.is_empty() || rest.starts_with('.'))
    }

    fn ask(&self, name: &str) -> Option<Interpreter> {
        if self.question.is_empty() {
            let version = Command::new(name).arg("-version").output().ok()?;
            return version.status.success().then(|| Interpreter {
                path: PathBuf::from(name),
                version: String::new(),
            });
        }
        let output = Command::new(name).args(self.question).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (path, version) = text.trim_end().split_once('\n')?;
        (output.status.success() && Path::new(path).is_absolute()).then(|| Interpreter {
            path: PathBuf::from(path),
            version: version.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_version_is_remarked_on() {
        for (runtime, version, remark) in [
            ("python3.13", "3.13.1", None),
            (
                "python3.1",
                "3.13.1",
                Some("Python 3.1 is not installed: functions of python3.1 run with Python 3.13.1"),
            ),
            ("nodejs22.x", "22.23.3", None),
            (
                "nodejs22.x",
                "20.20.2",
                Some("Node 22 is not installed: functions of nodejs22.x run with Node 20.20.2"),
            ),
            ("java21", "", None),
        ] {
            let runtime = runtime.parse().unwrap();
            let found = Interpreter {
                path: PathBuf::from("/bin/it"),
                version: version.to_owned(),
            };
            let told = Wanted::by(&runtime).unwrap().remark(&runtime, &found);
            assert_eq!(told.as_deref(), remark, "{runtime} {version}");
        }
        assert!(Wanted::by(&"provided.al2023".parse().unwrap()).is_none());
    }

    #[test]
    fn what_is_not_installed_is_named() {
        let wanted = Wanted {
            names: vec!["no-such-python".to_owned()],
            question: &["-c", ""],
            version: "3".to_owned(),
            name: "Python",
        };
        assert_eq!(
            wanted.find().unwrap_err(),
            "Python is not installed: none of no-such-python can be run"
        );
    }
}
