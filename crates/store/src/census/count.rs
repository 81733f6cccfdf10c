//! Rows to a census.

use arrow::array::RecordBatch;

use super::{Census, Counted};
use crate::hash::HashMap;
use crate::limits::{
    CENSUS_CANDIDATES_MAX, CENSUS_EVERY, CENSUS_KEYS_MAX, CENSUS_VALUE_BYTES_MAX,
    CENSUS_VALUES_MAX, CENSUS_WHOLE_ROWS,
};
use crate::segment::{
    AttributeLists, Damage, Kind, attribute_lists, attributes_from_json, texts_of, value,
};

/// Counts attributes, in memory that is bounded by the limits.
#[derive(Debug, Default)]
pub(crate) struct Count {
    rows: usize,
    keys: HashMap<(String, Kind), Candidates>,
    /// By the JSON of a resource, how many rows have it.
    resources: HashMap<String, u64>,
}

#[derive(Debug, Default)]
struct Candidates {
    rows: u64,
    values: HashMap<String, u64>,
    has_more: bool,
}

impl Count {
    /// Adds the rows of a canonical batch.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), Damage> {
        let get = |name: &str| {
            let column = batch.column_by_name(name);
            column.ok_or_else(|| Damage::new(format!("no column {name}")))
        };
        self.attributes(&attribute_lists(get("attributes")?)?, batch.num_rows());
        let resources = texts_of(get("resource")?, "resource")?;
        let mut rows = vec![0_u64; resources.distinct().len()];
        (0..resources.len()).for_each(|row| rows[resources.code(row)] += 1);
        for (json, rows) in resources.distinct().zip(rows).filter(|(_, rows)| *rows > 0) {
            match self.resources.get_mut(json) {
                Some(known) => *known += rows,
                None => drop(self.resources.insert(json.to_owned(), rows)),
            }
        }
        self.rows += batch.num_rows();
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Census, Damage> {
        for (json, rows) in std::mem::take(&mut self.resources) {
            for (key, attribute) in attributes_from_json(&json)?.iter() {
                let (tag, text) = value::to_text(attribute);
                if let Some(candidates) = self.of_tag(key, tag) {
                    candidates.rows += rows;
                    candidates.value(&text, rows);
                }
            }
        }
        let keys = self.keys.into_iter();
        Ok(Census(
            keys.map(|(key, found)| (key, found.finish())).collect(),
        ))
    }

    fn attributes(&mut self, lists: &AttributeLists<'_>, rows: usize) {
        let distinct: Vec<&str> = lists.keys.distinct().collect();
        // By key and type: how many rows, and the values of those that are looked at.
        let mut found: Vec<[u64; Kind::ALL.len()]> = vec![[0; Kind::ALL.len()]; distinct.len()];
        let mut values: HashMap<(usize, Kind, &str), u64> = HashMap::default();
        // By key the value that was seen last: most of what a trace says is the same in all its spans.
        let mut last: Vec<Option<(Kind, &str, u64)>> = vec![None; distinct.len()];
        for row in 0..rows {
            let at = self.rows + row;
            let weight = match at {
                _ if at < CENSUS_WHOLE_ROWS => 1,
                _ if at.is_multiple_of(CENSUS_EVERY) => CENSUS_EVERY as u64,
                _ => 0,
            };
            for item in lists.range(row) {
                let (code, tag) = (lists.keys.code(item), lists.tag(item));
                if tag == value::NULL {
                    continue;
                }
                let kind = Kind::of_tag(tag).unwrap_or(Kind::String);
                found[code][kind as usize] += 1;
                if weight == 0 {
                    continue;
                }
                let text = lists.item(item).2;
                match &mut last[code] {
                    Some((kind_before, before, seen))
                        if (*kind_before, *before) == (kind, text) =>
                    {
                        *seen += weight;
                    }
                    before => {
                        let before = before.replace((kind, text, weight));
                        if let Some((kind, text, seen)) = before {
                            *values.entry((code, kind, text)).or_default() += seen;
                        }
                    }
                }
            }
        }
        for (code, last) in last.into_iter().enumerate() {
            if let Some((kind, text, seen)) = last {
                *values.entry((code, kind, text)).or_default() += seen;
            }
        }
        for (key, found) in distinct.iter().zip(found) {
            for (kind, rows) in Kind::ALL
                .into_iter()
                .zip(found)
                .filter(|(_, rows)| *rows > 0)
            {
                if let Some(candidates) = self.of_kind(key, kind) {
                    candidates.rows += rows;
                }
            }
        }
        for ((code, kind, text), rows) in values {
            if let Some(candidates) = self.of_kind(distinct[code], kind) {
                candidates.value(text, rows);
            }
        }
    }

    fn of_tag(&mut self, key: &str, tag: u8) -> Option<&mut Candidates> {
        let kind = Kind::of_tag(tag).unwrap_or(Kind::String);
        (tag != value::NULL)
            .then(|| self.of_kind(key, kind))
            .flatten()
    }

