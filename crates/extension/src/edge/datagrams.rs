//! Datagrams of the function, one at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use throughline_extension::counters::{Counter, Counters};
use tokio::net::UdpSocket;

/// Waits for the next one. May be dropped and called again.
pub(super) async fn next<'a>(socket: &UdpSocket, buffer: &'a mut [u8]) -> &'a [u8] {
    loop {
        match socket.recv(buffer).await {
            Ok(bytes) => return buffer.get(..bytes).unwrap_or_default(),
            // Of an earlier answer that could not be delivered, for instance; we send none.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Does what is to be done with one. If it panics the next one has its turn all the same.
pub(super) fn guard(counters: &Counters, work: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        counters.add(Counter::Fault, 1);
    }
}

/// Room for the largest datagram there is.
pub(super) fn buffer() -> Vec<u8> {
    vec![0; 1 << 16]
}

/// How many datagrams to `port` the kernel had no room for. It counts for each socket.
pub(super) fn dropped(port: u16) -> u64 {
    let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"];
    let read = |table| std::fs::read_to_string(table).unwrap_or_default();
    tables.map(|table| drops(&read(table), port)).iter().sum()
}

/// The last column of the lines whose local address has this port, in hexadecimal.
fn drops(table: &str, port: u16) -> u64 {
    let ending = format!(":{port:04X}");
    let lines = table.lines().skip(1).filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        words.nth(1).filter(|local| local.ends_with(&ending))?;
        words.last()?.parse::<u64>().ok()
    });
    lines.sum()
}

const PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_dropped() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
            21: 0100007F:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 20 2 0000000000000000 17\n\
            22: 0100007F:07D0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21 2 0000000000000000 4\n";
        assert_eq!(drops(table, 8125), 17);
        assert_eq!(drops(table, 2000), 4);
        assert_eq!(drops(table, 2001), 0);
        assert_eq!(drops("", 2000), 0);
    }
}
