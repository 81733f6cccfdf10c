//! The PetShop data set: metrics of the components of an application, by five minutes, with incidents.
//!
//! ```text
//! SCENARIO/graph.csv                    who calls whom, 0 or 1: rows call columns
//! SCENARIO/noissue/metrics.csv          when all was well
//! SCENARIO/*/issue_N/metrics.csv        an incident
//! SCENARIO/*/issue_N/target.json        its symptom, and its cause
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use throughline_insight::rootcause::{NodeSeries, Scene, Step, Symptom, View};

/// One deployment of the application.
pub(super) struct Scenario {
    pub(super) name: String,
    /// Who calls whom.
    pub(super) calls: Vec<(String, String)>,
    /// When all was well.
    pub(super) normal: Metrics,
    pub(super) incidents: Vec<Incident>,
}

/// Something that went wrong.
pub(super) struct Incident {
    pub(super) name: String,
    pub(super) metrics: Metrics,
    /// The node that it is seen at, and how.
    pub(super) target: String,
    pub(super) symptom: Symptom,
    /// The node that it came from. Only who counts hits looks at this.
    pub(super) label: String,
}

/// The steps of every node, each node as many.
pub(super) type Metrics = BTreeMap<String, Vec<Measured>>;

/// What a node did in five minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    pub(super) step: Step,
    /// How long half, 90, 95 and 99 % of the calls took at most, in milliseconds, where that is told.
    pub(super) within_ms: [Option<f64>; 4],
}

impl Scenario {
    /// Those in a folder, by name.
    pub(super) fn all(dir: &Path) -> anyhow::Result<Vec<Scenario>> {
        let folders = folders(dir)?.into_iter();
        folders
            .filter(|folder| folder.join("graph.csv").is_file())
            .map(|folder| Scenario::load(&folder))
            .collect()
    }

    fn load(folder: &Path) -> anyhow::Result<Scenario> {
        let mut incidents = Vec::new();
        for part in folders(folder)? {
            for issue in folders(&part)? {
                if issue.join("target.json").is_file() {
                    incidents.push(Incident::load(&issue)?);
                }
            }
        }
        Ok(Scenario {
            name: name_of(folder),
            calls: calls(&folder.join("graph.csv"))?,
            normal: metrics(&folder.join("noissue/metrics.csv"))?,
            incidents,
        })
    }

    /// What is known in an incident.
    pub(super) fn scene(&self, incident: &Incident) -> Scene {
        self.scene_of(&self.normal, &incident.metrics)
    }

