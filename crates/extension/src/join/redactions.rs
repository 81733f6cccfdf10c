//! How often each rule of the scrubber found something, as a metric, so that users see it work.

use throughline_telemetry::{Attributes, UnixNanos};

use super::Joiner;
use super::metrics::{Of, Point, Points};
use crate::line::Numbers;

/// What was found since the last batch.
#[derive(Debug, Default)]
pub(super) struct Redactions {
    news: Vec<(String, u64)>,
    since: UnixNanos,
    until: UnixNanos,
}

impl Joiner {
    /// Rules and how often each applied since this was last told. Leaves with the next batch, because what
    /// that takes out is known only when it is made.
    pub fn redacted(&mut self, news: Vec<(String, u64)>, now: UnixNanos) {
        if !news.is_empty() {
            self.redactions.news.extend(news);
            self.redactions.until = now;
        }
    }

    pub(super) fn measure_redactions(&mut self, points: &mut Points) {
        let news = std::mem::take(&mut self.redactions.news);
        let Redactions { since, until, .. } = self.redactions;
        if news.is_empty() || !self.signals.metrics {
            return;
        }
        self.redactions.since = until;
        let of = Of {
            start: if since == UnixNanos::default() {
                until
            } else {
                since
            },
            time: until,
            ..Of::default()
        };
        for (rule, count) in news {
            let attributes: Attributes = [("rule", rule.as_str())].into_iter().collect();
            let point = Point {
                name: NAME,
                unit: "{redaction}",
                // Exact up to 2^53, far beyond what one environment finds.
                numbers: Numbers::Count(count as f64),
                attributes,
            };
            points.add(point, &of);
        }
    }
}

const NAME: &str = "throughline.redactions";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use throughline_telemetry::wire::{self, Request};

    use super::*;
    use crate::counters::Counters;
    use crate::join::{Function, Signals};

    #[test]
    fn what_was_found_is_told_once() {
        let counters = Arc::new(Counters::default());
        let mut joiner = Joiner::new(Function::default(), "environment-1", counters);
        joiner.make(Signals { metrics: true });
        let second = UnixNanos::from_millis(1000);
        joiner.redacted(vec![("card".into(), 2), ("key".into(), 1)], second);
        joiner.redacted(Vec::new(), UnixNanos::from_millis(2000));
        let mut requests = joiner.drain();
        assert_eq!(requests.len(), 1);
        let Some(Request::Metrics(metrics)) = requests.pop() else {
            panic!("no metrics");
        };
        let points: Vec<_> = wire::metric_points(metrics)
            .iter()
            .map(|point| {
                (
                    point.name.clone(),
                    point.attributes.text("rule").map(str::to_owned),
                    point.time,
                )
            })
            .collect();
        let point = |rule: &str| (NAME.to_owned(), Some(rule.to_owned()), second);
        assert_eq!(points, [point("card"), point("key")]);
        assert!(joiner.drain().is_empty());
    }
}
