//! How good the analysis is on incidents whose causes are known: the PetShop data set, or another of its layout.
//!
//! `cargo run -p throughline-insight --example eval_petshop -- DIR [--json]`. The causes that are named there are read to
//! count hits only.

mod petshop;
mod score;

use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::json;

use petshop::Scenario;
use score::Scores;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments
        .next()
        .context("usage: eval_petshop DIR [--json]")?;
    let dir = Path::new(&dir);
    let scenarios = Scenario::all(dir)?;
    ensure!(
        !scenarios.is_empty(),
        "no scenario in {}: each is a folder with graph.csv and noissue/metrics.csv",
        dir.display()
    );
    let scores: Vec<Scores> = scenarios.iter().map(score::of).collect();
    match arguments.next().as_deref() {
        Some("--json") => println!(
            "{:#}",
            json!(scores.iter().map(Scores::to_json).collect::<Vec<_>>())
        ),
        _ => print!("{}", table(dir, &scores)),
    }
    Ok(())
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
