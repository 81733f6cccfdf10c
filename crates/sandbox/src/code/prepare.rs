//! Finding everything that a function is made of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Code, Command, wrapper_of};
use crate::function::{Function, Runtime};

/// A function whose parts are all here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prepared {
    pub(crate) code: Code,
    /// What runs the code, where the runtime client does not bring it along.
    pub(crate) interpreter: Option<PathBuf>,
}

/// Finds the parts of a function; `shared` are variables for all functions.
///
/// # Errors
/// What is missing, and what to do about it.
pub(crate) fn prepare(
    function: &Function,
    shared: &BTreeMap<String, String>,
) -> Result<Prepared, String> {
    let prepared = Prepared {
        code: Code {
            task: std::path::absolute(&function.code).map_err(|error| error.to_string())?,
            opt: None,
            runtime: None,
        },
        interpreter: None,
    };
    prepared.check(function, shared)?;
    Ok(prepared)
}

impl Prepared {
    /// Whether the function can be started, as far as that can be seen without starting it.
    fn check(&self, function: &Function, shared: &BTreeMap<String, String>) -> Result<(), String> {
        let code = &self.code;
        let command = Command::of_runtime(function, code, code, self.interpreter.as_deref())?;
        command.check().map_err(|error| {
            let program = command.program.display();
            if error.kind() == std::io::ErrorKind::NotFound {
                format!("{program} does not exist")
            } else {
                format!("{program} cannot be executed: chmod +x it")
            }
        })?;
        self.check_handler(function)?;
        let own = shared.iter().chain(&function.environment);
        let variables = own
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let Some(wrapper) = wrapper_of(function, &variables) else {
            return Ok(());
        };
        let wrapped = command.wrapped(wrapper, code, code);
        wrapped.check().map_err(|_| {
            let program = wrapped.program.display();
            format!("AWS_LAMBDA_EXEC_WRAPPER={wrapper} is {program}, which is no executable file")
        })
    }

    /// Whether there is something by the name of the handler's module. What is in it the runtime finds out.
    fn check_handler(&self, function: &Function) -> Result<(), String> {
        let layers = |path: &str| self.code.opt.iter().map(|opt| opt.join(path)).collect();
        let in_layers: Vec<PathBuf> = match &function.runtime {
            Runtime::Python(identifier) => {
                let packages = format!("python/lib/{identifier}/site-packages");
                [layers("python"), layers(&packages)].concat()
            }
            Runtime::Node(_) => layers(""),
            Runtime::Provided(_) | Runtime::Java(_) => return Ok(()),
        };
        let first = function.handler.trim_start_matches(['.', '/']);
        let first = first.split(['.', '/']).next().unwrap_or_default();
        let own_packages = self.code.task.join(".venv").is_dir();
        let mut folders = in_layers.iter().chain([&self.code.task]);
        if function.handler.starts_with('/')
            || own_packages
            || folders.any(|folder| has_module(folder, first))
        {
            return Ok(());
        }
        Err(format!(
            "the handler is {}, but {} has no module {first}",
            function.handler,
            self.code.task.display()
        ))
    }
}

fn has_module(folder: &Path, name: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|found| {
        let found = found.to_string_lossy();
        found.split('.').next() == Some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handler_without_a_module_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("app.py"), "").unwrap();
        std::fs::create_dir(folder.path().join("pack")).unwrap();
        for (handler, there) in [
            ("app.handler", true),
            ("pack.inner.handler", true),
            ("pack/inner.handler", true),
            ("other.handler", false),
        ] {
            let function = Function::new("f", folder.path())
                .runtime("python3.13".parse().unwrap())
                .handler(handler);
            let checked = prepare(&function, &BTreeMap::new());
            assert_eq!(checked.is_ok(), there, "{handler}: {checked:?}");
        }
    }

    #[test]
    fn wrapper_that_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("app.py"), "").unwrap();
        let function = Function::new("f", folder.path())
            .runtime("python3.13".parse().unwrap())
            .handler("app.handler")
            .env("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrap");
        assert_eq!(
            prepare(&function, &BTreeMap::new()).unwrap_err(),
            "AWS_LAMBDA_EXEC_WRAPPER=/opt/wrap is /opt/wrap, which is no executable file"
        );
    }
}
