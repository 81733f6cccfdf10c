//! Big Mouth in replayed time: what its functions, tables and queues do, minute by minute, and what goes wrong in it.
//! Who calls whom is as in `examples/big-mouth`; times are made up.

use fastrand::Rng;
use throughline_insight::detect::{Change, Counts, Detector, ErrorSeen, Node, Settings, Subject};
use throughline_insight::facts::{Did, Facts};
use throughline_telemetry::{Histogram, UnixNanos};

use crate::town::{gauss, is_busy, poisson, sum_of};

/// One application, and what it has done so far.
#[derive(Clone)]
pub(crate) struct Mouth {
    random: Rng,
    functions: Vec<Function>,
    /// Orders a minute in the mean of a day.
    rate: f64,
    version: u32,
}

#[derive(Clone)]
struct Function {
    name: &'static str,
    /// Who brings its events, and how many calls there are for each order.
    from: Option<&'static str>,
    calls: f64,
    own_ms: f64,
    timeout_ms: f64,
    memory_mb: u64,
    /// What it calls: the node, the operation, how long that takes.
    callees: &'static [(&'static str, &'static str, f64)],
    /// What its environments use.
    used: f64,
    /// How its load and its times are off, slowly.
    drift: [f64; 2],
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Throttle,
    SlowDependency,
    BadDeploy,
    Timeout,
    PoisonMessage,
    RetryStorm,
    ColdStartStorm,
    MemoryLeak,
    UnexpectedWrite,
    SilentConsumer,
    CostLeak,
}

/// Something that goes wrong, where it comes from, and how bad it is, from 0 to 1.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) trouble: Trouble,
    pub(crate) cause: Node,
    pub(crate) strength: f64,
}

impl Trouble {
    pub(crate) const ALL: [Trouble; 11] = [
        Trouble::Throttle,
        Trouble::SlowDependency,
        Trouble::BadDeploy,
        Trouble::Timeout,
        Trouble::PoisonMessage,
        Trouble::RetryStorm,
        Trouble::ColdStartStorm,
        Trouble::MemoryLeak,
        Trouble::UnexpectedWrite,
        Trouble::SilentConsumer,
        Trouble::CostLeak,
    ];

    /// Where it may come from.
    fn causes(self) -> &'static [&'static str] {
        match self {
            Trouble::Throttle => &[
                "table:users",
                "table:orders",
                "table:stats",
                "table:restaurants",
            ],
            Trouble::SlowDependency => &[
                "host:pay",
                "table:users",
                "table:orders",
                "table:stats",
                "bucket:receipts",
                "table:restaurants",
            ],
            Trouble::RetryStorm => &["host:pay", "table:orders", "table:stats"],
            Trouble::PoisonMessage => &[
                "function:notify-restaurant",
                "function:accept-order",
                "function:notify-user",
            ],
            Trouble::SilentConsumer => &[
                "function:notify-restaurant",
                "function:accept-order",
                "function:update-stats",
            ],
            Trouble::UnexpectedWrite => &[
                "function:update-stats",
                "function:notify-user",
                "function:get-restaurants",
            ],
            Trouble::BadDeploy
            | Trouble::Timeout
            | Trouble::ColdStartStorm
            | Trouble::MemoryLeak
            | Trouble::CostLeak => &[
                "function:place-order",
                "function:accept-order",
                "function:update-stats",
                "function:notify-user",
                "function:get-restaurants",
                "function:notify-restaurant",
            ],
        }
    }

    /// How many minutes it lasts: what costs more is told by the hour.
    pub(crate) fn minutes(self) -> u64 {
        match self {
            Trouble::CostLeak => 120,
            _ => 40,
        }
    }
}

impl Plan {
    pub(crate) fn new(trouble: Trouble, random: &mut Rng) -> Self {
        let causes = trouble.causes();
        Plan {
            trouble,
            cause: causes[random.usize(..causes.len())].to_owned(),
            strength: random.f64(),
        }
    }

    fn is(&self, trouble: Trouble, node: &str) -> bool {
        self.trouble == trouble && self.cause == node
    }
}

/// What a minute is told to.
pub(crate) struct Told<'a> {
    pub(crate) at: u64,
    pub(crate) detector: &'a mut Detector,
    pub(crate) facts: &'a mut Facts,
}

