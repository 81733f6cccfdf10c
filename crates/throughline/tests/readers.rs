//! Data folders as other programs and people see them: `throughline store`, and DuckDB on what it writes.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use throughline_store::{Body, Options, Store};
use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::{Request, logs_request, traces_request};
use throughline_testkit::{log, moment, span};

/// The binary.
fn throughline(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throughline"));
    command.args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

async fn put(store: &Store, request: Request) {
    let bytes = request.to_protobuf().into();
    let body = Body::check(request.signal(), bytes, usize::MAX).unwrap();
    store.append(body, moment(0), None).await.unwrap();
}

/// Spans in segments, merged segments and none, some of them sent twice, and log records.
async fn filled(directory: &Path) -> Store {
    let mut options = Options::new(directory);
    options.compacts = false;
    let (store, _) = Store::open(options).unwrap();
    for round in 0..4_u64 {
        let spans: Vec<_> = (0..100)
            .map(|n| {
                let id = round * 90 + n;
                let span = span(["shop", "mail"][usize::from(id % 3 == 0)]).named("GET /");
                let span = span.in_trace(id % 11).id(id + 1).at(id).lasting(2);
                span.attribute("http.route", format!("/{}", id % 5)).build()
            })
            .collect();
        put(&store, Request::Traces(traces_request(&spans))).await;
        let logs: Vec<_> = (0..25)
            .map(|n| log("shop").says(format!("line {n} of {round}")).at(n))
            .map(|log| log.severity(9, "INFO").build())
            .collect();
        put(&store, Request::Logs(logs_request(&logs))).await;
        if round < 3 {
            store.seal().unwrap();
        }
        if round == 1 {
            store.compact(UnixNanos(u64::MAX)).unwrap();
        }
    }
    store
}

/// Ids 0 to 369, each once.
const SPANS: u64 = 370;

#[tokio::test]
async fn duckdb_counts_what_was_sent() {
    let Some(python) = python() else {
        return eprintln!("skipped: DuckDB is not installed; scripts/readers installs it");
    };
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    drop(filled(&data).await);
    let ask = |signal: &str, more: &[&str], sql: &str| -> Value {
        let file = directory.path().join(format!("{signal}.parquet"));
        let _ = fs::remove_file(&file);
        let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
        let export = ["store", "export", data, "--signal", signal, "--out", file];
        let exported = throughline(&[&export, more].concat());
        assert!(exported.status.success(), "{}", said(&exported));
        let script = "import duckdb, json, sys
rows = duckdb.sql(sys.argv[2].replace('FILE', \"'\" + sys.argv[1] + \"'\")).fetchall()
print(json.dumps(rows, default=str))";
        let asked = Command::new(&python)
            .args(["-c", script, file, sql])
            .output();
        let asked = asked.unwrap();
        assert!(asked.status.success(), "{}", said(&asked));
        serde_json::from_slice(&asked.stdout).unwrap()
    };
    assert_eq!(
        ask(
            "traces",
            &[],
            "select count(*), count(distinct span_id), sum(duration_ns)::bigint, min(time)::varchar,
                    min(length(trace_id)), sum((service = 'mail')::int)::bigint,
                    count(distinct attributes['http.route'])
             from FILE",
        ),
        json!([[SPANS, SPANS, SPANS * 2_000_000, "2026-01-01 00:00:00+00", 32, 124, 5]])
    );
    let within = [
        "--from",
        "2026-01-01T00:00:00.010Z",
        "--to",
        "2026-01-01T00:00:00.020Z",
    ];
    assert_eq!(
        ask(
            "traces",
            &[&within[..], &["--service", "mail"]].concat(),
            "select count(*) from FILE"
        ),
        json!([[3]])
    );
    assert_eq!(
        ask(
            "logs",
            &[],
            "select count(*), min(body), max(severity), max(severity_number) from FILE"
        ),
        json!([[100, "line 0 of 0", "INFO", 9]])
    );
    assert_eq!(
        ask("metrics", &[], "select count(*) from FILE"),
        json!([[0]])
    );
}

#[tokio::test]
async fn check_tells_good_from_damaged_and_from_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let store = filled(&data).await;
    let path = data.to_str().unwrap();
    let in_use = throughline(&["store", "check", path]);
    assert_eq!(in_use.status.code(), Some(2));
    assert!(
        said(&in_use).contains("stop the server"),
        "{}",
        said(&in_use)
    );
    let out = directory.path().join("out.parquet");
    let out = out.to_str().unwrap();
    let in_use = throughline(&["store", "export", path, "--signal", "logs", "--out", out]);
    assert_eq!(in_use.status.code(), Some(2));
    assert!(!Path::new(out).exists());
    drop(store);
    let good = throughline(&["store", "check", path]);
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    assert!(
        said(&good).contains("everything is as it was written"),
        "{}",
        said(&good)
    );
    let segments = fs::read_dir(data.join("segments")).unwrap();
    let mut segments: Vec<PathBuf> = segments.map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    let index = segments
        .iter()
        .find(|path| path.extension().unwrap() == "index");
    fs::write(index.unwrap(), "damage").unwrap();
    let bad = throughline(&["store", "check", path, "--format", "json"]);
    assert_eq!(bad.status.code(), Some(1), "{}", said(&bad));
    let report: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!(report["faults"].as_array().unwrap().len(), 1, "{report}");
    let name = index.unwrap().strip_prefix(&data).unwrap();
    assert_eq!(report["faults"][0]["path"], name.to_str().unwrap());
    let nowhere = throughline(&["store", "check", "no-such-folder"]);
    assert_eq!(nowhere.status.code(), Some(2));
}

#[test]
fn prometheus_reads_the_metrics() {
    let Some(python) = python() else {
        return eprintln!(
            "skipped: Prometheus' parser is not installed; scripts/readers installs it"
        );
    };
    let directory = tempfile::tempdir().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(["serve", "--json", "--data-dir"])
        .arg(directory.path().join("data"))
        .args(["--http", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0"])
        .args(["--otlp-grpc", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = server.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let addresses: Value = serde_json::from_str(&line).unwrap();
    let url = format!("http://{}/metrics", addresses["http"].as_str().unwrap());
    let script = "import json, sys, urllib.request
from prometheus_client.parser import text_string_to_metric_families as families
text = urllib.request.urlopen(sys.argv[1]).read().decode()
print(json.dumps([[f.name, f.type, bool(f.documentation), len(f.samples)] for f in families(text)]))";
    let parsed = Command::new(&python).args(["-c", script, &url]).output();
    server.kill().unwrap();
    server.wait().unwrap();
    let parsed = parsed.unwrap();
    assert!(parsed.status.success(), "{}", said(&parsed));
    let families: Value = serde_json::from_slice(&parsed.stdout).unwrap();
    let families = families.as_array().unwrap();
    let family = |name: &str| families.iter().find(|family| family[0] == name);
    // The parser takes `_total` off, and what has no type or no help it would call unknown.
    assert_eq!(
        family("throughline_accepted_rows"),
        Some(&json!(["throughline_accepted_rows", "counter", true, 3]))
    );
    assert_eq!(
        family("throughline_ack_seconds"),
        Some(&json!(["throughline_ack_seconds", "histogram", true, 17]))
    );
    assert_eq!(
        family("throughline_build_info"),
        Some(&json!(["throughline_build_info", "gauge", true, 1]))
    );
    assert!(families.len() > 30, "{families:?}");
    for family in families {
        assert!(
            family[0].as_str().unwrap().starts_with("throughline_"),
            "{family}"
        );
        assert!(
            ["counter", "gauge", "histogram"].contains(&family[1].as_str().unwrap()),
            "{family}"
        );
        assert!(
            family[2] == true && family[3].as_u64() > Some(0),
            "{family}"
        );
    }
}

/// The interpreter that `scripts/readers` installs.
#[allow(clippy::disallowed_methods)] // the edge where tests learn what is installed
fn python() -> Option<PathBuf> {
    let script = include_str!("../../../scripts/readers");
    let version = |name: &str| script.lines().find_map(|line| line.strip_prefix(name));
    let (duckdb, prometheus) = (version("duckdb=")?, version("prometheus=")?);
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    let home = cache.join(format!("throughline/tools/readers-{duckdb}-{prometheus}"));
    Some(home.join("bin/python")).filter(|python| python.is_file())
}
