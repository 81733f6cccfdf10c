//! Card numbers, social security numbers and addresses: things that begin with a digit.

use super::{Hit, begins_word, ends_word, run};
use crate::counts::Rule;
use crate::rules::Rules;

pub(super) fn find(bytes: &[u8], at: usize, rules: &Rules) -> Option<Hit> {
    // Inside a longer number, an identifier or a fraction nothing begins.
    if !begins_word(bytes, at) || (at > 0 && bytes[at - 1] == b'.') {
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
    let mut digits = [0_u8; DIGITS_MAX];
    let (mut count, mut end, mut next) = (0, at, at);
    while let Some(byte) = bytes.get(next) {
        if byte.is_ascii_digit() {
            *digits.get_mut(count)? = byte - b'0';
            count += 1;
            end = next + 1;
        } else if !(b" -".contains(byte) && next == end) {
            break;
        }
        next += 1;
    }
    let digits = &digits[..count];
    if !ends_word(bytes, end) || !is_issued(digits) || !passes_luhn(digits) {
        return None;
    }
    let last: String = digits[count - 4..]
        .iter()
        .map(|digit| char::from(b'0' + digit))
        .collect();
    Some(Hit::new(at, end, format!("[card:…{last}]"), Rule::Card))
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
