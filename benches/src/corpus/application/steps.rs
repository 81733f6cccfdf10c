//! The steps that functions take.

use super::OF_SPAN;
use super::words::{ACCOUNT, DYNAMODB, FLAGS, HOSTS, INTERNAL, REDIS, STATEMENTS};
use crate::corpus::proto;
use crate::corpus::random::Random;

/// What a step is, which says what of it changes from span to span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    DynamoDb,
    S3,
    Postgres,
    Redis,
    Http,
    Internal,
    Invoke,
    Publish,
    Init,
}

/// One kind of work, with what is the same in each of its spans.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    /// Name of the span.
    pub(crate) name: String,
    /// Encoded attributes.
    pub(crate) constant: Vec<u8>,
    pub(crate) weight: f64,
    /// Median in nanoseconds.
    pub(crate) median_nanos: f64,
    /// Of whom: 1 calls, 2 the function's own code.
    pub(crate) scope: usize,
    /// What stands before what changes in a URL or a key.
    pub(crate) prefix: String,
}

/// The steps of a function of this domain.
pub(super) fn steps(domain: &str, region: &str, random: &mut Random) -> Vec<Step> {
    let mut steps = Vec::new();
    for (operation, weight, micros) in DYNAMODB {
        steps.push(dynamodb(domain, region, operation, weight, micros));
    }
    for operation in ["GetObject", "PutObject"] {
        steps.push(s3(domain, region, operation));
    }
    for (number, (operation, statement)) in STATEMENTS.iter().enumerate() {
        let weight = 3.0 / (number + 1) as f64;
        steps.push(postgres(domain, operation, statement, weight));
    }
    for (number, command) in REDIS.iter().enumerate() {
        steps.push(redis(domain, command, 2.0 / (number + 1) as f64));
    }
    for _ in 0..2 {
        let host = HOSTS[random.below(HOSTS.len() as u64) as usize];
        steps.push(http(host));
    }
    for (number, (function, module)) in INTERNAL.iter().enumerate() {
        let flag = FLAGS[random.below(FLAGS.len() as u64) as usize];
        let weight = 5.0 / (number + 1) as f64;
        steps.push(internal(domain, function, module, flag, weight));
    }
    steps
}

fn step(kind: Kind, name: String, constant: Vec<u8>, weight: f64, micros: f64) -> Step {
    Step {
        kind,
        name,
        constant,
        weight,
        median_nanos: micros * 1000.0,
        scope: if kind == Kind::Internal { 2 } else { 1 },
        prefix: String::new(),
    }
}

