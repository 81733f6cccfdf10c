//! What is told once the sandbox serves: where everything is, and what runs by itself.

use serde_json::{Value, json};
use throughline_sandbox::{HttpApiKind, RunningSandbox};
use throughline_sources::{Endpoint, SourceCounts};

use crate::cli::API_DEFAULT;
use crate::terminal::Paint;

pub(super) fn as_text(
    running: &RunningSandbox,
    sources: &[SourceCounts],
    endpoint: Option<&Endpoint>,
    paint: Paint,
) -> String {
    let api = format!("http://{}", running.api_addr());
    let elsewhere = match running.api_addr() {
        API_DEFAULT => String::new(),
        other => format!(" --api {other}"),
    };
    let mut table = Table::default();
    table.row("AWS Lambda API", &api, "");
    for function in running.functions() {
        match running.url_of(&function) {
            Some(url) => table.row(&function, &url, "function URL"),
            None => table.row(
                &function,
                "",
                &format!("throughline sandbox invoke {function}{elsewhere}"),
            ),
        }
    }
    for api in running.apis() {
        let kind = match api.kind {
            HttpApiKind::Rest => "REST API",
            HttpApiKind::Http => "HTTP API",
        };
        table.row(&api.name, &api.url, kind);
        for route in &api.routes {
            table.row("", &route.key, &route.function);
        }
    }
    for running in running.schedules() {
        let schedule = &running.schedule;
        let expression = match schedule.enabled {
            true => schedule.expression.clone(),
            false => format!("{}, switched off", schedule.expression),
        };
        table.row(&schedule.name, &expression, &running.function);
    }
    for counts in sources {
        table.row(&counts.source, "", &counts.function);
    }
    if let Some(endpoint) = endpoint {
        table.row("AWS", &endpoint.to_string(), "");
    }
    for door in running.doors().told() {
        table.row(&door.name, &door.target, "door");
    }
    let world = paint.faint(running.world());
    format!("{}{world}\n", table.text(paint))
}

pub(super) fn as_json(running: &RunningSandbox) -> Value {
    let functions = running.functions().into_iter().map(|function| {
        let url = running.url_of(&function);
        json!({"name": function, "url": url})
    });
    let api = |api: &throughline_sandbox::RunningApi| {
        let routes = api.routes.iter();
        let routes = routes.map(|route| json!({"key": route.key, "function": route.function}));
        json!({"name": api.name, "url": api.url, "routes": routes.collect::<Vec<_>>()})
    };
    let schedule = |running: &throughline_sandbox::RunningSchedule| {
        json!({
            "name": running.schedule.name,
            "expression": running.schedule.expression,
            "enabled": running.schedule.enabled,
            "function": running.function,
        })
    };
    let doors = running.doors().told().into_iter();
    let doors = doors.map(|door| json!({"name": door.name, "target": door.target}));
    json!({
        "type": "started",
        "api": format!("http://{}", running.api_addr()),
        "world": running.world().to_string(),
        "doors": doors.collect::<Vec<_>>(),
        "functions": functions.collect::<Vec<_>>(),
        "apis": running.apis().iter().map(api).collect::<Vec<_>>(),
        "schedules": running.schedules().iter().map(schedule).collect::<Vec<_>>(),
    })
}

/// Three columns, as wide as what is in them.
#[derive(Default)]
struct Table {
    rows: Vec<[String; 3]>,
}

impl Table {
    fn row(&mut self, name: &str, place: &str, what: &str) {
        self.rows
            .push([name.to_owned(), place.to_owned(), what.to_owned()]);
    }

    fn text(&self, paint: Paint) -> String {
        let width = |column: usize| {
            let widths = self.rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or(0)
        };
        let (first, second) = (width(0), width(1));
        let line = |[name, place, what]: &[String; 3]| {
            let name = paint.strong(format!("{name:<first$}"));
            let place = match what.is_empty() {
                true => place.clone(),
                false => format!("{place:<second$}"),
            };
            let line = format!("{name}  {place}  {}", paint.faint(what));
            line.trim_end().to_owned() + "\n"
        };
        self.rows.iter().map(line).collect()
    }
}
