//! Whoever reads what is printed: in colours or without, and how wide.

use std::fmt::Display;
use std::io::IsTerminal;

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Coloured,
}

impl Paint {
    /// Colours on a terminal, unless `NO_COLOR` is set or the terminal is a dumb one.
    #[allow(clippy::disallowed_methods)] // the edge where the program learns about its terminal
    pub(crate) fn of_stdout() -> Self {
        let set = |key: &str| std::env::var_os(key).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|term| term == "dumb");
        if !std::io::stdout().is_terminal() || set("NO_COLOR").is_some() || dumb {
            Self::Plain
        } else {
            Self::Coloured
        }
    }

    pub(crate) fn good(self, text: impl Display) -> String {
        self.with("32", text)
    }

    pub(crate) fn bad(self, text: impl Display) -> String {
        self.with("31", text)
    }

    pub(crate) fn notable(self, text: impl Display) -> String {
        self.with("36", text)
    }

    pub(crate) fn strong(self, text: impl Display) -> String {
        self.with("1", text)
    }

    pub(crate) fn warning(self, text: impl Display) -> String {
        self.with("33", text)
    }

    pub(crate) fn faint(self, text: impl Display) -> String {
        self.with("2", text)
    }

    /// One of the colours of [`INKS`], the same for the same number.
    pub(crate) fn ink(self, number: usize, text: impl Display) -> String {
        self.with(INKS[number % INKS.len()], text)
    }

    fn with(self, code: &str, text: impl Display) -> String {
        match self {
            Self::Plain => text.to_string(),
            Self::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// How many columns there are to fill.
#[allow(clippy::disallowed_methods)] // the edge where the program learns about its terminal
pub(crate) fn columns() -> usize {
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    let columns = terminal
        .map(|(width, _)| usize::from(width.0))
        .or_else(told);
    columns
        .unwrap_or(COLUMNS_DEFAULT)
        .clamp(COLUMNS_MIN, COLUMNS_MAX)
}

/// Cyan, green, blue, magenta, and the bright ones; red and yellow mean something.
const INKS: [&str; 8] = ["36", "32", "34", "35", "96", "92", "94", "95"];
/// In a pipe or a file.
const COLUMNS_DEFAULT: usize = 120;
/// Narrower than this nothing can be told side by side.
const COLUMNS_MIN: usize = 60;
/// Wider than this no eye follows a line.
const COLUMNS_MAX: usize = 400;
