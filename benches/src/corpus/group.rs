//! What one invocation sends, encoded: the unit that bodies are made of.

use super::application::{Application, OF_RESOURCE};
use super::plan::{Invocation, Plan};
use super::proto;
use super::random::mix;

/// Items of one resource, by scope. Buffers are used again.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// When it is sent.
    pub(crate) sent: u64,
    /// An encoded `Resource`.
    pub(crate) resource: Vec<u8>,
    pub(crate) sections: [Section; SECTIONS],
}

/// Encoded items of one scope, each with tag and length, and where each ends.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) scope: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<u32>,
}

impl Group {
    /// Empties it, for what this invocation sends.
    pub(crate) fn begin(&mut self, application: &Application, invocation: &Invocation) {
        let function = &application.functions[usize::from(invocation.function)];
        // SDKs send at the end or in the background a little later.
        self.sent = invocation.end + mix(invocation.seed, 5) % 2_000_000_000;
        self.resource.clear();
        self.resource.extend_from_slice(&function.resource);
        let mut environment = Vec::with_capacity(64);
        let slot = mix(invocation.seed, 6) % function.environments;
        let hours = invocation.start / ENVIRONMENT_NANOS;
        let of_it = mix(slot, mix(hours, u64::from(invocation.function)));
        environment.extend_from_slice(b"2026/11/20/[$LATEST]");
        proto::hex(&mut environment, of_it);
        proto::hex(&mut environment, mix(of_it, 1));
        proto::text(
            &mut self.resource,
            OF_RESOURCE,
            "faas.instance",
            &environment,
        );
        for section in &mut self.sections {
            section.scope.clear();
            section.bytes.clear();
            section.ends.clear();
        }
    }
}

impl Section {
    pub(crate) fn item(&mut self, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
        proto::message(&mut self.bytes, tag, write);
        self.ends.push(self.bytes.len() as u32);
    }

    /// Bytes of these items.
    pub(crate) fn of(&self, items: std::ops::Range<usize>) -> &[u8] {
        let at = |item: usize| match item {
            0 => 0,
            _ => self.ends[item - 1] as usize,
        };
        &self.bytes[at(items.start)..at(items.end)]
    }
}

/// How a signal encodes what an invocation sends.
pub(crate) type Encode = fn(&Application, &Plan, usize, &mut Group);

pub(crate) const SECTIONS: usize = 3;
/// How long an environment lives.
const ENVIRONMENT_NANOS: u64 = 2 * 3600 * 1_000_000_000;
