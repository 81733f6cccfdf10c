//! The words of the language that name something of the graph: labels, types, properties, functions.

mod tables;

pub(super) use tables::LABELS;
use tables::{AGGREGATES, FUNCTIONS, PROPERTIES, TYPES};

/// What a node may be called in a pattern. Each has the label of its kind, and those of the groups that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A function.
    Function,
    /// Something else that sends spans, or a service that a client names.
    Service,
    /// A table of a database without servers.
    Table,
    /// A queue.
    Queue,
    /// A topic.
    Topic,
    /// A bus of events.
    Bus,
    /// A stream.
    Stream,
    /// A bucket of objects.
    Bucket,
    /// A database with all its tables.
    Database,
    /// A cache.
    Cache,
    /// A host of which nothing else is known.
    Host,
    /// One of the things that a function or a service does.
    Operation,
    /// Any of those that there was no room for.
    Other,
}

/// A label of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Of(Kind),
    Resource,
    Endpoint,
    External,
}

/// A type of a relationship, as a bit of a set. An edge may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types(u8);

/// A property of nodes, relationships or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Property {
    Id,
    Kind,
    Name,
    Service,
    Operation,
    Type,
    Asynchronous,
    Calls,
    Errors,
    Throttles,
    ColdStarts,
    Rate,
    ErrorRate,
    Time,
    Wait,
    Mean,
    P50,
    P99,
    Cost,
    FirstSeen,
    LastSeen,
    Changed,
    IsNew,
}

/// Who has a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nodes.
    Node,
    /// Relationships.
    Relationship,
    /// Nodes and relationships.
    Both,
}

/// A word of the language, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// As it is written.
    pub name: &'static str,
    /// In a sentence.
    pub means: &'static str,
    /// Of properties, who has it.
    pub owner: Owner,
    /// Of properties that are numbers, in what: `ms`, `usd`, `per_second`, `share`, `count`. `time` is one of those
    /// that are times; else it is empty.
    pub unit: &'static str,
}

/// A function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Labels,
    Type,
    Id,
    Length,
    Nodes,
    Relationships,
    StartNode,
    EndNode,
    Size,
    ToLower,
    ToUpper,
    Coalesce,
    Abs,
    Round,
}

/// What many values become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Collect,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 13] = [
        Kind::Function,
        Kind::Service,
        Kind::Table,
        Kind::Queue,
        Kind::Topic,
        Kind::Bus,
        Kind::Stream,
        Kind::Bucket,
        Kind::Database,
        Kind::Cache,
        Kind::Host,
        Kind::Operation,
        Kind::Other,
    ];

    /// Its name, as the map's ids begin with.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Function => "function",
            Kind::Service => "service",
            Kind::Table => "table",
            Kind::Queue => "queue",
            Kind::Topic => "topic",
            Kind::Bus => "bus",
            Kind::Stream => "stream",
            Kind::Bucket => "bucket",
            Kind::Database => "database",
            Kind::Cache => "cache",
            Kind::Host => "host",
            Kind::Operation => "operation",
            Kind::Other => "other",
        }
    }

    /// The one of a name.
    pub fn named(name: &str) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it does something by itself.
    pub(super) fn acts(self) -> bool {
        matches!(self, Kind::Function | Kind::Service)
    }
}

impl Types {
    pub(super) const NONE: Types = Types(0);
    pub(super) const CALLS: Types = Types(1);
    pub(super) const TRIGGERS: Types = Types(2);
    pub(super) const READS: Types = Types(4);
    pub(super) const WRITES: Types = Types(8);
    pub(super) const ADMINISTERS: Types = Types(16);
    pub(super) const DOES: Types = Types(32);

    pub(super) fn and(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }

    /// Whether one of these is among the others.
    pub(super) fn meet(self, others: Types) -> bool {
        self.0 & others.0 != 0
    }

    /// The name of the first.
    pub(super) fn name(self) -> &'static str {
        let first = TYPES.iter().find(|(of, _)| self.meet(*of));
        first.map_or("", |(_, word)| word.name)
    }

    pub(super) fn named(name: &str) -> Option<Types> {
        let all = TYPES.iter();
        let mut found = all.filter(|(_, word)| word.name.eq_ignore_ascii_case(name));
        found.next().map(|(types, _)| *types)
    }
}

impl Label {
    pub(super) fn named(name: &str) -> Option<Label> {
        let all = LABELS.iter();
        let mut found = all.filter(|(_, word)| word.name.eq_ignore_ascii_case(name));
        found.next().map(|(label, _)| *label)
    }
}

impl Property {
    pub(super) fn named(name: &str) -> Option<Property> {
        let small = name.to_lowercase();
        let mut all = PROPERTIES.iter();
        all.find(|(_, word)| word.name == small).map(|it| it.0)
    }

    pub(super) fn word(self) -> &'static Word {
        let found = PROPERTIES.iter().find(|(property, _)| *property == self);
        &found
            .expect("each property has a line, which a test holds")
            .1
    }

    /// Whether it is a number, of which there is one before and a difference.
    pub(super) fn is_number(self) -> bool {
        !matches!(self.word().unit, "" | "time")
    }
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Function> {
        let mut all = FUNCTIONS.iter();
        all.find(|(_, word)| word.name.eq_ignore_ascii_case(name))
            .map(|it| it.0)
    }

    /// The fewest and the most arguments.
    pub(super) fn arguments(self) -> (usize, usize) {
        match self {
            Function::Coalesce => (1, 8),
            Function::Round => (1, 2),
            _ => (1, 1),
        }
    }
}

impl Aggregate {
    pub(super) fn named(name: &str) -> Option<Aggregate> {
        let mut all = AGGREGATES.iter();
        all.find(|(_, word)| word.name.eq_ignore_ascii_case(name))
            .map(|it| it.0)
    }
}

/// What there is to write about the graph.
pub fn labels() -> impl Iterator<Item = &'static Word> + Clone {
    LABELS.iter().map(|(_, word)| word)
}

/// The types of relationships.
pub fn types() -> impl Iterator<Item = &'static Word> + Clone {
    TYPES.iter().map(|(_, word)| word)
}

/// The properties of nodes and relationships.
pub fn properties() -> impl Iterator<Item = &'static Word> + Clone {
    PROPERTIES.iter().map(|(_, word)| word)
}

/// The functions, those that aggregate first.
pub fn functions() -> impl Iterator<Item = &'static Word> + Clone {
    let aggregates = AGGREGATES.iter().map(|(_, word)| word);
    aggregates.chain(FUNCTIONS.iter().map(|(_, word)| word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_one_line() {
        let words = [labels().collect::<Vec<_>>(), types().collect()];
        for list in [
            words.concat(),
            properties().collect(),
            functions().collect(),
        ] {
            let mut names: Vec<&str> = list.iter().map(|word| word.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
            assert!(list.iter().all(|word| !word.means.is_empty()));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
            let has_label = LABELS.iter().any(|(label, _)| *label == Label::Of(kind));
            assert!(has_label, "{}", kind.name());
        }
        for (property, word) in PROPERTIES {
            assert_eq!(Property::named(word.name), Some(*property));
            assert_eq!(property.word(), word);
        }
    }
}
