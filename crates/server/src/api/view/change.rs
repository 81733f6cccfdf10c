//! What was changed.

use serde::Serialize;
use throughline_insight::detect::Change;
use throughline_telemetry::UnixNanos;

use super::Text;

/// The newest of the changes that were asked for.
#[derive(Serialize)]
pub(in crate::api) struct ChangeList<'a> {
    changes: Vec<ChangeView<'a>>,
    total: usize,
    truncated: bool,
}

/// Something that somebody did to a node.
#[derive(Serialize)]
pub(super) struct ChangeView<'a> {
    node: &'a str,
    what: String,
    before: Option<&'a str>,
    at_unix_nanos: Text<UnixNanos>,
}

impl<'a> ChangeList<'a> {
    /// The first of these.
    pub(in crate::api) fn new(found: &[&'a Change], limit: usize) -> Self {
        let shown = found.iter().copied().take(limit);
        ChangeList {
            changes: shown.map(ChangeView::new).collect(),
            total: found.len(),
            truncated: found.len() > limit,
        }
    }
}

impl<'a> ChangeView<'a> {
    pub(super) fn new(change: &'a Change) -> Self {
        ChangeView {
            node: &change.node,
            what: change.words(),
            before: change.before.as_deref(),
            at_unix_nanos: Text(change.at),
        }
    }
}
