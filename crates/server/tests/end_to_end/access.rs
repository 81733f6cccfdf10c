//! The key, and host names of other machines.

use http::StatusCode;
use throughline_server::Limits;
use throughline_telemetry::Signal;
use tonic::Code;

use crate::harness::TestServer;
use crate::samples::{one_as_json, one_as_protobuf};

#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_data_needs_it() {
    let server = TestServer::start_with(Some("s3cret"), Limits::default()).await;
    let body = one_as_protobuf(Signal::Traces, "keyed");

    let answer = server.post_protobuf(Signal::Traces, body.clone()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let keyed = [
        ("content-type", "application/x-protobuf"),
        ("authorization", "Bearer s3cret"),
    ];
    assert_eq!(
        server.post("/v1/traces", &keyed, body.clone()).await.status,
        StatusCode::OK
    );

    let refused = server
        .export(Signal::Traces, None, body.clone())
        .await
        .expect_err("no key");
    assert_eq!(refused.code(), Code::Unauthenticated);
    let with_key = |request: &mut tonic::Request<_>| {
        let key = "Bearer s3cret".parse().unwrap();
        request.metadata_mut().insert("authorization", key);
    };
    server
        .export_with(Signal::Traces, None, body, with_key)
        .await
        .expect("OK");

    for path in [
        "/api/v1/traces",
        "/api/v1/openapi.json",
        "/api/nothing",
        "/api",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.json()["code"], "TL0206");
        let wrong = server
            .get_with(path, ("authorization", "Bearer s3creT"))
            .await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let answer = server
        .get_with("/api/v1/traces", ("authorization", "Bearer s3cret"))
        .await;
    assert_eq!(answer.json()["total"], 1);

    // The page holds no data and must load to ask for the key; health is for machines without one.
    assert_eq!(server.get("/").await.status, StatusCode::OK);
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
}

/// A page whose name was rebound to this machine may send here what it likes, but not without
/// saying where it comes from. Senders may call this machine by any name.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_pages_leave_nothing() {
    let server = TestServer::start().await;
    let json = ("content-type", "application/json");
    let foreign = ("origin", "http://rebound.example:4318");
    let body = one_as_json(Signal::Traces, "planted");
    let answer = server
        .post("/v1/traces", &[json, foreign], body.clone())
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text().contains("TL0310"), "{}", answer.text());

    let planted = one_as_protobuf(Signal::Traces, "planted");
    let refused = server.export_with(Signal::Traces, None, planted, |request| {
        let origin = foreign.1.parse().expect("a header");
        request.metadata_mut().insert("origin", origin);
    });
    let refused = refused.await.expect_err("must be refused");
    assert_eq!(refused.code(), tonic::Code::PermissionDenied);
    assert_eq!(server.json("/api/v1/traces").await["total"], 0);

    for own in [
        ("origin", "http://localhost:3000"),
        ("host", "collector:4318"),
    ] {
        let answer = server.post("/v1/traces", &[json, own], body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{own:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_host_names_get_nothing() {
    let server = TestServer::start().await;
    for path in ["/", "/api/v1/traces", "/healthz"] {
        for foreign in [
            ("host", "rebound.example:4300"),
            ("origin", "https://elsewhere.example"),
        ] {
            let answer = server.get_with(path, foreign).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {foreign:?}");
            assert_eq!(answer.json()["code"], "TL0207");
        }
        for own in ["localhost:4300", "127.0.0.1", "[::1]:9"] {
            assert_eq!(
                server.get_with(path, ("host", own)).await.status,
                StatusCode::OK,
                "{path} {own}"
            );
        }
    }
}
