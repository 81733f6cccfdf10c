//! AWS's SDKs, led to the sandbox by their endpoint.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{BehaviorVersion, Config, Credentials, Region};
use throughline_sandbox::RunningSandbox;

/// The SDK for Rust.
pub(crate) fn rust(sandbox: &RunningSandbox) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{}", sandbox.api_addr()))
        .credentials_provider(Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "key",
            None,
            None,
            "test",
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}
