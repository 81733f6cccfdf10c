//! Whatever happens to a sound file, reading it ends with an application or with problems.

use super::*;

/// Each round spoils one file in a few places: a byte, a line, a piece of another file.
#[test]
fn a_spoilt_file_is_read_or_refused() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut taken = 0;
    for round in 0..ROUNDS {
        let mut text = FILES[random.usize(..FILES.len())].as_bytes().to_vec();
        for _ in 0..random.usize(1..=4) {
            spoil(&mut text, &mut random);
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let result = std::panic::catch_unwind(|| {
            let toml = Application::parse(&text, Path::new(FOLDER)).is_ok();
            let template = read(&text, &Overrides::default());
            if let Err(problems) = &template {
                assert!(!problems.is_empty());
            }
            toml || template.is_ok()
        });
        match result {
            Ok(true) => taken += 1,
            Ok(false) => {}
            Err(_) => panic!("seed {seed}, round {round}: reading panicked at this file:\n{text}"),
        }
    }
    // Were all refused, the rounds would have shown nothing but the parser.
    assert!(taken > ROUNDS / 100, "seed {seed}: only {taken} were taken");
}

fn spoil(text: &mut Vec<u8>, random: &mut fastrand::Rng) {
    if text.is_empty() {
        return;
    }
    let at = random.usize(..text.len());
    let line_start = text[..at]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line_end = text[at..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(text.len(), |newline| at + newline + 1);
    match random.u8(..8) {
        0 => text[at] = random.u8(..),
        1 => _ = text.remove(at),
        2 => text.insert(at, b" \n-:[]{}&*!#'\"|>,?%@\t"[random.usize(..21)]),
        3 => _ = text.drain(line_start..line_end),
        4 => {
            let line = text[line_start..line_end].to_vec();
            let to = random.usize(..=text.len());
            text.splice(to..to, line);
        }
        5 => {
            let other = FILES[random.usize(..FILES.len())].as_bytes();
            let from = random.usize(..other.len());
            let to = (from + random.usize(..80)).min(other.len());
            text.splice(at..at, other[from..to].iter().copied());
        }
        6 => {
            let word = WORDS[random.usize(..WORDS.len())];
            text.splice(at..at, word.bytes());
        }
        _ => text.truncate(at),
    }
}

const ROUNDS: usize = 3_000;
const FILES: &[&str] = &[SHOP, FANOUT, CLICKS, UPLOADS, SETTINGS, ORDERS, OWN_FILE];
const OWN_FILE: &str = include_str!("../../tests/whole.toml");
const WORDS: &[&str] = &[
    "!Ref ",
    "!GetAtt ",
    "!Sub ",
    "!If [",
    "!Select [",
    "Fn::Join: ",
    "${",
    "AWS::NoValue",
    "null",
    "-1",
    "99999999999999999999",
    "&a ",
    "*a",
    "<<: ",
    "\u{feff}",
    "ü",
    "---\n",
];
