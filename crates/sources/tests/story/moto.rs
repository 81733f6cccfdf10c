//! One server that speaks AWS for all tests of this program.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The server's URL, or `None` with a printed reason where it is not installed.
pub(crate) fn moto() -> Option<&'static str> {
    static SERVER: OnceLock<Option<(String, Child)>> = OnceLock::new();
    let server = SERVER.get_or_init(start).as_ref();
    if server.is_none() {
        eprintln!("skipped: moto's server is not installed; scripts/moto installs it");
    }
    server.map(|(url, _)| url.as_str())
}

fn start() -> Option<(String, Child)> {
    let python = installed()?;
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/moto_server.py");
    // The shell ends the server when this program is gone, however it went: its end of the pipe closes.
    let watch = r#"exec 3<&0
        "$@" 2>&1 3<&- & server=$!
        { cat <&3; kill $server; } >/dev/null 2>&1 &
        wait $server"#;
    let mut shell = Command::new("/bin/sh")
        .args(["-c", watch, "sh"])
        .args([&python, &server])
        .args(["-H", "127.0.0.1", "-p", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(shell.stdout.take().unwrap());
    let mut lines = output.lines().map_while(Result::ok);
    let url = lines.find_map(|line| {
        Some(format!(
            "http://{}",
            line.split_once("Running on http://")?.1
        ))
    });
    let url = url.expect("moto's server does not start");
    // The server must not block on a pipe that nobody reads; what it says of errors helps.
    std::thread::spawn(move || {
        for line in lines.filter(|line| !line.contains("\" 200 -")) {
            eprintln!("moto: {line}");
        }
    });
    Some((url, shell))
}

/// The interpreter that has it, where `scripts/moto` puts it.
fn installed() -> Option<PathBuf> {
    let script = include_str!("../../../../scripts/moto");
    let mut lines = script.lines();
    let version = lines.find_map(|line| line.strip_prefix("version="))?;
    let home = tools()?.join(format!("moto-{version}/bin"));
    home.join("moto_server")
        .is_file()
        .then(|| home.join("python"))
}

/// The cache that the scripts install into.
#[allow(clippy::disallowed_methods)] // the edge where tests learn what is installed
pub(crate) fn tools() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("throughline/tools"))
}
