//! `throughline mcp`: an assistant asks a server.

use std::sync::Arc;

use anyhow::anyhow;
use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::Value;
use throughline_mcp::{Api, Failure, Method, Question, over_stdio};
use throughline_telemetry::UnixNanos;

use super::{Server, block_on, words};
use crate::cli::Mcp;
use crate::output;

/// Answers until the assistant closes the standard input.
pub(crate) fn run(arguments: Mcp) -> anyhow::Result<()> {
    // The one server of this process, asked until it ends.
    let target = Box::leak(Box::new(arguments.target));
    let server = Arc::new(Server::new(target)?);
    block_on(async {
        over_stdio(Remote { server })
            .await
            .map_err(|why| anyhow!(why))
    })
}

#[derive(Clone)]
struct Remote {
    server: Arc<Server<'static>>,
}

impl Api for Remote {
    /// A server that is not there yet, or not any more, is told to the assistant, which may ask again.
    async fn ask(&self, question: Question) -> Result<Value, Failure> {
        let (method, body) = match question.method {
            Method::Get => (hyper::Method::GET, Bytes::new()),
            Method::Post(body) => (hyper::Method::POST, Bytes::from(body.to_string())),
        };
        let answer = self.server.send(method, &question.path, body).await;
        let answer = answer.map_err(|error| Failure(output::one_line(&error)))?;
        match answer.status.is_success() {
            true => Ok(answer.json),
            false => Err(Failure(self.server.refusal(answer.status, &answer.json))),
        }
    }

    fn page(&self, _: Option<&Parts>) -> String {
        let server = &self.server.target.server;
        match server.contains("://") {
            true => server.clone(),
            false => format!("http://{server}"),
        }
    }

    fn now(&self) -> UnixNanos {
        words::now()
    }
}
