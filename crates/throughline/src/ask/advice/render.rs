//! Advice as text: a sentence, a table of sizes, what else there is to say.

use serde::Deserialize;

use crate::ask::table::{Cell, Column, Side, Tone, table};
use crate::ask::words;
use crate::terminal::Paint;

/// What the API says of a function.
#[derive(Deserialize)]
pub(super) struct Told {
    function: String,
    sentence: String,
    advice: Option<Advice>,
    change: Option<Change>,
}

#[derive(Deserialize)]
struct Change {
    verdict: String,
    sentence: String,
}

#[derive(Deserialize)]
struct Advice {
    invocation_count: u64,
    cpu_ms: f64,
    wait_ms: f64,
    memory_used_mb: Option<u64>,
    price_region: String,
    now: Point,
    curve: Vec<Point>,
    named: Option<Named>,
    recommendation: Option<Recommendation>,
    also: Vec<Sentence>,
}

#[derive(Clone, Deserialize)]
struct Point {
    memory_mb: u64,
    duration_ms: Interval,
    slow_ms: f64,
    usd: Interval,
    fits: String,
}

#[derive(Clone, Copy, Deserialize)]
struct Interval {
    value: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Named {
    cheapest_mb: u64,
    balanced_mb: u64,
    fastest_mb: u64,
}

#[derive(Deserialize)]
struct Recommendation {
    point: Point,
}

#[derive(Deserialize)]
struct Sentence {
    sentence: String,
}

impl Told {
    /// Yes, no, or nothing can be said.
    pub(super) fn exit_code(&self) -> u8 {
        match &self.advice {
            Some(advice) if advice.recommendation.is_some() => 0,
            Some(_) => 1,
            None => 2,
        }
    }

    /// `page` is where sizes are applied.
    pub(super) fn render(&self, page: &str, (paint, width): (Paint, usize)) -> String {
        let mut text = format!("{} {}\n", paint.strong(&self.function), self.says());
        if let Some(advice) = &self.advice {
            text += &format!("\n{}", advice.table((paint, width)));
            text += &format!("\n{}\n", advice.basis());
        }
        let also = self.advice.iter().flat_map(|advice| &advice.also);
        let also = also.map(|hint| &hint.sentence);
        for said in also.chain(self.change.iter().map(|change| &change.sentence)) {
            text += &format!("· {said}\n");
        }
        if let Some(what) = self.to_apply() {
            text += &format!("· {what}: {page}\n");
        }
        text
    }

    /// What is worth doing on the function's page.
    fn to_apply(&self) -> Option<&'static str> {
        let is_slower = |change: &Change| change.verdict == "slower";
        match &self.advice {
            _ if self.change.as_ref().is_some_and(is_slower) => {
                Some("go back, or apply another size")
            }
            Some(advice) if advice.recommendation.is_some() => Some("apply it"),
            _ => None,
        }
    }

    /// The sentence goes on after the name where it says what the function can do.
    fn says(&self) -> String {
        match self.sentence.starts_with("can ") {
            true => self.sentence.clone(),
            false => format!("· {}", self.sentence),
        }
    }
}

impl Advice {
    /// The sizes that have names, doublings of the smallest, and what it has.
    fn table(&self, at: (Paint, usize)) -> String {
        let right = ["MEMORY", "MEAN", "95 %", "P99", "A MILLION"];
        let mut columns: Vec<Column> = right
            .into_iter()
            .map(|name| Column {
                name,
                side: Side::Right,
            })
            .collect();
        columns.push(Column {
            name: "NOTES",
            side: Side::Cut,
        });
        let shown = self.curve.iter().filter(|point| self.is_shown(point));
        let rows: Vec<Vec<Cell>> = shown.map(|point| self.row(point)).collect();
        table(&columns, &rows, at)
    }

    fn is_shown(&self, point: &Point) -> bool {
        let mb = point.memory_mb;
        let is_doubled = mb.is_multiple_of(128) && (mb / 128).is_power_of_two();
        is_doubled || !self.about(point).is_empty()
    }

