//! What lies in `/tmp`: batches that the server could not take yet, and the account of each life.
//!
//! A batch is a file of its own, `ENVIRONMENT-SEQUENCE.SIGNAL`:
//!
//! ```text
//! "TLB1" head_bytes:u32 head body checksum:u64        integers little endian
//! head = JSON {"environment","function","home","sequence","signal","worth","items","packed","bytes"}
//! ```
//!
//! An account is `ENVIRONMENT.ledger`, one line that is overwritten in place:
//!
//! ```text
//! checksum, 16 hex digits, space, JSON {"environment","function","home","ledger","open"}, newline
//! ```
//!
//! `home` stands for the function and the server that this is meant for: where several functions
//! share a `/tmp`, none takes what is another's. `open` are the batches that were not settled,
//! `[sequence, items]`. The checksum is FNV-1a over everything before it, or after it in an account.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use throughline_telemetry::Signal;

use super::ledger::{Account, Held, count};
use super::{Batch, Worth};

/// What a life writes of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its books.
    pub account: Account,
    /// What is not settled: numbers and items.
    pub open: Vec<(u64, u64)>,
}

/// A batch in `/tmp`, without its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The batch; its body is empty.
    pub batch: Batch,
    /// How many bytes its body has.
    pub bytes: usize,
}

/// The name of a batch's file.
pub fn file_name(batch: &Batch) -> String {
    let Batch {
        environment,
        sequence,
        signal,
        ..
    } = batch;
    format!("{environment}-{sequence}.{signal}")
}

/// The name of an account's file.
pub fn record_name(environment: &str) -> String {
    format!("{environment}.ledger")
}

/// A whole file.
pub fn encode(batch: &Batch, home: u64) -> Vec<u8> {
    let head = json!({
        "environment": &*batch.environment,
        "function": &*batch.function,
        "home": format!("{home:016x}"),
        "sequence": batch.sequence,
        "signal": batch.signal.name(),
        "worth": batch.worth as u8,
        "items": batch.items,
        "packed": batch.packed,
        "bytes": batch.body.len(),
    });
    let head = head.to_string();
    let mut file = Vec::with_capacity(MAGIC.len() + 12 + head.len() + batch.body.len());
    file.extend_from_slice(MAGIC);
    // A head is far below 4 GiB: its texts are bounded by their origins.
    let head_bytes = u32::try_from(head.len()).unwrap_or(u32::MAX);
    file.extend_from_slice(&head_bytes.to_le_bytes());
    file.extend_from_slice(head.as_bytes());
    file.extend_from_slice(&batch.body);
    let checksum = crate::ids::hash_bytes(&file);
    file.extend_from_slice(&checksum.to_le_bytes());
    file
}

/// The head of a file, from its first bytes and its size; `None` if it is torn or another's.
pub fn decode_head(beginning: &[u8], file_bytes: u64, home: u64) -> Option<Stored> {
    let (stored, body_at) = head(beginning, home)?;
    let whole = body_at + stored.bytes + CHECKSUM_BYTES;
    (u64::try_from(whole) == Ok(file_bytes)).then_some(stored)
}

/// The body of a file; `None` if the file is not what was written.
pub fn decode_body(file: &Bytes, home: u64) -> Option<Bytes> {
    let checked = file.len().checked_sub(CHECKSUM_BYTES)?;
    let checksum = u64::from_le_bytes(file[checked..].try_into().ok()?);
    if crate::ids::hash_bytes(&file[..checked]) != checksum {
        return None;
    }
    let (stored, body_at) = head(file, home)?;
    (body_at + stored.bytes == checked).then(|| file.slice(body_at..checked))
}

fn head(file: &[u8], home: u64) -> Option<(Stored, usize)> {
    let rest = file.strip_prefix(MAGIC)?;
    let (head_bytes, rest) = rest.split_first_chunk()?;
    let head_bytes = usize::try_from(u32::from_le_bytes(*head_bytes)).ok()?;
    let head: Json = serde_json::from_slice(rest.get(..head_bytes)?).ok()?;
    if head["home"].as_str()? != format!("{home:016x}") {
        return None;
    }
    let signal = head["signal"].as_str()?;
    let batch = Batch {
        environment: head["environment"].as_str()?.into(),
        function: head["function"].as_str()?.into(),
        sequence: count(&head["sequence"]).filter(|sequence| *sequence > 0)?,
        signal: Signal::ALL
            .into_iter()
            .find(|known| known.name() == signal)?,
        worth: *Worth::ALL.get(usize::try_from(head["worth"].as_u64()?).ok()?)?,
        items: count(&head["items"])?,
        body: Bytes::new(),
        packed: head["packed"].as_bool()?,
    };
    let bytes = usize::try_from(count(&head["bytes"])?).ok()?;
    Some((Stored { batch, bytes }, MAGIC.len() + 4 + head_bytes))
}

