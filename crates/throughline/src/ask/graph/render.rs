//! Rows of the graph as a table and as CSV.

use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use crate::ask::table::{Cell, Column, Side, Tone, table};
use crate::ask::text::first_line;
use crate::ask::words;
use crate::terminal::Paint;

/// What of an answer is shown.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    columns: Vec<Heading>,
    rows: Vec<Vec<Value>>,
    total: u64,
    truncated: bool,
    cut: Option<String>,
    searched: Searched,
    cost: Cost,
}

#[derive(Debug, Deserialize)]
struct Heading {
    name: String,
    unit: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Searched {
    nodes: u64,
    edges: u64,
    left_out: u64,
}

#[derive(Debug, Deserialize)]
struct Cost {
    elapsed_ms: f64,
}

impl Found {
    pub(super) fn read(answer: &Value) -> Result<Self, serde_json::Error> {
        Found::deserialize(answer)
    }

    /// With numbers in units that people read.
    pub(super) fn table(&self, width: (Paint, usize)) -> String {
        let is_number = |place: usize| {
            let mut cells = self
                .rows
                .iter()
                .map(|row| &row[place])
                .filter(|cell| !cell.is_null());
            cells.next().is_some_and(Value::is_number)
        };
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| first_line(&column.name))
            .collect();
        let columns: Vec<Column<'_>> = names
            .iter()
            .enumerate()
            .map(|(place, name)| Column {
                name,
                side: if is_number(place) {
                    Side::Right
                } else {
                    Side::Left
                },
            })
            .collect();
        let rows: Vec<Vec<Cell>> = self
            .rows
            .iter()
            .map(|row| {
                let cells = row.iter().zip(&self.columns);
                cells
                    .map(|(cell, column)| shown(cell, column.unit.as_deref()))
                    .collect()
            })
            .collect();
        match rows.is_empty() {
            true => String::new(),
            false => table(&columns, &rows, width),
        }
    }

    /// RFC 4180, with numbers as they are.
    pub(super) fn csv(&self) -> anyhow::Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|column| &column.name))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(plain))?;
        }
        let bytes = writer.into_inner().context("cannot write the rows")?;
        Ok(String::from_utf8(bytes)?)
    }

    /// How many there are, and what it took.
    pub(super) fn summary(&self) -> String {
        let Searched {
            nodes,
            edges,
            left_out,
        } = self.searched;
        let shown = self.rows.len() as u64;
        let rows = match shown == self.total {
            true => words::counted(shown, "row"),
            false => format!(
                "{} of {}",
                words::number(shown),
                words::counted(self.total, "row")
            ),
        };
        let took = words::duration(Duration::from_secs_f64(self.cost.elapsed_ms.max(0.0) / 1e3));
        let nodes = words::counted(nodes, "node");
        let edges = words::counted(edges, "relationship");
        let more = match self.cut.as_deref() {
            Some("rows") => "; there are more rows than an answer may have".to_owned(),
            Some("time") => "; the time was over before all was looked through".to_owned(),
            Some(_) => "; there was too much to look through all of it".to_owned(),
            None if self.truncated => {
                format!(
                    "; {} were left out",
                    words::counted(left_out, "relationship")
                )
            }
            None => String::new(),
        };
        format!("{rows} from {nodes} and {edges} in {took}{more}")
    }
}

fn shown(cell: &Value, unit: Option<&str>) -> Cell {
    let number = cell.as_f64();
    let text = match (unit, number) {
        (Some("ms"), Some(millis)) => signed(millis, words::millis),
        (Some("usd"), Some(usd)) => signed(usd, words::dollars),
        (Some("share"), Some(share)) => format!("{:.1} %", share * 100.0),
        (Some("per_second"), Some(rate)) => format!("{rate:.2}/s"),
        (Some("count"), _) if cell.is_u64() => words::number(cell.as_u64().unwrap_or_default()),
        (_, Some(number)) if cell.is_f64() => format!("{number:.3}"),
        _ => first_line(&plain(cell)),
    };
    match cell.is_null() {
        true => Cell::new("–", Tone::Faint),
        false => Cell::new(text, Tone::Plain),
    }
}

fn signed(number: f64, words: impl Fn(f64) -> String) -> String {
    match number < 0.0 {
        true => format!("-{}", words(-number)),
        false => words(number),
    }
}

/// A value on one line: a node by its id, a path as its nodes.
fn plain(cell: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = |values: &Vec<Value>, between: &str| -> String {
        let shown: Vec<String> = values.iter().map(plain).collect();
        shown.join(between)
    };
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => all(values, ", "),
        Value::Object(of) => match (of.get("node"), of.get("path")) {
            (Some(node), _) => text(node),
            (None, Some(Value::Array(path))) => all(path, " → "),
            _ => format!(
                "{} -[{}]-> {}",
                text(&cell["from"]),
                text(&cell["operation"]),
                text(&cell["to"])
            ),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    fn found() -> Found {
        Found::read(&json!({
            "columns": [
                {"name": "f", "unit": null}, {"name": "calls", "unit": "count"}, {"name": "f.Δp99", "unit": "ms"},
                {"name": "rate", "unit": "share"}, {"name": "p", "unit": null}, {"name": "c", "unit": null}
            ],
            "rows": [
                [{"node": "function:pay"}, 1200, -12.5, 0.031, {"path": ["a", "b"], "types": ["CALLS"]},
                 {"from": "a", "to": "b", "type": "CALLS", "operation": "get, put"}],
                [{"node": "service:web"}, 3, null, 0, {"path": ["a"], "types": []}, null]
            ],
            "total": 9, "truncated": true, "cut": "rows", "during": {}, "compared": null, "nodes": [], "edges": [],
            "searched": {"nodes": 3, "edges": 1, "left_out": 0, "other_count": 0, "steps": 5},
            "cost": {"rows": 1, "bytes": 1, "segments": 1, "rollups": 1, "elapsed_ms": 2.5}
        }))
        .unwrap()
    }

    #[test]
    fn rows_are_a_table_for_people() {
        let table = found().table((Paint::Plain, 120));
        expect![[r#"
            f             calls    f.Δp99   rate  p      c
            function:pay  1,200  -12.5 ms  3.1 %  a → b  a -[get, put]-> b
            service:web       3         –  0.0 %  a      –
        "#]]
        .assert_eq(&table);
        let said = "2 of 9 rows from 3 nodes and 1 relationship in 2.50 ms; there are more rows than an answer may have";
        assert_eq!(found().summary(), said);
        let whole = Found {
            total: 2,
            truncated: false,
            cut: None,
            ..found()
        };
        assert_eq!(
            whole.summary(),
            "2 rows from 3 nodes and 1 relationship in 2.50 ms"
        );
    }

    #[test]
    fn rows_are_csv_for_programs() {
        expect![[r#"
            f,calls,f.Δp99,rate,p,c
            function:pay,1200,-12.5,0.031,a → b,"a -[get, put]-> b"
            service:web,3,,0,a,
        "#]]
        .assert_eq(&found().csv().unwrap());
    }
}
