//! What was changed.

use throughline_insight::detect::Change;

use super::{Detection, Reports, logs};

impl Detection {
    /// What was changed, as reports tell it, and timeouts where they were asked for; the first of a function tell how
    /// it was. And what was done with actions, at any time.
    pub(crate) fn changes(&self, reports: &Reports) -> Vec<Change> {
        let mut names = self.kept().names.without_setups();
        let Reports { reports, timeouts } = reports;
        let mut reports: Vec<&logs::Report> = reports.iter().collect();
        reports.sort_by_key(|report| report.minute);
        let mut timeouts: Vec<&logs::Timeouts> = timeouts.iter().collect();
        timeouts.sort_by_key(|of| of.minute);
        let mut changes = Vec::new();
        for of_minute in timeouts.chunk_by(|one, other| one.minute == other.minute) {
            changes.extend(names.timeout_changes(of_minute));
        }
        for of_minute in reports.chunk_by(|one, other| one.minute == other.minute) {
            changes.extend(names.changes_of_minute(of_minute));
        }
        let kept = self.kept();
        let acts = kept.detector.changes().filter(|it| it.by.is_some());
        changes.extend(acts.cloned());
        changes.sort_by_key(|change| change.at);
        changes
    }

    /// Somebody did something to a function, with an action. Blocks on the disk.
    pub(crate) fn changed(&self, change: Change) {
        self.kept().detector.change(change);
        self.save();
    }
}
