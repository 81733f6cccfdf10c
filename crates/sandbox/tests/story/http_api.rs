//! APIs of API Gateway, and the invoke mode of function URLs.

use std::time::Duration;

use serde_json::json;
use throughline_sandbox::{
    Activity, Authorizer, AuthorizerEvent, EventSource, Function, HttpApi, HttpApiKind, HttpRoute,
    Identity, RunningSandbox, Sandbox,
};

use crate::http::{Response, request};
use crate::{function, start};

fn route(kind: HttpApiKind, method: &str, path: &str) -> EventSource {
    let api = match kind {
        HttpApiKind::Rest => "rest",
        HttpApiKind::Http => "http",
    };
    EventSource::Http(HttpRoute {
        kind,
        api: api.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        authorizer: None,
    })
}

fn routed(function: Function) -> Function {
    [HttpApiKind::Rest, HttpApiKind::Http]
        .into_iter()
        .fold(function, |function, kind| {
            function
                .source(route(kind, "ANY", "/do"))
                .source(route(kind, "GET", "/orders/{id}"))
        })
}

/// Has the function do what the event says.
async fn do_it(sandbox: &RunningSandbox, api: &str, event: serde_json::Value) -> Response {
    let uri = format!("{}do", sandbox.api_urls()[api]);
    let json = ("Content-Type", "application/json");
    request("POST", &uri, &[json], &event.to_string()).await
}

fn told(response: &Response) -> (u16, &str) {
    (
        response.status,
        std::str::from_utf8(&response.body).unwrap(),
    )
}

