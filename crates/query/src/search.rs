//! Searches on the engine's threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use throughline_store::{
    Filter, FoundPoints, ReadError, Scan, Search, SearchError, SearchPage, SearchQuery, Searched,
    Store,
};
use throughline_telemetry::UnixNanos;
use tokio::task::{JoinError, JoinSet};

use crate::QueryError;
use crate::engine::{Cost, Engine, now};
use crate::watch::Wanted;

impl Engine {
    /// Finds rows. Dropping the future stops the search; one that takes long is stopped, too, and
    /// what it found until then is the answer.
    pub async fn search<T: Searched + 'static>(
        &self,
        store: &Store,
        query: SearchQuery,
    ) -> Result<(SearchPage<T>, Cost), QueryError> {
        let begun = now();
        let search = found(
            store.scan(),
            query,
            self.threads(),
            self.limits().search_time,
        );
        let waiting = Wanted::default().wait();
        let page: SearchPage<T> = self.run(waiting, self.searches(), search).await?;
        let cost = Cost {
            rows: page.rows_read,
            bytes: page.bytes_read,
            segments: page.parts_read,
            rollups: 0,
            elapsed: begun.elapsed(),
        };
        Ok((page, cost))
    }

    /// The same for what the server asks by itself: one at a time, on one thread, not counted, and none takes the turn
    /// of somebody who waits.
    pub async fn background_search<T: Searched + 'static>(
        &self,
        store: &Store,
        query: SearchQuery,
    ) -> Result<SearchPage<T>, QueryError> {
        let search = found(store.scan(), query, 1, self.limits().search_time);
        self.run_in_background(Wanted::default().wait(), search)
            .await
    }
}

impl Engine {
    /// Finds metric points, `max` of them at most. Dropping the future stops it.
    pub async fn points(
        &self,
        store: &Store,
        filter: Filter,
        from: UnixNanos,
        to: UnixNanos,
        max: usize,
    ) -> Result<(FoundPoints, Cost), QueryError> {
        let begun = now();
        let work = points(store.scan(), filter, from, to, max);
        let found = self.run(Wanted::default().wait(), self.searches(), work);
        let found = found.await?;
        let cost = Cost {
            rows: found.rows_read,
            bytes: found.bytes_read,
            segments: found.parts_read,
            rollups: 0,
            elapsed: begun.elapsed(),
        };
        Ok((found, cost))
    }

    /// The same for what the server asks by itself: one at a time, not counted, and none takes the turn of somebody who
    /// waits.
    pub async fn background_points(
        &self,
        store: &Store,
        filter: Filter,
        from: UnixNanos,
        to: UnixNanos,
        max: usize,
    ) -> Result<FoundPoints, QueryError> {
        let work = points(store.scan(), filter, from, to, max);
        self.run_in_background(Wanted::default().wait(), work).await
    }
}

/// Says that nobody waits any more, when it is dropped.
#[derive(Default)]
pub(crate) struct StopFlag(pub(crate) Arc<AtomicBool>);

impl Drop for StopFlag {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn points(
    scan: Scan,
    filter: Filter,
    from: UnixNanos,
    to: UnixNanos,
    max: usize,
) -> Result<FoundPoints, QueryError> {
    let stopped = StopFlag::default();
    let found = undamaged(scan, move |scan| {
        let (flag, filter) = (Arc::clone(&stopped.0), filter.clone());
        async move {
            let work = move || scan.points(&filter, from, to, max, &flag);
            Ok(tokio::task::spawn_blocking(work).await??)
        }
    });
    found.await
}

async fn found<T: Searched + 'static>(
    scan: Scan,
    query: SearchQuery,
    threads: usize,
    time: Duration,
) -> Result<SearchPage<T>, QueryError> {
    let found = undamaged(scan, move |scan| {
        attempt(scan, query.clone(), threads, time)
    });
    found.await?.ok_or(QueryError::TooSlow(time))
}

/// Tries until no segment is met that is damaged. Each costs one attempt, and is not met again.
pub(crate) async fn undamaged<T, F: Future<Output = Result<T, Failed>>>(
    mut scan: Scan,
    attempt: impl Fn(Scan) -> F,
) -> Result<T, QueryError> {
    loop {
        match attempt(scan.clone()).await {
            Ok(found) => return Ok(found),
            Err(Failed::Invalid(what)) => return Err(QueryError::Invalid(what)),
            Err(Failed::Ended(error)) => return Err(QueryError::Failed(error.to_string())),
            Err(Failed::Read(error)) => match scan.without_damage(&error) {
                Some(rest) => scan = rest,
                None => return Err(QueryError::Failed(error.to_string())),
            },
        }
    }
}

async fn attempt<T: Searched + 'static>(
    scan: Scan,
    query: SearchQuery,
    threads: usize,
    time: Duration,
) -> Result<Option<SearchPage<T>>, Failed> {
    let planned = tokio::task::spawn_blocking(move || Search::<T>::new(&scan, query));
    let search = Stops(Arc::new(planned.await??));
    let mut workers = JoinSet::new();
    for _ in 0..threads {
        let search = Arc::clone(&search.0);
        workers.spawn_blocking(move || search.work());
    }
    let working = async {
        while let Some(worked) = workers.join_next().await {
            worked??;
        }
        Ok::<(), Failed>(())
    };
    tokio::pin!(working);
    let in_time = tokio::time::timeout(time, &mut working).await;
    match in_time {
        Ok(worked) => worked?,
        Err(_) => {
            search.0.stop();
            working.await?;
        }
    }
    let search = Arc::clone(&search.0);
    Ok(tokio::task::spawn_blocking(move || search.finish()).await??)
}

/// Stops a search that nobody waits for any more.
struct Stops<T: Searched>(Arc<Search<T>>);

impl<T: Searched> Drop for Stops<T> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

pub(crate) enum Failed {
    Invalid(String),
    Read(ReadError),
    Ended(JoinError),
}

impl From<SearchError> for Failed {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Invalid(what) => Failed::Invalid(what),
            SearchError::Read(error) => Failed::Read(error),
        }
    }
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        Failed::Read(error)
    }
}

impl From<JoinError> for Failed {
    fn from(error: JoinError) -> Self {
        Failed::Ended(error)
    }
}