    /// The nodes that incidents are seen at, and how, each once.
    pub(super) fn targets(&self) -> Vec<(&str, Symptom)> {
        let mut targets = Vec::new();
        for incident in &self.incidents {
            let target = (incident.target.as_str(), incident.symptom);
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        targets
    }

    /// As if the time when all was well ended at `normal_to`, and what follows from `from` to `to` were an incident;
    /// steps as parts of all, from 0 to 1.
    pub(super) fn quiet(&self, normal_to: f64, from: f64, to: f64) -> Scene {
        let part = |from: f64, to: f64| -> Metrics {
            let cut = |steps: &Vec<Measured>| {
                let at = |part: f64| place(part, steps.len());
                steps[at(from)..at(to)].to_vec()
            };
            let nodes = self.normal.iter();
            nodes
                .map(|(node, steps)| (node.clone(), cut(steps)))
                .collect()
        };
        self.scene_of(&part(0.0, normal_to), &part(from, to))
    }

    /// How many steps there are in which all was well.
    pub(super) fn normal_steps(&self) -> usize {
        steps_of(&self.normal)
    }

    fn scene_of(&self, normal: &Metrics, now: &Metrics) -> Scene {
        let called = self.calls.iter().flat_map(|(from, to)| [from, to]);
        let names: BTreeSet<&String> = called.chain(normal.keys()).chain(now.keys()).collect();
        let place: BTreeMap<&String, usize> = names.iter().copied().zip(0..).collect();
        let steps = |steps: &Vec<Measured>| steps.iter().map(|it| it.step).collect();
        let none = vec![Step::default(); steps_of(now)];
        let nodes = names.iter().map(|name| NodeSeries {
            name: (*name).clone(),
            view: view(name),
            normal: normal.get(*name).map(steps).unwrap_or_default(),
            now: now.get(*name).map_or_else(|| none.clone(), steps),
        });
        Scene {
            nodes: nodes.collect(),
            calls: self
                .calls
                .iter()
                .map(|(from, to)| (place[from], place[to]))
                .collect(),
        }
    }
}

impl Incident {
    fn load(folder: &Path) -> anyhow::Result<Incident> {
        let file = folder.join("target.json");
        let shown = file.display();
        let text = fs::read(&file).with_context(|| format!("cannot read {shown}"))?;
        let target: Value =
            serde_json::from_slice(&text).with_context(|| format!("cannot read {shown}"))?;
        let text = |value: &Value| {
            let text = value.as_str().map(str::to_owned);
            text.with_context(|| format!("{shown} has no target or no root cause"))
        };
        let symptom = match target["target"]["metric"].as_str() {
            Some("latency") => Symptom::Slow,
            Some("availability") => Symptom::Failing,
            other => bail!("{shown}: {other:?} is not latency or availability"),
        };
        Ok(Incident {
            name: name_of(folder),
            metrics: metrics(&folder.join("metrics.csv"))?,
            target: text(&target["target"]["node"])?,
            symptom,
            label: text(&target["root_cause"]["node"])?,
        })
    }
}

/// How many steps there are.
pub(super) fn steps_of(metrics: &Metrics) -> usize {
    metrics.values().map(Vec::len).max().unwrap_or(0)
}

/// What clients say of calls whose other end is not instrumented is named so.
pub(super) fn view(name: &str) -> View {
    if name.ends_with("_remote") || name.ends_with("_client") {
        View::Client
    } else {
        View::Own
    }
}

fn calls(file: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let rows = rows(file)?;
    let (callees, callers) = rows.split_first().context("an empty graph")?;
    let mut calls = Vec::new();
    for row in callers {
        for (callee, cell) in callees.iter().zip(row).skip(1) {
            if cell.parse::<f64>().is_ok_and(|calls| calls > 0.0) {
                calls.push((row[0].clone(), callee.clone()));
            }
        }
    }
    Ok(calls)
}

fn metrics(file: &Path) -> anyhow::Result<Metrics> {
    let rows = rows(file)?;
    let shown = file.display();
    ensure!(rows.len() > HEAD, "{shown} has no rows");
    let mut found = Metrics::new();
    let steps = rows.len() - HEAD;
    let head = |row: usize, column: usize| rows[row].get(column).map_or("", String::as_str);
    for (column, name) in rows[0].iter().enumerate().skip(1) {
        let cells = rows[HEAD..].iter().map(|row| {
            row.get(column)?
                .parse::<f64>()
                .ok()
                .filter(|cell| !cell.is_nan())
        });
        let node = found
            .entry(name.clone())
            .or_insert_with(|| vec![Measured::default(); steps]);
        for (Measured { step, within_ms }, cell) in node.iter_mut().zip(cells) {
            let millis = cell.map(|seconds| seconds * 1e3);
            match (head(1, column), head(2, column)) {
                ("latency", "Average") => step.mean_ms = millis,
                ("latency", "p50") => within_ms[0] = millis,
                ("latency", "p90") => within_ms[1] = millis,
                ("latency", "p95") => within_ms[2] = millis,
                ("latency", "p99") => within_ms[3] = millis,
                ("requests", "Sum") => step.count = cell.unwrap_or(0.0),
                // Of calls that are not known yet: see below.
                ("availability", "Average") => step.errors = 1.0 - cell.unwrap_or(100.0) / 100.0,
                _ => {}
            }
        }
    }
    for Measured { step, .. } in found.values_mut().flatten() {
        step.errors *= step.count;
        step.mean_ms = step.mean_ms.filter(|_| step.count > 0.0);
    }
    Ok(found)
}

fn rows(file: &Path) -> anyhow::Result<Vec<Vec<String>>> {
    let shown = file.display();
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).from_path(file);
    let records = reader
        .with_context(|| format!("cannot read {shown}"))?
        .into_records();
    let rows = records.map(|record| Ok(record?.iter().map(str::to_owned).collect()));
    let rows: Result<Vec<Vec<String>>, csv::Error> = rows.collect();
    rows.with_context(|| format!("cannot read {shown}"))
}

fn folders(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn name_of(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // some hundreds
pub(super) fn place(part: f64, of: usize) -> usize {
    ((part * of as f64).round() as usize).min(of)
}

/// Three rows of names and one of the index.
const HEAD: usize = 4;
