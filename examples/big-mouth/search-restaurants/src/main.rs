//! `GET /search?cuisine=thai`: the restaurants that cook it.

mod http;
mod restaurant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use http::{Request, Response};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use restaurant::Restaurant;
use serde_json::json;

#[allow(clippy::disallowed_methods)] // the edge where a function reads its variables
#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let table = std::env::var("RESTAURANTS_TABLE")?;
    let aws = aws_config::from_env()
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await;
    let db = Client::new(&aws);
    lambda_runtime::run(service_fn(async |event| search(event, &db, &table).await)).await
}

async fn search(event: LambdaEvent<Request>, db: &Client, table: &str) -> Result<Response, Error> {
    let Some(cuisine) = event.payload.query.get("cuisine") else {
        return Ok(Response::json(
            400,
            &json!({ "error": "say which cuisine" }),
        ));
    };
    let found = db
        .query()
        .table_name(table)
        .index_name("cuisine")
        .key_condition_expression("cuisine = :cuisine")
        .expression_attribute_values(":cuisine", AttributeValue::S(cuisine.to_owned()))
        .send()
        .await?;
    let restaurants: Vec<Restaurant> = found
        .items()
        .iter()
        .filter_map(Restaurant::from_item)
        .collect();
    tracing::info!(cuisine, count = restaurants.len(), "searched");
    Ok(Response::json(200, &json!({ "restaurants": restaurants })))
}
