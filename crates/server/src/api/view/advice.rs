//! Which memory a function should have.

use std::ops::Range;

use serde::Serialize;
use throughline_insight::rightsize::{
    Advice, Change, Fits, Hint, Measured, Named, Point, Recommendation, Seen, Verdict, Why,
};
use throughline_telemetry::UnixNanos;

use super::Text;

/// What is said of a function, or why nothing is.
#[derive(Serialize)]
pub(in crate::api) struct AdviceView<'a> {
    function: &'a str,
    from_unix_nanos: Text<UnixNanos>,
    to_unix_nanos: Text<UnixNanos>,
    sentence: String,
    advice: Option<SizeAdvice<'a>>,
    why_not: Option<&'static str>,
    change: Option<ChangeView>,
}

#[derive(Serialize)]
struct SizeAdvice<'a> {
    invocation_count: usize,
    cpu_ms: f64,
    wait_ms: f64,
    processors: f64,
    memory_used_mb: Option<u32>,
    price_region: &'a str,
    now: PointView,
    curve: Vec<PointView>,
    named: Option<NamedView>,
    recommendation: Option<RecommendationView>,
    also: Vec<HintView>,
    seen: Vec<SeenView>,
}

#[derive(Serialize)]
struct PointView {
    memory_mb: u32,
    duration_ms: MeasuredView,
    slow_ms: f64,
    usd: MeasuredView,
    fits: &'static str,
}

#[derive(Serialize)]
struct MeasuredView {
    value: f64,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct NamedView {
    cheapest_mb: u32,
    balanced_mb: u32,
    fastest_mb: u32,
}

#[derive(Serialize)]
struct RecommendationView {
    point: PointView,
    duration_ratio: MeasuredView,
    cost_ratio: MeasuredView,
    sentence: String,
}

#[derive(Serialize)]
struct HintView {
    kind: &'static str,
    sentence: String,
}

#[derive(Serialize)]
struct SeenView {
    memory_mb: u32,
    invocation_count: usize,
    duration_ms: f64,
    predicted_ms: MeasuredView,
}

#[derive(Serialize)]
struct ChangeView {
    at_unix_nanos: Text<UnixNanos>,
    before: PointView,
    predicted: PointView,
    verdict: &'static str,
    sentence: String,
}

impl<'a> AdviceView<'a> {
    /// The change with when it was made.
    pub(in crate::api) fn new(
        function: &'a str,
        times: &Range<UnixNanos>,
        advice: &'a Result<Advice, Why>,
        change: Option<(UnixNanos, Change)>,
    ) -> Self {
        AdviceView {
            function,
            from_unix_nanos: Text(times.start),
            to_unix_nanos: Text(times.end),
            sentence: match advice {
                Ok(advice) => advice.to_string(),
                Err(why) => why.to_string(),
            },
            advice: advice.as_ref().ok().map(SizeAdvice::new),
            why_not: advice.as_ref().err().map(reason),
            change: change.map(|(at, change)| ChangeView::new(at, &change)),
        }
    }
}

impl<'a> SizeAdvice<'a> {
    fn new(advice: &'a Advice) -> Self {
        SizeAdvice {
            invocation_count: advice.count,
            cpu_ms: advice.cpu_ms,
            wait_ms: advice.wait_ms,
            processors: advice.processors,
            memory_used_mb: advice.memory_used_mb,
            price_region: advice.price_region,
            now: PointView::new(&advice.now),
            curve: advice.curve.iter().map(PointView::new).collect(),
            named: advice.named.map(NamedView::new),
            recommendation: advice.recommendation.as_ref().map(RecommendationView::new),
            also: advice.also.iter().map(HintView::new).collect(),
            seen: advice.seen.iter().map(SeenView::new).collect(),
        }
    }
}

impl PointView {
    fn new(point: &Point) -> Self {
        PointView {
            memory_mb: point.memory_mb,
            duration_ms: MeasuredView::new(point.duration_ms),
            slow_ms: point.slow_ms,
            usd: MeasuredView::new(point.usd),
            fits: match point.fits {
                Fits::Yes => "yes",
                Fits::TooLittleMemory => "too_little_memory",
                Fits::NearTimeout => "near_timeout",
            },
        }
    }
}

impl MeasuredView {
    fn new(Measured { value, low, high }: Measured) -> Self {
        MeasuredView { value, low, high }
    }
}

impl NamedView {
    fn new(named: Named) -> Self {
        NamedView {
            cheapest_mb: named.cheapest_mb,
            balanced_mb: named.balanced_mb,
            fastest_mb: named.fastest_mb,
        }
    }
}

impl RecommendationView {
    fn new(it: &Recommendation) -> Self {
        RecommendationView {
            point: PointView::new(&it.point),
            duration_ratio: MeasuredView::new(it.duration_ratio),
            cost_ratio: MeasuredView::new(it.cost_ratio),
            sentence: it.to_string(),
        }
    }
}

impl HintView {
    fn new(hint: &Hint) -> Self {
        HintView {
            kind: match hint {
                Hint::MoreMemory { .. } => "more_memory",
                Hint::Arm { .. } => "arm64",
                Hint::TimeoutNear { .. } => "timeout_near",
                Hint::TimeoutFar { .. } => "timeout_far",
                Hint::Provisioned(_) => "provisioned",
            },
            sentence: hint.to_string(),
        }
    }
}

impl SeenView {
    fn new(seen: &Seen) -> Self {
        SeenView {
            memory_mb: seen.memory_mb,
            invocation_count: seen.count,
            duration_ms: seen.duration_ms,
            predicted_ms: MeasuredView::new(seen.predicted),
        }
    }
}

impl ChangeView {
    fn new(at: UnixNanos, change: &Change) -> Self {
        ChangeView {
            at_unix_nanos: Text(at),
            before: PointView::new(&change.before),
            predicted: PointView::new(&change.predicted),
            verdict: match change.verdict {
                Verdict::TooEarly { .. } => "too_early",
                Verdict::AsPredicted { .. } => "as_predicted",
                Verdict::Slower { .. } => "slower",
            },
            sentence: change.to_string(),
        }
    }
}

fn reason(why: &Why) -> &'static str {
    match why {
        Why::TooFew { .. } => "too_few",
        Why::NoProcessorTime => "no_processor_time",
        Why::FasterThanItsShare => "faster_than_its_share",
        Why::TooUnlike => "too_unlike",
    }
}
