//! The UDP half of the media port: one socket, read by one thread and written by any. Reading takes up to sixteen messages a system call, each of
//! which may hold datagrams that the kernel joined (GRO); writing sends runs (GSO). What surrounds it decides what is read and written.

use super::batch::{Batch, Run};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::Interest;

/// Bytes of receive buffer we ask for: with these the port can be left alone for some 100 ms of 120 senders.
const RECEIVE_BUFFER: usize = 8 << 20;
/// Bytes of send buffer we ask for: some 30 ms at 1 Gbit/s (Linux grants the double). What waits here grows old, and nobody can take it back.
const SEND_BUFFER: usize = 2 << 20;
/// Messages read by one system call.
const MESSAGES: usize = 16;
/// Room for one message: the kernel joins datagrams up to the size of an IP packet.
const MESSAGE: usize = 1 << 16;
/// After so many datagrams [`UdpPort::recv_batch`] returns; the message under way is finished (64 datagrams in each of 16 messages at most).
const ENOUGH: usize = 256;
/// Larger than any datagram that WebRTC sends. What is larger is dropped unread.
const LARGEST_DATAGRAM: usize = 2048;
/// How long one flush waits in all for room in the send buffer.
const PATIENCE: Duration = Duration::from_millis(2);

/// The receiving side, and the owner of the socket.
#[derive(Debug)]
pub(crate) struct UdpPort {
    shared: Arc<Shared>,
    local: SocketAddr,
    #[cfg(test)]
    buffers: BufferSizes,
    /// For [`UdpPort::readable`] alone; made by its first call, inside the runtime.
    ready: Option<tokio::net::UdpSocket>,
    memory: Box<[u8]>,
}

/// What the kernel granted, in bytes (Linux counts its own bookkeeping in and says double).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BufferSizes {
    pub receive: usize,
    pub send: usize,
}

/// What one [`UdpPort::recv_batch`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub datagrams: usize,
    /// Datagrams that were empty, too large, or came from port 0, which cannot be answered.
    pub dropped: usize,
    /// System calls.
    pub calls: usize,
}

impl UdpPort {
    /// Binds the port. `[::]` serves IPv4, too. The socket never blocks.
    pub fn bind(listen: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
        if listen.is_ipv6() {
            socket.set_only_v6(!listen.ip().is_unspecified())?;
        }
        socket.bind(&SockAddr::from(listen))?;
        enlarge(RECEIVE_BUFFER, |size| socket.set_recv_buffer_size(size));
        enlarge(SEND_BUFFER, |size| socket.set_send_buffer_size(size));
        let buffers = BufferSizes { receive: socket.recv_buffer_size()?, send: socket.send_buffer_size()? };
        let socket = UdpSocket::from(socket);
        let local = socket.local_addr()?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // It also asks for each datagram's congestion bits, which nobody here looks at: a tenth of the cost of reading one.
        let _ = SockRef::from(&socket).set_recv_tos_v4(false);
        if local.is_ipv6() {
            let _ = SockRef::from(&socket).set_recv_tclass_v6(false);
        }
        let segments = AtomicUsize::new(state.max_gso_segments());
        tracing::info!(
            %local, receive_bytes = buffers.receive, send_bytes = buffers.send, segments = state.max_gso_segments(),
            "media port bound"
        );
        let shared = Arc::new(Shared { socket, state, segments, is_ipv6: local.is_ipv6() });
        let memory = vec![0; MESSAGES * MESSAGE].into_boxed_slice();
        Ok(Self {
            shared,
            local,
            #[cfg(test)]
            buffers,
            ready: None,
            memory,
        })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    #[cfg(test)]
    pub fn buffers(&self) -> BufferSizes {
        self.buffers
    }

    /// One for each thread that writes.
    pub fn sender(&self) -> UdpSender {
        UdpSender { shared: Arc::clone(&self.shared) }
    }

    /// Waits until there is something to read. Call it inside a runtime with I/O, and always in the same. Safe to be dropped while it waits.
    pub async fn readable(&mut self) -> io::Result<()> {
        let ready = match self.ready.take() {
            Some(ready) => ready,
            None => tokio::net::UdpSocket::from_std(self.shared.socket.try_clone()?)?,
        };
        self.ready.insert(ready).readable().await
    }

    /// Reads what is there, up to about [`ENOUGH`] datagrams, without waiting. Addresses come as IPv4 where they are (never mapped into IPv6).
    /// Errors are single datagrams' (a client's port is closed, say), never the port's end.
    pub fn recv_batch(&mut self, mut sink: impl FnMut(&[u8], SocketAddr)) -> Received {
        let mut received = Received::default();
        let mut taken = 0;
        // Each call takes at least one message or ends the loop, save after an error; so this bounds those.
        while taken < ENOUGH && received.calls < ENOUGH {
            received.calls += 1;
            let mut metas = [RecvMeta::default(); MESSAGES];
            let mut spaces = self.memory.chunks_exact_mut(MESSAGE);
            let mut slices: [IoSliceMut<'_>; MESSAGES] =
                std::array::from_fn(|_| IoSliceMut::new(spaces.next().unwrap_or_default()));
            let messages = match self.shared.read(self.ready.as_ref(), &mut slices, &mut metas) {
                Ok(messages) => messages,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    tracing::trace!(%error, "datagram not read");
                    continue;
                }
            };
            for (meta, space) in metas.iter().zip(self.memory.chunks_exact(MESSAGE)).take(messages) {
                let from = plain(meta.addr);
                for datagram in space.get(..meta.len).unwrap_or_default().chunks(meta.stride.max(1)) {
                    taken += 1;
                    if datagram.len() > LARGEST_DATAGRAM || from.port() == 0 {
                        received.dropped += 1;
                    } else {
                        received.datagrams += 1;
                        sink(datagram, from);
                    }
                }
                if meta.len == 0 {
                    taken += 1;
                    received.dropped += 1;
                }
            }
            if messages < MESSAGES {
                break;
            }
        }
        received
    }
}

/// The sending side, for any number of threads.
#[derive(Debug, Clone)]
pub(crate) struct UdpSender {
    shared: Arc<Shared>,
}

/// What one [`UdpSender::flush`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub datagrams: usize,
    /// System calls that sent something.
    pub calls: usize,
    /// Datagrams that the kernel would not take (no room in time, no route, a size that no path carries), or that did not fit into the batch.
    pub dropped: usize,
}

