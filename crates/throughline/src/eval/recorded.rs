//! Incidents that were recorded, each played again at many times of a day, after days without any.
//!
//! An application is made of cells that do what was recorded, more of them at noon than at night, each with another part
//! of the recording in each slot. What goes wrong goes wrong in some of them. All of it goes the way that telemetry
//! goes: to a server with an empty folder, whose clock goes along. Each incident is sent to a server with a copy of that
//! folder. What is read are answers of the API.

mod score;
mod take;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use fastrand::Rng;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use throughline_telemetry::UnixNanos;

use super::running::{COMPLETE, Running, copied, opened_at};
use crate::progress::Line;
pub(super) use score::Scores;
use score::{Answer, Outcome};
use take::{Piece, Take};

/// What an application does when all is well, and what it did when something was wrong.
pub(super) struct Recording {
    normal: Take,
    incidents: Vec<Take>,
}

/// How much is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Days that are learned from.
    pub(super) learn: u32,
    /// Times at which each incident is played.
    pub(super) seeds: u32,
    /// Days without any that are judged.
    pub(super) days: u32,
}

impl Recording {
    /// What is in a folder: one folder for each take, of which one is called `normal`.
    pub(super) fn load(dir: &Path) -> anyhow::Result<Recording> {
        let shown = || format!("cannot read {}", dir.display());
        let mut folders = Vec::new();
        for entry in fs::read_dir(dir).with_context(shown)? {
            let path = entry.with_context(shown)?.path();
            if path.join("take.json").is_file() {
                folders.push(path);
            }
        }
        folders.sort();
        let takes: anyhow::Result<Vec<Take>> = folders.iter().map(|it| Take::load(it)).collect();
        let (normal, incidents): (Vec<Take>, Vec<Take>) =
            takes?.into_iter().partition(|take| take.name == NORMAL);
        let normal = normal
            .into_iter()
            .next()
            .with_context(|| format!("{} has no folder {NORMAL} with a take", dir.display()))?;
        for take in incidents.iter().chain([&normal]) {
            ensure!(
                take.length >= SLOT + SETTLED,
                "{} is too short: a take has at least {:?}",
                take.name,
                SLOT + SETTLED
            );
        }
        for take in &incidents {
            ensure!(!take.causes.is_empty(), "{} has no cause", take.name);
        }
        Ok(Recording { normal, incidents })
    }

    /// Plays all of it. Puts everything into this folder and takes it away again.
    pub(super) async fn play(
        &self,
        plan: Plan,
        folder: &Path,
        line: &mut Line,
    ) -> anyhow::Result<Scores> {
        let quiet = folder.join("quiet");
        let learned = BEGIN.plus(DAY * plan.learn);
        let end = learned.plus(DAY * plan.days);
        let mut player = Player::new(SEED);
        let server = Running::start(&quiet, learned).await?;
        let normal = Course {
            normal: &self.normal,
            wrong: None,
        };
        player.play(&server, normal, BEGIN..learned, line).await?;
        server.stop().await?;
        // One that has never watched learns from what is stored.
        fs::remove_dir_all(quiet.join("detection")).context("cannot make it watch anew")?;
        let mut server = Running::start(&quiet, learned.plus(COMPLETE)).await?;
        let mut scores = Scores::default();
        let mut at = learned;
        for seed in 0..plan.seeds {
            let begin = player.time_of(seed, plan, learned);
            player.play(&server, normal, at..begin, line).await?;
            server.until_watched().await?;
            at = begin;
            server.stop().await?;
            let mut played = stream::iter(&self.incidents)
                .map(|take| self.incident(Wrong::new(take, begin, seed), &quiet, folder))
                .buffered(AT_ONCE);
            while let Some(outcome) = played.next().await {
                let (outcome, items) = outcome?;
                scores.outcomes.push(outcome);
                player.items += items;
                let count = scores.outcomes.len();
                line.show(|| {
                    let all = self.incidents.len() * usize::try_from(plan.seeds).unwrap_or(0);
                    format!("{count} of {all} incidents are played")
                });
            }
            server = Running::start(&quiet, begin.plus(COMPLETE)).await?;
        }
        player.play(&server, normal, at..end, line).await?;
        server.until_watched().await?;
        let opened = server.opened(learned).await?;
        server.stop().await?;
        scores.quiet_days = usize::try_from(plan.days)?;
        scores.quiet = opened
            .iter()
            .filter(|it| !is_merged(it))
            .map(title)
            .collect();
        scores.items = player.items;
        fs::remove_dir_all(&quiet).with_context(|| format!("cannot delete {}", quiet.display()))?;
        Ok(scores)
    }

