//! What follows from an action: the calls, what to know before, and the way back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::action::{Action, ActionId, Class};
use crate::arn::Arn;
use crate::before::Before;
use crate::call::Call;
use crate::policy;
use crate::time::UnixSeconds;
use crate::words;

/// What is done, exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// In one sentence.
    pub title: String,
    /// What is called, in this order; nothing where nothing in the account changes.
    pub calls: Vec<Call>,
    /// The policy that is put, as JSON to be read.
    pub policy: Option<Value>,
    /// What to know before one agrees.
    pub warnings: Vec<String>,
    /// How it is undone.
    pub undo: Vec<Call>,
    /// When it ends by itself.
    pub until: Option<UnixSeconds>,
    /// What must be typed to confirm it.
    pub confirm: Option<String>,
    /// The same in the application's own description, which would otherwise set it back.
    pub code: Vec<CodeLine>,
}

/// One line of an application's description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeLine {
    /// `SAM`, `CDK`, `Terraform` or `Serverless Framework`.
    pub tool: String,
    /// Where it is to stand.
    pub place: String,
    /// The line.
    pub line: String,
}

/// Why nothing can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The account says something that is no ARN.
    #[error("`{0}` is no ARN of a function or a role")]
    Arn(String),
    /// AWS owns the role.
    #[error("role {0} is linked to a service: AWS does not let anybody change it")]
    ServiceLinked(String),
    /// There is no such mapping.
    #[error("function {0} has no event source mapping {1}")]
    NoSource(String, String),
    /// It is so already.
    #[error("{0}")]
    Already(String),
}

/// Why something is not undone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// Somebody has changed it since, and knows why.
    #[error("it is left as it is, because it has been changed since: {0}")]
    Drifted(String),
    /// The credentials or the region are others than those with which it was done.
    #[error(
        "it was done to {0}, and here the function is {1}: undo it in the account and region where it was done"
    )]
    Elsewhere(String, String),
    /// The account says something that is no ARN.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl Plan {
    /// What follows from an action that is done now. `now` is when it is confirmed: how long it is so counts from then.
    pub fn of(
        action: &Action,
        id: &ActionId,
        now: UnixSeconds,
        before: &Before,
    ) -> Result<Self, PlanError> {
        let until = action.until(now);
        let mut plan = Plan {
            title: action.title_in(before),
            calls: Vec::new(),
            policy: None,
            warnings: words::warnings(action, before),
            undo: Vec::new(),
            until,
            confirm: None,
            code: Vec::new(),
        };
        if action.is_destructive() {
            plan.confirm = action.function().map(str::to_owned);
        }
        match action {
            Action::Ignore { .. } | Action::Mute { .. } => {}
            Action::Deny {
                resource, class, ..
            } => {
                let arn = &before.function_arn;
                let function =
                    Arn::parse(arn, "lambda").ok_or_else(|| PlanError::Arn(arn.clone()))?;
                let role = role_name(before)?;
                let until = until.unwrap_or(now);
                let document = policy::deny(id, arn, &function, resource, *class, until);
                plan.policy = serde_json::from_str(&document).ok();
                let name = policy::name(id);
                plan.undo.push(delete_policy(&role, &name));
                plan.calls.push(Call::iam(
                    "PutRolePolicy",
                    json!({"PolicyDocument": document, "PolicyName": name, "RoleName": role}),
                ));
            }
            Action::Stop { .. } => {
                if before.reserved == Some(0) {
                    return Err(PlanError::Already(
                        "its reserved concurrency is 0 already".to_owned(),
                    ));
                }
                let function = action.function().unwrap_or_default();
                plan.calls.push(Call::reserve(function, 0));
                plan.undo.push(unreserve(function, before.reserved));
            }
            Action::Disable {
                function, source, ..
            } => {
                let source = source.to_string();
                let known = before.sources.iter().find(|known| known.id == source);
                let known =
                    known.ok_or_else(|| PlanError::NoSource(function.to_string(), source.clone()));
                if !known?.enabled {
                    return Err(PlanError::Already("it is disabled already".to_owned()));
                }
                plan.calls.push(Call::enable(&source, false));
                plan.undo.push(Call::enable(&source, true));
            }
            Action::Memory {
                function,
                memory_mb,
                ..
            } => {
                if before.memory_mb == *memory_mb {
                    return Err(PlanError::Already(format!("it has {memory_mb} MB already")));
                }
                let function = function.to_string();
                let call = |mb, revision: &str| Call::memory(&function, mb, revision);
                plan.calls.push(call(*memory_mb, &before.revision_id));
                // The revision is known once it was done.
                plan.undo.push(call(before.memory_mb, REVISION_THEN));
                plan.code = words::code(*memory_mb);
            }
        }
        Ok(plan)
    }
}

