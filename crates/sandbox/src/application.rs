//! The functions of one application and what is around them, checked as a whole so that all mistakes show at once.
//!
//! `reader` takes values out of the file and keeps the problems; `function` and `source` are the settings that both
//! languages have, with Lambda's limits; `throughline_toml` and `throughline_sources` are our own language, `sam` is
//! AWS's.

mod api;
mod function;
mod managed;
mod reader;
mod resource;
mod route;
mod sam;
mod source;
mod throughline_sources;
mod throughline_toml;

use std::collections::BTreeMap;
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
    inline: Vec<InlineCode>,
}

/// What the caller knows better than the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Values of a template's parameters, before their defaults.
    pub parameters: BTreeMap<String, String>,
    /// Where AWS's services are, `aws` for AWS itself; goes before what a file says, and into the URLs of queues.
    pub aws_endpoint: Option<String>,
}

/// Code that stands in a template, and where it has to be for a function to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct InlineCode {
    folder: PathBuf,
    file: &'static str,
    text: String,
}

impl InlineCode {
    fn write(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        // Another sandbox may read the file just now: it sees the old one or the new one, which are the same.
        let new = self
            .folder
            .join(format!(".{}.{}", self.file, std::process::id()));
        std::fs::write(&new, &self.text)?;
        std::fs::rename(&new, self.folder.join(self.file))
    }
}

impl Application {
    /// Reads an application file: `throughline.toml`, or an AWS SAM template. Paths in it are relative to the file's
    /// folder.
    ///
    /// # Errors
    /// The file cannot be read, is in neither language, or says something that cannot be; all such problems at once.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ApplicationError> {
        Self::load_with(path, &Overrides::default())
    }

    /// Like [`Application::load`], with what the caller knows better than the file.
    ///
    /// # Errors
    /// As there; and code that is written in a template cannot be put into the cache.
    pub fn load_with(
        path: impl AsRef<Path>,
        overrides: &Overrides,
    ) -> Result<Self, ApplicationError> {
        Self::load_into(path.as_ref(), overrides, &cache())
    }

    fn load_into(
        path: &Path,
        overrides: &Overrides,
        cache: &Path,
    ) -> Result<Self, ApplicationError> {
        let unreadable = |source| ApplicationError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let application = if is_template(path, &text) {
            let folder = std::path::absolute(folder).map_err(unreadable)?;
            let surroundings = sam::Surroundings {
                folder: &folder,
                cache,
                built: folder.join(".aws-sam/build/template.yaml").exists(),
                overrides,
            };
            sam::parse(&text, surroundings).map_err(Problems)
        } else {
            Self::parse(&text, folder).map(|application| application.overridden(overrides))
        };
        let application = application.map_err(|problems| ApplicationError::Invalid {
            path: path.to_owned(),
            problems,
        })?;
        for code in &application.inline {
            code.write()
                .map_err(|source| ApplicationError::Unwritable {
                    path: code.folder.clone(),
                    source,
                })?;
        }
        Ok(application)
    }

    /// Reads the text of a `throughline.toml` whose paths are relative to `folder`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Problems> {
        throughline_toml::parse(text, folder).map_err(Problems)
    }

    fn overridden(mut self, overrides: &Overrides) -> Self {
        self.aws_endpoint = overrides.aws_endpoint.clone().or(self.aws_endpoint);
        self
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

    /// Where AWS's services are, `aws` for AWS itself, if anybody has said so.
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
    /// Code that stands in a template cannot be written where functions run it.
    #[error("cannot write code of the template to {}: {source}", path.display())]
    Unwritable {
        /// The folder.
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

/// Instead of an endpoint.
pub(crate) const AWS_ITSELF: &str = "aws";

/// Whether a file is a template: its name says so, or how it begins.
fn is_template(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => false,
        Some("yaml" | "yml" | "json" | "template") => true,
        _ => {
            text.trim_start().starts_with('{')
                || text.lines().any(|line| line.starts_with("Resources:"))
        }
    }
}

/// Where code from templates is kept between runs.
#[allow(clippy::disallowed_methods)] // the edge where the machine says where caches are
fn cache() -> PathBuf {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("XDG_CACHE_HOME")
        .or_else(|| Some(set("HOME")?.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("throughline")
        .join("inline")
}

#[cfg(test)]
mod tests;
