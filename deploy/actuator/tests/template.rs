//! The role in the template allows what the code calls, and nothing more.

use std::collections::BTreeSet;

#[path = "support/allowed.rs"]
mod allowed;

#[test]
fn the_role_allows_what_is_called_and_nothing_more() {
    let called: BTreeSet<String> = [
        "iam:DeleteRolePolicy",
        "iam:PutRolePolicy",
        "iam:SimulatePrincipalPolicy",
        "lambda:DeleteFunctionConcurrency",
        "lambda:GetFunctionConcurrency",
        "lambda:GetFunctionConfiguration",
        "lambda:ListEventSourceMappings",
        "lambda:PutFunctionConcurrency",
        "lambda:UpdateEventSourceMapping",
        "lambda:UpdateFunctionConfiguration",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(allowed::actions(), called);
}
