//! The one UDP port: a thread with its own small runtime reads it, keeps the plane's time and writes what the plane gives.

use super::counters::Counters;
use super::plane::Plane;
use super::{COMMANDS, MediaCommand};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
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
pub(crate) fn start(listen: SocketAddr, public: &[IpAddr]) -> io::Result<Started> {
    let socket = UdpSocket::bind(listen)?;
    socket.set_nonblocking(true)?;
    let local = socket.local_addr()?;
    let counters = Arc::new(Counters::default());
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let plane_counters = Arc::clone(&counters);
    let candidates = candidates(local, public);
    std::thread::Builder::new().name("media".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        match runtime {
            Ok(runtime) => runtime.block_on(async move {
                match tokio::net::UdpSocket::from_std(socket) {
                    Ok(socket) => run(socket, Plane::new(candidates, plane_counters), inbox).await,
                    Err(error) => tracing::error!(%error, "the media port cannot be used"),
                }
            }),
            Err(error) => tracing::error!(%error, "the media thread has no runtime"),
        }
    })?;
    Ok(Started { local, commands, counters })
}

async fn run(socket: tokio::net::UdpSocket, mut plane: Plane, mut inbox: mpsc::Receiver<MediaCommand>) {
    let mut buffer = vec![0u8; LARGEST_DATAGRAM];
    loop {
        let deadline = plane.deadline(Instant::now());
        tokio::select! {
            command = inbox.recv() => {
                let last = matches!(command, None | Some(MediaCommand::Shutdown));
                plane.command(command.unwrap_or(MediaCommand::Shutdown), Instant::now());
                plane.process(Instant::now());
                if last {
                    send_all(&socket, &mut plane);
                    return;
                }
            }
            ready = socket.readable() => {
                if ready.is_err() {
                    return;
                }
                let now = Instant::now();
                for _ in 0..BATCH {
                    // An error here is one datagram's (a client's port is closed, say), never the socket's end.
                    match socket.try_recv_from(&mut buffer) {
                        Ok((length, from)) => {
                            if let Some(datagram) = buffer.get(..length) {
                                plane.datagram(datagram, from, now);
                            }
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                        Err(_) => {}
                    }
                }
                plane.process(now);
            }
            () = tokio::time::sleep_until(deadline.into()) => {}
        }
        let now = Instant::now();
        if plane.deadline(now) <= now {
            plane.tick(now);
        }
        send_all(&socket, &mut plane);
    }
}

/// Writes everything. A full socket buffer or an unreachable client loses datagrams, as any network may.
fn send_all(socket: &tokio::net::UdpSocket, plane: &mut Plane) {
    while let Some((datagram, to)) = plane.transmit() {
        if let Err(error) = socket.try_send_to(&datagram, to) {
            tracing::trace!(%error, "datagram not sent");
        }
    }
}

/// The addresses that clients are told, best first.
fn candidates(local: SocketAddr, public: &[IpAddr]) -> Vec<String> {
    let mut addresses = public.to_vec();
    if addresses.is_empty() {
        if local.ip().is_unspecified() {
            addresses.extend(outward_address());
            addresses.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
        } else {
            addresses.push(local.ip());
        }
    }
    let priority = |index: usize| 2_130_706_431 - u32::try_from(index).unwrap_or(0) * 256;
    addresses
        .iter()
        .enumerate()
        .map(|(n, ip)| format!("candidate:{} 1 udp {} {ip} {} typ host", n + 1, priority(n), local.port()))
        .collect()
}

/// The address that this machine would use towards others. Nothing is sent: connecting a UDP socket only looks the route up.
fn outward_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}
