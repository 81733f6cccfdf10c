//! Calls that lead to no other function: those of databases, with the drivers that the layers follow.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::media::cell;
use crate::secrets::PASSWORD;
use crate::table::is_chosen;
use crate::verdict::trace_of;
use crate::world::World;

/// What is called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Called {
    /// How functions are told to call it, and how the server is called.
    pub(crate) name: &'static str,
    /// How the page calls it.
    pub(crate) title: &'static str,
    /// `db.system.name` of the span.
    system: &'static str,
}

pub(crate) const CALLED: &[Called] = &[
    called("postgres", "Postgres", "postgresql"),
    called("mariadb", "MySQL's protocol, MariaDB", "mysql"),
    called(
        "mongodb",
        "MongoDB's protocol, mongo-java-server",
        "mongodb",
    ),
    called("redis", "Redis", "redis"),
];

/// Those whose drivers are followed.
pub(crate) const CALLERS: [&str; 2] = ["node", "python"];

/// What is called, by whom; and whether that is in the trace of the function, below it.
pub(crate) type Calls = BTreeMap<(&'static str, &'static str), bool>;

const fn called(name: &'static str, title: &'static str, system: &'static str) -> Called {
    Called {
        name,
        title,
        system,
    }
}

/// Has the function of a language call all that is there; and says which calls failed.
pub(crate) async fn make(world: &World, from: &str) -> Vec<String> {
    let Some(number) = CALLERS.iter().position(|language| *language == from) else {
        return Vec::new();
    };
    let mut failed = Vec::new();
    for (row, called) in there(world) {
        let event = json!({
            "send": called.name,
            "cell": cell(called.name, from),
            "password": PASSWORD,
        });
        let trace = trace_of(row, called.name, number);
        let sent = world.send(&format!("from-{from}"), &event, &trace).await;
        failed.extend(sent.err());
    }
    failed
}

/// What the server has of these calls.
pub(crate) async fn seen(world: &World) -> Calls {
    let mut seen = Calls::new();
    for (row, called) in there(world) {
        for (number, from) in CALLERS.into_iter().enumerate() {
            let trace = trace_of(row, called.name, number);
            let path = format!("/api/v1/traces/{trace}");
            let story = world.server.load(&path).await.unwrap_or_default();
            let is_followed = is_followed(&story, &trace, &format!("from-{from}"), called.system);
            seen.insert((called.name, from), is_followed);
        }
    }
    seen
}

fn there(world: &World) -> impl Iterator<Item = (usize, &'static Called)> {
    let all = CALLED.iter().enumerate();
    all.filter(|(_, called)| world.serves(called.name) && is_chosen(called.name))
}

/// Whether there is a span of the call in the trace, right below the function's own.
fn is_followed(story: &Value, trace: &str, from: &str, system: &str) -> bool {
    let spans: Vec<_> = story["spans"].as_array().into_iter().flatten().collect();
    // As a function tells it, the invocation has the function's name.
    let is_handler = |id: &Value| {
        let is_it = |span: &&Value| span["span_id"] == *id;
        let found = spans.iter().find(|span| is_it(span));
        found.is_some_and(|span| span["service"] == from && span["name"] == from)
    };
    spans.iter().any(|span| {
        span["attributes"]["db.system.name"] == system
            && span["trace_id"] == trace
            && span["kind"] == "client"
            && span["service"] == from
            && is_handler(&span["parent_span_id"])
    })
}
