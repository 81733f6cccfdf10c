//! What the table says, and the tests that hold it to that.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What the sandbox does about something that Lambda does.
#[derive(Clone, Copy)]
pub(crate) enum Here {
    /// The same, which these tests show.
    Same(&'static [&'static str]),
    /// This instead, which these tests show.
    Differs(&'static str, &'static [&'static str]),
    /// Nothing, for this reason.
    Not(&'static str),
}

/// One thing that Lambda does.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) lambda: &'static str,
    pub(crate) here: Here,
}

/// A part of the platform.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) rows: &'static [Row],
}

pub(crate) const fn row(what: &'static str, lambda: &'static str, here: Here) -> Row {
    Row { what, lambda, here }
}

fn render(sections: &[Section]) -> String {
    let mut text = HEAD.to_owned();
    for section in sections {
        write!(text, "\n## {}\n\n", section.title).unwrap();
        text.push_str("| | Lambda | this sandbox | test |\n|---|---|---|---|\n");
        for Row { what, lambda, here } in section.rows {
            let (said, tests) = match here {
                Here::Same(tests) => ("the same", *tests),
                Here::Differs(how, tests) => (*how, *tests),
                Here::Not(why) => (*why, &[][..]),
            };
            let mark = match here {
                Here::Same(_) => "",
                Here::Differs(..) => "**differs:** ",
                Here::Not(_) => "**not done:** ",
            };
            let tests = tests.iter().map(|test| format!("`{}`", in_full(test)));
            let tests: Vec<_> = tests.collect();
            writeln!(
                text,
                "| {what} | {lambda} | {mark}{said} | {} |",
                tests.join("<br>")
            )
            .unwrap();
        }
    }
    let rows = || sections.iter().flat_map(|section| section.rows);
    let count = |wanted: fn(&Here) -> bool| rows().filter(|row| wanted(&row.here)).count();
    text.replace("{rows}", &rows().count().to_string())
        .replace(
            "{same}",
            &count(|here| matches!(here, Here::Same(_))).to_string(),
        )
        .replace(
            "{differs}",
            &count(|here| matches!(here, Here::Differs(..))).to_string(),
        )
        .replace(
            "{not}",
            &count(|here| matches!(here, Here::Not(_))).to_string(),
        )
}

#[test]
fn page_is_what_the_table_says() {
    expect_test::expect_file!["../../../../docs/conformance.md"]
        .assert_eq(&render(crate::rows::SECTIONS));
}

#[test]
fn every_row_has_a_test_that_runs() {
    let mut wrong = Vec::new();
    for section in crate::rows::SECTIONS {
        for Row { what, here, .. } in section.rows {
            let (Here::Same(tests) | Here::Differs(_, tests)) = here else {
                continue;
            };
            if tests.is_empty() {
                wrong.push(format!("{}: {what}: nothing shows it", section.title));
            }
            for test in *tests {
                if let Err(why) = find(test) {
                    wrong.push(format!("{}: {what}: {test}: {why}", section.title));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn test_that_does_not_exist_is_found_out() {
    for (test, expected) in [
        ("conformance::table::page_is_what_the_table_says", Ok(())),
        ("conformance::table::find", Err("is no test that runs")),
        (
            "conformance::table::nobody_wrote_this",
            Err("is no test that runs"),
        ),
        ("conformance::nowhere::test", Err("its file does not exist")),
        (
            "lib::lifecycle::tests::order::init_invoke_and_freeze_come_in_lambdas_order",
            Ok(()),
        ),
        ("lib::time::tests::times_print_as_iso_8601", Ok(())),
    ] {
        assert_eq!(find(test), expected, "{test}");
    }
}

/// The tests of this target may leave its name out.
fn in_full(test: &str) -> String {
    let target = test.split("::").next().unwrap_or_default();
    match target {
        "lib" | "story" | "conformance" | "clients" | "lifecycles" => test.to_owned(),
        _ => format!("conformance::{test}"),
    }
}

/// Whether `target::module::test` is a test of this crate: in a file that belongs to its target, with the attribute of
/// a test and not ignored.
fn find(test: &str) -> Result<(), &'static str> {
    let test = in_full(test);
    let mut parts: Vec<&str> = test.split("::").collect();
    let (target, name) = (parts.remove(0), parts.pop().unwrap_or_default());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (folder, main) = match target {
        "lib" => (root.join("src"), root.join("src/lib.rs")),
        target => {
            let folder = root.join("tests").join(target);
            let main = folder.join("main.rs");
            (folder, main)
        }
    };
    let file = module_file(&folder, main, &parts)?;
    let text = std::fs::read_to_string(file).map_err(|_| "its file does not exist")?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = |line: &&str| {
        line.strip_prefix("async ")
            .unwrap_or(line)
            .starts_with(&format!("fn {name}("))
    };
    let at = lines
        .iter()
        .position(declared)
        .ok_or("is no test that runs")?;
    let attributes: Vec<_> = lines[..at]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("#["))
        .collect();
    let is_test = attributes
        .iter()
        .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
    let runs = !attributes
        .iter()
        .any(|line| line.contains("ignore") || line.contains("cfg"));
    (is_test && runs)
        .then_some(())
        .ok_or("is no test that runs")
}

/// The file of a module, if every file on the way to it says that the module is part of the program. The last module
/// may be inside the file of the one before it.
fn module_file(folder: &Path, main: PathBuf, modules: &[&str]) -> Result<PathBuf, &'static str> {
    let (mut folder, mut file) = (folder.to_owned(), main);
    for module in modules {
        let text = std::fs::read_to_string(&file).map_err(|_| "its file does not exist")?;
        let next = folder.join(format!("{module}.rs"));
        if !next.is_file() {
            let inside = text.contains(&format!("mod {module} {{"));
            return inside.then_some(file).ok_or("its file does not exist");
        }
        let says = |line: &str| {
            line.trim_end().ends_with(&format!("mod {module};")) && !line.starts_with("//")
        };
        if !text.lines().any(says) {
            return Err("its module is not part of the program");
        }
        folder.push(module);
        file = next;
    }
    Ok(file)
}

const HEAD: &str = "\
# What Lambda does, and what the sandbox does

This page is written by the tests: `UPDATE_EXPECT=1 cargo test -p throughline-sandbox --test conformance` renders it from \
the table in `crates/sandbox/tests/conformance/rows/`, and the same test fails when the page is not what the table \
says, or when a row names a test that does not exist or does not run. Most of the tests put puppets in place of the \
runtime and the extensions and make their calls on real sockets.

Of {rows} rows {same} are the same, {differs} differ and say how, {not} are not done and say why.

What Lambda does is taken from its documentation, from the parts of its supervisor that are public, and from what others \
have captured. Where these do not agree the row says what is chosen.
";
