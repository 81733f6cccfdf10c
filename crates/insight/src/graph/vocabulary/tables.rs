//! Each word of the language with what it means: a line each.

use super::{Aggregate, Function, Kind, Label, Owner, Property, Types, Word};

const fn word(name: &'static str, means: &'static str) -> Word {
    Word {
        name,
        means,
        owner: Owner::Both,
        unit: "",
    }
}

const fn of(owner: Owner, name: &'static str, unit: &'static str, means: &'static str) -> Word {
    Word {
        name,
        means,
        owner,
        unit,
    }
}

pub(in crate::graph) const LABELS: &[(Label, Word)] = &[
    (Label::Of(Kind::Function), word("Function", "a function")),
    (
        Label::Of(Kind::Service),
        word(
            "Service",
            "something else that sends spans, or that a client names",
        ),
    ),
    (Label::Of(Kind::Table), word("Table", "a table of DynamoDB")),
    (Label::Of(Kind::Queue), word("Queue", "a queue")),
    (Label::Of(Kind::Topic), word("Topic", "a topic")),
    (Label::Of(Kind::Bus), word("Bus", "a bus of events")),
    (Label::Of(Kind::Stream), word("Stream", "a stream")),
    (Label::Of(Kind::Bucket), word("Bucket", "a bucket")),
    (Label::Of(Kind::Database), word("Database", "a database")),
    (Label::Of(Kind::Cache), word("Cache", "a cache")),
    (
        Label::Of(Kind::Host),
        word("Host", "a host of which nothing else is known"),
    ),
    (
        Label::Of(Kind::Operation),
        word(
            "Operation",
            "one of the things that a function or service does; in the graph where a query names it",
        ),
    ),
    (
        Label::Of(Kind::Other),
        word("Other", "what there was no room for"),
    ),
    (
        Label::Resource,
        word("Resource", "whatever is neither function nor service"),
    ),
    (
        Label::Endpoint,
        word("Endpoint", "a function or service that nobody else calls"),
    ),
    (
        Label::External,
        word("External", "a host that is not AWS's"),
    ),
];

pub(in crate::graph) const TYPES: &[(Types, Word)] = &[
    (
        Types::CALLS,
        word("CALLS", "a call that somebody waits for"),
    ),
    (
        Types::TRIGGERS,
        word("TRIGGERS", "a message, or a call that nobody waits for"),
    ),
    (
        Types::READS,
        word("READS", "a call of a resource that looks"),
    ),
    (
        Types::WRITES,
        word(
            "WRITES",
            "a call of a resource that changes data or hands something over",
        ),
    ),
    (
        Types::ADMINISTERS,
        word(
            "ADMINISTERS",
            "a call that changes what there is or who may do what",
        ),
    ),
    (
        Types::DOES,
        word(
            "DOES",
            "from a function or service to its operations; in the graph where a query names it",
        ),
    ),
];

pub(in crate::graph) const PROPERTIES: &[(Property, Word)] = &[
    (
        Property::Id,
        of(Owner::Node, "id", "", "kind and name, such as table:orders"),
    ),
    (
        Property::Kind,
        of(Owner::Node, "kind", "", "function, table, queue, ..."),
    ),
    (
        Property::Name,
        of(Owner::Node, "name", "", "as the map calls it"),
    ),
    (
        Property::Service,
        of(Owner::Node, "service", "", "the service that it is of"),
    ),
    (
        Property::Operation,
        of(Owner::Relationship, "operation", "", "what for"),
    ),
    (
        Property::Type,
        of(Owner::Relationship, "type", "", "CALLS, TRIGGERS or DOES"),
    ),
    (
        Property::Asynchronous,
        of(
            Owner::Relationship,
            "asynchronous",
            "",
            "whether nobody waits for it",
        ),
    ),
    (
        Property::Calls,
        of(Owner::Both, "calls", "count", "how often"),
    ),
    (
        Property::Errors,
        of(Owner::Both, "errors", "count", "how many failed"),
    ),
    (
        Property::Throttles,
        of(
            Owner::Both,
            "throttles",
            "count",
            "how many were refused because there were too many",
        ),
    ),
    (
        Property::ColdStarts,
        of(
            Owner::Node,
            "cold_starts",
            "count",
            "how many began with a cold start",
        ),
    ),
    (
        Property::Rate,
        of(Owner::Both, "rate", "per_second", "calls a second"),
    ),
    (
        Property::ErrorRate,
        of(Owner::Both, "error_rate", "share", "errors by calls"),
    ),
    (
        Property::Time,
        of(
            Owner::Both,
            "time",
            "ms",
            "how long all of them took together",
        ),
    ),
    (
        Property::Wait,
        of(
            Owner::Relationship,
            "wait",
            "ms",
            "how long callers waited: the time of a call, 0 of what nobody waits for",
        ),
    ),
    (
        Property::Mean,
        of(Owner::Both, "mean", "ms", "how long one took in the mean"),
    ),
    (
        Property::P50,
        of(Owner::Both, "p50", "ms", "the median of how long one took"),
    ),
    (
        Property::P99,
        of(Owner::Both, "p99", "ms", "the 99th percentile of the same"),
    ),
    (
        Property::Cost,
        of(
            Owner::Node,
            "cost",
            "usd",
            "what a function is estimated to have cost",
        ),
    ),
    (
        Property::FirstSeen,
        of(
            Owner::Both,
            "first_seen",
            "time",
            "the first minute of the window with a call",
        ),
    ),
    (
        Property::LastSeen,
        of(Owner::Both, "last_seen", "time", "the last one"),
    ),
    (
        Property::Changed,
        of(
            Owner::Node,
            "changed",
            "time",
            "when a function's version or memory was last seen to change",
        ),
    ),
    (
        Property::IsNew,
        of(
            Owner::Both,
            "is_new",
            "",
            "whether it is not in the window that is compared with",
        ),
    ),
];

pub(in crate::graph) const FUNCTIONS: &[(Function, Word)] = &[
    (Function::Labels, word("labels", "the labels of a node")),
    (Function::Type, word("type", "the type of a relationship")),
    (Function::Id, word("id", "the id of a node")),
    (
        Function::Length,
        word("length", "how many relationships a path has"),
    ),
    (Function::Nodes, word("nodes", "the nodes of a path")),
    (
        Function::Relationships,
        word("relationships", "the relationships of a path"),
    ),
    (
        Function::StartNode,
        word("startNode", "where a relationship begins"),
    ),
    (Function::EndNode, word("endNode", "where it ends")),
    (Function::Size, word("size", "how long a list or text is")),
    (
        Function::ToLower,
        word("toLower", "a text in small letters"),
    ),
    (Function::ToUpper, word("toUpper", "a text in capitals")),
    (
        Function::Coalesce,
        word("coalesce", "the first that is not null"),
    ),
    (Function::Abs, word("abs", "a number without its sign")),
    (
        Function::Round,
        word("round", "a number with so many decimals"),
    ),
];

pub(in crate::graph) const AGGREGATES: &[(Aggregate, Word)] = &[
    (
        Aggregate::Count,
        word("count", "how many: count(*), count(x), count(DISTINCT x)"),
    ),
    (Aggregate::Sum, word("sum", "the sum")),
    (Aggregate::Avg, word("avg", "the mean")),
    (Aggregate::Min, word("min", "the least")),
    (Aggregate::Max, word("max", "the greatest")),
    (
        Aggregate::Collect,
        word("collect", "all of them, in a list"),
    ),
];
