use std::io::Write;

use http_body_util::Full;
use hyper_util::client::legacy::Client;
use throughline_extension::room::Room;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Answers with the length of the body, or why there is none.
async fn server() -> (String, Arc<Counters>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let counters = Arc::new(Counters::default());
    let room = Room::new(1 << 20, 0);
    let handler = move |request: Request<Incoming>| {
        let charge = room.open();
        async move {
            let read = body(request.into_body(), 1000, charge, |_| {}).await;
            let said = match read {
                Ok((bytes, _)) => bytes.len().to_string(),
                Err(bad) => format!("{bad:?}"),
            };
            Response::new(Full::new(Bytes::from(said)))
        }
    };
    let serving = serve(listener, Speaks::Http1, Arc::clone(&counters), handler);
    tokio::spawn(serving);
    (address, counters)
}

/// A connection that says this and no more.
async fn connection(address: &str, says: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(says.as_bytes()).await.unwrap();
    stream
}

async fn post(address: &str, body: &'static str) -> Result<String, String> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(format!("http://{address}/")).body(Full::new(Bytes::from(body)));
    let response = client.request(request.unwrap()).await;
    let response = response.map_err(|error| error.to_string())?;
    let body = response.into_body().collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

const UNFINISHED: &str = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nbegun";

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let (address, _) = server().await;
    let mut stream = connection(&address, UNFINISHED).await;
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.ends_with("Stalled"), "{said}");
}

#[tokio::test]
async fn connections_that_never_end_what_they_began_make_place_for_others() {
    let (address, counters) = server().await;
    let mut unfinished = Vec::new();
    for number in 0..CONNECTIONS_MAX {
        let says = if number % 2 == 0 { UNFINISHED } else { "" };
        unfinished.push(connection(&address, says).await);
    }
    // Turned away while the others are new; nobody waits.
    let mut turned_away = 0;
    let answer = loop {
        match post(&address, "abc").await {
            Ok(answer) => break answer,
            Err(_) => turned_away += 1,
        }
    };
    assert_eq!(answer, "3");
    assert_eq!(counters.count(Counter::Closed), turned_away + 1);
}

#[tokio::test]
async fn a_client_that_sends_too_much_hears_of_it() {
    let (address, _) = server().await;
    let large: &'static str = " ".repeat(8 << 20).leak();
    assert_eq!(post(&address, large).await.unwrap(), "TooLarge");
}

/// What is taken of a client that dies: of all that it sends the last piece lies there before the server has a turn.
async fn taken_of_the_dead(speaks: Speaks, says: &[&[u8]], requests: usize) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (took, mut taken) = tokio::sync::mpsc::unbounded_channel();
    let room = Room::new(1 << 20, 0);
    let handler = move |request: Request<Incoming>| {
        let (took, charge) = (took.clone(), room.open());
        async move {
            let read = body(request.into_body(), 1000, charge, |_| {}).await;
            let read = read.map(|(bytes, _)| String::from_utf8(bytes.to_vec()).unwrap());
            took.send(read.unwrap_or_else(|bad| format!("{bad:?}")))
                .unwrap();
            empty(StatusCode::OK)
        }
    };
    tokio::spawn(serve(listener, speaks, Arc::default(), handler));
    let mut client = Some(client);
    let mut all = Vec::new();
    for (nth, piece) in says.iter().enumerate() {
        client.as_mut().unwrap().write_all(piece).unwrap();
        let wanted = match nth + 1 == says.len() {
            true => requests,
            false => nth + 1,
        };
        if wanted == requests {
            client = None;
        }
        while all.len() < wanted {
            let taking = tokio::time::timeout(Duration::from_secs(5), taken.recv());
            all.push(taking.await.expect("it is lost").unwrap());
        }
    }
    all
}

#[tokio::test]
async fn what_the_dead_sent_whole_is_taken() {
    let one: &[u8] = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nlast";
    let three = one.repeat(3);
    for speaks in [Speaks::Http1, Speaks::Platform] {
        for says in [&[one, one, one][..], &[&three], &[one, &one.repeat(2)]] {
            let taken = taken_of_the_dead(speaks, says, 3).await;
            assert_eq!(taken, ["last"; 3], "{} pieces", says.len());
        }
    }
}

#[tokio::test]
async fn what_the_dead_did_not_send_whole_is_broken() {
    let whole: &[u8] = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nlast";
    let says = [whole, UNFINISHED.as_bytes()];
    let taken = taken_of_the_dead(Speaks::Http1, &says, 2).await;
    assert_eq!(taken, ["last", "Broken"]);
}

#[tokio::test]
async fn what_the_dead_sent_whole_is_taken_over_http2() {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).unwrap();
        let head = [0, 0, length, kind, flags, 0, 0, 0, stream];
        [&head, payload].concat()
    };
    let (data, headers, settings) = (0, 1, 4);
    let (end_of_stream, end_of_headers) = (1, 4);
    let post = |stream| {
        // POST over http, of `/`, to `x`.
        let fields = [0x83, 0x86, 0x84, 0x41, 1, b'x'];
        let fields = frame(headers, end_of_headers, stream, &fields);
        [fields, frame(data, end_of_stream, stream, b"last")].concat()
    };
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let first = [preface, frame(settings, 0, 0, &[]), post(1)].concat();
    let rest = [post(3), post(5)].concat();
    let all = [&first[..], &rest].concat();
    for says in [&[&first[..], &rest][..], &[&all]] {
        let taken = taken_of_the_dead(Speaks::Http2, says, 3).await;
        assert_eq!(taken, ["last"; 3], "{} pieces", says.len());
    }
}
