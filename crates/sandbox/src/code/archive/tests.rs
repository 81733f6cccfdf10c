use std::io::Write;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

enum Entry {
    File(&'static str, &'static str, u32),
    Link(&'static str, &'static str),
}
use Entry::{File as F, Link as L};

/// Unpacks a zip file of these entries; the error in words, or the folder.
fn unpacked(entries: &[Entry]) -> Result<tempfile::TempDir, String> {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("layer.zip");
    let mut zip = ZipWriter::new(File::create(&file).unwrap());
    for entry in entries {
        match entry {
            F(name, text, mode) => {
                zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode))
                    .unwrap();
                zip.write_all(text.as_bytes()).unwrap();
            }
            L(name, target) => {
                zip.add_symlink(*name, *target, SimpleFileOptions::default())
                    .unwrap();
            }
        }
    }
    zip.finish().unwrap();
    fs::write(root.path().join("secret"), "untouched").unwrap();
    let folder = root.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let done = unpack(&file, &folder);
    assert_eq!(
        fs::read_to_string(root.path().join("secret")).unwrap(),
        "untouched"
    );
    done.map(|()| root).map_err(|error| error.to_string())
}

#[test]
fn what_leads_out_is_refused_and_writes_nothing_outside() {
    let cases: [&[Entry]; 7] = [
        &[F("../secret", "taken", 0o644)],
        &[F("a/../../secret", "taken", 0o644)],
        &[F("/secret", "taken", 0o644)],
        &[L("a", "../secret")],
        &[L("a", "/etc/passwd")],
        &[L("a/b", "../..")],
        // Each of the two stays inside by its own words.
        &[
            F("x/y/z", "", 0o644),
            L("x/up", "y/.."),
            L("x/out", "up/../.."),
        ],
    ];
    for (index, entries) in cases.iter().enumerate() {
        let message = unpacked(entries)
            .err()
            .unwrap_or_else(|| panic!("case {index} was unpacked"));
        assert!(message.contains("leads out"), "case {index}: {message}");
    }
}

#[test]
fn file_under_the_name_of_a_link_does_not_go_through_it() {
    // The link comes last whatever the order in the file is, and finds that name taken.
    let done = unpacked(&[L("a", ".."), F("a/secret", "taken", 0o644)]);
    assert!(done.is_err(), "{done:?}");
}

#[test]
fn modes_and_links_are_kept() {
    let root = unpacked(&[
        F("bin/tool", "two", 0o755),
        F("plain", "", 0o644),
        L("bin/same", "tool"),
        L("bin/absolute", "/opt/bin/tool"),
        L("dangling", "nothing"),
    ])
    .unwrap();
    let folder = root.path().join("folder");
    for name in ["bin/tool", "bin/same", "bin/absolute"] {
        assert_eq!(
            fs::read_to_string(folder.join(name)).unwrap(),
            "two",
            "{name}"
        );
        let mode = fs::metadata(folder.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o755, "{name}");
    }
    let mode = fs::metadata(folder.join("plain"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o111, 0);
    assert!(
        fs::symlink_metadata(folder.join("dangling"))
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn more_than_fits_is_refused_while_it_is_written() {
    let mut room = Room {
        bytes: 10,
        entries: 1,
    };
    let mut file = tempfile::tempfile().unwrap();
    room.copy(&b"0123456789"[..], &mut file).unwrap();
    assert!(matches!(
        room.copy(&b"0"[..], &mut file),
        Err(Error::TooLarge)
    ));
    room.entry().unwrap();
    assert!(matches!(room.entry(), Err(Error::TooMany)));
}

#[test]
fn what_is_no_zip_file_says_so() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "text").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let message = unpack(file.path(), folder.path()).unwrap_err().to_string();
    assert!(
        message.starts_with("not a zip file that can be read"),
        "{message}"
    );
}
