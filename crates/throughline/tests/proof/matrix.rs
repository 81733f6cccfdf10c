//! Every condition of the server with every trouble.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::backend::{BACKENDS, Backend};
use crate::cell::play;
use crate::run::{Report, Seen};
use crate::stage::{Stage, With};
use crate::trouble::Trouble;

/// Everything that is wrong.
pub(crate) async fn run(stage: &Arc<Stage>) -> Vec<String> {
    let alone = alone(stage).await;
    let alone = match alone {
        Ok(alone) => Arc::new(alone),
        Err(why) => return vec![format!("without an extension: {why}")],
    };
    let chosen = std::env::var("PROOF_CELL").unwrap_or_default();
    let cells = BACKENDS.iter().flat_map(|backend| {
        let troubles = Trouble::ALL.iter();
        troubles.map(|trouble| (*backend, *trouble))
    });
    let cells = cells.filter(|cell| name(*cell).contains(&chosen));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for cell in cells {
        let (stage, places, alone) = (stage.clone(), places.clone(), alone.clone());
        running.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let (backend, trouble) = cell;
            let played = play(&stage, backend, trouble, With::Extension).await;
            (cell, judge(cell, played, &alone, is_chosen()))
        });
    }
    let mut problems = Vec::new();
    let mut count = 0;
    while let Some(done) = running.join_next().await {
        count += 1;
        match done {
            Ok((cell, found)) => {
                problems.extend(found.iter().map(|why| format!("{}: {why}", name(cell))));
            }
            Err(panic) => problems.push(panic.to_string()),
        }
    }
    println!("{count} cells");
    problems.sort();
    problems
}

/// Somebody looks at single cells, and wants to see more of them.
fn is_chosen() -> bool {
    std::env::var_os("PROOF_CELL").is_some()
}

fn name((backend, trouble): (Backend, Trouble)) -> String {
    format!("{} / {}", backend.name, trouble.name())
}

/// How the function fares without an extension, in every trouble.
async fn alone(stage: &Arc<Stage>) -> Result<BTreeMap<&'static str, Vec<Seen>>, String> {
    let up = BACKENDS[0];
    let mut alone = BTreeMap::new();
    for trouble in Trouble::ALL {
        if trouble.is_of_extension() {
            continue;
        }
        let report = play(stage, up, *trouble, With::Nothing).await?;
        alone.insert(trouble.name(), report.seen);
    }
    Ok(alone)
}

fn judge(
    cell: (Backend, Trouble),
    played: Result<Report, String>,
    alone: &BTreeMap<&'static str, Vec<Seen>>,
    aloud: bool,
) -> Vec<String> {
    let report = match played {
        Ok(report) => report,
        Err(why) => return vec![why],
    };
    let mut problems = report.problems;
    let (backend, trouble) = cell;
    // Without the extension the function meets the same end, but for the ends that the extension meets itself.
    if let Some(alone) = alone.get(trouble.name()) {
        for (number, (with, without)) in report.seen.iter().zip(alone).enumerate() {
            let number = number + 1;
            if !with.is_like(without) {
                problems.push(format!("call {number} is {with:?} and alone {without:?}"));
            }
            if with.took > without.took + SLOWER_MAX {
                let (with, without) = (with.took, without.took);
                problems.push(format!(
                    "call {number} takes {with:?} and alone {without:?}"
                ));
            }
        }
    }
    let dropped = report.account.dropped();
    if backend.takes() && trouble == Trouble::None && !dropped.is_empty() {
        problems.push(format!("something is dropped: {dropped:?}"));
    }
    if aloud || !problems.is_empty() {
        let times: Vec<_> = report.seen.iter().map(|seen| seen.took).collect();
        println!("{}: {}, {times:?}", name(cell), report.account);
        report
            .lines
            .iter()
            .for_each(|line| println!("    {line:.160}"));
    }
    problems
}

/// Most of them wait for something most of the time.
const AT_ONCE: usize = 8;
/// Whoever waited for a server that does not answer would wait longer. The test of the times is
/// another one, with nothing beside it.
const SLOWER_MAX: Duration = Duration::from_secs(4);
