use expect_test::{Expect, expect};
use throughline_telemetry::{Signal, UnixNanos};

use super::*;
use crate::origin::{EnvironmentId, Origin};

const GENERATION: u64 = 7;

fn header(before: Option<u64>) -> WalHeader {
    let generation = GENERATION;
    WalHeader { generation, before }
}

/// A file with these bodies, and where each frame ends.
fn file(bodies: &[&str]) -> (Vec<u8>, Vec<usize>) {
    let mut file = header(None).to_bytes();
    let mut frames = WalSerializer::new(GENERATION);
    let mut ends = Vec::new();
    for (signal, body) in Signal::ALL.into_iter().cycle().zip(bodies) {
        frames.push(signal, UnixNanos(5), body.as_bytes(), None);
        ends.push(file.len() + frames.bytes().len());
    }
    file.extend(frames.bytes());
    (file, ends)
}

fn bodies(file: &[u8]) -> Vec<String> {
    let pieces = WalReader::new(file, GENERATION);
    let bodies = pieces.filter_map(|piece| match piece {
        Piece::Frame { body, .. } => Some(String::from_utf8(body.to_vec()).unwrap()),
        Piece::Damaged(_) => None,
    });
    bodies.collect()
}

/// What is read of the file of "one", "two" and "three" after a change to it.
fn check(change: impl FnOnce(&mut Vec<u8>), expect: Expect) {
    let (mut file, _) = file(&["one", "two", "three"]);
    change(&mut file);
    let pieces = WalReader::new(&file, GENERATION).map(|piece| match piece {
        Piece::Frame { signal, body, .. } => {
            format!("{signal} {}", String::from_utf8_lossy(body))
        }
        Piece::Damaged(range) => format!("{} bytes damaged", range.len()),
    });
    expect.assert_eq(&pieces.collect::<Vec<_>>().join(", "));
}

