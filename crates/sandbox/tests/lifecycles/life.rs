//! One life: a sandbox, what its processes will do, what is called, and what must hold of it.

use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use throughline_sandbox::{
    Activity, Answer, Finished, Function, Invoke, InvokeError, Outcome, Sandbox, Status, World,
};
use throughline_testkit::leftovers::until_no_process_has;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::task::JoinSet;

/// The programs, which all lives share.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn build() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let own = std::env::current_exe().unwrap();
        let at = |path: &str| folder.path().join(path);
        std::fs::create_dir(at("code")).unwrap();
        std::fs::create_dir(at("stubborn")).unwrap();
        std::fs::copy(own, at("code/bootstrap")).unwrap();
        for extension in EXTENSIONS {
            std::fs::hard_link(at("code/bootstrap"), at(extension)).unwrap();
        }
        // One whom SIGTERM does not end, and who therefore lives to give its late answer.
        std::fs::hard_link(at("code/bootstrap"), at("stubborn/function")).unwrap();
        let script = "#!/bin/sh\ntrap '' TERM\nexec ./function\n";
        std::fs::write(at("stubborn/bootstrap"), script).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(at("stubborn/bootstrap"), executable).unwrap();
        Self { folder }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

/// What is decided before it begins.
#[derive(Debug)]
pub(crate) struct Life {
    seed: u64,
    stubborn: bool,
    init: &'static str,
    extensions: Vec<&'static str>,
    /// What is called one after the other, and each time how often at once.
    calls: Vec<(&'static str, usize)>,
    concurrency: usize,
    idles: bool,
    /// In a world of its own, where the machine allows it; those take their time to make.
    own_world: bool,
    end: End,
}

#[derive(Debug)]
enum End {
    Shutdown,
    Dropped,
    /// While calls are on their way.
    Cut(Duration),
}

impl Life {
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let extensions = [0, 0, 0, 1, 1, 2][rng.usize(0..6)];
        let calls = rng.usize(1..=4);
        let concurrency = rng.usize(1..=3);
        Self {
            seed,
            stubborn: rng.u32(0..6) == 0,
            init: pick(&mut rng, 85, &["", "", "", "slow", "leave a child"], &INITS),
            extensions: (0..extensions)
                .map(|_| pick(&mut rng, 70, &["", "", "slow"], &PARTS))
                .collect(),
            calls: (0..calls)
                .map(|_| {
                    (
                        pick(&mut rng, 55, &GOOD_CALLS, &BAD_CALLS),
                        [1, 1, concurrency, concurrency, 4][rng.usize(0..5)],
                    )
                })
                .collect(),
            concurrency,
            idles: rng.u32(0..5) == 0,
            own_world: rng.u32(0..8) == 0,
            end: match rng.u32(0..6) {
                0 => End::Dropped,
                1 => End::Cut(Duration::from_millis(rng.u64(0..400))),
                _ => End::Shutdown,
            },
        }
    }

    /// Lives it, and says what happened.
    pub(crate) async fn live(self, stage: &Stage, aloud: bool) -> Result<Vec<String>, String> {
        let marker = format!("{}-{}", std::process::id(), self.seed);
        let running = self
            .sandbox(stage, &marker)
            .start()
            .await
            .map_err(|error| error.to_string())?;
        let mut activity = running.activity();
        let mut happened = Vec::new();
        let mut began = 0;
        let cut = if let End::Cut(after) = self.end {
            after
        } else {
            Duration::from_secs(60)
        };
        let play = async {
            for (what, at_once) in &self.calls {
                let invoker = running.invoker();
                let mut calls = JoinSet::new();
                for _ in 1..*at_once {
                    let invoker = invoker.clone();
                    let invoke = Invoke::new("f").payload(format!("{what:?}"));
                    calls.spawn(async move { invoker.call(invoke).await });
                }
                let invoke = Invoke::new("f").payload(format!("{what:?}"));
                match running.call_to_end(invoke).await {
                    Ok((answer, finished)) => {
                        began += 1;
                        happened.push(format!("{:?}", finished.status));
                        self.check(what, &answer, Some(&finished))?;
                    }
                    Err(error) => happened.push(refused(&error)?),
                }
                while let Some(call) = calls.join_next().await {
                    match call.unwrap() {
                        Ok(answer) => {
                            began += 1;
                            self.check(what, &answer, None)?;
                        }
                        Err(error) => happened.push(refused(&error)?),
                    }
                }
            }
            Ok::<_, String>(())
        };
        let whole = match tokio::time::timeout(cut, play).await {
            Ok(played) => played.map(|()| true)?,
            Err(_) if matches!(self.end, End::Cut(_)) => false,
            Err(_) => return Err("the calls take a minute".to_owned()),
        };
        match self.end {
            End::Dropped => drop(running),
            End::Shutdown | End::Cut(_) => {
                let down = tokio::time::timeout(Duration::from_secs(15), running.shutdown()).await;
                down.map_err(|_| "the shutdown takes 15 seconds")?;
            }
        }
        let mut finished = 0;
        loop {
            match activity.try_recv() {
                Ok(Activity::Finished(_)) => finished += 1,
                Ok(Activity::Line(line)) => {
                    if aloud {
                        println!("{}: {}", line.extension.unwrap_or_default(), line.text);
                    }
                    if let Some(late) = line.text.strip_prefix("late answer: ") {
                        happened.push(format!("late {late}"));
                    }
                }
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => finished = began,
                Err(_) => break,
            }
        }
        if whole && matches!(self.end, End::Shutdown) && finished != began {
            return Err(format!(
                "{began} calls were answered and {finished} have a report"
            ));
        }
        until_no_process_has(&format!("{MARKER}={marker}")).await?;
        Ok(happened)
    }

