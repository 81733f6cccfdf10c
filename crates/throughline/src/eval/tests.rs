use std::fs;
use std::path::Path;

use super::*;

/// Calls, mean seconds and availability of two components by five minutes, in the layout of the data set.
fn metrics(steps: usize, calls: usize, slow: impl Fn(usize) -> bool) -> String {
    let mut text = "microservice,shop,shop,shop,stock,stock,stock\n\
        metric,latency,requests,availability,latency,requests,availability\n\
        statistic,Average,Sum,Average,Average,Sum,Average\nindex,,,,,,\n"
        .to_owned();
    for step in 0..steps {
        // Some noise, or any change would be one.
        let wobble = f64::from(u32::try_from(step % 5).unwrap()) * 0.001;
        let added = if slow(step) { 0.5 } else { 0.0 };
        let (shop, stock) = (0.2 + wobble + added, 0.1 + wobble + added);
        text += &format!("{step},{shop},{calls},100,{stock},{calls},100\n");
    }
    text
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// An application in which `stock` gets slow and `shop`, which calls it, with it; `label` is said to be the cause.
fn planted(directory: &Path, steps: usize, calls: usize, label: &str) -> Vec<Scenario> {
    let scenario = directory.join("small");
    write(
        &scenario.join("graph.csv"),
        ",shop,stock\nshop,0,1\nstock,0,0\n",
    );
    write(
        &scenario.join("noissue/metrics.csv"),
        &metrics(steps, calls, |_| false),
    );
    let issue = scenario.join("train/issue_0");
    write(
        &issue.join("metrics.csv"),
        &metrics(10, calls, |step| (3..8).contains(&step)),
    );
    let target =
        json!({"target": {"node": "shop", "metric": "latency"}, "root_cause": {"node": label}});
    write(&issue.join("target.json"), &target.to_string());
    Scenario::all(directory).unwrap()
}

#[test]
fn a_cause_that_is_planted_is_found_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let scenarios = planted(directory.path(), 200, 300, "stock");
    let scores: Vec<Scores> = scenarios.iter().map(direct::of).collect();
    let row = &scores[0].rows[0];
    let found = (row.incidents, row.recall_at_1(), row.specificity());
    assert_eq!(found, (1, 1.0, 1.0), "{:?}", scores[0].missed);
    let table = table(directory.path(), &scores);
    assert!(table.contains("straight into the analysis"), "{table}");
    assert!(table.contains("in 1 of 1 incidents, in 1 of"), "{table}");

    let wrong = planted(directory.path(), 200, 300, "shop");
    let scores = direct::of(&wrong[0]);
    assert_eq!(
        scores.rows[0].recall_at_1(),
        0.0,
        "the label is only counted"
    );
}

#[test]
fn the_same_is_found_by_a_server_that_was_sent_it() {
    let directory = tempfile::tempdir().unwrap();
    let scenarios = planted(directory.path(), 60, 40, "stock");
    let scores = of_served(&scenarios).unwrap();
    let row = &scores[0].rows[0];
    let found = (row.incidents, row.recall_at_1(), row.specificity());
    assert_eq!(found, (1, 1.0, 1.0), "{:?}", scores[0].missed);
    let watched = (scores[0].seen, scores[0].seen_there);
    assert_eq!(watched, (1, 1));
    assert_eq!(scores[0].false_windows_a_day, 0.0);
    // Of each call one, and the shop says once an hour whom it calls; the incident begins on a full hour.
    assert_eq!(scores[0].spans, 60 * 80 + 5 + 10 * 80 + 1);
    assert!(scores[0].investigation_ms() > 0.0);
    let table = table(directory.path(), &scores);
    assert!(table.contains("5606 spans went to a server"), "{table}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let eval = |directory: &Path| {
        run(&Eval {
            command: EvalCommand::Petshop(EvalPetshop {
                directory: directory.to_owned(),
                direct: true,
                json: false,
            }),
        })
    };
    let error = eval(directory.path()).unwrap_err();
    assert!(error.to_string().starts_with("no scenario in "), "{error}");
    let scenario = directory.path().join("small");
    write(&scenario.join("graph.csv"), ",shop\nshop,0\n");
    write(&scenario.join("noissue/metrics.csv"), "a,b\n1\n2\n3\n4,5\n");
    assert!(
        eval(directory.path()).is_ok(),
        "columns without a metric say nothing"
    );
    fs::remove_file(scenario.join("noissue/metrics.csv")).unwrap();
    let error = format!("{:#}", eval(directory.path()).unwrap_err());
    assert!(error.contains("noissue/metrics.csv"), "{error}");
}

#[test]
fn what_would_be_too_many_spans_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let scenarios = planted(directory.path(), 20, 1_000_000, "stock");
    let refused = of_served(&scenarios).err().unwrap();
    let error = format!("{refused:#}");
    assert!(
        error.starts_with("small has 40000000 calls") && error.ends_with("see --direct"),
        "{error}"
    );
}
