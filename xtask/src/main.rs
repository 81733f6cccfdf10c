//! The project's own checks and builds: `cargo xtask tidy`, `budget`, `dist`.

mod budget;
mod dist;
mod shipped;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use dist::Arch;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy::run().context("tidy could not look"),
        ["budget"] => budget(None),
        ["budget", "--binary", path] => budget(Some(path)),
        ["dist", "layer"] => layer(Arch::of_this_machine()),
        ["dist", "layer", "--arch", arch] => match Arch::from_name(arch) {
            Some(arch) => layer(arch),
            None => Err(anyhow::anyhow!("{arch} is neither x86_64 nor arm64")),
        },
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let task = &arguments[0];
    match run {
        Ok(findings) if findings.is_empty() => {
            println!("{task}: all in order");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            findings
                .iter()
                .for_each(|finding| eprintln!("{task}: {finding}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn budget(built: Option<&str>) -> anyhow::Result<Vec<String>> {
    let budget = budget::run(built).context("budget could not weigh")?;
    budget.shown.iter().for_each(|line| println!("{line}"));
    Ok(budget.findings)
}

fn layer(arch: Arch) -> anyhow::Result<Vec<String>> {
    let lines = dist::layer(arch).context("dist could not make the layer")?;
    lines.iter().for_each(|line| println!("{line}"));
    Ok(Vec::new())
}

pub(crate) fn workspace_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
        .to_path_buf()
}

const USAGE: &str = "\
usage: cargo xtask tidy
       cargo xtask budget [--binary PATH]
       cargo xtask dist layer [--arch x86_64|arm64]
";
