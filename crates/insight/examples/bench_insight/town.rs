//! An application with the rhythm of days and weeks, and what goes wrong in it.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // counts of minutes

use fastrand::Rng;
use throughline_insight::detect::{Change, Counts, Detector, ErrorSeen, Kind, Settings, Subject};
use throughline_telemetry::{Histogram, HistogramSum, UnixNanos};

/// Functions that call each other and a table each.
#[derive(Clone)]
pub(crate) struct Town {
    random: Rng,
    functions: Vec<Function>,
}

#[derive(Clone)]
struct Function {
    node: String,
    /// Calls a minute by day.
    rate: f64,
    median_ms: f64,
    /// Of the logarithm of a duration.
    spread: f64,
    error_share: f64,
    cold_share: f64,
    /// When its day is busiest, as a part of the day.
    busiest: f64,
    /// What its load and its times are off by, slowly.
    drift: [f64; 2],
    /// What each of its environments uses.
    memory: f64,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trouble {
    Slow,
    Errors,
    Throttled,
    ColdStarts,
    Silent,
    NewError,
    NewEdge,
    NearTimeout,
    Leak,
    Cost,
}

impl Trouble {
    pub(crate) const ALL: [Trouble; 10] = [
        Trouble::Slow,
        Trouble::Errors,
        Trouble::Throttled,
        Trouble::ColdStarts,
        Trouble::Silent,
        Trouble::NewError,
        Trouble::NewEdge,
        Trouble::NearTimeout,
        Trouble::Leak,
        Trouble::Cost,
    ];

    /// Whether a finding of this kind says what it is.
    pub(crate) fn is(self, kind: &Kind) -> bool {
        match self {
            Trouble::Slow => matches!(kind, Kind::Latency { .. }),
            Trouble::Errors => matches!(kind, Kind::Errors),
            Trouble::Throttled => matches!(kind, Kind::Throttles),
            Trouble::ColdStarts => matches!(kind, Kind::ColdStarts { .. }),
            Trouble::Silent => matches!(kind, Kind::Silence),
            Trouble::NewError => matches!(kind, Kind::NewError { .. }),
            Trouble::NewEdge => matches!(kind, Kind::NewEdge { .. }),
            Trouble::NearTimeout => matches!(kind, Kind::NearTimeout { .. }),
            Trouble::Leak => matches!(kind, Kind::Leak { .. }),
            Trouble::Cost => matches!(kind, Kind::Cost { .. }),
        }
    }
}

/// Something that goes wrong with one function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) trouble: Trouble,
    pub(crate) function: usize,
    /// How bad, from 0 to 1.
    pub(crate) strength: f64,
}

impl Town {
    /// So many functions with up to this many calls a minute each.
    pub(crate) fn new(seed: u64, functions: usize, rate_max: f64) -> Self {
        let mut random = Rng::with_seed(seed);
        let function = |number| Function {
            node: format!("function:f{number}"),
            rate: rate_max * (0.2 + 0.8 * random.f64()),
            median_ms: 15.0 * 20f64.powf(random.f64()),
            spread: 0.3 + 0.4 * random.f64(),
            error_share: 0.01 * random.f64(),
            cold_share: 0.03 * random.f64(),
            busiest: 0.5 + 0.2 * random.f64(),
            drift: [0.0; 2],
            memory: 100e6,
        };
        let functions = (0..functions).map(function).collect();
        Town { random, functions }
    }

    pub(crate) fn node(&self, function: usize) -> &str {
        &self.functions[function].node
    }

    /// Tells a detector what their settings are.
    pub(crate) fn settle(&self, detector: &mut Detector) {
        for function in &self.functions {
            detector.set(
                &function.node,
                Settings {
                    timeout_ms: Some((function.median_ms * 60.0).max(3_000.0)),
                    memory_bytes: Some(256 << 20),
                },
            );
        }
    }

    /// Lets a minute go by; `at` counts them from 1970.
    pub(crate) fn minute(&mut self, at: u64, detector: &mut Detector, plan: Option<Plan>) {
        let time = UnixNanos(at * 60_000_000_000);
        for number in 0..self.functions.len() {
            let plan = plan.filter(|plan| plan.function == number);
            self.function(number, at, time, detector, plan);
        }
        // Somebody deploys every other day, and nothing comes of it.
        if at % 2880 == 700 {
            let node = self.functions[0].node.clone();
            detector.change(Change {
                node,
                at: time,
                what: format!("version {}", at / 2880),
                before: None,
                by: None,
            });
        }
    }

