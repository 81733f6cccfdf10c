//! A connection of which all is taken in that came before its end.
//!
//! When an environment ends the runtime dies first, so that its last requests and the end of the connection are often
//! found at once, and answers find nobody. hyper and h2 would drop what they have read and not handed over by then.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The connection. Nobody has to hear that an answer could not be written.
#[derive(Debug)]
pub(super) struct Ending {
    stream: TcpStream,
    /// Those that its end is held back for, until they are answered: at most as long as a body may take.
    requests: Option<Requests>,
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
    pub(super) fn new(stream: TcpStream) -> Self {
        Ending {
            stream,
            requests: None,
            has_waited: false,
        }
    }

    /// The same, whose end is seen when no request is under way.
    pub(super) fn held_back(stream: TcpStream) -> (Self, Requests) {
        let requests = Requests::default();
        let ending = Ending {
            requests: Some(requests.clone()),
            ..Ending::new(stream)
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
        let Some(requests) = self.requests.clone().filter(|_| is_end) else {
            return read;
        };
        // h2 looks for an end before it hands over what it has just read.
        if !std::mem::replace(&mut self.has_waited, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match requests.wait(context) {
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
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        written.map(|written| Ok(written.unwrap_or(bytes.len())))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = pieces.iter().map(|piece| piece.len()).sum();
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        written.map(|written| Ok(written.unwrap_or(all)))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        flushed.map(|_| Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
