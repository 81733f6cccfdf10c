//! What came of incidents that were played.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::score::ratio;
use super::take::Take;

/// What a server said of one.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// How long after its beginning something was said.
    pub(super) noticed: Option<Duration>,
    /// The incident in one line.
    pub(super) said: String,
    /// Nodes that it comes from, the most probable first.
    pub(super) causes: Vec<String>,
    /// Other incidents at the same time.
    pub(super) beside: usize,
}

#[derive(Debug)]
pub(super) struct Outcome {
    kind: String,
    /// Whether the analysis may be changed because of it. Of the others, half of the times, the score alone is looked at.
    is_developed_on: bool,
    noticed: Option<Duration>,
    /// The place of its cause, from 0, if it was named.
    rank: Option<usize>,
    beside: usize,
    /// What was said instead.
    missed: String,
}

/// What came of a recording.
#[derive(Debug, Default)]
pub(in crate::eval) struct Scores {
    pub(super) outcomes: Vec<Outcome>,
    /// Incidents of days in which nothing went wrong.
    pub(super) quiet: Vec<String>,
    pub(super) quiet_days: usize,
    /// Spans and log records that were sent.
    pub(super) items: u64,
}

/// Of some incidents.
#[derive(Debug, Default)]
struct Row {
    all: usize,
    noticed: usize,
    first: usize,
    third: usize,
    beside: usize,
    minutes: Vec<f64>,
}

impl Outcome {
    /// Nothing else looks at what it really came from.
    pub(super) fn new(take: &Take, seed: u32, answer: Answer) -> Self {
        let is_cause = |node: &String| take.causes.contains(node);
        let rank = answer.causes.iter().position(is_cause);
        let named = answer.causes.iter().take(3).map(String::as_str);
        let named: Vec<&str> = named.collect();
        let missed = match answer.noticed {
            None => "nothing was noticed".to_owned(),
            Some(_) => format!("{}; {} named", answer.said, named.join(", ")),
        };
        Outcome {
            kind: take.name.clone(),
            is_developed_on: seed.is_multiple_of(2),
            noticed: answer.noticed,
            rank,
            beside: answer.beside,
            missed: format!("{} {seed}: {missed}", take.name),
        }
    }
}

impl Row {
    fn add(&mut self, outcome: &Outcome) {
        self.all += 1;
        self.noticed += usize::from(outcome.noticed.is_some());
        self.first += usize::from(outcome.rank == Some(0));
        self.third += usize::from(outcome.rank.is_some_and(|rank| rank < 3));
        self.beside += outcome.beside;
        let minutes = outcome.noticed.map(|it| it.as_secs_f64() / 60.0);
        self.minutes.extend(minutes);
        self.minutes.sort_by(f64::total_cmp);
    }

    /// Minutes until so many of those that were noticed were.
    fn minutes(&self, tenths: usize) -> Option<f64> {
        let last = self.minutes.len().checked_sub(1)?;
        self.minutes.get(last * tenths / 10).copied()
    }

    fn to_json(&self, kind: &str) -> Value {
        json!({
            "kind": kind, "incidents": self.all, "noticed": ratio(self.noticed, self.all),
            "recall_at_1": ratio(self.first, self.all), "recall_at_3": ratio(self.third, self.all),
            "minutes_p50": self.minutes(5), "minutes_p90": self.minutes(9), "beside": self.beside,
        })
    }

    fn line(&self, kind: &str) -> String {
        let minutes = |tenths| {
            self.minutes(tenths)
                .map_or("-".to_owned(), |it| format!("{it:.0}"))
        };
        format!(
            "{kind:<24}{:>10}{:>10.2}{:>10.2}{:>10.2}{:>10}{:>10}{:>10}\n",
            self.all,
            ratio(self.noticed, self.all),
            ratio(self.first, self.all),
            ratio(self.third, self.all),
            minutes(5),
            minutes(9),
            self.beside
        )
    }
}

impl Scores {
    /// Of each kind.
    fn kinds(&self) -> BTreeMap<&str, Row> {
        let mut kinds = BTreeMap::<&str, Row>::new();
        for outcome in &self.outcomes {
            kinds.entry(&outcome.kind).or_default().add(outcome);
        }
        kinds
    }

    fn row(&self, is_in: impl Fn(&Outcome) -> bool) -> Row {
        let mut row = Row::default();
        let of = self.outcomes.iter().filter(|it| is_in(it));
        of.for_each(|outcome| row.add(outcome));
        row
    }

    fn all(&self) -> Row {
        self.row(|_| true)
    }

    /// The half that nothing was changed for.
    fn reported(&self) -> Row {
        self.row(|outcome| !outcome.is_developed_on)
    }

    /// Of the half that may be looked at.
    fn missed(&self) -> impl Iterator<Item = &str> {
        let missed = |it: &&Outcome| it.is_developed_on && it.rank != Some(0);
        let missed = self.outcomes.iter().filter(missed);
        missed.map(|it| it.missed.as_str())
    }

    fn false_a_week(&self) -> f64 {
        ratio(7 * self.quiet.len(), self.quiet_days)
    }

    pub(in crate::eval) fn to_json(&self) -> Value {
        let mut json = self.all().to_json("all");
        let kinds = self.kinds();
        let kinds = kinds.iter().map(|(kind, row)| row.to_json(kind));
        json["kinds"] = kinds.collect();
        json["reported"] = self.reported().to_json("reported");
        json["missed"] = self.missed().collect();
        json["false_a_week"] = json!(self.false_a_week());
        json["false"] = json!(self.quiet);
        json["items"] = json!(self.items);
        json
    }

    pub(in crate::eval) fn table(&self) -> String {
        let mut text = format!(
            "{} spans and log records went to a server; thresholds are fixed, causes are read to count only\n\n\
             {:<24}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
            self.items,
            "what",
            "incidents",
            "noticed",
            "recall@1",
            "recall@3",
            "min p50",
            "min p90",
            "beside"
        );
        for (kind, row) in &self.kinds() {
            text += &row.line(kind);
        }
        text += &self.all().line("all");
        let reported = self.reported();
        if reported.all > 0 {
            text += &reported.line("half reported on only");
        }
        text += &format!(
            "\nwhere all was well: {:.1} incidents a week, in {} days\n",
            self.false_a_week(),
            self.quiet_days
        );
        let lines = self.quiet.iter().map(String::as_str);
        for line in lines.chain(self.missed()) {
            text += &format!("  {line}\n");
        }
        text
    }
}