/// The line of an account.
pub(super) fn encode_record(
    account: &Account,
    held: Held,
    missed: &[(&str, u64)],
    open: &[(u64, u64)],
    home: u64,
) -> String {
    let ledger = account.text(held, missed, false);
    let open = open
        .iter()
        .map(|(sequence, items)| format!("[{sequence},{items}]"));
    let open: Vec<String> = open.collect();
    let (environment, function) = (
        Json::from(&*account.environment),
        Json::from(&*account.function),
    );
    let text = format!(
        r#"{{"environment":{environment},"function":{function},"home":"{home:016x}","ledger":{ledger},"open":[{}]}}"#,
        open.join(",")
    );
    format!("{:016x} {text}\n", crate::ids::hash_bytes(text.as_bytes()))
}

/// Reads an account; `None` if it is torn or another's. Behind the line may stand what is left of a
/// longer one.
pub fn decode_record(file: &[u8], home: u64) -> Option<Record> {
    let line = file.split(|byte| *byte == b'\n').next()?;
    let (checksum, text) = line.split_at_checked(17)?;
    let checksum = std::str::from_utf8(checksum.strip_suffix(b" ")?).ok()?;
    if u64::from_str_radix(checksum, 16).ok()? != crate::ids::hash_bytes(text) {
        return None;
    }
    let json: Json = serde_json::from_slice(text).ok()?;
    if json["home"].as_str()? != format!("{home:016x}") {
        return None;
    }
    let (environment, function) = (json["environment"].as_str()?, json["function"].as_str()?);
    let account = Account::read(environment, function, &json["ledger"])?;
    let open = json["open"].as_array()?.iter();
    let open = open.filter_map(|pair| Some((count(&pair[0])?, count(&pair[1])?)));
    let open = open.take(OPEN_MAX).collect();
    Some(Record { account, open })
}

/// What an account names of the batches that are not settled; others are only in the sums.
pub(super) const OPEN_MAX: usize = 64;
/// So much of a file has its head in it.
pub const HEAD_BYTES_MAX: usize = 2048;
/// An account's file is shorter: a ledger, names, and [`OPEN_MAX`] pairs.
pub const RECORD_BYTES_MAX: usize = 16 << 10;

const MAGIC: &[u8] = b"TLB1";
const CHECKSUM_BYTES: usize = 8;

/// Whether two names are of the same life.
pub(super) fn is_same(left: &Arc<str>, right: &Arc<str>) -> bool {
    Arc::ptr_eq(left, right) || left == right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        Batch {
            environment: "e-1".into(),
            function: "checkout".into(),
            sequence: 17,
            signal: Signal::Logs,
            worth: Worth::Failure,
            items: 3,
            body: Bytes::from_static(b"a body"),
            packed: true,
        }
    }

    #[test]
    fn a_batch_comes_back_as_it_was() {
        let file = Bytes::from(encode(&batch(), 7));
        let stored = decode_head(&file, file.len() as u64, 7).unwrap();
        let without_body = Batch {
            body: Bytes::new(),
            ..batch()
        };
        assert_eq!((stored.batch, stored.bytes), (without_body, 6));
        assert_eq!(decode_body(&file, 7).unwrap(), "a body");
        assert_eq!(file_name(&batch()), "e-1-17.logs");
        assert_eq!(decode_head(&file, file.len() as u64, 8), None, "another's");
    }

    #[test]
    fn a_torn_file_is_known_as_one() {
        let whole = encode(&batch(), 7);
        for end in 0..whole.len() {
            let torn = Bytes::copy_from_slice(&whole[..end]);
            assert_eq!(decode_head(&torn, end as u64, 7), None, "cut at {end}");
            assert_eq!(decode_body(&torn, 7), None, "cut at {end}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert_eq!(decode_body(&flipped.into(), 7), None, "flipped at {at}");
        }
    }

    #[test]
    fn an_account_comes_back_with_rubbish_behind_it() {
        let mut account = Account::new("e-1", "checkout");
        account.taken = 5;
        account.sealed = 2;
        let held = Held {
            waiting: 5,
            spilled: 0,
        };
        let mut text = encode_record(&account, held, &[], &[(2, 5)], 7);
        text.push_str("left of a longer line");
        let record = decode_record(text.as_bytes(), 7).unwrap();
        assert_eq!((record.account, record.open), (account, vec![(2, 5)]));
        for at in 0..text.find('\n').unwrap() {
            let mut torn = text.clone().into_bytes();
            torn[at] ^= 1;
            assert_eq!(decode_record(&torn, 7), None, "flipped at {at}");
        }
    }
}
