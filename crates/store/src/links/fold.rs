//! Spans to the ends of their links.

use arrow::array::{Array, FixedSizeBinaryArray, ListArray, RecordBatch, StructArray};
use throughline_telemetry::Value;
use throughline_telemetry::correlation::{INVOCATION_ID, LAMBDA_KIND, LINK_IN, LINK_OUT};
use twox_hash::XxHash64;

use super::{Side, hash};
use crate::batch::typed;
use crate::limits::{LINK_ENDS_MAX, LINKS_A_SPAN_MAX};
use crate::segment::{AttributeLists, Damage, attribute_lists, value};

/// Collects the ends of a segment while its rows are written, in memory that is bounded.
#[derive(Debug, Default)]
pub(crate) struct LinkFold {
    rows: u32,
    trace: Option<[u8; 16]>,
    /// The first row of that trace.
    first: u32,
    ends: Vec<(u64, u32)>,
    left_out: u32,
}

/// The ends of a segment: hashes in order, each with the first row of a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ends {
    pub(crate) ends: Vec<(u64, u32)>,
    /// Those that there was no room for.
    pub(crate) left_out: u32,
}

impl LinkFold {
    /// Adds rows of a canonical batch, in the order of the file.
    pub(crate) fn add(&mut self, canonical: &RecordBatch) -> Result<(), Damage> {
        let traces: &FixedSizeBinaryArray = column(canonical, "trace_id")?;
        let begin = self.rows;
        let mut firsts = Vec::with_capacity(traces.len());
        for (row, place) in (0..traces.len()).zip(begin..) {
            let trace = <[u8; 16]>::try_from(traces.value(row)).unwrap_or_default();
            if self.trace != Some(trace) {
                (self.trace, self.first) = (Some(trace), place);
            }
            firsts.push(self.first);
            self.rows = place + 1;
        }
        let (ends, left_out) = (&mut self.ends, &mut self.left_out);
        each_end(canonical, |row, hash| {
            let end = (hash, firsts[row]);
            if ends.len() < LINK_ENDS_MAX {
                ends.push(end);
            } else {
                *left_out += 1;
            }
        })
    }

    pub(crate) fn finish(mut self) -> Ends {
        self.ends.sort_unstable();
        self.ends.dedup();
        Ends {
            ends: self.ends,
            left_out: self.left_out,
        }
    }
}

impl Ends {
    /// The rows of a hash.
    pub(super) fn rows(&self, hash: u64) -> impl Iterator<Item = u32> {
        let from = self.ends.partition_point(|(other, _)| *other < hash);
        let same = self.ends[from..].iter();
        let same = same.take_while(move |(other, _)| *other == hash);
        same.map(|(_, row)| *row)
    }
}

/// Tells of each end of each span of a canonical batch its row and hash.
pub(super) fn each_end(
    canonical: &RecordBatch,
    mut each: impl FnMut(usize, u64),
) -> Result<(), Damage> {
    let attributes = canonical.column_by_name("attributes");
    let attributes = attributes.ok_or_else(|| Damage::new("no column attributes"))?;
    let lists = attribute_lists(attributes)?;
    let roles: Vec<Option<Role>> = lists.keys.distinct().map(role).collect();
    if roles.iter().any(Option::is_some) {
        for row in 0..canonical.num_rows() {
            for item in lists.range(row) {
                if let Some(role) = roles[lists.keys.code(item)] {
                    role.tell(&lists, item, |hash| each(row, hash));
                }
            }
        }
    }
    let links: &ListArray = column(canonical, "links")?;
    let items: &StructArray = typed(links.values(), "links")?;
    let targets = items.column_by_name("trace_id");
    let targets = targets.ok_or_else(|| Damage::new("no column trace_id of links"))?;
    let targets: &FixedSizeBinaryArray = typed(targets, "trace_id")?;
    let offsets = links.value_offsets();
    for row in 0..canonical.num_rows() {
        let items = offsets[row]..offsets[row + 1];
        for item in items.take(LINKS_A_SPAN_MAX) {
            let target = targets.value(usize::try_from(item).unwrap_or_default());
            each(row, hash(Side::LinkTo, target));
        }
    }
    Ok(())
}

/// What an attribute says of links.
#[derive(Clone, Copy)]
enum Role {
    Keys(Side),
    Invocation,
}

fn role(key: &str) -> Option<Role> {
    match key {
        LINK_OUT => Some(Role::Keys(Side::Out)),
        LINK_IN => Some(Role::Keys(Side::In)),
        INVOCATION_ID => Some(Role::Invocation),
        _ => None,
    }
}

impl Role {
    fn tell(self, lists: &AttributeLists<'_>, item: usize, mut each: impl FnMut(u64)) {
        let (_, tag, text) = lists.item(item);
        match self {
            Role::Invocation => {
                let mut key = String::with_capacity(LAMBDA_KIND.len() + 1 + text.len());
                key.extend([LAMBDA_KIND, ":", text]);
                each(XxHash64::oneshot(Side::In as u64, key.as_bytes()));
            }
            Role::Keys(side) => match plain_texts(text) {
                Some(texts) => texts
                    .take(LINKS_A_SPAN_MAX)
                    .for_each(|key| each(hash(side, key.as_bytes()))),
                None => match value::from_text(tag, text) {
                    Ok(Value::String(key)) => each(hash(side, key.as_bytes())),
                    Ok(Value::Array(values)) => {
                        let keys = values.iter().filter_map(|value| match value {
                            Value::String(key) => Some(key),
                            _ => None,
                        });
                        keys.take(LINKS_A_SPAN_MAX)
                            .for_each(|key| each(hash(side, key.as_bytes())));
                    }
                    _ => {}
                },
            },
        }
    }
}

/// The texts of a JSON list that has texts without anything escaped and nothing else, as nearly all have.
fn plain_texts(json: &str) -> Option<impl Iterator<Item = &str>> {
    let inner = json.strip_prefix("[\"")?.strip_suffix("\"]")?;
    let texts = inner.split("\",\"");
    let is_plain = |text: &str| !text.contains(['"', '\\']);
    texts.clone().all(is_plain).then_some(texts)
}

fn column<'a, T: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T, Damage> {
    let column = batch.column_by_name(name);
    typed(
        column.ok_or_else(|| Damage::new(format!("no column {name}")))?,
        name,
    )
}
