//! `throughline eval`: how good the analysis is on incidents whose causes are known.
//!
//! The causes that are named there are read to count hits only.

mod direct;
mod petshop;
mod recorded;
mod running;
mod score;
mod served;
mod spans;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use serde_json::json;

use crate::cli::{Eval, EvalCommand, EvalPetshop, EvalRecorded};
use crate::logging::{self, LogFormat};
use crate::output;
use crate::progress::Line;
use crate::signals::Signals;
use petshop::Scenario;
use recorded::{LEARN_DAYS, Plan, Recording};
use score::Scores;

/// Measures, and prints the scores.
pub(crate) fn run(arguments: &Eval) -> anyhow::Result<ExitCode> {
    let text = match &arguments.command {
        EvalCommand::Petshop(told) => of_petshop(told)?,
        EvalCommand::Recorded(told) => of_recorded(told)?,
    };
    output::print(text)?;
    Ok(ExitCode::SUCCESS)
}

fn of_petshop(told: &EvalPetshop) -> anyhow::Result<String> {
    let directory = &told.directory;
    let scenarios = Scenario::all(directory)?;
    ensure!(
        !scenarios.is_empty(),
        "no scenario in {}: each is a folder with graph.csv and noissue/metrics.csv",
        directory.display()
    );
    let scores = match told.direct {
        true => scenarios.iter().map(direct::of).collect(),
        false => {
            logging::start(LogFormat::Text, "warn");
            of_served(&scenarios)?
        }
    };
    Ok(match told.json {
        true => json!(scores.iter().map(Scores::to_json).collect::<Vec<_>>()).to_string() + "\n",
        false => table(directory, &scores),
    })
}

fn of_served(scenarios: &[Scenario]) -> anyhow::Result<Vec<Scores>> {
    through_servers(async |folder, line| {
        let mut scores = Vec::new();
        for scenario in scenarios {
            scores.push(served::of(scenario, folder, line).await?);
        }
        Ok(scores)
    })
}

fn of_recorded(told: &EvalRecorded) -> anyhow::Result<String> {
    let recording = Recording::load(&told.directory)?;
    let plan = Plan {
        seeds: told.seeds,
        learn: LEARN_DAYS,
        days: told.days,
    };
    logging::start(LogFormat::Text, "warn");
    let scores = through_servers(async |folder, line| recording.play(plan, folder, line).await)?;
    Ok(match told.json {
        true => scores.to_json().to_string() + "\n",
        false => scores.table(),
    })
}

/// Servers run in a folder that goes away.
fn through_servers<T>(
    play: impl AsyncFnOnce(&Path, &mut Line) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let folder = tempfile::tempdir().context("cannot make a folder for what is replayed")?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    let scores = runtime.block_on(async {
        let signals = Signals::listen()?;
        let mut line = Line::new();
        tokio::select! {
            scores = play(folder.path(), &mut line) => scores,
            () = signals.first() => bail!("stopped before it was done"),
        }
    });
    // Nothing writes into the folder any more when it is deleted.
    drop(runtime);
    let folder = folder.close();
    let scores = scores?;
    folder.context("cannot delete what was replayed")?;
    Ok(scores)
}

fn table(dir: &Path, scores: &[Scores]) -> String {
    let spans: u64 = scores.iter().map(|scores| scores.spans).sum();
    let way = match spans {
        0 => "the numbers went straight into the analysis".to_owned(),
        spans => format!("{spans} spans went to a server, which was asked"),
    };
    let mut text = format!(
        "{}: {way}; thresholds are fixed, labels are read to count only\n\n{:<16}{:<14}{:>10}{:>10}{:>10}{:>13}\n",
        dir.display(),
        "scenario",
        "symptom",
        "incidents",
        "recall@1",
        "recall@3",
        "specificity"
    );
    for scores in scores {
        for row in &scores.rows {
            text += &format!(
                "{:<16}{:<14}{:>10}{:>10.2}{:>10.2}{:>13.2}\n",
                scores.scenario,
                score::name(row.symptom),
                row.incidents,
                row.recall_at_1(),
                row.recall_at_3(),
                row.specificity()
            );
        }
    }
    for scores in scores {
        text += &format!(
            "\n{}: something unusual is seen in {} of {} incidents, in {} of them where it is asked about or comes from, \
             and in {:.1} quiet windows of 25 minutes a day; an investigation takes {:.1} ms, the longest {:.1} ms\n",
            scores.scenario,
            scores.seen,
            scores.incidents(),
            scores.seen_there,
            scores.false_windows_a_day,
            scores.investigation_ms(),
            scores.slowest_ms()
        );
        for missed in &scores.missed {
            text += &format!("  {missed}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests;
