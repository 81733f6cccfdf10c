use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::super::inbox::Outlet;
use super::*;

struct Receiver {
    uri: String,
    events: Outlet,
    counters: Arc<Counters>,
}

impl Receiver {
    async fn with_room(bytes_max: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap());
        // The function has filled its room.
        let (inbox, events) = Inbox::with_room(0, bytes_max);
        let counters = Arc::new(Counters::default());
        tokio::spawn(receive(listener, inbox, Arc::clone(&counters)));
        Receiver {
            uri,
            events,
            counters,
        }
    }

    async fn post(&self, body: Vec<u8>) -> StatusCode {
        let request = Request::post(&self.uri).body(Full::new(Bytes::from(body)));
        let client = Client::builder(TokioExecutor::new()).build_http();
        client.request(request.unwrap()).await.unwrap().status()
    }

    fn taken(&mut self) -> Option<usize> {
        match self.events.now()? {
            Event::Telemetry(body) => Some(body.len()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn every_post_is_answered_alike_and_what_is_lost_is_counted() {
    let mut receiver = Receiver::with_room(3000).await;
    for (bytes, lost) in [(2000, 0), (2000, 1), (0, 1), (BODY_BYTES_MAX + 1, 2)] {
        assert_eq!(receiver.post(vec![b' '; bytes]).await, StatusCode::OK);
        assert_eq!(receiver.counters.count(Counter::QueueFull), lost, "{bytes}");
    }
    assert_eq!(receiver.counters.lost(), 2);
    assert_eq!(receiver.taken(), Some(2000));
    assert_eq!(receiver.taken(), Some(0));
    assert_eq!(receiver.taken(), None);
    assert_eq!(receiver.post(vec![b' '; 2000]).await, StatusCode::OK);
    assert_eq!(receiver.taken(), Some(2000), "room again");
}

#[tokio::test]
async fn what_is_too_large_is_read_and_thrown_away() {
    let mut receiver = Receiver::with_room(2 * BODY_BYTES_MAX).await;
    let large = vec![b' '; 4 * BODY_BYTES_MAX];
    assert_eq!(receiver.post(large).await, StatusCode::OK);
    assert_eq!(receiver.counters.count(Counter::TooLarge), 1);
    assert_eq!(receiver.taken(), None);
}

#[tokio::test]
async fn all_events_of_a_post_without_room_are_counted() {
    let event = |number: u64| {
        format!(r#"{{"time":"2026-10-10T12:00:00.000Z","type":"function","record":"{number} {{"}}"#)
    };
    for room in [0, 300, 20_000] {
        let receiver = Receiver::with_room(room).await;
        let events: Vec<String> = (0..1000).map(event).collect();
        let body = format!("[{}]", events.join(",")).into_bytes();
        assert_eq!(receiver.post(body).await, StatusCode::OK);
        assert_eq!(receiver.counters.count(Counter::QueueFull), 1000, "{room}");
    }
}
