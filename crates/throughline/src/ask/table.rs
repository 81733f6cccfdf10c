//! Rows in columns, as wide as the terminal.

use super::text::{left, right, width};
use crate::terminal::Paint;

/// What is above a column, and where its cells stand.
pub(super) struct Column<'a> {
    pub(super) name: &'a str,
    pub(super) side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
    /// On the left, and cut off where there is no room for all of it.
    Cut,
}

/// A text, and how it is coloured.
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Faint,
    Strong,
    Bad,
    Notable,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>, tone: Tone) -> Self {
        let text = text.into();
        Cell { text, tone }
    }
}

/// The columns with their names above them. At most one is cut.
pub(super) fn table(
    columns: &[Column<'_>],
    rows: &[Vec<Cell>],
    (paint, available): (Paint, usize),
) -> String {
    let mut widths: Vec<usize> = columns.iter().map(|column| width(column.name)).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(&cell.text));
        }
    }
    let all = widths.iter().sum::<usize>() + GAP.len() * columns.len().saturating_sub(1);
    let cut = columns.iter().position(|column| column.side == Side::Cut);
    if let Some(cut) = cut {
        let over = all.saturating_sub(available);
        widths[cut] = widths[cut].saturating_sub(over).max(CUT_MIN);
    }
    let names: Vec<Cell> = columns
        .iter()
        .map(|column| Cell::new(column.name, Tone::Faint))
        .collect();
    let mut text = line(columns, &widths, &names, paint);
    for row in rows {
        text += &line(columns, &widths, row, paint);
    }
    text
}

fn line(columns: &[Column<'_>], widths: &[usize], row: &[Cell], paint: Paint) -> String {
    let mut text = String::new();
    let last = row.len().saturating_sub(1);
    for (at, (cell, column)) in row.iter().zip(columns).enumerate() {
        let shown = match column.side {
            Side::Right => right(&cell.text, widths[at]),
            Side::Left | Side::Cut => left(&cell.text, widths[at]),
        };
        // Nothing stands behind the last one.
        let shown = match at == last {
            true => shown.trim_end(),
            false => &shown,
        };
        text += &match cell.tone {
            Tone::Plain => shown.to_owned(),
            Tone::Faint => paint.faint(shown),
            Tone::Strong => paint.strong(shown),
            Tone::Bad => paint.bad(shown),
            Tone::Notable => paint.notable(shown),
        };
        if at != last {
            text += GAP;
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
    text
}

const GAP: &str = "  ";
/// Less than this says nothing; a line rather gets longer.
const CUT_MIN: usize = 12;
