//! Tables, which have the most to say.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    LocalSecondaryIndex, Projection, ProjectionType, ScalarAttributeType, StreamSpecification,
    StreamViewType, TableStatus,
};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::names::error_text;
use crate::resources::{Wanted, until_ready};

pub(super) async fn make(aws: &Aws, wanted: &Wanted<'_>) -> Result<(), String> {
    let properties = wanted.properties;
    let (definitions, key) = match properties.get("KeySchema") {
        Some(key) => (properties["AttributeDefinitions"].clone(), key.clone()),
        None => simple(&properties["PrimaryKey"]),
    };
    let view = properties["StreamSpecification"]["StreamViewType"].as_str();
    let stream = view.map(|view| {
        let stream = StreamSpecification::builder().stream_enabled(true);
        stream.stream_view_type(StreamViewType::from(view)).build()
    });
    let create = aws.dynamodb.create_table().table_name(&wanted.name);
    let create = create
        .set_attribute_definitions(Some(built(&definitions, definition)?))
        .set_key_schema(Some(built(&key, key_element)?))
        .set_global_secondary_indexes(indexes(properties, "GlobalSecondaryIndexes", global_index)?)
        .set_local_secondary_indexes(indexes(properties, "LocalSecondaryIndexes", local_index)?)
        .set_stream_specification(stream.transpose().map_err(error_text)?)
        // What a table is paid for makes no difference here.
        .billing_mode(BillingMode::PayPerRequest);
    create.send().await.map_err(error_text)?;
    until_ready(&wanted.name, async || {
        let described = aws.dynamodb.describe_table();
        let described = described.table_name(&wanted.name).send().await;
        let described = described.map_err(error_text)?;
        let status = described.table().and_then(|table| table.table_status());
        Ok(status == Some(&TableStatus::Active))
    })
    .await
}

/// The key of SAM's simple table.
fn simple(primary_key: &Value) -> (Value, Value) {
    let name = primary_key["Name"].as_str().unwrap_or("id");
    let kind = match primary_key["Type"].as_str() {
        Some("Number") => "N",
        Some("Binary") => "B",
        _ => "S",
    };
    (
        json!([{"AttributeName": name, "AttributeType": kind}]),
        json!([{"AttributeName": name, "KeyType": "HASH"}]),
    )
}

fn built<T>(list: &Value, build: fn(&Value) -> Result<T, BuildError>) -> Result<Vec<T>, String> {
    let list = list.as_array().into_iter().flatten();
    list.map(build)
        .collect::<Result<_, _>>()
        .map_err(error_text)
}

fn indexes<T>(
    properties: &Value,
    key: &str,
    build: fn(&Value) -> Result<T, BuildError>,
) -> Result<Option<Vec<T>>, String> {
    let indexes = built(&properties[key], build)?;
    Ok(Some(indexes).filter(|indexes| !indexes.is_empty()))
}

fn definition(value: &Value) -> Result<AttributeDefinition, BuildError> {
    let kind = ScalarAttributeType::from(text(value, "AttributeType"));
    AttributeDefinition::builder()
        .attribute_name(text(value, "AttributeName"))
        .attribute_type(kind)
        .build()
}

fn key_element(value: &Value) -> Result<KeySchemaElement, BuildError> {
    KeySchemaElement::builder()
        .attribute_name(text(value, "AttributeName"))
        .key_type(KeyType::from(text(value, "KeyType")))
        .build()
}

fn global_index(value: &Value) -> Result<GlobalSecondaryIndex, BuildError> {
    GlobalSecondaryIndex::builder()
        .index_name(text(value, "IndexName"))
        .set_key_schema(Some(keys_of(value)?))
        .projection(projection(&value["Projection"]))
        .build()
}

fn local_index(value: &Value) -> Result<LocalSecondaryIndex, BuildError> {
    LocalSecondaryIndex::builder()
        .index_name(text(value, "IndexName"))
        .set_key_schema(Some(keys_of(value)?))
        .projection(projection(&value["Projection"]))
        .build()
}

fn keys_of(index: &Value) -> Result<Vec<KeySchemaElement>, BuildError> {
    let keys = index["KeySchema"].as_array().into_iter().flatten();
    keys.map(key_element).collect()
}

fn projection(value: &Value) -> Projection {
    let others = value["NonKeyAttributes"].as_array().map(|others| {
        let others = others.iter().filter_map(Value::as_str);
        others.map(str::to_owned).collect()
    });
    let kind = value["ProjectionType"].as_str().unwrap_or("ALL");
    Projection::builder()
        .projection_type(ProjectionType::from(kind))
        .set_non_key_attributes(others)
        .build()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
