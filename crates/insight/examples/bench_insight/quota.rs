//! Functions of mixed work and waits under real quotas of the processor, as memory sizes give them, and what
//! `rightsize` predicts of them from each size for the others.
//!
//! Each function is this program again, in a control group of its own: it works so many rounds, waits, and so on, and
//! says of each invocation how long it took and, in steps of 10 ms as the extension reads them, what processor time.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use throughline_insight::rightsize::{Advice, Invocation, Setup, advise};

use crate::{figure, worked};

/// Works and waits in turns, in milliseconds of both, an invocation.
#[derive(Clone, Copy)]
struct Function {
    cpu_ms: f64,
    wait_ms: f64,
    turns: u32,
}

/// What a function did with each size.
type Runs = Vec<Vec<Invocation>>;

/// What is said of all of them.
#[derive(Default)]
struct Scores {
    errors: Vec<f64>,
    within: usize,
    best: usize,
    second: usize,
    choices: usize,
    refused: Vec<String>,
}

pub(crate) fn figures() -> Vec<Value> {
    let mut figures = Vec::new();
    for period in PERIODS {
        let name = |what: &str| match period == PERIODS[0] {
            true => format!("rightsize.{what}"),
            false => format!("rightsize.{what}_period_{}_ms", period.as_millis()),
        };
        match measured(period) {
            Ok(scores) => figures.extend(told(&scores, period, name)),
            Err(why) => figures.push(
                json!({"name": name("error"), "value": null, "unit": "share",
                "goal": "<= 0.12", "met": false, "note": format!("not measured: {why}")}),
            ),
        }
    }
    figures
}

fn told(scores: &Scores, period: Duration, name: impl Fn(&str) -> String) -> Vec<Value> {
    let error = scores.errors.iter().sum::<f64>() / scores.errors.len() as f64;
    let share = |part: usize| part as f64 / scores.choices as f64;
    let (best, second) = (share(scores.best), share(scores.best + scores.second));
    let note = format!(
        "{} functions of mixed work and waits, {} invocations with each of {SIZES:?} MB under a quota of memory / 1769 in \
         periods of {} ms, each size predicted from each other; {:.0} % of the means within their intervals; refused: {:?}",
        FUNCTIONS.len(),
        INVOCATIONS,
        period.as_millis(),
        scores.within as f64 / scores.errors.len() as f64 * 100.0,
        scores.refused
    );
    let balanced = "by cost and time, each as a part of its most; from each size";
    vec![
        figure(
            &name("error"),
            error,
            "share",
            ("<= 0.12", error <= 0.12),
            &note,
        ),
        figure(
            &name("best"),
            best,
            "share",
            (">= 0.8", best >= 0.8),
            balanced,
        ),
        figure(
            &name("best_or_second"),
            second,
            "share",
            (">= 0.93", second >= 0.93),
            balanced,
        ),
    ]
}

fn measured(period: Duration) -> std::io::Result<Scores> {
    let rounds = rounds_a_millisecond();
    let mut scores = Scores::default();
    for function in FUNCTIONS {
        let mut runs = Runs::new();
        for size in SIZES {
            runs.push(run(function, size, period, rounds)?);
        }
        scores.add(function, &runs);
    }
    Ok(scores)
}