#[test]
fn a_file_looks_like_its_grammar() {
    let (file, ends) = file(&["hi"]);
    let hex: Vec<String> = file.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines = [&hex[..20], &hex[20..44], &hex[44..]].map(|line| line.join(" "));
    assert_eq!(ends, [46]);
    expect![[r#"
        01 54 4c 57 41 4c 00 00 07 00 00 00 00 00 00 00 13 4e f3 d0
        01 01 54 4c 02 00 00 00 05 00 00 00 00 00 00 00 c2 d9 9d f5 d9 3a 2e 81
        68 69"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn a_header_says_where_the_file_before_ends() {
    let hex = |header: WalHeader| -> String {
        let bytes = header.to_bytes().into_iter();
        bytes
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    expect!["02 54 4c 57 41 4c 00 00 07 00 00 00 00 00 00 00 45 23 01 00 00 00 00 00 "]
        .assert_eq(&hex(header(Some(0x12345)))[..72]);
    for before in [None, Some(0), Some(20), Some(u64::MAX)] {
        let mut file = header(before).to_bytes();
        assert!(file.len() <= HEADER_BYTES_MAX);
        assert_eq!(WalHeader::read(&file, GENERATION), Some(header(before)));
        assert_eq!(WalHeader::read(&file, GENERATION + 1), None);
        for cut in 0..file.len() {
            assert_eq!(WalHeader::read(&file[..cut], GENERATION), None, "{cut}");
        }
        for bit in 0..8 * file.len() {
            file[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(WalHeader::read(&file, GENERATION), None, "bit {bit}");
            file[bit / 8] ^= 1 << (bit % 8);
        }
        let mut frames = WalSerializer::new(GENERATION);
        frames.push(Signal::Logs, UnixNanos(5), b"hi", None);
        file.extend(frames.bytes());
        assert_eq!(bodies(&file), ["hi"]);
    }
}

#[test]
fn whole_files_are_read_whole() {
    check(|_| {}, expect!["traces one, logs two, metrics three"]);
    check(|file| file.truncate(20), expect![""]);
    check(|file| file.clear(), expect![""]);
}

#[test]
fn damage_costs_no_more_than_the_frames_it_hits() {
    let body_of_two = 20 + 24 + 3 + 24;
    let head_of_two = 20 + 24 + 3;
    check(
        |file| file[body_of_two] ^= 1,
        expect!["traces one, 27 bytes damaged, metrics three"],
    );
    check(
        |file| file[head_of_two + 4] ^= 1,
        expect!["traces one, 27 bytes damaged, metrics three"],
    );
    check(
        |file| file[3] ^= 1,
        expect!["20 bytes damaged, traces one, logs two, metrics three"],
    );
    check(
        |file| drop(file.splice(head_of_two..head_of_two, *b"garbage")),
        expect!["traces one, 7 bytes damaged, logs two, metrics three"],
    );
    check(
        |file| file.extend([0; 100]),
        expect!["traces one, logs two, metrics three, 100 bytes damaged"],
    );
}

#[test]
fn a_frame_of_another_generation_is_not_taken_for_one_of_this() {
    let mut other = WalSerializer::new(GENERATION - 1);
    other.push(Signal::Logs, UnixNanos(1), b"old", None);
    check(
        |file| file.extend(other.bytes()),
        expect!["traces one, logs two, metrics three, 27 bytes damaged"],
    );
}

#[test]
fn a_cut_at_any_byte_keeps_all_frames_before_it() {
    let written = [
        "one",
        "",
        "three",
        "a body that is a little longer than the others",
    ];
    let (file, ends) = file(&written);
    for cut in 0..=file.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(bodies(&file[..cut]), written[..whole], "cut at {cut}");
    }
}

#[test]
fn a_flipped_bit_anywhere_costs_at_most_one_frame() {
    let written = ["one", "two", "three"];
    let (file, _) = file(&written);
    for bit in 0..8 * file.len() {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let read = bodies(&flipped);
        assert!(read.len() >= 2, "bit {bit}: only {read:?}");
        assert!(
            read.iter().all(|body| written.contains(&body.as_str())),
            "bit {bit}: {read:?}"
        );
    }
}

#[test]
fn a_tagged_frame_says_who_sent_its_body() {
    let ledger = r#"{"revision":3,"sealed":9,"accepted":7,"dropped":{"x":2},"final":true}"#;
    let full = crate::testing::with_ledger("0192d4e0-7f1a-7c3b-9a55-0f6f2f0f9b11", 9, ledger);
    let bare = Origin::new(EnvironmentId::try_new("e").unwrap());
    let mut file = header(None).to_bytes();
    let mut frames = WalSerializer::new(GENERATION);
    let sent = [
        (Some(&full), "one"),
        (None, "two"),
        (Some(&bare), ""),
        (Some(&bare), "four"),
    ];
    for (origin, body) in sent {
        frames.push(Signal::Logs, UnixNanos(5), body.as_bytes(), origin);
    }
    file.extend(frames.bytes());
    let read = |file: &[u8]| -> Vec<(Option<Origin>, String)> {
        let pieces = WalReader::new(file, GENERATION).filter_map(|piece| match piece {
            Piece::Frame { origin, body, .. } => Some((
                origin.map(|origin| *origin),
                String::from_utf8(body.to_vec()).unwrap(),
            )),
            Piece::Damaged(_) => None,
        });
        pieces.collect()
    };
    let expected = sent.map(|(origin, body)| (origin.cloned(), body.to_owned()));
    assert_eq!(read(&file), expected);
    // A bit that flips in a tag costs its frame: a batch may not be taken for another.
    for bit in 0..8 * file.len() {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let read = read(&flipped);
        assert!(read.len() >= 3, "bit {bit}");
        assert!(
            read.iter().all(|frame| expected.contains(frame)),
            "bit {bit}"
        );
    }
}

#[test]
fn a_tag_looks_like_its_grammar() {
    let mut frames = WalSerializer::new(GENERATION);
    let origin = crate::testing::origin("env", 2);
    frames.push(Signal::Traces, UnixNanos(5), b"hi", Some(&origin));
    let hex: Vec<String> = frames.bytes()[24..]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(frames.bytes()[0], 2);
    expect!["15 00 02 00 00 00 00 00 00 00 03 65 6e 76 08 63 68 65 63 6b 6f 75 74 68 69"]
        .assert_eq(&hex.join(" "));
}
