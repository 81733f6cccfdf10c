//! The embedded page: types, caching, fallback.

use http::{Method, StatusCode};

use crate::harness::{TestServer, method};

#[tokio::test(flavor = "multi_thread")]
async fn page_is_served_for_its_own_addresses() {
    let server = TestServer::start().await;
    let index = server.get("/").await;
    assert_eq!(index.status, StatusCode::OK);
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(index.header("cache-control"), "no-cache");
    assert!(index.text().contains("<title>Throughline</title>"));
    let deep = server
        .get("/traces/5b8efff798038103d269b633813fc60c?tab=logs")
        .await;
    assert_eq!(deep.body, index.body);

    assert_eq!(
        server.get("/assets/gone.js").await.status,
        StatusCode::NOT_FOUND
    );
    let posted = method(Method::POST, server.addresses.http, "/").await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(posted.header("allow"), "GET, HEAD");
}

#[tokio::test(flavor = "multi_thread")]
async fn known_contents_are_not_sent_again() {
    let server = TestServer::start().await;
    let etag = server.get("/").await.header("etag").to_owned();
    assert!(etag.starts_with("W/\"") && etag.ends_with('"'), "{etag}");
    let known = format!("\"x\", {etag}");
    let again = server.get_with("/", ("if-none-match", &known)).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(again.header("etag"), etag);
    assert!(again.body.is_empty());
}

/// Every file that the page names is there, with its type; hashed ones may be kept for good.
#[tokio::test(flavor = "multi_thread")]
async fn everything_the_page_names_is_there() {
    let server = TestServer::start().await;
    let index = server.get("/").await.text();
    let named = index
        .split('"')
        .filter(|text| text.starts_with('/') && text.contains('.'));
    for path in named.filter(|path| !path.starts_with("/api")) {
        let file = server.get(path).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        let content_type = match path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            other => panic!("{path} is of a type that this test does not know: {other:?}"),
        };
        assert_eq!(file.header("content-type"), content_type, "{path}");
        let kept = file.header("cache-control").contains("immutable");
        assert_eq!(kept, path.starts_with("/assets/"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn security_headers_are_on_everything() {
    let server = TestServer::start().await;
    for path in ["/", "/api/v1/services", "/api/nothing", "/assets/gone.js"] {
        let answer = server.get(path).await;
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'self';"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
}
