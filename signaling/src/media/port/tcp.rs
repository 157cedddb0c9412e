//! ICE over TCP (RFC 6544, passive): for offices whose firewall passes no UDP. One listener on the media port's number; every datagram
//! travels behind two bytes of length (RFC 4571). For what lies above it is a path like any other.
//!
//! Anybody may connect. Until the check of a known member has come over a connection ([`TcpSide::prove`]) it is a stranger: strangers are few for
//! each source, few in all, the oldest goes first, and none outlives its grace. So nobody keeps members out by holding connections open.

use bytes::BytesMut;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Datagrams of all connections → plane. When full, the connections wait, each in its turn.
const INBOX: usize = 1024;
/// Plane → one connection, some two seconds of video. When full, datagrams are lost, as on any narrow line.
const OUTBOX: usize = 256;
/// Datagrams written by one system call.
const TOGETHER: usize = 32;
/// Larger than any datagram that WebRTC sends. A connection that announces more is not one of ours.
const LARGEST_DATAGRAM: usize = 2048;
/// Bytes that the kernel takes from us beyond what is on its way; more would only grow old there. For Linux.
const UNSENT: u32 = 32 * 1024;
/// Bytes read at a time.
const READ: usize = 8 * 1024;
/// Connections that the listener holds until they are taken.
const BACKLOG: i32 = 256;

/// What a connection may do. Memory at these figures: a connection at most 0.6 MB (its outbox full of large datagrams), usually 10 kB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at a time. Past this new ones are refused.
    pub connections: usize,
    /// Connections without proof at a time. Past this the oldest makes room.
    pub strangers: usize,
    /// Connections without proof from one address (of IPv6 the first 64 bits, RFC 6177). Past this new ones are refused. An office whose members
    /// all come through one address proves each in a moment.
    pub strangers_from_one: usize,
    /// How long a connection may go without proof.
    pub grace: Duration,
    /// A connection that sends no whole datagram for so long is gone. Clients check their path every few seconds.
    pub silence: Duration,
    /// A connection that takes nothing for so long is gone.
    pub stuck: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            strangers: 256,
            strangers_from_one: 32,
            grace: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            stuck: Duration::from_secs(10),
        }
    }
}

/// What a connection tells.
#[derive(Debug)]
pub(crate) enum Heard {
    Datagram(u64, BytesMut),
    /// Another grace is over (every ten seconds anew): does the connection still belong to somebody? If not, hang up.
    GraceOver(u64),
    Gone(u64),
}

/// The listener and its connections.
#[derive(Debug)]
pub(crate) struct TcpSide {
    listener: TcpListener,
    limits: Limits,
    next: u64,
    connections: HashMap<u64, Connection>,
    /// Those without proof, oldest first, and where they come from.
    strangers: BTreeMap<u64, IpAddr>,
    heard: mpsc::Sender<Heard>,
    inbox: mpsc::Receiver<Heard>,
}

