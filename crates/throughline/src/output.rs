//! What goes to the terminal, which may be gone.

use std::io::{ErrorKind, Write};

use anyhow::Context;

/// Whether anybody still reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Listens,
    Gone,
}

/// Prints, where `print!` would panic when the reader has gone away.
pub(crate) fn print(text: impl AsRef<[u8]>) -> anyhow::Result<Reader> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::Listens),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(error).context("cannot write to the standard output"),
    }
}

/// A number and what it counts.
pub(crate) fn counted(number: u64, one: &str, several: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {several}"),
    }
}

/// An error with its causes on one line. A cause that was told already is not told again.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        let cause = cause.split_whitespace().collect::<Vec<_>>().join(" ");
        if told.is_empty() {
            told = cause;
        } else if !told.ends_with(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_line_and_say_nothing_twice() {
        let error = anyhow::anyhow!("no such file")
            .context("cannot read a.toml: no such file")
            .context("cannot start:\n  it is\n  broken");
        assert_eq!(
            one_line(&error),
            "cannot start: it is broken: cannot read a.toml: no such file"
        );
        let error = anyhow::anyhow!("disk full").context("cannot write");
        assert_eq!(one_line(&error), "cannot write: disk full");
    }
}