impl Scores {
    fn add(&mut self, function: Function, runs: &Runs) {
        let setup = Setup {
            region: "us-east-1",
            ..Setup::default()
        };
        // Costs are those of the prices, whoever says how long it takes.
        let seen: Vec<(f64, f64)> = runs
            .iter()
            .filter_map(|run| of_itself(run, &setup))
            .collect();
        for (from, size) in runs.iter().zip(SIZES) {
            let advice = match advise(from, &setup) {
                Ok(advice) => advice,
                Err(why) => {
                    self.refused.push(format!(
                        "{}/{} from {size}: {why}",
                        function.cpu_ms, function.wait_ms
                    ));
                    continue;
                }
            };
            let points: Vec<_> = SIZES.iter().filter_map(|size| at(&advice, *size)).collect();
            for ((point, (took, _)), other) in points.iter().zip(&seen).zip(SIZES) {
                if other != size {
                    self.errors.push((point.value - took).abs() / took);
                    // The mean that was seen is one of some dozens itself.
                    let is_within = point.low * 0.98 <= *took && *took <= point.high * 1.02;
                    self.within += usize::from(is_within);
                }
            }
            let predicted: Vec<(f64, f64)> = SIZES
                .iter()
                .filter_map(|size| Some((at(&advice, *size)?.value, cost(&advice, *size)?)))
                .collect();
            if predicted.len() == SIZES.len() && seen.len() == SIZES.len() {
                let (chosen, ranked) = (order(&predicted)[0], order(&seen));
                self.choices += 1;
                self.best += usize::from(ranked[0] == chosen);
                self.second += usize::from(ranked[1] == chosen);
            }
        }
    }
}

/// The mean time that was seen, and what it costs.
fn of_itself(run: &[Invocation], setup: &Setup<'_>) -> Option<(f64, f64)> {
    // As if all of it were waiting, so that nothing is refused.
    let waits: Vec<Invocation> = run
        .iter()
        .map(|it| Invocation {
            cpu_ms: Some(0.0),
            ..*it
        })
        .collect();
    let now = advise(&waits, setup).ok()?.now;
    Some((now.duration_ms.value, now.usd.value))
}

fn at(advice: &Advice, size: u32) -> Option<throughline_insight::rightsize::Measured> {
    let point = advice.curve.iter().find(|point| point.memory_mb == size);
    point.map(|point| point.duration_ms)
}

fn cost(advice: &Advice, size: u32) -> Option<f64> {
    let point = advice.curve.iter().find(|point| point.memory_mb == size);
    point.map(|point| point.usd.value)
}

/// The places of sizes, the best balanced first.
fn order(sizes: &[(f64, f64)]) -> Vec<usize> {
    let most = |of: fn(&(f64, f64)) -> f64| sizes.iter().map(of).fold(0.0, f64::max);
    let (time, cost) = (most(|it| it.0), most(|it| it.1));
    let both = |at: usize| sizes[at].0 / time + sizes[at].1 / cost;
    let mut places: Vec<usize> = (0..sizes.len()).collect();
    places.sort_by(|one, other| both(*one).total_cmp(&both(*other)));
    places
}