    fn of_kind(&mut self, key: &str, kind: Kind) -> Option<&mut Candidates> {
        let has_room = self.keys.len() < CENSUS_KEYS_MAX;
        let key = (key.to_owned(), kind);
        match has_room || self.keys.contains_key(&key) {
            true => Some(self.keys.entry(key).or_default()),
            false => None,
        }
    }
}

impl Candidates {
    fn value(&mut self, text: &str, rows: u64) {
        if text.len() > CENSUS_VALUE_BYTES_MAX {
            self.has_more = true;
            return;
        }
        match self.values.get_mut(text) {
            Some(known) => *known += rows,
            None => drop(self.values.insert(text.to_owned(), rows)),
        }
        if self.values.len() >= CENSUS_CANDIDATES_MAX {
            // Those that were seen least make room; what is frequent is not among them.
            self.cut(CENSUS_CANDIDATES_MAX / 2);
        }
    }

    fn cut(&mut self, left: usize) {
        self.has_more = true;
        let mut counts: Vec<u64> = self.values.values().copied().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let least = counts[left];
        let mut ties = counts[..left]
            .iter()
            .filter(|count| **count == least)
            .count();
        self.values.retain(|_, count| {
            let is_tie = *count == least && ties > 0;
            ties -= usize::from(is_tie);
            *count > least || is_tie
        });
    }

    fn finish(self) -> Counted {
        let mut values: Vec<(String, u64)> = self.values.into_iter().collect();
        values.sort_unstable_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        let has_more = self.has_more || values.len() > CENSUS_VALUES_MAX;
        values.truncate(CENSUS_VALUES_MAX);
        Counted {
            rows: self.rows,
            values,
            has_more,
        }
    }
}

#[cfg(test)]
mod tests {
    use throughline_testkit::builders::span;

    use super::*;
    use crate::testing::span_batch;

    fn census(spans: &[throughline_telemetry::Span]) -> Census {
        let mut count = Count::default();
        for spans in spans.chunks(1000) {
            count.add(&span_batch(spans)).unwrap();
        }
        count.finish().unwrap()
    }

    fn of(census: &Census, key: &str, kind: Kind) -> (u64, String, bool) {
        let counted = &census.0[&(key.to_owned(), kind)];
        let values = counted.values.iter().take(3);
        let values: Vec<String> = values
            .map(|(value, rows)| format!("{value} {rows}"))
            .collect();
        (counted.rows, values.join(", "), counted.has_more)
    }

    #[test]
    fn keys_are_counted_with_their_types_and_values() {
        let spans: Vec<_> = (0..20_u64)
            .map(|n| {
                let span = span("shop")
                    .id(n + 1)
                    .attribute("http.route", if n % 3 == 0 { "/a" } else { "/b" });
                match n % 2 {
                    0 => span.attribute("size", n.cast_signed()).build(),
                    _ => span.attribute("size", "large").build(),
                }
            })
            .collect();
        let census = census(&spans);
        assert_eq!(
            of(&census, "http.route", Kind::String),
            (20, "/b 13, /a 7".into(), false)
        );
        assert_eq!(
            of(&census, "size", Kind::String),
            (10, "large 10".into(), false)
        );
        assert_eq!(of(&census, "size", Kind::Int).0, 10);
        assert_eq!(
            of(&census, "service.name", Kind::String),
            (20, "shop 20".into(), false)
        );
    }

    #[test]
    fn memory_is_bounded_and_what_is_frequent_stays() {
        let spans: Vec<_> = (0..30_000_u64)
            .map(|n| {
                let region = match n % 10 {
                    0 => format!("r-{n}"),
                    _ => "eu-west-1".to_owned(),
                };
                let span = span("shop").id(n + 1).attribute("order", format!("o-{n}"));
                span.attribute("region", region).build()
            })
            .collect();
        let census = census(&spans);
        let (rows, values, has_more) = of(&census, "region", Kind::String);
        assert!(
            rows == 30_000 && has_more && values.starts_with("eu-west-1 "),
            "{values}"
        );
        let about = census.0[&("region".to_owned(), Kind::String)].values[0].1;
        assert!((25_000..29_000).contains(&about), "{about}");
        let orders = &census.0[&("order".to_owned(), Kind::String)];
        assert!(orders.has_more && orders.values.len() == CENSUS_VALUES_MAX);
    }

    #[test]
    fn keys_beyond_the_limit_are_not_counted() {
        let spans: Vec<_> = (0..CENSUS_KEYS_MAX as u64 + 50)
            .map(|n| {
                span("shop")
                    .id(n + 1)
                    .attribute(&format!("id-{n}"), true)
                    .build()
            })
            .collect();
        assert_eq!(census(&spans).0.len(), CENSUS_KEYS_MAX);
    }
}
