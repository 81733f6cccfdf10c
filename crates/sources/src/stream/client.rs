//! The two kinds of stream behind one face.

use throughline_sandbox::StartingPosition;

use super::dynamodb::DynamoDb;
use super::kinesis::Kinesis;
use super::record::Record;
use crate::aws::Aws;

/// A stream that is there.
#[derive(Debug, Clone)]
pub(crate) enum StreamClient {
    Kinesis(Kinesis),
    DynamoDb(DynamoDb),
}

/// One shard of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) id: String,
    /// Shards whose records come before those of this one.
    pub(super) parents: Vec<String>,
    /// Nothing is written to it any more.
    pub(super) is_closed: bool,
}

/// Where a shard is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    Oldest,
    Latest,
    /// Seconds since 1970.
    At(u64),
    /// The record with this sequence number.
    After(String),
}

impl From<StartingPosition> for Position {
    fn from(position: StartingPosition) -> Self {
        match position {
            StartingPosition::TrimHorizon => Self::Oldest,
            StartingPosition::Latest => Self::Latest,
            StartingPosition::AtTimestamp(seconds) => Self::At(seconds),
        }
    }
}

/// What one read brought.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) records: Vec<Record>,
    /// How to go on; `None` at the end of a shard that is closed.
    pub(super) next: Option<String>,
    /// There is nothing newer in the shard.
    pub(super) is_tip: bool,
}

/// Why nothing was read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The iterator is too old; another one leads on.
    Expired,
    Other(String),
}

impl StreamClient {
    pub(crate) async fn kinesis(aws: &Aws, name_or_arn: &str) -> Result<Self, String> {
        Kinesis::open(&aws.kinesis, name_or_arn)
            .await
            .map(Self::Kinesis)
    }

    pub(crate) async fn dynamodb(aws: &Aws, name_or_arn: &str) -> Result<Self, String> {
        DynamoDb::open(aws, name_or_arn).await.map(Self::DynamoDb)
    }

    pub(super) fn arn(&self) -> &str {
        match self {
            Self::Kinesis(stream) => &stream.arn,
            Self::DynamoDb(stream) => &stream.arn,
        }
    }

    /// What an account of a batch that was given up calls it.
    pub(super) fn batch_info(&self) -> &'static str {
        match self {
            Self::Kinesis(_) => "KinesisBatchInfo",
            Self::DynamoDb(_) => "DDBStreamBatchInfo",
        }
    }

    pub(super) async fn shards(&self) -> Result<Vec<Shard>, String> {
        match self {
            Self::Kinesis(stream) => stream.shards().await,
            Self::DynamoDb(stream) => stream.shards().await,
        }
    }

    pub(super) async fn iterator(
        &self,
        shard: &str,
        position: &Position,
    ) -> Result<String, String> {
        match self {
            Self::Kinesis(stream) => stream.iterator(shard, position).await,
            Self::DynamoDb(stream) => stream.iterator(shard, position).await,
        }
    }

    pub(super) async fn read(
        &self,
        shard: &str,
        iterator: &str,
        most: usize,
    ) -> Result<Page, ReadError> {
        match self {
            Self::Kinesis(stream) => stream.read(shard, iterator, most).await,
            Self::DynamoDb(stream) => stream.read(iterator, most).await,
        }
    }
}
