//! What `throughline eval` says of incidents that went through a server: the program is `THROUGHLINE_BIN`, the folders are
//! `PETSHOP` and `RECORDED`. Nothing is measured where they are not given, as the data is not part of this repository.

use std::process::Command;

use serde_json::{Value, json};

/// Of each scenario: hits by symptom, what is seen unasked, and how long an investigation takes.
pub(crate) fn petshop() -> Vec<Value> {
    let scenarios = evaluated("petshop", "PETSHOP").unwrap_or_default();
    let scenarios = scenarios.as_array().cloned().unwrap_or_default();
    scenarios.iter().flat_map(of_scenario).collect()
}

/// Of incidents that were recorded in an application under the sandbox: whether they are noticed, and their causes named.
pub(crate) fn recorded() -> Vec<Value> {
    let Some(scores) = evaluated("recorded", "RECORDED") else {
        return Vec::new();
    };
    let figure = |what: &str,
                  value: &Value,
                  unit: &str,
                  goal: Option<(&str, bool)>,
                  note: String| {
        let (goal, met) = goal.map_or((String::new(), None), |(goal, met)| {
            (goal.to_owned(), Some(met))
        });
        let name = format!("recorded.{what}");
        json!({"name": name, "value": value, "unit": unit, "goal": goal, "met": met, "note": note})
    };
    let number = |key: &str| scores[key].as_f64().unwrap_or(f64::NAN);
    let kinds = scores["kinds"].as_array().cloned().unwrap_or_default();
    let of_kinds = |key: &str| {
        let kinds = kinds.iter();
        let kinds = kinds.map(|kind| format!("{} {}", kind["kind"].as_str().unwrap(), kind[key]));
        kinds.collect::<Vec<_>>().join(", ")
    };
    let third = ("recall_at_3", (">= 0.95", number("recall_at_3") >= 0.95));
    let quiet = ("<= 1", number("false_a_week") <= 1.0);
    let missed = format!("missed: {}", scores["missed"]);
    let incidents = format!("{} incidents: {}", scores["incidents"], of_kinds("noticed"));
    let late = format!("90th percentile {}", scores["minutes_p90"]);
    let half = |key: &str| {
        let half = &scores["reported"];
        (
            half[key].clone(),
            format!("{} incidents", half["incidents"]),
        )
    };
    let (half_first, of_half) = half("recall_at_1");
    let (half_third, _) = half("recall_at_3");
    vec![
        figure("noticed", &scores["noticed"], "share", None, incidents),
        figure(
            "recall_at_1",
            &scores["recall_at_1"],
            "share",
            None,
            of_kinds("recall_at_1"),
        ),
        figure(
            third.0,
            &scores["recall_at_3"],
            "share",
            Some(third.1),
            missed,
        ),
        figure(
            "reported.recall_at_1",
            &half_first,
            "share",
            None,
            of_half.clone(),
        ),
        figure("reported.recall_at_3", &half_third, "share", None, of_half),
        figure("minutes", &scores["minutes_p50"], "min", None, late),
        figure(
            "false_a_week",
            &scores["false_a_week"],
            "incidents",
            Some(quiet),
            scores["false"].to_string(),
        ),
        figure(
            "beside",
            &scores["beside"],
            "incidents",
            None,
            String::new(),
        ),
    ]
}

/// The answer of `throughline eval WHAT` to the folder of a variable.
fn evaluated(what: &str, folder: &str) -> Option<Value> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (Some(program), Some(directory)) = (variable("THROUGHLINE_BIN"), variable(folder)) else {
        eprintln!("{what}: left out; say {folder}=DIR");
        return None;
    };
    let output = Command::new(&program)
        .args(["eval", what, &directory, "--json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn of_scenario(scenario: &Value) -> Vec<Value> {
    let name = scenario["scenario"].as_str().unwrap();
    let figure = |what: &str, value: &Value, unit: &str, note: String| {
        let name = format!("petshop.{name}.{what}");
        json!({"name": name, "value": value, "unit": unit, "goal": "", "met": null, "note": note})
    };
    let mut figures = Vec::new();
    for row in scenario["symptoms"].as_array().unwrap() {
        let symptom = row["symptom"].as_str().unwrap();
        for what in ["recall_at_1", "recall_at_3", "specificity"] {
            let note = format!("{} incidents", row["incidents"]);
            figures.push(figure(
                &format!("{symptom}.{what}"),
                &row[what],
                "share",
                note,
            ));
        }
    }
    let there = format!("{} at the target or the cause", scenario["hit_rate_there"]);
    figures.push(figure("hit_rate", &scenario["hit_rate"], "share", there));
    let windows = &scenario["false_windows_a_day"];
    figures.push(figure("false_windows", windows, "a day", String::new()));
    let seconds = json!(scenario["investigation_ms"].as_f64().unwrap() / 1e3);
    let slowest = format!("{} ms at most", scenario["slowest_investigation_ms"]);
    figures.push(figure("investigation", &seconds, "s", slowest));
    figures
}
