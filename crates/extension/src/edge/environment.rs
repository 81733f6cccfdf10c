//! The machine around us: variables, the clock, a fresh id, stderr.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use throughline_extension::config::{ConfigFile, Source};
use throughline_extension::flavour::Flavour;
use throughline_telemetry::UnixNanos;

/// The environment variables of this process.
#[derive(Debug)]
pub(crate) struct Environment;

impl Source for Environment {
    #[allow(clippy::disallowed_methods)] // The one place where the environment is read.
    fn value(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// `host:port` of the platform. Read before all configuration, because registering needs no more.
pub(crate) fn runtime_api() -> Option<String> {
    let address = Environment.value("AWS_LAMBDA_RUNTIME_API");
    address.filter(|address| !address.trim().is_empty())
}

/// The configuration file: the one that is named, else the function's, else a layer's.
pub(crate) fn config_file() -> ConfigFile {
    let named = Environment.value("THROUGHLINE_CONFIG");
    if let Some(path) = named.filter(|path| !path.trim().is_empty()) {
        return match read_config(path.trim()) {
            Ok(Some(file)) => file,
            Ok(None) => ConfigFile::broken(&path, "it has no table [extension]"),
            Err(error) => ConfigFile::broken(&path, &error.to_string()),
        };
    }
    // Extensions are not told where the function's code is, but that is their working directory too.
    let found = CONFIG_FILES.iter().find_map(|path| read_config(path).ok()?);
    found.unwrap_or_default()
}

fn read_config(path: &str) -> std::io::Result<Option<ConfigFile>> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(CONFIG_BYTES_MAX).read_to_string(&mut text)?;
    Ok(ConfigFile::parse(path, &text))
}

/// How the platform runs the environment.
pub(crate) fn flavour() -> Flavour {
    Flavour::of(Environment.value(INITIALIZATION).as_deref())
}

/// Whether the environment is made from a snapshot that is taken once everybody waits.
pub(super) fn is_snapshot() -> bool {
    Environment.value(INITIALIZATION).as_deref() == Some("snap-start")
}

/// The wall clock, because deadlines are told in it and because it goes on while we are frozen.
#[allow(clippy::disallowed_methods)] // The one place where the clock is read.
pub(super) fn now() -> UnixNanos {
    std::time::SystemTime::now().into()
}

/// A line on stderr. Where that is closed there is nobody to tell.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "throughline-extension: {text}");
}

/// An id for this environment: a UUID from the kernel, else one from the clock and the process id.
pub(super) fn new_id() -> String {
    let from_kernel = std::fs::read_to_string("/proc/sys/kernel/random/uuid");
    let from_kernel = from_kernel.map(|text| text.trim().to_owned());
    from_kernel
        .ok()
        .filter(|text| text.len() == 36)
        .unwrap_or_else(|| {
            let (time, process) = (now().0, std::process::id());
            format!(
                "00000000-0000-4000-8{:03x}-{:012x}",
                process % 0x1000,
                time % (1 << 48)
            )
        })
}

/// Where files may be written: `/tmp`, unless whoever runs us has given us a folder of our own.
pub(super) fn tmp() -> PathBuf {
    let named = Environment.value("TMPDIR").map(PathBuf::from);
    named
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| "/tmp".into())
}

/// The name under which Lambda knows us: that of our own file.
pub(crate) fn own_name() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&path).file_name();
    name.map_or("throughline-extension".to_owned(), |name| {
        name.to_string_lossy().into_owned()
    })
}

/// The address behind [`SANDBOX`], where the platform sends telemetry: looked up in the hosts file
/// and not by a resolver, which could ask the network. Loopback where nobody knows the name.
pub(super) fn sandbox_address() -> IpAddr {
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    find_host(&hosts, SANDBOX).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

fn find_host(hosts: &str, name: &str) -> Option<IpAddr> {
    hosts.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word == name).then_some(address)
    })
}

/// The function's own file wins over that of a layer.
const INITIALIZATION: &str = "AWS_LAMBDA_INITIALIZATION_TYPE";
const CONFIG_FILES: &[&str] = &["/var/task/throughline.toml", "/opt/throughline.toml"];
/// What comes after it is not read; a table needs a hundredth of it.
const CONFIG_BYTES_MAX: u64 = 256 << 10;
/// The host name that Lambda gives to an environment.
pub(super) const SANDBOX: &str = "sandbox.localdomain";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_files() {
        let hosts = "# sandbox.localdomain 1.2.3.4\n127.0.0.1 localhost\n\n169.254.100.1\tsandbox sandbox.localdomain # it\nbad line\n";
        assert_eq!(find_host(hosts, SANDBOX), "169.254.100.1".parse().ok());
        assert_eq!(find_host("127.0.0.1 localhost", SANDBOX), None);
    }

    #[test]
    fn ids_differ() {
        assert_ne!(new_id(), new_id());
        assert_eq!(new_id().len(), 36);
    }
}
