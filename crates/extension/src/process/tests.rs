use super::*;

const NODE: &str = "17 (node (a) b) S 1 17 17 0 -1 4194560 100 0 0 0 150 25 3 2 20 0 11 0 2533723 3133440 12800 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n";

#[test]
fn a_process() {
    let expected = Process {
        user: Duration::from_millis(1530),
        system: Duration::from_millis(270),
        threads: 11,
        resident_bytes: 12_800 * 4096,
    };
    assert_eq!(stat(NODE), Some(expected));
    for broken in [
        "",
        "17",
        "17 (x",
        "17 (x) S 1 2",
        "17 (x) S a b c d e f g h i j k l m n o p q r s t u v w",
    ] {
        assert_eq!(stat(broken), None, "{broken}");
    }
    // Cut at any place it is read or not, and nothing else.
    for end in 0..NODE.len() {
        let _ = stat(&NODE[..end]);
    }
    assert_eq!(
        peak_bytes("VmPeak:\t 1 kB\nVmHWM:\t   51200 kB\nVmRSS:\t 1 kB\n"),
        Some(51_200 << 10)
    );
    assert_eq!(peak_bytes("VmHWM: lots"), None);
}

#[test]
fn the_network() {
    let head = "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets\n";
    let line = |name: &str, received: u64, sent: u64| {
        format!("{name}: {received} 1 0 0 0 0 0 0 {sent} 1 0 0 0 0 0 0\n")
    };
    let [lo, out, eth, more] = [
        line("  lo", 5, 5),
        line("vinternal_1", 100, 20),
        line("eth0", 7, 8),
        line("eth1", 1, 2),
    ];
    for (text, expected) in [
        (format!("{head}{lo}{eth}{more}"), Some((8, 10))),
        (format!("{head}{lo}{eth}{out}"), Some((100, 20))),
        (format!("{head}{lo}"), None),
        (head.to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(network(&text), expected, "{text}");
    }
}

#[test]
fn control_groups() {
    let files = |text| group_files(text).map(|files| (files.memory, files.cpu));
    let pair = |memory: &str, cpu: &str| Some((memory.to_owned(), cpu.to_owned()));
    for (text, expected) in [
        (
            "0::/box/1\n",
            pair(
                "/sys/fs/cgroup/box/1/memory.current",
                "/sys/fs/cgroup/box/1/cpu.stat",
            ),
        ),
        (
            "4:memory:/a\n1:cpu,cpuacct:/b\n0::/\n",
            pair(
                "/sys/fs/cgroup/memory/a/memory.usage_in_bytes",
                "/sys/fs/cgroup/cpu/b/cpu.stat",
            ),
        ),
        ("4:memory:/\n0::/\n", None),
        ("0::/../../up\n", None),
        ("nonsense", None),
    ] {
        assert_eq!(files(text), expected, "{text}");
    }
    assert_eq!(
        throttled("nr_throttled 2\nthrottled_usec 1500\n"),
        Some(Duration::from_micros(1500))
    );
    assert_eq!(
        throttled("throttled_time 1500\n"),
        Some(Duration::from_nanos(1500))
    );
    assert_eq!(throttled("usage_usec 1"), None);
    assert_eq!(out_of_memory("nr_free 1\noom_kill 3\n"), Some(3));
}

#[test]
fn the_difference_of_two_readings() {
    let process = stat(NODE).unwrap();
    let mut begin = Snapshot {
        received_bytes: Some(100),
        out_of_memory: Some(1),
        ..Snapshot::default()
    };
    begin.add(&process, Some(1), Some(10));
    let mut end = Snapshot {
        received_bytes: Some(150),
        sent_bytes: Some(9),
        out_of_memory: Some(2),
        ..Snapshot::default()
    };
    let later = Process {
        user: Duration::from_millis(1600),
        ..process
    };
    end.add(&later, Some(2), None);
    end.add(&process, None, Some(3));
    let usage = end.since(&begin);
    assert_eq!(usage.user, Some(Duration::from_millis(1600)));
    assert_eq!((usage.received_bytes, usage.sent_bytes), (Some(50), None));
    assert!(usage.ran_out_of_memory);
    let shown = serde_json::to_string(&usage.attributes()).unwrap();
    let expected = r#"{"throughline.cpu.user_ms":1600.0,"throughline.cpu.system_ms":270.0,"throughline.network.received_bytes":50,"throughline.memory.resident_bytes":104857600,"throughline.memory.peak_bytes":2,"throughline.files.open":3,"throughline.threads":22}"#;
    assert_eq!(shown, expected);
    // A process that ended took its time with it: not known is not zero.
    assert_eq!(begin.since(&end).user, None);
    assert!(Snapshot::default().since(&begin).attributes().is_empty());
}

#[test]
fn which_posts_tell_an_end() {
    assert!(tells_end(
        br#"[{"type":"platform.runtimeDone","record":{}}]"#
    ));
    assert!(!tells_end(
        br#"[{"type":"function","record":"say \"platform.runtimeDone\""}]"#
    ));
    assert!(!tells_end(b"\xff"));
}

#[test]
fn all_memory_is_reached_once() {
    let usage = |before: u64, after: u64| Usage {
        group_peak_before: Some(before << 20),
        end: Snapshot {
            group_peak_bytes: Some(after << 20),
            ..Snapshot::default()
        },
        ..Usage::default()
    };
    for (before, after, memory_mb, expected) in [
        (10, 128, 128, true),
        (10, 127, 128, false),
        // An earlier invocation did.
        (130, 130, 128, false),
        (10, 20, 0, false),
        (10, 20, -1, false),
    ] {
        let reached = usage(before, after).reached(memory_mb);
        assert_eq!(reached, expected, "{before} {after} {memory_mb}");
    }
    assert!(!Usage::default().reached(128));
}
