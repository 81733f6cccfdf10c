//! RabbitMQ, from the side of who sends.

use amqprs::channel::{Channel, QueueDeclareArguments};
use amqprs::connection::{Connection, OpenConnectionArguments};
use amqprs::error::Error;

use crate::media::LANGUAGES;

/// Connects to a broker at `host:port`.
pub(crate) async fn connect(broker: &str) -> Result<(Connection, Channel), Error> {
    let (host, port) = broker.split_once(':').unwrap_or_default();
    let port = port.parse().unwrap_or_default();
    let arguments = OpenConnectionArguments::new(host, port, "guest", "guest");
    let connection = Connection::open(&arguments).await?;
    let channel = connection.open_channel(None).await?;
    Ok((connection, channel))
}

/// Makes the queues, one for each language that gets, once the broker is up.
pub(crate) async fn make_queues(broker: &str) {
    let (connection, channel) = loop {
        match connect(broker).await {
            Ok(connected) => break connected,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    for language in LANGUAGES {
        let queue = QueueDeclareArguments::new(&format!("cells-{language}")).finish();
        channel.queue_declare(queue).await.unwrap();
    }
    connection.close().await.unwrap();
}
