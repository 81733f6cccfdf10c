//! The table `[extension]` of a `throughline.toml`.
//!
//! As much of TOML as such a table needs, read line by line: texts, numbers, switches and lists of
//! them, each on one line. A parser for all of TOML would be two parts in a hundred of the binary.
//! Everything outside of the table belongs to somebody else (`throughline sandbox` reads its
//! functions from a file of the same name) and is skipped.

use std::collections::BTreeMap;

use super::Problem;

/// What a file says.
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    path: String,
    values: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl ConfigFile {
    /// Reads the text of the file at `path`; `None` if it has no table `[extension]`. What is wrong
    /// with a line costs that line.
    pub fn parse(path: &str, text: &str) -> Option<Self> {
        let mut file = ConfigFile {
            path: path.to_owned(),
            ..ConfigFile::default()
        };
        let mut table = Table::None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.starts_with('[') {
                let inside = without_comment(line) == "[extension]";
                table = match (inside, table) {
                    (true, _) => Table::Ours,
                    (false, Table::None) => Table::None,
                    (false, _) => Table::Over,
                };
            } else if table == Table::Ours && !line.is_empty() && !line.starts_with('#') {
                file.take(number, line);
            }
        }
        (table != Table::None).then_some(file)
    }

    /// One that cannot be used, and why.
    pub fn broken(path: &str, why: &str) -> Self {
        ConfigFile {
            path: path.to_owned(),
            values: BTreeMap::new(),
            problems: vec![Problem(format!(
                "cannot use the configuration file {path}: {why}; going on without it"
            ))],
        }
    }

    /// Where it is; empty if there is none.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong with its lines.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The value of a key, named like its variable: `otlp_listen` for `THROUGHLINE_OTLP_LISTEN`.
    pub(super) fn value(&self, variable: &str) -> Option<String> {
        self.values.get(&key_of(variable)?).cloned()
    }

    /// Its keys that no variable has.
    pub(super) fn unknown<'a>(&'a self, variables: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let known = |key: &str| {
            let is = |variable: &&str| key_of(variable).is_some_and(|known| known == key);
            variables.iter().any(is)
        };
        let keys = self.values.keys().map(String::as_str);
        keys.filter(move |key| !known(key))
    }

    fn take(&mut self, number: usize, line: &str) {
        let taken = line
            .split_once('=')
            .ok_or("it is not `key = value`")
            .and_then(|(key, rest)| {
                let (value, rest) = value(rest.trim())?;
                match without_comment(rest) {
                    "" => Ok((key.trim().trim_matches('"').to_owned(), value)),
                    _ => Err("something follows the value"),
                }
            });
        match taken {
            Ok((key, value)) => {
                self.values.insert(key, value);
            }
            Err(why) => self.problems.push(Problem(format!(
                "{} line {number} is skipped: {why}",
                self.path
            ))),
        }
    }
}

/// Where in the file a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    None,
    Ours,
    Over,
}

/// The key of a variable of ours; what others set can only be set by them.
fn key_of(variable: &str) -> Option<String> {
    let name = variable.strip_prefix("THROUGHLINE_")?;
    (name != "CONFIG").then(|| name.to_ascii_lowercase())
}

fn without_comment(text: &str) -> &str {
    text.split('#').next().unwrap_or_default().trim()
}

/// The value at the beginning of `text`, as a variable would have it, and what follows it.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    match text.chars().next() {
        None => Err("it has no value"),
        Some('"') if text.starts_with("\"\"\"") => Err("a text has one line"),
        Some('"') => basic_string(&text[1..]),
        Some('\'') => {
            let (value, rest) = text[1..].split_once('\'').ok_or("a text has no end")?;
            Ok((value.to_owned(), rest))
        }
        Some('[') => list(&text[1..]),
        Some('{') => Err("a table is no value here"),
        Some(_) => {
            let end = text.find([',', ']', '#']).unwrap_or(text.len());
            let (word, rest) = text.split_at(end);
            Ok((bare(word.trim())?, rest))
        }
    }
}

