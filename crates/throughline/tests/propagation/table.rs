//! Every cell of the page, all at once.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::json;

use crate::calls;
use crate::media::{AMQP, LANGUAGES, MEDIA, Medium, cell};
use crate::page::{self, Cells};
use crate::redrive::{self, REDRIVEN};
use crate::replay::{self, REPLAYED};
use crate::secrets::{self, PASSWORD};
use crate::verdict::{Verdict, trace_of, verdict};
use crate::world::{Got, RABBITMQ, World};

pub(crate) async fn run() -> Vec<String> {
    let Some(mut world) = World::start(false).await else {
        return Vec::new();
    };
    let media: Vec<_> = MEDIA
        .iter()
        .enumerate()
        .filter(|(_, medium)| medium.name != "kafka" || world.has_kafka)
        .filter(|(_, medium)| medium.name != AMQP || world.serves(RABBITMQ))
        .filter(|(_, medium)| is_chosen(medium.name))
        .collect();
    let sending = LANGUAGES.iter().enumerate().map(|(number, from)| {
        let (world, media) = (&world, &media);
        async move {
            let mut failed = Vec::new();
            for (row, medium) in media {
                let event = json!({
                    "send": medium.name,
                    "cell": cell(medium.name, from),
                    "password": PASSWORD,
                });
                let trace = trace_of(*row, medium.name, number);
                let sent = world.send(&format!("from-{from}"), &event, &trace).await;
                failed.extend(sent.err());
            }
            failed.extend(calls::make(world, from).await);
            failed
        }
    });
    let mut problems: Vec<String> = join_all(sending).await.into_iter().flatten().collect();
    let wanted: usize = media.iter().map(|(_, medium)| medium.messages * 9).sum();
    let got = tokio::select! {
        got = world.got_when(|got| count(got) >= wanted) => got,
        () = redrive::put_back(world.moto) => unreachable!("it never ends"),
        () = replay::replay(world.moto) => unreachable!("it never ends"),
    };
    world.end_sandbox();

    let spans = world.all("spans").await;
    let logs = world.all("logs").await;
    let folder = world.server.directory();
    problems.extend(spans.iter().chain(&logs).flat_map(secrets::in_row));
    problems.extend(secrets::in_files(folder));
    problems.truncate(PROBLEMS_MAX);
    let mut cells = Cells::new();
    for (row, medium) in &media {
        for (number, from) in LANGUAGES.into_iter().enumerate() {
            let path = format!("/api/v1/traces/{}", trace_of(*row, medium.name, number));
            let story = world.server.load(&path).await.unwrap_or_default();
            for to in LANGUAGES {
                let requests = requests(&got, medium, from, to);
                let messages: usize = requests.values().sum();
                if messages != medium.messages {
                    problems.push(format!(
                        "{}, {from} to {to}: {messages} messages came",
                        medium.name
                    ));
                }
                if medium.name == REDRIVEN {
                    problems.extend(redrive::missing(&story, &format!("to-{to}")));
                }
                if medium.name == REPLAYED {
                    problems.extend(replay::missing(&story, &format!("to-{to}")));
                }
                let (from_name, to_name) = (format!("from-{from}"), format!("to-{to}"));
                let verdicts = requests
                    .keys()
                    .map(|request| verdict(&story, &from_name, &to_name, request));
                let worst = verdicts.min_by_key(|(verdict, _)| *verdict);
                let (verdict, why) = worst.unwrap_or((Verdict::Lost, "never came".to_owned()));
                if verdict < Verdict::Carried {
                    println!("    {}, {from} to {to}: {verdict}: {why}", medium.name);
                }
                cells.insert((medium.name, from, to), verdict);
            }
        }
    }
    let calls = calls::seen(&world).await;
    problems.extend(page::check(&cells, &calls));
    problems
}

/// Whether this row is asked for.
pub(crate) fn is_chosen(name: &str) -> bool {
    std::env::var("PROPAGATION").map_or(true, |chosen| chosen == name)
}

fn count(got: &[Got]) -> usize {
    let told = got.iter().map(|got| got.cells.len());
    told.sum()
}

/// The invocations of `to` that got messages of this cell, and how many each.
fn requests<'a>(got: &'a [Got], medium: &Medium, from: &str, to: &str) -> BTreeMap<&'a str, usize> {
    let (cell, function) = (cell(medium.name, from), format!("to-{to}"));
    let is_its = |name: &&String| **name == cell || name.starts_with(&format!("{cell}."));
    let of_function = got.iter().filter(|got| got.function == function);
    let counted = of_function.map(|got| {
        (
            got.request_id.as_str(),
            got.cells.iter().filter(is_its).count(),
        )
    });
    counted.filter(|(_, count)| *count > 0).collect()
}

/// Enough to see what is wrong.
const PROBLEMS_MAX: usize = 12;
