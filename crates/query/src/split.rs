//! Sides of a selection, told on the engine's threads.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use throughline_store::{SplitEnd, SplitQuery, Store, Viewer};

use crate::QueryError;
use crate::engine::{Cost, Engine, now};
use crate::search::{StopFlag, undamaged};
use crate::watch::Wanted;

/// What a split told.
#[derive(Clone, Debug)]
pub struct Split<V> {
    /// Who was told.
    pub viewer: V,
    /// Whether it was stopped before all was told, because it took too long.
    pub truncated: bool,
    /// What it took.
    pub cost: Cost,
}

impl Engine {
    /// Tells a viewer which spans are of a selection. It has a query's turn and a search's time, after which
    /// the viewer is what it was told until then. Dropping the future stops it.
    pub async fn split<V: Viewer + Send + 'static>(
        &self,
        store: &Store,
        query: SplitQuery,
        viewer: impl Fn() -> V + Send + 'static,
    ) -> Result<Split<V>, QueryError> {
        let begun = now();
        let time = self.limits().search_time;
        let stopped = StopFlag::default();
        let work = undamaged(store.scan(), move |scan| {
            let (flag, query, mut viewer) = (Arc::clone(&stopped.0), query.clone(), viewer());
            async move {
                let seen = Arc::clone(&flag);
                let mut telling = tokio::task::spawn_blocking(move || {
                    let end = scan.split(&query, &mut viewer, &seen);
                    end.map(|end| (viewer, end))
                });
                let in_time = tokio::time::timeout(time, &mut telling).await;
                let told = match in_time {
                    Ok(told) => told,
                    Err(_) => {
                        flag.store(true, Ordering::Relaxed);
                        telling.await
                    }
                };
                Ok(told??)
            }
        });
        let told = self.run(Wanted::default().wait(), self.turns(), work).await;
        let (viewer, SplitEnd { looked, truncated }) = told?;
        let cost = Cost {
            rows: looked.rows,
            bytes: looked.bytes,
            segments: looked.parts,
            rollups: looked.rollups,
            elapsed: begun.elapsed(),
        };
        Ok(Split {
            viewer,
            truncated,
            cost,
        })
    }
}
