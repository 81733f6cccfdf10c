//! §1.8: what a process finds in its variables.

use throughline_sandbox::{Function, LogFormat, Runtime};

use crate::stage::{Play, Puppet, Stage};

/// The runtime and the extension of a function with these settings.
async fn processes(change: impl FnOnce(Function) -> Function) -> (Stage, Puppet, Puppet) {
    let stage = Play::new().function(change).extension("ext").open().await;
    drop(stage.invoke());
    let extension = stage.meets("ext").await;
    extension.registers(&[]).await;
    let runtime = stage.runtime().await;
    (stage, runtime, extension)
}

#[tokio::test]
async fn both_kinds_of_process_get_these() {
    let (stage, runtime, extension) = processes(|f| {
        f.memory_mb(256)
            .env("OWN", "mine")
            .env("AWS_REGION", "mars")
    })
    .await;
    let expected = [
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "Text"),
        ("TZ", ":UTC"),
        ("OWN", "mine"),
    ];
    for process in [&runtime, &extension] {
        for (name, value) in expected {
            assert_eq!(
                process.variable(name),
                Some(value),
                "{name} of {}",
                process.name
            );
        }
        for name in [
            "AWS_LAMBDA_RUNTIME_API",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_LAMBDA_METADATA_API",
            "AWS_LAMBDA_METADATA_TOKEN",
            "PATH",
            "LANG",
        ] {
            assert!(
                process.variable(name).is_some(),
                "{name} of {}",
                process.name
            );
        }
        let api = process.variable("AWS_LAMBDA_RUNTIME_API").unwrap();
        assert!(api.parse::<std::net::SocketAddr>().is_ok(), "{api}");
    }
    drop(stage);
}

#[tokio::test]
async fn runtime_alone_gets_these() {
    let (stage, runtime, extension) = processes(|f| f.handler("app.handler")).await;
    for name in [
        "_HANDLER",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "AWS_XRAY_DAEMON_ADDRESS",
        "AWS_XRAY_CONTEXT_MISSING",
        "_AWS_XRAY_DAEMON_ADDRESS",
        "_AWS_XRAY_DAEMON_PORT",
    ] {
        assert!(runtime.variable(name).is_some(), "{name} of the runtime");
        assert_eq!(extension.variable(name), None, "{name} of the extension");
    }
    assert_eq!(runtime.variable("_HANDLER"), Some("app.handler"));
    assert_eq!(
        runtime.variable("AWS_LAMBDA_LOG_GROUP_NAME"),
        Some("/aws/lambda/f")
    );
    assert_eq!(
        runtime.variable("AWS_XRAY_CONTEXT_MISSING"),
        Some("LOG_ERROR")
    );
    for process in [&runtime, &extension] {
        for name in [
            "_X_AMZN_TRACE_ID",
            "AWS_LAMBDA_MAX_CONCURRENCY",
            "AWS_EXECUTION_ENV",
        ] {
            assert_eq!(process.variable(name), None, "{name} of {}", process.name);
        }
    }
    drop(stage);
}

#[tokio::test]
async fn variables_of_the_customer_do_not_begin_with_an_underscore() {
    let (stage, runtime, extension) = processes(|f| {
        f.env("_SECRET", "1")
            .env("_HANDLER", "mine")
            .env("_AWS_XRAY_DAEMON_PORT", "1")
    })
    .await;
    assert_eq!(runtime.variable("_SECRET"), None);
    // Let through, and then the platform's own wins.
    assert_eq!(runtime.variable("_HANDLER"), Some("bootstrap"));
    assert_eq!(runtime.variable("_AWS_XRAY_DAEMON_PORT"), Some("2000"));
    let private = |name: &&String| name.starts_with('_') && name.as_str() != "_";
    assert_eq!(extension.variables.keys().find(private), None);
    drop(stage);
}

#[tokio::test]
async fn level_of_the_log_is_told_with_the_json_format() {
    let (_stage, runtime, extension) = processes(|f| f.log_format(LogFormat::Json)).await;
    for process in [&runtime, &extension] {
        assert_eq!(process.variable("AWS_LAMBDA_LOG_FORMAT"), Some("JSON"));
        assert_eq!(process.variable("AWS_LAMBDA_LOG_LEVEL"), Some("INFO"));
    }
}

#[tokio::test]
async fn processes_have_groups_of_their_own_and_the_runtime_stands_in_its_code() {
    let (_stage, runtime, extension) =
        processes(|f| f.runtime(Runtime::Provided("provided.al2023".to_owned()))).await;
    let group = |puppet: &Puppet| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", puppet.pid)).unwrap();
        let fields: Vec<_> = stat
            .rsplit_once(") ")
            .unwrap()
            .1
            .split(' ')
            .map(str::to_owned)
            .collect();
        fields[2].clone()
    };
    assert_ne!(group(&runtime), group(&extension));
    let cwd = std::fs::read_link(format!("/proc/{}/cwd", runtime.pid)).unwrap();
    assert!(
        cwd.ends_with(
            runtime
                .variable("LAMBDA_TASK_ROOT")
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
        )
    );
}
