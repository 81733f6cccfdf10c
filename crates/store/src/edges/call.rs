//! What a client span says of whom it calls: OpenTelemetry's conventions, of today and of before.

use std::borrow::Cow;

use super::NodeKind;

/// The attributes of a span that say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said<'a>([Option<&'a str>; FACTS]);

/// A call that a span tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call<'a> {
    pub(super) kind: NodeKind,
    pub(super) name: Cow<'a, str>,
    pub(super) operation: Cow<'a, str>,
    /// Nobody waits for what comes of it.
    pub(super) is_async: bool,
}

/// What attributes may say, whatever their keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    DbSystem,
    DbNamespace,
    DbCollection,
    DbOperation,
    MessagingSystem,
    MessagingDestination,
    MessagingDestinationKind,
    MessagingOperation,
    Tables,
    Bucket,
    TopicArn,
    QueueUrl,
    Stream,
    InvokedName,
    RpcService,
    RpcMethod,
    PeerService,
    Server,
    Url,
    HttpMethod,
    HttpStatus,
    ErrorType,
    ErrorCode,
}

impl<'a> Said<'a> {
    /// Adds what an attribute says. What has the name of today counts before what has an old one.
    pub(super) fn add(&mut self, (fact, is_old): (Fact, bool), text: &'a str) {
        let said = &mut self.0[fact as usize];
        if !text.is_empty() && (said.is_none() || !is_old) {
            *said = Some(text);
        }
    }

    fn get(&self, fact: Fact) -> Option<&'a str> {
        self.0[fact as usize]
    }

    fn either(&self, facts: &[Fact]) -> Option<&'a str> {
        facts.iter().find_map(|fact| self.get(*fact))
    }

    /// Whether the call was refused because there were too many.
    pub(super) fn is_throttled(&self) -> bool {
        let is_throttle = |text: &str| {
            let text = text.to_ascii_lowercase();
            THROTTLES.iter().any(|word| text.contains(word))
        };
        self.get(Fact::HttpStatus) == Some("429")
            || self.get(Fact::ErrorType) == Some("429")
            || [Fact::ErrorType, Fact::ErrorCode]
                .into_iter()
                .filter_map(|fact| self.get(fact))
                .any(is_throttle)
    }

    /// Whom the span calls, if it says so. `name` is the span's.
    pub(super) fn call(&self, name: &'a str) -> Option<Call<'a>> {
        let (kind, called) = self.callee()?;
        let operation = match kind {
            NodeKind::Database | NodeKind::Cache => self.database_operation(),
            _ => None,
        };
        let operation = operation.or_else(|| {
            let facts = match kind {
                NodeKind::Host => &[Fact::HttpMethod, Fact::RpcMethod],
                _ if kind.is_handed_over() => &[Fact::MessagingOperation, Fact::RpcMethod],
                _ => &[Fact::DbOperation, Fact::RpcMethod],
            };
            self.either(facts).map(Cow::Borrowed)
        });
        let takes = self.get(Fact::MessagingOperation);
        let takes = takes.is_some_and(|operation| RECEIVES.contains(&operation));
        Some(Call {
            kind,
            name: called,
            operation: operation.unwrap_or(Cow::Borrowed(name)),
            is_async: kind.is_handed_over() && !takes,
        })
    }

    fn callee(&self) -> Option<(NodeKind, Cow<'a, str>)> {
        let named = |kind, fact| Some((kind, Cow::Borrowed(self.get(fact)?)));
        named(NodeKind::Function, Fact::InvokedName)
            .or_else(|| self.table())
            .or_else(|| named(NodeKind::Bucket, Fact::Bucket))
            .or_else(|| named(NodeKind::Stream, Fact::Stream))
            .or_else(|| self.destination())
            .or_else(|| self.database())
            .or_else(|| named(NodeKind::Service, Fact::PeerService))
            .or_else(|| self.rpc_service())
            .or_else(|| Some((NodeKind::Host, Cow::Borrowed(self.host()?))))
    }

    /// A table of DynamoDB. Of several the first.
    fn table(&self) -> Option<(NodeKind, Cow<'a, str>)> {
        let is_dynamo = |system: &str| matches!(system, "aws.dynamodb" | "dynamodb" | "DynamoDB");
        let table = match self.get(Fact::Tables) {
            Some(list) if list.starts_with('[') => {
                let names: Vec<String> = serde_json::from_str(list).ok()?;
                Cow::Owned(names.into_iter().next()?)
            }
            Some(name) => Cow::Borrowed(name),
            None if self.get(Fact::DbSystem).is_some_and(is_dynamo) => {
                Cow::Borrowed(self.get(Fact::DbCollection)?)
            }
            None => return None,
        };
        let name = match table {
            Cow::Borrowed(name) => Cow::Borrowed(last_part(name)),
            Cow::Owned(name) => Cow::Owned(last_part(&name).to_owned()),
        };
        Some((NodeKind::Table, name))
    }

    /// Where a message goes, or comes from.
    fn destination(&self) -> Option<(NodeKind, Cow<'a, str>)> {
        let destination = [Fact::MessagingDestination, Fact::QueueUrl, Fact::TopicArn];
        let name = self.either(&destination)?;
        let system = self.get(Fact::MessagingSystem).unwrap_or_default();
        let system = system.to_ascii_lowercase();
        let kind = match system
            .trim_start_matches("aws")
            .trim_start_matches(['_', '.'])
        {
            "sns" | "kafka" | "gcp_pubsub" | "pulsar" => NodeKind::Topic,
            "eventbridge" | "eventgrid" => NodeKind::Bus,
            "kinesis" | "eventhubs" => NodeKind::Stream,
            "" if self.get(Fact::TopicArn) == Some(name) => NodeKind::Topic,
            _ if self.get(Fact::MessagingDestinationKind) == Some("topic") => NodeKind::Topic,
            _ => NodeKind::Queue,
        };
        Some((kind, Cow::Borrowed(last_part(name))))
    }

    fn database(&self) -> Option<(NodeKind, Cow<'a, str>)> {
        let system = self.get(Fact::DbSystem)?;
        let kind = match CACHES.contains(&system) {
            true => NodeKind::Cache,
            false => NodeKind::Database,
        };
        // The number of a cache's database is no name.
        let names: &[Fact] = match kind {
            NodeKind::Cache => &[Fact::Server],
            _ => &[Fact::DbNamespace, Fact::Server],
        };
        Some((kind, Cow::Borrowed(self.either(names).unwrap_or(system))))
    }

    fn database_operation(&self) -> Option<Cow<'a, str>> {
        let operation = self.get(Fact::DbOperation)?;
        Some(match self.get(Fact::DbCollection) {
            Some(collection) => Cow::Owned(format!("{operation} {collection}")),
            None => Cow::Borrowed(operation),
        })
    }

    fn rpc_service(&self) -> Option<(NodeKind, Cow<'a, str>)> {
        let of_method = || Some(self.get(Fact::RpcMethod)?.rsplit_once('/')?.0);
        let service = self.get(Fact::RpcService).or_else(of_method)?;
        Some((NodeKind::Service, Cow::Borrowed(service)))
    }

    fn host(&self) -> Option<&'a str> {
        self.get(Fact::Server).or_else(|| {
            let (_, rest) = self.get(Fact::Url)?.split_once("://")?;
            let authority = rest.split(['/', '?', '#']).next()?;
            let host = authority.rsplit('@').next()?;
            let host = match host.strip_prefix('[') {
                Some(ipv6) => ipv6.split(']').next()?,
                None => host.split(':').next()?,
            };
            (!host.is_empty()).then_some(host)
        })
    }
}