#[tokio::test]
async fn rest_api_gives_payload_format_1_and_takes_it() {
    let sandbox = start(routed(function())).await;
    let described = json!({
        "statusCode": 201,
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": "made",
    });
    let made = do_it(&sandbox, "rest", json!({"do": "url", "answer": described})).await;
    assert_eq!(told(&made), (201, "made"));
    assert!(made.header("x-amzn-requestid").is_some());

    // The stand-in answers with the event itself, which no REST API takes for a response.
    let uri = format!("{}orders/7?a=1&a=2", sandbox.api_urls()["rest"]);
    let mut activity = sandbox.activity();
    let malformed = request("GET", &uri, &[], "").await;
    let failed = (502, r#"{"message":"Internal server error"}"#);
    assert_eq!(told(&malformed), failed);
    // For Lambda nothing was wrong.
    loop {
        if let Activity::Finished(finished) = activity.recv().await.unwrap() {
            assert_eq!(finished.status.as_str(), "success");
            break;
        }
    }
    let failing = do_it(&sandbox, "rest", json!({"do": "fail"})).await;
    assert_eq!(told(&failing), failed);
    let nowhere = request("PUT", &uri, &[], "").await;
    assert_eq!(
        told(&nowhere),
        (403, r#"{"message":"Missing Authentication Token"}"#)
    );
}

#[tokio::test]
async fn http_api_gives_payload_format_2_and_takes_it() {
    let sandbox = start(routed(function())).await;
    let uri = format!("{}orders/a%20b?a=1&a=2", sandbox.api_urls()["http"]);
    let seen = request("GET", &uri, &[("Cookie", "c=1")], "").await;
    // No statusCode in the answer: all of it is the body.
    assert_eq!(seen.status, 200);
    let event = &seen.json()["event"];
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "GET /orders/{id}");
    assert_eq!(event["pathParameters"], json!({"id": "a b"}));
    assert_eq!(event["queryStringParameters"], json!({"a": "1,2"}));
    assert_eq!(event["cookies"], json!(["c=1"]));
    assert_eq!(event["requestContext"]["stage"], "$default");
    assert_eq!(
        event["requestContext"]["requestId"],
        seen.header("apigw-requestid").unwrap()
    );
    assert_eq!(
        event["headers"]["x-amzn-trace-id"],
        seen.json()["headers"]["lambda-runtime-trace-id"]
    );

    let failing = do_it(&sandbox, "http", json!({"do": "fail"})).await;
    assert_eq!(
        told(&failing),
        (500, r#"{"message":"Internal Server Error"}"#)
    );
    let nowhere = request("PUT", &uri, &[], "").await;
    assert_eq!(told(&nowhere), (404, r#"{"message":"Not Found"}"#));
}

#[tokio::test]
async fn api_gives_up_on_a_function_that_goes_on() {
    let sandbox = Sandbox::new()
        .function(routed(function()))
        .integration_timeout(Duration::from_millis(200))
        .start()
        .await
        .unwrap();
    let folder = crate::folder().unwrap();
    let cases = [
        ("rest", 504, r#"{"message":"Endpoint request timed out"}"#),
        ("http", 503, r#"{"message":"Service Unavailable"}"#),
    ];
    for (api, status, body) in cases {
        let mut activity = sandbox.activity();
        let file = folder.path().join(api);
        let gone = do_it(&sandbox, api, json!({"do": "wait", "file": file})).await;
        assert_eq!(told(&gone), (status, body));
        std::fs::write(&file, "").unwrap();
        loop {
            if let Activity::Finished(finished) = activity.recv().await.unwrap() {
                assert_eq!(finished.status.as_str(), "success", "{api}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn api_says_when_it_is_too_much() {
    let sandbox = Sandbox::new()
        .function(routed(function()))
        .concurrency(1)
        .start()
        .await
        .unwrap();
    for (api, message) in [
        ("rest", "Request Too Long"),
        ("http", "Request Entity Too Large"),
    ] {
        let uri = format!("{}do", sandbox.api_urls()[api]);
        let body = json!({ "message": message }).to_string();
        // More than Lambda takes, and more than API Gateway does.
        for mib in [7, 11] {
            let large = "x".repeat(mib * 1024 * 1024);
            let refused = request("POST", &uri, &[], &large).await;
            assert_eq!(told(&refused), (413, body.as_str()), "{api} {mib}");
        }
    }

    let folder = crate::folder().unwrap();
    let file = folder.path().join("go on");
    let mut activity = sandbox.activity();
    let busy = do_it(&sandbox, "rest", json!({"do": "wait", "file": file}));
    let meanwhile = async {
        assert_eq!(crate::next_line(&mut activity).await, "waiting");
        let rest = do_it(&sandbox, "rest", json!({})).await;
        let http = do_it(&sandbox, "http", json!({})).await;
        std::fs::write(&file, "").unwrap();
        [rest.status, http.status]
    };
    let (_, throttled) = tokio::join!(busy, meanwhile);
    assert_eq!(throttled, [500, 503]);
}

#[tokio::test]
async fn declared_api_has_its_stage_and_a_plan_that_cannot_be_is_refused() {
    let api = |listen: &str| HttpApi::new("http", listen.parse().unwrap(), "dev");
    let sandbox = Sandbox::new()
        .function(routed(function()))
        .http_api(api("127.0.0.1:0"))
        .start()
        .await
        .unwrap();
    let uri = format!("{}orders/7", sandbox.api_urls()["http"]);
    let seen = request("GET", &uri, &[], "").await.json();
    assert_eq!(seen["event"]["requestContext"]["stage"], "dev");
    let keys = sandbox.apis()[0].routes.iter().map(|route| &route.key);
    assert_eq!(keys.collect::<Vec<_>>(), ["ANY /do", "GET /orders/{id}"]);

    let outside = Sandbox::new().http_api(api("0.0.0.0:0")).start().await;
    assert_eq!(
        outside.err().unwrap().to_string(),
        "cannot listen on 0.0.0.0:0: the sandbox listens on loopback only"
    );
    let twice = routed(routed(function()));
    let refused = Sandbox::new().function(twice).start().await;
    assert_eq!(
        refused.err().unwrap().to_string(),
        "cannot start the API http: two routes are ANY /do"
    );
}

#[tokio::test]
async fn buffered_url_answers_when_all_of_a_stream_is_there() {
    let url = "127.0.0.1:0".parse().unwrap();
    let sandbox = start(function().url(url).url_streams(false)).await;
    let uri = format!("{}do", sandbox.url_of("f").unwrap());
    let head = "{\"statusCode\":201}\0\0\0\0\0\0\0\0";
    let parts = json!([{"text": head}, {"text": "one "}, {"text": "two"}]);
    let mut event = json!({
        "do": "stream",
        "type": "application/vnd.awslambda.http-integration-response",
        "parts": parts,
    });
    let whole = request("POST", &uri, &[], &event.to_string()).await;
    assert_eq!(told(&whole), (201, "one two"));
    assert_eq!(whole.header("content-length"), Some("7"));
    // What a streaming URL can only break off is still a status here.
    event["end"] = json!("fail");
    let failed = request("POST", &uri, &[], &event.to_string()).await;
    assert_eq!(
        told(&failed),
        (502, r#"{"message":"Internal Server Error"}"#)
    );
}

/// Says who may pass: by its token, in the words of the kind of authorizer that it is.
const AUTHORIZER: &str = r#"#!/usr/bin/env python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation/" + path, body)
    response = api.getresponse()
    return response.headers, response.read()
count = 0
while True:
    headers, body = call("GET", "next")
    event = json.loads(body)
    count += 1
    token = event.get("authorizationToken") or event["identitySource"][0]
    kind = "response"
    if event.get("version") == "2.0":
        answer = {"isAuthorized": token == "good", "context": {"count": count, "keys": sorted(event)}}
    else:
        effect = "Allow" if token == "good" else "Deny"
        resource = event["methodArn"].rsplit("/", 1)[0] + "/*"
        statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
        answer = {"principalId": "ada", "policyDocument": {"Statement": [statement]},
                  "context": {"count": count, "keys": ",".join(sorted(event))}}
    if token == "unknown":
        kind, answer = "error", {"errorMessage": "Unauthorized", "errorType": "Exception"}
    elif token == "broken":
        answer = 1
    call("POST", headers["Lambda-Runtime-Aws-Request-Id"] + "/" + kind, json.dumps(answer))
"#;

#[tokio::test]
async fn authorizers_are_asked_before_the_function() {
    let folder = crate::folder().unwrap();
    let bootstrap = folder.path().join("bootstrap");
    std::fs::write(&bootstrap, AUTHORIZER).unwrap();
    let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&bootstrap, runs).unwrap();
    let cases = [
        (HttpApiKind::Rest, AuthorizerEvent::Token),
        (
            HttpApiKind::Http,
            AuthorizerEvent::Request2 { simple: true },
        ),
        (HttpApiKind::Http, AuthorizerEvent::Request1),
    ];
    for (kind, event) in cases {
        let authorizer = Authorizer {
            name: "check".to_owned(),
            function: "auth".to_owned(),
            event,
            identity: vec![Identity::Header("Authorization".to_owned())],
            keep: Duration::from_secs(300),
        };
        let api = HttpApi {
            authorizers: vec![authorizer],
            ..HttpApi::new("api", "127.0.0.1:0".parse().unwrap(), "prod")
        };
        let guarded = EventSource::Http(HttpRoute {
            kind,
            api: "api".to_owned(),
            method: "ANY".to_owned(),
            path: "/{name}".to_owned(),
            authorizer: Some("check".to_owned()),
        });
        let sandbox = Sandbox::new()
            .function(function().source(guarded))
            .function(Function::new("auth", folder.path()))
            .http_api(api)
            .start()
            .await
            .unwrap();
        let ask = async |path: &str, token: Option<&str>| {
            let uri = format!("{}{path}", sandbox.api_urls()["api"]);
            let headers: Vec<_> = token
                .map(|token| ("Authorization", token))
                .into_iter()
                .collect();
            let answer = json!({"statusCode": 200, "body": "in"});
            let told = json!({"do": "url", "answer": answer}).to_string();
            request("POST", &uri, &headers, &told).await
        };
        assert_eq!(told(&ask("do", Some("good")).await), (200, "in"));
        let forbidden = match kind {
            HttpApiKind::Rest => {
                r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#
            }
            HttpApiKind::Http => r#"{"message":"Forbidden"}"#,
        };
        let broken = match kind {
            HttpApiKind::Rest => r#"{"message":null}"#,
            HttpApiKind::Http => r#"{"message":"Internal Server Error"}"#,
        };
        let unauthorized = (401, r#"{"message":"Unauthorized"}"#);
        assert_eq!(told(&ask("do", None).await), unauthorized);
        assert_eq!(told(&ask("do", Some("unknown")).await), unauthorized);
        assert_eq!(told(&ask("do", Some("bad")).await), (403, forbidden));
        assert_eq!(told(&ask("do", Some("broken")).await), (500, broken));
        // What it answered is kept, or the count would have grown; and it reaches the function.
        let seen = ask("x", Some("good")).await;
        if kind == HttpApiKind::Http {
            let context = &seen.json()["event"]["requestContext"]["authorizer"]["lambda"];
            assert_eq!(context["count"], 1, "{event:?}");
        }
    }
}
