//! A connection whose end is seen only after all that came before it.
//!
//! When an environment ends the runtime dies first, so that its last request and the end of the connection are often
//! found at once. hyper and h2 drop a request that is not answered when they see that end.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What is read from a connection, and its end when no request is under way.
#[derive(Debug)]
pub(super) struct Ending {
    stream: TcpStream,
    requests: Requests,
    has_waited: bool,
}

/// Requests of one connection that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    count: AtomicUsize,
    /// Who waits for the last of them.
    waiting: Mutex<Option<Waker>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Requests);

impl Ending {
    pub(super) fn new(stream: TcpStream) -> (Self, Requests) {
        let requests = Requests::default();
        let ending = Ending {
            stream,
            requests: requests.clone(),
            has_waited: false,
        };
        (ending, requests)
    }
}

impl Requests {
    pub(super) fn begin(&self) -> UnderWay {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    fn wait(&self, context: &Context<'_>) -> bool {
        *self.waiting() = Some(context.waker().clone());
        self.0.count.load(Ordering::Relaxed) > 0
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        let waiting = self.0.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.count.fetch_sub(1, Ordering::Relaxed);
        if let Some(waker) = self.0.waiting().take() {
            waker.wake();
        }
    }
}

impl AsyncRead for Ending {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let is_end = match &read {
            Poll::Ready(Ok(())) => buffer.filled().len() == before && buffer.remaining() > 0,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if !is_end {
            return read;
        }
        // Who was read last is handed over first.
        if !std::mem::replace(&mut self.has_waited, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.requests.wait(context) {
            true => Poll::Pending,
            false => read,
        }
    }
}

impl AsyncWrite for Ending {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
