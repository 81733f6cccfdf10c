//! The policy that denies.

use serde::Serialize;
use serde_json::{Value, json};

use crate::action::{ActionId, Class, Resource, ResourceKind};
use crate::arn::Arn;
use crate::time::UnixSeconds;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: String,
    effect: &'static str,
    action: &'static [&'static str],
    resource: Vec<String>,
    condition: Value,
}

/// The name of an action's policy. Whatever else a role has is never touched.
pub(crate) fn name(id: &ActionId) -> String {
    format!("Throughline-Deny-{id}")
}

/// Denies the code of one function these operations, until then. Whoever else has the role keeps them, and so does
/// Lambda itself where it polls for the function.
pub(crate) fn deny(
    id: &ActionId,
    function_arn: &str,
    function: &Arn<'_>,
    resource: &Resource,
    class: Class,
    until: UnixSeconds,
) -> String {
    let document = Document {
        version: "2012-10-17",
        statement: [Statement {
            // Letters and digits only may be in it.
            sid: format!("ThroughlineDeny{id}"),
            effect: "Deny",
            action: actions(resource.kind(), class),
            resource: function.beside(resource, class),
            condition: json!({
                "ArnEquals": {"lambda:SourceFunctionArn": function_arn},
                "DateLessThan": {"aws:CurrentTime": until.to_string()},
            }),
        }],
    };
    serde_json::to_string(&document).expect("text and lists of text are JSON")
}

/// The permissions that operations of a class need. Items in a DynamoDB transaction need those of the items.
pub(crate) fn actions(kind: ResourceKind, class: Class) -> &'static [&'static str] {
    match (kind, class) {
        (ResourceKind::Table, Class::Write) => &[
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:PartiQLInsert",
            "dynamodb:PartiQLUpdate",
            "dynamodb:PartiQLDelete",
        ],
        (ResourceKind::Table, Class::All) => &["dynamodb:*"],
        (ResourceKind::Queue, Class::Write) => &[
            "sqs:SendMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:PurgeQueue",
        ],
        (ResourceKind::Queue, Class::All) => &["sqs:*"],
        // Batches need the same permission.
        (ResourceKind::Topic, Class::Write) => &["sns:Publish"],
        (ResourceKind::Topic, Class::All) => &["sns:*"],
        (ResourceKind::Bucket, Class::Write) => &[
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:PutObjectTagging",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:DeleteObjectTagging",
            "s3:AbortMultipartUpload",
            "s3:RestoreObject",
        ],
        (ResourceKind::Bucket, Class::All) => &["s3:*"],
        (ResourceKind::Bus, Class::Write) => &["events:PutEvents"],
        (ResourceKind::Bus, Class::All) => &["events:*"],
        (ResourceKind::Stream, Class::Write) => &["kinesis:PutRecord", "kinesis:PutRecords"],
        (ResourceKind::Stream, Class::All) => &["kinesis:*"],
        (ResourceKind::Function, Class::Write) => &["lambda:InvokeFunction", "lambda:InvokeAsync"],
        (ResourceKind::Function, Class::All) => &["lambda:*"],
    }
}
