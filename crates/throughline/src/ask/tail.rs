//! `throughline tail`: log records as they arrive.

use std::fmt::Write;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use http_body_util::BodyExt;
use serde_json::Value;

use super::{Server, block_on};
use crate::cli::Tail;
use crate::output::{self, Reader};

/// Prints what comes until nobody reads it any more.
pub(crate) fn run(arguments: &Tail) -> anyhow::Result<ExitCode> {
    block_on(follow(arguments))
}

async fn follow(arguments: &Tail) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let path = path(arguments);
    let form = match (arguments.json, std::io::stdout().is_terminal()) {
        (true, _) => Form::Json,
        (false, true) => Form::Colours,
        (false, false) => Form::Plain,
    };
    let mut last_id = String::new();
    let mut connected = false;
    loop {
        match server.stream(&path, &last_id).await {
            Ok(answer) if !answer.status().is_success() => {
                let status = answer.status();
                let body = answer.into_body().collect().await?.to_bytes();
                let error: Value = serde_json::from_slice(&body).unwrap_or_default();
                let message = error["message"].as_str().map(str::to_owned);
                bail!("{}", message.unwrap_or_else(|| status.to_string()));
            }
            Ok(answer) => {
                connected = true;
                let mut body = answer.into_body();
                let mut events = Events::default();
                while let Some(Ok(frame)) = body.frame().await {
                    let bytes = frame.into_data().unwrap_or_default();
                    for event in events.take(&bytes) {
                        if print(&event, form)? == Reader::Gone {
                            return Ok(ExitCode::SUCCESS);
                        }
                        if !event.id.is_empty() {
                            last_id = event.id;
                        }
                    }
                }
            }
            // Who never was there is not waited for.
            Err(error) if !connected => return Err(error),
            Err(_) => {}
        }
        eprintln!("throughline: the connection is lost: trying again");
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

fn path(arguments: &Tail) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("service", &arguments.service),
        ("function", &arguments.function),
    ] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    if let Some(severity) = arguments.min_severity {
        query.append_pair("min_severity", &severity.number().to_string());
    }
    for condition in &arguments.conditions {
        query.append_pair("where", condition);
    }
    if !arguments.words.is_empty() {
        query.append_pair("q", &arguments.words.join(" "));
    }
    format!("/api/v1/logs/tail?{}", query.finish())
}

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Plain,
    Colours,
}

fn print(event: &Event, form: Form) -> anyhow::Result<Reader> {
    match event.name.as_str() {
        "log" if form == Form::Json => output::print(format!("{}\n", event.data)),
        "log" => {
            let log: Value = serde_json::from_str(&event.data)?;
            output::print(line(&log, form == Form::Colours))
        }
        "dropped" => {
            let missed: Value = serde_json::from_str(&event.data)?;
            eprintln!(
                "throughline: {} records came too fast and are left out",
                missed["dropped"]
            );
            Ok(Reader::Listens)
        }
        "failed" => bail!("the server cannot read what it has stored; its log says why"),
        _ => Ok(Reader::Listens),
    }
}

/// A record for people.
fn line(log: &Value, colours: bool) -> String {
    let nanos: u64 = log["time_unix_nanos"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let millis = nanos / 1_000_000 % 86_400_000;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, millis) = (millis / 1000 % 60, millis % 1000);
    let (name, colour) = match log["severity_number"].as_u64().unwrap_or(0) {
        0 => ("-", ""),
        1..=4 => ("TRACE", "2"),
        5..=8 => ("DEBUG", "2"),
        9..=12 => ("INFO", "32"),
        13..=16 => ("WARN", "33"),
        17..=20 => ("ERROR", "31"),
        _ => ("FATAL", "1;31"),
    };
    let paint = |colour: &str, text: String| match colours && !colour.is_empty() {
        true => format!("\x1b[{colour}m{text}\x1b[0m"),
        false => text,
    };
    let time = format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}");
    let body = match &log["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let service = log["service"].as_str().unwrap_or_default();
    let (time, service) = (paint("2", time), paint("36", safe(service)));
    let name = paint(colour, format!("{name:5}"));
    format!("{time} {name} {service} {}\n", safe(&body))
}

/// What a log line says must not move the cursor of whoever reads it.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        match character {
            '\n' => safe.push_str("\n    "),
            '\t' => safe.push('\t'),
            control if control.is_control() => {
                let _ = write!(safe, "{}", control.escape_default());
            }
            plain => safe.push(plain),
        }
    }
    safe
}

/// Events as they come in pieces.
#[derive(Debug, Default)]
struct Events {
    rest: Vec<u8>,
    event: Event,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Event {
    id: String,
    name: String,
    data: String,
}

impl Events {
    /// The events that are whole with these bytes.
    fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "" if line.is_empty() => {
                    let event = std::mem::take(&mut self.event);
                    if !event.data.is_empty() {
                        events.push(event);
                    }
                }
                "id" => value.clone_into(&mut self.event.id),
                "event" => value.clone_into(&mut self.event.name),
                "data" => self.event.data.push_str(value),
                _ => {}
            }
        }
        events
    }
}

const AGAIN_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn words_may_begin_with_a_dash_and_come_after_the_options() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        let error = parse("throughline tail timeout --json").unwrap_err();
        assert!(error.to_string().contains("options go before the words"));
        let line = "throughline tail --json --where a>=1 --min-severity warn timeout -retry /x/";
        let cli = parse(line).unwrap();
        let Command::Tail(arguments) = cli.command else {
            panic!("it is another command");
        };
        assert!(arguments.json);
        assert_eq!(
            path(&arguments),
            "/api/v1/logs/tail?min_severity=13&where=a%3E%3D1&q=timeout+-retry+%2Fx%2F"
        );
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = ": following\n\nid: 7\nevent: log\ndata: {\"a\":1}\n\n: nothing\n\ndata: x\n\n";
        for step in 1..text.len() {
            let mut events = Events::default();
            let pieces = text.as_bytes().chunks(step);
            let found: Vec<Event> = pieces.flat_map(|piece| events.take(piece)).collect();
            let log = Event {
                id: "7".to_owned(),
                name: "log".to_owned(),
                data: "{\"a\":1}".to_owned(),
            };
            assert_eq!(found[0], log, "{step}");
            assert_eq!((found.len(), found[1].data.as_str()), (2, "x"), "{step}");
        }
    }

    #[test]
    fn a_record_is_one_line_that_moves_no_cursor() {
        let log = json!({"time_unix_nanos": "1795228801042000000", "severity_number": 17,
            "service": "pay", "body": "no \u{1b}[2Jmoney\nleft\n"});
        assert_eq!(
            line(&log, false),
            "02:40:01.042 ERROR pay no \\u{1b}[2Jmoney\n    left\n"
        );
        assert!(line(&log, true).contains("\x1b[31mERROR\x1b[0m"));
        let log = json!({"body": {"a": 1}, "severity_number": 0});
        assert_eq!(line(&log, false), "00:00:00.000 -      {\"a\":1}\n");
    }
}
