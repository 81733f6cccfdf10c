//! What the environment says to the SDK: the same variables as for the layers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Read once when the function starts.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where the extension listens.
    pub(crate) extension: SocketAddr,
    pub(crate) function: String,
    /// The name that spans are filed under.
    pub(crate) service: String,
    pub(crate) takes_payloads: bool,
    /// Whether the bodies of calls are looked at.
    #[cfg(feature = "bodies")]
    pub(crate) takes_bodies: bool,
    pub(crate) secret_keys: Vec<String>,
    pub(crate) allowed_keys: Vec<String>,
    off: Vec<String>,
    /// On Managed Instances several invocations run at once.
    pub(crate) is_many: bool,
}

impl Settings {
    /// Nothing if the SDK is switched off.
    pub(crate) fn from_env() -> Option<Self> {
        // The process edge: everything behind it takes `Settings`.
        #[allow(clippy::disallowed_methods)]
        Self::from_source(|name| std::env::var(name).unwrap_or_default())
    }

    pub(crate) fn from_source(read: impl Fn(&str) -> String) -> Option<Self> {
        let word = |name: &str| read(name).trim().to_lowercase();
        if word("THROUGHLINE_LAYER") == "off" {
            return None;
        }
        let function = read("AWS_LAMBDA_FUNCTION_NAME");
        let service = [read("OTEL_SERVICE_NAME"), function.clone()];
        let service = service.into_iter().find(|name| !name.is_empty());
        Some(Settings {
            extension: listener(
                read("THROUGHLINE_OTLP_LISTEN").trim(),
                &read("OTEL_EXPORTER_OTLP_ENDPOINT"),
            ),
            function,
            service: service.unwrap_or_else(|| "unknown_service:rust".to_owned()),
            takes_payloads: word("THROUGHLINE_PAYLOADS") != "off",
            #[cfg(feature = "bodies")]
            takes_bodies: ["on-error", "all"].contains(&word("THROUGHLINE_PAYLOADS").as_str()),
            secret_keys: words(&read("THROUGHLINE_SCRUB_KEYS")),
            allowed_keys: words(&read("THROUGHLINE_SCRUB_ALLOW")),
            off: words(&read("THROUGHLINE_HOOKS_OFF")),
            is_many: !read("AWS_LAMBDA_MAX_CONCURRENCY").is_empty(),
        })
    }

    /// Whether a part of the SDK is on.
    pub(crate) fn hook(&self, name: &str) -> bool {
        !self.off.iter().any(|off| off == name || off == "all")
    }
}

/// The extension's own variable; else OpenTelemetry's, if it is an address of this machine.
fn listener(own: &str, theirs: &str) -> SocketAddr {
    let theirs = theirs.strip_prefix("http://").unwrap_or_default();
    let theirs = theirs.split('/').next().unwrap_or_default();
    [own, theirs]
        .into_iter()
        .find_map(local)
        .unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT))
}

fn local(address: &str) -> Option<SocketAddr> {
    let numbers = address.replacen("localhost:", "127.0.0.1:", 1);
    let address: SocketAddr = numbers.parse().ok()?;
    address.ip().is_loopback().then_some(address)
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(',').map(|word| word.trim().to_lowercase());
    words.filter(|word| !word.is_empty()).collect()
}

const PORT: u16 = 4318;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_told() {
        for (own, theirs, expected) in [
            ("", "", "127.0.0.1:4318"),
            ("127.0.0.1:9", "http://127.0.0.1:8", "127.0.0.1:9"),
            ("", "http://localhost:8/v1/traces", "127.0.0.1:8"),
            ("", "http://[::1]:8", "[::1]:8"),
            (
                "10.0.0.1:9",
                "https://collector.example.com",
                "127.0.0.1:4318",
            ),
        ] {
            assert_eq!(listener(own, theirs).to_string(), expected);
        }
    }

    #[test]
    fn switches() {
        let of = |pairs: &'static [(&str, &str)]| {
            Settings::from_source(|name| {
                let mut all = pairs.iter();
                all.find(|(key, _)| *key == name)
                    .map_or("", |pair| pair.1)
                    .to_owned()
            })
        };
        assert!(of(&[("THROUGHLINE_LAYER", "OFF")]).is_none());
        assert!(
            !of(&[("THROUGHLINE_PAYLOADS", "off")])
                .unwrap()
                .takes_payloads
        );
    }
}