/// What a subject did, one call after the other.
#[derive(Default)]
struct Counting {
    counts: Counts,
    durations: Histogram,
    sum_ms: f64,
}

/// How a call went.
#[derive(Clone, Copy, Default)]
struct Went {
    ms: f64,
    failed: bool,
    throttled: bool,
}

impl Mouth {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let rate = 20.0 + 40.0 * random.f64();
        let mut functions = FUNCTIONS.to_vec();
        for function in &mut functions {
            function.own_ms *= 0.7 + 0.6 * random.f64();
        }
        Mouth {
            random,
            functions,
            rate,
            version: 1,
        }
    }

    /// Tells a detector what the functions may take.
    pub(crate) fn settle(&self, detector: &mut Detector) {
        for function in &self.functions {
            let settings = Settings {
                timeout_ms: Some(function.timeout_ms),
                memory_bytes: Some(function.memory_mb << 20),
            };
            detector.set(&node(function.name), settings);
        }
    }

    /// Lets a minute go by, counted from 1970. `is_new`: it is the first minute of what goes wrong.
    pub(crate) fn minute(&mut self, told: &mut Told<'_>, plan: Option<&Plan>, is_new: bool) {
        let time = UnixNanos(told.at * 60_000_000_000);
        // Somebody deploys one of them every other day, and nothing comes of it but cold starts.
        let deployed = (told.at % 2880 == 700).then(|| self.random.usize(..self.functions.len()));
        let released = |function: &Function| {
            let of = plan.filter(|plan| plan.cause == node(function.name) && is_new);
            of.is_some_and(|plan| {
                matches!(
                    plan.trouble,
                    Trouble::BadDeploy
                        | Trouble::UnexpectedWrite
                        | Trouble::MemoryLeak
                        | Trouble::CostLeak
                )
            })
        };
        for number in 0..self.functions.len() {
            let is_deployed = deployed == Some(number) || released(&self.functions[number]);
            if is_deployed {
                self.version += 1;
                let change = Change {
                    node: node(self.functions[number].name),
                    at: time,
                    what: format!("version {}", self.version),
                    before: None,
                    by: None,
                };
                told.detector.change(change);
            }
            self.function(number, time, told, plan, is_deployed);
        }
    }

    fn function(
        &mut self,
        number: usize,
        time: UnixNanos,
        told: &mut Told<'_>,
        plan: Option<&Plan>,
        is_deployed: bool,
    ) {
        let random = &mut self.random;
        let function = &mut self.functions[number];
        let me = node(function.name);
        let is = |trouble| plan.is_some_and(|plan| plan.is(trouble, &me));
        let strength = plan.map_or(0.0, |plan| plan.strength);
        for drift in &mut function.drift {
            *drift = 0.98 * *drift + 0.008 * gauss(random);
        }
        let mut rate =
            self.rate * function.calls * is_busy(told.at, 0.55) * (function.drift[0] * 2.0).exp();
        if is_silent(plan, function.name) {
            rate = 0.0;
        }
        let mut count = poisson(random, rate);
        if is(Trouble::PoisonMessage) {
            // What cannot be read comes three times.
            count += (count as f64 * 2.0 * poisoned(strength)) as u64;
        }
        let cold_share = match () {
            () if is(Trouble::ColdStartStorm) => 0.35 + 0.4 * strength,
            () if is_deployed => 0.2,
            () => 0.02,
        };
        let mut mine = Counting::default();
        let mut calls: Vec<Counting> = function
            .callees
            .iter()
            .map(|_| Counting::default())
            .collect();
        let slower = function.drift[1].exp();
        let mut timeouts = 0;
        for _ in 0..count {
            let mut call = Went {
                ms: function.own_ms * slower * (0.4 * gauss(random)).exp(),
                failed: random.f64() < 0.003,
                throttled: false,
            };
            let is_cold = random.f64() < cold_share;
            if is_cold {
                call.ms += 250.0 + 100.0 * random.f64();
                mine.counts.cold_starts += 1;
                mine.counts.init_ms += 300.0;
            }
            if is(Trouble::BadDeploy) && random.f64() < 0.1 + 0.6 * strength
                || is(Trouble::PoisonMessage)
                    && random.f64() < 3.0 * poisoned(strength) / (1.0 + 2.0 * poisoned(strength))
            {
                call.failed = true;
                call.ms *= 0.5;
            }
            for ((to, _, usual), counting) in function.callees.iter().zip(&mut calls) {
                let attempts = attempts(random, to, plan);
                for (place, went) in attempts.iter().enumerate() {
                    let took = usual * (0.35 * gauss(random)).exp() + went.ms;
                    counting.add(Went { ms: took, ..*went });
                    counting.counts.retries += u64::from(place > 0);
                    call.ms += took;
                }
                call.failed |= attempts.last().is_some_and(|last| last.failed);
                if call.failed {
                    break;
                }
            }
            if is(Trouble::Timeout) && random.f64() < 0.08 + 0.4 * strength {
                call.ms = function.timeout_ms;
                call.failed = true;
                timeouts += 1;
            }
            if is(Trouble::CostLeak) {
                call.ms *= 3.0 + 3.0 * strength;
            }
            call.ms = call.ms.min(function.timeout_ms);
            mine.counts.billed_ms += call.ms.ceil();
            mine.add(call);
        }
        // As if there were a thousand such shops: some dollars a day.
        mine.counts.billed_ms += mine.counts.init_ms;
        mine.counts.cost_usd = mine.counts.billed_ms * function.memory_mb as f64 * 2e-8;
        mine.counts.timeouts = timeouts;
        function.used = match () {
            () if is_deployed => 60e6,
            () if is(Trouble::MemoryLeak) => function.used,
            () => 60e6,
        };
        for _ in 0..count.min(8) {
            if is(Trouble::MemoryLeak) {
                function.used += 1e6 + 2e6 * strength;
            }
            told.detector
                .take_memory(&me, "e1", time, function.used as u64);
        }
        mine.counts.memory_bytes_max = function.used as u64;
        if count == 0 {
            return;
        }
        let errors = mine.counts.errors;
        told.of(time, Subject::Node(me.clone()), &mine);
        told.facts.own.insert(me.clone());
        if let Some(from) = function.from {
            told.of(
                time,
                Subject::Edge(from.to_owned(), me.clone(), "process".to_owned()),
                &mine,
            );
        }
        for ((to, operation, _), counting) in function.callees.iter().zip(&calls) {
            told.of(
                time,
                Subject::Edge(me.clone(), (*to).to_owned(), (*operation).to_owned()),
                counting,
            );
            told.of(time, Subject::Node((*to).to_owned()), counting);
        }
        if errors > 0 {
            let signature = match is(Trouble::BadDeploy) || is(Trouble::PoisonMessage) {
                true => "KeyError: quantity",
                false => "Declined: card",
            };
            let error = ErrorSeen {
                signature,
                count: errors,
                is_fatal: false,
            };
            told.detector.take_error(&me, time, error);
        }
        if is(Trouble::UnexpectedWrite) {
            let mut write = Counting::default();
            (0..count).for_each(|_| {
                write.add(Went {
                    ms: 8.0,
                    ..Went::default()
                })
            });
            told.of(
                time,
                Subject::Edge(me, "table:sessions".to_owned(), "PutItem".to_owned()),
                &write,
            );
            told.of(time, Subject::Node("table:sessions".to_owned()), &write);
        }
    }
}

