//! An account, and calls of it, signed.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::tls;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use serde_json::Value;
use throughline_act::{Answer, Call, Failure, Service};

use crate::form;

/// An account in a region, and the credentials to act in it.
#[derive(Clone, Debug)]
pub struct Aws {
    credentials: SharedCredentialsProvider,
    region: String,
    /// Where all services are, if not at AWS.
    endpoint: Option<String>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why there is no account to act in.
#[derive(Debug)]
pub enum SetupError {
    /// Nothing says which region.
    NoRegion,
    /// There are no credentials.
    NoCredentials,
    /// The certificates that this machine trusts cannot be read.
    Trust(String),
}

impl std::fmt::Display for SetupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SetupError::NoRegion => f.write_str("no region: set AWS_REGION, or one in the AWS profile"),
            SetupError::NoCredentials => f.write_str(
                "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; single sign-on is not \
                 understood, `aws configure export-credentials` gives what is",
            ),
            SetupError::Trust(why) => write!(f, "cannot set up TLS: {why}"),
        }
    }
}

impl std::error::Error for SetupError {}

impl Aws {
    /// The account, region and endpoint (`AWS_ENDPOINT_URL`) that the environment and the AWS profile say.
    pub async fn load() -> Result<Self, SetupError> {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let http = aws_smithy_http_client::Builder::new().tls_provider(ring);
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http.build_https())
            .load()
            .await;
        let credentials = config.credentials_provider();
        let credentials = credentials.ok_or(SetupError::NoCredentials)?;
        let region = config.region().map(Region::to_string);
        let region = region.ok_or(SetupError::NoRegion)?;
        Aws::new(
            credentials,
            region,
            config.endpoint_url().map(str::to_owned),
        )
    }

    /// An account that a program beside us pretends to be at this endpoint, such as moto's server, and which asks nobody
    /// who they are. Nothing of the environment or of an AWS profile is looked at.
    pub fn pretended(endpoint: &str, region: &str) -> Result<Self, SetupError> {
        let made_up = Credentials::new("throughline", "throughline", None, None, "made up");
        let credentials = SharedCredentialsProvider::new(made_up);
        Aws::new(credentials, region.to_owned(), Some(endpoint.to_owned()))
    }

    /// With these. An endpoint such as `http://127.0.0.1:5000` is where all services are, instead of AWS.
    pub fn new(
        credentials: SharedCredentialsProvider,
        region: String,
        endpoint: Option<String>,
    ) -> Result<Self, SetupError> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust()?)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Aws {
            credentials,
            region,
            endpoint: endpoint.map(|it| it.trim_end_matches('/').to_owned()),
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Makes a call. What AWS could not answer is tried again.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        self.send_and_tell(call).await.0
    }

    /// The same, and whether an attempt before the last one may have been followed without an answer.
    pub(crate) async fn send_and_tell(&self, call: &Call) -> (Result<Answer, Failure>, bool) {
        // An order that is followed already finds things as it has left them, and would say that nothing was done.
        let is_order = call.operation == INVOKE;
        let patience = if is_order { ORDER_PATIENCE } else { PATIENCE };
        let mut waits = WAITS.iter();
        let mut was_lost = false;
        loop {
            let answer = self.send_once(call, patience).await;
            let (is_refused, is_lost) = match &answer {
                Ok(answer) => (answer.status == 429, answer.status >= 500),
                Err(_) => (false, true),
            };
            let is_again = is_refused || (is_lost && !is_order);
            match waits.next().filter(|_| is_again) {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return (answer, was_lost),
            }
            was_lost |= is_lost;
        }
    }

    async fn send_once(&self, call: &Call, patience: Duration) -> Result<Answer, Failure> {
        let unreachable = |error: &dyn std::fmt::Display| {
            Failure::new(
                "unreachable",
                format!("{} is not answered: {error}", call.operation),
            )
        };
        let request = self.request(call).await?;
        let exchange = tokio::time::timeout(patience, self.client.request(request)).await;
        let response = exchange.map_err(|error| unreachable(&error))?;
        let (head, body) = response.map_err(|error| unreachable(&error))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect();
        let body = tokio::time::timeout(PATIENCE, body).await;
        let body = body.map_err(|error| unreachable(&error))?;
        let body = body.map_err(|error| unreachable(&error))?.to_bytes();
        let head = Response::from_parts(head, ());
        Ok(Answer {
            status: head.status().as_u16(),
            request_id: request_id(&head),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    async fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, Failure> {
        let bad = |error: &dyn std::fmt::Display| {
            Failure::new(
                "unreachable",
                format!("{} cannot be made: {error}", call.operation),
            )
        };
        let (content_type, body) = match call.service {
            Service::Iam => (FORM, form::encode(&call.operation, &call.parameters)),
            Service::Lambda => match &call.parameters {
                Value::Null => (JSON, String::new()),
                parameters => (JSON, parameters.to_string()),
            },
        };
        let uri = format!("{}{}", self.base(call.service), call.path);
        let uri: Uri = uri.parse().map_err(|error| bad(&error))?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(call.method.as_str())
            .uri(uri)
            .header(HOST, host)
            .header(CONTENT_TYPE, content_type)
            .body(Full::new(Bytes::from(body.clone())))
            .map_err(|error| bad(&error))?;
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| {
            Failure::new("unreachable", format!("there are no credentials: {error}"))
        })?;
        let identity = credentials.into();
        let (name, region) = match call.service {
            Service::Iam => ("iam", self.iam_region()),
            Service::Lambda => ("lambda", self.region.as_str()),
        };
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(name)
            .time(now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| bad(&error))?;
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.uri().to_string(),
            headers,
            SignableBody::Bytes(body.as_bytes()),
        );
        let signable = signable.map_err(|error| bad(&error))?;
        let signed = sign(signable, &parameters.into()).map_err(|error| bad(&error))?;
        let (instructions, _) = signed.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }

    fn base(&self, service: Service) -> String {
        if let Some(endpoint) = &self.endpoint {
            return endpoint.clone();
        }
        let region = &self.region;
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        match service {
            Service::Lambda => format!("https://lambda.{region}.amazonaws.com{china}"),
            Service::Iam => match self.iam_region() {
                "us-gov-west-1" => "https://iam.us-gov.amazonaws.com".to_owned(),
                "cn-north-1" => "https://iam.cn-north-1.amazonaws.com.cn".to_owned(),
                _ => "https://iam.amazonaws.com".to_owned(),
            },
        }
    }

    /// IAM is one service for all regions of a partition, which has its keys in one of them.
    fn iam_region(&self) -> &'static str {
        match self.region.split('-').take(2).collect::<Vec<_>>()[..] {
            ["us", "gov"] => "us-gov-west-1",
            ["cn", _] => "cn-north-1",
            _ => "us-east-1",
        }
    }
}

fn request_id(head: &Response<()>) -> String {
    let header = |name| Some(head.headers().get(name)?.to_str().ok()?.to_owned());
    let id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id"));
    id.unwrap_or_default()
}

fn trust() -> Result<ClientConfig, SetupError> {
    let ring = rustls::crypto::ring::default_provider();
    let builder = ClientConfig::builder_with_provider(ring.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError::Trust(error.to_string()))?;
    let builder = builder.with_native_roots();
    let builder = builder.map_err(|error| SetupError::Trust(error.to_string()))?;
    Ok(builder.with_no_client_auth())
}

#[allow(clippy::disallowed_methods)] // the edge that signs: a signature holds for some minutes
fn now() -> SystemTime {
    SystemTime::now()
}

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const JSON: &str = "application/json";
/// The operation with which the actuator's function is given an order.
pub(crate) const INVOKE: &str = "Invoke";
/// Each call changes one setting, or reads some.
const PATIENCE: Duration = Duration::from_secs(20);
/// An order is followed within the timeout of the actuator's function, which `template.yaml` says, and its start.
const ORDER_PATIENCE: Duration = Duration::from_secs(100);
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Between attempts.
const WAITS: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(2)];
