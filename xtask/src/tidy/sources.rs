//! What every file must look like: its size, its words, and links that lead somewhere.

use std::path::{Path, PathBuf};

/// Past this a file has a second noun in it.
const LINES_MAX: usize = 600;

/// Larger on purpose, with the reason.
const LARGER_ON_PURPOSE: &[(&str, &str)] = &[];

/// Marks of unfinished or silenced work. Written in pieces, so that this file does not hold them.
const UNFINISHED: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[", "ignore"),
    concat!("test", ".only("),
    concat!("describe", ".only("),
    concat!("FIX", "ME"),
];

/// Paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/wo", "rk/"),
];

const CODE: &[&str] = &["rs", "ts", "svelte", "py", "mjs", "js", "css"];

pub(super) fn check(root: &Path, files: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in files {
        let Ok(text) = std::fs::read_to_string(root.join(file)) else {
            continue; // binary
        };
        let shown = file.display().to_string();
        if file.file_name().is_some_and(|name| name == "mod.rs") {
            findings.push(format!(
                "{shown}: a module's file lies beside its folder, not in it"
            ));
        }
        findings.extend(too_long(&shown, &text));
        findings.extend(bad_words(&shown, &text));
        if shown.ends_with(".md") {
            findings.extend(dead_links(root, file, &text));
        }
    }
    Ok(findings)
}

fn too_long(shown: &str, text: &str) -> Option<String> {
    let code = CODE
        .iter()
        .any(|ending| shown.ends_with(&format!(".{ending}")));
    let lines = text.lines().count();
    let allowed = LARGER_ON_PURPOSE.iter().any(|(name, _)| *name == shown);
    let generated = shown.ends_with(".d.ts");
    (code && lines > LINES_MAX && !allowed && !generated)
        .then(|| format!("{shown}: {lines} lines; look for the second noun in it"))
}

fn bad_words(shown: &str, text: &str) -> Vec<String> {
    let lock = shown.ends_with("Cargo.lock") || shown.ends_with("package-lock.json");
    // A test may show a stack trace from somebody's machine.
    let paths = if shown.ends_with(".test.ts") {
        &[]
    } else {
        MACHINE_PATHS
    };
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let found = UNFINISHED.iter().chain(paths);
        for word in found.filter(|word| line.contains(**word)) {
            findings.push(format!("{shown}:{}: holds {word:?}", index + 1));
        }
        if lock && line.contains("\"resolved\": \"http") {
            findings.push(format!("{shown}:{}: names a registry's host", index + 1));
            break;
        }
    }
    findings
}

/// Relative links of a page that lead to no file.
fn dead_links(root: &Path, file: &Path, text: &str) -> Vec<String> {
    let folder = root
        .join(file)
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default();
    let mut findings = Vec::new();
    for target in text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        let path = target.split('#').next().unwrap_or_default();
        let outside = target.contains("://") || target.starts_with('#') || path.is_empty();
        if !outside && !folder.join(path).exists() {
            findings.push(format!("{}: link leads nowhere: {target}", file.display()));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_order_is_found() {
        assert!(too_long("a.rs", &"x\n".repeat(601)).is_some());
        assert!(too_long("a.json", &"x\n".repeat(601)).is_none());
        let bad = bad_words("a.rs", concat!("fine\nlet x = todo", "!();\n"));
        assert_eq!(bad.len(), 1, "{bad:?}");
        let links = dead_links(
            Path::new("."),
            Path::new("a.md"),
            "[x](nowhere.md) [y](https://z)",
        );
        assert_eq!(links.len(), 1, "{links:?}");
    }
}
