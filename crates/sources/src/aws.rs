//! Clients of AWS's services, wherever these are.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::config::Credentials;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// Where AWS's services are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// At AWS, with the region and the credentials that its tools would use.
    Amazon,
    /// At this URL, such as `http://127.0.0.1:5000`.
    At(String),
}

impl Endpoint {
    /// Whether things that are made there cost money and stay: at AWS, by whatever name it is reached.
    pub fn is_amazon(&self) -> bool {
        match self {
            Self::Amazon => true,
            Self::At(url) => {
                let host = host_of(url);
                AMAZON_DOMAINS.iter().any(|domain| host.ends_with(domain))
            }
        }
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Amazon => false,
            Self::At(url) => {
                let host = host_of(url);
                let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
                host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
            }
        }
    }
}

/// `aws` is AWS; anything else is a URL.
impl FromStr for Endpoint {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "aws" => Self::Amazon,
            url => Self::At(url.to_owned()),
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amazon => "AWS",
            Self::At(url) => url,
        })
    }
}

/// A client of each service that sources, resources and destinations use. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Aws {
    /// Where they call.
    pub endpoint: Endpoint,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Topics.
    pub sns: aws_sdk_sns::Client,
    /// Event buses.
    pub events: aws_sdk_eventbridge::Client,
    /// Streams.
    pub kinesis: aws_sdk_kinesis::Client,
    /// Tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Streams of tables.
    pub dynamodb_streams: aws_sdk_dynamodbstreams::Client,
    /// Buckets.
    pub s3: aws_sdk_s3::Client,
}

impl Aws {
    /// Clients of an endpoint. Nothing is called yet.
    ///
    /// Region and credentials come from where AWS's tools take them. An emulator on loopback needs none: without any in
    /// the environment it gets `us-east-1` and the credentials `test`.
    pub async fn connect(endpoint: Endpoint) -> Self {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ANSWER_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(timeouts);
        if let Endpoint::At(url) = &endpoint {
            loader = loader.endpoint_url(url);
        }
        if endpoint.is_loopback() {
            let chosen = [REGION_VARIABLE, REGION_DEFAULT_VARIABLE]
                .iter()
                .find_map(|name| variable(name));
            loader = loader.region(Region::new(chosen.unwrap_or_else(|| "us-east-1".into())));
            if variable(KEY_VARIABLE).is_none() {
                let dummy = Credentials::new("test", "test", None, None, "throughline");
                loader = loader.credentials_provider(dummy);
            }
        }
        let config = loader.load().await;
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            // A bucket as part of the host name asks for a DNS that only AWS has.
            .force_path_style(!endpoint.is_amazon())
            .build();
        Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            events: aws_sdk_eventbridge::Client::new(&config),
            kinesis: aws_sdk_kinesis::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            dynamodb_streams: aws_sdk_dynamodbstreams::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            endpoint,
        }
    }
}

#[allow(clippy::disallowed_methods)] // the edge where the clients learn what AWS's own tools would use
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The host of a URL without its port, in lower case.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    host.to_lowercase()
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest poll lasts twenty seconds. An endpoint that never answers is backed off from like one that refuses.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);
const AMAZON_DOMAINS: &[&str] = &[
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".on.aws",
];
const REGION_VARIABLE: &str = "AWS_REGION";
const REGION_DEFAULT_VARIABLE: &str = "AWS_DEFAULT_REGION";
const KEY_VARIABLE: &str = "AWS_ACCESS_KEY_ID";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazon_is_known_by_whatever_name() {
        let cases = [
            ("aws", true, false),
            ("https://sqs.eu-central-1.amazonaws.com", true, false),
            ("https://sqs.us-east-1.api.aws/", true, false),
            ("https://sqs.cn-north-1.amazonaws.com.cn:443/x", true, false),
            ("http://127.0.0.1:5000", false, true),
            ("http://[::1]:5000/", false, true),
            ("http://localhost:4566", false, true),
            ("http://localstack:4566", false, false),
            ("http://amazonaws.com.example.org", false, false),
        ];
        for (text, amazon, loopback) in cases {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.is_amazon(), amazon, "{text}");
            assert_eq!(endpoint.is_loopback(), loopback, "{text}");
        }
    }
}
