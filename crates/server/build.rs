//! Puts the built page where `include_dir!` finds it.
//!
//! The page is built by its own tools (`make ui`). Without it the server still builds, with one
//! page that says how to get the real one, so that work on the server needs no Node.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../../ui/dist");
    let page = PathBuf::from(variable("OUT_DIR")?).join("page");
    // A path that does not exist counts as changed, so the first `make ui` is noticed.
    println!("cargo::rerun-if-changed={}", dist.display());

    if page.exists() {
        fs::remove_dir_all(&page)?;
    }
    fs::create_dir_all(&page)?;
    if dist.join("index.html").exists() {
        copy(&dist, &page)
    } else {
        fs::write(page.join("index.html"), NOT_BUILT)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Cargo's own variables, which only a build script reads.
#[allow(clippy::disallowed_methods)] // not configuration: this is how Cargo speaks to build scripts
fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|bad| io::Error::other(format!("{name}: {bad}")))
}

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Throughline</title>
<p>This server was built without its page: run <code>make ui</code>, then build it again. The API is at <a href=\"/api/v1/openapi.json\">/api/v1</a>.</p>
</html>
";