impl UdpSender {
    /// Sends all and leaves the batch empty. It may wait up to 2 ms in all for room in the send buffer; then what finds no room is dropped, as on
    /// any busy network.
    pub fn flush(&self, batch: &mut Batch) -> Sent {
        flush(&*self.shared, &self.shared.segments, batch)
    }

    #[cfg(test)]
    /// Datagrams in a run at most; 1 where the kernel knows no offload or has refused it.
    pub fn segments(&self) -> usize {
        self.shared.segments.load(Ordering::Relaxed)
    }

    /// As if the kernel had refused runs.
    #[cfg(test)]
    fn without_offload(self) -> Self {
        self.shared.segments.store(1, Ordering::Relaxed);
        self
    }
}

#[derive(Debug)]
struct Shared {
    socket: UdpSocket,
    state: UdpSocketState,
    /// Ours beside the state's own, which falls to 1 with any EINVAL, even one that a single bad address brought.
    segments: AtomicUsize,
    is_ipv6: bool,
}

impl Shared {
    fn read(
        &self,
        ready: Option<&tokio::net::UdpSocket>,
        slices: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> io::Result<usize> {
        let asked = slices.len();
        let mut read = || self.state.recv(UdpSockRef::from(&self.socket), slices, metas);
        let Some(ready) = ready else { return read() };
        let mut result = Err(io::ErrorKind::WouldBlock.into());
        // Fewer messages than asked for: the socket was empty then. Saying WouldBlock makes the runtime forget its readiness now, which saves the
        // call that would find nothing. What comes after the call makes it ready anew.
        let outcome = ready.try_io(Interest::READABLE, || {
            result = read();
            if result.as_ref().is_ok_and(|messages| *messages < asked) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(())
        });
        drop(outcome);
        result
    }

    /// The address as this socket must be told it, if it can reach it at all.
    fn reach(&self, to: SocketAddr) -> Option<SocketAddr> {
        match to {
            _ if to.port() == 0 => None,
            SocketAddr::V4(to) if self.is_ipv6 => Some((to.ip().to_ipv6_mapped(), to.port()).into()),
            SocketAddr::V6(_) if !self.is_ipv6 => Some(plain(to)).filter(SocketAddr::is_ipv4),
            _ => Some(to),
        }
    }
}

/// Linux grants what it can; other systems refuse what is too much.
fn enlarge(wanted: usize, set: impl Fn(usize) -> io::Result<()>) {
    let halves = std::iter::successors(Some(wanted), |size| Some(size / 2).filter(|half| *half >= 64 << 10));
    for size in halves {
        if set(size).is_ok() {
            return;
        }
    }
}

/// What [`flush`] needs of a socket. Tests put a surly kernel in its place.
trait Wire {
    fn send(&self, to: SocketAddr, bytes: &[u8], size: Option<usize>) -> io::Result<()>;
    /// Waits for room and returns what is left of the patience.
    fn wait(&self, patience: Duration) -> Duration;
}

impl Wire for Shared {
    fn send(&self, to: SocketAddr, bytes: &[u8], size: Option<usize>) -> io::Result<()> {
        let destination = self.reach(to).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let transmit = Transmit { destination, ecn: None, contents: bytes, segment_size: size, src_ip: None };
        self.state.try_send(UdpSockRef::from(&self.socket), &transmit)
    }

