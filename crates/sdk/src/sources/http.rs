//! Events that are HTTP requests.

use std::borrow::Cow;

use serde_json::Value;
use throughline_telemetry::Attributes;

use super::enclosed::{last_of, text, text_of};
use super::path::{hop, key_of, some};
use super::single::known;
use super::{Found, Record};
use crate::carriers::{Get, getter};

/// Reads single and multi-value headers.
fn headers_of(event: &Value) -> Get<'_> {
    let one = getter(&event["headers"]);
    let many = getter(&event["multiValueHeaders"]);
    Box::new(move |name| one(name).or_else(|| many(name)))
}

/// What a request says of itself.
#[derive(Default)]
struct Facts<'a> {
    method: &'a str,
    route: &'a str,
    path: &'a str,
    host: &'a str,
    client: &'a str,
    protocol: &'a str,
}

fn described(get: &Get<'_>, facts: &Facts<'_>) -> Attributes {
    let header = |name: &str| get(name).unwrap_or_default();
    let protocol = facts.protocol;
    let host = match facts.host {
        "" => header("host"),
        host => Cow::Borrowed(host),
    };
    let all = [
        ("http.request.method", Cow::Borrowed(facts.method)),
        ("http.route", Cow::Borrowed(facts.route)),
        ("url.path", Cow::Borrowed(facts.path)),
        ("url.scheme", header("x-forwarded-proto")),
        ("server.address", host),
        ("client.address", Cow::Borrowed(facts.client)),
        ("user_agent.original", header("user-agent")),
        (
            "network.protocol.version",
            Cow::Borrowed(protocol.strip_prefix("HTTP/").unwrap_or(protocol)),
        ),
    ];
    let there = all.into_iter().filter(|(_, text)| !text.is_empty());
    there.map(|(key, text)| (key, text.into_owned())).collect()
}

/// A context that an authorizer handed over counts where the request itself brought none.
fn handed_over<'a>(event: &'a Value, authorizer: &'a Value) -> Get<'a> {
    let (get, kept) = (headers_of(event), getter(authorizer));
    Box::new(move |name| {
        let given = |name: &str| (name == "_datadog").then(|| kept(name))?;
        get(name).or_else(|| given(name))
    })
}

fn apigw(about: &Value, name: &str) -> String {
    key_of("apigw", &[&text(&about[name])])
}

fn at_api(about: &Value, time: &Value) -> String {
    let name = match text_of(&about["apiId"]) {
        "" => text_of(&about["domainName"]),
        id => id,
    };
    hop("api", name, time, &apigw(about, "requestId"))
}

fn request<'a>(get: Get<'a>, path: String, keys: Vec<String>, attributes: Attributes) -> Found<'a> {
    let record = Record {
        get: Some(get),
        path,
        ..Record::default()
    };
    Found {
        records: vec![record],
        keys,
        attributes,
        ..Found::default()
    }
}

pub(super) fn v1(event: &Value) -> Found<'_> {
    let about = &event["requestContext"];
    let facts = Facts {
        method: text_of(&event["httpMethod"]),
        route: text_of(&event["resource"]),
        path: text_of(&event["path"]),
        host: text_of(&about["domainName"]),
        client: text_of(&about["identity"]["sourceIp"]),
        protocol: text_of(&about["protocol"]),
    };
    let keys = some([apigw(about, "requestId"), apigw(about, "extendedRequestId")]);
    let get = handed_over(event, &about["authorizer"]);
    let path = at_api(about, &about["requestTimeEpoch"]);
    request(get, path, keys, described(&headers_of(event), &facts))
}

pub(super) fn v2(event: &Value) -> Found<'_> {
    let (about, http) = (&event["requestContext"], &event["requestContext"]["http"]);
    let route = text_of(&event["routeKey"]).split_once(' ');
    let route = route.filter(|(_, route)| route.starts_with('/'));
    let path = match text_of(&event["rawPath"]) {
        "" => text_of(&http["path"]),
        path => path,
    };
    let facts = Facts {
        method: text_of(&http["method"]),
        route: route.map_or("", |(_, route)| route),
        path,
        host: text_of(&about["domainName"]),
        client: text_of(&http["sourceIp"]),
        protocol: text_of(&http["protocol"]),
    };
    let get = handed_over(event, &about["authorizer"]["lambda"]);
    let path = at_api(about, &about["timeEpoch"]);
    let keys = some([apigw(about, "requestId")]);
    let mut found = request(get, path, keys, described(&headers_of(event), &facts));
    let is_url = facts.host.contains(".lambda-url.");
    found.kind = is_url.then_some("function-url");
    found
}