/// Invocations of a function with a size.
fn run(
    function: Function,
    size: u32,
    period: Duration,
    rounds: f64,
) -> std::io::Result<Vec<Invocation>> {
    let group = Group::new(f64::from(size) / 1769.0, period)?;
    let Function {
        cpu_ms,
        wait_ms,
        turns,
    } = function;
    let of = |all: f64| all / f64::from(turns);
    let mut child = Command::new(std::env::current_exe()?)
        .arg(WORK)
        .args([of(cpu_ms) * rounds, of(wait_ms), f64::from(turns)].map(|it| it.to_string()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let done = group.take(&child).and_then(|()| heard(&mut child, size));
    child.kill().ok();
    child.wait()?;
    done
}

/// Lets it begin, and listens.
fn heard(child: &mut Child, size: u32) -> std::io::Result<Vec<Invocation>> {
    child.stdin.take().unwrap().write_all(b"\n")?;
    let mut invocations = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line?;
        let (took, cpu) = line.split_once(' ').unwrap();
        invocations.push(Invocation {
            duration_ms: took.parse().unwrap(),
            cpu_ms: Some(cpu.parse().unwrap()),
            memory_mb: size,
            memory_used_mb: Some(64),
            ..Invocation::default()
        });
    }
    // The first one reads the program from the disk.
    Ok(invocations.split_off(1))
}

/// The function: what it is given are rounds and milliseconds of a turn, and turns.
pub(crate) fn work(arguments: &[String]) {
    let numbers: Vec<f64> = arguments.iter().map(|it| it.parse().unwrap()).collect();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut out = std::io::stdout().lock();
    for _ in 0..=INVOCATIONS {
        // No two are the same, and none begins at the same moment of a period.
        std::thread::sleep(Duration::from_secs_f64(random.f64() * 0.02));
        let size = 0.85 + 0.3 * random.f64();
        let (begun, used) = (Instant::now(), ticks_ms());
        for _ in 0..numbers[2] as u32 {
            rounds((numbers[0] * size) as u64);
            std::thread::sleep(Duration::from_secs_f64(numbers[1] * size / 1e3));
        }
        let took = begun.elapsed().as_secs_f64() * 1e3;
        writeln!(out, "{took} {}", ticks_ms() - used).unwrap();
    }
}

/// Work that no compiler takes away.
fn rounds(count: u64) {
    let mut value = 1_u64;
    for round in 0..count {
        value = black_box(
            value
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(round),
        );
    }
    black_box(value);
}

/// How many of them are a millisecond of a processor: the median of nine, after it has woken.
fn rounds_a_millisecond() -> f64 {
    let mut rates: Vec<f64> = (0..10)
        .map(|_| {
            let begun = worked();
            rounds(10_000_000);
            10_000_000.0 / ((worked() - begun) * 1e3)
        })
        .skip(1)
        .collect();
    rates.sort_by(f64::total_cmp);
    rates[4]
}

/// Processor time of this process, as the kernel counts it for others to read.
fn ticks_ms() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    let of = |at: usize| fields[at].parse::<u64>().unwrap();
    (of(11) + of(12)) * 10
}

/// A control group that has a part of a processor, until it is dropped.
struct Group(PathBuf);

impl Group {
    fn new(processors: f64, period: Duration) -> std::io::Result<Self> {
        let (root, is_old) = match Path::new("/sys/fs/cgroup/cpu").is_dir() {
            true => (Path::new("/sys/fs/cgroup/cpu"), true),
            false => (Path::new("/sys/fs/cgroup"), false),
        };
        let group = Group(root.join(format!("throughline-bench-{}", std::process::id())));
        fs::create_dir_all(&group.0)?;
        let period = period.as_micros();
        let quota = (processors * period as f64).round();
        match is_old {
            true => {
                fs::write(group.0.join("cpu.cfs_quota_us"), "-1")?;
                fs::write(group.0.join("cpu.cfs_period_us"), period.to_string())?;
                fs::write(group.0.join("cpu.cfs_quota_us"), quota.to_string())?;
            }
            false => fs::write(group.0.join("cpu.max"), format!("{quota} {period}"))?,
        }
        Ok(group)
    }

    fn take(&self, child: &Child) -> std::io::Result<()> {
        fs::write(self.0.join("cgroup.procs"), child.id().to_string())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A group that is left behind does nothing.
        fs::remove_dir(&self.0).ok();
    }
}

/// What makes this program a function.
pub(crate) const WORK: &str = "--work";
const SIZES: [u32; 6] = [128, 256, 512, 1024, 1792, 3008];
/// Of Lambda, as seen from inside of functions; and of the sandbox.
const PERIODS: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(100)];
const INVOCATIONS: usize = 50;
const FUNCTIONS: [Function; 8] = [
    of(10.0, 100.0, 1),
    of(20.0, 60.0, 3),
    of(20.0, 150.0, 1),
    of(40.0, 40.0, 2),
    of(60.0, 20.0, 1),
    of(80.0, 10.0, 1),
    of(80.0, 80.0, 4),
    of(120.0, 30.0, 2),
];

const fn of(cpu_ms: f64, wait_ms: f64, turns: u32) -> Function {
    Function {
        cpu_ms,
        wait_ms,
        turns,
    }
}
