//! `cargo xtask dist layer`: the extension as a Lambda layer.
//!
//! A layer is a zip file that Lambda unpacks into `/opt`; what lies in its `extensions/` is started
//! before the function. Amazon Linux 2 has glibc 2.26 and Amazon Linux 2023 has 2.34, so the binary
//! is linked against the older one, whatever the machine has that builds it: zig brings a C compiler
//! and the symbols of every glibc. What comes out is looked at before it is packed.

mod elf;

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::shipped::{self, BINARY, Library, output, target_folder};
use crate::workspace_root;

/// An instruction set, as Lambda calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arch {
    X86_64,
    Arm64,
}

impl Arch {
    /// Reads Lambda's name of it.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Arch::X86_64, Arch::Arm64]
            .into_iter()
            .find(|arch| arch.name() == name)
    }

    /// That of this machine.
    pub(crate) fn of_this_machine() -> Self {
        if cfg!(target_arch = "aarch64") {
            Arch::Arm64
        } else {
            Arch::X86_64
        }
    }

    fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Arm64 => "arm64",
        }
    }

    /// Rust's name of it.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64-unknown-linux-gnu",
            Arch::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// `e_machine` of its ELF files.
    fn machine(self) -> u16 {
        match self {
            Arch::X86_64 => 62,
            Arch::Arm64 => 183,
        }
    }
}

/// Builds the layer and says what it is.
pub(crate) fn layer(arch: Arch) -> anyhow::Result<Vec<String>> {
    let library = Library::find(arch.target())?;
    let binary = build(arch, library)?;
    let bytes = fs::read(&binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let needs = elf::check(&bytes, arch.machine(), GLIBC_MAX)?;
    let folder = target_folder()?.join("layer");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{BINARY}-{}.zip", arch.name()));
    pack(File::create(&path)?, &bytes)?;
    let packed = fs::metadata(&path)?.len();
    let warning = library.warning().map(str::to_owned);
    let lines = [
        format!("{}", path.display()),
        format!(
            "{} bytes of zip, {} of program, needs glibc {}.{}",
            packed,
            bytes.len(),
            needs.0,
            needs.1
        ),
        format!(
            "aws lambda publish-layer-version --layer-name throughline --compatible-architectures {} --zip-file fileb://{}",
            arch.name(),
            path.display()
        ),
    ];
    Ok(warning.into_iter().chain(lines).collect())
}

/// With the oldest glibc that Lambda has.
fn build(arch: Arch, library: Library) -> anyhow::Result<PathBuf> {
    let zigbuild = output(&mut Command::new(workspace_root().join("scripts/zig")))
        .context("cannot install zig and cargo-zigbuild")?;
    let target = arch.target();
    // Says so and does nothing where it is there; where rustup is not there cargo will say what is missing.
    let _ = Command::new("rustup")
        .args(["--quiet", "target", "add", target])
        .current_dir(workspace_root())
        .status();
    let zigbuild = PathBuf::from(zigbuild.trim());
    let (glibc, path) = (
        format!("{target}.{}.{}", GLIBC_MAX.0, GLIBC_MAX.1),
        path_with(&zigbuild)?,
    );
    let status = shipped::command(&zigbuild.to_string_lossy(), "zigbuild", &glibc, library)
        .args(["--bin", BINARY])
        .env("PATH", path)
        .status()
        .with_context(|| format!("cannot run {}", zigbuild.display()))?;
    ensure!(status.success(), "the build for {target} failed");
    Ok(shipped::folder(target)?.join(BINARY))
}

/// The folder of `program` first: zig lies beside it.
#[allow(clippy::disallowed_methods)] // The one variable that a child's `PATH` is made of.
fn path_with(program: &Path) -> anyhow::Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folder = program.parent().map(Path::to_path_buf);
    let folders = folder.into_iter().chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}

/// The same bytes for the same binary, whenever they are packed.
fn pack<W: Write + Seek>(file: W, binary: &[u8]) -> anyhow::Result<W> {
    let mut zip = ZipWriter::new(file);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(zip::DateTime::default())
        // Lambda starts nothing that is not executable.
        .unix_permissions(0o755);
    zip.start_file(format!("extensions/{BINARY}"), options)?;
    zip.write_all(binary)?;
    Ok(zip.finish()?)
}

/// What Amazon Linux 2 has.
const GLIBC_MAX: (u32, u32) = (2, 26);

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    #[test]
    fn what_is_packed_can_be_executed() {
        let packed = pack(Cursor::new(Vec::new()), b"a program").unwrap();
        let again = pack(Cursor::new(Vec::new()), b"a program").unwrap();
        assert_eq!(packed, again, "the same binary makes the same layer");
        let mut zip = zip::ZipArchive::new(packed).unwrap();
        assert_eq!(zip.len(), 1);
        let mut file = zip.by_index(0).unwrap();
        assert_eq!(file.name().unwrap(), "extensions/throughline-extension");
        assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a program");
    }

    #[test]
    fn architectures_have_lambdas_names() {
        assert_eq!(Arch::from_name("arm64"), Some(Arch::Arm64));
        assert_eq!(Arch::from_name("aarch64"), None);
    }
}
