//! What starts the runtime of a function.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Code;
use crate::function::{Function, Runtime};

/// A command as the process sees it that runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Where the program is on this machine, unless it is looked up in `PATH`.
    pub(crate) file: Option<PathBuf>,
}

impl Command {
    /// The command of a function whose parts are `here` on this machine, and at the `seen` paths for its processes.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    pub(crate) fn of_runtime(
        function: &Function,
        here: &Code,
        seen: &Code,
        interpreter: Option<&Path>,
    ) -> Result<Self, String> {
        if !here.task.is_dir() {
            return Err(format!(
                "the code folder {} does not exist",
                here.task.display()
            ));
        }
        let parts = Parts { here, seen };
        match &function.runtime {
            Runtime::Provided(_) => Ok(parts.bootstrap()),
            Runtime::Python(_) => parts.python(&function.handler, interpreter),
            Runtime::Node(_) => parts.node(interpreter),
            Runtime::Java(_) => parts.java(function, interpreter),
        }
    }

    /// The same through a script that gets the command as its arguments.
    pub(crate) fn wrapped(mut self, wrapper: &str, here: &Code, seen: &Code) -> Self {
        self.arguments.insert(0, self.program.display().to_string());
        self.program = seen.of_lambda_path(Path::new(wrapper));
        self.file = Some(here.of_lambda_path(Path::new(wrapper)));
        self
    }

    /// Whether the program is there and can be executed.
    pub(crate) fn check(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let metadata = std::fs::metadata(file)?;
        if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 {
            Ok(())
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    fn looked_up(interpreter: &Path, arguments: Vec<String>) -> Self {
        let file = (interpreter.components().count() > 1).then(|| interpreter.to_owned());
        Self {
            program: interpreter.to_owned(),
            arguments,
            file,
        }
    }
}

/// The script that a managed runtime is started through, if its variables name one.
pub(crate) fn wrapper_of<'a>(
    function: &Function,
    variables: &'a std::collections::BTreeMap<String, String>,
) -> Option<&'a str> {
    variables
        .get(WRAPPER)
        .filter(|wrapper| function.runtime.is_managed() && !wrapper.is_empty())
        .map(String::as_str)
}

struct Parts<'a> {
    here: &'a Code,
    seen: &'a Code,
}

