use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// The connection ends without an answer.
const LOST: (u16, &str) = (0, "");

/// An account that gives these answers, one after the other, and what it was asked so far.
async fn account(answers: &'static [(u16, &'static str)]) -> (Aws, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&asked);
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let line = request_line(&mut stream).await;
            taken.lock().unwrap().push(line);
            if *status > 0 {
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} It\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                let answer = format!("{head}{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    let credentials = Credentials::new("id", "secret", None, None, "test");
    let credentials = SharedCredentialsProvider::new(credentials);
    let aws = Aws::new(credentials, "eu-west-1".to_owned(), Some(endpoint)).unwrap();
    (aws, asked)
}

/// Reads a request whole.
async fn request_line(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut some = [0; 4096];
        let count = stream.read(&mut some).await.unwrap();
        assert!(count > 0, "a request ends early");
        bytes.extend_from_slice(&some[..count]);
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut lines = head.lines();
        let length: Option<usize> =
            lines.find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return head.lines().next().unwrap_or_default().to_owned();
        }
    }
}

fn disable() -> Call {
    let call = json!({
        "service": "lambda", "operation": "UpdateEventSourceMapping", "method": "PUT",
        "path": "/2015-03-31/event-source-mappings/it", "parameters": {"Enabled": false},
    });
    serde_json::from_value(call).unwrap()
}

/// What came of disabling a mapping: how many calls were done, or what kind of failure it was.
async fn check(answers: &'static [(u16, &'static str)], expected: Result<usize, &str>) {
    let (aws, asked) = account(answers).await;
    let made = make(&aws, &[disable()]).await;
    let made = made.map(|done| done.len()).map_err(|it| it.code);
    assert_eq!(made, expected.map_err(str::to_owned), "{answers:?}");
    assert_eq!(asked.lock().unwrap().len(), answers.len());
}

/// Whoever is told that nothing was done leaves it as it is for ever.
#[tokio::test]
async fn a_refusal_after_a_lost_answer_does_not_say_that_nothing_was_done() {
    const BUSY: (u16, &str) = (400, r#"{"Message": "the mapping is being disabled"}"#);
    check(&[BUSY], Err("refused")).await;
    check(&[(200, "{}")], Ok(1)).await;
    check(&[LOST, (200, "{}")], Ok(1)).await;
    check(&[LOST, BUSY], Err("unreachable")).await;
    check(&[(503, ""), BUSY], Err("unreachable")).await;
    check(&[(429, ""), BUSY], Err("refused")).await;
}

#[tokio::test]
async fn an_order_is_not_given_again_when_its_answer_is_lost() {
    let order = Order::Look {
        id: "0123456789abcdef".parse().unwrap(),
        action: serde_json::from_value(json!({"do": "stop", "function": "pay", "hours": 1}))
            .unwrap(),
    };
    for lost in [&[LOST, (200, "{}")], &[(502, ""), (200, "{}")]] {
        let (aws, asked) = account(lost).await;
        let failure = invoke(&aws, "throughline-actuator", &order).await;
        assert_eq!(failure.unwrap_err().code, "unreachable");
        let path = "/2015-03-31/functions/throughline-actuator/invocations";
        assert_eq!(*asked.lock().unwrap(), [format!("post {path} http/1.1")]);
    }
}

/// What came of undoing a deny in an account that gives these answers, and what it was asked.
async fn undone(answers: &'static [(u16, &'static str)]) -> (Result<usize, String>, usize) {
    let (aws, asked) = account(answers).await;
    let action = json!({"do": "deny", "function": "pay", "resource": "table:users", "class": "write", "hours": 4});
    let order = Order::Undo {
        id: "0123456789abcdef".parse().unwrap(),
        action: serde_json::from_value(action).unwrap(),
        before: Before {
            function_arn: "arn:aws:lambda:eu-west-1:123456789012:function:pay".to_owned(),
            role_arn: "arn:aws:iam::123456789012:role/pay-role".to_owned(),
            ..Before::default()
        },
    };
    let undone = perform(&aws, order, UnixSeconds(0)).await;
    let undone = undone.map(|report| report.done.len()).map_err(|it| it.code);
    (undone, asked.lock().unwrap().len())
}

/// Elsewhere there is no such policy, which says nothing of the one that was put.
#[tokio::test]
async fn a_deny_is_undone_where_it_was_done_and_nowhere_else() {
    const HERE: (u16, &str) = (
        200,
        r#"{"FunctionArn":"arn:aws:lambda:eu-west-1:123456789012:function:pay","Role":"r","MemorySize":512,"RevisionId":"r1"}"#,
    );
    const ELSEWHERE: (u16, &str) = (
        200,
        r#"{"FunctionArn":"arn:aws:lambda:eu-west-1:210987654321:function:pay","Role":"r","MemorySize":512,"RevisionId":"r1"}"#,
    );
    const GONE_HERE: (u16, &str) = (
        404,
        r#"{"Message":"Function not found: arn:aws:lambda:eu-west-1:123456789012:function:pay"}"#,
    );
    const GONE_ELSEWHERE: (u16, &str) = (
        404,
        r#"{"Message":"Function not found: arn:aws:lambda:eu-west-1:210987654321:function:pay"}"#,
    );
    const UNSEEN: (u16, &str) = (403, r#"{"Message":"not authorized"}"#);
    const NO_POLICY: (u16, &str) = (
        404,
        "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no</Message></Error></ErrorResponse>",
    );
    assert_eq!(undone(&[HERE, (200, "")]).await, (Ok(1), 2));
    assert_eq!(undone(&[HERE, NO_POLICY]).await, (Ok(1), 2));
    assert_eq!(undone(&[GONE_HERE, NO_POLICY]).await, (Ok(1), 2));
    let failed = |code: &str| (Err(code.to_owned()), 1);
    assert_eq!(undone(&[ELSEWHERE]).await, failed("impossible"));
    assert_eq!(undone(&[GONE_ELSEWHERE]).await, failed("impossible"));
    assert_eq!(undone(&[UNSEEN]).await, failed("refused"));
}
