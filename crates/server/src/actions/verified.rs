//! What came of other memory sizes, once that is known.

use throughline_act::{ActionId, Event, ITSELF, Standing, Verdict};

use super::{ActError, Actions, brief};

impl Actions {
    /// Other memory sizes of which nobody knows yet what came of them.
    pub(crate) fn unverified(&self) -> Vec<Standing> {
        let now = self.now();
        self.log().record.unverified(now)
    }

    /// Writes down what came of another memory size. Nothing is undone by it. How it stands then; none of what is not so
    /// any more, or was told already: to know it takes a while.
    pub(crate) async fn verified(
        &self,
        id: &ActionId,
        verdict: Verdict,
        sentence: &str,
    ) -> Result<Option<Standing>, ActError> {
        // Not while it is being undone.
        let _busy = self.occupy(id)?;
        let standing = self.standing(id)?;
        if !standing.can_be_verified() {
            return Ok(None);
        }
        let event = Event::Verified {
            id: id.clone(),
            verdict,
            sentence: brief(sentence),
        };
        self.note(ITSELF.to_owned(), None, event).await?;
        self.standing(id).map(Some)
    }
}
