//! What goes wrong in big-mouth without an error is in its telemetry, as whoever looks for it needs it: memory, who calls
//! what, cold starts. `make misbehaviours`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::process::{Process, Server, has_moto};

const LEAK: &str = "memory-leak";
const WRITE: &str = "unexpected-write";
const STORM: &str = "cold-start-storm";

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_without_an_error_is_in_the_telemetry() {
    if !is_wanted() {
        eprintln!("skipped, since it takes four minutes: make misbehaviours");
        return;
    }
    if !has_moto() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let mut arguments = vec!["demo", "--any-port", "--json", "--rate", "90"];
    arguments.extend(["--misbehave-after", "30", "--misbehave-for", "35"]);
    for name in [LEAK, WRITE, STORM] {
        arguments.extend(["--misbehave", name]);
    }
    let demo = Process::start(&arguments, data.path());
    let times = times(Path::new(&demo.text("ground_truth"))).await;
    // The last of an environment's telemetry leaves when the environment ends.
    drop(demo);
    let server = Server::over(data);
    expect_growing_memory(&server, &times[LEAK]).await;
    expect_new_edge(&server, &times[WRITE]).await;
    expect_cold_starts(&server, &times[STORM]).await;
}

/// In milliseconds since 1970.
type Times = Range<f64>;

/// When each began and ended, once all have.
async fn times(ground_truth: &Path) -> BTreeMap<String, Times> {
    let began = Instant::now();
    loop {
        let told = std::fs::read_to_string(ground_truth).unwrap_or_default();
        let lines = told.lines().map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<Value> = lines.collect();
        let at = |name: &str, event: &str| {
            let of = lines.iter().filter(|line| line["misbehaviour"] == name);
            let mut of = of.filter(|line| line["event"] == event);
            of.next()?["unix_millis"].as_f64()
        };
        let times = [LEAK, WRITE, STORM].map(|name| {
            let times = at(name, "start")?..at(name, "end")?;
            Some((name.to_owned(), times))
        });
        if times.iter().all(Option::is_some) {
            return times.into_iter().flatten().collect();
        }
        assert!(began.elapsed() < DEADLINE, "only this went wrong: {told}");
        sleep(Duration::from_millis(500)).await;
    }
}

/// By environment, how many bytes it has after each invocation, and that it has ever more while it leaks.
async fn expect_growing_memory(server: &Server, leak: &Times) {
    let sql = r#"select "faas.instance", cast(time as bigint) / 1000000, "throughline.memory.resident_bytes"
        from spans where service = 'place-order' and "throughline.phase" = 'invoke' order by time"#;
    let mut environments: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for row in server.rows(sql).await {
        let environment = row[0].as_str().unwrap().to_owned();
        let used = (number(&row[1]), number(&row[2]));
        environments.entry(environment).or_default().push(used);
    }
    let (mut usual, mut leaking) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for uses in environments.values() {
        let [(from, first), .., (_, last)] = uses[..] else {
            continue;
        };
        let growth = match leak.contains(&from) {
            true => &mut leaking,
            false => &mut usual,
        };
        *growth = growth.max((last - first) / MIB);
    }
    eprintln!("memory grew by {leaking:.0} MiB while it leaked, else by {usual:.1} MiB at most");
    assert!(usual < 10.0 && leaking > 20.0, "{environments:#?}");
}

/// That a table was written to by a function that never did before.
async fn expect_new_edge(server: &Server, write: &Times) {
    let minute = 60_000.0;
    let before = format!("to={:.0}000000", (write.start / minute).floor() * minute);
    for (range, expected) in [(before.as_str(), false), ("", true)] {
        let path = format!("/api/v1/edges?function=update-stats&from=0&{range}");
        let map = server.load(&path).await;
        let edges = map["edges"].as_array().unwrap();
        let to = |table: &str| {
            let called = edges.iter().filter(|edge| edge["to"] == table);
            called.map(|edge| &edge["operation"]).collect::<Vec<_>>()
        };
        assert!(!to("table:stats").is_empty(), "{path}: {map:#}");
        assert_eq!(!to("table:users").is_empty(), expected, "{path}: {map:#}");
        eprintln!(
            "{path}: update-stats calls users by {:?}",
            to("table:users")
        );
    }
}

/// That more of the invocations were cold starts.
async fn expect_cold_starts(server: &Server, storm: &Times) {
    let sql = r#"select cast(time as bigint) / 1000000, "faas.coldstart" from spans where "throughline.phase" = 'invoke'"#;
    let rows = server.rows(sql).await;
    let share = |times: Times| {
        let within = rows.iter().filter(|row| times.contains(&number(&row[0])));
        let cold = within.clone().filter(|row| row[1] == true).count();
        let all = within.count();
        assert!(all >= 20, "{all} invocations in {times:?}");
        cold as f64 / all as f64
    };
    let usual = share(storm.start - 15_000.0..storm.start);
    let during = share(storm.clone());
    eprintln!(
        "{:.0} % were cold starts in the storm, {:.0} % before",
        during * 100.0,
        usual * 100.0
    );
    assert!(during > 0.1 && during > 3.0 * usual);
}

/// Of a row; numbers that are longer than JSON's are texts.
fn number(value: &Value) -> f64 {
    let text = || value.as_str().and_then(|text| text.parse().ok());
    value.as_f64().or_else(text).unwrap_or(f64::NAN)
}

#[allow(clippy::disallowed_methods)] // the edge where the test learns whether there is time for it
fn is_wanted() -> bool {
    std::env::var_os("BIG_MOUTH_MISBEHAVES").is_some()
}

const MIB: f64 = 1024.0 * 1024.0;
/// All three take two minutes and a half, as the seed has them.
const DEADLINE: Duration = Duration::from_secs(300);