pub(super) fn websocket(event: &Value) -> Found<'_> {
    let about = &event["requestContext"];
    let get = headers_of(event);
    let facts = Facts {
        route: text_of(&about["routeKey"]),
        host: text_of(&about["domainName"]),
        client: text_of(&about["identity"]["sourceIp"]),
        ..Facts::default()
    };
    let mut attributes = described(&get, &facts);
    let told = known([
        ("throughline.event.type", &about["eventType"]),
        (
            "throughline.websocket.connection_id",
            &about["connectionId"],
        ),
    ]);
    attributes.0.extend(told.0);
    let session = key_of("ws", &[&text(&about["connectionId"])]);
    let keys = some([session, apigw(about, "requestId")]);
    let path = at_api(about, &about["requestTimeEpoch"]);
    request(get, path, keys, attributes)
}

pub(super) fn alb(event: &Value) -> Found<'_> {
    let get = headers_of(event);
    let forwarded = get("x-forwarded-for").unwrap_or_default();
    let facts = Facts {
        method: text_of(&event["httpMethod"]),
        path: text_of(&event["path"]),
        client: forwarded.split(',').next().unwrap_or_default(),
        ..Facts::default()
    };
    // `...:targetgroup/NAME/ID`
    let group = text_of(&event["requestContext"]["elb"]["targetGroupArn"]);
    let group = group.split('/').nth(1).unwrap_or_default();
    let path = hop("balancer", group, &Value::Null, "");
    let attributes = described(&get, &facts);
    request(headers_of(event), path, Vec::new(), attributes)
}

pub(super) fn lattice(event: &Value) -> Found<'_> {
    let (get, about) = (headers_of(event), &event["requestContext"]);
    let path = text_of(&event["path"]);
    let facts = Facts {
        method: text_of(&event["method"]),
        path: path.split('?').next().unwrap_or_default(),
        ..Facts::default()
    };
    let service = match text_of(&about["serviceArn"]) {
        "" => text_of(&about["serviceNetworkArn"]),
        arn => arn,
    };
    let path = hop("balancer", last_of(service, '/'), &about["timeEpoch"], "");
    let attributes = described(&get, &facts);
    request(get, path, Vec::new(), attributes)
}

pub(super) fn authorizer(event: &Value) -> Found<'_> {
    let about = &event["requestContext"];
    let arn = match text_of(&event["methodArn"]) {
        "" => text_of(&event["routeArn"]),
        arn => arn,
    };
    // `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/...`
    let api = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let api = match text_of(&about["apiId"]) {
        "" => api.split('/').next().unwrap_or_default(),
        id => id,
    };
    let time = match &about["requestTimeEpoch"] {
        Value::Null => &about["timeEpoch"],
        time => time,
    };
    let key = apigw(about, "requestId");
    let path = hop("api", api, time, &key);
    request(headers_of(event), path, some([key]), Attributes::default())
}

pub(super) fn object_lambda(event: &Value) -> Found<'_> {
    let key = key_of("s3r", &[&text(&event["xAmzRequestId"])]);
    let point = last_of(text_of(&event["configuration"]["accessPointArn"]), '/');
    let path = hop("bucket", point, &Value::Null, &key);
    let get = getter(&event["userRequest"]["headers"]);
    request(get, path, some([key]), Attributes::default())
}

/// A batch resolver gets an array of the events that a resolver gets.
pub(super) fn resolved(event: &Value) -> Option<&Value> {
    let one = match event {
        Value::Array(events) => events.first()?,
        one => one,
    };
    let is = one["info"]["fieldName"].is_string() && one["request"].is_object();
    is.then_some(one)
}

pub(super) fn appsync(event: &Value) -> Found<'_> {
    let Some(one) = resolved(event) else {
        return Found::default();
    };
    let get = getter(&one["request"]["headers"]);
    let header = |name: &str| get(name).unwrap_or_default().into_owned();
    let key = key_of("apigw", &[&header("x-amzn-requestid")]);
    let path = hop("api", &header("host"), &Value::Null, &key);
    let mut attributes = Attributes::default();
    let kind = text_of(&one["info"]["parentTypeName"]).to_lowercase();
    attributes.set("graphql.operation.type", kind);
    let name = text_of(&one["info"]["fieldName"]);
    attributes.set("graphql.operation.name", name);
    request(get, path, some([key]), attributes)
}
