//! Lines of logs that appear, or are missing.

/// Lines that differ in numbers, ids and names only, counted at two times.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// Who wrote them.
    pub service: String,
    /// What they have in common.
    pub template: String,
    /// How grave the gravest is, as OpenTelemetry numbers it.
    pub severity: u8,
    /// How many there were when all was well.
    pub before: u64,
    /// How many there are now.
    pub now: u64,
}

/// Lines that tell one time from the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The lines.
    pub lines: Lines,
    /// What became of them.
    pub seen: Seen,
}

/// What became of lines, or of a step of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There were none before.
    Appeared,
    /// There are none now.
    Vanished,
    /// There are far more.
    More,
}

/// Which lines tell the two times apart, of which the first was so many times as long as the other: warnings and
/// errors first.
#[allow(clippy::cast_precision_loss)] // lines of hours
pub fn patterns(all: Vec<Lines>, times_as_long: f64) -> Vec<Pattern> {
    // Who wrote nothing before has only lines that appeared, which says nothing.
    let heard = |service: &str| all.iter().any(|it| it.service == service && it.before > 0);
    let told = all.iter().filter_map(|lines| {
        let expected = lines.before as f64 / times_as_long.max(f64::MIN_POSITIVE);
        let seen = match (lines.before, lines.now) {
            (0, now) if now >= APPEARED_MIN && heard(&lines.service) => Seen::Appeared,
            (_, 0) if expected >= VANISHED_MIN => Seen::Vanished,
            (1.., now) if now as f64 > MORE * expected.max(1.0) && now >= APPEARED_MIN => {
                Seen::More
            }
            _ => return None,
        };
        let lines = lines.clone();
        Some(Pattern { lines, seen })
    });
    let mut told: Vec<Pattern> = told.collect();
    let order = |it: &Pattern| {
        let count = it.lines.now.max(it.lines.before);
        (it.lines.severity.max(PLAIN), count)
    };
    told.sort_by_key(|it| std::cmp::Reverse(order(it)));
    told.truncate(TOLD_MAX);
    told
}

const APPEARED_MIN: u64 = 3;
/// Lines that should have come.
const VANISHED_MIN: f64 = 5.0;
const MORE: f64 = 5.0;
/// Below a warning all are alike.
const PLAIN: u8 = 12;
const TOLD_MAX: usize = 6;
