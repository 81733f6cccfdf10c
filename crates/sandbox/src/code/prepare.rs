//! Finding everything that a function is made of.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::cache::Cache;
use super::interpreter::{Interpreter, Wanted};
use super::{Code, Command, client, layers, links, wrapper_of};
use crate::function::{Function, Runtime};

/// A function whose parts are all here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prepared {
    pub(crate) code: Code,
    /// What runs the code, where the runtime client does not bring it along.
    pub(crate) interpreter: Option<PathBuf>,
    /// The external extensions in the layers.
    pub(crate) extensions: Vec<PathBuf>,
    /// A layer says that there are no extensions at all.
    pub(crate) extensions_off: bool,
    /// What links in the code and the layers lead to outside of these.
    pub(crate) leads_to: Vec<PathBuf>,
}

/// Whoever wants to hear what takes time or is not as it was asked for.
#[derive(Clone)]
pub(crate) struct Tell(Arc<dyn Fn(&str) + Send + Sync>);

impl Tell {
    pub(crate) fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn say(&self, text: &str) {
        (self.0)(text);
    }
}

impl Default for Tell {
    fn default() -> Self {
        Self::new(|text| tracing::info!("{text}"))
    }
}

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tell")
    }
}

/// Finds, unpacks and installs the parts of functions. It blocks.
#[derive(Debug)]
pub(crate) struct Preparer {
    cache: Cache,
    tell: Tell,
    /// Variables for all functions.
    shared: BTreeMap<String, String>,
    /// Those that were found, by the identifier of the runtime.
    interpreters: Mutex<BTreeMap<String, Interpreter>>,
}

impl Preparer {
    pub(crate) fn new(cache: Cache, tell: Tell, shared: BTreeMap<String, String>) -> Self {
        Self {
            cache,
            tell,
            shared,
            interpreters: Mutex::new(BTreeMap::new()),
        }
    }

    /// The parts of all functions by their names.
    ///
    /// # Errors
    /// What is missing, one text for each function that cannot be started, headed by its name.
    pub(crate) fn prepare_all(
        &self,
        functions: &[Function],
    ) -> Result<BTreeMap<String, Prepared>, Vec<String>> {
        let mut all = BTreeMap::new();
        let mut problems = Vec::new();
        for function in functions {
            match self.prepare(function) {
                Ok(prepared) => {
                    all.insert(function.name.clone(), prepared);
                }
                Err(problem) => problems.push(format!("{}: {problem}", function.name)),
            }
        }
        if problems.is_empty() {
            Ok(all)
        } else {
            Err(problems)
        }
    }

    /// The parts of a function.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    pub(crate) fn prepare(&self, function: &Function) -> Result<Prepared, String> {
        if !function.code.exists() {
            let code = function.code.display();
            return Err(format!("the code folder {code} does not exist"));
        }
        let task = layers::folder_of(&function.code, &self.cache)
            .map_err(|error| format!("cannot use the code {}: {error}", function.code.display()))?;
        let opt = layers::merge(&function.layers, &self.cache)?;
        let parts = [Some(task.as_path()), opt.as_deref()];
        let mut prepared = Prepared {
            leads_to: parts
                .into_iter()
                .flatten()
                .flat_map(links::leading_out)
                .collect(),
            extensions: layers::extensions_of(opt.as_deref()),
            extensions_off: opt
                .as_ref()
                .is_some_and(|opt| opt.join(EXTENSIONS_OFF).exists()),
            code: Code {
                task,
                opt,
                runtime: None,
            },
            interpreter: None,
        };
        prepared.check_handler(function)?;
        self.add_client(function, &mut prepared)?;
        prepared.check(function, &self.shared)?;
        Ok(prepared)
    }

    /// The interpreter and the runtime client, as far as the code does not bring its own.
    fn add_client(&self, function: &Function, prepared: &mut Prepared) -> Result<(), String> {
        let brings = prepared.brings(&function.runtime);
        if brings.interpreter && brings.client {
            return Ok(());
        }
        if matches!(function.runtime, Runtime::Java(_)) {
            // What the user has to supply is told before what the machine lacks.
            Command::of_runtime(function, &prepared.code, &prepared.code, None)?;
        }
        let Some(interpreter) = self.interpreter(&function.runtime)? else {
            return Ok(());
        };
        if !brings.client {
            let tell = |text: &str| self.tell.say(text);
            prepared.code.runtime =
                client::install(&function.runtime, &interpreter, &self.cache, &tell)?;
        }
        prepared.interpreter = Some(interpreter.path);
        Ok(())
    }

    fn interpreter(&self, runtime: &Runtime) -> Result<Option<Interpreter>, String> {
        let Some(wanted) = Wanted::by(runtime) else {
            return Ok(None);
        };
        let mut known = self
            .interpreters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(runtime.identifier()) {
            return Ok(Some(found.clone()));
        }
        let found = wanted.find()?;
        if let Some(remark) = wanted.remark(runtime, &found) {
            self.tell.say(&remark);
        }
        known.insert(runtime.identifier().to_owned(), found.clone());
        Ok(Some(found))
    }
}

/// What need not be found elsewhere.
struct Brings {
    interpreter: bool,
    client: bool,
}

impl Prepared {
    fn brings(&self, runtime: &Runtime) -> Brings {
        let task = &self.code.task;
        let in_layers = |path: &str| self.code.opt.iter().any(|opt| opt.join(path).exists());
        match runtime {
            Runtime::Python(_) => {
                let own = task.join(super::command::OWN_PYTHON).exists();
                Brings {
                    interpreter: own,
                    client: own
                        || task.join("awslambdaric").exists()
                        || in_layers("python/awslambdaric"),
                }
            }
            Runtime::Node(_) => Brings {
                interpreter: task.join(super::command::OWN_NODE).exists(),
                client: task.join("node_modules/aws-lambda-ric").exists()
                    || in_layers("nodejs/node_modules/aws-lambda-ric"),
            },
            // The client of a Java function is always its own.
            Runtime::Provided(_) | Runtime::Java(_) => Brings {
                interpreter: false,
                client: true,
            },
        }
    }

    /// Whether the function can be started, as far as that can be seen without starting it.
    fn check(&self, function: &Function, shared: &BTreeMap<String, String>) -> Result<(), String> {
        let code = &self.code;
        let command = Command::of_runtime(function, code, code, self.interpreter.as_deref())?;
        command.check().map_err(|error| {
            let program = command.program.display();
            if error.kind() == std::io::ErrorKind::NotFound {
                let step = match function.runtime {
                    Runtime::Provided(_) => ": build the function's executable there",
                    _ => "",
                };
                format!("{program} does not exist{step}")
            } else {
                format!("{program} cannot be executed: chmod +x it")
            }
        })?;
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

/// As Lambda's own supervisor knows it.
const EXTENSIONS_OFF: &str = "disable-extensions-jwigqn8j";

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(folder: &Path) -> Prepared {
        Prepared {
            code: Code {
                task: folder.to_owned(),
                ..Code::default()
            },
            ..Prepared::default()
        }
    }

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
            let checked = prepared(folder.path()).check_handler(&function);
            assert_eq!(checked.is_ok(), there, "{handler}: {checked:?}");
        }
    }

    #[test]
    fn wrapper_that_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let function = Function::new("f", folder.path())
            .runtime("python3.13".parse().unwrap())
            .env("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrap");
        let checked = prepared(folder.path()).check(&function, &BTreeMap::new());
        assert_eq!(
            checked.unwrap_err(),
            "AWS_LAMBDA_EXEC_WRAPPER=/opt/wrap is /opt/wrap, which is no executable file"
        );
    }
}