    fn sandbox(&self, stage: &Stage, marker: &str) -> Sandbox {
        let code = if self.stubborn { "stubborn" } else { "code" };
        let mut function = Function::new("f", stage.path(code))
            .timeout(TIMEOUT)
            .env(MARKER, marker)
            .env("INIT", self.init);
        let mut sandbox = Sandbox::new()
            .concurrency(self.concurrency)
            .init_timeout(Duration::from_millis(600))
            .shutdown_timeout(Duration::from_millis(500), Duration::from_millis(120));
        if !self.own_world {
            sandbox = sandbox.world(World::Shared);
        }
        if self.idles {
            sandbox = sandbox.idle_timeout(Duration::from_millis(20));
        }
        for (name, part) in EXTENSIONS.iter().zip(&self.extensions) {
            function = function.env(name.to_uppercase(), *part);
            sandbox = sandbox.extension(stage.path(name));
        }
        sandbox.function(function)
    }

    /// Whether this can be what a call of this kind comes to. On a busy machine anything may take too long.
    fn check(
        &self,
        what: &str,
        answer: &Answer,
        finished: Option<&Finished>,
    ) -> Result<(), String> {
        let wrong = |why: &str| {
            Err(format!(
                "{what:?} came to {}: {why} ({self:?}, {finished:?})",
                answer.text()
            ))
        };
        let never_returns = [
            "exit",
            "exit 0",
            "abort",
            "hang",
            "error",
            "break stream",
            "break stream and exit",
        ];
        let returned = answer.outcome == Outcome::Returned;
        if returned && never_returns.contains(&what) {
            return wrong("it cannot return");
        }
        if returned && answer.text() != "\"done\"" {
            return wrong("that is not what it returns");
        }
        if !returned
            && serde_json::from_slice::<Value>(&answer.payload)
                .is_ok_and(|error| !error["errorType"].is_string())
        {
            return wrong("an error has a type");
        }
        let Some(finished) = finished else {
            return Ok(());
        };
        if finished.request_id != answer.request_id {
            return wrong("the report is of another call");
        }
        if finished.duration > TIMEOUT {
            return wrong("it took longer than it may");
        }
        let success = finished.status == Status::Success;
        if success
            && [
                "exit",
                "exit 0",
                "abort",
                "hang",
                "answer and exit",
                "answer and hang",
            ]
            .contains(&what)
        {
            return wrong("it cannot succeed");
        }
        if success && what != "error" && !what.starts_with("break") && !returned {
            return wrong("a success returns");
        }
        Ok(())
    }
}

/// A call that was not made, for a reason that there may be.
fn refused(error: &InvokeError) -> Result<String, String> {
    match error {
        InvokeError::Throttled { .. } => Ok("throttled".to_owned()),
        InvokeError::ShuttingDown { .. } => Ok("shutting down".to_owned()),
        other => Err(other.to_string()),
    }
}

/// Something good so often in a hundred, else something bad.
fn pick(rng: &mut Rng, percent: u32, good: &[&'static str], bad: &[&'static str]) -> &'static str {
    let list = if rng.u32(0..100) < percent { good } else { bad };
    list[rng.usize(0..list.len())]
}

const TIMEOUT: Duration = Duration::from_millis(1000);
const MARKER: &str = "THROUGHLINE_LIFE";
const EXTENSIONS: [&str; 2] = ["ext0", "ext1"];
const INITS: [&str; 7] = [
    "exit",
    "exit 0",
    "abort",
    "hang",
    "error",
    "leave a stray",
    "leave a twin",
];
const PARTS: [&str; 16] = [
    "never register",
    "never next",
    "exit",
    "init error",
    "exit error",
    "crash later",
    "hang later",
    "hang",
    "exit 0",
    "abort",
    "no events",
    "no shutdown",
    "ignore shutdown",
    "leave a child",
    "leave a stray",
    "leave a twin",
];
const GOOD_CALLS: [&str; 5] = ["return", "return", "error", "stream", "answer twice"];
const BAD_CALLS: [&str; 18] = [
    "answer late",
    "answer late",
    "exit",
    "exit 0",
    "abort",
    "hang",
    "slow",
    "answer and exit",
    "answer and hang",
    "answer late",
    "answer wrongly",
    "ask again",
    "break stream",
    "break stream and exit",
    "leave a child",
    "leave a stray",
    "leave a twin",
    "stream",
];
