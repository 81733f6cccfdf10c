//! Topics, rules and buckets. AWS calls Lambda for each of them; nobody calls a sandbox.
//!
//! So a queue that the sandbox owns is put in Lambda's place, and what arrives in it is turned into the event that Lambda
//! would get and invoked asynchronously. The queue, and what leads into it, is taken away when the sandbox ends; its name
//! is the same in each run, so that what a killed sandbox left behind is taken up again.

mod drain;
mod eventbridge;
mod own_queue;
mod s3;
mod sns;

pub(crate) use drain::Drain;
pub(crate) use own_queue::TakeDown;
pub(crate) use sns::find_topic;

use throughline_sandbox::{EventBridgeSource, S3Source, SnsSource};

use crate::aws::Aws;
use crate::names::own_name;
use crate::pattern::{BadPattern, Pattern};
use crate::queue::Queue;
use drain::Translate;

/// A queue into which events come, what turns them into Lambda's, and how to take all of it away.
pub(crate) struct Subscribed {
    pub(crate) queue: Queue,
    pub(crate) translate: Translate,
    pub(crate) take_down: TakeDown,
}

pub(crate) async fn sns(
    aws: &Aws,
    function: &str,
    source: &SnsSource,
) -> Result<Subscribed, String> {
    let name = own_name(function, &format!("{source:?}"));
    let topic = find_topic(&aws.sns, &source.topic).await?;
    let topic = topic.ok_or("there is no such topic")?;
    let queue = own_queue::create(aws, &name, "sns.amazonaws.com").await?;
    let subscription = sns::subscribe(&aws.sns, &topic, &queue.arn, source).await?;
    Ok(Subscribed {
        take_down: TakeDown::topic(&queue, &subscription),
        translate: Translate::Sns { subscription },
        queue,
    })
}

pub(crate) async fn eventbridge(
    aws: &Aws,
    function: &str,
    source: &EventBridgeSource,
    pattern: Pattern,
) -> Result<Subscribed, String> {
    let name = own_name(function, &format!("{source:?}"));
    let queue = own_queue::create(aws, &name, "events.amazonaws.com").await?;
    eventbridge::put_rule(aws, &name, &queue.arn, source).await?;
    Ok(Subscribed {
        take_down: TakeDown::rule(&queue, &name, &source.bus),
        translate: Translate::EventBridge {
            pattern,
            input: source.input.clone(),
            input_path: source.input_path.clone(),
        },
        queue,
    })
}

pub(crate) async fn s3(aws: &Aws, function: &str, source: &S3Source) -> Result<Subscribed, String> {
    let name = own_name(function, &format!("{source:?}"));
    let queue = own_queue::create(aws, &name, "s3.amazonaws.com").await?;
    s3::notify(&aws.s3, &name, &queue.arn, source).await?;
    Ok(Subscribed {
        take_down: TakeDown::bucket(&queue, &name, &source.bucket),
        translate: Translate::S3,
        queue,
    })
}

/// The pattern of a rule, checked here too, since not every endpoint does.
pub(crate) fn pattern_of(source: &EventBridgeSource) -> Result<Pattern, BadPattern> {
    Pattern::try_new(&source.pattern)
}
