//! Orders, followed.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_act::{
    Action, ActionId, Answer, Before, Call, Done, DryRun, Failure, Order, Outcome, Plan, Report,
    Service, Simulated, UndoError, UnixSeconds, source_reads, undo,
};

use crate::aws::{Aws, INVOKE};
use crate::failure::{code, element, elements, refused};

/// Follows one order. `now` is what the caller's clock shows: how long a policy denies counts from then.
pub async fn perform(aws: &Aws, order: Order, now: UnixSeconds) -> Result<Report, Failure> {
    match order {
        Order::Look { id, action } => look(aws, &id, checked(action)?, now).await,
        Order::Act { id, action, seen } => {
            let action = checked(action)?;
            let before = read(aws, &action).await?;
            if before.digest() != seen {
                return Err(Failure::new(
                    "changed",
                    "nothing was done: things have changed since they were shown; look again",
                ));
            }
            act(aws, &id, &action, before, now).await
        }
        Order::Undo { id, action, before } => take_back(aws, &id, &checked(action)?, before).await,
        Order::Sources { function } => Ok(Report {
            before: read_all(aws, source_reads(&function)).await?,
            plan: None,
            dry_run: DryRun::None,
            done: Vec::new(),
        }),
    }
}

/// Has the function of `deploy/actuator` follow an order.
pub async fn invoke(aws: &Aws, function: &str, order: &Order) -> Result<Report, Failure> {
    let call = Call {
        service: Service::Lambda,
        operation: INVOKE.to_owned(),
        method: "POST".to_owned(),
        path: format!("/2015-03-31/functions/{function}/invocations"),
        parameters: json!(order),
    };
    let answer = send(aws, &call).await?;
    match serde_json::from_str(&answer.body) {
        Ok(Outcome::Followed(report)) => Ok(*report),
        Ok(Outcome::Failed(failure)) => Err(failure),
        Err(_) => {
            let begin: String = answer.body.chars().take(300).collect();
            let message =
                format!("function {function} is no actuator, or fails: it answers {begin}");
            Err(Failure::new("unreachable", message))
        }
    }
}

fn checked(action: Action) -> Result<Action, Failure> {
    action
        .checked()
        .map_err(|error| Failure::new("bad_order", error))
}

async fn look(
    aws: &Aws,
    id: &ActionId,
    action: Action,
    now: UnixSeconds,
) -> Result<Report, Failure> {
    let before = read(aws, &action).await?;
    let plan = plan(id, &action, &before, now)?;
    let dry_run = simulate(aws, &action, &plan, &before).await;
    Ok(Report {
        before,
        plan: Some(plan),
        dry_run,
        done: Vec::new(),
    })
}

async fn act(
    aws: &Aws,
    id: &ActionId,
    action: &Action,
    before: Before,
    now: UnixSeconds,
) -> Result<Report, Failure> {
    let plan = plan(id, action, &before, now)?;
    let done = make(aws, &plan.calls).await?;
    if let Action::Memory { .. } = action {
        settle(aws, action).await.map_err(|failure| Failure {
            done: done.clone(),
            ..failure
        })?;
    }
    Ok(Report {
        before,
        plan: Some(plan),
        dry_run: DryRun::None,
        done,
    })
}

async fn take_back(
    aws: &Aws,
    id: &ActionId,
    action: &Action,
    before: Before,
) -> Result<Report, Failure> {
    let now = match (read(aws, action).await, action) {
        // The policy is where it was put, even if the function is gone; but not in an account where it never was.
        (Err(failure), Action::Deny { .. }) => before.gone(&failure.message).ok_or(failure)?,
        (now, _) => now?,
    };
    let calls = undo(action, id, &before, &now).map_err(|error| match error {
        UndoError::Drifted(_) => Failure::new("drifted", error),
        UndoError::Plan(_) | UndoError::Elsewhere(..) => Failure::new("impossible", error),
    })?;
    let done = make(aws, &calls).await?;
    Ok(Report {
        before: now,
        plan: None,
        dry_run: DryRun::None,
        done,
    })
}

fn plan(
    id: &ActionId,
    action: &Action,
    before: &Before,
    now: UnixSeconds,
) -> Result<Plan, Failure> {
    Plan::of(action, id, now, before).map_err(|error| Failure::new("impossible", error))
}

