//! Turns what comes into the sandbox's own queues into asynchronous invocations.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use serde_json::Value;
use throughline_sandbox::{Invoke, InvokeError, Invoker};

use super::{eventbridge, s3, sns};
use crate::deliver::{Backoff, Stop};
use crate::pattern::Pattern;
use crate::queue::{Queue, RECEIVE_MAX, WAIT_SECONDS_MAX};
use crate::reporter::Reporter;

/// What the messages of a queue are.
pub(crate) enum Translate {
    Sns {
        subscription: String,
    },
    EventBridge {
        pattern: Pattern,
        input: Option<Value>,
        input_path: Option<String>,
    },
    S3,
}

/// What a message turned into.
#[derive(Debug, PartialEq)]
enum Translated {
    Event(Value),
    /// Not for the function, by the rule's pattern.
    Filtered,
    /// The service talks about itself.
    Ignored,
    Bad(String),
}

impl Translate {
    fn message(&self, body: &str) -> Translated {
        let came: Value = match serde_json::from_str(body) {
            Ok(came) => came,
            Err(error) => return Translated::Bad(format!("a message that is no JSON: {error}")),
        };
        let event = match self {
            Self::Sns { subscription } => sns::event(&came, subscription),
            Self::S3 => s3::event(came),
            Self::EventBridge { pattern, .. } if !pattern.matches(&came) => {
                return Translated::Filtered;
            }
            Self::EventBridge {
                input, input_path, ..
            } => Some(eventbridge::event(
                came,
                input.as_ref(),
                input_path.as_deref(),
            )),
        };
        event.map_or(Translated::Ignored, Translated::Event)
    }
}

/// Empties one of the sandbox's own queues.
pub(crate) struct Drain {
    pub(crate) invoker: Invoker,
    pub(crate) reporter: Reporter,
    pub(crate) stop: Stop,
    pub(crate) queue: Queue,
    pub(crate) translate: Translate,
}

impl Drain {
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::default();
        while !self.stop.is_set() {
            let wait = Duration::from_secs(WAIT_SECONDS_MAX);
            match self
                .stop
                .during(self.queue.receive(RECEIVE_MAX, wait))
                .await
            {
                None => return,
                Some(Ok(messages)) => {
                    backoff.reset();
                    self.take(messages).await;
                }
                Some(Err(error)) => {
                    let delay = backoff.next();
                    self.reporter.backing_off(delay, &error);
                    self.stop.during(tokio::time::sleep(delay)).await;
                }
            }
        }
    }

    async fn take(&self, messages: Vec<Message>) {
        let mut done = Vec::new();
        for message in messages {
            let taken = match self.translate.message(message.body().unwrap_or_default()) {
                Translated::Event(event) => self.queue(&message, &event).await,
                Translated::Filtered => {
                    self.reporter.filtered(1);
                    true
                }
                Translated::Ignored => true,
                Translated::Bad(why) => {
                    self.reporter.given_up(1, &why);
                    true
                }
            };
            if taken {
                done.extend(message.receipt_handle);
            }
        }
        self.queue.delete(&done).await;
    }

    /// Whether the message is done with; it is not when the sandbox ends first.
    async fn queue(&self, message: &Message, event: &Value) -> bool {
        let invoke = Invoke::new(&*self.reporter.function).payload(event.to_string());
        let attributes = message.attributes();
        let header =
            attributes.and_then(|all| all.get(&MessageSystemAttributeName::AwsTraceHeader));
        let invoke = match header {
            // Each event has an invocation of its own, which goes on with the sender's trace.
            Some(header) => invoke.trace_header(header),
            None => invoke,
        };
        let mut backoff = Backoff::default();
        loop {
            match self.invoker.queue(invoke.clone()) {
                Ok(_) => {
                    self.reporter.delivered(1);
                    return true;
                }
                Err(InvokeError::ShuttingDown { .. }) => return false,
                Err(error @ InvokeError::Throttled { .. }) => {
                    let delay = backoff.next();
                    self.reporter.backing_off(delay, &error.to_string());
                    let slept = self.stop.during(tokio::time::sleep(delay)).await;
                    if slept.is_none() {
                        return false;
                    }
                }
                Err(error) => {
                    self.reporter.given_up(1, &error.to_string());
                    return true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn notification_becomes_the_event_that_lambda_gets() {
        let sns = Translate::Sns {
            subscription: "arn:aws:sns:us-east-1:123456789012:news:1234".to_owned(),
        };
        let envelope = json!({
            "Type": "Notification",
            "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:news",
            "Message": "hello",
            "Timestamp": "2026-11-01T00:00:00.000Z",
            "SignatureVersion": "1",
            "Signature": "c2ln",
            "SigningCertURL": "https://sns.us-east-1.amazonaws.com/a.pem",
            "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
            "MessageAttributes": {"traceparent": {"Type": "String", "Value": "00-1-2-3"}},
        });
        let Translated::Event(event) = sns.message(&envelope.to_string()) else {
            panic!("no event");
        };
        expect![[r#"
            {
              "Records": [
                {
                  "EventSource": "aws:sns",
                  "EventSubscriptionArn": "arn:aws:sns:us-east-1:123456789012:news:1234",
                  "EventVersion": "1.0",
                  "Sns": {
                    "Message": "hello",
                    "MessageAttributes": {
                      "traceparent": {
                        "Type": "String",
                        "Value": "00-1-2-3"
                      }
                    },
                    "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
                    "Signature": "c2ln",
                    "SignatureVersion": "1",
                    "SigningCertUrl": "https://sns.us-east-1.amazonaws.com/a.pem",
                    "Subject": null,
                    "Timestamp": "2026-11-01T00:00:00.000Z",
                    "TopicArn": "arn:aws:sns:us-east-1:123456789012:news",
                    "Type": "Notification",
                    "UnsubscribeUrl": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe"
                  }
                }
              ]
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&event).unwrap());
    }

    #[test]
    fn what_is_no_event_is_known() {
        let rule = Translate::EventBridge {
            pattern: Pattern::try_new(&json!({"source": ["shop"]})).unwrap(),
            input: None,
            input_path: None,
        };
        let sns = Translate::Sns {
            subscription: String::new(),
        };
        let cases = [
            (&rule, r#"{"source":"else"}"#, Translated::Filtered),
            (
                &Translate::S3,
                r#"{"Event":"s3:TestEvent"}"#,
                Translated::Ignored,
            ),
            (
                &sns,
                r#"{"Type":"SubscriptionConfirmation"}"#,
                Translated::Ignored,
            ),
        ];
        for (translate, body, expected) in cases {
            assert_eq!(translate.message(body), expected, "{body}");
        }
        assert!(matches!(sns.message("text"), Translated::Bad(_)));
    }
}
