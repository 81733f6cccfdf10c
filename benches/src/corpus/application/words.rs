//! The words that the application is made of.

/// What it is about: each has five functions.
pub(super) const DOMAINS: [&str; 20] = [
    "orders",
    "payments",
    "inventory",
    "catalog",
    "search",
    "carts",
    "users",
    "sessions",
    "shipping",
    "billing",
    "notifications",
    "recommendations",
    "reviews",
    "pricing",
    "fraud",
    "media",
    "loyalty",
    "returns",
    "webhooks",
    "reports",
];

pub(super) const ACCOUNT: &str = "418273950164";

/// Regions with their shares.
pub(super) const REGIONS: [(&str, f64); 3] = [
    ("eu-west-1", 6.0),
    ("us-east-1", 3.0),
    ("ap-southeast-2", 1.0),
];

/// What a function is written in: runtime, name of the language, version of the SDK, scope of calls
/// to AWS, scope of the handler.
pub(super) const RUNTIMES: [[&str; 5]; 4] = [
    [
        "nodejs22.x",
        "nodejs",
        "2.2.0",
        "@opentelemetry/instrumentation-aws-sdk",
        "@opentelemetry/instrumentation-aws-lambda",
    ],
    [
        "python3.13",
        "python",
        "1.38.0",
        "opentelemetry.instrumentation.botocore",
        "opentelemetry.instrumentation.aws_lambda",
    ],
    [
        "java21",
        "java",
        "1.55.0",
        "io.opentelemetry.aws-sdk-2.2",
        "io.opentelemetry.aws-lambda-events-3.11",
    ],
    [
        "provided.al2023",
        "rust",
        "0.31.0",
        "throughline-sdk",
        "throughline-sdk",
    ],
];

/// Ends of routes with the method; `{}` is the domain.
pub(super) const ROUTES: [(&str, &str); 8] = [
    ("GET", "/v1/{}/{id}"),
    ("POST", "/v1/{}"),
    ("GET", "/v1/{}"),
    ("PATCH", "/v1/{}/{id}"),
    ("POST", "/v1/{}/{id}/confirm"),
    ("DELETE", "/v1/{}/{id}"),
    ("GET", "/v1/{}/{id}/history"),
    ("POST", "/v1/{}/batch"),
];

/// Calls of DynamoDB, with how often and the median of microseconds.
pub(super) const DYNAMODB: [(&str, f64, f64); 6] = [
    ("GetItem", 5.0, 3_500.0),
    ("PutItem", 3.0, 5_000.0),
    ("Query", 3.0, 7_000.0),
    ("UpdateItem", 2.0, 5_500.0),
    ("BatchGetItem", 0.7, 9_000.0),
    ("TransactWriteItems", 0.3, 18_000.0),
];

/// Statements with their operation; `{}` is the table.
pub(super) const STATEMENTS: [(&str, &str); 8] = [
    (
        "SELECT",
        "SELECT id, state, total, currency, updated_at FROM {} WHERE id = $1",
    ),
    (
        "SELECT",
        "SELECT id, state FROM {} WHERE customer_id = $1 AND created_at > $2 ORDER BY created_at DESC LIMIT 50",
    ),
    (
        "INSERT",
        "INSERT INTO {} (id, customer_id, state, total, currency) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
    ),
    (
        "UPDATE",
        "UPDATE {} SET state = $2, updated_at = now() WHERE id = $1 AND version = $3",
    ),
    ("SELECT", "SELECT count(*) FROM {} WHERE state = $1"),
    (
        "SELECT",
        "SELECT l.sku, l.quantity, p.price FROM {} o JOIN lines l ON l.parent_id = o.id JOIN prices p ON p.sku = l.sku WHERE o.id = $1",
    ),
    (
        "DELETE",
        "DELETE FROM {} WHERE expires_at < now() - interval '30 days'",
    ),
    ("BEGIN", "BEGIN"),
];

/// Foreign hosts with a path and a median of microseconds.
pub(super) const HOSTS: [(&str, &str, &str, f64); 8] = [
    ("api.stripe.com", "POST", "/v1/payment_intents", 180_000.0),
    ("api.stripe.com", "GET", "/v1/payment_intents/", 90_000.0),
    (
        "maps.googleapis.com",
        "GET",
        "/maps/api/geocode/json",
        60_000.0,
    ),
    ("api.sendgrid.com", "POST", "/v3/mail/send", 120_000.0),
    (
        "hooks.slack.com",
        "POST",
        "/services/T0A1B2C3D/B9Z8Y7X6W",
        95_000.0,
    ),
    ("api.shippo.com", "POST", "/shipments/", 240_000.0),
    ("login.auth0.com", "POST", "/oauth/token", 70_000.0),
    ("tax.example.net", "GET", "/rates/", 45_000.0),
];

pub(super) const REDIS: [&str; 5] = ["GET", "SET", "HGETALL", "INCR", "EXPIRE"];

/// Steps inside a function's own code.
pub(super) const INTERNAL: [(&str, &str); 12] = [
    ("validate", "validation"),
    ("authorize", "access"),
    ("load", "repository"),
    ("save", "repository"),
    ("render", "view"),
    ("parse", "codec"),
    ("price", "domain"),
    ("apply_discounts", "domain"),
    ("merge", "domain"),
    ("enrich", "domain"),
    ("serialize", "codec"),
    ("audit", "access"),
];

pub(super) const FLAGS: [(&str, &str); 4] = [
    ("new-pricing", "on"),
    ("new-pricing", "off"),
    ("checkout-v3", "control"),
    ("checkout-v3", "treatment"),
];