/// Dropped, it is closed, whatever it waits for.
#[derive(Debug)]
struct Connection {
    outbox: mpsc::Sender<BytesMut>,
    task: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A listener for [`TcpSide::new`]. `[::]` serves IPv4, too, as it does for UDP.
pub(crate) fn listen(local: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(local), Type::STREAM, Some(Protocol::TCP))?;
    if local.is_ipv6() {
        socket.set_only_v6(!local.ip().is_unspecified())?;
    }
    // Else a restart would have to wait for old connections to be forgotten.
    socket.set_reuse_address(cfg!(unix))?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(local))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl TcpSide {
    /// Call it inside the media thread's runtime.
    pub fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        Self::with_limits(listener, Limits::default())
    }

    pub fn with_limits(listener: std::net::TcpListener, limits: Limits) -> io::Result<Self> {
        let (heard, inbox) = mpsc::channel(INBOX);
        Ok(Self {
            listener: TcpListener::from_std(listener)?,
            limits,
            next: 0,
            connections: HashMap::new(),
            strangers: BTreeMap::new(),
            heard,
            inbox,
        })
    }

    /// Waits for the next word of any connection, and takes new connections meanwhile. Safe to be dropped at any await.
    pub async fn hear(&mut self) -> Option<Heard> {
        loop {
            tokio::select! {
                heard = self.inbox.recv() => return heard.inspect(|heard| self.note(heard)),
                // After an error (no descriptor left, say) none are taken until the next call. The caller comes back with each of its ticks.
                Ok((stream, from)) = self.listener.accept() => self.take(stream, from.ip()),
            }
        }
    }

    /// Another word, if one is there.
    pub fn try_hear(&mut self) -> Option<Heard> {
        self.inbox.try_recv().ok().inspect(|heard| self.note(heard))
    }

    /// Never waits. Returns whether there was room; a connection that is gone has none.
    pub fn send(&mut self, to: u64, datagram: BytesMut) -> bool {
        datagram.len() <= LARGEST_DATAGRAM
            && self.connections.get(&to).is_some_and(|connection| connection.outbox.try_send(datagram).is_ok())
    }

    /// Has it yet to show whose it is?
    pub fn is_stranger(&self, connection: u64) -> bool {
        self.strangers.contains_key(&connection)
    }

    /// An authentic check has come over it: it is a member's.
    pub fn prove(&mut self, connection: u64) {
        self.strangers.remove(&connection);
    }

    /// Closes it now, even while it is being written to. What it has said before may still be heard; that it is gone will not be told.
    pub fn hang_up(&mut self, connection: u64) {
        self.connections.remove(&connection);
        self.strangers.remove(&connection);
    }

    fn note(&mut self, heard: &Heard) {
        if let Heard::Gone(connection) = heard {
            self.hang_up(*connection);
        }
    }

    fn take(&mut self, stream: TcpStream, from: IpAddr) {
        let source = network(from);
        let same_source = self.strangers.values().filter(|other| **other == source).count();
        if self.connections.len() >= self.limits.connections || same_source >= self.limits.strangers_from_one {
            tracing::debug!(connections = self.connections.len(), same_source, "TCP connection refused");
            return;
        }
        if stream.set_nodelay(true).is_err() {
            return;
        }
        #[cfg(target_os = "linux")]
        if let Err(error) = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT) {
            tracing::debug!(%error, "TCP connections keep a long queue");
        }
        if self.strangers.len() >= self.limits.strangers
            && let Some((oldest, _)) = self.strangers.pop_first()
        {
            self.connections.remove(&oldest);
        }
        self.next += 1;
        let id = self.next;
        let (outbox, from_plane) = mpsc::channel(OUTBOX);
        let task = tokio::spawn(serve(id, stream, self.limits, from_plane, self.heard.clone())).abort_handle();
        self.connections.insert(id, Connection { outbox, task });
        self.strangers.insert(id, source);
    }
}

/// Whose addresses these are: of IPv6 everybody has at least 64 bits to choose from.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        short => short,
    }
}

async fn serve(
    id: u64,
    stream: TcpStream,
    limits: Limits,
    from_plane: mpsc::Receiver<BytesMut>,
    heard: mpsc::Sender<Heard>,
) {
    let (read, write) = stream.into_split();
    // The end of any is the connection's: the others are dropped with it.
    tokio::select! {
        () = read_all(id, read, limits.silence, &heard) => {}
        () = write_all(write, limits.stuck, from_plane) => {}
        () = ask(id, limits.grace, &heard) => {}
    }
    let _ = heard.send(Heard::Gone(id)).await;
}

async fn read_all(id: u64, stream: OwnedReadHalf, silence: Duration, heard: &mpsc::Sender<Heard>) {
    let mut stream = BufReader::with_capacity(READ, stream);
    while let Ok(Ok(datagram)) = timeout(silence, read_one(&mut stream)).await {
        if heard.send(Heard::Datagram(id, datagram)).await.is_err() {
            return;
        }
    }
}

pub(crate) async fn read_one(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<BytesMut> {
    loop {
        match usize::from(stream.read_u16().await?) {
            // Nothing in it, as some send to keep the connection up.
            0 => {}
            length if length > LARGEST_DATAGRAM => return Err(io::ErrorKind::InvalidData.into()),
            length => {
                let mut datagram = BytesMut::zeroed(length);
                return stream.read_exact(&mut datagram).await.map(|_| datagram);
            }
        }
    }
}

async fn write_all(mut stream: OwnedWriteHalf, stuck: Duration, mut from_plane: mpsc::Receiver<BytesMut>) {
    let mut datagrams = Vec::with_capacity(TOGETHER);
    let mut frames = Vec::new();
    while from_plane.recv_many(&mut datagrams, TOGETHER).await > 0 {
        frames.clear();
        for datagram in datagrams.drain(..) {
            let Ok(length) = u16::try_from(datagram.len()) else { continue };
            frames.extend_from_slice(&length.to_be_bytes());
            frames.extend_from_slice(&datagram);
        }
        let mut rest = &frames[..];
        while !rest.is_empty() {
            match timeout(stuck, stream.write(rest)).await {
                Ok(Ok(written)) if written > 0 => rest = rest.get(written..).unwrap_or_default(),
                _ => return,
            }
        }
    }
}

async fn ask(id: u64, grace: Duration, heard: &mpsc::Sender<Heard>) {
    loop {
        tokio::time::sleep(grace).await;
        if heard.send(Heard::GraceOver(id)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
#[path = "tcp_tests.rs"]
mod tests;
