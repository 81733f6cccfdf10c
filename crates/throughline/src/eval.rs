//! `throughline eval`: how good the analysis is on incidents whose causes are known.
//!
//! The causes that are named there are read to count hits only.

mod direct;
mod petshop;
mod score;
mod served;
mod spans;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use serde_json::json;

use crate::cli::{Eval, EvalCommand, EvalPetshop};
use crate::logging::{self, LogFormat};
use crate::output;
use crate::progress::Line;
use crate::signals::Signals;
use petshop::Scenario;
use score::Scores;

/// Measures, and prints the scores.
pub(crate) fn run(arguments: &Eval) -> anyhow::Result<ExitCode> {
    let EvalCommand::Petshop(EvalPetshop {
        directory,
        direct,
        json,
    }) = &arguments.command;
    let scenarios = Scenario::all(directory)?;
    ensure!(
        !scenarios.is_empty(),
        "no scenario in {}: each is a folder with graph.csv and noissue/metrics.csv",
        directory.display()
    );
    let scores = match direct {
        true => scenarios.iter().map(direct::of).collect(),
        false => {
            logging::start(LogFormat::Text, "warn");
            through_servers(&scenarios)?
        }
    };
    let text = match json {
        true => json!(scores.iter().map(Scores::to_json).collect::<Vec<_>>()).to_string() + "\n",
        false => table(directory, &scores),
    };
    output::print(text)?;
    Ok(ExitCode::SUCCESS)
}

/// One after the other, in a folder that goes away.
fn through_servers(scenarios: &[Scenario]) -> anyhow::Result<Vec<Scores>> {
    let folder = tempfile::tempdir().context("cannot make a folder for what is replayed")?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    let scores = runtime.block_on(async {
        let signals = Signals::listen()?;
        let mut line = Line::new();
        let all = async {
            let mut scores = Vec::new();
            for scenario in scenarios {
                scores.push(served::of(scenario, folder.path(), &mut line).await?);
            }
            anyhow::Ok(scores)
        };
        tokio::select! {
            scores = all => scores,
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
