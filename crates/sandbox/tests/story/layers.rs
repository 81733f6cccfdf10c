//! What functions find in `/opt`, and runtime clients that come from the cache.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use throughline_sandbox::{Function, Sandbox, StartError};
use zip::write::SimpleFileOptions;

use crate::{call, function, here, json_of, next_line};

/// A zip file of these files, each with its mode.
fn zip_of(path: &Path, files: &[(&str, &str, u32)]) -> PathBuf {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, text, mode) in files {
        let options = SimpleFileOptions::default().unix_permissions(*mode);
        zip.start_file(*name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    path.to_owned()
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Whether a program can be run; says so if not.
fn has(program: &str) -> bool {
    let there = std::process::Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped: {program} is not installed");
    }
    there
}

/// Starts it with the machine's own cache, so that clients are installed once for all tests; `None` without a network.
async fn start_managed(function: Function) -> Option<throughline_sandbox::RunningSandbox> {
    let function = function.timeout(Duration::from_secs(30));
    let sandbox = Sandbox::new()
        .function(function)
        .init_timeout(Duration::from_secs(60));
    match sandbox.start().await {
        Ok(sandbox) => Some(sandbox),
        Err(StartError::Code { problems }) if problems[0].contains("cannot install") => {
            println!("skipped: {}", problems[0]);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn extension_in_a_zip_layer_runs_and_sees_the_layers_below() {
    let folder = crate::folder().unwrap();
    let extension = fs::read_to_string(here("extension/recorder")).unwrap();
    let record = folder.path().join("record");
    let zip = zip_of(
        &folder.path().join("layer.zip"),
        &[("extensions/recorder", &extension, 0o755)],
    );
    let below = folder.path().join("below");
    write(
        &below,
        &[
            ("bin/tool", "#!/bin/sh\n"),
            ("extensions/recorder", "#!/bin/sh\nexit 9\n"),
        ],
    );
    let sandbox = Sandbox::new()
        .cache(folder.path().join("cache"))
        .function(
            function()
                .layer(below)
                .layer(zip)
                .env("RECORD_FILE", record.display().to_string()),
        )
        .start()
        .await
        .unwrap();
    let (answer, _) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer)["count"], 1, "{}", answer.text());
    sandbox.shutdown().await;
    let record = fs::read_to_string(record).unwrap();
    assert!(record.contains("INVOKE"), "{record}");
}

#[tokio::test]
async fn file_that_switches_extensions_off_does() {
    let layer = crate::folder().unwrap();
    write(
        layer.path(),
        &[
            ("disable-extensions-jwigqn8j", ""),
            ("extensions/broken", "#!/bin/sh\nexit 9\n"),
        ],
    );
    let code = crate::folder().unwrap();
    write(code.path(), &[("bootstrap", EXTENSIONS_PATH)]);
    let sandbox = Sandbox::new()
        .function(Function::new("f", code.path()).layer(layer.path()))
        .extension(layer.path().join("extensions/broken"))
        .start()
        .await
        .unwrap();
    let (answer, _) = call(&sandbox, json!({})).await;
    assert_eq!(answer.text(), "404");
}

/// A runtime that answers with the status of a registration.
const EXTENSIONS_PATH: &str = r#"#!/usr/bin/env python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def ask(method, path, body=None, headers={}):
    api.request(method, path, body, headers)
    response = api.getresponse()
    response.read()
    return response
status = ask("POST", "/2020-01-01/extension/register", "{}", {"Lambda-Extension-Name": "inside"}).status
while True:
    id = ask("GET", "/2018-06-01/runtime/invocation/next").headers["Lambda-Runtime-Aws-Request-Id"]
    ask("POST", f"/2018-06-01/runtime/invocation/{id}/response", str(status))
"#;

#[tokio::test]
async fn bootstrap_in_a_layer_starts_a_function_without_one() {
    let (code, layer) = (crate::folder().unwrap(), crate::folder().unwrap());
    fs::copy(here("function/bootstrap"), layer.path().join("bootstrap")).unwrap();
    let sandbox = Sandbox::new()
        .function(
            Function::new("f", code.path())
                .layer(layer.path())
                .timeout(Duration::from_secs(20)),
        )
        .start()
        .await
        .unwrap();
    let (answer, _) = call(&sandbox, json!({"n": 1})).await;
    assert_eq!(json_of(&answer)["event"], json!({"n": 1}));
}

const WRAPPER: &str = r#"#!/bin/sh
echo "wrapped: $# arguments"
export WRAPPED="by $(basename "$0")"
exec "$@"
"#;

#[tokio::test]
async fn python_function_without_a_client_runs_wrapped_with_its_layer() {
    if !has("python3") {
        return;
    }
    let (code, layer) = (crate::folder().unwrap(), crate::folder().unwrap());
    write(
        layer.path(),
        &[
            ("wrapper", WRAPPER),
            ("python/greeting.py", "WORD = 'layered'\n"),
            ("bin/tool", "#!/bin/sh\necho tool\n"),
        ],
    );
    let app = "import os, subprocess, greeting\ndef handler(event, context):\n    \
               tool = subprocess.check_output('tool', text=True).strip()\n    \
               return [greeting.WORD, tool, os.environ['WRAPPED'], event]\n";
    write(code.path(), &[("app.py", app)]);
    let function = Function::new("f", code.path())
        .runtime("python3.13".parse().unwrap())
        .handler("app.handler")
        .layer(layer.path())
        .env("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrapper");
    let Some(sandbox) = start_managed(function).await else {
        return;
    };
    let mut activity = sandbox.activity();
    let (answer, _) = call(&sandbox, json!({"n": 1})).await;
    assert_eq!(
        json_of(&answer),
        json!(["layered", "tool", "by wrapper", {"n": 1}])
    );
    assert_eq!(next_line(&mut activity).await, "wrapped: 4 arguments");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn node_function_without_a_client_runs_wrapped_with_its_layer() {
    if !has("node") || !has("npm") {
        return;
    }
    let (code, layer) = (crate::folder().unwrap(), crate::folder().unwrap());
    write(
        layer.path(),
        &[
            ("wrapper", WRAPPER),
            (
                "nodejs/node_modules/greeting/index.js",
                "module.exports = 'layered';\n",
            ),
        ],
    );
    let app = "const greeting = require('greeting');\n\
               exports.handler = async (event) => [greeting, process.env.WRAPPED, event];\n";
    write(code.path(), &[("index.js", app)]);
    let function = Function::new("f", code.path())
        .runtime("nodejs22.x".parse().unwrap())
        .handler("index.handler")
        .layer(layer.path())
        .env("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrapper");
    let Some(sandbox) = start_managed(function).await else {
        return;
    };
    let mut activity = sandbox.activity();
    let (answer, _) = call(&sandbox, json!({"n": 1})).await;
    assert_eq!(json_of(&answer), json!(["layered", "by wrapper", {"n": 1}]));
    assert_eq!(next_line(&mut activity).await, "wrapped: 2 arguments");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn two_starts_at_once_install_a_client_once() {
    if !has("python3") {
        return;
    }
    let (code, cache) = (crate::folder().unwrap(), crate::folder().unwrap());
    write(
        code.path(),
        &[("app.py", "def handler(event, context):\n    return event\n")],
    );
    let notices = Arc::new(Mutex::new(Vec::new()));
    let start = || {
        let notices = notices.clone();
        let function = Function::new("f", code.path())
            .runtime("python3.13".parse().unwrap())
            .handler("app.handler");
        Sandbox::new()
            .cache(cache.path())
            .function(function)
            .on_notice(move |text| notices.lock().unwrap().push(text.to_owned()))
            .start()
    };
    let (one, two) = tokio::join!(start(), start());
    for started in [one, two] {
        match started {
            Ok(sandbox) => sandbox.shutdown().await,
            Err(error) => {
                assert!(error.to_string().contains("cannot install"), "{error}");
                println!("skipped: {error}");
                return;
            }
        }
    }
    let notices = notices.lock().unwrap();
    let installs = notices.iter().filter(|text| text.starts_with("installing"));
    assert_eq!(installs.count(), 1, "{notices:?}");
}
