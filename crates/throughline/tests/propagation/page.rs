//! `docs/propagation.md`: what was seen, and what the page said before.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use crate::media::{LANGUAGES, MEDIA};
use crate::verdict::Verdict;

/// Medium, producer, consumer.
pub(crate) type Cells = BTreeMap<(&'static str, &'static str, &'static str), Verdict>;

/// What is wrong with the page; it is written anew if that is asked for.
pub(crate) fn check(seen: &Cells) -> Vec<String> {
    let path = path();
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let known = read(&before);
    let mut problems: Vec<_> = seen
        .iter()
        .filter_map(|(key, now)| {
            let (medium, from, to) = key;
            let was = known.get(key)?;
            let worse = now < was;
            worse.then(|| format!("{medium}, {from} to {to}: {now}, and was {was}"))
        })
        .collect();
    // What cannot run on this machine is what it was.
    let mut cells = known;
    cells.extend(seen);
    let page = render(&cells);
    if page == before {
        return problems;
    }
    match std::env::var_os("UPDATE_EXPECT") {
        Some(_) => std::fs::write(&path, page).unwrap(),
        None => problems.push(format!(
            "docs/propagation.md is not what was seen: UPDATE_EXPECT=1 cargo test -p throughline --test propagation\n{page}"
        )),
    }
    problems
}

fn render(cells: &Cells) -> String {
    let mut page = BEFORE.to_owned();
    let pairs = || {
        LANGUAGES
            .into_iter()
            .flat_map(|from| LANGUAGES.map(|to| (from, to)))
    };
    let titles: Vec<_> = pairs()
        .map(|(from, to)| format!("{} to {}", title(from), title(to)))
        .collect();
    let _ = writeln!(page, "| | {} |", titles.join(" | "));
    let _ = writeln!(page, "|---|{}", "---|".repeat(titles.len()));
    for medium in MEDIA {
        let words = pairs().map(|(from, to)| {
            let cell = cells.get(&(medium.name, from, to));
            cell.map_or("not run here".to_owned(), ToString::to_string)
        });
        let words: Vec<_> = words.collect();
        let _ = writeln!(page, "| {} | {} |", medium.title, words.join(" | "));
    }
    page + AFTER
}

fn read(page: &str) -> Cells {
    let mut cells = Cells::new();
    for medium in MEDIA {
        let head = format!("| {} | ", medium.title);
        let Some(row) = page.lines().find_map(|line| line.strip_prefix(&head)) else {
            continue;
        };
        let pairs = LANGUAGES
            .into_iter()
            .flat_map(|from| LANGUAGES.map(|to| (from, to)));
        for ((from, to), cell) in pairs.zip(row.split('|')) {
            if let Some(verdict) = Verdict::read(cell) {
                cells.insert((medium.name, from, to), verdict);
            }
        }
    }
    cells
}

fn title(language: &str) -> &str {
    match language {
        "node" => "Node",
        "python" => "Python",
        _ => "Rust",
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/propagation.md")
}

const BEFORE: &str = "# How a trace gets from function to function

This page is written by a test: `UPDATE_EXPECT=1 cargo test -p throughline --test propagation` runs real functions with the SDKs that AWS makes for each language (SDK for JavaScript 3, boto3, SDK for Rust) in the sandbox, with their layers, the extension and a server, against moto's server and Kafka's own broker, and looks at what the server has of them. The same test fails when a cell has become worse or when the page is not what was seen. What is not installed on a machine is not run there, and its cells stay.

- **carried**: the function that gets hangs below the very call of the one that sends, in one trace.
- **matched**: there is no way for a header; both ends name the same exact key, such as the number of a record in a stream.
- **inferred**: both ends name the same probable key, such as what was written to a table.
- **one trace, no parent**: both are in one trace, but which call led to which invocation is not known.
- **lost**: nothing says that the two belong together.

";

const AFTER: &str = "
Rust functions have no SDK of ours here, only the extension: AWS's SDK hands the trace on by itself, and what comes in a queue or a stream only the function sees.
";
