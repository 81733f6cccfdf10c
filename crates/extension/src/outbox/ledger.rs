//! The books of one environment: whatever was accepted is in one of five places, and one only.
//!
//! `accepted = delivered + waiting + spilled + printed + dropped`, at any time, in items. The account
//! is told to the server with every batch, and written to `/tmp` so that it survives a kill.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value as Json;

/// The account of one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its id.
    pub environment: Arc<str>,
    /// Its function.
    pub function: Arc<str>,
    /// Of the last ledger that was made.
    pub revision: u64,
    /// The last number that was given to a batch.
    pub sealed: u64,
    /// Items that were taken in.
    pub taken: u64,
    /// Items that the server has.
    pub delivered: u64,
    /// Items that were written to stdout.
    pub printed: u64,
    /// Items that were taken in and are gone, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// The newest batches that are gone whole, at most [`GONE_MAX`]; oldest first.
    pub gone: Vec<Gone>,
}

/// Batches that are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// Why.
    pub reason: String,
    /// How many items were in them.
    pub items: u64,
}

/// What an environment still has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Items in memory.
    pub waiting: u64,
    /// Items in `/tmp`.
    pub spilled: u64,
}

impl Account {
    /// One of an environment that has taken nothing yet.
    pub fn new(environment: &str, function: &str) -> Self {
        Account {
            environment: environment.into(),
            function: ascii(function).into(),
            revision: 0,
            sealed: 0,
            taken: 0,
            delivered: 0,
            printed: 0,
            dropped: BTreeMap::new(),
            gone: Vec::new(),
        }
    }

    /// The invariant: nothing that was taken is nowhere, and nothing is in two places.
    pub fn is_balanced(&self, held: Held) -> bool {
        let dropped: u64 = self.dropped.values().sum();
        self.taken == self.delivered + held.waiting + held.spilled + self.printed + dropped
    }

    /// Makes it hold again by what was taken, and says what is missing then.
    pub(super) fn balance(&mut self, held: Held) -> u64 {
        let dropped: u64 = self.dropped.values().sum();
        let known = self.delivered + held.waiting + held.spilled + self.printed + dropped;
        self.taken = self.taken.max(known);
        self.taken - known
    }

    /// Some of what was taken is gone.
    pub(super) fn drop_items(&mut self, reason: &str, items: u64) {
        if items > 0 {
            *self.dropped.entry(reason.to_owned()).or_default() += items;
        }
    }

    /// A whole batch is gone.
    pub(super) fn drop_batch(&mut self, reason: &str, sequence: u64, items: u64) {
        self.drop_items(reason, items);
        let range = self.gone.iter_mut().find(|gone| {
            gone.reason == reason && (gone.last + 1 == sequence || gone.first == sequence + 1)
        });
        match range {
            Some(range) => {
                range.first = range.first.min(sequence);
                range.last = range.last.max(sequence);
                range.items += items;
            }
            None => self.gone.push(Gone {
                first: sequence,
                last: sequence,
                reason: reason.to_owned(),
                items,
            }),
        }
        if self.gone.len() > GONE_MAX {
            self.gone.remove(0);
        }
    }

    /// The next ledger, as the server reads it. `missed` was lost before it could be taken in, by
    /// reason: it counts as accepted and dropped.
    pub(super) fn ledger(&mut self, held: Held, missed: &[(&str, u64)], is_final: bool) -> String {
        self.revision += 1;
        self.text(held, missed, is_final)
    }

