//! Groups in the order in which they are sent, and bodies made of them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::application::Application;
use super::group::{Encode, Group};
use super::plan::Plan;
use super::proto;

/// Traces one after the other, their groups by the time they are sent. Holds what is encoded and not
/// sent yet, and never more than [`PENDING_MAX`] groups of it.
#[derive(Debug)]
pub(crate) struct Stream {
    encode: Encode,
    plan: Plan,
    next_trace: u64,
    pending: BinaryHeap<Reverse<(u64, u64, usize)>>,
    groups: Vec<Group>,
    free: Vec<usize>,
    /// Ready to be sent, the oldest first.
    ready: VecDeque<usize>,
    made: u64,
    /// How much of the first that is ready has been taken: section and item.
    taken: (usize, usize),
}

/// When trace number so and so begins.
pub(crate) trait Schedule {
    fn start(&self, number: u64) -> u64;
}

/// Items of one section of a group.
struct Run {
    group: usize,
    section: usize,
    items: std::ops::Range<usize>,
}

impl Stream {
    pub(crate) fn new(encode: Encode) -> Self {
        Stream {
            encode,
            plan: Plan::default(),
            next_trace: 0,
            pending: BinaryHeap::new(),
            groups: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            made: 0,
            taken: (0, 0),
        }
    }

    /// Appends a body with exactly so many items.
    pub(crate) fn body(
        &mut self,
        application: &Application,
        seed: u64,
        schedule: &impl Schedule,
        items: usize,
        out: &mut Vec<u8>,
    ) {
        let (mut runs, mut used) = (Vec::new(), Vec::new());
        let mut missing = items;
        while missing > 0 {
            let Some(&group) = self.ready.front() else {
                self.make(application, seed, schedule);
                continue;
            };
            let (section, item) = self.taken;
            let Some(of_it) = self.groups[group].sections.get(section) else {
                self.ready.pop_front();
                self.taken = (0, 0);
                used.push(group);
                continue;
            };
            let end = of_it.ends.len().min(item + missing);
            if item < end {
                missing -= end - item;
                runs.push(Run {
                    group,
                    section,
                    items: item..end,
                });
            }
            self.taken = match end < of_it.ends.len() {
                true => (section, end),
                false => (section + 1, 0),
            };
        }
        for of_one in runs.chunk_by(|a, b| a.group == b.group) {
            self.resource(of_one, out);
        }
        self.free.append(&mut used);
    }

    /// One `ResourceSpans` or `ResourceLogs`, which are alike.
    fn resource(&self, runs: &[Run], out: &mut Vec<u8>) {
        let group = &self.groups[runs[0].group];
        let scope_len = |run: &Run| {
            let section = &group.sections[run.section];
            proto::bytes_len(section.scope.len()) + section.of(run.items.clone()).len()
        };
        let scopes: usize = runs
            .iter()
            .map(|run| proto::bytes_len(scope_len(run)))
            .sum();
        let length = proto::bytes_len(group.resource.len()) + scopes;
        proto::number(out, 0x0a, length as u64);
        proto::bytes(out, 0x0a, &group.resource);
        for run in runs {
            let section = &group.sections[run.section];
            proto::number(out, 0x12, scope_len(run) as u64);
            proto::bytes(out, 0x0a, &section.scope);
            out.extend_from_slice(section.of(run.items.clone()));
        }
    }

    /// One more trace; what is sent before the next begins becomes ready.
    fn make(&mut self, application: &Application, seed: u64, schedule: &impl Schedule) {
        let start = schedule.start(self.next_trace);
        self.plan.fill(application, seed, self.next_trace, start);
        self.next_trace += 1;
        for number in 0..self.plan.invocations.len() {
            let slot = self.free.pop().unwrap_or(self.groups.len());
            if slot == self.groups.len() {
                self.groups.push(Group::default());
            }
            (self.encode)(application, &self.plan, number, &mut self.groups[slot]);
            self.made += 1;
            let sent = self.groups[slot].sent;
            self.pending.push(Reverse((sent, self.made, slot)));
        }
        let now = schedule.start(self.next_trace);
        while let Some(Reverse((sent, _, slot))) = self.pending.peek().copied() {
            if sent > now && self.pending.len() <= PENDING_MAX {
                break;
            }
            self.pending.pop();
            self.ready.push_back(slot);
        }
    }
}

/// About 50 MB.
const PENDING_MAX: usize = 8192;
