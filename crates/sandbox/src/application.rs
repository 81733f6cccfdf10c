//! The functions of one application and what is around them, checked as a whole so that all mistakes show at once.
//!
//! `reader` takes values out of the file and keeps the problems; `function` and `source` are the settings that both
//! languages have, with Lambda's limits; `throughline_toml` and `throughline_sources` are our own language.

mod function;
mod reader;
mod resource;
mod route;
mod source;
mod throughline_sources;
mod throughline_toml;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::function::Function;
use crate::source::{Door, HttpApi, Resource};

/// The functions that belong together, in the order of their names.
#[derive(Debug, Clone, Default)]
pub struct Application {
    pub(crate) functions: Vec<Function>,
    pub(crate) apis: Vec<HttpApi>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) doors: Vec<Door>,
    pub(crate) aws_endpoint: Option<String>,
    notes: Vec<String>,
}

impl Application {
    /// Reads an application file. Paths in it are relative to the file's folder.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or says something that cannot be; all such problems at once.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ApplicationError> {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).map_err(|source| ApplicationError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        Self::parse(&text, folder.unwrap_or(Path::new("."))).map_err(|problems| {
            ApplicationError::Invalid {
                path: path.to_owned(),
                problems,
            }
        })
    }

    /// Reads the text of an application file whose paths are relative to `folder`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Problems> {
        throughline_toml::parse(text, folder).map_err(Problems)
    }

    /// The same application with every function URL and API on a free port, for tests that run beside each other.
    #[must_use]
    pub fn on_free_ports(mut self) -> Self {
        let urls = self
            .functions
            .iter_mut()
            .filter_map(|function| function.url.as_mut());
        for listen in urls.chain(self.apis.iter_mut().map(|api| &mut api.listen)) {
            listen.set_port(0);
        }
        self
    }

    /// The functions of the application.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The resources that must be there before anything runs.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The APIs that say where they listen.
    pub fn apis(&self) -> &[HttpApi] {
        &self.apis
    }

    /// The ways out of every environment.
    pub fn doors(&self) -> &[Door] {
        &self.doors
    }

    /// What the file declares and the sandbox does not run, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Where AWS's services are, if not at AWS.
    pub fn aws_endpoint(&self) -> Option<&str> {
        self.aws_endpoint.as_deref()
    }
}

/// Why an application file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file says things that cannot be.
    #[error("cannot use {}: {problems}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All of them.
        problems: Problems,
    },
}

/// All that is wrong with an application file, one sentence each.
#[derive(Debug, Clone)]
pub struct Problems(Vec<String>);

impl Problems {
    /// One sentence for each problem, beginning with the key that has it.
    pub fn sentences(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests;
