//! Invocations that were another attempt: what failed is given to the function again.
//!
//! What was left with Lambda keeps its request id, and is given again one minute and three minutes later. Records of a
//! stream are given again at once, under another request id, so the same batch is known by what was in it. Messages of
//! queues say themselves how often they were received ([`is_retry`](throughline_insight::is_retry)).

use std::time::Duration;

use throughline_insight::detect::{Node, Subject};
use throughline_insight::facts::Facts;
use throughline_telemetry::UnixNanos;

use super::queues::quoted;

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

/// Functions that failed. Only what they were given is looked at: mostly there are none.
pub(super) const FAILED: &str = r#"
select distinct "faas.name" from spans where $earlier and status = 'error' and "faas.name" is not null
    and ("throughline.phase" = 'invoke' or "throughline.in.path" is not null)"#;

/// Those of requests. An attempt that did not fail is the last.
const OF_REQUESTS: &str = r#"
select cast(later.time as bigint) / 60000000000 as minute, later.node, count(*) as n
from (select "faas.name" as node, "faas.invocation_id" as request, min(time) as begun
    from spans where $earlier and "throughline.phase" = 'invoke' and status = 'error'
    and "faas.name" in ($failed) and "faas.invocation_id" is not null group by 1, 2) as failed
join (select time, "faas.name" as node, "faas.invocation_id" as request
    from spans where $times and "throughline.phase" = 'invoke' and "faas.name" in ($failed)
    and "faas.invocation_id" is not null) as later
on later.request = failed.request and later.node = failed.node
where later.time > failed.begun group by 1, 2"#;

/// Those of batches of streams and the like: of Kinesis, DynamoDB, Kafka and brokers of messages.
const OF_BATCHES: &str = r#"
select cast(later.time as bigint) / 60000000000 as minute, later.node, count(*) as n
from (select "faas.name" as node, cast("throughline.in.path" as varchar) as batch, min(time) as begun
    from spans where $earlier and status = 'error' and "faas.name" in ($failed)
    and regexp_like(cast("throughline.in.path" as varchar), $batch) group by 1, 2) as failed
join (select time, "faas.name" as node, cast("throughline.in.path" as varchar) as batch
    from spans where $times and "faas.name" in ($failed) and "throughline.in.again" is null
    and regexp_like(cast("throughline.in.path" as varchar), $batch)) as later
on later.batch = failed.batch and later.node = failed.node
where later.time > failed.begun group by 1, 2"#;

/// What the path of a batch is like.
const BATCH: &str = "'(stream|table|broker):[^@#]*(@[0-9]+)?#(kin|ddb|kafka|mq):'";

/// The questions about other attempts of these functions.
pub(super) fn questions(failed: &[String]) -> [String; 2] {
    let names: Vec<String> = failed.iter().map(|name| quoted(name)).collect();
    [OF_REQUESTS, OF_BATCHES].map(|sql| {
        sql.replace("$batch", BATCH)
            .replace("$failed", &names.join(", "))
    })
}

/// A first attempt may have been so much earlier. Lambda waits three minutes where nothing is in its way.
pub(super) const EARLIER: Duration = Duration::from_secs(10 * 60);
