//! Keeps a task for each shard of a stream, parents before their children.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use throughline_sandbox::{Invoker, StartingPosition, StreamSource};
use tokio::task::JoinSet;

use super::client::{Position, Shard, StreamClient};
use super::shard::Reader;
use crate::aws::Aws;
use crate::deliver::{Backoff, Stop};
use crate::pattern::Pattern;
use crate::reporter::Reporter;

/// What all shards of one source share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) aws: Aws,
    pub(crate) invoker: Invoker,
    pub(crate) reporter: Reporter,
    pub(crate) stop: Stop,
    pub(crate) stream: StreamClient,
    pub(crate) source: StreamSource,
    pub(crate) filters: Vec<Pattern>,
    pub(crate) function_arn: String,
}

/// A stream that is connected: the shards it has now are known, and those that begin with the latest record have begun.
pub(crate) struct Coordinator {
    shared: Arc<Shared>,
    shards: Shards,
    first: BTreeMap<String, String>,
}

impl Coordinator {
    pub(crate) async fn connect(shared: Shared) -> Result<Self, String> {
        let listed = shared.stream.shards().await?;
        let position = shared.source.starting_position;
        let mut first = BTreeMap::new();
        if position == StartingPosition::Latest {
            // Now, so that what is written from here on is seen.
            for shard in listed.iter().filter(|shard| !shard.is_closed) {
                let iterator = shared.stream.iterator(&shard.id, &Position::Latest).await?;
                first.insert(shard.id.clone(), iterator);
            }
        }
        Ok(Self {
            shards: Shards::new(position, &listed),
            shared: Arc::new(shared),
            first,
        })
    }

    pub(crate) async fn run(mut self) {
        let mut running = JoinSet::new();
        let mut backoff = Backoff::default();
        while !self.shared.stop.is_set() {
            let mut pause = SHARDS_LISTED_EVERY;
            match self.shared.stop.during(self.shared.stream.shards()).await {
                None => break,
                Some(Ok(listed)) => {
                    backoff.reset();
                    self.start(&listed, &mut running);
                }
                Some(Err(error)) => {
                    pause = backoff.next();
                    self.shared.reporter.backing_off(pause, &error);
                }
            }
            tokio::select! {
                () = self.shared.stop.set() => {}
                () = tokio::time::sleep(pause) => {}
                Some(ended) = running.join_next() => {
                    if let Ok(shard) = ended {
                        self.shards.ended(shard);
                    }
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    fn start(&mut self, listed: &[Shard], running: &mut JoinSet<String>) {
        for (shard, position) in self.shards.startable(listed) {
            let reader = Reader {
                shared: self.shared.clone(),
                iterator: self.first.remove(&shard),
                shard,
                position,
            };
            running.spawn(reader.run());
        }
    }
}

/// Which shards were begun and which are done with. Pure.
#[derive(Debug)]
struct Shards {
    position: StartingPosition,
    /// Those that were there at the start. Those that come later are read from their beginning, or records were lost.
    initial: BTreeSet<String>,
    started: BTreeSet<String>,
    ended: BTreeSet<String>,
}

impl Shards {
    fn new(position: StartingPosition, listed: &[Shard]) -> Self {
        let closed = listed.iter().filter(|shard| shard.is_closed);
        // What is closed has nothing that is yet to come.
        let ended = match position {
            StartingPosition::Latest => closed.map(|shard| shard.id.clone()).collect(),
            _ => BTreeSet::new(),
        };
        Self {
            position,
            initial: listed.iter().map(|shard| shard.id.clone()).collect(),
            started: ended.clone(),
            ended,
        }
    }

    fn ended(&mut self, shard: String) {
        self.ended.insert(shard);
    }

    /// Shards that can be begun: not begun yet, and all of their parents that there are done with.
    fn startable(&mut self, listed: &[Shard]) -> Vec<(String, Position)> {
        let known: BTreeSet<&str> = listed.iter().map(|shard| shard.id.as_str()).collect();
        // What is no longer listed need not be remembered.
        self.started.retain(|shard| known.contains(shard.as_str()));
        self.ended.retain(|shard| known.contains(shard.as_str()));
        let mut ready = Vec::new();
        for shard in listed {
            let mut parents = shard.parents.iter();
            let waits = parents
                .any(|parent| known.contains(parent.as_str()) && !self.ended.contains(parent));
            if waits || !self.started.insert(shard.id.clone()) {
                continue;
            }
            let position = match self.initial.contains(&shard.id) {
                true => self.position.into(),
                false => Position::Oldest,
            };
            ready.push((shard.id.clone(), position));
        }
        ready
    }
}

/// As often new shards are looked for; also whenever one ends.
const SHARDS_LISTED_EVERY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parents: &[&str], is_closed: bool) -> Shard {
        Shard {
            id: id.to_owned(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            is_closed,
        }
    }

    fn started(shards: &mut Shards, listed: &[Shard]) -> String {
        let started = shards.startable(listed);
        let started: Vec<_> = started
            .iter()
            .map(|(id, position)| format!("{id} {position:?}"))
            .collect();
        started.join(", ")
    }

    #[test]
    fn children_wait_for_all_of_their_parents() {
        let before = [shard("a", &["gone"], false), shard("b", &[], false)];
        let mut shards = Shards::new(StartingPosition::TrimHorizon, &before);
        assert_eq!(started(&mut shards, &before), "a Oldest, b Oldest");
        let merged = [
            shard("a", &["gone"], true),
            shard("b", &[], true),
            shard("c", &["a", "b"], false),
        ];
        assert_eq!(started(&mut shards, &merged), "");
        shards.ended("a".to_owned());
        assert_eq!(started(&mut shards, &merged), "");
        shards.ended("b".to_owned());
        assert_eq!(started(&mut shards, &merged), "c Oldest");
        assert_eq!(started(&mut shards, &merged), "");
    }

    #[test]
    fn latest_holds_for_what_was_open_at_the_start_only() {
        let before = [shard("a", &[], true), shard("b", &["a"], false)];
        let mut shards = Shards::new(StartingPosition::Latest, &before);
        assert_eq!(started(&mut shards, &before), "b Latest");
        shards.ended("b".to_owned());
        let split = [shard("b", &["a"], true), shard("c", &["b"], false)];
        assert_eq!(started(&mut shards, &split), "c Oldest");
    }
}