impl Told<'_> {
    fn of(&mut self, time: UnixNanos, subject: Subject, counting: &Counting) {
        let counts = Counts {
            durations: sum_of(&counting.durations),
            ..counting.counts.clone()
        };
        // Several call the same table, and a table is one subject.
        if counts.count > 0 {
            self.detector.take(&subject, time, &counts);
            let did = Did {
                // What is billed is a function's.
                tells_timeouts: counts.billed_ms > 0.0,
                counts,
                sum_ms: counting.sum_ms,
                memory_share: 0.0,
            };
            self.facts.at(time, subject).add(&did);
        }
    }
}

impl Counting {
    fn add(&mut self, went: Went) {
        self.counts.count += 1;
        self.counts.errors += u64::from(went.failed);
        self.counts.throttles += u64::from(went.throttled);
        self.durations.record(went.ms);
        self.sum_ms += went.ms;
    }
}

/// How calls of something go, one after the other, with what each takes beyond its usual.
fn attempts(random: &mut Rng, to: &str, plan: Option<&Plan>) -> Vec<Went> {
    let Some(plan) = plan.filter(|plan| plan.cause == to) else {
        return vec![Went::default()];
    };
    let strength = plan.strength;
    let failed = Went {
        ms: 0.0,
        failed: true,
        throttled: plan.trouble == Trouble::Throttle,
    };
    match plan.trouble {
        Trouble::SlowDependency => vec![Went {
            ms: (60.0 + 1500.0 * strength) * (0.3 * gauss(random)).exp(),
            ..Went::default()
        }],
        Trouble::Throttle if random.f64() < 0.1 + 0.8 * strength => vec![failed],
        // Who fails is asked again, twice, and each takes longer for it.
        Trouble::RetryStorm => {
            let late = 40.0 + 200.0 * strength;
            let mut all = Vec::new();
            for _ in 0..3 {
                let fails = random.f64() < 0.3 + 0.5 * strength;
                all.push(Went {
                    ms: late,
                    failed: fails,
                    throttled: false,
                });
                if !fails {
                    break;
                }
            }
            all
        }
        _ => vec![Went::default()],
    }
}

