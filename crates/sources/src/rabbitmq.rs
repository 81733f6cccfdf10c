//! Queues of RabbitMQ that are consumed, as Lambda does for Amazon MQ.
//!
//! A batch is acknowledged as a whole once the function has returned, and put back as a whole when it failed. What is
//! not acknowledged when the connection ends, the broker gives again.

mod message;

use std::time::Duration;

use amqprs::channel::{
    BasicAckArguments, BasicConsumeArguments, BasicNackArguments, BasicQosArguments, Channel,
    ConsumerMessage, QueueDeclareArguments,
};
use amqprs::connection::{Connection, OpenConnectionArguments};
use amqprs::error::Error;
use throughline_sandbox::{Invoker, RabbitMqSource};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout, timeout_at};

use crate::deliver::{Backoff, Delivered, Stop, deliver};
use crate::reporter::Reporter;
use message::Message;

/// Works one queue off, over as many connections as it takes.
pub(crate) struct Poller {
    invoker: Invoker,
    reporter: Reporter,
    stop: Stop,
    source: RabbitMqSource,
    /// What did not fit into the batch before.
    held: Option<Message>,
}

/// A connection, and what comes over it.
pub(crate) struct Consumer {
    connection: Connection,
    channel: Channel,
    messages: UnboundedReceiver<ConsumerMessage>,
}

/// Connects to a queue.
pub(crate) async fn connect(
    invoker: &Invoker,
    reporter: &Reporter,
    stop: &Stop,
    source: &RabbitMqSource,
) -> Result<(Poller, Consumer), String> {
    let poller = Poller {
        invoker: invoker.clone(),
        reporter: reporter.clone(),
        stop: stop.clone(),
        source: source.clone(),
        held: None,
    };
    let consumer = poller.open().await?;
    Ok((poller, consumer))
}

impl Poller {
    async fn open(&self) -> Result<Consumer, String> {
        if self.source.queue.len() > QUEUE_BYTES_MAX {
            return Err(format!(
                "no queue's name has more than {QUEUE_BYTES_MAX} bytes"
            ));
        }
        let opened = timeout(CONNECT_TIMEOUT, self.consume()).await;
        opened.map_or_else(
            |_| Err("no broker answers".to_owned()),
            |opened| opened.map_err(|error| error.to_string()),
        )
    }

    async fn consume(&self) -> Result<Consumer, Error> {
        let source = &self.source;
        let (host, port) = source.broker.rsplit_once(':').unwrap_or_default();
        let port = port.parse().unwrap_or_default();
        let connection = OpenConnectionArguments::new(host, port, &source.user, &source.password)
            .virtual_host(&source.virtual_host)
            .finish();
        let connection = Connection::open(&connection).await?;
        let channel = connection.open_channel(None).await?;
        // Whoever declares it says of which kind it is.
        let as_it_is = QueueDeclareArguments::new(&source.queue)
            .passive(true)
            .finish();
        channel.queue_declare(as_it_is).await?;
        let ahead = u16::try_from(source.batch_size).unwrap_or(u16::MAX);
        channel
            .basic_qos(BasicQosArguments::new(0, ahead, false))
            .await?;
        let consume = BasicConsumeArguments::new(&source.queue, "");
        let (_, messages) = channel.basic_consume_rx(consume).await?;
        Ok(Consumer {
            connection,
            channel,
            messages,
        })
    }

    /// Consumes until the sandbox ends.
    pub(crate) async fn run(mut self, mut consumer: Consumer) {
        let stop = self.stop.clone();
        while let Err(mut why) = self.work_off(&mut consumer).await {
            self.held = None;
            let mut backoff = Backoff::default();
            consumer = loop {
                let delay = backoff.next();
                self.reporter.backing_off(delay, &why);
                if stop.during(tokio::time::sleep(delay)).await.is_none() {
                    return;
                }
                match self.open().await {
                    Ok(opened) => break opened,
                    Err(still) => why = still,
                }
            };
        }
        // What is being worked on goes back with the connection, however that ends.
        let _ = consumer.connection.close().await;
    }

    /// Works batches off until it is time to end; fails with the connection.
    async fn work_off(&mut self, consumer: &mut Consumer) -> Result<(), String> {
        let stop = self.stop.clone();
        let mut backoff = Backoff::default();
        loop {
            let Some(batch) = stop.during(self.gather(consumer)).await else {
                return Ok(());
            };
            let batch = batch?;
            let Some(last) = batch.last().map(|message| message.tag) else {
                continue;
            };
            let (queue, virtual_host) = (&self.source.queue, &self.source.virtual_host);
            let payload = message::event(queue, virtual_host, &batch);
            let delivered =
                deliver(&self.invoker, &self.reporter, payload, THROTTLED_MAX, &stop).await;
            let answered = match delivered {
                Delivered::Stopped => return Ok(()),
                Delivered::Returned(..) => {
                    self.reporter.delivered(batch.len());
                    backoff.reset();
                    let all = BasicAckArguments::new(last, true);
                    consumer.channel.basic_ack(all).await
                }
                ended => {
                    if let Delivered::Failed(why, _) = ended {
                        self.reporter.failed(batch.len(), &why);
                    }
                    let wait = tokio::time::sleep(backoff.next());
                    if stop.during(wait).await.is_none() {
                        return Ok(());
                    }
                    let all = BasicNackArguments::new(last, true, true);
                    consumer.channel.basic_nack(all).await
                }
            };
            answered.map_err(|error| error.to_string())?;
        }
    }

    /// The next batch, in the order of the queue.
    async fn gather(&mut self, consumer: &mut Consumer) -> Result<Vec<Message>, String> {
        let mut batch: Vec<Message> = self.held.take().into_iter().collect();
        if batch.is_empty() {
            batch.push(next(consumer).await?);
        }
        let mut bytes = batch.iter().map(|message| message.bytes).sum::<usize>();
        let end = Instant::now() + self.source.window;
        while batch.len() < self.source.batch_size as usize {
            let Ok(message) = timeout_at(end, next(consumer)).await else {
                break;
            };
            let message = message?;
            bytes += message.bytes;
            if bytes > PAYLOAD_BYTES_MAX {
                self.held = Some(message);
                break;
            }
            batch.push(message);
        }
        Ok(batch)
    }
}

async fn next(consumer: &mut Consumer) -> Result<Message, String> {
    let message = consumer.messages.recv().await;
    message
        .and_then(Message::read)
        .ok_or_else(|| "the broker is gone".to_owned())
}

/// Brokers on one machine answer at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const THROTTLED_MAX: Duration = Duration::from_secs(60);
/// What an invocation takes, with room for the frame around the messages.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024 - 64 * 1024;
/// AMQP's limit.
const QUEUE_BYTES_MAX: usize = 255;
