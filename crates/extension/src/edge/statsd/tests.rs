use throughline_extension::Event;
use throughline_extension::counters::Counters;

use super::super::inbox::Inbox;
use super::*;

#[tokio::test]
async fn lines_become_metrics_once_they_pause() {
    let (inbox, mut events) = Inbox::with_room(1 << 20, 0);
    let counters = Arc::new(Counters::default());
    let intake = Intake {
        inbox,
        counters: Arc::clone(&counters),
    };
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(receive(socket, Open::default(), intake));
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for datagram in [
        "orders:1|c\nnonsense",
        "orders:1|c",
        "pay:3|ms",
        "_e{1,1}:a|b",
    ] {
        client.send_to(datagram.as_bytes(), address).await.unwrap();
    }
    // On a busy machine the lines may come in several windows; all of them come.
    let (mut metrics, mut logs) = (0, 0);
    while metrics < 2 || logs < 1 {
        match events.next().await {
            Some(Event::Exported(request @ wire::Request::Logs(_))) => logs += request.items(),
            Some(Event::Exported(request)) => metrics += request.items(),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(counters.count(Counter::BadLine), 1);
}
