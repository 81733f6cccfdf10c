//! Whether a program runs where Lambda will run it.

use anyhow::{Context, ensure};

/// The newest glibc that the program needs, which must not be newer than `max`.
///
/// The versions of the symbols that it takes from glibc stand in it as texts such as `GLIBC_2.17`.
/// All such texts are read, wherever they stand: at worst that refuses a program that would run.
pub(super) fn check(program: &[u8], machine: u16, max: (u32, u32)) -> anyhow::Result<(u32, u32)> {
    ensure!(
        program.starts_with(b"\x7fELF\x02\x01"),
        "it is no program of 64 bits"
    );
    let found = program.get(18..20).context("it ends in its head")?;
    let found = u16::from_le_bytes([found[0], found[1]]);
    ensure!(
        found == machine,
        "it is for machine {found} and not {machine}"
    );
    let needed = versions(program).max().unwrap_or_default();
    ensure!(
        needed <= max,
        "it needs glibc {}.{}, and Amazon Linux 2 has {}.{}",
        needed.0,
        needed.1,
        max.0,
        max.1
    );
    Ok(needed)
}

fn versions(program: &[u8]) -> impl Iterator<Item = (u32, u32)> + '_ {
    let mark = b"GLIBC_";
    let places = program
        .windows(mark.len())
        .enumerate()
        .filter(move |(_, window)| window == mark);
    places.filter_map(move |(at, _)| {
        let text = &program[at + mark.len()..];
        let end = text
            .iter()
            .position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
        let text = std::str::from_utf8(&text[..end]).ok()?;
        let mut parts = text.split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??))
    })
}

#[cfg(test)]
mod tests {
    fn program(symbols: &str) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(18, 0);
        bytes.extend([62, 0]);
        bytes.extend(symbols.bytes());
        bytes
    }

    fn check(program: &[u8]) -> Result<(u32, u32), String> {
        super::check(program, 62, (2, 26)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_newest_version_counts() {
        let old = program("\0GLIBC_2.2.5\0GLIBC_2.17\0GLIBC_PRIVATE\0");
        assert_eq!(check(&old), Ok((2, 17)));
        assert_eq!(check(&program("linked with nothing\0")), Ok((0, 0)));
        let new = program("\0GLIBC_2.34\0GLIBC_2.4\0");
        let why = "it needs glibc 2.34, and Amazon Linux 2 has 2.26";
        assert_eq!(check(&new), Err(why.to_owned()));
    }

    #[test]
    fn programs_of_other_machines_are_refused() {
        let mut arm = program("\0");
        arm[18] = 183;
        let why = "it is for machine 183 and not 62";
        assert_eq!(check(&arm), Err(why.to_owned()));
        assert!(check(b"#!/bin/sh").is_err());
        assert!(check(b"\x7fELF\x02\x01").is_err());
    }

    #[test]
    fn this_very_test_is_a_program() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let machine = u16::from_le_bytes([own[18], own[19]]);
        assert!(super::check(&own, machine, (9, 9)).unwrap() > (2, 0));
    }
}
