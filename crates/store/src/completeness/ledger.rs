//! What an environment says of everything that it has taken in.

use std::collections::BTreeMap;

use serde_json::Value;

/// An environment's account of its items (spans, log records, metrics) at one moment.
///
/// `accepted` is the sum of all other counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Grows with each account; the largest is the truth.
    pub revision: u64,
    /// The last batch number given out.
    pub sealed: u64,
    /// Items taken in.
    pub accepted: u64,
    /// Items that a server has acknowledged.
    pub delivered: u64,
    /// Items in memory, in flight or not.
    pub waiting: u64,
    /// Items in the environment's `/tmp`.
    pub spilled: u64,
    /// Items written to standard output.
    pub printed: u64,
    /// Items given up, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// The newest batches that were given up, by number.
    pub gone: Vec<Gone>,
    /// Nothing comes after this from the environment.
    pub last: bool,
}

/// Batches that were given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// Why.
    pub reason: String,
    /// Items in them.
    pub items: u64,
}

/// Text that is no ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLedger {
    /// Above 4,096 bytes.
    #[error("the ledger is longer than {LEDGER_BYTES_MAX} bytes")]
    TooLong,
    /// Not a JSON object.
    #[error("the ledger is not a JSON object")]
    NotJson,
    /// Without the number that says which of two is newer.
    #[error("the ledger has no revision")]
    NoRevision,
}

impl Ledger {
    /// Reads what a sender wrote. Only what is needed to place it must be there: what else is
    /// absent or is no number counts as zero, and what is unknown is left out.
    pub fn parse(text: &str) -> Result<Self, BadLedger> {
        if text.len() > LEDGER_BYTES_MAX {
            return Err(BadLedger::TooLong);
        }
        Self::read(text)
    }

    fn read(text: &str) -> Result<Self, BadLedger> {
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Err(BadLedger::NotJson);
        };
        let number = |name: &str| members.get(name).and_then(number);
        let count = |name: &str| members.get(name).and_then(count).unwrap_or(0);
        let dropped = members.get("dropped").and_then(Value::as_object);
        let gone = members.get("gone").and_then(Value::as_array);
        let mut ledger = Ledger {
            revision: number("revision").ok_or(BadLedger::NoRevision)?,
            sealed: number("sealed").unwrap_or(0),
            accepted: count("accepted"),
            delivered: count("delivered"),
            waiting: count("waiting"),
            spilled: count("spilled"),
            printed: count("printed"),
            dropped: dropped.into_iter().flatten().filter_map(reason).collect(),
            gone: gone.into_iter().flatten().filter_map(Gone::of).collect(),
            last: members.get("final") == Some(&Value::Bool(true)),
        };
        ledger.gone.sort_by_key(|gone| gone.first);
        // Two accounts of one batch cannot both be true; the first is kept.
        ledger.gone.dedup_by(|next, kept| next.first <= kept.last);
        Ok(ledger)
    }

    /// Reads what [`Ledger::to_json`] wrote, which may be a little longer than what it was read from.
    pub(crate) fn parse_stored(text: &str) -> Option<Self> {
        Self::read(text).ok()
    }

    /// The same as text that [`Ledger::parse`] reads.
    pub fn to_json(&self) -> String {
        let gone = self
            .gone
            .iter()
            .map(|gone| serde_json::json!([gone.first, gone.last, gone.reason, gone.items]));
        serde_json::json!({
            "v": 1,
            "revision": self.revision,
            "sealed": self.sealed,
            "accepted": self.accepted,
            "delivered": self.delivered,
            "waiting": self.waiting,
            "spilled": self.spilled,
            "printed": self.printed,
            "dropped": self.dropped,
            "gone": gone.collect::<Vec<_>>(),
            "final": self.last,
        })
        .to_string()
    }

    /// All items given up.
    pub(crate) fn dropped_items(&self) -> u64 {
        self.dropped
            .values()
            .fold(0, |sum, n| sum.saturating_add(*n))
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let dropped = self.dropped.keys().map(|reason| ENTRY_BYTES + reason.len());
        let gone = self
            .gone
            .iter()
            .map(|gone| size_of_val(gone) + gone.reason.len());
        size_of_val(self) + dropped.sum::<usize>() + gone.sum::<usize>()
    }
}

