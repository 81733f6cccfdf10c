//! Which attributes rows have, and of which kinds their values are.

use super::projection::Projected;
use super::promotion::Kind;
use super::value::{self, attributes_from_json};
use crate::census::Census;
use crate::error::ReadError;
use crate::hash::HashMap;
use crate::limits::CENSUS_KEYS_MAX;

/// The kinds of values by the keys of attributes, those of resources among them.
#[derive(Debug, Default)]
pub(crate) struct Kinds(HashMap<String, KindSet>);

/// Some kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KindSet(u8);

impl Kinds {
    /// What a census says, if it counted all keys.
    pub(super) fn of_census(census: &Census) -> Option<Self> {
        let mut kinds = Kinds::default();
        for (key, kind) in census.0.keys() {
            kinds.note(key, KindSet::of(*kind));
        }
        (census.0.len() < CENSUS_KEYS_MAX).then_some(kinds)
    }

    /// Adds what was read with `attributes` and `resource`.
    pub(crate) fn add(&mut self, read: &Projected) -> Result<(), ReadError> {
        for promoted in &read.form().promoted {
            self.note(&promoted.key, KindSet::of(promoted.kind));
        }
        let residual = read.residual()?;
        let mut found = vec![KindSet::default(); residual.keys.distinct().len()];
        for row in 0..read.rows() {
            for item in residual.range(row) {
                found[residual.keys.code(item)].add(KindSet::of_tag(residual.tag(item)));
            }
        }
        for (key, kinds) in residual.keys.distinct().zip(found) {
            self.note(key, kinds);
        }
        let resources = read.texts("resource")?;
        let mut used = vec![false; resources.distinct().len()];
        (0..resources.len()).for_each(|row| used[resources.code(row)] = true);
        for (text, _) in resources.distinct().zip(used).filter(|(_, used)| *used) {
            let attributes = attributes_from_json(text).map_err(|damage| read.damage(damage))?;
            for (key, value) in attributes.iter() {
                self.note(key, KindSet::of_tag(value::to_text(value).0));
            }
        }
        Ok(())
    }

    /// The kinds of one attribute; none if no row has it.
    pub(crate) fn of(&self, key: &str) -> KindSet {
        self.0.get(key).copied().unwrap_or_default()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let keys = self.0.keys().map(|key| key.len() + 48);
        size_of_val(self) + keys.sum::<usize>()
    }

    fn note(&mut self, key: &str, kinds: KindSet) {
        match self.0.get_mut(key) {
            Some(known) => known.add(kinds),
            None if kinds != KindSet::default() => {
                self.0.insert(key.to_owned(), kinds);
            }
            None => {}
        }
    }
}

impl KindSet {
    pub(crate) fn add(&mut self, other: KindSet) {
        self.0 |= other.0;
    }

    /// The kind that all values can be read as without loss; none if there are no values.
    pub(crate) fn common(self) -> Option<Kind> {
        const INT: KindSet = KindSet::of(Kind::Int);
        const DOUBLE: KindSet = KindSet::of(Kind::Double);
        const BOOL: KindSet = KindSet::of(Kind::Bool);
        match self {
            KindSet(0) => None,
            INT => Some(Kind::Int),
            KindSet(bits) if bits & !(INT.0 | DOUBLE.0) == 0 => Some(Kind::Double),
            BOOL => Some(Kind::Bool),
            _ => Some(Kind::String),
        }
    }

    const fn of(kind: Kind) -> Self {
        KindSet(1 << kind as u8)
    }

    /// Values that are neither numbers nor truth values are read as texts. Null is no value.
    fn of_tag(tag: u8) -> Self {
        match tag {
            value::NULL => KindSet::default(),
            tag => KindSet::of(Kind::of_tag(tag).unwrap_or(Kind::String)),
        }
    }
}
