//! Invocations that were another attempt: what failed is given to the function again.
//!
//! What was left with Lambda keeps its request id, and is given again one minute and three minutes later. Records of a
//! stream are given again at once, under another request id, so the same batch is known by what was in it. Messages of
//! queues say themselves how often they were received ([`is_retry`](throughline_insight::is_retry)).

use std::time::Duration;

use throughline_insight::detect::{Node, Subject};
use throughline_insight::facts::Facts;
use throughline_telemetry::UnixNanos;

/// Attempts of a function in a minute that were not the first.
#[derive(Debug, PartialEq)]
pub(super) struct Attempts {
    pub(super) minute: UnixNanos,
    pub(super) function: Node,
    pub(super) count: u64,
}

/// Counts them.
pub(super) fn counted(attempts: &[Attempts], done: &mut Facts) {
    for again in attempts {
        let subject = Subject::Node(again.function.clone());
        done.at(again.minute, subject).counts.retries += again.count;
    }
}

/// Those of requests. An attempt that did not fail is the last.
pub(super) const OF_REQUESTS: &str = r#"
select cast(later.time as bigint) / 60000000000 as minute, later.node, count(*) as n
from (select time, "faas.name" as node, "faas.invocation_id" as request
    from spans where $times and "throughline.phase" = 'invoke' and "faas.name" is not null
    and "faas.invocation_id" is not null) as later
join (select "faas.name" as node, "faas.invocation_id" as request, min(time) as begun
    from spans where $earlier and "throughline.phase" = 'invoke' and status = 'error'
    and "faas.name" is not null and "faas.invocation_id" is not null group by 1, 2) as failed
on later.request = failed.request and later.node = failed.node
where later.time > failed.begun group by 1, 2"#;

/// Those of batches of streams and the like: of Kinesis, DynamoDB, Kafka and brokers of messages.
pub(super) const OF_BATCHES: &str = r#"
select cast(later.time as bigint) / 60000000000 as minute, later.node, count(*) as n
from (select time, "faas.name" as node, cast("throughline.in.path" as varchar) as batch
    from spans where $times and "throughline.in.path" is not null and "faas.name" is not null
    and "throughline.in.again" is null) as later
join (select "faas.name" as node, cast("throughline.in.path" as varchar) as batch, min(time) as begun
    from spans where $earlier and "throughline.in.path" is not null and status = 'error'
    and "faas.name" is not null group by 1, 2) as failed
on later.batch = failed.batch and later.node = failed.node
where later.time > failed.begun
    and regexp_like(later.batch, '(stream|table|broker):[^@#]*(@[0-9]+)?#(kin|ddb|kafka|mq):')
group by 1, 2"#;

/// A first attempt may have been so much earlier. Lambda waits three minutes where nothing is in its way.
pub(super) const EARLIER: Duration = Duration::from_secs(10 * 60);
