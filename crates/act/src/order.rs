//! What an actuator is told, and what it answers. It takes these orders and nothing else.

use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionId, FunctionName};
use crate::before::Before;
use crate::digest::Digest;
use crate::plan::Plan;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// See how things are and try what can be tried, and change nothing.
    Look {
        /// The proposed action's name.
        id: ActionId,
        /// The action.
        action: Action,
    },
    /// Do it, if things are as they were seen.
    Act {
        /// The proposed action's name.
        id: ActionId,
        /// The action.
        action: Action,
        /// How things were when a person agreed.
        seen: Digest,
    },
    /// Undo it.
    Undo {
        /// The action's name.
        id: ActionId,
        /// The action.
        action: Action,
        /// How things were before it.
        before: Before,
    },
    /// See from where a function takes events, and change nothing. The report has no plan.
    Sources {
        /// The function's name.
        function: FunctionName,
    },
}

/// What an actuator answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The order was followed.
    Followed(Box<Report>),
    /// It was not, or not whole.
    Failed(Failure),
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How things were.
    pub before: Before,
    /// What follows from the action; none where there is none to follow from.
    pub plan: Option<Plan>,
    /// What trying it said.
    pub dry_run: DryRun,
    /// What was called and has changed something.
    pub done: Vec<Done>,
}

/// What trying it said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "dry_run", rename_all = "snake_case")]
pub enum DryRun {
    /// Nobody tried: AWS's API has none for it, or nobody asked.
    #[default]
    None,
    /// It was tried with `SimulatePrincipalPolicy`.
    Simulated {
        /// Each permission.
        permissions: Vec<Simulated>,
    },
    /// It could not be tried.
    Failed {
        /// Why.
        why: String,
    },
}

/// What IAM decides about one permission, without the policy and with it: `allowed`, `explicitDeny` or `implicitDeny`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulated {
    /// Such as `dynamodb:PutItem`.
    pub permission: String,
    /// As it is.
    pub before: String,
    /// As it would be.
    pub after: String,
}

/// A call that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// `iam:PutRolePolicy`, as CloudTrail has it.
    pub call: String,
    /// With which CloudTrail finds it.
    pub request_id: String,
}

/// Why an order was not followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong: `bad_order` (it is none), `changed` (things are not as they were seen), `refused` (AWS says no),
    /// `impossible` (there is nothing to do), `drifted` (somebody has changed it since, so it is not undone),
    /// `unreachable` (AWS or the actuator does not answer).
    pub code: String,
    /// In words.
    pub message: String,
    /// What had been done before that.
    pub done: Vec<Done>,
}

impl Failure {
    /// Before anything was done.
    pub fn new(code: &str, message: impl ToString) -> Self {
        Failure {
            code: code.to_owned(),
            message: message.to_string(),
            done: Vec::new(),
        }
    }
}
