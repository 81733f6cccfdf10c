//! One event as it travels, and how one that is too large is cut.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::time::UnixNanos;

/// `{"time":…,"type":…,"record":VALUE}`, or a piece of it after a cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    text: Bytes,
    /// Where the value begins; all before it is the envelope.
    value_at: usize,
}

impl Event {
    pub(crate) fn new(time: UnixNanos, kind: &str, record: &Value) -> Self {
        let envelope = format!(r#"{{"time":"{time}","type":{},"record":"#, json!(kind));
        Self::join(&envelope, &record.to_string())
    }

    fn join(envelope: &str, value: &str) -> Self {
        Self {
            text: Bytes::from(format!("{envelope}{value}}}")),
            value_at: envelope.len(),
        }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Cuts an event of more than `bytes_max` inside its value. Both pieces have the envelope and the closing brace,
    /// so neither is JSON: whoever wants the record takes the brace from the first and the envelope from the second.
    pub(crate) fn cut(&self, bytes_max: usize) -> Option<(Self, Self)> {
        let text = std::str::from_utf8(&self.text).ok()?;
        let (envelope, value) = text.split_at_checked(self.value_at)?;
        let value = value.strip_suffix('}')?;
        let room = bytes_max.checked_sub(envelope.len() + 1)?;
        let at = value.floor_char_boundary(room);
        if at == 0 || at == value.len() {
            return None;
        }
        let (head, tail) = value.split_at(at);
        Some((Self::join(envelope, head), Self::join(envelope, tail)))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn cut_repeats_the_envelope_and_loses_nothing() {
        let event = Event::new(
            UnixNanos::from_millis(0),
            "function",
            &json!({"message": "äöüäöü \"x\""}),
        );
        let envelope = event.value_at;
        let mut pieces = Vec::new();
        let mut rest = event.clone();
        while let Some((head, tail)) = rest.cut(envelope + 12) {
            pieces.push(head);
            rest = tail;
        }
        pieces.push(rest);
        let texts: Vec<_> = pieces
            .iter()
            .map(|piece| std::str::from_utf8(piece.text()).unwrap())
            .collect();
        expect![[r#"
            {"time":"1970-01-01T00:00:00.000Z","type":"function","record":{"message":}
            {"time":"1970-01-01T00:00:00.000Z","type":"function","record":"äöüäö}
            {"time":"1970-01-01T00:00:00.000Z","type":"function","record":ü \"x\""}}"#]]
        .assert_eq(&texts.join("\n"));
        assert!(pieces.iter().all(|piece| piece.len() <= envelope + 12));
        let values: String = texts
            .iter()
            .map(|text| &text[envelope..text.len() - 1])
            .collect();
        assert_eq!(
            format!("{}{values}}}", &texts[0][..envelope]).as_bytes(),
            event.text()
        );
    }

    #[test]
    fn what_fits_or_has_no_room_for_a_value_stays_whole() {
        let event = Event::new(UnixNanos::from_millis(0), "function", &json!("line"));
        for bytes_max in [0, event.value_at, event.len(), usize::MAX] {
            assert_eq!(event.cut(bytes_max), None, "{bytes_max}");
        }
    }
}
