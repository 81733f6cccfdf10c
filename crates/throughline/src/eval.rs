//! `throughline eval`: how good the analysis is on incidents whose causes are known.
//!
//! The causes that are named there are read to count hits only.

mod petshop;
mod score;

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use serde_json::json;

use crate::cli::{Eval, EvalCommand, EvalPetshop};
use crate::output;
use petshop::Scenario;
use score::Scores;

/// Measures, and prints the scores.
pub(crate) fn run(arguments: &Eval) -> anyhow::Result<ExitCode> {
    let EvalCommand::Petshop(EvalPetshop { directory, json }) = &arguments.command;
    let scenarios = Scenario::all(directory)?;
    ensure!(
        !scenarios.is_empty(),
        "no scenario in {}: each is a folder with graph.csv and noissue/metrics.csv",
        directory.display()
    );
    let scores: Vec<Scores> = scenarios.iter().map(score::of).collect();
    let text = match json {
        true => json!(scores.iter().map(Scores::to_json).collect::<Vec<_>>()).to_string() + "\n",
        false => table(directory, &scores),
    };
    output::print(text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(dir: &Path, scores: &[Scores]) -> String {
    let mut text = format!(
        "{}: thresholds are fixed, labels are read to count only\n\n{:<16}{:<14}{:>10}{:>10}{:>10}{:>13}\n",
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
            "\n{}: {} of {} incidents are seen by watching every component, with {:.1} false windows of 25 minutes a day; \
             an investigation takes {:.1} ms\n",
            scores.scenario,
            scores.seen,
            scores.incidents(),
            scores.false_windows_a_day,
            scores.investigation_ms
        );
        for missed in &scores.missed {
            text += &format!("  {missed}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests;
