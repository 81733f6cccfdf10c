//! Free ports for those who bind them later: each environment's extension gets its own OTLP port.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Hands out ports below the range from which the system takes its own, so that nothing else grabs them before the
/// extension binds them.
#[derive(Debug)]
pub(crate) struct PortRange {
    next: AtomicU32,
}

impl PortRange {
    /// Sandboxes in different processes start at different places.
    pub(crate) fn new() -> Self {
        let start = std::process::id().wrapping_mul(97) % SIZE;
        Self {
            next: AtomicU32::new(start),
        }
    }

    /// A port that nobody listens on and that was not handed out for a long time.
    pub(crate) fn take(&self) -> io::Result<u16> {
        for _ in 0..SIZE {
            let offset = self.next.fetch_add(1, Ordering::Relaxed) % SIZE;
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