impl Parts<'_> {
    /// The first there is; when there is none, the one in the code is missed.
    fn bootstrap(&self) -> Command {
        let folders = [
            (self.here.runtime.as_ref(), self.seen.runtime.as_ref()),
            (Some(&self.here.task), Some(&self.seen.task)),
            (self.here.opt.as_ref(), self.seen.opt.as_ref()),
        ];
        let found = folders.into_iter().find_map(|(here, seen)| {
            let file = here?.join("bootstrap");
            file.exists()
                .then(|| (file, seen.map(|seen| seen.join("bootstrap"))))
        });
        let (file, program) = match found {
            Some((file, Some(program))) => (file, program),
            _ => (
                self.here.task.join("bootstrap"),
                self.seen.task.join("bootstrap"),
            ),
        };
        Command {
            program,
            arguments: Vec::new(),
            file: Some(file),
        }
    }

    fn python(&self, handler: &str, interpreter: Option<&Path>) -> Result<Command, String> {
        let arguments = ["-m", "awslambdaric", handler].map(str::to_owned).to_vec();
        let own = self.in_code(OWN_PYTHON);
        if let Some((file, program)) = own.or_else(|| self.in_runtime(INSTALLED_PYTHON)) {
            return Ok(Command {
                program,
                arguments,
                file: Some(file),
            });
        }
        // The client may also be a plain folder beside the code, in a layer, or in the machine's own packages.
        let python = interpreter.unwrap_or(Path::new("python3"));
        Ok(Command::looked_up(python, arguments))
    }

    fn node(&self, interpreter: Option<&Path>) -> Result<Command, String> {
        let client = self
            .in_code(&format!("node_modules/{NODE_CLIENT}"))
            .or_else(|| self.in_layers(&format!("nodejs/node_modules/{NODE_CLIENT}")))
            .or_else(|| self.in_runtime(&format!("node_modules/{NODE_CLIENT}")));
        let Some((_, client)) = client else {
            let missing = self.here.task.join("node_modules").join(NODE_CLIENT);
            return Err(format!(
                "{} does not exist: install aws-lambda-ric there",
                missing.display()
            ));
        };
        let arguments = vec![client.display().to_string()];
        // `npm install node@22` in the code folder is how a function brings its own.
        if let Some((file, program)) = self.in_code(OWN_NODE) {
            return Ok(Command {
                program,
                arguments,
                file: Some(file),
            });
        }
        let node = interpreter.unwrap_or(Path::new("node"));
        Ok(Command::looked_up(node, arguments))
    }

    fn java(&self, function: &Function, interpreter: Option<&Path>) -> Result<Command, String> {
        if !self.has_java_client() {
            return Err(format!(
                "no jar in {} has the Java runtime client: put aws-lambda-java-runtime-interface-client and what it \
                 depends on there (mvn dependency:copy-dependencies -DoutputDirectory=lib)",
                self.here.task.join("lib").display()
            ));
        }
        let task = self.seen.task.display();
        let mut class_path = format!("{task}:{task}/lib/*");
        if let Some(opt) = &self.seen.opt {
            class_path += &format!(":{}/java/lib/*", opt.display());
        }
        let heap_mb = u64::from(function.memory_mb) * JAVA_HEAP_PERCENT / 100;
        let mut arguments = vec![
            "-XX:+UseSerialGC".to_owned(),
            "-XX:TieredStopAtLevel=1".to_owned(),
            format!("-Xmx{heap_mb}m"),
        ];
        // Without it the client cannot open the log descriptor, and writes line by line. Java 8 does not know it.
        if !function.runtime.identifier().starts_with("java8") {
            arguments.push("--add-opens=java.base/java.io=ALL-UNNAMED".to_owned());
        }
        arguments.extend([
            "-cp".to_owned(),
            class_path,
            JAVA_CLIENT.to_owned(),
            function.handler.clone(),
        ]);
        let java = interpreter.unwrap_or(Path::new("java"));
        Ok(Command::looked_up(java, arguments))
    }

    fn has_java_client(&self) -> bool {
        let class = format!("{}.class", JAVA_CLIENT.replace('.', "/"));
        let layers = self.here.opt.iter().map(|opt| opt.join("java/lib"));
        let mut jars = [self.here.task.join("lib")]
            .into_iter()
            .chain(layers)
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "jar"));
        self.here.task.join(&class).is_file() || jars.any(|jar| has_class(&jar, &class))
    }

    fn in_code(&self, path: &str) -> Option<(PathBuf, PathBuf)> {
        found(Some(&self.here.task), Some(&self.seen.task), path)
    }

    fn in_layers(&self, path: &str) -> Option<(PathBuf, PathBuf)> {
        found(self.here.opt.as_ref(), self.seen.opt.as_ref(), path)
    }

    fn in_runtime(&self, path: &str) -> Option<(PathBuf, PathBuf)> {
        found(self.here.runtime.as_ref(), self.seen.runtime.as_ref(), path)
    }
}

/// The file here, and where it is seen.
fn found(here: Option<&PathBuf>, seen: Option<&PathBuf>, path: &str) -> Option<(PathBuf, PathBuf)> {
    let file = here?.join(path);
    file.is_file().then_some(())?;
    Some((file, seen?.join(path)))
}

fn has_class(jar: &Path, class: &str) -> bool {
    let archive = std::fs::File::open(jar)
        .ok()
        .and_then(|file| zip::ZipArchive::new(io::BufReader::new(file)).ok());
    archive.is_some_and(|archive| archive.index_for_name(class).is_some())
}

const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";
pub(super) const OWN_PYTHON: &str = ".venv/bin/python";
const INSTALLED_PYTHON: &str = "bin/python";
pub(super) const OWN_NODE: &str = "node_modules/node/bin/node";
const NODE_CLIENT: &str = "aws-lambda-ric/index.mjs";
const JAVA_CLIENT: &str = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda";
/// As Lambda starts a JVM: the rest is for what is not heap.
const JAVA_HEAP_PERCENT: u64 = 85;

#[cfg(test)]
mod tests;