fn bare(word: &str) -> Result<String, &'static str> {
    match word {
        "true" => Ok("on".to_owned()),
        "false" => Ok("off".to_owned()),
        _ if word.replace('_', "").parse::<f64>().is_ok() => Ok(word.replace('_', "")),
        _ => Err("a text needs quotes"),
    }
}

/// A list, with commas between its values.
fn list(mut text: &str) -> Result<(String, &str), &'static str> {
    let mut values = Vec::new();
    loop {
        text = text.trim_start();
        if let Some(rest) = text.strip_prefix(']') {
            return Ok((values.join(","), rest));
        }
        let (one, rest) = value(text)?;
        values.push(one);
        text = rest.trim_start();
        match text.strip_prefix(',') {
            Some(rest) => text = rest,
            None if text.starts_with(']') => {}
            None if without_comment(text).is_empty() => return Err("a list ends on its line"),
            None => return Err("a list has commas between its values"),
        }
    }
}

fn basic_string(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, 't')) => '\t',
                Some((_, char @ ('"' | '\\'))) => char,
                _ => return Err("it has an escape that is not known here"),
            }),
            char => value.push(char),
        }
    }
    Err("a text has no end")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let shown = match ConfigFile::parse("/var/task/throughline.toml", text) {
            None => "no table".to_owned(),
            Some(file) => {
                let values = file
                    .values
                    .iter()
                    .map(|(key, value)| format!("{key} = {value}\n"));
                let problems = file.problems.iter().map(|problem| format!("! {problem}\n"));
                values.chain(problems).collect()
            }
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn values_of_all_kinds() {
        check(
            r##"
# of somebody else
name = "shop"
[functions.checkout]
endpoint = "not ours"

[extension] # ours
endpoint = "https://otlp.example.com" # a comment
"api_key" = 'a#key"'
flush = "end"
buffer_bytes = 4_000_000
metrics = false
scrub_keys = ["session", 'pin', 7 ,]
scrub_allow = []
odd = "tab\tquote\" backslash\\"
[other]
endpoint = "not ours"
"##,
            expect![[r#"
                api_key = a#key"
                buffer_bytes = 4000000
                endpoint = https://otlp.example.com
                flush = end
                metrics = off
                odd = tab	quote" backslash\
                scrub_allow = 
                scrub_keys = session,pin,7
            "#]],
        );
        check("[functions.checkout]\nendpoint = 'x'", expect!["no table"]);
        check("[extension]", expect![""]);
    }

    #[test]
    fn what_is_wrong_with_a_line_costs_that_line() {
        check(
            "[extension]\nendpoint\nflush = end\na = \"x\nb = 'x\nc = [1 # x\nd = {x = 1}\ne =\nf = \"x\" y\ng = [1 2]\nh = \"\"\"x\ni = \"\\q\"\nj = 1",
            expect![[r#"
                j = 1
                ! /var/task/throughline.toml line 2 is skipped: it is not `key = value`
                ! /var/task/throughline.toml line 3 is skipped: a text needs quotes
                ! /var/task/throughline.toml line 4 is skipped: a text has no end
                ! /var/task/throughline.toml line 5 is skipped: a text has no end
                ! /var/task/throughline.toml line 6 is skipped: a list ends on its line
                ! /var/task/throughline.toml line 7 is skipped: a table is no value here
                ! /var/task/throughline.toml line 8 is skipped: it has no value
                ! /var/task/throughline.toml line 9 is skipped: something follows the value
                ! /var/task/throughline.toml line 10 is skipped: a text needs quotes
                ! /var/task/throughline.toml line 11 is skipped: a text has one line
                ! /var/task/throughline.toml line 12 is skipped: it has an escape that is not known here
            "#]],
        );
    }

    #[test]
    fn a_file_that_was_cut_anywhere_is_survived() {
        let text = "[extension]\na = [\"x\", 'y', 1] # end\nb = \"\\n\"\n";
        for end in 0..text.len() {
            let _ = ConfigFile::parse("f", &text[..end]);
        }
    }
}
