//! Why is this different: what the events of a selection have that the rest has not.
//!
//! Every event, of the selection and of the rest, is told to a [`Contrast`] with its attributes, in any
//! order. [`Contrast::finish`] answers with conditions, the most telling first: an attribute with a
//! value, a number within bounds, an attribute that is there or is not, and pairs of those.
//!
//! - **Memory is bounded** ([`Limits`]): of each side a random sample is kept, which is halved whenever it
//!   becomes too large. Attributes of events that are not in it are not looked at. Which events are in it
//!   depends on their order only, so the same events give the same answer.
//! - **Effect**: how much the condition tells about the side that an event is of, from 0 to 1, if both sides
//!   were equally large (the Jensen-Shannon divergence). It is calculated from the low end of what the
//!   share in the selection may be and the high end of what it may be in the rest (95 % each), so that a
//!   handful of events never ranks above thousands.
//! - **Chance**: each condition has a p-value (G-test, Williams' correction; times the number of bounds that
//!   were tried for a number), and together they pass one Benjamini-Hochberg filter at
//!   [`FALSE_DISCOVERIES`]. A pair must besides tell more than either part, and each part must add to the
//!   other by the same test.
//! - **Numbers** of more than twelve different values are put into up to 32 bins, as many events in
//!   each, both sides weighed alike; every run of bins is a condition, the best of an attribute stays.
//! - **Said once**: attributes that are of (nearly) the same events, such as the name of a function and that of
//!   its log group, are one difference with [`Difference::alike`].
//!
//! What the selection was made by will come first, so do not tell it: of "slower than a second" the
//! duration.

mod conditions;
mod rank;
mod sample;

use throughline_telemetry::Value;

use sample::Sample;

/// Which side an event is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those of which it is asked why they are different.
    Selection,
    /// Those that they are compared with.
    Rest,
}

/// A value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Given<'a> {
    /// Text; cut at [`TEXT_BYTES_MAX`].
    Text(&'a str),
    /// A number. What is none is as if the attribute were not there.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

impl<'a> Given<'a> {
    /// The value of an attribute; `None` of lists, maps, bytes and nothing, which are not compared.
    pub fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Given::Text(text)),
            #[allow(clippy::cast_precision_loss)] // it is compared with others, not shown as an id
            Value::Int(number) => Some(Given::Number(*number as f64)),
            Value::Double(number) => Some(Given::Number(*number)),
            Value::Bool(truth) => Some(Given::Flag(*truth)),
            Value::Null | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => None,
        }
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events of each side; at least half as many are looked at where there are more.
    pub events_max: usize,
    /// Attributes of all the events kept of each side, at 8 bytes.
    pub cells_max: usize,
    /// Different attributes. Others are left out and counted.
    pub keys_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            events_max: 25_000,
            cells_max: 1_000_000,
            keys_max: 1000,
        }
    }
}

/// An event that is in the sample, unless that becomes too large before its attributes are told.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    side: Side,
    /// Which of its side it is.
    number: u64,
    level: u32,
}

/// Takes the events of both sides in.
#[derive(Debug)]
pub struct Contrast(Sample);

impl Contrast {
    /// Without any events.
    pub fn new(limits: Limits) -> Self {
        Contrast(Sample::new(limits))
    }

    /// Counts an event. `attributes` is asked only if the event is in the sample; of an attribute that is
    /// told twice the first counts.
    pub fn event<'a, A>(&mut self, side: Side, attributes: impl FnOnce() -> A)
    where
        A: IntoIterator<Item = (&'a str, Given<'a>)>,
    {
        if let Some(wanted) = self.count(side) {
            self.keep(wanted, attributes());
        }
    }

    /// Counts an event whose attributes are not at hand yet. Those of an event that is in the sample are
    /// to be told to [`Contrast::keep`], in the order of counting.
    pub fn count(&mut self, side: Side) -> Option<Wanted> {
        self.0.wants(side)
    }

    /// Takes the attributes of an event that was counted; of an attribute that is told twice the first
    /// counts.
    pub fn keep<'a>(
        &mut self,
        wanted: Wanted,
        attributes: impl IntoIterator<Item = (&'a str, Given<'a>)>,
    ) {
        self.0.keep(wanted, attributes);
    }

    /// What the selection has that the rest has not.
    pub fn finish(self) -> Differences {
        rank::differences(&self.0)
    }
}

/// What the selection has that the rest has not.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// The most telling first; empty where nothing tells.
    pub found: Vec<Difference>,
    /// The events of the selection.
    pub selection: Events,
    /// The events of the rest.
    pub rest: Events,
    /// How many conditions were compared, pairs among them.
    pub compared: usize,
    /// Attributes of sampled events that there was no room for.
    pub left_out: u64,
}

/// How many events a side has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// All of them.
    pub count: u64,
    /// Those whose attributes were compared.
    pub sampled: u64,
}

/// Something by which the sides differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// One, or two that hold at once.
    pub conditions: Vec<Condition>,
    /// In how many of the selection's sampled events.
    pub selection: Share,
    /// In how many of the rest's.
    pub rest: Share,
    /// How much it tells, from 0 to 1; at the low end of what may be.
    pub effect: f64,
    /// The share of false ones among all that are at least as certain as this.
    pub false_discovery: f64,
    /// Other attributes' conditions that hold for (nearly) the same events.
    pub alike: Vec<Condition>,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Those that meet the conditions.
    pub hits: u64,
    /// All of them.
    pub of: u64,
}

impl Share {
    /// The part, from 0 to 1.
    #[allow(clippy::cast_precision_loss)] // of a sample
    pub fn part(self) -> f64 {
        self.hits as f64 / self.of.max(1) as f64
    }
}

/// What holds of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The attribute.
    pub key: String,
    /// What holds.
    pub test: Test,
}

/// What may hold of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is this text; of a flag `true` or `false`.
    Text(String),
    /// It is this number.
    Number(f64),
    /// It is a number within these bounds, both included; `None` is no bound.
    Within(Option<f64>, Option<f64>),
    /// It is there, whatever it is.
    Present,
    /// It is not there.
    Absent,
}

/// The share of false ones among what is reported, at most, in the long run.
pub const FALSE_DISCOVERIES: f64 = 0.01;
/// Bytes of a text that are compared.
pub const TEXT_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests;
