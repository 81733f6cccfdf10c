//! Who may depend on whom: the arrows of ARCHITECTURE.md, and what must never be reached at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

/// Every crate of the workspace with the workspace crates that it may use outside tests.
const MAY_USE: &[(&str, &[&str])] = &[
    ("throughline-telemetry", &[]),
    ("throughline-prices", &[]),
    ("throughline-act", &[]),
    ("throughline-actuator", &["throughline-act"]),
    (
        "throughline-actuator-function",
        &["throughline-act", "throughline-actuator"],
    ),
    ("throughline-scrub", &["throughline-telemetry"]),
    (
        "throughline-insight",
        &["throughline-prices", "throughline-telemetry"],
    ),
    (
        "throughline-notify",
        &["throughline-insight", "throughline-telemetry"],
    ),
    ("throughline-store", &["throughline-telemetry"]),
    (
        "throughline-query",
        &["throughline-telemetry", "throughline-store"],
    ),
    ("throughline-mcp", &["throughline-telemetry"]),
    ("throughline-sandbox", &[]),
    ("throughline-sources", &["throughline-sandbox"]),
    (
        "throughline-extension",
        &[
            "throughline-prices",
            "throughline-scrub",
            "throughline-telemetry",
        ],
    ),
    (
        "throughline-sdk",
        &["throughline-sdk-macros", "throughline-telemetry"],
    ),
    ("throughline-sdk-macros", &[]),
    ("throughline-testkit", &["throughline-telemetry"]),
    (
        "throughline-server",
        &[
            "throughline-act",
            "throughline-telemetry",
            "throughline-insight",
            "throughline-notify",
            "throughline-mcp",
            "throughline-query",
            "throughline-store",
        ],
    ),
    (
        "throughline",
        &[
            "throughline-act",
            "throughline-actuator",
            "throughline-server",
            "throughline-insight",
            "throughline-mcp",
            "throughline-store",
            "throughline-sandbox",
            "throughline-sources",
            "throughline-scrub",
            "throughline-telemetry",
        ],
    ),
    ("throughline-bench", &["throughline-telemetry"]),
    ("checkout", &[]),
    ("notify-restaurant", &["throughline-sdk"]),
    ("search-restaurants", &["throughline-sdk"]),
    ("rust-guide", &[]),
    ("xtask", &[]),
];

/// Packages (by the beginning of their names) that a crate must not reach, however indirectly.
const NEVER_REACHES: &[(&str, &[&str])] = &[
    (
        "throughline-telemetry",
        &["tokio", "hyper", "arrow", "parquet"],
    ),
    (
        "throughline-scrub",
        &["tokio", "hyper", "arrow", "parquet", "regex-automata"],
    ),
    (
        "throughline-insight",
        &["tokio", "hyper", "arrow", "parquet"],
    ),
    (
        "throughline-act",
        &["tokio", "hyper", "arrow", "parquet", "aws-sdk"],
    ),
    (
        "throughline-extension",
        &[
            "arrow",
            "parquet",
            "datafusion",
            "aws-sdk",
            "tonic",
            "axum",
            "rusqlite",
        ],
    ),
    // What a function that adds it would carry along.
    (
        "throughline-sdk",
        &[
            "arrow",
            "parquet",
            "datafusion",
            "aws-sdk",
            "tonic",
            "openssl",
            "axum",
        ],
    ),
    ("throughline-sandbox", &["aws-sdk", "arrow", "datafusion"]),
    ("throughline-notify", &["arrow", "parquet", "axum"]),
    ("throughline-store", &["datafusion", "axum", "tonic"]),
    ("throughline-server", &["throughline-sandbox"]),
];

pub(super) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let graph = Graph::load(root)?;
    let mut findings = Vec::new();
    for name in &graph.members {
        let Some((_, may_use)) = MAY_USE.iter().find(|(known, _)| known == name) else {
            findings.push(format!(
                "{name} is not in the layers of xtask/src/tidy/layers.rs"
            ));
            continue;
        };
        for used in graph.uses(name).intersection(&graph.members) {
            if !may_use.contains(&used.as_str()) {
                findings.push(format!("{name} must not depend on {used}"));
            }
        }
    }
    for (name, forbidden) in NEVER_REACHES {
        for reached in graph.reached_from(name) {
            if forbidden.iter().any(|prefix| reached.starts_with(prefix)) {
                findings.push(format!("{name} reaches {reached}, which it must not"));
            }
        }
    }
    Ok(findings)
}

/// Package names and their normal (not build, not dev) dependencies.
struct Graph {
    members: BTreeSet<String>,
    uses: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn load(root: &Path) -> anyhow::Result<Self> {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
            .current_dir(root)
            .output()
            .context("cannot run cargo metadata")?;
        ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        Ok(Self::read(&metadata))
    }

    fn read(metadata: &Value) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name_of: BTreeMap<String, String> = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let name = |id: &Value| name_of.get(&text(id)).cloned().unwrap_or_default();
        let normal = |dependency: &Value| {
            let kinds = list(&dependency["dep_kinds"]);
            kinds.iter().any(|kind| kind["kind"].is_null())
        };
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let deps = list(&node["deps"]);
            let deps = deps.iter().filter(|dep| normal(dep));
            uses.entry(name(&node["id"]))
                .or_default()
                .extend(deps.map(|dep| name(&dep["pkg"])));
        }
        let members = list(&metadata["workspace_members"]);
        Graph {
            members: members.iter().map(name).collect(),
            uses,
        }
    }

    fn uses(&self, name: &str) -> BTreeSet<String> {
        self.uses.get(name).cloned().unwrap_or_default()
    }

    fn reached_from(&self, name: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(next) = open.pop() {
            for used in self.uses(&next) {
                if reached.insert(used.clone()) {
                    open.push(used);
                }
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reach_is_transitive_and_leaves_dev_dependencies_out() {
        let metadata = serde_json::json!({
            "packages": [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}, {"id": "3", "name": "c"}],
            "workspace_members": ["1"],
            "resolve": {"nodes": [
                {"id": "1", "deps": [{"pkg": "2", "dep_kinds": [{"kind": null}]}, {"pkg": "3", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "2", "deps": [{"pkg": "1", "dep_kinds": [{"kind": null}]}]},
                {"id": "3", "deps": []},
            ]},
        });
        let graph = Graph::read(&metadata);
        let reached: Vec<String> = graph.reached_from("a").into_iter().collect();
        assert_eq!(reached, ["a", "b"]);
    }
}
