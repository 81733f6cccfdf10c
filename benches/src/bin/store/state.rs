//! What a run has done so far, so that it can be gone on with.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};
use throughline_bench::corpus::Options;
use throughline_bench::load::{DAY, recent};
use throughline_telemetry::UnixNanos;

/// In `state.json` of the folder of a run.
pub(crate) struct State {
    file: PathBuf,
    /// Which corpus.
    pub(crate) options: Options,
    /// Spans and log records that were acknowledged.
    pub(crate) spans: u64,
    pub(crate) logs: u64,
    /// Rows that may be stored twice, because a run was broken off while it sent them.
    pub(crate) repeated_rows: u64,
    /// What is being sent right now.
    sending: u64,
    /// Seconds that the spans took at full speed, and how many they were.
    pub(crate) poured: (f64, u64),
    pub(crate) rates: Option<Vec<Value>>,
    pub(crate) stages: Vec<(u64, Vec<Value>)>,
}

impl State {
    /// Goes on with the run in this folder if it is to have as many rows, else begins one.
    pub(crate) fn open(work: &Path, rows: u64) -> anyhow::Result<Self> {
        let file = work.join("state.json");
        let kept = std::fs::read(&file).ok();
        let kept: Option<Value> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(kept) = kept.filter(|kept| kept["rows"] == rows) {
            let state = Self::read(file, &kept).context("state.json is not ours")?;
            eprintln!(
                "going on: {} spans and {} log records are stored",
                state.spans, state.logs
            );
            return Ok(state);
        }
        std::fs::remove_dir_all(work)?;
        std::fs::create_dir_all(work)?;
        Ok(State {
            file,
            options: recent(rows, DAY),
            spans: 0,
            logs: 0,
            repeated_rows: 0,
            sending: 0,
            poured: (0.0, 0),
            rates: None,
            stages: Vec::new(),
        })
    }

    /// Says what is about to be sent, and writes everything down.
    pub(crate) fn sending(&mut self, rows: u64) -> anyhow::Result<()> {
        self.sending = rows;
        self.save()
    }

    /// Whether this size was measured.
    pub(crate) fn measured(&self, rows: u64) -> bool {
        self.stages.iter().any(|(measured, _)| *measured == rows)
    }

    /// Writes it down.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let stages = self.stages.iter();
        let state = json!({
            "rows": self.options.rows,
            "start": self.options.start.0,
            "spans": self.spans,
            "logs": self.logs,
            "repeated_rows": self.repeated_rows,
            "sending": self.sending,
            "poured": [self.poured.0, self.poured.1],
            "rates": self.rates,
            "stages": stages.map(|(rows, figures)| json!([rows, figures])).collect::<Vec<_>>(),
        });
        let part = self.file.with_extension("part");
        std::fs::write(&part, state.to_string())?;
        Ok(std::fs::rename(part, &self.file)?)
    }

    fn read(file: PathBuf, kept: &Value) -> Option<Self> {
        let list = |value: &Value| value.as_array().cloned();
        let stage = |stage: &Value| Some((stage[0].as_u64()?, list(&stage[1])?));
        Some(State {
            file,
            options: Options {
                start: UnixNanos(kept["start"].as_u64()?),
                ..Options::of(kept["rows"].as_u64()?)
            },
            spans: kept["spans"].as_u64()?,
            logs: kept["logs"].as_u64()?,
            repeated_rows: kept["repeated_rows"].as_u64()? + kept["sending"].as_u64()?,
            sending: 0,
            poured: (kept["poured"][0].as_f64()?, kept["poured"][1].as_u64()?),
            rates: list(&kept["rates"]),
            stages: list(&kept["stages"])?
                .iter()
                .map(stage)
                .collect::<Option<_>>()?,
        })
    }
}
