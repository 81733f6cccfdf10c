//! `throughline store check`.

use std::process::ExitCode;

use throughline_store::{CheckReport, Finding};

use super::unopened;
use crate::cli::{Check, CheckForm};
use crate::output;
use crate::progress::{Line, bytes};

/// Checks and prints. Failure if something is wrong.
pub(super) fn run(arguments: &Check) -> anyhow::Result<ExitCode> {
    let mut line = Line::new();
    let checked = throughline_store::check(&arguments.directory, &mut |progress| {
        line.show(|| {
            let (done, all) = (bytes(progress.done_bytes), bytes(progress.bytes));
            format!("{done} of {all} checked")
        });
    });
    drop(line);
    let report = checked.map_err(|error| unopened(error, &arguments.directory))?;
    output::print(match arguments.format {
        CheckForm::Table => table(&report),
        CheckForm::Json => format!("{}\n", serde_json::to_string(&report)?),
    })?;
    Ok(match report.faults.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn table(report: &CheckReport) -> String {
    let mut text = format!(
        "{:<8}  {:>7}  {:>10}  {:>13}\n",
        "", "FILES", "SIZE", "ROWS"
    );
    for area in &report.areas {
        let rows = match area.name {
            "catalog" => String::new(),
            "wal" => output::counted(area.rows, "body", "bodies"),
            _ => area.rows.to_string(),
        };
        let (name, files, size) = (area.name, area.files, bytes(area.bytes));
        text += format!("{name:<8}  {files:>7}  {size:>10}  {rows:>13}").trim_end();
        text.push('\n');
    }
    text += &findings("wrong", &report.faults);
    text += &findings("to know", &report.notes);
    text.push('\n');
    text += &match report.faults.len() as u64 {
        0 => "everything is as it was written\n".to_owned(),
        faults => format!(
            "{} wrong\n",
            output::counted(faults, "thing is", "things are")
        ),
    };
    text
}

fn findings(title: &str, findings: &[Finding]) -> String {
    let mut text = String::new();
    if !findings.is_empty() {
        text += &format!("\n{title}:\n");
    }
    for Finding { path, what } in findings {
        text += &format!("  {}: {what}\n", path.display());
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use throughline_store::Area;

    use super::*;

    #[test]
    fn what_was_found_as_a_table() {
        let area = |name, files, bytes, rows| Area {
            name,
            files,
            bytes,
            rows,
        };
        let finding = |path: &str, what: &str| Finding {
            path: path.into(),
            what: what.to_owned(),
        };
        let mut report = CheckReport {
            areas: vec![
                area("catalog", 2, 90_112, 0),
                area("traces", 24, 3_512_000_000, 100_000_000),
                area("wal", 1, 20, 1),
            ],
            ..CheckReport::default()
        };
        expect![[r#"
                        FILES        SIZE           ROWS
            catalog         2     90.1 kB
            traces         24      3.5 GB      100000000
            wal             1        20 B         1 body

            everything is as it was written
        "#]]
        .assert_eq(&table(&report));
        report.faults = vec![finding("segments/a.index", "is damaged: checksum mismatch")];
        report.notes = vec![finding("notes.txt", "is not known here")];
        expect![[r#"
                        FILES        SIZE           ROWS
            catalog         2     90.1 kB
            traces         24      3.5 GB      100000000
            wal             1        20 B         1 body

            wrong:
              segments/a.index: is damaged: checksum mismatch

            to know:
              notes.txt: is not known here

            1 thing is wrong
        "#]]
        .assert_eq(&table(&report));
    }
}
