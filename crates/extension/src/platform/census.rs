//! How many events are in a POST that is not kept.

/// Counts the objects on the top level of an array that goes by in pieces, strings respected.
#[derive(Clone, Copy, Debug, Default)]
pub struct Census {
    depth: u32,
    in_string: bool,
    escaped: bool,
    events: u64,
}

impl Census {
    /// The next piece.
    pub fn count(&mut self, piece: &[u8]) {
        for byte in piece {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => {
                    self.events += u64::from(self.depth == 1 && *byte == b'{');
                    self.depth = self.depth.saturating_add(1);
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// How many there were. A POST is one at least, whatever it was.
    pub fn events(self) -> u64 {
        self.events.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_in_whatever_pieces_they_come() {
        let log = r#"{"time":"2026-10-10T12:00:00Z","type":"function","record":"[{\"a\":\\\"{"}"#;
        let json = r#"{"type":"function","record":{"message":"}","more":[{},{"b":[{}]}]}}"#;
        for (body, expected) in [
            (String::new(), 1),
            ("[]".to_owned(), 1),
            ("no JSON".to_owned(), 1),
            (format!("[{log}]"), 1),
            (format!("[{log}, {json} ,{log}]"), 3),
            // The end is missing.
            (format!("[{json},{json},{{\"record\":\"lon"), 3),
        ] {
            for size in 1..=body.len().max(1) {
                let mut census = Census::default();
                body.as_bytes()
                    .chunks(size)
                    .for_each(|piece| census.count(piece));
                assert_eq!(census.events(), expected, "{size} {body}");
            }
        }
    }
}
