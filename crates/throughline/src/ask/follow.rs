//! Log records as they arrive, by server-sent events.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::bail;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use serde_json::Value;

use super::Server;
use super::line::line;
use crate::output::{self, Reader};
use crate::terminal::Paint;

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the API has them, a line each.
    Json,
    Lines(Paint),
}

impl Form {
    /// As somebody wants it who asks for JSON or does not.
    pub(super) fn of(json: bool) -> Self {
        match json {
            true => Form::Json,
            false => Form::Lines(Paint::of_stdout()),
        }
    }

    pub(super) fn text(self, log: &Value) -> String {
        match self {
            Form::Json => format!("{log}\n"),
            Form::Lines(paint) => line(log, paint),
        }
    }
}

/// What is printed before what arrives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Before<'a> {
    Nothing,
    /// The newest records, at this path of the API.
    Page(&'a str),
}

/// Prints what comes until nobody reads it any more.
pub(super) async fn follow(
    server: &Server<'_>,
    path: &str,
    form: Form,
    before: Before<'_>,
) -> anyhow::Result<()> {
    let mut printer = Printer::new(form);
    let mut last_id = String::new();
    let mut connected = false;
    loop {
        match server.stream(path, &last_id).await {
            Ok(answer) if !answer.status().is_success() => return refused(server, answer).await,
            Ok(answer) => {
                if let (false, Before::Page(page)) = (connected, before)
                    && printer.begin(server, page).await? == Reader::Gone
                {
                    return Ok(());
                }
                connected = true;
                let mut body = answer.into_body();
                let mut events = Events::default();
                while let Some(Ok(frame)) = body.frame().await {
                    let bytes = frame.into_data().unwrap_or_default();
                    for event in events.take(&bytes) {
                        if printer.print(&event)? == Reader::Gone {
                            return Ok(());
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

async fn refused(server: &Server<'_>, answer: Response<Incoming>) -> anyhow::Result<()> {
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    let error: Value = serde_json::from_slice(&body).unwrap_or_default();
    bail!(server.refusal(status, &error));
}

struct Printer {
    form: Form,
    /// Records of the page, which may arrive as well: it is asked for after the connection is made, so that
    /// nothing is missed between the two.
    printed: HashMap<String, usize>,
}

impl Printer {
    fn new(form: Form) -> Self {
        let printed = HashMap::new();
        Printer { form, printed }
    }

    async fn begin(&mut self, server: &Server<'_>, page: &str) -> anyhow::Result<Reader> {
        let page = server.load(page).await?;
        let newest_first = page["logs"].as_array().map(Vec::as_slice);
        let mut text = String::new();
        for log in newest_first.unwrap_or_default().iter().rev() {
            text += &self.form.text(log);
            *self.printed.entry(log.to_string()).or_default() += 1;
        }
        output::print(text)
    }

    fn print(&mut self, event: &Event) -> anyhow::Result<Reader> {
        match event.name.as_str() {
            "log" => {
                let log: Value = serde_json::from_str(&event.data)?;
                match self.printed.get_mut(&log.to_string()) {
                    Some(times) if *times > 0 => {
                        *times -= 1;
                        Ok(Reader::Listens)
                    }
                    _ => output::print(self.form.text(&log)),
                }
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
    use super::*;

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
}
