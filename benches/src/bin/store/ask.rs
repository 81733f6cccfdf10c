//! What people ask, and how long they wait.

use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use serde_json::{Value, json};
use throughline_bench::client::{Answer, Reader};
use throughline_bench::corpus::{Corpus, TraceFacts};
use throughline_bench::figures::{Figure, Goal, quantile};
use throughline_bench::server::Server;
use throughline_telemetry::Signal;

use crate::Run;
use crate::state::State;

/// Every question of the table, asked of a server that stores what the state says.
pub(crate) async fn measure(
    run: &Run,
    state: &State,
    server: &Server,
    data: &Path,
) -> anyhow::Result<Vec<Figure>> {
    let corpus = Corpus::new(state.options, Signal::Traces);
    let share = state.spans as f64 / state.options.rows as f64;
    let traces = (corpus.traces() as f64 * share) as u64;
    let reached = corpus.reached(share);
    let facts = |number: usize| {
        let numbers = (0..).map(|step: u64| (number as u64 + (step << 32)).wrapping_mul(STRIDE));
        let mut found = numbers.map(|number| corpus.trace(number % traces));
        // Of what began last, parts may wait in a queue for minutes, and were not sent.
        found
            .find(|facts| facts.end <= reached)
            .expect("some traces are whole")
    };
    let mut asking = Asking {
        reader: Reader::connect(server.http).await?,
        figures: Vec::new(),
    };
    eprintln!("asking");
    let watch = server.watch();
    asking.cold(run, data, facts).await?;
    asking.warm(facts).await?;
    asking.unknown().await?;
    asking.newest(facts).await?;
    asking.words(facts).await?;
    let memory = watch.finish();
    let during = server.watch();
    asking.groups().await?;
    let during = quantile(&during.finish(), 1.0);
    let note = "most while the questions above were answered";
    let most = quantile(&memory, 1.0);
    let figure = Figure::new("resident_questions", "MiB", most, note);
    asking.figures.push(figure);
    let note = "most during the group-bys";
    let figure = Figure::new("resident_group_by", "MiB", during, note);
    asking.figures.push(figure.goal(Goal::AtMost(1536.0)));
    Ok(asking.figures)
}

struct Asking {
    reader: Reader,
    figures: Vec<Figure>,
}

impl Asking {
    async fn get(&mut self, path: &str) -> anyhow::Result<(Answer, f64)> {
        let begun = Instant::now();
        let answer = self.reader.get(path).await?;
        Ok((answer, begun.elapsed().as_secs_f64() * 1e3))
    }

    fn push(&mut self, name: &'static str, took: &[f64], goal: f64, note: String) {
        let figure = Figure::new(name, "ms", quantile(took, 0.5), note);
        let figure = figure.goal(Goal::AtMost(goal));
        self.figures
            .push(figure.beside("p99", quantile(took, 0.99)));
    }

    /// The trace, checked; the milliseconds until its last byte.
    async fn trace(&mut self, facts: &TraceFacts, wrong: &mut usize) -> anyhow::Result<f64> {
        let (answer, took) = self.get(&format!("/api/v1/traces/{}", facts.id)).await?;
        let spans = answer.json()?["spans"].as_array().map_or(0, Vec::len);
        *wrong += usize::from(answer.status != 200 || spans as u64 != facts.spans);
        Ok(took)
    }

    async fn cold(
        &mut self,
        run: &Run,
        data: &Path,
        facts: impl Fn(usize) -> TraceFacts,
    ) -> anyhow::Result<()> {
        let (mut took, mut wrong) = (Vec::new(), 0);
        for number in 0..COLD {
            run.forget.run(data)?;
            took.push(self.trace(&facts(10_000 + number), &mut wrong).await?);
        }
        let how = run.forget.name();
        let note =
            format!("{COLD} traces, {how} before each; {wrong} answers were not what was sent");
        self.push("trace_cold", &took, 30.0, note);
        Ok(())
    }

    async fn warm(&mut self, facts: impl Fn(usize) -> TraceFacts) -> anyhow::Result<()> {
        let (mut took, mut wrong) = (Vec::new(), 0);
        for number in 0..WARM_UP + WARM {
            let millis = self.trace(&facts(number), &mut wrong).await?;
            if number >= WARM_UP {
                took.push(millis);
            }
        }
        let note = format!(
            "{WARM} traces, each asked for once, after {WARM_UP} others; {wrong} answers were not what was sent"
        );
        self.push("trace_warm", &took, 5.0, note);
        Ok(())
    }

    async fn unknown(&mut self) -> anyhow::Result<()> {
        let mut took = Vec::new();
        for number in 1..=WARM {
            let id = format!(
                "{:032x}",
                (number as u128).wrapping_mul(u128::from(STRIDE) << 64 | 1)
            );
            let (answer, millis) = self.get(&format!("/api/v1/traces/{id}")).await?;
            ensure!(answer.status == 404, "{id} is known");
            took.push(millis);
        }
        self.push("trace_unknown", &took, 1.0, format!("{WARM} ids"));
        Ok(())
    }

