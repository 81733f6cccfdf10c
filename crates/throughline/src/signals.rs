//! SIGTERM and SIGINT: the first asks to stop, the second does not ask.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a program.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes both signals over from their default, which is to end at once.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
        })
    }

    /// Waits for a start, which may take long and may be broken off anywhere, as by a crash: until
    /// it is done, the first signal ends the process at once.
    pub(crate) async fn unless_stopped<T>(&mut self, starting: impl Future<Output = T>) -> T {
        tokio::select! {
            started = starting => started,
            () = self.next() => {
                eprintln!("throughline: stopped before it had started");
                std::process::exit(EXIT_INTERRUPTED)
            }
        }
    }

    /// Resolves at the first signal. From then on a second one ends the process at once.
    pub(crate) async fn first(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            eprintln!("throughline: second signal, stopping at once");
            std::process::exit(EXIT_INTERRUPTED);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// 128 + SIGINT, as shells count.
const EXIT_INTERRUPTED: i32 = 130;