impl Gone {
    fn of(value: &Value) -> Option<Self> {
        let [first, last, reason, items] = value.as_array()?.as_slice() else {
            return None;
        };
        let (first, last) = (number(first)?, number(last)?);
        let reason = reason.as_str().filter(|reason| is_reason(reason))?;
        (1..=last).contains(&first).then(|| Gone {
            first,
            last,
            reason: reason.to_owned(),
            items: count(items).unwrap_or(0),
        })
    }
}

fn reason((reason, items): (&String, &Value)) -> Option<(String, u64)> {
    let items = count(items).filter(|items| *items > 0)?;
    is_reason(reason).then(|| (reason.clone(), items))
}

fn is_reason(text: &str) -> bool {
    (1..=REASON_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A count of items of which the catalog can add up those of millions of environments.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().filter(|count| *count <= COUNT_MAX)
}

/// A number that the catalog's signed integers hold.
fn number(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .filter(|number| *number <= crate::origin::SEQUENCE_MAX)
}

/// Agreed with the extension, which keeps within what proxies let through in a header.
const LEDGER_BYTES_MAX: usize = 4096;

/// A thousand billion items: a thousand a second for thirty years.
const COUNT_MAX: u64 = 1 << 40;

/// The name of a reason.
const REASON_BYTES_MAX: usize = 64;

/// What a map keeps beside each key.
const ENTRY_BYTES: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    const AGREED: &str = r#"{"v":1,"revision":12,"sealed":17,"accepted":5210,"delivered":5100,"waiting":60,"spilled":20,"printed":0,"dropped":{"buffer_full":24,"rejected":6},"gone":[[9,11,"buffer_full",24]],"final":false}"#;

    #[test]
    fn the_agreed_form_is_read_and_written() {
        let ledger = Ledger::parse(AGREED).unwrap();
        assert_eq!(
            (ledger.revision, ledger.sealed, ledger.accepted),
            (12, 17, 5210)
        );
        assert_eq!(ledger.dropped_items(), 30);
        let gone = Gone {
            first: 9,
            last: 11,
            reason: "buffer_full".into(),
            items: 24,
        };
        assert_eq!(ledger.gone, [gone]);
        assert!(!ledger.last);
        assert_eq!(Ledger::parse(&ledger.to_json()), Ok(ledger));
    }

    #[test]
    fn what_is_odd_costs_no_more_than_itself() {
        let parse = |text: &str| Ledger::parse(text).unwrap();
        assert_eq!(
            parse(r#"{"revision":1}"#),
            Ledger {
                revision: 1,
                ..Ledger::default()
            }
        );
        let odd = parse(
            r#"{"v":9,"revision":2,"new":{},"waiting":-1,"spilled":"3","accepted":1e3,"final":1,
                "dropped":{"a":1,"b":"x","":2,"with space":3,"zero":0},
                "gone":[[5,6,"b",2],[6,7,"a",1],[0,1,"a",1],[4,3,"a",1],[1,2,"a",null],7,[1],[8,9,8,9]]}"#,
        );
        assert_eq!(
            (odd.waiting, odd.spilled, odd.accepted, odd.last),
            (0, 0, 0, false)
        );
        assert_eq!(
            odd.dropped.into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), 1)]
        );
        let gone: Vec<_> = odd
            .gone
            .iter()
            .map(|gone| (gone.first, gone.last, gone.items))
            .collect();
        assert_eq!(gone, [(1, 2, 0), (5, 6, 2)]);
    }

    #[test]
    fn every_file_of_the_corpora_is_read_or_refused() {
        let corpora = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
        let mut ledgers = 0;
        for folder in std::fs::read_dir(corpora).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                println!("{}", path.display()); // before what panics
                let data = std::fs::read(&path).unwrap();
                crate::completeness::check::ledger(&data);
                ledgers += usize::from(
                    String::from_utf8(data).is_ok_and(|text| Ledger::parse(&text).is_ok()),
                );
            }
        }
        assert!(ledgers >= 7, "{ledgers}");
    }

    #[test]
    fn what_is_no_ledger() {
        let parse = |text: &str| Ledger::parse(text).unwrap_err();
        for text in ["", "{", "[]", "7", "\"x\"", "{\"revision\":1}x"] {
            assert_eq!(parse(text), BadLedger::NotJson, "{text}");
        }
        for text in [
            "{}",
            r#"{"revision":-1}"#,
            r#"{"revision":18446744073709551615}"#,
        ] {
            assert_eq!(parse(text), BadLedger::NoRevision, "{text}");
        }
        assert_eq!(parse(&" ".repeat(5000)), BadLedger::TooLong);
        assert_eq!(parse(&"[".repeat(4096)), BadLedger::NotJson);
    }
}
