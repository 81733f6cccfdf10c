//! Projects that lie where an environment has folders of its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use throughline_sandbox::{Function, Sandbox, StartError, World};

use crate::{call, here, json_of};

/// What a project has links for. They do not lead into a folder that has the code of the function instead.
#[derive(Clone, Copy, PartialEq)]
enum Parts {
    Linked,
    Copied,
}

/// A function, a layer, an extension and a file of the project are found, all below `base`.
async fn found_below(base: &Path, parts: Parts) {
    let project = tempfile::tempdir_in(base).unwrap();
    let built = project.path().join("built");
    let part = |name: &str, source: &Path| {
        let path = project.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::create_dir_all(&built).unwrap();
        match parts {
            Parts::Copied => drop(fs::copy(source, path).unwrap()),
            Parts::Linked => {
                let target = built.join(source.file_name().unwrap());
                fs::copy(source, &target).unwrap();
                symlink(target, path).unwrap();
            }
        }
    };
    part("function/bootstrap", &here("function/bootstrap"));
    part("extensions/recorder", &here("extension/recorder"));
    part("layer/lib/answer", &here("main.rs"));
    let (plain, record) = (project.path().join("plain"), project.path().join("record"));
    fs::write(&plain, "of the project").unwrap();
    let function = Function::new("f", project.path().join("function"))
        .layer(project.path().join("layer"))
        .env("RECORD_FILE", record.display().to_string())
        .timeout(Duration::from_secs(20));
    if parts == Parts::Copied {
        // Its record would be in a folder that is not seen.
        let function = function.env("RECORD_FILE", "/tmp/record");
        return check(function, project.path(), "head -1 /opt/lib/answer").await;
    }
    let script = format!("head -1 /opt/lib/answer; cat {}", plain.display());
    check(function, project.path(), &script).await;
    let recorded = fs::read_to_string(record).unwrap_or_default();
    assert!(recorded.contains("INVOKE"), "{base:?}: {recorded}");
}

async fn check(function: Function, project: &Path, script: &str) {
    let sandbox = Sandbox::new()
        .function(function)
        .extension(project.join("extensions/recorder"))
        .world(World::Own)
        .start()
        .await;
    let sandbox = match sandbox {
        Err(StartError::NoWorld(why)) => return eprintln!("skipped: {why}"),
        sandbox => sandbox.unwrap(),
    };
    let (answer, _) = call(&sandbox, json!({"do": "sh", "script": script})).await;
    let seen = json_of(&answer).to_string();
    assert!(seen.contains("A sandbox from outside"), "{seen}");
    if script.contains("plain") {
        assert!(seen.contains("of the project"), "{seen}");
    }
    let (answer, _) = call(
        &sandbox,
        json!({"do": "sh", "script": "ls /opt/extensions"}),
    )
    .await;
    assert_eq!(json_of(&answer), "recorder\n");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn project_below_tmp_is_found() {
    found_below(Path::new("/tmp"), Parts::Linked).await;
}

#[tokio::test]
async fn plain_project_below_tmp_leaves_what_it_writes_there_to_itself() {
    found_below(Path::new("/tmp"), Parts::Copied).await;
}

/// Nobody's `/opt` and `/var` are written to for a test: it runs once more in a world where they are memory.
#[tokio::test]
async fn project_below_other_folders_of_lambda_is_found() {
    let test = "covered::project_below_other_folders_of_lambda_is_found";
    #[allow(clippy::disallowed_methods)] // how this test tells itself where it is
    if std::env::var_os(INSIDE).is_some() {
        found_below(Path::new("/opt"), Parts::Linked).await;
        found_below(Path::new("/opt/extensions"), Parts::Copied).await;
        found_below(Path::new("/var"), Parts::Linked).await;
        found_below(Path::new("/var/task"), Parts::Copied).await;
        return found_below(Path::new("/var/runtime"), Parts::Copied).await;
    }
    let script = "mount -t tmpfs none /opt && mount -t tmpfs none /var && \
                  mkdir /opt/extensions /var/task /var/runtime && exec \"$@\"";
    let ran = tokio::process::Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(INSIDE, "1")
        .output()
        .await;
    let Ok(ran) = ran else {
        return eprintln!("skipped: unshare is not installed");
    };
    let told = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    if !told.contains("running 1 test") {
        return eprintln!("skipped: no namespaces for it here: {told}");
    }
    assert!(ran.status.success() && told.contains("1 passed"), "{told}");
}

const INSIDE: &str = "THROUGHLINE_TEST_INSIDE";