    fn wait(&self, patience: Duration) -> Duration {
        let start = Instant::now();
        let mut sockets = [PollFd::new(&self.socket, PollFlags::OUT)];
        // However it ends: the next attempt to send tells.
        let _ = Timespec::try_from(patience).map(|timeout| poll(&mut sockets, Some(&timeout)));
        patience.saturating_sub(start.elapsed())
    }
}

fn flush(wire: &impl Wire, segments: &AtomicUsize, batch: &mut Batch) -> Sent {
    let mut courier = Courier { wire, segments, patience: PATIENCE, sent: Sent::default() };
    let lost = batch.drain(segments.load(Ordering::Relaxed), |run| courier.carry(run));
    courier.sent.dropped += lost;
    courier.sent
}

struct Courier<'a, W> {
    wire: &'a W,
    segments: &'a AtomicUsize,
    patience: Duration,
    sent: Sent,
}

impl<W: Wire> Courier<'_, W> {
    fn carry(&mut self, run: Run<'_>) {
        if run.count == 1 {
            let _ = self.single(run);
            return;
        }
        if self.segments.load(Ordering::Relaxed) == 1 {
            self.singles(run);
            return;
        }
        match self.send(run.to, run.bytes, Some(run.size)) {
            Ok(()) => self.sent.datagrams += run.count,
            // A driver or namespace that cannot cut runs says EIO or EINVAL; but so does an address that nothing can be sent to, and a size that the
            // way out does not carry. One by one it shows which it was, and what can go goes.
            Err(error) if is_refusal(&error) => {
                if self.singles(run) && self.segments.swap(1, Ordering::Relaxed) > 1 {
                    tracing::warn!(%error, "the kernel sends no runs of datagrams: media goes one by one from now on");
                }
            }
            Err(_) => self.sent.dropped += run.count,
        }
    }

    /// Returns whether the first went out.
    fn singles(&mut self, run: Run<'_>) -> bool {
        let mut first = None;
        for bytes in run.bytes.chunks(run.size) {
            let went = self.single(Run { bytes, count: 1, ..run });
            first.get_or_insert(went);
        }
        first == Some(true)
    }

    fn single(&mut self, run: Run<'_>) -> bool {
        let result = self.send(run.to, run.bytes, None);
        match &result {
            Ok(()) => self.sent.datagrams += 1,
            Err(error) => {
                self.sent.dropped += 1;
                tracing::trace!(%error, "datagram not sent");
            }
        }
        result.is_ok()
    }

    fn send(&mut self, to: SocketAddr, bytes: &[u8], size: Option<usize>) -> io::Result<()> {
        loop {
            match self.wire.send(to, bytes, size) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !self.patience.is_zero() => {
                    self.patience = self.wire.wait(self.patience);
                }
                Ok(()) => {
                    self.sent.calls += 1;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// EIO, EINVAL and EMSGSIZE, whose numbers are the same on all Unix systems for the first two.
fn is_refusal(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    error.kind() == io::ErrorKind::InvalidInput
        || error.raw_os_error() == Some(EIO)
        || quinn_udp::is_msg_size_err(error)
}

/// IPv4 out of IPv6, and nothing but address, port and zone: what two datagrams of one client have in common.
fn plain(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(mut long) => match long.ip().to_ipv4_mapped() {
            Some(short) => (IpAddr::V4(short), long.port()).into(),
            None => {
                long.set_flowinfo(0);
                long.into()
            }
        },
    }
}

#[cfg(test)]
#[path = "udp_tests.rs"]
mod tests;
