//! Reads of the store: off the async threads, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use throughline_store::Store;
use tokio::sync::Semaphore;

use super::error::ApiError;
use super::view;

/// What the endpoints read from. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reads {
    store: Store,
    turns: Arc<Semaphore>,
    wait: Duration,
}

impl Reads {
    pub(super) fn new(store: Store, reads_max: usize, wait: Duration) -> Self {
        Reads {
            store,
            turns: Arc::new(Semaphore::new(reads_max)),
            wait,
        }
    }

    /// Reads and renders on a thread that may block, and answers with the JSON.
    pub(super) async fn answer(
        &self,
        read: impl FnOnce(&Store) -> Result<Vec<u8>, ApiError> + Send + 'static,
    ) -> Result<Response, ApiError> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(self.wait, turn).await;
        let Ok(Ok(turn)) = turn else {
            return Err(ApiError::ReadsBusy);
        };
        let store = self.store.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let json = read(&store);
            drop(turn); // held here, because a caller that goes away does not stop the read
            json
        });
        match reading.await {
            Ok(json) => Ok(view::json_response(json?)),
            Err(error) => {
                tracing::error!(%error, "a read ended badly");
                Err(ApiError::ReadFailed)
            }
        }
    }
}
