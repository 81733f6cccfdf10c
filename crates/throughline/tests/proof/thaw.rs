//! A freeze at every step of a delivery, with the connection whole or gone when it thaws.

use std::collections::BTreeSet;
use std::sync::Arc;

use throughline_testkit::intake::{Answer, Step};
use tokio::task::JoinSet;

use crate::account::End;
use crate::function::Event;
use crate::run::Run;
use crate::stage::{PATIENCE, Stage, With};

/// What became of the connection while everything stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    Whole,
    Gone,
}

/// Everything that is wrong.
pub(crate) async fn run(stage: &Arc<Stage>) -> Vec<String> {
    let mut running = JoinSet::new();
    for step in [Step::Head, Step::Beginning, Step::Body, Step::Taken] {
        for connection in [Connection::Whole, Connection::Gone] {
            let stage = stage.clone();
            running.spawn(async move {
                let played = tokio::time::timeout(PATIENCE, play(&stage, step, connection)).await;
                let problems = match played {
                    Ok(Ok(problems)) => problems,
                    Ok(Err(why)) => vec![why],
                    Err(_) => vec!["it takes a minute".to_owned()],
                };
                let name = format!("frozen at {step:?}, connection {connection:?}");
                let named = problems.iter().map(|why| format!("{name}: {why}"));
                named.collect::<Vec<_>>()
            });
        }
    }
    running.join_all().await.concat()
}

async fn play(stage: &Stage, step: Step, connection: Connection) -> Result<Vec<String>, String> {
    let name = format!("{step:?} {connection:?}");
    let mut run = Run::start(stage, &name, With::Extension).await?;
    run.intake.answer(Answer::Hold(step)).await;
    let mut number = 0;
    // A batch may leave with its own invocation or with the next one.
    while run.intake.received().held == 0 {
        number += 1;
        if number > INVOCATIONS_MAX {
            return Err("nothing is sent".to_owned());
        }
        run.call(long(number)).await?;
    }
    // Now the environment is frozen, and the request is where it is held.
    if connection == Connection::Gone {
        run.intake.drop_connections();
    }
    run.intake.answer(Answer::Take).await;
    run.call(long(number + 1)).await?;
    let intake = run.intake.received();
    let sequences: BTreeSet<_> = intake
        .posts
        .iter()
        .filter_map(|post| post.sequence())
        .collect();
    let repeats = intake.posts.len() - sequences.len();
    let report = run.end(End::Told).await?;
    let mut problems = report.problems;
    let dropped = report.account.dropped();
    if !dropped.is_empty() {
        problems.push(format!("something is dropped: {dropped:?}"));
    }
    // Only what the server had and could not answer comes again.
    let may_repeat = step == Step::Taken && connection == Connection::Gone;
    if repeats > 0 && !may_repeat {
        problems.push(format!("{repeats} batches came again"));
    }
    Ok(problems)
}

/// So many bytes that they are not all in one packet.
fn long(number: u64) -> Event {
    Event {
        spans: 10,
        text: 1000,
        ..Event::plain(number)
    }
}

const INVOCATIONS_MAX: u64 = 5;
