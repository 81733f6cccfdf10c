//! Queues of RabbitMQ, at a real broker.

use amqprs::channel::{BasicPublishArguments, Channel, QueueDeclareArguments};
use amqprs::connection::{Connection, OpenConnectionArguments};
use amqprs::{BasicProperties, FieldTable, FieldValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use throughline_sandbox::RabbitMqSource;

use super::*;
use crate::servers::Servers;

async fn connect(broker: &str) -> (Connection, Channel) {
    let (host, port) = broker.split_once(':').unwrap();
    let port = port.parse().unwrap();
    // The port is open before the broker is up.
    let connection = eventually("the broker is up", || async {
        let arguments = OpenConnectionArguments::new(host, port, "guest", "guest");
        Connection::open(&arguments).await.ok()
    });
    let connection = connection.await;
    let channel = connection.open_channel(None).await.unwrap();
    (connection, channel)
}

async fn publish(channel: &Channel, text: &str) {
    let mut headers = FieldTable::new();
    let trace = FieldValue::S("00-1-2-3".try_into().unwrap());
    headers.insert("traceparent".try_into().unwrap(), trace);
    let properties = BasicProperties::default().with_headers(headers).finish();
    let arguments = BasicPublishArguments::new("", "orders");
    let published = channel.basic_publish(properties, text.into(), arguments);
    published.await.unwrap();
}

fn source(broker: &str) -> RabbitMqSource {
    RabbitMqSource {
        broker: broker.to_owned(),
        virtual_host: "/".to_owned(),
        user: "guest".to_owned(),
        password: "guest".to_owned(),
        queue: "orders".to_owned(),
        batch_size: 2,
        window: Duration::from_secs(1),
        enabled: true,
    }
}

#[tokio::test]
async fn batches_are_in_order_and_what_fails_is_given_again() {
    let Some(servers) = Servers::start(&["rabbitmq"]) else {
        return;
    };
    let broker = servers.address("rabbitmq").unwrap();
    let (_connection, channel) = connect(&broker).await;
    let begin = || {
        let function = function("f", EventSource::RabbitMq(source(&broker)));
        Story::try_begin("http://127.0.0.1:1", Sandbox::new(), function)
    };
    let refused = begin().await.err().unwrap().to_string();
    assert!(
        refused.starts_with(&format!("cannot poll rabbitmq orders for f at {broker}: ")),
        "{refused}"
    );

    let queue = QueueDeclareArguments::new("orders").finish();
    channel.queue_declare(queue).await.unwrap();
    for text in ["a", "fail 2 rabbit", "b"] {
        publish(&channel, text).await;
    }
    let mut story = begin().await.unwrap();
    let mut batches = Vec::new();
    while batches.len() < 4 {
        let told = story.event().await.event;
        assert_eq!(told["eventSource"], "aws:rmq");
        let messages = told["rmqMessagesByQueue"]["orders::/"].as_array().unwrap();
        let texts = messages.iter().map(|message| {
            let headers = &message["basicProperties"]["headers"];
            assert_eq!(*headers, json!({"traceparent": {"bytes": b"00-1-2-3"}}));
            let again = if message["redelivered"] == true {
                "again "
            } else {
                ""
            };
            let data = STANDARD.decode(message["data"].as_str().unwrap()).unwrap();
            again.to_owned() + &String::from_utf8(data).unwrap()
        });
        batches.push(texts.collect::<Vec<_>>());
    }
    let again = vec!["again a", "again fail 2 rabbit"];
    assert_eq!(
        batches,
        [vec!["a", "fail 2 rabbit"], again.clone(), again, vec!["b"]]
    );

    // What has been acknowledged does not come again, and a broker that is gone is told.
    drop(servers);
    story
        .until(|what| matches!(what, What::BackingOff(..)))
        .await;
    story.end().await;
}
