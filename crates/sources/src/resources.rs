//! Resources that must be there before anything runs: made where they are not, but never at AWS.

mod make;

use std::time::Duration;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use serde_json::Value;
use throughline_sandbox::Resource;
use tracing::info;

use crate::aws::Aws;
use crate::names::error_text;
use crate::subscribed::find_topic;

/// A resource of a kind that is known here, in the words of CloudFormation.
struct Wanted<'a> {
    kind: Kind,
    name: String,
    properties: &'a Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Queue,
    Topic,
    Bus,
    Stream,
    Table,
    Bucket,
    // These need the ones above.
    Subscription,
    Rule,
}

impl Kind {
    /// The kind, and the property that names the resource.
    fn of(name: &str) -> Option<(Self, &'static str)> {
        Some(match name {
            "AWS::SQS::Queue" => (Self::Queue, "QueueName"),
            "AWS::SNS::Topic" => (Self::Topic, "TopicName"),
            "AWS::SNS::Subscription" => (Self::Subscription, ""),
            "AWS::Events::EventBus" => (Self::Bus, "Name"),
            "AWS::Events::Rule" => (Self::Rule, "Name"),
            "AWS::Kinesis::Stream" => (Self::Stream, "Name"),
            "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => (Self::Table, "TableName"),
            "AWS::S3::Bucket" => (Self::Bucket, "BucketName"),
            _ => return None,
        })
    }
}

/// A resource that is not there and was not made.
#[derive(Debug)]
pub(crate) struct Lacking {
    pub(crate) logical_id: String,
    pub(crate) reason: String,
}

/// Makes sure of all resources, those first that others refer to.
pub(crate) async fn ensure(aws: &Aws, resources: &[Resource]) -> Result<(), Lacking> {
    let mut wanted = Vec::new();
    for resource in resources {
        let Some((kind, property)) = Kind::of(&resource.kind) else {
            return Err(Lacking {
                logical_id: resource.logical_id.clone(),
                reason: format!("resources of the kind {} are not known", resource.kind),
            });
        };
        let name = resource.properties[property].as_str();
        let name = name.unwrap_or(&resource.logical_id).to_owned();
        let properties = &resource.properties;
        let wants = Wanted {
            kind,
            name,
            properties,
        };
        wanted.push((resource.logical_id.as_str(), wants));
    }
    wanted.sort_by_key(|(_, wanted)| wanted.kind);
    let lacking = |logical_id: &str, reason: String| Lacking {
        logical_id: logical_id.to_owned(),
        reason,
    };
    for (logical_id, wanted) in &wanted {
        let made = one(aws, wanted).await;
        made.map_err(|reason| lacking(logical_id, reason))?;
    }
    for (logical_id, wanted) in wanted
        .iter()
        .filter(|(_, wanted)| wanted.kind == Kind::Queue)
    {
        if !aws.endpoint.is_amazon() {
            let redriven = make::redrive(aws, wanted).await;
            redriven.map_err(|reason| lacking(logical_id, reason))?;
        }
    }
    Ok(())
}

async fn one(aws: &Aws, wanted: &Wanted<'_>) -> Result<(), String> {
    if is_there(aws, wanted).await? {
        return Ok(());
    }
    if aws.endpoint.is_amazon() {
        return Err(format!(
            "{} is not there, and nothing is made at AWS: deploy the application first, or use another endpoint",
            wanted.name
        ));
    }
    make::make(aws, wanted).await?;
    info!(name = wanted.name, "resource made");
    Ok(())
}

async fn is_there(aws: &Aws, wanted: &Wanted<'_>) -> Result<bool, String> {
    let name = &wanted.name;
    match wanted.kind {
        Kind::Queue => there(aws.sqs.get_queue_url().queue_name(name).send().await),
        Kind::Topic => Ok(find_topic(&aws.sns, name).await?.is_some()),
        Kind::Bus => there(aws.events.describe_event_bus().name(name).send().await),
        Kind::Stream => {
            let describe = aws.kinesis.describe_stream_summary().stream_name(name);
            there(describe.send().await)
        }
        Kind::Table => there(aws.dynamodb.describe_table().table_name(name).send().await),
        Kind::Bucket => there(aws.s3.head_bucket().bucket(name).send().await),
        // To make these again changes nothing, or changes what is there to what is wanted. What is at AWS was deployed
        // with the topics and buses that they belong to.
        Kind::Subscription | Kind::Rule => Ok(aws.endpoint.is_amazon()),
    }
}

/// That something is not there is an answer; anything else that goes wrong is none.
fn there<T, E>(asked: Result<T, SdkError<E>>) -> Result<bool, String>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let code = asked.as_ref().err().and_then(ProvideErrorMetadata::code);
    match asked {
        Ok(_) => Ok(true),
        Err(_) if code.is_some_and(|code| ABSENT_CODES.contains(&code)) => Ok(false),
        Err(error) => Err(error_text(error)),
    }
}

/// What services say of what is not there.
const ABSENT_CODES: &[&str] = &[
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "NotFound",
    "NoSuchBucket",
];

/// Asks again until a new resource can be used.
async fn until_ready(
    name: &str,
    ask: impl AsyncFn() -> Result<bool, String>,
) -> Result<(), String> {
    for _ in 0..READY_ASKED_MAX {
        if ask().await? {
            return Ok(());
        }
        tokio::time::sleep(READY_PAUSE).await;
    }
    Err(format!(
        "{name} was made, and cannot be used after a minute"
    ))
}

const READY_ASKED_MAX: usize = 300;
const READY_PAUSE: Duration = Duration::from_millis(200);
