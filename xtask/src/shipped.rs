//! How the extension is built that is shipped, and so the one that is weighed.
//!
//! Rust's own library comes compiled for speed and with what prints a stack. Compiled again from its
//! source, with the profile of the extension and without that, and with the places of panics in other
//! people's code left out, the program is a ninth smaller. Both need switches that a stable cargo keeps
//! for itself, hence `RUSTC_BOOTSTRAP`; the toolchain is pinned, so they are what they are. The build has
//! a target of its own and therefore a folder of its own, and nothing else is compiled again for it.
//!
//! The source is a component of the toolchain, asked for here and not in `rust-toolchain.toml`: where it
//! cannot be had, that would stop every other command too.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::workspace_root;

/// Rust's own library in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    /// Compiled with the program.
    Small,
    /// As it comes with the toolchain, because its source cannot be had.
    Ready,
}

impl Library {
    /// Gets the source of the library, and of what it depends on, unless it is there.
    pub(crate) fn find(target: &str) -> anyhow::Result<Self> {
        let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
        let manifest = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.toml");
        if !manifest.is_file() {
            // Where rustup is not there the file is not there afterwards.
            let _ = Command::new("rustup")
                .args(["--quiet", "component", "add", "rust-src"])
                .current_dir(workspace_root())
                .status();
        }
        let fetched = manifest.is_file()
            && Command::new(env!("CARGO"))
                .args(["fetch", "--locked", "--quiet", "--target", target])
                .arg("--manifest-path")
                .arg(&manifest)
                .env("RUSTC_BOOTSTRAP", "1")
                .status()
                .is_ok_and(|status| status.success());
        Ok(match fetched {
            true => Library::Small,
            false => Library::Ready,
        })
    }

    /// What whoever builds should know.
    pub(crate) fn warning(self) -> Option<&'static str> {
        match self {
            Library::Small => None,
            Library::Ready => Some(
                "cannot get the source of Rust's own library (`rustup component add rust-src`, and its dependencies from the registry); built with the one that the toolchain has, which makes it larger",
            ),
        }
    }

    fn switches(self) -> &'static [&'static str] {
        match self {
            Library::Small => SWITCHES,
            Library::Ready => &[],
        }
    }
}

/// `program`, told to build parts of the extension for a target.
pub(crate) fn command(program: &str, subcommand: &str, target: &str, library: Library) -> Command {
    let mut command = Command::new(program);
    command
        .args([subcommand, "--locked", "--quiet", "--profile", PROFILE])
        .args(["--package", BINARY, "--features", FEATURES])
        .args(["--target", target])
        .args(library.switches())
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(workspace_root());
    command
}

/// The folder of what was built for a target.
pub(crate) fn folder(target: &str) -> anyhow::Result<PathBuf> {
    Ok(target_folder()?.join(target).join(PROFILE))
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder() -> anyhow::Result<PathBuf> {
    let metadata = output(Command::new(env!("CARGO")).args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--no-deps",
    ]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let folder = metadata["target_directory"].as_str();
    folder.map(PathBuf::from).context("no target directory")
}

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .current_dir(workspace_root())
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed");
    Ok(String::from_utf8(output.stdout)?)
}

pub(crate) const BINARY: &str = "throughline-extension";
const PROFILE: &str = "extension";
/// See the extension's `Cargo.toml`.
const FEATURES: &str = "small";
const SWITCHES: &[&str] = &[
    "-Zbuild-std=std,panic_unwind",
    // Without `backtrace`, which reads debug information that is not there. The other one chooses the
    // shorter of two algorithms; it is worth 37 KB.
    "-Zbuild-std-features=optimize_for_size",
    "-Zprofile-rustflags",
    // A panic of ours says where it was. Of a dependency's it is known that there was one.
    "--config",
    r#"profile.extension.package."*".rustflags = ["-Zlocation-detail=none", "-Zfmt-debug=shallow"]"#,
    "--config",
    r#"profile.extension.package.throughline-telemetry.rustflags = ["-Zlocation-detail=none", "-Zfmt-debug=shallow"]"#,
    "--config",
    r#"profile.extension.package.throughline-scrub.rustflags = ["-Zlocation-detail=none", "-Zfmt-debug=shallow"]"#,
];