async fn read(aws: &Aws, action: &Action) -> Result<Before, Failure> {
    read_all(aws, action.reads()).await
}

async fn read_all(aws: &Aws, reads: Vec<Call>) -> Result<Before, Failure> {
    let mut answers = Vec::new();
    for call in reads {
        let answer = send(aws, &call).await?;
        answers.push((call, answer));
    }
    Before::read(&answers).map_err(|error| Failure::new("refused", error))
}

/// Makes calls that change something, one after the other.
async fn make(aws: &Aws, calls: &[Call]) -> Result<Vec<Done>, Failure> {
    let mut done = Vec::new();
    for call in calls {
        let (answer, was_lost) = aws.send_and_tell(call).await;
        let answer = answer.map_err(|failure| Failure {
            done: done.clone(),
            ..failure
        })?;
        let is_gone = call.operation == "DeleteRolePolicy" && code(&answer) == "NoSuchEntity";
        if !is_well(&answer) && !is_gone {
            let mut failure = refused(call, &answer);
            if was_lost {
                // What was not answered before may have been done, and may be why this is refused.
                failure.code = "unreachable".to_owned();
            }
            return Err(Failure { done, ..failure });
        }
        let service = match call.service {
            Service::Iam => "iam",
            Service::Lambda => "lambda",
        };
        // IAM says it in the answer, too.
        let in_body = element(&answer.body, "RequestId").unwrap_or_default();
        done.push(Done {
            call: format!("{service}:{}", call.operation),
            request_id: match answer.request_id.as_str() {
                "" => in_body.to_owned(),
                id => id.to_owned(),
            },
        });
    }
    Ok(done)
}

/// Waits until Lambda has made a change that it has taken.
async fn settle(aws: &Aws, action: &Action) -> Result<(), Failure> {
    for _ in 0..LOOKS_MAX {
        let Some(call) = action.reads().into_iter().next() else {
            return Ok(());
        };
        let answer = send(aws, &call).await?;
        let json: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        match json["LastUpdateStatus"].as_str() {
            Some("InProgress") => tokio::time::sleep(BETWEEN_LOOKS).await,
            Some("Failed") => {
                let why = json["LastUpdateStatusReason"].as_str().unwrap_or_default();
                let message = format!("Lambda took the change and could not make it: {why}");
                return Err(Failure::new("refused", message));
            }
            _ => return Ok(()),
        }
    }
    let message = "Lambda took the change and has not made it within a minute";
    Err(Failure::new("unreachable", message))
}

/// What IAM would decide. That it cannot be asked is told, and stops nothing: many who may act may not simulate.
async fn simulate(aws: &Aws, action: &Action, plan: &Plan, before: &Before) -> DryRun {
    let Some([without, with]) = action.simulations(plan, before) else {
        return DryRun::None;
    };
    let both = async {
        let before = decisions(aws, &without).await?;
        let after = decisions(aws, &with).await?;
        Ok::<_, Failure>((before, after))
    };
    match both.await {
        Ok((before, after)) => DryRun::Simulated {
            permissions: before
                .into_iter()
                .map(|(permission, before)| {
                    let after = after.iter().find(|(name, _)| *name == permission);
                    Simulated {
                        after: after.map_or_else(String::new, |(_, after)| after.clone()),
                        permission,
                        before,
                    }
                })
                .collect(),
        },
        Err(failure) => DryRun::Failed {
            why: failure.message,
        },
    }
}

/// Each permission that was simulated, and what is decided about it.
async fn decisions(aws: &Aws, call: &Call) -> Result<Vec<(String, String)>, Failure> {
    let answer = send(aws, call).await?;
    let names = elements(&answer.body, "EvalActionName").map(str::to_owned);
    let decisions = elements(&answer.body, "EvalDecision").map(str::to_owned);
    Ok(names.zip(decisions).collect())
}

/// The answer to a call that must go well.
async fn send(aws: &Aws, call: &Call) -> Result<Answer, Failure> {
    let answer = aws.send(call).await?;
    match is_well(&answer) {
        true => Ok(answer),
        false => Err(refused(call, &answer)),
    }
}

fn is_well(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

/// A minute.
const LOOKS_MAX: usize = 60;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