    /// What a server that has known the days before says of an incident, and how much it was sent. It has a copy of its
    /// folder.
    async fn incident(
        &self,
        wrong: Wrong<'_>,
        known: &Path,
        folder: &Path,
    ) -> anyhow::Result<(Outcome, u64)> {
        let data = folder.join(&wrong.take.name);
        copied(known, &data)?;
        let server = Running::start(&data, wrong.begin.plus(COMPLETE)).await?;
        let course = Course {
            normal: &self.normal,
            wrong: Some(&wrong),
        };
        let end = wrong.begin.plus(wrong.take.lasts);
        let mut player = Player::of(&wrong);
        let times = wrong.begin..end;
        player
            .play(&server, course, times, &mut Line::none())
            .await?;
        server.until_watched().await?;
        let mut opened = server.opened(wrong.begin).await?;
        opened.sort_by_key(opened_at);
        let mut answer = Answer::default();
        if let Some(first) = opened.first() {
            let after = opened_at(first).0.saturating_sub(wrong.begin.0);
            answer.noticed = Some(Duration::from_nanos(after));
            answer.beside = opened.iter().filter(|it| !is_merged(it)).count() - 1;
            let id = first["merged_into"].as_u64().or(first["id"].as_u64());
            let id = id.context("an incident has no number")?;
            let known = server.load(&format!("/api/v1/incidents/{id}")).await?;
            answer.said = title(&known);
            answer.causes = suspects(&known);
        }
        server.stop().await?;
        fs::remove_dir_all(&data).with_context(|| format!("cannot delete {}", data.display()))?;
        Ok((Outcome::new(wrong.take, wrong.seed, answer), player.items))
    }
}

/// Sends what happens, slot after slot.
struct Player {
    random: Rng,
    /// Of the last copy.
    key: u32,
    /// Spans and log records that were sent.
    items: u64,
}

/// What happens.
#[derive(Clone, Copy)]
struct Course<'a> {
    normal: &'a Take,
    wrong: Option<&'a Wrong<'a>>,
}

/// Something that goes wrong from some time on.
struct Wrong<'a> {
    take: &'a Take,
    begin: UnixNanos,
    /// The number of this time.
    seed: u32,
    /// In which share of the cells.
    share: f64,
}

impl<'a> Wrong<'a> {
    fn new(take: &'a Take, begin: UnixNanos, seed: u32) -> Self {
        let mut random = Rng::with_seed(SEED ^ u64::from(seed) << 8);
        Wrong {
            take,
            begin,
            seed,
            share: match take.everywhere {
                true => 1.0,
                false => SHARE_MIN + (1.0 - SHARE_MIN) * random.f64(),
            },
        }
    }
}

impl Player {
    fn new(seed: u64) -> Self {
        Player {
            random: Rng::with_seed(seed),
            key: 0,
            items: 0,
        }
    }

    /// Who plays an incident. Its server has a copy of the days before, so that its keys must differ from theirs alone.
    fn of(wrong: &Wrong<'_>) -> Self {
        let name = wrong.take.name.bytes().map(u64::from).sum::<u64>();
        Player {
            key: KEYS_OF_INCIDENTS,
            ..Player::new(SEED ^ u64::from(wrong.seed) << 8 ^ name << 16)
        }
    }

    /// When something goes wrong for the nth time: in the nth part of the days, at a whole slot.
    fn time_of(&mut self, seed: u32, plan: Plan, learned: UnixNanos) -> UnixNanos {
        let part = DAY * plan.days / plan.seeds;
        let slots = part.as_secs() / SLOT.as_secs();
        let slots = u32::try_from(self.random.u64(..slots.max(1))).unwrap_or(0);
        let day = learned.plus(part * seed);
        let at = day.plus(SLOT * slots);
        UnixNanos(at.0 - at.0 % nanos(SLOT))
    }

