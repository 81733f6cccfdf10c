//! A function that calls the services of AWS through their clients.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put,
    ScalarAttributeType, TransactWriteItem,
};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sns::types::PublishBatchRequestEntry;
use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};
use throughline_sdk as throughline;

/// What may not be seen of what is sent.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

#[throughline::lambda(init = configure)]
pub(crate) async fn call(event: LambdaEvent<Value>, config: &SdkConfig) -> Result<Value, Error> {
    if event.payload["echo"].is_string() {
        return Ok(json!({"password": PASSWORD, "said": "yes"}));
    }
    table(config).await?;
    bucket(config).await?;
    topic(config).await?;
    stream(config).await?;
    bus(config).await?;
    function(config).await?;
    Ok(Value::Null)
}

async fn configure() -> Result<SdkConfig, Error> {
    let client = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_config::defaults(BehaviorVersion::latest());
    let client = throughline::aws_client(client);
    Ok(config.http_client(client).load().await)
}

async fn table(config: &SdkConfig) -> Result<(), Error> {
    let db = aws_sdk_dynamodb::Client::new(config);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let key = AttributeDefinition::builder().attribute_name("id");
    let hash = KeySchemaElement::builder().attribute_name("id");
    db.create_table()
        .table_name("orders")
        .attribute_definitions(key.attribute_type(ScalarAttributeType::S).build()?)
        .key_schema(hash.key_type(KeyType::Hash).build()?)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    let put = db.put_item().table_name("orders").item("id", text("7"));
    put.item("password", text(PASSWORD)).send().await?;
    let put = db.put_item().table_name("orders").item("id", text("7"));
    let put = put.condition_expression("attribute_not_exists(id)");
    put.send().await.unwrap_err();
    let found = db.get_item().table_name("orders").key("id", text("7"));
    assert!(found.send().await?.item.is_some());
    let update = db.update_item().table_name("orders").key("id", text("7"));
    let update = update.update_expression("SET cups = :cups");
    let update = update.expression_attribute_values(":cups", text("2"));
    update.send().await?;
    let query = db.query().table_name("orders");
    let query = query.key_condition_expression("id = :id");
    let query = query.expression_attribute_values(":id", text("7"));
    assert_eq!(query.send().await?.count, 1);
    let put = Put::builder().table_name("orders").item("id", text("8"));
    let change = TransactWriteItem::builder().put(put.build()?).build();
    let changes = db.transact_write_items().transact_items(change);
    changes.send().await?;
    let delete = db.delete_item().table_name("orders").key("id", text("8"));
    delete.send().await?;
    Ok(())
}

async fn bucket(config: &SdkConfig) -> Result<(), Error> {
    let config = aws_sdk_s3::config::Builder::from(config);
    let s3 = aws_sdk_s3::Client::from_conf(config.force_path_style(true).build());
    s3.create_bucket().bucket("receipts").send().await?;
    let receipt = json!({"order": 7, "password": PASSWORD}).to_string();
    let (bucket, key) = ("receipts", "2026/no 7.json");
    let put = s3.put_object().bucket(bucket).key(key);
    let put = put.content_type("application/json");
    put.body(ByteStream::from(receipt.clone().into_bytes()))
        .send()
        .await?;
    let found = s3.get_object().bucket(bucket).key(key).send().await?;
    assert_eq!(found.body.collect().await?.into_bytes(), receipt);
    s3.head_object().bucket(bucket).key(key).send().await?;
    let missing = s3.get_object().bucket(bucket).key("missing").send().await;
    missing.unwrap_err();
    let long = ByteStream::from(vec![b'x'; 100 << 10]);
    let put = s3.put_object().bucket(bucket).key("long");
    put.content_type("text/plain").body(long).send().await?;
    let long = s3.get_object().bucket(bucket).key("long").send().await?;
    assert_eq!(long.body.collect().await?.into_bytes().len(), 100 << 10);
    s3.delete_object().bucket(bucket).key(key).send().await?;
    Ok(())
}

async fn topic(config: &SdkConfig) -> Result<(), Error> {
    let sns = aws_sdk_sns::Client::new(config);
    let topic = sns.create_topic().name("told").send().await?;
    let topic = topic.topic_arn.unwrap_or_default();
    let message = json!({"password": PASSWORD}).to_string();
    let publish = sns.publish().topic_arn(&topic).message(message);
    publish.send().await?;
    let mut batch = sns.publish_batch().topic_arn(&topic);
    for id in ["a", "b"] {
        let entry = PublishBatchRequestEntry::builder().id(id).message(id);
        batch = batch.publish_batch_request_entries(entry.build()?);
    }
    batch.send().await?;
    Ok(())
}

async fn stream(config: &SdkConfig) -> Result<(), Error> {
    let kinesis = aws_sdk_kinesis::Client::new(config);
    let create = kinesis.create_stream().stream_name("clicks");
    create.shard_count(1).send().await?;
    let data = || aws_sdk_kinesis::primitives::Blob::new("click");
    let put = kinesis.put_record().stream_name("clicks");
    put.partition_key("a").data(data()).send().await?;
    let mut put = kinesis.put_records().stream_name("clicks");
    for key in ["a", "b"] {
        let record = PutRecordsRequestEntry::builder().partition_key(key);
        put = put.records(record.data(data()).build()?);
    }
    put.send().await?;
    Ok(())
}

async fn bus(config: &SdkConfig) -> Result<(), Error> {
    let detail = json!({"password": PASSWORD}).to_string();
    let event = PutEventsRequestEntry::builder().source("shop");
    let event = event.detail_type("sold").detail(detail).build();
    let events = aws_sdk_eventbridge::Client::new(config);
    events.put_events().entries(event).send().await?;
    Ok(())
}

/// Calls itself.
async fn function(config: &SdkConfig) -> Result<(), Error> {
    let lambda = aws_sdk_lambda::Client::new(config);
    let payload = || aws_sdk_lambda::primitives::Blob::new(r#"{"echo": "x"}"#);
    for kind in [InvocationType::RequestResponse, InvocationType::Event] {
        let invoke = lambda.invoke().function_name("shop");
        let invoke = invoke.invocation_type(kind).payload(payload());
        invoke.send().await?;
    }
    let missing = lambda.invoke().function_name("nobody").payload(payload());
    missing.send().await.unwrap_err();
    Ok(())
}