/// The way back from an action: `before` is how it was, `now` how it is. Nothing is called where it is so already.
pub fn undo(
    action: &Action,
    id: &ActionId,
    before: &Before,
    now: &Before,
) -> Result<Vec<Call>, UndoError> {
    let drifted = |what: String| Err(UndoError::Drifted(what));
    // A function of the same name in another account or region is another one: that nothing is to be undone there says
    // nothing of the one to which it was done.
    if now.function_arn != before.function_arn {
        let (then, now) = (before.function_arn.clone(), now.function_arn.clone());
        return Err(UndoError::Elsewhere(then, now));
    }
    match action {
        Action::Ignore { .. } | Action::Mute { .. } => Ok(Vec::new()),
        // From the role that has it, even if the function has another one by now.
        Action::Deny { .. } => Ok(vec![delete_policy(&role_name(before)?, &policy::name(id))]),
        Action::Stop { function, .. } => match now.reserved {
            Some(0) => Ok(vec![unreserve(&function.to_string(), before.reserved)]),
            reserved if reserved == before.reserved => Ok(Vec::new()),
            Some(other) => drifted(format!("its reserved concurrency is {other}")),
            None => drifted("it has no reserved concurrency".to_owned()),
        },
        Action::Disable { source, .. } => {
            let source = source.to_string();
            match now.sources.iter().find(|known| known.id == source) {
                Some(known) if !known.enabled => Ok(vec![Call::enable(&source, true)]),
                Some(_) => Ok(Vec::new()),
                None => drifted("the event source mapping is gone".to_owned()),
            }
        }
        Action::Memory {
            function,
            memory_mb,
            ..
        } => match now.memory_mb {
            mb if mb == *memory_mb => {
                let function = function.to_string();
                let call = Call::memory(&function, before.memory_mb, &now.revision_id);
                Ok(vec![call])
            }
            mb if mb == before.memory_mb => Ok(Vec::new()),
            mb => drifted(format!("it has {mb} MB")),
        },
    }
}

fn delete_policy(role: &str, name: &str) -> Call {
    Call::iam(
        "DeleteRolePolicy",
        json!({"PolicyName": name, "RoleName": role}),
    )
}

fn unreserve(function: &str, before: Option<u32>) -> Call {
    match before {
        Some(environments) => Call::reserve(function, environments),
        None => Call::reserve_none(function),
    }
}

/// A role's name is the last part of its path.
fn role_name(before: &Before) -> Result<String, PlanError> {
    let arn = &before.role_arn;
    let bad = || PlanError::Arn(arn.clone());
    let role = Arn::parse(arn, "iam").ok_or_else(bad)?;
    let path = role.rest.strip_prefix("role/").ok_or_else(bad)?;
    let name = path.rsplit('/').next().unwrap_or(path);
    match path.starts_with("aws-service-role/") {
        true => Err(PlanError::ServiceLinked(name.to_owned())),
        false => Ok(name.to_owned()),
    }
}

impl Action {
    /// What can be tried without doing it: whether the role may do what is to be denied, and whether it still may
    /// with the policy. None for what has no dry run in AWS's API.
    pub fn simulations(&self, plan: &Plan, before: &Before) -> Option<[Call; 2]> {
        let Action::Deny {
            resource, class, ..
        } = self
        else {
            return None;
        };
        let function = Arn::parse(&before.function_arn, "lambda")?;
        let document = &plan.calls.first()?.parameters["PolicyDocument"];
        // Wildcards cannot be simulated.
        let actions = match policy::actions(resource.kind(), *class) {
            [one] if one.ends_with('*') => policy::actions(resource.kind(), Class::Write),
            all => all,
        };
        // Any object of a bucket, and any index of a table.
        let resources = function.beside(resource, Class::Write);
        let resources: Vec<String> = resources
            .iter()
            .map(|arn| arn.replace('*', "any"))
            .collect();
        let simulate = |policies: Value| {
            Call::iam(
                "SimulatePrincipalPolicy",
                json!({
                    "PolicySourceArn": before.role_arn,
                    "ActionNames": actions,
                    "ResourceArns": &resources[..1],
                    "PolicyInputList": policies,
                    "ContextEntries": [{
                        "ContextKeyName": "lambda:SourceFunctionArn",
                        "ContextKeyType": "string",
                        "ContextKeyValues": [before.function_arn],
                    }],
                }),
            )
        };
        Some([simulate(json!([])), simulate(json!([document]))])
    }
}

/// What stands in a plan where only the day itself can tell.
const REVISION_THEN: &str = "as it is then";

#[cfg(test)]
mod tests;