fn poisoned(strength: f64) -> f64 {
    0.1 + 0.3 * strength
}

/// Whether its events do not come: it is silent, or one before it in the chain is.
fn is_silent(plan: Option<&Plan>, name: &str) -> bool {
    let Some(plan) = plan.filter(|plan| plan.trouble == Trouble::SilentConsumer) else {
        return false;
    };
    let chain = [
        "notify-restaurant",
        "accept-order",
        "update-stats",
        "notify-user",
    ];
    let place = |name: &str| chain.iter().position(|it| *it == name);
    let first = plan.cause.strip_prefix("function:").and_then(place);
    place(name).is_some_and(|at| first.is_some_and(|first| at >= first))
}

pub(crate) fn node(name: &str) -> Node {
    format!("function:{name}")
}

const FUNCTIONS: [Function; 7] = [
    function(
        "get-restaurants",
        None,
        2.5,
        12.0,
        3_000.0,
        &[("table:restaurants", "Scan", 18.0)],
    ),
    function(
        "search-restaurants",
        None,
        1.0,
        4.0,
        3_000.0,
        &[("table:restaurants", "Query", 9.0)],
    ),
    function(
        "place-order",
        None,
        1.0,
        25.0,
        6_000.0,
        &[
            ("table:users", "GetItem", 7.0),
            ("table:restaurants", "GetItem", 7.0),
            ("host:pay", "POST", 60.0),
            ("table:orders", "PutItem", 9.0),
            ("topic:orders-placed", "Publish", 12.0),
        ],
    ),
    function(
        "notify-restaurant",
        Some("queue:notifications"),
        1.0,
        6.0,
        6_000.0,
        &[("bus:big-mouth", "PutEvents", 14.0)],
    ),
    function(
        "accept-order",
        Some("bus:big-mouth"),
        1.0,
        15.0,
        6_000.0,
        &[
            ("table:orders", "UpdateItem", 10.0),
            ("stream:accepted", "PutRecord", 12.0),
        ],
    ),
    function(
        "update-stats",
        Some("stream:accepted"),
        1.0,
        20.0,
        6_000.0,
        &[
            ("table:stats", "UpdateItem", 9.0),
            ("bucket:receipts", "PutObject", 30.0),
        ],
    ),
    function(
        "notify-user",
        Some("bucket:receipts"),
        1.0,
        18.0,
        6_000.0,
        &[("host:mail", "SMTP", 40.0)],
    ),
];

const fn function(
    name: &'static str,
    from: Option<&'static str>,
    calls: f64,
    own_ms: f64,
    timeout_ms: f64,
    callees: &'static [(&'static str, &'static str, f64)],
) -> Function {
    Function {
        name,
        from,
        calls,
        own_ms,
        timeout_ms,
        memory_mb: 256,
        callees,
        used: 60e6,
        drift: [0.0; 2],
    }
}