    /// Plays from one time to another, with the server's clock.
    async fn play(
        &mut self,
        server: &Running,
        course: Course<'_>,
        times: std::ops::Range<UnixNanos>,
        line: &mut Line,
    ) -> anyhow::Result<()> {
        let mut at = times.start;
        while at < times.end {
            let pieces = self.pieces(course, at);
            for request in take::requests(&pieces, SLOT, at) {
                self.items += request.items() as u64;
                server.send(&request).await?;
            }
            at = at.plus(SLOT);
            server.set_clock(at.plus(COMPLETE));
            let items = self.items;
            line.show(|| {
                let days = (at.0 - BEGIN.0) as f64 / nanos(DAY) as f64;
                format!("day {days:.2}: {items} spans and log records sent")
            });
        }
        Ok(())
    }

    /// What the cells do in a slot.
    fn pieces<'a>(&mut self, course: Course<'a>, at: UnixNanos) -> Vec<Piece<'a>> {
        let hour = usize::try_from(at.0 % nanos(DAY) / nanos(HOUR)).unwrap_or(0);
        let cells = CELLS[hour];
        let wrong = course.wrong;
        let pieces = (0..cells).map(|cell| {
            let is_in = |wrong: &&Wrong<'_>| f64::from(cell) < f64::from(cells) * wrong.share;
            let wrong = wrong.filter(is_in);
            let take = wrong.map_or(course.normal, |wrong| wrong.take);
            // It begins as it began, and then goes on.
            let from = match wrong {
                Some(wrong) if wrong.begin == at => Duration::ZERO..Duration::ZERO,
                Some(_) => SETTLED..take.length - SLOT,
                None => Duration::ZERO..take.length - SLOT,
            };
            let room = u64::try_from((from.end - from.start).as_millis()).unwrap_or(0);
            self.key += 1;
            Piece {
                take,
                offset: from.start + Duration::from_millis(self.random.u64(..=room)),
                key: self.key.wrapping_mul(KEY_STEP),
            }
        });
        pieces.collect()
    }
}

/// Who is named, the most probable first: the causes that are worked out, then whom the findings are of.
fn suspects(incident: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let causes = list(&incident["cause"]["causes"]);
    let findings = list(&incident["findings"]);
    let nodes = causes.iter().map(|cause| &cause["node"]);
    let nodes = nodes.chain(findings.iter().map(|it| &it["subject"]["node"]));
    let mut seen = BTreeSet::new();
    let names = nodes.filter_map(|node| node.as_str().map(str::to_owned));
    names.filter(|name| seen.insert(name.clone())).collect()
}

fn is_merged(incident: &Value) -> bool {
    !incident["merged_into"].is_null()
}

fn title(incident: &Value) -> String {
    incident["title"].as_str().unwrap_or_default().to_owned()
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

const NORMAL: &str = "normal";
/// 2023-09-04T00:00:00Z, a Monday. What is replayed begins at any time.
const BEGIN: UnixNanos = UnixNanos(1_693_785_600 * 1_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// New calls are new after three days.
pub(super) const LEARN_DAYS: u32 = 3;
/// What is cut out of a take at once.
const SLOT: Duration = Duration::from_secs(120);
/// How a take begins is over.
const SETTLED: Duration = Duration::from_secs(30);
/// By the hour of the day.
const CELLS: [u32; 24] = [
    1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 3, 4, 4, 4, 3, 2, 2,
];
const SHARE_MIN: f64 = 0.4;
const SEED: u64 = 11;
/// Incidents that are played at once: each reads and judges on a core of its own.
const AT_ONCE: usize = 2;
/// More copies than there are in days in which all is well.
const KEYS_OF_INCIDENTS: u32 = 1 << 24;
/// Odd, so that each copy has another key.
const KEY_STEP: u32 = 0x9e37_79b1;
