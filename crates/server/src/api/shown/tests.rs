use throughline_telemetry::{SpanKind, SpanStatus, Value as Attribute};
use throughline_testkit::span;

use super::*;

/// A call of `shop` with these attributes.
fn call(attributes: &[(&str, Attribute)]) -> Span {
    let mut made = span("shop").named("call").kind(SpanKind::Client).build();
    for (key, value) in attributes {
        made.attributes.set(*key, value.clone());
    }
    made
}

/// What such a span tells of calls of a node, each in words.
fn told(sought: Option<Sought>, span: &Span) -> Option<Vec<String>> {
    let told = sought.expect("a node that is called").told_by(span)?;
    Some(words(&told))
}

fn words(conditions: &[Condition]) -> Vec<String> {
    let words = conditions.iter().map(|it| {
        let op = serde_json::to_value(it.op).expect("a name");
        let op = op.as_str().expect("a text").to_owned();
        match &it.value {
            Value::String(text) => format!("{} {op} {text}", it.column),
            value => format!("{} {op} {value}", it.column),
        }
    });
    words.collect()
}

#[test]
fn calls_are_told_by_what_names_whom_they_call() {
    let check = |to: &str, attributes: &[(&str, Attribute)], expected: &[&str]| {
        let sought = Sought::calls(None, &to.to_owned(), None);
        let told = told(sought, &call(attributes)).expect("it is such a call");
        assert_eq!(told[0], r#"kind in ["client","producer"]"#);
        assert_eq!(told[1..], *expected, "{to}");
    };
    let list = |names: &[&str]| Attribute::Array(names.iter().map(|it| (*it).into()).collect());
    check(
        "table:users",
        &[("aws.dynamodb.table_names", list(&["users", "stats"]))],
        &[r#"aws.dynamodb.table_names starts-with ["users""#],
    );
    let dynamo = ("db.system.name", Attribute::from("aws.dynamodb"));
    check(
        "table:users",
        &[dynamo, ("db.collection.name", "users".into())],
        &[
            "db.collection.name = users",
            "db.system.name = aws.dynamodb",
        ],
    );
    check(
        "topic:orders",
        &[("aws.sns.topic.arn", "arn:aws:sns:eu:1:orders".into())],
        &["aws.sns.topic.arn ends-with :orders"],
    );
    check(
        "queue:orders",
        &[
            ("messaging.system", "aws_sqs".into()),
            ("messaging.destination.name", "orders".into()),
        ],
        &[
            "messaging.destination.name = orders",
            "messaging.system = aws_sqs",
        ],
    );
    check(
        "database:shop",
        &[
            ("db.system.name", "postgresql".into()),
            ("db.namespace", "shop".into()),
        ],
        &["db.namespace = shop", "db.system.name = postgresql"],
    );
    check(
        "service:shop.Stock",
        &[("rpc.method", "shop.Stock/Take".into())],
        &["rpc.method starts-with shop.Stock/"],
    );
    check(
        "host:bank.example",
        &[("url.full", "https://bank.example/pay?card=1".into())],
        &["url.full starts-with https://bank.example/"],
    );
    check(
        "function:pay",
        &[("faas.invoked_name", "pay".into())],
        &["faas.invoked_name = pay"],
    );
}

#[test]
fn calls_of_another_name_are_none() {
    for (to, attributes) in [
        ("table:user", [("aws.dynamodb.table_names", "users")]),
        ("table:users", [("aws.dynamodb.table_names", "new-users")]),
        (
            "queue:orders",
            [("aws.sns.topic.arn", "arn:aws:sns:eu:1:orders")],
        ),
        ("host:bank", [("url.full", "https://bank.example/")]),
        ("host:bank", [("http.request.method", "GET")]),
    ] {
        let attributes = attributes.map(|(key, value)| (key, Attribute::from(value)));
        let sought = Sought::calls(None, &to.to_owned(), None);
        assert_eq!(told(sought, &call(&attributes)), None, "{to}");
    }
}

#[test]
fn an_edge_is_of_its_caller_and_its_operation() {
    let [from, to] = ["function:update-stats", "table:users"].map(str::to_owned);
    let put = call(&[
        ("aws.dynamodb.table_names", "users".into()),
        ("db.operation.name", "PutItem".into()),
    ]);
    let edge = |operation| Sought::calls(Some(&from), &to, Some(operation));
    assert_eq!(
        told(edge("PutItem"), &put).expect("it is of the edge"),
        [
            "faas.name = update-stats",
            r#"kind in ["client","producer"]"#,
            "aws.dynamodb.table_names = users",
            "db.operation.name = PutItem",
        ]
    );
    assert_eq!(told(edge("GetItem"), &put), None);
    // Of what has no operation its name is one.
    let bank = call(&[("server.address", "bank.example".into())]);
    let host = "host:bank.example".to_owned();
    let told_by = told(Sought::calls(Some(&from), &host, Some("call")), &bank);
    let told_by = told_by.expect("it is of the edge");
    assert_eq!(
        told_by[2..],
        ["server.address = bank.example", "name = call"]
    );
    let sql = call(&[
        ("db.system.name", "postgresql".into()),
        ("db.namespace", "shop".into()),
        ("db.operation.name", "SELECT".into()),
        ("db.collection.name", "carts".into()),
    ]);
    let select = Sought::calls(None, &"database:shop".to_owned(), Some("SELECT carts"));
    assert_eq!(
        told(select, &sql).expect("it is of the edge")[3..],
        ["db.operation.name = SELECT", "db.collection.name = carts"]
    );
    // What is invoked is the whole of a function.
    let invoke = call(&[("faas.invoked_name", "pay".into())]);
    let pay = Sought::calls(None, &"function:pay".to_owned(), Some("pay"));
    assert_eq!(
        told(pay, &invoke).expect("it is of the edge")[1..],
        ["faas.invoked_name = pay"]
    );
    // A table calls nobody.
    assert_eq!(Sought::calls(Some(&to), &to, None), None);
}

#[test]
fn refused_calls_are_told_by_how_they_were_refused() {
    let users = || Sought::calls(None, &"table:users".to_owned(), None)?.refused();
    let named = ("aws.dynamodb.table_names", Attribute::from("users"));
    let by = |key: &'static str, value: Attribute| {
        let told = told(users(), &call(&[named.clone(), (key, value)]))?;
        told.last().cloned()
    };
    let refusal = "error.type matches (?i)throttl|toomanyrequests|provisionedthroughputexceeded|\
        requestlimitexceeded|limitexceededexception|slowdown";
    let exceeded = "ProvisionedThroughputExceededException";
    assert_eq!(by("error.type", exceeded.into()).as_deref(), Some(refusal));
    assert_eq!(
        by("http.response.status_code", Attribute::Int(429)).as_deref(),
        Some("http.response.status_code = 429")
    );
    assert_eq!(by("error.type", "AccessDeniedException".into()), None);
    // Nobody who is refused is there to say so.
    let pay = Sought::of_node(&"function:pay".to_owned());
    assert_eq!(pay.and_then(Sought::refused), None);
}

#[test]
fn failures_are_told_by_their_type_and_words() {
    let failed = |kind: &str, message: &str| {
        let mut made = span("pay").kind(SpanKind::Server).build();
        made.status = SpanStatus::Error;
        made.status_message = message.to_owned();
        if !kind.is_empty() {
            made.attributes.set("error.type", kind);
        }
        made
    };
    let pay = Sought::of_node(&"function:pay".to_owned()).expect("a function");
    let check = |signature: &str, span: &Span, expected: &[&str]| {
        let sought = pay.clone().failed_as(signature).expect("it answers");
        let told = sought.told_by(span).map(|told| words(&told));
        let told = told.expect("it has this signature");
        assert_eq!(told[2], "status = error");
        assert_eq!(told[3..], *expected, "{signature}");
    };
    let declined = failed("Declined", "card 4711 of order o-12: no money");
    check(
        "Declined: card * of order o-*: no money",
        &declined,
        &[
            "error.type = Declined",
            "status_message contains of order o-",
            "status_message contains : no money",
            "status_message contains card",
        ],
    );
    check("timeout", &failed("timeout", ""), &["error.type = timeout"]);
    check(
        "no route to *.*.*.*",
        &failed("", "no route to 10.0.0.1"),
        &[
            "error.type does-not-exist null",
            "status_message contains no route to",
        ],
    );
    let other = pay.failed_as("Declined: card * is stolen");
    assert_eq!(other.expect("it answers").told_by(&declined), None);
}

#[test]
fn a_change_is_told_by_what_ran_with_it() {
    let change = |what: &str| Sought {
        filters: Vec::new(),
        says: Says::Said(Said::changed(what).expect("a change that is understood")),
    };
    let mut made = span("pay").kind(SpanKind::Server).build();
    made.attributes.set("service.version", "42");
    made.attributes.set("throughline.code.digest", "3f8a12cd+x");
    made.attributes.set("faas.max_memory", 512_i64 << 20);
    made.attributes.set("host.arch", "amd64");
    for (what, expected) in [
        ("version 42", Some("service.version = 42")),
        ("version 4", None),
        (
            "code 3f8a12cd",
            Some("throughline.code.digest = 3f8a12cd+x"),
        ),
        ("memory 512 MB", Some("faas.max_memory = 536870912")),
        ("memory 256 MB", None),
        ("architecture x86_64", Some("host.arch = amd64")),
        ("architecture arm64", None),
    ] {
        let told = change(what).told_by(&made).map(|told| words(&told));
        let expected = expected.map(|it| vec![it.to_owned()]);
        assert_eq!(told, expected, "{what}");
    }
    assert_eq!(Said::changed("timeout 3 s"), None);
}
