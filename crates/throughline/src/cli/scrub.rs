//! `throughline scrub`, declared.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(crate) struct Scrub {
    /// File to look at, or - for the standard input
    ///
    /// An OTLP request in protobuf or JSON, a file with one such request a line as collectors write
    /// it, or text: log lines of any kind, JSON or not.
    pub(crate) file: PathBuf,
    /// Show what would go, and change nothing
    #[arg(long, required = true)]
    pub(crate) dry_run: bool,
    /// Print the totals only
    #[arg(long)]
    pub(crate) summary: bool,
    /// Print every finding and then the totals as one line of JSON each, with its `type`
    #[arg(long)]
    pub(crate) json: bool,
    /// Look as if the invocation had failed; matters for payloads `on-error`
    #[arg(long)]
    pub(crate) failed: bool,
    /// Which payloads leave: off, metadata, on-error or all
    #[arg(
        long,
        value_name = "MODE",
        env = "THROUGHLINE_PAYLOADS",
        hide_env_values = true
    )]
    pub(crate) payloads: Option<String>,
    /// Further names whose values are secret, with commas between them
    #[arg(
        long,
        value_name = "NAMES",
        env = "THROUGHLINE_SCRUB_KEYS",
        hide_env_values = true
    )]
    pub(crate) keys: Option<String>,
    /// Names whose values are not secret, with commas between them
    #[arg(
        long,
        value_name = "NAMES",
        env = "THROUGHLINE_SCRUB_ALLOW",
        hide_env_values = true
    )]
    pub(crate) allow: Option<String>,
    /// Texts that are secret, as name=regex with spaces between them
    #[arg(
        long,
        value_name = "PATTERNS",
        env = "THROUGHLINE_SCRUB_PATTERNS",
        hide_env_values = true
    )]
    pub(crate) patterns: Option<String>,
    /// What else to look for, with commas between: ssn, iban, ipv4
    #[arg(
        long,
        value_name = "NAMES",
        env = "THROUGHLINE_SCRUB_DETECT",
        hide_env_values = true
    )]
    pub(crate) detect: Option<String>,
    /// Whether e-mail addresses are replaced: on or off
    #[arg(
        long,
        value_name = "ON|OFF",
        env = "THROUGHLINE_SCRUB_EMAILS",
        hide_env_values = true
    )]
    pub(crate) emails: Option<String>,
}

const AFTER: &str = "Secrets themselves are never printed, only their kind and length.\n\n\
    The rules are the extension's, and so are the variables that change them. Exits with 0 if \
    nothing would go, with 1 if something would, and with 2 if the file cannot be read.";
