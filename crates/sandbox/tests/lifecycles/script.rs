//! What the processes do: the function by each event and its `INIT`, extensions by the variable of their name.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio, abort, exit};
use std::thread::sleep;
use std::time::Duration;

use crate::http::{Response, call, open, read};

/// Plays the part that the name of the program says.
pub(crate) fn play() -> ExitCode {
    let name = std::env::args().next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    let part = |key: &str| std::env::var(key).unwrap_or_default();
    let played = if name.starts_with("ext") {
        extension(&name, &part(&name.to_uppercase()))
    } else {
        function(&part("INIT"))
    };
    // Whoever is hung up on has nothing more to do.
    ExitCode::from(if played.is_some() { 0 } else { 9 })
}

fn function(init: &str) -> Option<()> {
    match init {
        "error" => {
            let headers = [("lambda-runtime-function-error-type", "Function.Boom")];
            call(
                "POST",
                &format!("{RUNTIME}/init/error"),
                &headers,
                "{\"errorType\":\"Boom\"}",
            )?;
            exit(1);
        }
        other => common(other),
    }
    loop {
        let event = call("GET", &format!("{RUNTIME}/invocation/next"), &[], "")?;
        if event.status != 200 {
            exit(8);
        }
        handle(&event)?;
    }
}

fn handle(event: &Response) -> Option<()> {
    let id = event.header("lambda-runtime-aws-request-id")?.to_owned();
    let attempt = event.header("lambda-runtime-invocation-id")?.to_owned();
    let headers = [("lambda-runtime-invocation-id", attempt.as_str())];
    let path = format!("{RUNTIME}/invocation/{id}/response");
    let answer = || call("POST", &path, &headers, "\"done\"");
    match event.body.trim_matches('"') {
        "error" => {
            call(
                "POST",
                &format!("{RUNTIME}/invocation/{id}/error"),
                &headers,
                "{\"errorType\":\"Boom\"}",
            )?;
        }
        "answer and exit" => {
            answer()?;
            exit(3);
        }
        "answer and hang" => {
            answer()?;
            hang();
        }
        "answer twice" => {
            answer()?;
            let again = answer()?;
            println!("second answer: {}", again.status);
        }
        "answer late" => {
            sleep(LATE);
            let late = answer()?;
            println!("late answer: {}", late.status);
        }
        "answer wrongly" => {
            let wrong = call(
                "POST",
                &format!(
                    "{RUNTIME}/invocation/{}/response",
                    id.chars().rev().collect::<String>()
                ),
                &headers,
                "1",
            )?;
            println!("wrong answer: {}", wrong.status);
            answer()?;
        }
        "ask again" => {
            call("GET", &format!("{RUNTIME}/invocation/next"), &[], "")?;
            answer()?;
        }
        "stream" => stream(&path, &headers, true)?,
        "break stream" => stream(&path, &headers, false)?,
        "break stream and exit" => {
            stream(&path, &headers, false)?;
            exit(4);
        }
        other => {
            common(other);
            answer()?;
        }
    }
    Some(())
}

/// What any process can do at any time.
fn common(what: &str) {
    match what {
        "exit" => exit(3),
        "exit 0" => exit(0),
        "abort" => abort(),
        "hang" => hang(),
        "slow" => sleep(SLOW),
        "leave a child" => leave(&mut Command::new("sleep")),
        "leave a stray" => leave(Command::new("setsid").args(["-f", "sleep"])),
        "leave a twin" => leave(Command::new("sleep").process_group(0)),
        _ => {}
    }
}

/// Starts what outlives this process, unless somebody takes care of it. It keeps no pipe open.
fn leave(command: &mut Command) {
    let silent = command
        .arg("600")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    drop(silent.spawn());
}

fn stream(path: &str, headers: &[(&str, &str)], whole: bool) -> Option<()> {
    let mode = [("lambda-runtime-function-response-mode", "streaming")];
    let headers: Vec<_> = headers.iter().copied().chain(mode).collect();
    let mut connection = open(path, &headers)?;
    connection.write_all(b"3\r\n\"do\r\n").ok()?;
    connection.flush().ok()?;
    if whole {
        connection.write_all(b"3\r\nne\"\r\n0\r\n\r\n").ok()?;
        read(connection)?;
    }
    Some(())
}

fn extension(name: &str, part: &str) -> Option<()> {
    match part {
        "never register" => hang(),
        "exit" => exit(5),
        _ => {}
    }
    let events = match part {
        "no events" => "{\"events\":[]}",
        "no shutdown" => "{\"events\":[\"INVOKE\"]}",
        _ => "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}",
    };
    let registered = call(
        "POST",
        &format!("{EXTENSION}/register"),
        &[("lambda-extension-name", name)],
        events,
    )?;
    let identifier = registered.header("lambda-extension-identifier")?.to_owned();
    let identity = [("lambda-extension-identifier", identifier.as_str())];
    let error = [
        identity[0],
        ("lambda-extension-function-error-type", "Extension.Boom"),
    ];
    match part {
        "never next" => hang(),
        "init error" => {
            call("POST", &format!("{EXTENSION}/init/error"), &error, "")?;
            exit(1);
        }
        _ => {}
    }
    let mut invocations = 0;
    loop {
        let event = call("GET", &format!("{EXTENSION}/event/next"), &identity, "")?;
        if event.status != 200 {
            exit(6);
        }
        if event.body.contains("SHUTDOWN") {
            if part == "ignore shutdown" {
                hang();
            }
            exit(0);
        }
        invocations += 1;
        match part {
            "exit error" if invocations == 2 => {
                call("POST", &format!("{EXTENSION}/exit/error"), &error, "")?;
                exit(1);
            }
            "crash later" if invocations == 2 => abort(),
            "hang later" if invocations == 2 => hang(),
            other => common(other),
        }
    }
}

fn hang() -> ! {
    sleep(HANG);
    exit(7);
}

const RUNTIME: &str = "/2018-06-01/runtime";
const EXTENSION: &str = "/2020-01-01/extension";
const SLOW: Duration = Duration::from_millis(60);
/// Longer than a function has.
pub(crate) const LATE: Duration = Duration::from_millis(1050);
const HANG: Duration = Duration::from_secs(600);