/// Attributes from texts and numbers.
fn encoded(texts: &[(&str, &str)], ints: &[(&str, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in texts {
        proto::text(&mut out, OF_SPAN, key, value.as_bytes());
    }
    for (key, value) in ints {
        proto::int(&mut out, OF_SPAN, key, *value);
    }
    out
}

fn aws(service: &str, operation: &str, region: &str) -> Vec<u8> {
    let host = format!("{}.{region}.amazonaws.com", service.to_ascii_lowercase());
    encoded(
        &[
            ("rpc.system", "aws-api"),
            ("rpc.service", service),
            ("rpc.method", operation),
            ("cloud.region", region),
            ("server.address", &host),
        ],
        &[("server.port", 443)],
    )
}

fn dynamodb(domain: &str, region: &str, operation: &str, weight: f64, micros: f64) -> Step {
    let table = format!("{domain}-table");
    let mut constant = aws("DynamoDB", operation, region);
    constant.extend(encoded(
        &[
            ("db.system.name", "aws.dynamodb"),
            ("db.operation.name", operation),
            ("db.collection.name", &table),
        ],
        &[],
    ));
    proto::list(
        &mut constant,
        OF_SPAN,
        "aws.dynamodb.table_names",
        table.as_bytes(),
    );
    step(
        Kind::DynamoDb,
        format!("DynamoDB.{operation}"),
        constant,
        weight,
        micros,
    )
}

fn s3(domain: &str, region: &str, operation: &str) -> Step {
    let mut constant = aws("S3", operation, region);
    let bucket = format!("{domain}-artifacts-{ACCOUNT}");
    constant.extend(encoded(&[("aws.s3.bucket", &bucket)], &[]));
    Step {
        prefix: format!("{domain}/2026/11/"),
        ..step(Kind::S3, format!("S3.{operation}"), constant, 1.0, 28_000.0)
    }
}

fn postgres(domain: &str, operation: &str, statement: &str, weight: f64) -> Step {
    let host = format!("{domain}.cluster-c9akciq32.eu-west-1.rds.amazonaws.com");
    let statement = statement.replace("{}", domain);
    let texts = [
        ("db.system.name", "postgresql"),
        ("db.namespace", "shop"),
        ("db.operation.name", operation),
        ("db.collection.name", domain),
        ("db.query.text", &*statement),
        ("server.address", &host),
        ("network.transport", "tcp"),
        ("db.user", "shop_rw"),
    ];
    let constant = encoded(&texts, &[("server.port", 5432)]);
    let name = format!("{operation} shop.{domain}");
    step(Kind::Postgres, name, constant, weight, 2_200.0)
}

fn redis(domain: &str, command: &str, weight: f64) -> Step {
    let host = "shop-cache.x1y2z3.ng.0001.euw1.cache.amazonaws.com";
    let texts = [
        ("db.system.name", "redis"),
        ("db.operation.name", command),
        ("db.namespace", "0"),
        ("server.address", host),
        ("network.transport", "tcp"),
        ("network.peer.address", "10.21.4.17"),
        ("peer.service", "shop-cache"),
    ];
    let constant = encoded(
        &texts,
        &[("server.port", 6379), ("network.peer.port", 6379)],
    );
    Step {
        prefix: format!("{command} {domain}:"),
        ..step(Kind::Redis, command.to_owned(), constant, weight, 450.0)
    }
}

fn http((host, method, path, micros): (&str, &str, &str, f64)) -> Step {
    let texts = [
        ("http.request.method", method),
        ("server.address", host),
        ("url.scheme", "https"),
        ("network.protocol.name", "http"),
        ("network.protocol.version", "1.1"),
        ("peer.service", host),
    ];
    let constant = encoded(&texts, &[("server.port", 443)]);
    Step {
        prefix: format!("https://{host}{path}"),
        ..step(Kind::Http, method.to_owned(), constant, 1.2, micros)
    }
}

fn internal(domain: &str, function: &str, module: &str, flag: (&str, &str), weight: f64) -> Step {
    let file = format!("src/{domain}/{module}.ts");
    let line = 12 + 7 * (function.len() as u64 + module.len() as u64);
    let texts = [
        ("code.function.name", function),
        ("code.file.path", &*file),
        ("app.component", module),
        ("app.module", domain),
        ("feature_flag.key", flag.0),
        ("feature_flag.result.variant", flag.1),
        ("thread.name", "main"),
    ];
    let constant = encoded(&texts, &[("code.line.number", line), ("thread.id", 1)]);
    let name = format!("{module}.{function}");
    step(Kind::Internal, name, constant, weight, 900.0)
}

/// A call of another function, which is waited for.
pub(super) fn invoke(domain: &str, region: &str) -> Step {
    let mut constant = aws("Lambda", "Invoke", region);
    let texts = [
        ("faas.invoked_provider", "aws"),
        ("faas.invoked_region", region),
        ("http.request.method", "POST"),
        ("app.module", domain),
    ];
    constant.extend(encoded(&texts, &[]));
    step(
        Kind::Invoke,
        "Lambda.Invoke".to_owned(),
        constant,
        0.0,
        1_000.0,
    )
}

/// Something sent that other functions work on.
pub(super) fn publish(domain: &str, region: &str) -> Step {
    let queue = format!("{domain}-jobs");
    let url = format!("https://sqs.{region}.amazonaws.com/{ACCOUNT}/{queue}");
    let mut constant = aws("SQS", "SendMessage", region);
    let texts = [
        ("messaging.system", "aws_sqs"),
        ("messaging.destination.name", &*queue),
        ("messaging.operation.type", "send"),
        ("messaging.operation.name", "SendMessage"),
        ("aws.sqs.queue.url", &url),
    ];
    constant.extend(encoded(&texts, &[]));
    step(
        Kind::Publish,
        format!("send {queue}"),
        constant,
        0.0,
        8_000.0,
    )
}

/// What a cold start takes before the handler.
pub(super) fn init(runtime: &str) -> Step {
    let version = format!("{runtime}.v41");
    let texts = [
        ("aws.lambda.initialization_type", "on-demand"),
        ("aws.lambda.runtime.version", &*version),
        ("aws.lambda.phase", "init"),
        ("aws.lambda.init.status", "success"),
        ("faas.trigger", "other"),
        ("process.runtime.name", runtime),
        ("cloud.account.id", ACCOUNT),
    ];
    let constant = encoded(&texts, &[("process.pid", 8)]);
    Step {
        scope: 0,
        ..step(Kind::Init, "init".to_owned(), constant, 0.0, 310_000.0)
    }
}
