use std::net::TcpListener;

use super::*;

fn check(answer: &str, expected: Option<(u16, &str)>) {
    let whole = |bytes: &[u8], ended| match parse(bytes, ended) {
        Progress::Whole(answer) => Some((answer.status, String::from_utf8(answer.body).unwrap())),
        _ => None,
    };
    let expected = expected.map(|(status, body)| (status, body.to_owned()));
    assert_eq!(whole(answer.as_bytes(), true), expected, "{answer:?}");
    // Cut anywhere, it is either not whole yet or the same in the end: it never panics.
    for at in 0..answer.len() {
        let (part, ended) = (&answer.as_bytes()[..at], false);
        if let Some(early) = whole(part, ended) {
            assert_eq!(Some(early), expected, "{answer:?} cut at {at}");
        }
        let _ = whole(part, true);
    }
}

#[test]
fn answers_of_all_kinds_of_servers() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
    for (answer, status, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"),
        ("HTTP/1.0 200\ncontent-length:2\n\n{}", 200, "{}"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}more",
            200,
            "{}",
        ),
        ("HTTP/1.1 200 OK\r\n\r\nuntil it ends", 200, "until it ends"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\ncontent-length: 1\r\n\r\nx",
            403,
            "x",
        ),
        (
            &format!("{chunked}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
            200,
            "abcde",
        ),
        (&format!("{chunked}what\r\n"), 200, ""),
    ] {
        check(answer, Some((status, body)));
    }
}

#[test]
fn a_body_that_was_cut_counts_as_far_as_it_came() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc",
    ] {
        assert_eq!(parse(answer.as_bytes(), false), Progress::More);
        match parse(answer.as_bytes(), true) {
            Progress::Whole(answer) => assert_eq!(answer.body, b"abc"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_not_http_is_said() {
    for (answer, why) in [
        (&b"nonsense\r\n\r\n"[..], "it does not begin with a status"),
        (b"HTTP/1.1 many\r\n\r\n", "it does not begin with a status"),
        (b"HTTP/1.1 200\r\n\xff: 1\r\n\r\n", "its head is not text"),
    ] {
        assert_eq!(parse(answer, true), Progress::Bad(why));
    }
    assert_eq!(parse(b"", true), Progress::More);
    assert_eq!(
        parse(b"\r\n\r\n\r\n", true),
        Progress::Bad("it does not begin with a status")
    );
}

#[test]
fn names_of_headers_have_no_case() {
    let Progress::Whole(answer) = parse(
        b"HTTP/1.1 200 OK\r\nLambda-EXTENSION-Identifier:  an-id \r\n\r\n",
        true,
    ) else {
        panic!("it is whole");
    };
    assert_eq!(answer.header("lambda-extension-identifier"), Some("an-id"));
    assert_eq!(answer.header("lambda"), None);
}

/// A server that reads one request and answers with these pieces.
fn server(pieces: &'static [&'static str]) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        let mut read = String::new();
        while !read.contains("\r\n\r\n{") {
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "a whole request");
            read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        for piece in pieces {
            stream.write_all(piece.as_bytes()).unwrap();
        }
        read
    });
    (address, served)
}

fn ask(address: &str, wait: Duration) -> Result<Answer, Trouble> {
    call(&Call {
        address,
        method: "POST",
        path: "/here",
        headers: &[("x-name", "value")],
        body: "{}",
        wait: Some(wait),
    })
}

#[test]
fn the_request_is_http() {
    let (address, served) = server(&["HTTP/1.1 200 OK\r\ncontent", "-length: 2\r\n\r\n", "{}"]);
    let answer = ask(&address, Duration::from_secs(20)).unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
    let expected = format!(
        "POST /here HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\nx-name: value\r\n\r\n{{}}"
    );
    assert_eq!(served.join().unwrap(), expected);
}

#[test]
fn nobody_there_and_nothing_said_are_told_apart_from_nonsense() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let closed = ask(&free.unwrap().to_string(), Duration::from_secs(20));
    assert!(matches!(closed, Err(Trouble::Unreachable(_))), "{closed:?}");
    let (address, _) = server(&[]);
    let ended = ask(&address, Duration::from_secs(20));
    assert!(matches!(ended, Err(Trouble::Unreachable(_))), "{ended:?}");
    let (address, _) = server(&["SSH-2.0-OpenSSH\r\n\r\n"]);
    let nonsense = ask(&address, Duration::from_secs(20));
    assert!(
        matches!(nonsense, Err(Trouble::Unreadable(_))),
        "{nonsense:?}"
    );
}

#[test]
fn a_server_that_never_answers_is_left() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let waited = ask(&address, Duration::from_millis(20));
    assert_eq!(
        waited,
        Err(Trouble::Unreachable("no answer in time".to_owned()))
    );
}
