use std::collections::HashMap;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;

use expect_test::expect;

use super::*;

impl Source for HashMap<&str, &str> {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.get(name).map(Into::into)
    }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
    let written =
        file("otlp_http = '127.0.0.1:3'\nhttp = '127.0.0.1:3'\notlp_grpc = '127.0.0.1:3'");
    let environment = HashMap::from([
        ("HOME", "H"),
        ("THROUGHLINE_HTTP", "127.0.0.1:2"),
        ("THROUGHLINE_OTLP_HTTP", "127.0.0.1:2"),
        ("THROUGHLINE_API_KEY", "s3cret"),
    ]);
    let flags = Serve {
        http: Some("127.0.0.1:1".into()),
        config: Some(written.path().into()),
        ..Serve::default()
    };
    let raw = RawSettings::collect(&flags, &environment);
    let shown = raw
        .to_string()
        .replace(&written.path().display().to_string(), "FILE");
    expect![[r#"
        data_dir = "H/.local/share/throughline"    # default
        otlp_grpc = "127.0.0.1:3"                  # file FILE
        otlp_http = "127.0.0.1:2"                  # variable THROUGHLINE_OTLP_HTTP
        http = "127.0.0.1:1"                       # flag
        api_key = "****"                           # variable THROUGHLINE_API_KEY
        log_format = "text"                        # default
        retention = "30d"                          # default
        # retention_traces =                       # not set
        # retention_logs =                         # not set
        # retention_metrics =                      # not set
        actions = "off"                            # default
    "#]]
    .assert_eq(&shown);
    assert!(raw.resolve().is_ok());
}

#[test]
fn every_mistake_is_told_at_once_and_no_secret_with_it() {
    let written = file("otlp_htpp = 'x'\ncolour = 'x'\nhttp = 7\nretention_logs = '5 weeks'");
    let flags = Serve {
        otlp_grpc: Some("localhost".into()),
        log_format: Some("xml".into()),
        api_key: Some("two words".into()),
        config: Some(written.path().into()),
        ..Serve::default()
    };
    let raw = RawSettings::collect(&flags, &HashMap::new());
    let Problems(problems) = raw.resolve().unwrap_err();
    let shown = problems
        .join("\n")
        .replace(&written.path().display().to_string(), "FILE");
    expect![[r#"
        unknown setting colour in FILE: there are data_dir, otlp_grpc, otlp_http, http, api_key, log_format, retention, retention_traces, retention_logs, retention_metrics, actions
        http in FILE must be text in quotes
        unknown setting otlp_htpp in FILE: did you mean otlp_http?
        otlp_grpc (flag) is localhost: invalid socket address syntax
        log_format (flag) is xml: there are text and json
        api_key (flag) is ****: the key may hold visible ASCII characters only, no spaces
        retention_logs (file FILE) is 5 weeks: "5 weeks" says neither how long to keep nor how much: write it as 30d, 50GB, 7d,50GB or forever
        no folder for the data: set --data-dir, or HOME"#]]
    .assert_eq(&shown);
}

#[test]
fn what_is_said_of_one_signal_beats_what_is_said_of_all() {
    let flags = Serve {
        retention_traces: Some("7d,20GB".into()),
        ..Serve::default()
    };
    let environment = HashMap::from([
        ("HOME", "H"),
        ("THROUGHLINE_RETENTION", "14d"),
        ("THROUGHLINE_RETENTION_METRICS", "forever"),
    ]);
    let raw = RawSettings::collect(&flags, &environment);
    let kept = raw.retention(&mut Vec::new());
    let kept = [kept.traces, kept.logs, kept.metrics].map(|keep| keep.to_string());
    assert_eq!(kept, ["7d,20GB", "14d", "forever"]);
}

#[test]
fn a_missing_file_is_a_problem() {
    let flags = Serve {
        config: Some("no-such-file.toml".into()),
        ..Serve::default()
    };
    let raw = RawSettings::collect(&flags, &HashMap::from([("HOME", "H")]));
    let problems = raw.resolve().unwrap_err().to_string();
    assert!(
        problems.starts_with("cannot read no-such-file.toml: No such file"),
        "{problems}"
    );
}

#[test]
fn a_file_that_is_no_toml_is_told_with_the_line() {
    let written = file("http = '127.0.0.1:1'\nfoo\n");
    let flags = Serve {
        config: Some(written.path().into()),
        ..Serve::default()
    };
    let raw = RawSettings::collect(&flags, &HashMap::from([("HOME", "H")]));
    let problems = raw.resolve().unwrap_err().to_string();
    assert!(
        problems.ends_with("as TOML: line 2: key with no value, expected `=`"),
        "{problems}"
    );
}

/// A key that nobody can read must not turn into no key at all.
#[test]
fn a_variable_that_is_no_text_is_a_problem() {
    struct Garbled;
    impl Source for Garbled {
        fn variable(&self, name: &str) -> Option<OsString> {
            match name {
                "HOME" => Some("H".into()),
                "THROUGHLINE_API_KEY" => Some(OsString::from_vec(vec![0xff, 0xfe])),
                _ => None,
            }
        }
    }
    let raw = RawSettings::collect(&Serve::default(), &Garbled);
    let problems = raw.resolve().unwrap_err().to_string();
    assert_eq!(problems, "variable THROUGHLINE_API_KEY is not UTF-8 text");
}

#[test]
fn no_name_is_not_a_folder() {
    let flags = Serve {
        data_dir: Some(String::new()),
        ..Serve::default()
    };
    let raw = RawSettings::collect(&flags, &HashMap::from([("HOME", "H")]));
    let problems = raw.resolve().unwrap_err().to_string();
    assert_eq!(problems, "data_dir (flag) is empty");
}

#[test]
fn beyond_this_machine_a_key_is_needed() {
    let flags = Serve {
        http: Some("0.0.0.0:4300".into()),
        ..Serve::default()
    };
    let raw = RawSettings::collect(&flags, &HashMap::from([("HOME", "H")]));
    let problems = raw.resolve().unwrap_err().to_string();
    assert!(problems.contains("without a key"), "{problems}");
}
