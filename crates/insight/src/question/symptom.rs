//! What is wrong, by the words that people have for it.

use super::Said;
use super::words::Words;

/// What is wrong with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symptom {
    /// It takes longer.
    Slow,
    /// It fails.
    Error,
    /// It is refused because there are too many calls.
    Throttle,
    /// It is given up because it takes too long.
    Timeout,
    /// It starts cold more often.
    ColdStart,
    /// It costs more.
    Expensive,
    /// It is not called any more.
    Silent,
    /// It lies in a queue for longer, or more of it does.
    Waiting,
    /// Something about it is another.
    Changed,
}

impl Symptom {
    /// All of them.
    pub const ALL: [Symptom; 9] = [
        Symptom::Slow,
        Symptom::Error,
        Symptom::Throttle,
        Symptom::Timeout,
        Symptom::ColdStart,
        Symptom::Expensive,
        Symptom::Silent,
        Symptom::Waiting,
        Symptom::Changed,
    ];

    /// `slow`, `error`, `throttle`, `timeout`, `cold_start`, `expensive`, `silent`, `waiting`,
    /// `changed`.
    pub fn name(self) -> &'static str {
        match self {
            Symptom::Slow => "slow",
            Symptom::Error => "error",
            Symptom::Throttle => "throttle",
            Symptom::Timeout => "timeout",
            Symptom::ColdStart => "cold_start",
            Symptom::Expensive => "expensive",
            Symptom::Silent => "silent",
            Symptom::Waiting => "waiting",
            Symptom::Changed => "changed",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|symptom| symptom.name() == name)
    }

    /// Of two that are said, which is meant: what says how it fails says more than that it does, and a change is
    /// mostly told as when it began.
    fn weight(self) -> u8 {
        match self {
            Symptom::Throttle | Symptom::Timeout | Symptom::ColdStart | Symptom::Expensive => 2,
            Symptom::Slow | Symptom::Error | Symptom::Silent | Symptom::Waiting => 1,
            Symptom::Changed => 0,
        }
    }

    fn phrases(self) -> &'static [&'static str] {
        match self {
            Symptom::Slow => SLOW,
            Symptom::Error => ERROR,
            Symptom::Throttle => THROTTLE,
            Symptom::Timeout => TIMEOUT,
            Symptom::ColdStart => COLD_START,
            Symptom::Expensive => EXPENSIVE,
            Symptom::Silent => SILENT,
            Symptom::Waiting => WAITING,
            Symptom::Changed => CHANGED,
        }
    }
}

/// Takes all words for symptoms, and tells the one that is meant: the first of those that say most.
pub(super) fn read(words: &mut Words) -> Option<Said<Symptom>> {
    let mut found = Vec::new();
    // Long phrases first, whosever: "slowed down" is not "down".
    for length in (1..=PHRASE_WORDS_MAX).rev() {
        for symptom in Symptom::ALL {
            let phrases = symptom.phrases().iter();
            for phrase in phrases.filter(|phrase| phrase.split(' ').count() == length) {
                while let Some((from, to)) = words.find(phrase) {
                    found.push((symptom, from, words.written(from, to).to_owned()));
                    words.take(from, to);
                }
            }
        }
    }
    found.sort_by_key(|(symptom, from, _)| (std::cmp::Reverse(symptom.weight()), *from));
    let (value, _, words) = found.into_iter().next()?;
    Some(Said { value, words })
}

const PHRASE_WORDS_MAX: usize = 3;

const SLOW: &[&str] = &[
    "slow",
    "slower",
    "slowest",
    "slowly",
    "slowness",
    "slowed",
    "slowed down",
    "slow down",
    "slowing",
    "slowing down",
    "slowdown",
    "sluggish",
    "latency",
    "latencies",
    "lag",
    "lags",
    "lagged",
    "lagging",
    "laggy",
    "delay",
    "delays",
    "delayed",
    "hang",
    "hangs",
    "hanging",
    "hung",
    "so long",
    "too long",
    "longer",
    "long time",
    "take long",
    "takes long",
    "took long",
    "taking long",
    "forever",
    "took ages",
    "takes ages",
    "response time",
    "response times",
    "duration",
    "durations",
    "performance",
    "degraded",
    "degradation",
    "p50",
    "p90",
    "p95",
    "p99",
];
const ERROR: &[&str] = &[
    "error",
    "errors",
    "errored",
    "erroring",
    "fail",
    "fails",
    "failed",
    "failing",
    "failure",
    "failures",
    "broken",
    "broke",
    "breaking",
    "break",
    "down",
    "crash",
    "crashed",
    "crashes",
    "crashing",
    "exception",
    "exceptions",
    "500",
    "500s",
    "502",
    "503",
    "5xx",
    "not working",
    "not work",
    "stopped working",
    "stop working",
    "wrong",
    "outage",
    "unavailable",
    "unhealthy",
    "faulty",
    "faults",
    "refused",
    "rejected",
    "returned errors",
];
const THROTTLE: &[&str] = &[
    "throttle",
    "throttled",
    "throttles",
    "throttling",
    "rate limit",
    "rate limits",
    "rate limited",
    "rate limiting",
    "rate-limited",
    "rate-limiting",
    "429",
    "429s",
    "too many requests",
    "over capacity",
    "capacity exceeded",
    "concurrency limit",
];
const TIMEOUT: &[&str] = &[
    "timeout",
    "timeouts",
    "time-out",
    "time-outs",
    "timed out",
    "timed-out",
    "time out",
    "times out",
    "timing out",
];
const COLD_START: &[&str] = &[
    "cold start",
    "cold starts",
    "cold-start",
    "cold-starts",
    "coldstart",
    "coldstarts",
    "starting cold",
    "starts cold",
    "started cold",
    "cold",
];
const EXPENSIVE: &[&str] = &[
    "expensive",
    "cost",
    "costs",
    "costing",
    "costly",
    "pricey",
    "bill",
    "spend",
    "spending",
    "spent",
    "overspending",
    "money",
];
const SILENT: &[&str] = &[
    "silent",
    "silence",
    "quiet",
    "went quiet",
    "went dark",
    "stopped",
    "stop",
    "no traffic",
    "no calls",
    "no requests",
    "no invocations",
    "no messages",
    "no data",
    "no events",
    "no longer called",
    "not called",
    "not being called",
    "not invoked",
    "not running",
    "dried up",
    "idle",
    "dead",
    "disappeared",
    "vanished",
];
const WAITING: &[&str] = &[
    "wait",
    "waits",
    "waited",
    "waiting",
    "stuck",
    "backlog",
    "backlogs",
    "backlogged",
    "backed up",
    "backing up",
    "backs up",
    "piled up",
    "piling up",
    "piles up",
    "pile up",
    "queued up",
    "queueing up",
    "queuing up",
    "falling behind",
    "falls behind",
    "fell behind",
    "fallen behind",
    "lagging behind",
    "lags behind",
    "iterator age",
    // "late last night" is a time.
    "was late",
    "were late",
    "is late",
    "are late",
    "too late",
    "came late",
    "come late",
    "arrived late",
    "arrive late",
    "overdue",
];
const CHANGED: &[&str] = &[
    "change",
    "changed",
    "changes",
    "changing",
    "different",
    "differently",
    "differs",
    "behaves differently",
    "deploy",
    "deployed",
    "deploys",
    "deployment",
    "deployments",
    "release",
    "released",
    "releases",
    "rollout",
    "rolled out",
    "new version",
    "version",
    "upgrade",
    "upgraded",
    "reconfigured",
    "configuration",
];
