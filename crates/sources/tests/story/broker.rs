//! Kafka's own broker.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::moto::tools;

/// A broker that is its own controller.
pub(crate) struct Broker {
    process: Child,
    /// Where it listens, soon.
    pub(crate) address: String,
    _data: TempDir,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A new broker without topics at a loopback address, or `None` with a printed reason where it is not installed.
pub(crate) fn start(host: &str) -> Option<Broker> {
    let script = include_str!("../../../../scripts/kafka");
    let version = script
        .lines()
        .find_map(|line| line.strip_prefix("version="))?;
    let jars = tools()?.join(format!("kafka-{version}"));
    let has_java = Command::new("java").arg("-version").output().is_ok();
    if !jars.is_dir() || !has_java {
        eprintln!(
            "skipped: Kafka's broker or Java is not installed; scripts/kafka fetches the broker"
        );
        return None;
    }
    let data = tempfile::tempdir().unwrap();
    let (broker, controller) = (free_port(), free_port());
    let settings = format!(
        "process.roles=broker,controller\nnode.id=1\n\
         listeners=PLAINTEXT://{host}:{broker},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://{host}:{broker}\ncontroller.listener.names=CONTROLLER\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\nlog.dirs={}\n\
         offsets.topic.replication.factor=1\ngroup.initial.rebalance.delay.ms=0\n",
        data.path().join("logs").display()
    );
    let file = data.path().join("server.properties");
    std::fs::write(&file, settings).unwrap();
    let java = |class: &str| {
        let mut java = Command::new("java");
        java.args([
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
        ]);
        java.arg(jars.join("*")).arg(class);
        java.stdout(Stdio::null()).stderr(Stdio::null());
        java
    };
    let mut format = java("kafka.tools.StorageTool");
    format
        .args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c"])
        .arg(&file);
    assert!(format.status().unwrap().success());
    Some(Broker {
        process: java("kafka.Kafka").arg(&file).spawn().unwrap(),
        address: format!("{host}:{broker}"),
        _data: data,
    })
}
