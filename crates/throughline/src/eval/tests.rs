use std::fs;
use std::path::Path;

use super::*;

/// Calls, mean seconds and availability of two components by five minutes, in the layout of the data set.
fn metrics(steps: usize, slow: impl Fn(usize) -> bool) -> String {
    let mut text = "microservice,shop,shop,shop,stock,stock,stock\n\
        metric,latency,requests,availability,latency,requests,availability\n\
        statistic,Average,Sum,Average,Average,Sum,Average\nindex,,,,,,\n"
        .to_owned();
    for step in 0..steps {
        // Some noise, or any change would be one.
        let wobble = f64::from(u32::try_from(step % 5).unwrap()) * 0.001;
        let added = if slow(step) { 0.5 } else { 0.0 };
        let (shop, stock) = (0.2 + wobble + added, 0.1 + wobble + added);
        text += &format!("{step},{shop},300,100,{stock},300,100\n");
    }
    text
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn a_cause_that_is_planted_is_found_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let scenario = directory.path().join("small");
    write(
        &scenario.join("graph.csv"),
        ",shop,stock\nshop,0,1\nstock,0,0\n",
    );
    write(
        &scenario.join("noissue/metrics.csv"),
        &metrics(200, |_| false),
    );
    let issue = scenario.join("train/issue_0");
    write(
        &issue.join("metrics.csv"),
        &metrics(10, |step| (3..8).contains(&step)),
    );
    let target =
        r#"{"target": {"node": "shop", "metric": "latency"}, "root_cause": {"node": "stock"}}"#;
    write(&issue.join("target.json"), target);
    let scores: Vec<Scores> = Scenario::all(directory.path())
        .unwrap()
        .iter()
        .map(score::of)
        .collect();
    let row = &scores[0].rows[0];
    let found = (row.incidents, row.recall_at_1(), row.specificity());
    assert_eq!(found, (1, 1.0, 1.0), "{:?}", scores[0].missed);
    assert!(table(directory.path(), &scores).contains("1 of 1 incidents are seen"));

    let wrong = target.replace("stock", "shop");
    write(&issue.join("target.json"), &wrong);
    let scores = score::of(&Scenario::all(directory.path()).unwrap()[0]);
    assert_eq!(
        scores.rows[0].recall_at_1(),
        0.0,
        "the label is only counted"
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let eval = |directory: &Path| {
        run(&Eval {
            command: EvalCommand::Petshop(EvalPetshop {
                directory: directory.to_owned(),
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