    /// What is special about a size.
    fn about(&self, point: &Point) -> Vec<&'static str> {
        let mb = point.memory_mb;
        let is = |named: fn(&Named) -> u64| self.named.as_ref().is_some_and(|it| named(it) == mb);
        let best = self.recommendation.as_ref().map(|it| it.point.memory_mb);
        [
            (mb == self.now.memory_mb, "now"),
            (best == Some(mb), "recommended"),
            (is(|it| it.cheapest_mb), "cheapest"),
            (is(|it| it.balanced_mb), "balanced"),
            (is(|it| it.fastest_mb), "fastest"),
        ]
        .into_iter()
        .filter_map(|(is, word)| is.then_some(word))
        .collect()
    }

    fn row(&self, point: &Point) -> Vec<Cell> {
        let about = self.about(point);
        let why_not = match point.fits.as_str() {
            "too_little_memory" => Some("too little memory"),
            "near_timeout" => Some("too near its timeout"),
            _ => None,
        };
        let tone = match (why_not, about.contains(&"recommended")) {
            (Some(_), _) => Tone::Faint,
            (None, true) => Tone::Strong,
            (None, false) => Tone::Plain,
        };
        let Interval { value, low, high } = point.duration_ms;
        let about: Vec<&str> = about.into_iter().chain(why_not).collect();
        let cells = [
            format!("{} MB", words::number(point.memory_mb)),
            words::millis(value),
            format!("{} to {}", words::millis(low), words::millis(high)),
            words::millis(point.slow_ms),
            words::dollars(point.usd.value * 1e6),
            about.join(", "),
        ];
        cells
            .into_iter()
            .map(|text| Cell::new(text, tone))
            .collect()
    }

    fn basis(&self) -> String {
        let used = match self.memory_used_mb {
            Some(mb) => format!(", {} MB used at most", words::number(mb)),
            None => String::new(),
        };
        format!(
            "from {}: {} at work, {} waiting in the mean{used}; prices of {}",
            words::counted(self.invocation_count, "invocation"),
            words::millis(self.cpu_ms),
            words::millis(self.wait_ms),
            self.price_region
        )
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::*;

    fn check(told: &Value, code: u8, expected: Expect) {
        let told = Told::deserialize(told).unwrap();
        assert_eq!(told.exit_code(), code);
        let page = "http://127.0.0.1:4300/functions/checkout#memory";
        expected.assert_eq(&told.render(page, (Paint::Plain, 100)));
    }

    fn point(memory_mb: u64, ms: f64, fits: &str) -> Value {
        let interval =
            |value: f64| json!({"value": value, "low": value * 0.9, "high": value * 1.1});
        json!({"memory_mb": memory_mb, "duration_ms": interval(ms), "slow_ms": ms * 2.0,
            "usd": interval(ms * 1e-8), "fits": fits})
    }

    #[test]
    fn sizes_with_names_are_shown_and_so_are_doublings() {
        let told = json!({
            "function": "checkout", "sentence": "can run 2.0x faster for 3 % less with 1,024 MB",
            "advice": {
                "invocation_count": 1840, "cpu_ms": 180.0, "wait_ms": 32.5, "memory_used_mb": 96,
                "price_region": "eu-west-1", "now": point(512, 642.0, "yes"),
                "curve": [point(128, 2500.0, "too_little_memory"), point(192, 1700.0, "yes"), point(256, 1280.0, "near_timeout"),
                    point(512, 642.0, "yes"), point(576, 590.0, "yes"), point(1024, 343.0, "yes"), point(1728, 215.0, "yes")],
                "named": {"cheapest_mb": 1024, "balanced_mb": 1024, "fastest_mb": 1728},
                "recommendation": {"point": point(1024, 343.0, "yes")},
                "also": [{"kind": "arm64", "sentence": "on arm64 the same time costs 20 % less"}],
            },
            "change": {"verdict": "as_predicted", "sentence": "512 MB instead of 256 MB came as predicted"},
        });
        check(
            &told,
            0,
            expect![[r#"
                checkout can run 2.0x faster for 3 % less with 1,024 MB

                  MEMORY    MEAN              95 %     P99  A MILLION  NOTES
                  128 MB  2.50 s  2.25 s to 2.75 s  5.00 s     $25.00  too little memory
                  256 MB  1.28 s  1.15 s to 1.41 s  2.56 s     $12.80  too near its timeout
                  512 MB  642 ms  578 ms to 706 ms  1.28 s      $6.42  now
                1,024 MB  343 ms  309 ms to 377 ms  686 ms      $3.43  recommended, cheapest, balanced
                1,728 MB  215 ms  194 ms to 236 ms  430 ms      $2.15  fastest

                from 1,840 invocations: 180 ms at work, 32.5 ms waiting in the mean, 96 MB used at most; prices of eu-west-1
                · on arm64 the same time costs 20 % less
                · 512 MB instead of 256 MB came as predicted
                · apply it: http://127.0.0.1:4300/functions/checkout#memory
            "#]],
        );
    }

    #[test]
    fn what_came_out_worse_can_be_taken_back() {
        let told = json!({"function": "checkout", "sentence": "nobody has measured its processor time", "advice": null,
            "change": {"verdict": "slower", "sentence": "512 MB instead of 256 MB is slower than predicted"}});
        check(
            &told,
            2,
            expect![[r#"
                checkout · nobody has measured its processor time
                · 512 MB instead of 256 MB is slower than predicted
                · go back, or apply another size: http://127.0.0.1:4300/functions/checkout#memory
            "#]],
        );
    }

    #[test]
    fn why_nothing_is_said_is_said() {
        let told = json!({"function": "checkout", "sentence": "nobody has measured its processor time", "advice": null,
            "change": null});
        check(
            &told,
            2,
            expect![[r#"
                checkout · nobody has measured its processor time
            "#]],
        );
    }
}
