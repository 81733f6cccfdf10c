//! What must hold for whatever a sender says of itself. The store's tests compile this, too.

use super::{Ledger, Ranges, account};

/// A ledger that is read is written as it was read, and the verdict on it adds up.
pub fn ledger(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(ledger) = Ledger::parse(text) else {
        return;
    };
    assert_eq!(
        Ledger::parse_stored(&ledger.to_json()).as_ref(),
        Some(&ledger)
    );
    let mut stored = Ranges::default();
    let nothing = account(&stored, 0, Some(&ledger));
    assert!(nothing.accepted >= ledger.accepted);
    // Every other batch came, and the first of those that are said to be gone all the same.
    for number in (1..=ledger.sealed.min(64)).step_by(2) {
        stored.add(number, number, 1);
    }
    let gone = ledger.gone.first().map(|gone| gone.first);
    if let Some(number) = gone.filter(|number| !stored.holds(*number)) {
        stored.add(number, number, 1);
    }
    let some = account(&stored, stored.items(), Some(&ledger));
    assert!(some.accepted >= some.received);
    let mut next = 1;
    let numbers = some.missing.iter().filter_map(|missing| missing.numbers);
    for (first, last) in numbers {
        assert!(next <= first && first <= last, "missing batches overlap");
        next = last + 1;
    }
}
