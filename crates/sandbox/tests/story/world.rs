//! What an environment sees of the world: its own loopback and folders, and its doors.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{
    DoorState, Function, Invoke, RunningSandbox, Sandbox, StartError, World, WorldUsed,
};

use crate::{call, folder, function, here, json_of, start};

/// Starts it with worlds of their own, or says why this machine cannot.
async fn start_own(sandbox: Sandbox) -> Option<RunningSandbox> {
    match sandbox.world(World::Own).start().await {
        Ok(running) => Some(running),
        Err(StartError::NoWorld(why)) => {
            eprintln!("skipped: {why}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

async fn sh(sandbox: &RunningSandbox, script: &str) -> String {
    let (answer, _) = call(sandbox, json!({"do": "sh", "script": script})).await;
    json_of(&answer).as_str().unwrap_or_default().to_owned()
}

async fn get(sandbox: &RunningSandbox, event: Value) -> String {
    let (answer, _) = call(sandbox, event).await;
    json_of(&answer).as_str().unwrap_or_default().to_owned()
}

/// Answers every connection with a few bytes of HTTP, for as long as the process lives.
fn server(body: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            // All of its head, or what is left of it resets the connection and the answer with it.
            let (mut head, mut part) = (Vec::new(), [0; 4096]);
            while !head.ends_with(b"\r\n\r\n")
                && let Ok(length @ 1..) = connection.read(&mut part)
            {
                head.extend(&part[..length]);
            }
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    address
}

#[tokio::test]
async fn two_environments_listen_on_the_same_ports() {
    let Some(sandbox) = start_own(Sandbox::new().function(function())).await else {
        return;
    };
    let folder = folder().unwrap();
    let script = format!(
        r#"import os, socket, time
here, there = "{0}/" + str(os.getpid()), "{0}"
sockets = [socket.create_server((address, port)) for address, port in
           [("127.0.0.1", 2000), ("", 4317), ("127.0.0.1", 4318), ("", 8124), ("127.0.0.1", 8200)]]
open(here, "w").close()
while len(os.listdir(there)) < 2: time.sleep(0.005)
print(os.environ["AWS_LAMBDA_RUNTIME_API"], os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])"#,
        folder.path().display()
    );
    let event = json!({"do": "sh", "script": format!("python3 -c '{script}'")}).to_string();
    let invoke = || sandbox.call(Invoke::new("f").payload(event.clone()));
    let (one, other) = tokio::join!(invoke(), invoke());
    for answer in [one.unwrap(), other.unwrap()] {
        assert_eq!(json_of(&answer), "127.0.0.1:9001 http://127.0.0.1:4318\n");
    }
}

#[tokio::test]
async fn folders_are_those_of_lambda_and_survive_a_reset() {
    let layer = folder().unwrap();
    std::fs::create_dir(layer.path().join("lib")).unwrap();
    std::fs::write(layer.path().join("lib/answer"), "42").unwrap();
    let record = folder().unwrap();
    let sandbox = Sandbox::new()
        .function(function().layer(layer.path()).env(
            "RECORD_FILE",
            record.path().join("record").display().to_string(),
        ))
        .extension(here("extension"));
    let Some(sandbox) = start_own(sandbox).await else {
        return;
    };
    let seen = sh(
        &sandbox,
        "pwd; cat /opt/lib/answer; echo; ls /opt/extensions /var/task; ls -A /tmp; ls -d /var/runtime; \
         touch /var/task/x 2>/dev/null || echo read-only; echo $TMPDIR; echo kept > /tmp/file; cat /etc/hosts | head -1",
    )
    .await;
    assert_eq!(
        seen.lines().collect::<Vec<_>>(),
        [
            "/var/task",
            "42",
            "/opt/extensions:",
            "recorder",
            "",
            "/var/task:",
            "bootstrap",
            "/var/runtime",
            "read-only",
            "",
            "127.0.0.1 localhost sandbox.localdomain sandbox",
        ],
        "{seen}"
    );
    call(&sandbox, json!({"do": "exit", "code": 1})).await;
    assert_eq!(sh(&sandbox, "cat /tmp/file").await, "kept\n");
    assert!(!std::path::Path::new("/var/task").exists());
}

#[tokio::test]
async fn ephemeral_storage_is_full_at_its_size() {
    let function = function().ephemeral_storage_mb(8);
    let Some(sandbox) = start_own(Sandbox::new().function(function)).await else {
        return;
    };
    let seen = sh(
        &sandbox,
        "head -c 7000000 /dev/zero > /tmp/a && echo fits; head -c 7000000 /dev/zero > /tmp/b || ls /tmp",
    )
    .await;
    assert!(
        seen.starts_with("fits\n") && seen.contains("No space left on device"),
        "{seen}"
    );
}

#[tokio::test]
async fn nothing_of_it_is_left_behind() {
    let ours = format!("throughline-sandbox-{}-", std::process::id());
    let folders = || -> Vec<_> {
        let all = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
        let names = all.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(&ours)).collect()
    };
    // Other tests of this process have folders too: look only at those that are new.
    let before = folders();
    let sandbox = start(function()).await;
    let own = folders();
    sh(&sandbox, "echo x > ${TMPDIR:-/tmp}/throughline-world-test").await;
    sandbox.shutdown().await;
    let new = |name: &&String| !before.contains(name);
    assert!(own.iter().any(|name| new(&name)), "{own:?}");
    assert!(!std::env::temp_dir().join("throughline-world-test").exists());
}

#[tokio::test]
async fn only_doors_lead_out() {
    let (declared, other) = (server("through the door"), server("out of reach"));
    let sandbox = Sandbox::new()
        .function(function().env("TARGET", format!("http://{declared}/")))
        .door("backend", declared.to_string())
        .door("named", format!("backend.example.com:{}", declared.port()));
    let Some(sandbox) = start_own(sandbox).await else {
        return;
    };
    let (told, _) = call(&sandbox, json!({"do": "variables", "keys": ["TARGET"]})).await;
    let target = json_of(&told)["TARGET"].as_str().unwrap().to_owned();
    assert_eq!(target, format!("http://127.0.1.1:{}/", declared.port()));
    assert_eq!(
        get(&sandbox, json!({"do": "get", "url": target})).await,
        "through the door"
    );
    let shut = get(
        &sandbox,
        json!({"do": "get", "url": format!("http://{other}/")}),
    )
    .await;
    assert!(shut.contains("refused"), "{shut}");
    let shut = get(&sandbox, json!({"do": "get", "url": "http://192.0.2.1/"})).await;
    assert!(shut.contains("unreachable"), "{shut}");
    assert_eq!(
        sh(&sandbox, "getent hosts backend.example.com | cut -d' ' -f1").await,
        "127.0.1.2\n"
    );
    let told = sandbox.doors().told();
    assert_eq!((told[0].connections, told[0].bytes_out > 0), (1, true));
}

#[tokio::test]
async fn doors_are_slow_or_shut_in_both_worlds() {
    for world in [World::Own, World::Shared] {
        let target = server("through the door");
        let sandbox = Sandbox::new()
            .function(function().env("TARGET", format!("http://{target}/")))
            .world(world)
            .start()
            .await;
        let sandbox = match sandbox {
            Err(StartError::NoWorld(why)) => {
                eprintln!("skipped: {why}");
                continue;
            }
            sandbox => sandbox.unwrap(),
        };
        let (told, _) = call(&sandbox, json!({"do": "variables", "keys": ["TARGET"]})).await;
        let url = json_of(&told)["TARGET"].clone();
        let get = async |timeout: f64| {
            get(
                &sandbox,
                json!({"do": "get", "url": url, "timeout": timeout}),
            )
            .await
        };
        let set = |state| sandbox.doors().set("target", state).unwrap();
        assert_eq!(get(20.0).await, "through the door");
        set(DoorState::Refuse);
        // A connection that comes while the door is being shut is taken and reset.
        let mut refused = get(20.0).await;
        if refused.contains("reset by peer") {
            refused = get(20.0).await;
        }
        assert!(refused.contains("Connection refused"), "{refused}");
        set(DoorState::BlackHole);
        let silent = get(0.3).await;
        assert!(silent.contains("timed out"), "{silent}");
        set(DoorState::Slow {
            delay: Duration::from_secs(600),
            bytes_per_second: None,
        });
        let slow = get(0.3).await;
        assert!(slow.contains("timed out"), "{slow}");
        set(DoorState::Slow {
            delay: Duration::ZERO,
            bytes_per_second: Some(100_000),
        });
        assert_eq!(get(20.0).await, "through the door");
        set(DoorState::Open);
        assert_eq!(get(20.0).await, "through the door");
        let unknown = sandbox.doors().set("nowhere", DoorState::Open);
        assert_eq!(
            unknown.unwrap_err().to_string(),
            "no door is named nowhere: there are lambda, target"
        );
    }
}

#[tokio::test]
async fn functions_invoke_each_other_through_their_door() {
    let sandbox = Sandbox::new()
        .function(function())
        .function(Function::new("g", here("function")).timeout(Duration::from_secs(20)))
        .start()
        .await
        .unwrap();
    let seen = sh(
        &sandbox,
        r#"python3 -c 'import os, urllib.request as u
print(u.urlopen(os.environ["AWS_ENDPOINT_URL_LAMBDA"] + "/2015-03-31/functions/g/invocations", b"{}").status)'"#,
    )
    .await;
    assert_eq!(seen, "200\n");
}

#[tokio::test]
async fn which_world_it_is_can_be_asked() {
    let sandbox = Sandbox::new().world(World::Shared).start().await.unwrap();
    let why = "as it was asked for".to_owned();
    assert_eq!(*sandbox.world(), WorldUsed::Shared { why });
}

#[tokio::test]
async fn function_that_uses_up_its_memory_is_killed() {
    let sandbox = start(function().memory_mb(128)).await;
    call(&sandbox, json!({})).await;
    let (answer, finished) = call(&sandbox, json!({"do": "memory", "mb": 512})).await;
    let error = json_of(&answer);
    assert_eq!(error["errorType"], "Runtime.ExitError", "{error}");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("Runtime exited with error: signal: killed"),
        "{message}"
    );
    assert_eq!(finished.memory_max_used_mb, 128);
    let (_, finished) = call(&sandbox, json!({"do": "memory", "mb": 60})).await;
    let used = finished.memory_max_used_mb;
    assert!((60..128).contains(&used), "{used}");
}

#[tokio::test]
async fn share_of_a_core_is_that_of_the_memory() {
    // A quarter of 1769 MB.
    let function = function().memory_mb(442);
    let sandbox = Sandbox::new()
        .function(function.timeout(Duration::from_secs(60)))
        .init_timeout(Duration::from_secs(60))
        .cpu_share()
        .start()
        .await
        .unwrap();
    let groups = sh(&sandbox, "cat /proc/self/cgroup").await;
    let limited = |line: &&str| line.contains("throughline-");
    let of_cpu = |line: &&str| line.split(':').nth(1) == Some("cpu") || line.starts_with("0::");
    let Some(group) = groups.lines().filter(limited).find(of_cpu) else {
        return eprintln!("skipped: no control group for processor time here");
    };
    let path = group.rsplit(':').next().unwrap();
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let mut roots = mounts.lines().filter_map(|mount| {
        let fields: Vec<_> = mount.split(' ').collect();
        fields[2]
            .starts_with("cgroup")
            .then(|| fields[1].to_owned() + path)
    });
    let read = |folder: &String, name| std::fs::read_to_string(format!("{folder}/{name}")).ok();
    let quota = roots.find_map(|folder| match read(&folder, "cpu.max") {
        Some(both) => Some(both),
        None => Some(read(&folder, "cpu.cfs_quota_us")? + &read(&folder, "cpu.cfs_period_us")?),
    });
    let Some(quota) = quota else {
        return eprintln!("skipped: {path} is not mounted where this test sees it");
    };
    let numbers = quota
        .split_whitespace()
        .map(|word| word.parse::<f64>().unwrap());
    let numbers: Vec<_> = numbers.collect();
    assert!((numbers[0] / numbers[1] - 0.25).abs() < 0.01, "{quota}");
    // However busy the machine is, nobody gets more than the share.
    let script = "import time\nbegin, used = time.time(), time.process_time()\n\
                  while time.process_time() - used < 0.3: pass\nprint(time.time() - begin)";
    let took = sh(&sandbox, &format!("python3 -c '{script}'")).await;
    let took: f64 = took.trim().parse().unwrap();
    assert!(
        took > 0.9,
        "0.3 s of a quarter of a core were over in {took} s"
    );
}

#[tokio::test]
async fn what_is_in_tmp_is_not_the_functions_memory() {
    let function = function().memory_mb(128).ephemeral_storage_mb(512);
    let Some(sandbox) = start_own(Sandbox::new().function(function)).await else {
        return;
    };
    let seen = sh(
        &sandbox,
        "head -c 300000000 /dev/zero > /tmp/a; stat -c %s /tmp/a",
    )
    .await;
    assert_eq!(seen, "300000000\n");
}

#[tokio::test]
async fn process_that_left_its_group_is_frozen_and_killed_with_the_others() {
    let sandbox = start(function()).await;
    let script = "setsid sleep 600 >/dev/null 2>&1 & echo $!";
    let pid = sh(&sandbox, script).await;
    let pid: Value = pid.trim().parse::<u64>().unwrap().into();
    if sandbox.freezes_all() {
        let frozen = async {
            while !crate::is_frozen(&pid) {
                tokio::task::yield_now().await;
            }
        };
        let frozen = tokio::time::timeout(Duration::from_secs(20), frozen).await;
        frozen.expect("it is not frozen");
    } else {
        eprintln!("skipped: no control group to freeze it in");
    }
    sandbox.shutdown().await;
    crate::until_gone(&pid).await;
}

/// As root the namespaces need no user namespace; this is how they are made without root.
#[tokio::test]
async fn worlds_are_made_for_an_ordinary_user_too() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    if !status.lines().any(|line| line.starts_with("Uid:\t0\t")) {
        return eprintln!("skipped: all tests of this run are an ordinary user's");
    }
    let ran = tokio::process::Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .args([
            "world::ephemeral_storage_is_full_at_its_size",
            "world::only_doors_lead_out",
        ])
        .env("HOME", "/tmp")
        .output()
        .await;
    let Ok(ran) = ran else {
        return eprintln!("skipped: setpriv is not installed");
    };
    let told = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    if told.contains("Permission denied") && !told.contains("running") {
        return eprintln!("skipped: another user may not run this test: {told}");
    }
    assert!(ran.status.success() && told.contains("2 passed"), "{told}");
    eprintln!(
        "{}",
        told.lines()
            .filter(|line| line.contains("skipped"))
            .collect::<String>()
    );
}
