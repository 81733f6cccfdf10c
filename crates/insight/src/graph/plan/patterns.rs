//! Patterns to places of a row and what is between them.

use super::expression::{Bound, Resolver};
use super::{Expr, NodeSlot, Piece, Side, SubPattern, Way};
use crate::graph::mistake::{Fault, Place, meant};
use crate::graph::syntax::{EdgePattern, Name, NodePattern, Pattern};
use crate::graph::value::Value;
use crate::graph::vocabulary::{self, Kind, Label, Owner, Property, Types};

/// What a pattern adds.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) nodes: Vec<NodeSlot>,
    pub(super) pieces: Vec<Piece>,
    /// Nodes and pieces, one after the other.
    pub(super) along: Vec<usize>,
}

impl Resolver {
    /// A pattern of MATCH.
    pub(super) fn pattern(&mut self, pattern: &Pattern) -> Result<(), Fault> {
        let is_named = pattern.name.is_some();
        let parts = self.parts(pattern, is_named, true)?;
        if let Some(name) = &pattern.name {
            self.bind(name, Bound::Path(parts.along.clone()))?;
        }
        self.take(parts);
        Ok(())
    }

    /// A pattern that is asked for in a condition: it names nothing new.
    pub(super) fn exists(&mut self, pattern: &Pattern) -> Result<Expr, Fault> {
        let known = self.slots;
        let parts = self.parts(pattern, false, false)?;
        let bound = parts.along.iter().copied().filter(|slot| *slot < known);
        let bound: Vec<usize> = bound.collect();
        self.needs.extend(&bound);
        Ok(Expr::Exists(Box::new(SubPattern {
            nodes: parts.nodes,
            pieces: parts.pieces,
            bound,
        })))
    }

    fn parts(&mut self, pattern: &Pattern, is_named: bool, may_bind: bool) -> Result<Parts, Fault> {
        let mut parts = Parts::default();
        let mut from = self.node(&pattern.start, may_bind, &mut parts)?;
        for (edge, node) in &pattern.pieces {
            let slot = self.next_slot(&edge.place)?;
            let way = match edge.hops {
                None => Way::One,
                Some((few, many)) if pattern.is_shortest => Way::Shortest(few, many),
                Some((few, many)) if is_named || edge.name.is_some() => Way::Each(few, many),
                Some((few, many)) => Way::Any(few, many),
            };
            if let Some(name) = &edge.name {
                if !may_bind {
                    return Err(names_nothing(name));
                }
                let bound = match edge.hops {
                    None => Bound::Edge(slot),
                    Some(_) => Bound::Edges(slot),
                };
                self.bind(name, bound)?;
            }
            parts.along.push(slot);
            let to = self.node(node, may_bind, &mut parts)?;
            self.uses.operations |= edge.types.meet(Types::DOES);
            let properties = self.properties(&edge.properties, Owner::Relationship)?;
            parts
                .pieces
                .push(piece(edge, (slot, from, to), way, properties));
            from = to;
        }
        Ok(parts)
    }

    fn node(
        &mut self,
        pattern: &NodePattern,
        may_bind: bool,
        parts: &mut Parts,
    ) -> Result<usize, Fault> {
        let known = pattern.name.as_ref().and_then(|name| {
            let bound = self.names.get(&name.text)?;
            Some((name, bound.clone()))
        });
        let slot = match (known, &pattern.name) {
            (Some((_, Bound::Node(slot))), _) => slot,
            (Some((name, _)), _) => {
                let what = format!("`{}` is no node", name.text);
                return Err(Fault::new(what, &name.place));
            }
            (None, Some(name)) if !may_bind => return Err(names_nothing(name)),
            (None, name) => {
                let place = name.as_ref().map_or(0..0, |name| name.place.clone());
                let slot = self.next_slot(&place)?;
                if let Some(name) = name {
                    self.bind(name, Bound::Node(slot))?;
                }
                slot
            }
        };
        let operation = Label::Of(Kind::Operation);
        self.uses.operations |= pattern.labels.iter().any(|any| any.contains(&operation));
        parts.along.push(slot);
        parts.nodes.push(NodeSlot {
            slot,
            labels: pattern.labels.clone(),
            properties: self.properties(&pattern.properties, Owner::Node)?,
        });
        Ok(slot)
    }

