//! Colours, where somebody sees them.

use std::fmt::Display;
use std::io::IsTerminal;

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Coloured,
}

impl Paint {
    /// Colours on a terminal, unless `NO_COLOR` is set or the terminal is a dumb one.
    #[allow(clippy::disallowed_methods)] // the edge where the program learns about its terminal
    pub(super) fn of_stdout() -> Self {
        let set = |key: &str| std::env::var_os(key).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|term| term == "dumb");
        if !std::io::stdout().is_terminal() || set("NO_COLOR").is_some() || dumb {
            Self::Plain
        } else {
            Self::Coloured
        }
    }

    pub(super) fn good(self, text: impl Display) -> String {
        self.with("32", text)
    }

    pub(super) fn bad(self, text: impl Display) -> String {
        self.with("31", text)
    }

    pub(super) fn notable(self, text: impl Display) -> String {
        self.with("36", text)
    }

    pub(super) fn strong(self, text: impl Display) -> String {
        self.with("1", text)
    }

    pub(super) fn faint(self, text: impl Display) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: impl Display) -> String {
        match self {
            Self::Plain => text.to_string(),
            Self::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}
