//! Keeping what is tried, so that it is not put back by itself.

use throughline_act::{ActionId, Event, Standing};

use super::{ActError, Actions, already, named};

impl Actions {
    /// Keeps another memory size that is tried. Nothing in the account changes by it, so neither the switch nor the
    /// limit asks.
    pub(crate) async fn keep(&self, id: &ActionId, who: &str) -> Result<Standing, ActError> {
        let who = named(who)?;
        // Not while it is being put back.
        let _busy = self.occupy(id)?;
        let standing = self.standing(id)?;
        if !standing.can_be_kept() {
            return Err(ActError::State(why_not(&standing)));
        }
        self.note(who, None, Event::Kept { id: id.clone() }).await?;
        self.standing(id)
    }
}

fn why_not(standing: &Standing) -> &'static str {
    match standing {
        it if !it.is_in_force() => already(it.state),
        it if it.action.kept().is_none() => ENDS,
        _ => "it does not end by itself",
    }
}

pub(super) const ENDS: &str = "it ends when it was said: another memory size alone can be kept";
