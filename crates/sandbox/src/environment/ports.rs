//! Free ports for those who bind them later: each environment's extension gets its own OTLP port.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// How many ports this process has handed out, over all its sandboxes: two of them must not give
/// the same port to two extensions that have not bound it yet.
static HANDED_OUT: AtomicU32 = AtomicU32::new(0);

/// Hands out ports below the range from which the system takes its own, so that nothing else grabs them before the
/// extension binds them.
#[derive(Debug)]
pub(crate) struct PortRange {
    start: u32,
}

impl PortRange {
    /// Sandboxes in different processes start at different places.
    pub(crate) fn new() -> Self {
        Self {
            start: std::process::id().wrapping_mul(97) % SIZE,
        }
    }

    /// A port that nobody listens on and that was not handed out for a long time.
    pub(crate) fn take(&self) -> io::Result<u16> {
        for _ in 0..SIZE {
            let handed_out = HANDED_OUT.fetch_add(1, Ordering::Relaxed);
            let offset = self.start.wrapping_add(handed_out) % SIZE;
            let port = u16::try_from(u32::from(FIRST) + offset).unwrap_or(FIRST);
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(port);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "no free port for an extension",
        ))
    }
}

const FIRST: u16 = 16_000;
/// Up to 31,999; Linux takes ephemeral ports from 32,768 on.
const SIZE: u32 = 16_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sandboxes_of_one_process_hand_out_different_ports() {
        let (one, other) = (PortRange::new(), PortRange::new());
        let mut ports = vec![
            one.take().unwrap(),
            other.take().unwrap(),
            one.take().unwrap(),
        ];
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 3);
    }
}
