use serde_json::json;

use super::*;
use crate::action::ActionId;
use crate::plan::Plan;
use crate::time::UnixSeconds;

const SOURCE: &str = "9c2b1f5e-1111-4222-8333-444455556666";

/// As the API answers of an MSK cluster, a cluster of one's own, brokers of Amazon MQ, and a database.
const BROKERS: &str = r#"{"EventSourceMappings": [
    {"UUID": "u-msk", "EventSourceArn": "arn:aws:kafka:eu-west-1:123456789012:cluster/shop/9c2b-1",
     "Topics": ["orders"], "AmazonManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"}, "State": "Enabled"},
    {"UUID": "u-own", "Topics": ["clicks"], "State": "Enabled",
     "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka.example:9092"]}}},
    {"UUID": "u-mq", "EventSourceArn": "arn:aws:mq:eu-west-1:123456789012:broker:rabbit:b-1", "Queues": ["jobs"],
     "SourceAccessConfigurations": [{"Type": "VIRTUAL_HOST", "URI": "/"}], "State": "Enabled"},
    {"UUID": "u-docdb", "EventSourceArn": "arn:aws:rds:eu-west-1:123456789012:cluster:papers", "State": "Disabling",
     "DocumentDBEventSourceConfig": {"DatabaseName": "shop", "CollectionName": "bills", "FullDocument": "Default"}}]}"#;

fn brokers() -> Vec<SourceState> {
    let reads = source_reads(&"pay".parse().unwrap());
    let answer = Answer {
        status: 200,
        request_id: String::new(),
        body: BROKERS.to_owned(),
    };
    Before::read(&[(reads[1].clone(), answer)]).unwrap().sources
}

#[test]
fn of_brokers_and_databases_what_is_taken_is_known_by_its_name() {
    let sources = brokers();
    let names: Vec<String> = sources.iter().map(SourceState::name).collect();
    assert_eq!(
        names,
        [
            "Kafka orders",
            "Kafka clicks",
            "MQ jobs",
            "DocumentDB bills"
        ]
    );
    let nodes = [
        "broker:orders",
        "broker:clicks",
        "broker:jobs",
        "table:bills",
    ];
    for (at, source) in sources.iter().enumerate() {
        for (of, node) in nodes.iter().enumerate() {
            assert_eq!(source.takes_from(node), at == of, "{} {node}", source.id);
        }
        for other in [
            "queue:jobs",
            "topic:orders",
            "broker:shop",
            "broker:",
            "table:papers",
        ] {
            assert!(!source.takes_from(other), "{} {other}", source.id);
        }
    }
    assert_eq!(sources.iter().filter(|source| source.enabled).count(), 3);
    // An actuator from before there were names tells none.
    let old = r#"{"id":"u","source_arn":"arn:aws:kafka:r:1:cluster/shop/9","enabled":true}"#;
    let read: SourceState = serde_json::from_str(old).unwrap();
    assert!(!read.takes_from("broker:orders"));
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}

#[test]
fn a_source_of_a_broker_is_disabled_as_any_other_by_its_id() {
    let mut it = Before {
        sources: brokers(),
        ..Before::default()
    };
    it.sources[1].id = SOURCE.to_owned();
    let action: Action = serde_json::from_value(
        json!({"do": "disable", "function": "pay", "source": SOURCE, "hours": 2}),
    )
    .unwrap();
    let id: ActionId = "01jabcdefghjkmnp".parse().unwrap();
    let plan = Plan::of(&action, &id, UnixSeconds(0), &it).unwrap();
    assert_eq!(
        plan.title,
        "disable event source Kafka clicks of pay for 2 hours"
    );
    let [call] = &plan.calls[..] else {
        panic!("{:?}", plan.calls)
    };
    assert_eq!(
        (call.operation.as_str(), &call.parameters),
        ("UpdateEventSourceMapping", &json!({"Enabled": false}))
    );
}
