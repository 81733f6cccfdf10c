//! The Lambda function that does what was confirmed, and nothing else.
//!
//! An event is an [`Order`], the answer an [`Outcome`]. Everything that it may do is in `template.yaml` beside this.

use std::time::SystemTime;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use throughline_act::{Failure, Order, Outcome, UnixSeconds};
use throughline_actuator::{Aws, perform};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let aws = Aws::load().await?;
    let follow = async |event: LambdaEvent<Value>| {
        let outcome = follow(&aws, event.payload).await;
        Ok::<_, Error>(outcome)
    };
    lambda_runtime::run(service_fn(follow)).await
}

/// What goes wrong is an answer, too: an error of the function would tell nobody why.
async fn follow(aws: &Aws, event: Value) -> Outcome {
    let followed = match serde_json::from_value::<Order>(event) {
        Ok(order) => perform(aws, order, now()).await,
        Err(error) => Err(Failure::new("bad_order", error)),
    };
    match followed {
        Ok(report) => {
            for done in &report.done {
                tracing::info!(call = done.call, request_id = done.request_id, "done");
            }
            Outcome::Followed(Box::new(report))
        }
        Err(failure) => {
            tracing::warn!(code = failure.code, %failure, "not done");
            Outcome::Failed(failure)
        }
    }
}

#[allow(clippy::disallowed_methods)] // the edge: how long a policy denies counts from when it is put
fn now() -> UnixSeconds {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixSeconds(now.map_or(0, |since| since.as_secs()))
}
