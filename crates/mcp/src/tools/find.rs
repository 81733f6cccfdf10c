//! Which names there are.

use serde_json::{Value, json};

use super::arguments::Find;
use super::lists::is_cut;
use crate::answer::Found;
use crate::ask::{Ask, Parameters, percent_encoded, with_query};
use crate::{Api, Failure};

pub(super) async fn find<A: Api>(ask: &Ask<'_, A>, asked: Find) -> Result<Found, Failure> {
    let dataset = || Parameters::default().and("dataset", asked.dataset.as_deref());
    if let Some(key) = &asked.key {
        let path = format!("/api/v1/attributes/{}/values", percent_encoded(key));
        let prefix = Some(&asked.text).filter(|text| !text.is_empty());
        let parameters = dataset().and("prefix", prefix).and("limit", Some(50));
        let found = ask.get(&path, parameters).await?;
        let draft = json!({"dataset": asked.dataset, "breakdowns": [key]});
        return Ok(Found {
            total: None,
            truncated: is_cut(&found),
            path: with_query("/explore", Parameters::default().and("query", Some(draft))),
            next: None,
            telemetry: json!({"key": key, "values": found["values"]}),
        });
    }
    let keys = ask
        .get("/api/v1/attributes", dataset().and("limit", Some(KEYS_MAX)))
        .await?;
    let services = ask.get("/api/v1/services", Parameters::default()).await?;
    let wanted = asked.text.to_lowercase();
    let has = |name: &Value| {
        let name = name.as_str().unwrap_or_default().to_lowercase();
        name.contains(&wanted)
    };
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut keys_found = items(&keys["attributes"]);
    keys_found.retain(|key| has(&key["key"]));
    let mut operations = Vec::new();
    let mut names = Vec::new();
    for service in items(&services["services"]) {
        let of = items(&service["operations"]).into_iter().filter(has);
        operations.extend(of.map(|name| json!({"service": service["name"], "operation": name})));
        if has(&service["name"]) {
            names.push(service["name"].clone());
        }
    }
    Ok(Found {
        total: Some((keys_found.len() + operations.len() + names.len()) as u64),
        truncated: is_cut(&keys) || is_cut(&services),
        path: "/explore".to_owned(),
        next: None,
        telemetry: json!({"services": names, "operations": operations, "attributes": keys_found}),
    })
}

const KEYS_MAX: usize = 1000;