/// Types of exceptions with a message; `#` is a number.
pub(crate) const EXCEPTIONS: [(&str, &str); 10] = [
    ("TimeoutError", "connect timed out after # ms"),
    (
        "ConditionalCheckFailedException",
        "The conditional request failed",
    ),
    ("ValidationError", "quantity must be at most #"),
    (
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded",
    ),
    (
        "ConnectionResetError",
        "[Errno 104] Connection reset by peer",
    ),
    (
        "java.lang.NullPointerException",
        "Cannot invoke \"com.example.Line.sku()\" because \"line\" is null",
    ),
    (
        "TypeError",
        "Cannot read properties of undefined (reading 'total')",
    ),
    (
        "PaymentDeclined",
        "card declined: insufficient_funds (code #)",
    ),
    ("KeyError", "'shipping_address'"),
    ("ThrottlingException", "Rate exceeded"),
];

pub(crate) const AGENTS: [&str; 24] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "ShopApp/7.41.2 (iOS 19.1; iPhone17,2)",
    "ShopApp/7.41.1 (iOS 19.0; iPhone16,1)",
    "ShopApp/7.40.0 (Android 16; SM-S938B)",
    "ShopApp/7.41.2 (Android 15; SM-A556B)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "okhttp/5.1.0",
    "axios/1.12.2",
    "python-requests/2.32.5",
    "Go-http-client/2.0",
    "curl/8.16.0",
    "Amazon CloudFront",
    "ELB-HealthChecker/2.0",
    "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "bingbot/2.0",
    "PostmanRuntime/7.49.0",
    "k6/1.3.0",
];

/// Lines of the applications' logs, with their severity. `{..}` are what [`Slot`] knows.
///
/// [`Slot`]: super::logging::Slot
pub(super) const LINES: [(u8, &str); 48] = [
    (9, "handling request {request} for user {user}"),
    (9, "loaded order {order} in {ms} ms"),
    (9, "cache hit for key {domain}:{number}"),
    (
        9,
        "cache miss for key {domain}:{number}, loading from the database",
    ),
    (
        5,
        "acquired connection {small} of pool {domain}-pool after {ms} ms",
    ),
    (9, "validated {small} lines of order {order}"),
    (
        9,
        "published {domain}.changed for order {order} to bus default",
    ),
    (
        13,
        "slow query on table {domain}: {ms} ms, {number} rows read",
    ),
    (9, "price of sku {sku} is {amount} EUR"),
    (
        5,
        "headers: content-type=application/json, content-length={number}, x-forwarded-for={ip}",
    ),
    (9, "user {user} signed in from {ip}"),
    (13, "retrying call to {host}, attempt {small}"),
    (17, "call to {host} failed: connect timed out after {ms} ms"),
    (9, "payment of {amount} EUR for order {order} authorized"),
    (
        17,
        "payment of {amount} EUR for order {order} declined: insufficient funds",
    ),
    (
        9,
        "stored {number} bytes at s3://{domain}-artifacts/{order}.json",
    ),
    (9, "{small} messages received from queue {domain}-jobs"),
    (9, "message {uuid} deleted from queue {domain}-jobs"),
    (13, "message {uuid} was seen before, ignored"),
    (
        5,
        "feature flag new-pricing evaluated to {bool} for user {user}",
    ),
    (9, "rendered template {domain}/confirmation in {ms} ms"),
    (9, "GET /v1/{domain}/{order} 200 {ms}ms"),
    (9, "POST /v1/{domain} 201 {ms}ms"),
    (13, "GET /v1/{domain}/{order} 404 {ms}ms"),
    (
        9,
        "reserved {small} units of sku {sku} in warehouse {small}",
    ),
    (17, "cannot reserve sku {sku}: only {small} units left"),
    (9, "token for user {user} refreshed, expires in {number} s"),
    (5, "entering {domain}.service.load with id={order}"),
    (5, "leaving {domain}.service.load after {ms} ms"),
    (9, "batch {uuid}: {number} items, {small} failed"),
    (9, "email confirmation sent to user {user} via {host}"),
    (
        13,
        "rate limit of {host} nearly reached: {small} calls left",
    ),
    (9, "webhook delivered to {host} with status 200 in {ms} ms"),
    (
        17,
        "webhook to {host} rejected with status 500, will be tried again in {number} s",
    ),
    (9, "checkpoint {uuid} written, lag {ms} ms"),
    (
        5,
        "parsed event with {small} records, shard shardId-{number}",
    ),
    (9, "score of order {order} is {amount}, below threshold"),
    (
        13,
        "score of order {order} is {amount}, above threshold, sent to review",
    ),
    (9, "discount {sku} applied to order {order}: {amount} EUR"),
    (9, "index {domain}-v3 updated, {number} documents"),
    (9, "shipment {uuid} created with carrier {host}"),
    (5, "gc pause {ms} ms, heap {number} MB"),
    (
        9,
        "{\"level\":\"info\",\"message\":\"state changed\",\"order\":\"{order}\",\"from\":\"pending\",\"to\":\"confirmed\",\"took_ms\":{ms}}",
    ),
    (
        9,
        "{\"level\":\"info\",\"message\":\"collecting payment\",\"user\":\"{user}\",\"amount\":{amount},\"request_id\":\"{request}\"}",
    ),
    (
        13,
        "{\"level\":\"warn\",\"message\":\"optimistic lock failed\",\"table\":\"{domain}\",\"id\":\"{order}\",\"attempt\":{small}}",
    ),
    (9, "session {uuid} of user {user} ended after {number} s"),
    (21, "invariant broken: order {order} has no lines"),
    (9, "done"),
];
