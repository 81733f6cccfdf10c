//! How actions do.

use throughline_act::{Action, Standing};

use super::{AGAIN_SECONDS, Actions};

/// What is in force, and what should not be any more.
#[derive(Clone, Debug)]
pub(crate) struct ActionsHealth {
    /// Who stopped all actions, and why, if they are stopped.
    pub(crate) stopped: Option<(String, String)>,
    /// By what they do, how many are in force.
    pub(crate) in_force: [(&'static str, usize); Action::NAMES.len()],
    /// Those whose end was so long ago that undoing them has failed, or hangs.
    pub(crate) overdue: usize,
}

impl Actions {
    pub(crate) fn health(&self) -> ActionsHealth {
        let now = self.now();
        self.with(|record, _| {
            let mut in_force = Action::NAMES.map(|name| (name, 0));
            let mut overdue = 0;
            for standing in record.actions().filter(|it| it.is_in_force()) {
                let name = standing.action.name();
                if let Some((_, count)) = in_force.iter_mut().find(|(known, _)| *known == name) {
                    *count += 1;
                }
                let is_over =
                    |it: &Standing| it.until.is_some_and(|at| at.plus(AGAIN_SECONDS) <= now);
                overdue += usize::from(is_over(standing));
            }
            let stopped = record.gate().stopped();
            ActionsHealth {
                stopped: stopped.map(|(who, why)| (who.to_owned(), why.to_owned())),
                in_force,
                overdue,
            }
        })
    }
}
