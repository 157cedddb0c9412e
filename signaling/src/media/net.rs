//! The one media port: a thread with its own small runtime reads it, keeps the plane's time and writes what the plane gives.

use super::counters::Counters;
use super::plane::Plane;
use super::port::candidates;
use super::tcp::{self, Heard, Path, TcpSide};
use super::{COMMANDS, MediaCommand};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// Datagrams taken before the plane works on them: what a busy millisecond brings.
const BATCH: usize = 64;
/// Larger than any datagram that WebRTC sends.
const LARGEST_DATAGRAM: usize = 2048;

/// The plane's outside.
pub(crate) struct Started {
    pub local: SocketAddr,
    pub commands: mpsc::Sender<MediaCommand>,
    pub counters: Arc<Counters>,
}

/// Binds the port and starts the thread. It ends with [`MediaCommand::Shutdown`] or when nobody can command it any more.
/// The same number is bound for TCP, too; where that is taken, the port serves UDP alone.
pub(crate) fn start(listen: SocketAddr, public: &[IpAddr]) -> io::Result<Started> {
    let socket = UdpSocket::bind(listen)?;
    socket.set_nonblocking(true)?;
    let local = socket.local_addr()?;
    let listener = tcp::listen(local);
    if let Err(error) = &listener {
        tracing::warn!(%local, %error, "media over TCP is off: the port is taken");
    }
    let listener = listener.ok();
    let counters = Arc::new(Counters::default());
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let plane_counters = Arc::clone(&counters);
    let candidates = candidates(local, public, listener.is_some());
    std::thread::Builder::new().name("media".to_owned()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "the media thread has no runtime"),
        };
        let plane = Plane::new(candidates, plane_counters);
        if let Err(error) = runtime.block_on(run(socket, listener, plane, inbox)) {
            tracing::error!(%error, "the media port cannot be used");
        }
    })?;
    Ok(Started { local, commands, counters })
}

async fn run(
    socket: UdpSocket,
    listener: Option<TcpListener>,
    mut plane: Plane,
    mut inbox: mpsc::Receiver<MediaCommand>,
) -> io::Result<()> {
    let socket = tokio::net::UdpSocket::from_std(socket)?;
    let mut tcp = listener.map(TcpSide::new).transpose()?;
    let mut buffer = vec![0u8; LARGEST_DATAGRAM];
    loop {
        let deadline = plane.deadline(Instant::now());
        tokio::select! {
            command = inbox.recv() => {
                let last = matches!(command, None | Some(MediaCommand::Shutdown));
                plane.command(command.unwrap_or(MediaCommand::Shutdown), Instant::now());
                plane.process(Instant::now());
                if last {
                    send_all(&socket, tcp.as_mut(), &mut plane);
                    return Ok(());
                }
            }
            ready = socket.readable() => {
                ready?;
                read_batch(&socket, &mut buffer, &mut plane);
            }
            Some(heard) = hear(tcp.as_mut()) => {
                if let Some(tcp) = tcp.as_mut() {
                    take_batch(tcp, heard, &mut plane);
                }
            }
            () = tokio::time::sleep_until(deadline.into()) => {}
        }
        let now = Instant::now();
        if plane.deadline(now) <= now {
            plane.tick(now);
        }
        send_all(&socket, tcp.as_mut(), &mut plane);
    }
}

fn read_batch(socket: &tokio::net::UdpSocket, buffer: &mut [u8], plane: &mut Plane) {
    let now = Instant::now();
    for _ in 0..BATCH {
        // An error here is one datagram's (a client's port is closed, say), never the socket's end.
        match socket.try_recv_from(buffer) {
            Ok((length, from)) => {
                if let Some(datagram) = buffer.get(..length) {
                    plane.datagram(datagram, Path::Udp(from), now);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(_) => {}
        }
    }
    plane.process(now);
}

/// Without a listener there is nothing to wait for.
async fn hear(tcp: Option<&mut TcpSide>) -> Option<Heard> {
    match tcp {
        Some(tcp) => tcp.hear().await,
        None => std::future::pending().await,
    }
}

fn take_batch(tcp: &mut TcpSide, first: Heard, plane: &mut Plane) {
    let now = Instant::now();
    let mut heard = Some(first);
    let mut left = BATCH;
    while let Some(word) = heard {
        match word {
            Heard::Datagram(from, datagram) => {
                plane.datagram(&datagram, Path::Tcp(from), now);
                if tcp.is_stranger(from) && plane.knows(Path::Tcp(from)) {
                    tcp.prove(from);
                }
            }
            Heard::GraceOver(id) if plane.knows(Path::Tcp(id)) => {}
            Heard::GraceOver(id) | Heard::Gone(id) => tcp.hang_up(id),
        }
        left -= 1;
        heard = if left > 0 { tcp.try_hear() } else { None };
    }
    plane.process(now);
}

/// Writes everything. A full socket buffer or an unreachable client loses datagrams, as any network may.
fn send_all(socket: &tokio::net::UdpSocket, mut tcp: Option<&mut TcpSide>, plane: &mut Plane) {
    while let Some((datagram, to)) = plane.transmit() {
        match to {
            Path::Udp(to) => {
                if let Err(error) = socket.try_send_to(&datagram, to) {
                    tracing::trace!(%error, "datagram not sent");
                }
            }
            Path::Tcp(to) => {
                if let Some(tcp) = &mut tcp {
                    tcp.send(to, datagram);
                }
            }
        }
    }
}
