//! `throughline store export`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use throughline_store::{ExportFilter, Exported, Options, Store};
use throughline_telemetry::Signal;

use super::unopened;
use crate::cli::{Export, ExportSignal};
use crate::output;
use crate::progress::{Line, bytes};

/// Writes the file and prints what is in it.
pub(super) fn run(arguments: &Export) -> anyhow::Result<ExitCode> {
    if !arguments.directory.join("THROUGHLINE").exists() {
        bail!(
            "{} is not a data folder of ours",
            arguments.directory.display()
        );
    }
    let shown = arguments.out.display();
    let file = File::create_new(&arguments.out).with_context(|| format!("cannot make {shown}"))?;
    let written = write(arguments, file);
    if written.is_err() {
        // What is in it is no Parquet file.
        let _ = fs::remove_file(&arguments.out);
    }
    let exported = written?;
    let size = fs::metadata(&arguments.out).map_or(0, |metadata| metadata.len());
    let rows = output::counted(exported.rows, "row", "rows");
    output::print(format!("{rows} in {shown}, {}\n", bytes(size)))?;
    Ok(ExitCode::SUCCESS)
}

fn write(arguments: &Export, file: File) -> anyhow::Result<Exported> {
    let mut options = Options::new(&arguments.directory);
    options.compacts = false;
    let opened = Store::open(options);
    let (store, recovery) = opened.map_err(|error| unopened(error, &arguments.directory))?;
    for note in recovery.damaged.iter().chain(&recovery.notes) {
        eprintln!("throughline: {note}");
    }
    let filter = ExportFilter {
        signal: match arguments.signal {
            ExportSignal::Traces => Signal::Traces,
            ExportSignal::Logs => Signal::Logs,
            ExportSignal::Metrics => Signal::Metrics,
        },
        from: arguments.from,
        to: arguments.to,
        service: arguments.service.clone(),
    };
    let mut line = Line::new();
    let mut into = BufWriter::new(&file);
    let exported = store.scan().export(&filter, &mut into, &mut |done| {
        line.show(|| format!("{} of {} rows read", done.read_rows, done.all_rows));
    })?;
    drop(line);
    into.flush().context("cannot write the file")?;
    file.sync_all().context("cannot write the file")?;
    Ok(exported)
}
