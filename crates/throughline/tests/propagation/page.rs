//! `docs/propagation.md`: what was seen, and what the page said before.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use crate::calls::{CALLED, CALLERS, Calls};
use crate::media::{ELSEWHERE, LANGUAGES, MEDIA};
use crate::verdict::Verdict;

/// Medium, producer, consumer.
pub(crate) type Cells = BTreeMap<(&'static str, &'static str, &'static str), Verdict>;

/// What is wrong with the page; it is written anew if that is asked for.
pub(crate) fn check(seen: &Cells, calls: &Calls) -> Vec<String> {
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
    let lost = calls.iter().filter(|(_, is_followed)| !**is_followed);
    problems.extend(
        lost.map(|((name, from), _)| format!("no call of {name} from {from} in its trace")),
    );
    // What cannot run on this machine is what it was.
    let mut cells = known;
    cells.extend(seen);
    let mut all_calls = read_calls(&before);
    all_calls.extend(calls);
    let page = render(&cells, &all_calls);
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

fn render(cells: &Cells, calls: &Calls) -> String {
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
    for medium in ELSEWHERE {
        let cells = "not run here | ".repeat(pairs().count());
        let _ = writeln!(page, "| {} | {}", medium.title, cells.trim_end());
    }
    page += "\nWhat is not run here, and why:\n\n";
    for medium in ELSEWHERE {
        let _ = writeln!(page, "- **{}**: {}", medium.title, medium.why);
    }
    page += READ_ALL_THE_SAME;
    page += CALLS;
    for called in CALLED {
        let words = CALLERS.map(|from| match calls.get(&(called.name, from)) {
            Some(true) => FOLLOWED,
            Some(false) => "**lost**",
            None => "not run here",
        });
        let _ = writeln!(
            page,
            "| {} | {} | not run here |",
            called.title,
            words.join(" | ")
        );
    }
    page + AFTER
}

fn read_calls(page: &str) -> Calls {
    let mut calls = Calls::new();
    for called in CALLED {
        let head = format!("| {} | ", called.title);
        let row = page.lines().find_map(|line| line.strip_prefix(&head));
        for (from, cell) in CALLERS.into_iter().zip(row.unwrap_or_default().split('|')) {
            if cell.trim() == FOLLOWED {
                calls.insert((called.name, from), true);
            }
        }
    }
    calls
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

This page is written by a test: `UPDATE_EXPECT=1 cargo test -p throughline --test propagation` runs real functions with the SDKs that AWS makes for each language (SDK for JavaScript 3, boto3, SDK for Rust), the layers for Node and Python and our SDK for Rust, in the sandbox beside the extension, against moto's server, Kafka's own broker and RabbitMQ. Then it asks the server for the [story](stitching.md) of what was sent, and looks where in it the function is that got it. The same test fails when a cell has become worse or when the page is not what was seen. What is not installed on a machine is not run there, and its cells stay.

- **carried**: the function that gets hangs below the very call of the one that sends, or below the queue, topic, bus or bucket that the call went to, because a header came through.
- **matched**: the same, because both ends name the same exact key, such as the number of a record in a stream.
- **inferred**: the same, because both ends name the same probable key, such as what was written to a table, or the digest of a message that has a new id.
- **one trace, no parent**: both are in one story, but which call led to which invocation is not known.
- **lost**: nothing says that the two belong together.

";

const READ_ALL_THE_SAME: &str = "
What a function gets of them is read all the same: [layers/events](../layers/events/README.md) has an event of each that calls functions, and the layers for Node and Python and the SDK for Rust are held to the same answers.
";

const FOLLOWED: &str = "in its trace";

const CALLS: &str = "
Calls of databases lead to no other function. That they are in the trace, right below the function that makes them, is seen with the drivers pg, mysql2, mongodb and redis in Node, and psycopg, PyMySQL, PyMongo and redis in Python:

| | Node | Python | Rust |
|---|---|---|---|
";

const AFTER: &str = "
Of Rust's drivers the SDK follows none: what they tell by `tracing` is in the trace, and `in_span` makes spans of the rest. MongoDB itself is in no registry; what speaks its protocol here keeps all in memory. The layers' own tests have more of these calls, and comments in queries.

In Rust the calls of AWS's SDK are followed by `throughline::aws_client`. For HTTP, Kafka and AMQP the function does what [its page](rust.md) says: it makes a span of the call with `in_span`, and sets `traceparent`; the offset that Kafka gives a record is not among its keys.

What is put back from a dead-letter queue was received twice by a function that failed, was moved by SQS, and came back by `StartMessageMoveTask` under a new id and without its header: the failed attempts are in the same story. What is replayed was delivered once before, from a bus with an archive, and came back by `StartReplay`, under a new id and without its header: the first delivery is in the same story.

A second test (`make crowd`) has a thousand user actions at once, from functions in Node and Python, by a queue whose batches mix them and by a topic. Each is an asynchronous call, and all thousand have been taken before the first of them is over, which the test looks at; at most sixteen environments work on them at a time (13 were seen at work at once, on two cores with much else to do): each trace has the lines of its own action alone, each batch is linked to the traces of its messages alone, and no two actions have a key in common. Passwords in events, messages and log lines and keys in variables and headers are looked for in all files of the store and in all that the server answers, and must not be there. The records of Kinesis, Kafka and RabbitMQ are base64 in an event: what scrubs looks into them, this test does not.
";
