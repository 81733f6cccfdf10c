//! `throughline store sizes`.

use std::process::ExitCode;

use throughline_store::SignalSizes;

use super::unopened;
use crate::cli::{CheckForm, Sizes};
use crate::output;
use crate::progress::bytes;

/// Weighs and prints.
pub(super) fn run(arguments: &Sizes) -> anyhow::Result<ExitCode> {
    let weighed = throughline_store::sizes(&arguments.directory);
    let weighed = weighed.map_err(|error| unopened(error, &arguments.directory))?;
    output::print(match arguments.format {
        CheckForm::Table => table(&weighed),
        CheckForm::Json => format!("{}\n", serde_json::to_string(&weighed)?),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn table(weighed: &[SignalSizes]) -> String {
    if weighed.is_empty() {
        return "no segments yet: what was taken in is still in the WAL\n".to_owned();
    }
    let signals: Vec<_> = weighed.iter().map(one).collect();
    signals.join("\n")
}

fn one(sizes: &SignalSizes) -> String {
    let a_row = |bytes: u64| bytes as f64 / sizes.rows.max(1) as f64;
    let mut text = format!(
        "{}: {} in {}, {}, {:.1} B a row\n",
        sizes.signal,
        output::counted(sizes.rows, "row", "rows"),
        output::counted(sizes.segments, "segment", "segments"),
        bytes(sizes.bytes),
        a_row(sizes.bytes),
    );
    for part in &sizes.parts {
        let share = part.bytes as f64 * 100.0 / sizes.bytes.max(1) as f64;
        text += &format!(
            "  {:>10}  {share:>5.1} %  {:>7.2} B a row  {}\n",
            bytes(part.bytes),
            a_row(part.bytes),
            part.name
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use throughline_store::PartSize;

    use super::*;

    #[test]
    fn sizes_as_a_table() {
        let part = |name: &str, bytes| PartSize {
            name: name.to_owned(),
            bytes,
        };
        let sizes = SignalSizes {
            signal: "traces",
            rows: 1_000,
            segments: 1,
            bytes: 70_000,
            parts: vec![part("column span_id", 8_010), part("rollup", 900)],
        };
        expect![[r#"
            traces: 1000 rows in 1 segment, 70.0 kB, 70.0 B a row
                  8.0 kB   11.4 %     8.01 B a row  column span_id
                   900 B    1.3 %     0.90 B a row  rollup
        "#]]
        .assert_eq(&table(&[sizes]));
    }
}