    pub(super) fn bind(&mut self, name: &Name, bound: Bound) -> Result<(), Fault> {
        match self.names.insert(name.text.clone(), bound) {
            None => Ok(()),
            Some(_) => {
                let what = format!("`{}` is a name of something else already", name.text);
                Err(Fault::new(what, &name.place))
            }
        }
    }

    fn properties(
        &mut self,
        written: &[(Name, Value)],
        owner: Owner,
    ) -> Result<Vec<(Property, Value)>, Fault> {
        let mut properties = Vec::new();
        for (name, value) in written {
            let (property, side) = self.property(name, Some(owner))?;
            if side != Side::Now {
                let what = "between braces stand values of now; others stand in WHERE";
                return Err(Fault::new(what, &name.place));
            }
            properties.push((property, value.clone()));
        }
        Ok(properties)
    }

    /// What a property is, and of which window.
    pub(super) fn property(
        &mut self,
        name: &Name,
        owner: Option<Owner>,
    ) -> Result<(Property, Side), Fault> {
        let (side, bare) = side(&name.text);
        let Some(property) = Property::named(bare) else {
            let has = |word: &&vocabulary::Word| owner.is_none_or(|it| fits(word.owner, it));
            let names = vocabulary::properties().filter(has).map(|word| word.name);
            let what = format!("there is no property `{bare}`: {}", meant(bare, names));
            return Err(Fault::new(what, &name.place));
        };
        if let Some(owner) = owner.filter(|owner| !fits(property.word().owner, *owner)) {
            let (has, has_not) = match owner {
                Owner::Node => ("relationships", "nodes"),
                _ => ("nodes", "relationships"),
            };
            let what = format!("`{bare}` is a property of {has}, and {has_not} have none");
            return Err(Fault::new(what, &name.place));
        }
        let compares = side != Side::Now || property == Property::IsNew;
        if compares && !self.is_compared {
            let what = format!(
                "`{}` needs another window: end the query with COMPARED TO 'yesterday'",
                name.text
            );
            return Err(Fault::new(what, &name.place));
        }
        if side != Side::Now && !property.is_number() {
            let what =
                format!("`{bare}` is no number, of which there is one before and a difference");
            return Err(Fault::new(what, &name.place));
        }
        self.uses.cost |= property == Property::Cost;
        self.uses.changed |= property == Property::Changed;
        Ok((property, side))
    }

    fn next_slot(&mut self, place: &Place) -> Result<usize, Fault> {
        if self.slots >= SLOTS_MAX {
            let what = format!("a query has at most {SLOTS_MAX} nodes and relationships");
            return Err(Fault::new(what, place));
        }
        self.slots += 1;
        Ok(self.slots - 1)
    }
}

fn piece(
    edge: &EdgePattern,
    (slot, from, to): (usize, usize, usize),
    way: Way,
    properties: Vec<(Property, Value)>,
) -> Piece {
    Piece {
        slot,
        from,
        to,
        direction: edge.direction,
        types: edge.types,
        properties,
        way,
    }
}

fn names_nothing(name: &Name) -> Fault {
    let what = format!(
        "`{}` is not in MATCH: a pattern in a condition names nothing new",
        name.text
    );
    Fault::new(what, &name.place)
}

fn fits(owner: Owner, wanted: Owner) -> bool {
    owner == Owner::Both || owner == wanted
}

/// `Δp99`, or `delta_p99`, and `before_p99`.
fn side(name: &str) -> (Side, &str) {
    for prefix in ["Δ", "δ", "delta_"] {
        if let Some(bare) = name.strip_prefix(prefix) {
            return (Side::Difference, bare);
        }
    }
    match name.strip_prefix("before_") {
        Some(bare) => (Side::Before, bare),
        None => (Side::Now, name),
    }
}

/// A row has a place for each.
const SLOTS_MAX: usize = 60;