    /// The account as text, without a new revision.
    pub(super) fn text(&self, held: Held, missed: &[(&str, u64)], is_final: bool) -> String {
        let mut dropped = self.dropped.clone();
        for (reason, items) in missed {
            *dropped.entry((*reason).to_owned()).or_default() += items;
        }
        let missed: u64 = missed.iter().map(|(_, items)| items).sum();
        let mut text = format!(
            r#"{{"v":1,"revision":{},"sealed":{},"accepted":{},"delivered":{},"waiting":{},"spilled":{},"printed":{},"dropped":{{"#,
            self.revision,
            self.sealed,
            self.taken + missed,
            self.delivered,
            held.waiting,
            held.spilled,
            self.printed,
        );
        // Writing to a String cannot fail.
        for (at, (reason, items)) in dropped.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(text, r#"{comma}"{reason}":{items}"#);
        }
        text.push_str(r#"},"gone":["#);
        let end = format!(r#"],"final":{is_final}}}"#);
        let mut ranges = Vec::new();
        let mut bytes = text.len() + end.len();
        for gone in self.gone.iter().rev() {
            let range = format!(
                r#"[{},{},"{}",{}]"#,
                gone.first, gone.last, gone.reason, gone.items
            );
            bytes += range.len() + 1;
            if bytes > LEDGER_BYTES_MAX {
                break;
            }
            ranges.push(range);
        }
        ranges.reverse();
        text + &ranges.join(",") + &end
    }

    /// Reads what [`Account::text`] wrote.
    pub(super) fn read(environment: &str, function: &str, ledger: &Json) -> Option<Self> {
        let number = |name: &str| count(&ledger[name]);
        let mut account = Account {
            revision: number("revision")?,
            sealed: number("sealed")?,
            taken: number("accepted")?,
            delivered: number("delivered")?,
            printed: number("printed")?,
            ..Account::new(environment, function)
        };
        for (reason, items) in ledger["dropped"].as_object()?.iter().take(REASONS_MAX) {
            if is_reason(reason) {
                account.dropped.insert(reason.clone(), count(items)?);
            }
        }
        for gone in ledger["gone"].as_array()?.iter().take(GONE_MAX) {
            let reason = gone[2].as_str().filter(|reason| is_reason(reason))?;
            account.gone.push(Gone {
                first: count(&gone[0])?,
                last: count(&gone[1])?,
                reason: reason.to_owned(),
                items: count(&gone[3])?,
            });
        }
        Some(account)
    }
}

/// A number as an environment can reach it. `/tmp` is the function's as well: what else stands there
/// must not overflow a sum.
pub(super) fn count(number: &Json) -> Option<u64> {
    number.as_u64().filter(|number| *number <= COUNT_MAX)
}

fn is_reason(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=32).contains(&text.len()) && text.bytes().all(is_part)
}

/// A header takes no more.
fn ascii(name: &str) -> String {
    let letter = |letter: char| {
        if letter.is_ascii_graphic() {
            letter
        } else {
            '?'
        }
    };
    name.chars().map(letter).take(NAME_CHARS_MAX).collect()
}

/// What a ledger takes in a header.
pub const LEDGER_BYTES_MAX: usize = 4096;
/// Older ones stay only in the sums.
pub const GONE_MAX: usize = 32;
/// Thousands of these still fit into a `u64`.
const COUNT_MAX: u64 = 1 << 48;
const REASONS_MAX: usize = 32;
/// Twice what Lambda allows.
const NAME_CHARS_MAX: usize = 280;

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn account() -> Account {
        let mut account = Account::new("e-1", "check out");
        account.taken = 100;
        account.sealed = 17;
        account.delivered = 60;
        account.drop_batch("buffer_full", 9, 10);
        account.drop_batch("buffer_full", 11, 4);
        account.drop_batch("buffer_full", 10, 6);
        account.drop_items("rejected", 2);
        account
    }

    #[test]
    fn the_ledger_as_the_server_reads_it() {
        let mut account = account();
        let held = Held {
            waiting: 10,
            spilled: 8,
        };
        assert!(account.is_balanced(held));
        let text = account.ledger(held, &[("too_large", 3), ("rejected", 1)], false);
        expect![[r#"{"v":1,"revision":1,"sealed":17,"accepted":104,"delivered":60,"waiting":10,"spilled":8,"printed":0,"dropped":{"buffer_full":20,"rejected":3,"too_large":3},"gone":[[9,10,"buffer_full",16],[11,11,"buffer_full",4]],"final":false}"#]]
        .assert_eq(&text);
        assert_eq!(&*account.function, "check?out");
    }

    #[test]
    fn it_is_read_back() {
        let account = account();
        let text = account.text(Held::default(), &[], true);
        let json = serde_json::from_str(&text).expect("JSON");
        assert_eq!(Account::read("e-1", "check out", &json), Some(account));
        for bad in ["{}", "[]", r#"{"revision":-1}"#] {
            let json = serde_json::from_str(bad).expect("JSON");
            assert_eq!(Account::read("e-1", "f", &json), None, "{bad}");
        }
    }

    #[test]
    fn it_never_grows_past_a_header() {
        let mut account = Account::new("e-1", "f");
        for sequence in 0..100 {
            let reason = format!("a_reason_with_a_long_name_{}", sequence % 30);
            account.drop_batch(&reason, u64::MAX / 2 - sequence * 2, u64::MAX / 200);
        }
        let text = account.text(Held::default(), &[], false);
        assert!(text.len() <= LEDGER_BYTES_MAX, "{}", text.len());
        assert!(serde_json::from_str::<Json>(&text).is_ok());
        assert!(text.is_ascii());
    }
}
