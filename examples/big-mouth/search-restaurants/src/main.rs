//! `GET /search?cuisine=thai`: the restaurants that cook it.

mod cache;
mod http;
mod restaurant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use cache::Cache;
use http::{Request, Response};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use restaurant::Restaurant;
use serde_json::json;

#[allow(clippy::disallowed_methods)] // the edge where a function reads its variables
#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let client = aws_smithy_http_client::Builder::new().build_http();
    let aws = aws_config::from_env()
        .http_client(throughline::aws_client(client))
        .load()
        .await;
    let search = Search {
        db: Client::new(&aws),
        table: std::env::var("RESTAURANTS_TABLE")?,
        cache: Cache::at(std::env::var("REDIS_URL").ok().as_deref()),
    };
    throughline::run(service_fn(async |event| search.answer(event).await)).await
}

struct Search {
    db: Client,
    table: String,
    cache: Cache,
}

impl Search {
    async fn answer(&self, event: LambdaEvent<Request>) -> Result<Response, Error> {
        let Some(cuisine) = event.payload.query.get("cuisine") else {
            let why = json!({ "error": "say which cuisine" });
            return Ok(Response::json(400, why.to_string()));
        };
        let key = format!("cuisine:{cuisine}");
        if let Some(found) = self.cache.get(&key).await {
            tracing::info!(cuisine, "found in the cache");
            return Ok(Response::json(200, found));
        }
        let restaurants = self.restaurants(cuisine).await?;
        tracing::info!(cuisine, count = restaurants.len(), "searched");
        let found = json!({ "restaurants": restaurants }).to_string();
        self.cache.put(&key, &found).await;
        Ok(Response::json(200, found))
    }

    async fn restaurants(&self, cuisine: &str) -> Result<Vec<Restaurant>, Error> {
        let found = self
            .db
            .query()
            .table_name(&self.table)
            .index_name("cuisine")
            .key_condition_expression("cuisine = :cuisine")
            .expression_attribute_values(":cuisine", AttributeValue::S(cuisine.to_owned()))
            .send()
            .await?;
        let items = found.items().iter();
        Ok(items.filter_map(Restaurant::from_item).collect())
    }
}
