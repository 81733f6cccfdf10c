//! What `throughline eval petshop` says of labelled incidents that went through a server: the program is `THROUGHLINE_BIN`,
//! the folder `PETSHOP`. Nothing is measured where they are not given, as the data is not part of this repository.

use std::process::Command;

use serde_json::{Value, json};

/// Of each scenario: hits by symptom, what is seen unasked, and how long an investigation takes.
pub(crate) fn figures() -> Vec<Value> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (Some(program), Some(folder)) = (variable("THROUGHLINE_BIN"), variable("PETSHOP")) else {
        eprintln!("petshop: left out; say PETSHOP=DIR");
        return Vec::new();
    };
    let output = Command::new(&program)
        .args(["eval", "petshop", &folder, "--json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    let scenarios: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    scenarios.iter().flat_map(of_scenario).collect()
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