    fn function(
        &mut self,
        number: usize,
        at: u64,
        time: UnixNanos,
        detector: &mut Detector,
        plan: Option<Plan>,
    ) {
        let random = &mut self.random;
        let function = &mut self.functions[number];
        let strength = plan.map_or(0.0, |plan| plan.strength);
        let is = |trouble| plan.is_some_and(|plan| plan.trouble == trouble);
        for drift in &mut function.drift {
            *drift = 0.98 * *drift + 0.01 * gauss(random);
        }
        let busy = is_busy(at, function.busiest) * (function.drift[0] * 2.0).exp();
        let mut slower = function.drift[1].exp();
        // A burst now and then is normal.
        if random.f64() < 0.004 {
            slower *= 1.3;
        }
        let mut rate = function.rate * busy;
        let mut error_share = function.error_share;
        let mut cold_share = function.cold_share * (0.7 + 0.6 * random.f64());
        let mut throttle_share = 0.0;
        let timeout_ms = (function.median_ms * 60.0).max(3_000.0);
        match plan.map(|plan| plan.trouble) {
            Some(Trouble::Slow) => slower *= 1.8 + 2.0 * strength + 40.0 / function.median_ms,
            Some(Trouble::Errors) => error_share += 0.08 + 0.3 * strength,
            Some(Trouble::Throttled) => throttle_share = 0.05 + 0.3 * strength,
            Some(Trouble::ColdStarts) => cold_share += 0.4 + 0.4 * strength,
            Some(Trouble::Silent) => rate = 0.0,
            Some(Trouble::Cost) => slower *= 3.0 + 3.0 * strength,
            _ => {}
        }
        let count = poisson(random, rate);
        let mut counts = Counts {
            count,
            errors: binomial(random, count, error_share),
            cold_starts: binomial(random, count, cold_share),
            memory_bytes_max: 150 << 20,
            ..Counts::default()
        };
        let mut histogram = Histogram::default();
        for _ in 0..count {
            let mut took = function.median_ms * slower * (function.spread * gauss(random)).exp();
            if is(Trouble::NearTimeout) && random.f64() < 0.2 + 0.3 * strength {
                took = timeout_ms * (0.85 + 0.14 * random.f64());
            }
            counts.billed_ms += took.ceil();
            histogram.record(took);
        }
        counts.init_ms = counts.cold_starts as f64 * 200.0;
        counts.billed_ms += counts.init_ms;
        // Dear enough to be worth a word: some dollars a day.
        counts.cost_usd = counts.billed_ms * 1e-6;
        counts.durations = sum_of(&histogram);
        let node = function.node.clone();
        if count > 0 {
            detector.take(&Subject::Node(node.clone()), time, &counts);
            let throttles = binomial(random, count, throttle_share);
            let table = Counts {
                count,
                errors: throttles,
                throttles,
                durations: counts.durations.clone(),
                ..Counts::default()
            };
            let edge = Subject::Edge(
                node.clone(),
                format!("table:t{}", number / 3),
                "PutItem".to_owned(),
            );
            detector.take(&edge, time, &table);
        }
        if number > 0 && count > 0 {
            let caller = format!("function:f{}", (number - 1) / 2);
            let edge = Subject::Edge(caller, node.clone(), "Invoke".to_owned());
            detector.take(&edge, time, &counts);
        }
        if counts.errors > 0 {
            seen(detector, &node, time, "known failure", counts.errors);
        }
        if is(Trouble::NewError) && count > 0 {
            seen(detector, &node, time, "KeyError: restaurant", 2);
        }
        if is(Trouble::NewEdge) && count > 0 {
            let edge = Subject::Edge(
                node.clone(),
                "table:foreign".to_owned(),
                "PutItem".to_owned(),
            );
            detector.take(
                &edge,
                time,
                &Counts {
                    count: 3,
                    ..Counts::default()
                },
            );
        }
        function.memory = match is(Trouble::Leak) {
            true => function.memory + 2e6 * count as f64,
            false => 100e6,
        };
        for call in 0..count.min(5) {
            let used = function.memory
                + if is(Trouble::Leak) {
                    2e6 * call as f64
                } else {
                    0.0
                };
            detector.take_memory(&node, "e1", time, used as u64);
        }
    }
}

fn seen(detector: &mut Detector, node: &String, time: UnixNanos, signature: &str, count: u64) {
    let error = ErrorSeen {
        signature,
        count,
        is_fatal: false,
    };
    detector.take_error(node, time, error);
}

/// How busy it is: a wave over the day, less at the weekend.
pub(crate) fn is_busy(at: u64, busiest: f64) -> f64 {
    let day = (at % 1440) as f64 / 1440.0;
    let wave = 1.0 + 0.85 * (std::f64::consts::TAU * (day - busiest + 0.25)).sin();
    let weekend = matches!(at / 1440 % 7, 2 | 3);
    wave * if weekend { 0.6 } else { 1.0 }
}

pub(crate) fn sum_of(histogram: &Histogram) -> HistogramSum {
    let mut sum = HistogramSum::default();
    sum.add(&histogram.to_bytes());
    sum
}

pub(crate) fn gauss(random: &mut Rng) -> f64 {
    let (one, other) = (random.f64().max(1e-12), random.f64());
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
}

pub(crate) fn poisson(random: &mut Rng, rate: f64) -> u64 {
    if rate > 50.0 {
        return (rate + rate.sqrt() * gauss(random)).round().max(0.0) as u64;
    }
    let (least, mut product, mut count) = ((-rate).exp(), random.f64(), 0);
    while product > least {
        product *= random.f64();
        count += 1;
    }
    count
}

fn binomial(random: &mut Rng, of: u64, share: f64) -> u64 {
    (0..of).filter(|_| random.f64() < share).count() as u64
}