    async fn newest(&mut self, facts: impl Fn(usize) -> TraceFacts) -> anyhow::Result<()> {
        type Condition = fn(&TraceFacts) -> String;
        let kinds: [(&'static str, Condition); 4] = [
            ("newest_20_common", |_| "faas.coldstart%3Dfalse".to_owned()),
            ("newest_20_tenant", |facts| {
                format!("app.tenant%3D{}", facts.tenant)
            }),
            ("newest_20_user", |facts| {
                format!("user.id%3D{}", facts.user)
            }),
            ("newest_20_none", |_| "app.tenant%3Dnobody".to_owned()),
        ];
        for (name, condition) in kinds {
            let questions = (0..SEARCHES).map(|number| {
                let facts = facts(20_000 + number);
                let (service, condition) = (&facts.service, condition(&facts));
                format!("/api/v1/spans?limit=20&service={service}&where={condition}")
            });
            let questions = questions.collect::<Vec<_>>();
            self.searches(name, 100.0, &questions, "spans").await?;
        }
        Ok(())
    }

    async fn words(&mut self, facts: impl Fn(usize) -> TraceFacts) -> anyhow::Result<()> {
        let rare = (0..SEARCHES).map(|number| {
            let word = facts(30_000 + number).order;
            format!("/api/v1/logs?limit=20&q={word}")
        });
        let rare = rare.collect::<Vec<_>>();
        self.searches("log_rare_token", 150.0, &rare, "logs")
            .await?;
        let common =
            "/api/v1/logs?limit=20&count=all&where=body%20contains%20%22connect%20timed%20out%22";
        let common = vec![common.to_owned(); COMMON];
        let name = "log_common_substring";
        self.searches(name, 5_000.0, &common, "logs").await
    }

    /// Asks for each of these pages.
    async fn searches(
        &mut self,
        name: &'static str,
        goal: f64,
        questions: &[String],
        rows: &str,
    ) -> anyhow::Result<()> {
        let (mut took, mut shown, mut total, mut truncated) = (Vec::new(), 0, 0, 0);
        for path in questions {
            let (answer, millis) = self.get(path).await?;
            ensure!(answer.status == 200, "{path}: {}", answer.why());
            let page = answer.json()?;
            shown += page[rows].as_array().map_or(0, Vec::len);
            total += page["total"].as_u64().unwrap_or_default();
            truncated += usize::from(page["truncated"] == true);
            took.push(millis);
        }
        let each = |count: f64| count / questions.len() as f64;
        let note = format!(
            "{} searches, {:.1} {rows} each of {:.1} found; {truncated} stopped counting at a limit",
            questions.len(),
            each(shown as f64),
            each(total as f64)
        );
        self.push(name, &took, goal, note);
        Ok(())
    }

    /// By service and name, how many and how long: from rows, and from rollups.
    async fn groups(&mut self) -> anyhow::Result<()> {
        for (name, goal, rollup) in [
            ("group_by_ad_hoc", 1_000.0, false),
            ("group_by_rollups", 50.0, true),
        ] {
            let (mut took, mut cost) = (Vec::new(), Value::Null);
            for _ in 0..GROUPS {
                let (answer, millis) = self.post(QUERY, &by_service_and_name(rollup)).await?;
                ensure!(answer.status == 200, "{}", answer.why());
                cost = answer.json()?["results"]["cost"].clone();
                took.push(millis);
            }
            if (cost["rollups"] != 0) == rollup {
                let note = format!("{GROUPS} times, the first in {:.0} ms; {cost}", took[0]);
                self.push(name, &took, goal, note);
            } else {
                let figure = Figure::not_yet(name, "ms", format!("answered otherwise: {cost}"));
                self.figures.push(figure.goal(Goal::AtMost(goal)));
            }
        }
        Ok(())
    }

    async fn post(&mut self, path: &str, question: &Value) -> anyhow::Result<(Answer, f64)> {
        let begun = Instant::now();
        let answer = self.reader.post(path, question.to_string()).await?;
        Ok((answer, begun.elapsed().as_secs_f64() * 1e3))
    }
}

fn by_service_and_name(rollup: bool) -> Value {
    json!({
        "dataset": "spans",
        "breakdowns": ["service", "name"],
        "calculations": [{ "op": "COUNT" }, { "op": "P99", "column": "duration_ms" }],
        "orders": [{ "op": "COUNT", "order": "descending" }],
        "limit": 100,
        "time_range": 2 * 24 * 3600,
        "rollup": rollup,
    })
}

const QUERY: &str = "/api/v1/query";

/// Leads through all traces without a pattern.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;
const COLD: usize = 30;
const WARM_UP: usize = 200;
const WARM: usize = 500;
const SEARCHES: usize = 20;
const COMMON: usize = 3;
const GROUPS: usize = 5;