/// What an attribute says with this key, and whether that is an old one.
pub(super) fn fact(key: &str) -> Option<(Fact, bool)> {
    let said = |fact| Some((fact, false));
    let was = |fact| Some((fact, true));
    match key {
        "db.system.name" => said(Fact::DbSystem),
        "db.system" => was(Fact::DbSystem),
        "db.namespace" => said(Fact::DbNamespace),
        "db.name" => was(Fact::DbNamespace),
        "db.collection.name" => said(Fact::DbCollection),
        "db.sql.table" | "db.mongodb.collection" => was(Fact::DbCollection),
        "db.operation.name" => said(Fact::DbOperation),
        "db.operation" => was(Fact::DbOperation),
        "messaging.system" => said(Fact::MessagingSystem),
        "messaging.destination.name" => said(Fact::MessagingDestination),
        "messaging.destination" => was(Fact::MessagingDestination),
        "messaging.destination_kind" => was(Fact::MessagingDestinationKind),
        "messaging.operation.type" => said(Fact::MessagingOperation),
        "messaging.operation.name" | "messaging.operation" => was(Fact::MessagingOperation),
        "aws.dynamodb.table_names" => said(Fact::Tables),
        "aws.table.name" => was(Fact::Tables),
        "aws.s3.bucket" => said(Fact::Bucket),
        "aws.bucket.name" => was(Fact::Bucket),
        "aws.sns.topic.arn" => said(Fact::TopicArn),
        "aws.sqs.queue.url" => said(Fact::QueueUrl),
        "aws.queue.url" | "aws.queue_url" | "messaging.url" => was(Fact::QueueUrl),
        "aws.kinesis.stream_name" => said(Fact::Stream),
        "faas.invoked_name" => said(Fact::InvokedName),
        "rpc.service" => said(Fact::RpcService),
        "rpc.method" => said(Fact::RpcMethod),
        "service.peer.name" => said(Fact::PeerService),
        "peer.service" => was(Fact::PeerService),
        "server.address" => said(Fact::Server),
        "net.peer.name" | "http.host" => was(Fact::Server),
        "url.full" => said(Fact::Url),
        "http.url" => was(Fact::Url),
        "http.request.method" => said(Fact::HttpMethod),
        "http.method" => was(Fact::HttpMethod),
        "http.response.status_code" => said(Fact::HttpStatus),
        "http.status_code" => was(Fact::HttpStatus),
        "error.type" => said(Fact::ErrorType),
        "aws.error.code" | "aws.error_code" => said(Fact::ErrorCode),
        _ => None,
    }
}

/// The name in an ARN or an URL: what is behind the last slash or colon.
fn last_part(name: &str) -> &str {
    let is_address = name.starts_with("arn:") || name.contains("://");
    match name.rsplit(['/', ':']).next() {
        Some(last) if is_address && !last.is_empty() => last,
        _ => name,
    }
}

const FACTS: usize = Fact::ErrorCode as usize + 1;

const CACHES: [&str; 4] = ["redis", "valkey", "memcached", "dragonfly"];

/// Operations that take messages instead of sending them.
const RECEIVES: [&str; 5] = ["receive", "process", "settle", "deliver", "ack"];

/// What is in the names of errors that services give to callers that call too often, in small letters.
pub const THROTTLES: [&str; 6] = [
    "throttl",
    "toomanyrequests",
    "provisionedthroughputexceeded",
    "requestlimitexceeded",
    "limitexceededexception",
    "slowdown",
];

#[cfg(test)]
mod tests;
