//! One cell of the matrix: an environment of its own, a server in some condition, some trouble.

use throughline_sandbox::{Fault, RunningSandbox, Victim};

use crate::account::End;
use crate::backend::Backend;
use crate::function::{Event, Then};
use crate::run::{Report, Run, TIMEOUT, strike};
use crate::stage::{EXTENSION, PATIENCE, Stage, With};
use crate::trouble::Trouble;

/// Plays a cell; without an extension it tells how the function fares alone.
pub(crate) async fn play(
    stage: &Stage,
    backend: Backend,
    trouble: Trouble,
    with: With,
) -> Result<Report, String> {
    let name = format!("{} {}", backend.name, trouble.name());
    let mut run = Run::start(stage, &name, with).await?;
    let end = tokio::time::timeout(PATIENCE, four_calls(&mut run, backend, trouble))
        .await
        .map_err(|_| "the invocations take a minute".to_owned())??;
    run.end(end).await
}

async fn four_calls(run: &mut Run, backend: Backend, trouble: Trouble) -> Result<End, String> {
    if backend.from_start {
        backend.strike(run).await;
    }
    run.call(Event::plain(1)).await?;
    backend.strike(run).await;
    let end = suffer(run, trouble).await?;
    if trouble == Trouble::SpinDown {
        return Ok(end);
    }
    run.call(Event::plain(3)).await?;
    backend.mend(run).await;
    run.call(Event::plain(4)).await?;
    Ok(end)
}

/// The second invocation.
async fn suffer(run: &mut Run, trouble: Trouble) -> Result<End, String> {
    let plain = Event::plain(2);
    let hang = Event {
        then: Then::Hang,
        ..plain
    };
    match trouble {
        Trouble::None => run.call(plain).await?,
        Trouble::Timeout => {
            let time_passes = |sandbox: &RunningSandbox| {
                sandbox.advance(TIMEOUT);
                Ok(())
            };
            run.call_and(hang, time_passes).await?;
        }
        Trouble::Crash => {
            let then = Then::Exit;
            run.call(Event { then, ..plain }).await?;
        }
        Trouble::OutOfMemory => {
            run.call_and(hang, |sandbox| strike(sandbox, Fault::out_of_memory()))
                .await?;
        }
        Trouble::KillExtension => {
            run.call_and(hang, |sandbox| strike(sandbox, kill_extension()))
                .await?;
        }
        Trouble::KillFrozenExtension => {
            run.call(plain).await?;
            run.strike_now(kill_extension()).await?;
            // The platform finds out when it wants to tell the extension of the next one.
            run.call_any(Event::plain(5)).await?;
        }
        Trouble::DropEnvironment => {
            run.call_and(hang, |sandbox| strike(sandbox, Fault::drop_environment()))
                .await?;
            return Ok(End::Silent);
        }
        Trouble::SpinDown => run.call_only(plain).await?,
        Trouble::Flood => run.call(Event::flood(2)).await?,
    }
    Ok(End::Told)
}

fn kill_extension() -> Fault {
    Fault::kill(Victim::Extension(EXTENSION.to_owned()))
}
