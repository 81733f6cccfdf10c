//! Card numbers, social security numbers and addresses: things that begin with a digit.

use super::{Hit, ends_word, run};
use crate::counts::Rule;
use crate::rules::Rules;

pub(super) fn find(bytes: &[u8], at: usize, rules: &Rules) -> Option<Hit> {
    // In a fraction nothing begins.
    if at > 0 && bytes[at - 1] == b'.' {
        return None;
    }
    card(bytes, at)
        .or_else(|| rules.ssn.then(|| ssn(bytes, at)).flatten())
        .or_else(|| rules.ipv4.then(|| ipv4(bytes, at)).flatten())
}

/// 13 to 19 digits, in groups or not, of a known issuer and with the right check digit.
fn card(bytes: &[u8], at: usize) -> Option<Hit> {
    // A group of a UUID or of a date is not the beginning.
    if at > 1 && bytes[at - 1] == b'-' && bytes[at - 2].is_ascii_alphanumeric() {
        return None;
    }
    let mut found = None;
    let mut digits = [0_u8; DIGITS_MAX];
    let mut groups = Groups::default();
    let (mut count, mut next) = (0, at);
    loop {
        let begin = count;
        while let Some(byte) = bytes.get(next).filter(|byte| byte.is_ascii_digit()) {
            match digits.get_mut(count) {
                Some(digit) => *digit = byte - b'0',
                None => return found,
            }
            count += 1;
            next += 1;
        }
        groups.add(count - begin);
        let gap = separator(&bytes[next..]);
        let goes_on = gap > 0 && bytes.get(next + gap).is_some_and(u8::is_ascii_digit);
        let known = &digits[..count];
        // A second number, or the month and year of the card, may follow behind a space.
        let is_shaped = groups.are_of_card() || (!goes_on && groups.are_plain);
        if is_shaped && ends_word(bytes, next) && is_issued(known) && passes_luhn(known) {
            let last = known[count - 4..].iter();
            let last: String = last.map(|digit| char::from(b'0' + digit)).collect();
            found = Some(Hit::new(at, next, format!("[card:…{last}]"), Rule::Card));
        }
        if !goes_on {
            return found;
        }
        groups.are_plain &= b" -".contains(&bytes[next]);
        next += gap;
    }
}

/// How the digits of a number stand together.
struct Groups {
    lengths: [usize; GROUPS_MAX],
    count: usize,
    /// Only spaces and dashes stand between them.
    are_plain: bool,
}

impl Default for Groups {
    fn default() -> Self {
        Groups {
            lengths: [0; GROUPS_MAX],
            count: 0,
            are_plain: true,
        }
    }
}

impl Groups {
    fn add(&mut self, length: usize) {
        if let Some(place) = self.lengths.get_mut(self.count) {
            *place = length;
        }
        self.count += 1;
    }

    /// As cards show them.
    fn are_of_card(&self) -> bool {
        matches!(
            self.lengths.get(..self.count),
            Some([_] | [4, 4, 4, 4] | [4, 6, 5] | [4, 4, 4, 1] | [4, 4, 4, 4, 3])
        )
    }
}

/// How many bytes the one character takes that may stand between groups: a space, also one that does not break or is
/// narrow, or what else people write there.
fn separator(bytes: &[u8]) -> usize {
    match bytes {
        [b' ' | b'-' | b'.' | b'_' | b'/' | b'\t', ..] => 1,
        [0xc2, 0xa0, ..] => 2,
        [0xe2, 0x80, 0x80..=0x95 | 0xaf, ..] => 3,
        _ => 0,
    }
}

/// By the issuer identification numbers of ISO/IEC 7812 that matter, each with its lengths.
fn is_issued(digits: &[u8]) -> bool {
    if digits.len() < 13 {
        return false;
    }
    let prefix = |digits_of: usize| {
        digits[..digits_of]
            .iter()
            .fold(0_u32, |number, digit| number * 10 + u32::from(*digit))
    };
    match digits.len() {
        13 | 19 if digits[0] == 4 => true,
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            digits[0] == 4
                || matches!(prefix(2), 51..=55 | 65 | 35)
                || matches!(prefix(4), 2221..=2720 | 6011)
        }
        _ => false,
    }
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn ssn(bytes: &[u8], at: usize) -> Option<Hit> {
    let text = bytes.get(at..at + 11)?;
    let shaped = text.iter().enumerate().all(|(place, byte)| match place {
        3 | 6 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let never = text.starts_with(b"000") || text.starts_with(b"666") || text[0] == b'9';
    (shaped && !never && ends_word(bytes, at + 11))
        .then(|| Hit::new(at, at + 11, "[ssn]", Rule::Ssn))
}

/// The last part goes: the network is often what one wants to know.
fn ipv4(bytes: &[u8], at: usize) -> Option<Hit> {
    let mut next = at;
    let mut last = at;
    for part in 0..4 {
        if part > 0 {
            (bytes.get(next) == Some(&b'.')).then_some(())?;
            next += 1;
        }
        let digits = run(bytes, next, 4, |byte| byte.is_ascii_digit());
        let number: u32 = std::str::from_utf8(&bytes[next..next + digits])
            .ok()?
            .parse()
            .ok()?;
        if number > 255 || digits > 3 {
            return None;
        }
        last = next;
        next += digits;
    }
    let goes_on = bytes.get(next) == Some(&b'.')
        && bytes
            .get(next + 1)
            .is_some_and(|byte| byte.is_ascii_digit());
    (ends_word(bytes, next) && !goes_on).then(|| Hit::new(last, next, "0", Rule::Ipv4))
}

const DIGITS_MAX: usize = 19;
const GROUPS_MAX: usize = 5;
