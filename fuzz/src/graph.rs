//! Queries to the graph, as somebody types them.

use throughline_insight::graph::{Asked, Builder, Counted, Graph, Kind, Limits, Query};
use throughline_insight::question::{Window, Zone};
use throughline_telemetry::UnixNanos;

/// Reads a query, and answers it from a small graph with a circle in it.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let query = match Query::parse(text) {
        Ok(query) => query,
        Err(mistake) => {
            // What is wrong is always somewhere in the text.
            let line = text.split('\n').nth(mistake.line() - 1);
            let characters = line.map(|line| line.chars().count());
            assert!(mistake.column() <= characters.expect("a line of the text") + 1);
            return;
        }
    };
    let now = UnixNanos(1_795_348_800_000_000_000);
    let window = Window {
        from: UnixNanos(now.0 - 3_600_000_000_000),
        to: now,
    };
    let asked = Asked {
        now,
        zone: Zone::of_minutes(60),
        window,
    };
    if let Ok(windows) = query.windows(&asked) {
        assert!(windows.during.from <= windows.during.to);
    }
    let limits = Limits {
        rows: 50,
        held: 500,
        steps: 20_000,
        drawn: 10,
    };
    let answer = query.answer(&graph(window), &limits, &|| true);
    assert!(answer.rows.len() <= limits.rows);
    assert!(
        answer
            .rows
            .iter()
            .all(|row| row.len() == answer.columns.len())
    );
    assert!(answer.steps <= limits.steps + 100);
}

fn graph(window: Window) -> Graph {
    let mut builder = Builder::new(window.from..window.to);
    let [shop, pay, mail] = ["shop", "pay", "mail"].map(|name| builder.node(Kind::Function, name));
    let [orders, mails] = [(Kind::Table, "orders"), (Kind::Queue, "mails")]
        .map(|(kind, name)| builder.node(kind, name));
    let calls = [
        (shop, pay, "pay", false),
        (pay, orders, "PutItem", false),
        (shop, orders, "GetItem", false),
        (shop, mails, "send", true),
        (shop, mail, "mail", true),
        (mail, shop, "again", true),
    ];
    for (from, to, operation, is_async) in calls {
        let counted = Counted {
            calls: 3,
            errors: 1,
            ..Counted::default()
        };
        builder.call(from, to, operation, is_async, &counted);
    }
    builder.operation(shop, "POST /orders", &Counted::default());
    Graph::build(builder.clone(), Some(&builder))
}
