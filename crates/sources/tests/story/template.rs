//! A SAM template, as it would be deployed: an API, a queue, a table's stream and a schedule each invoke a function.

use std::collections::BTreeMap;

use throughline_sandbox::{Application, Overrides};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::moto::moto;

#[tokio::test(flavor = "multi_thread")]
async fn a_template_runs_as_it_is() {
    let Some(moto) = moto() else { return };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/story/template/template.yaml");
    let overrides = Overrides {
        aws_endpoint: Some(moto.to_owned()),
        ..Overrides::default()
    };
    let application = Application::load_with(file, &overrides)
        .unwrap()
        .on_free_ports();
    assert_eq!(application.notes(), [] as [&str; 0]);
    let resources = application.resources().to_vec();
    let sandbox = Sandbox::new()
        .application(application)
        .start()
        .await
        .unwrap();
    let mut lines = sandbox.activity();
    let sources = Sources::new(sandbox.invoker(), sandbox.activity())
        .endpoint(Some(endpoint(moto)))
        .resources(resources)
        .start()
        .await
        .unwrap();

    let answer = post(&sandbox.api_urls()["ServerlessRestApi"], "orders/o-7").await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    assert!(answer.ends_with(r#"{"accepted": "o-7"}"#), "{answer}");

    // What came in over the API goes on by itself, from function to function.
    let mut events = BTreeMap::new();
    gather(&mut lines, &mut events, 3).await;
    // The rule fires once a minute, and a minute need not last one here.
    sandbox.advance(Duration::from_secs(60));
    gather(&mut lines, &mut events, 4).await;

    assert_eq!(events["receive"]["requestContext"]["stage"], "Prod");
    assert_eq!(events["receive"]["resource"], "/orders/{id}");
    let message = &events["store"]["Records"][0];
    assert_eq!(message["eventSource"], "aws:sqs");
    let body: Value = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["id"], "o-7");
    let change = &events["count"]["Records"][0];
    assert_eq!(change["eventSource"], "aws:dynamodb");
    assert_eq!(change["dynamodb"]["NewImage"]["id"]["S"], "o-7");
    assert_eq!(events["clean"]["older_than_days"], 30);

    sources.shutdown().await;
    sandbox.shutdown().await;
}

/// Waits until so many of the functions have told their event.
async fn gather(
    lines: &mut Receiver<Activity>,
    events: &mut BTreeMap<String, Value>,
    functions: usize,
) {
    let all = async {
        while events.len() < functions {
            let Activity::Line(line) = lines.recv().await.unwrap() else {
                continue;
            };
            match line.text.strip_prefix("EVENT ") {
                Some(text) => {
                    let mut told: Value = serde_json::from_str(text).unwrap();
                    let handler = told["handler"].as_str().unwrap().to_owned();
                    events.entry(handler).or_insert(told["event"].take());
                }
                None => eprintln!("{}: {}", line.function, line.text),
            }
        }
    };
    let in_time = tokio::time::timeout(DEADLINE, all).await.is_ok();
    assert!(in_time, "only these were invoked: {:?}", events.keys());
}

/// The whole answer, head and body.
async fn post(url: &str, path: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let (address, _) = address.split_once('/').unwrap_or((address, ""));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /{path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
