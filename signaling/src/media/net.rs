//! The media thread: joins the plane to the port and keeps its time.

use super::counters::Counters;
use super::dispatch::{Notice, Outside, Workers};
use super::plane::Plane;
use super::port::batch::Batch;
use super::port::tcp::{self, Heard, TcpSide};
use super::port::udp::{UdpPort, UdpSender};
use super::port::{Path, candidates};
use super::transport::Identity;
use super::{COMMANDS, MediaCommand};
use bytes::BytesMut;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// Datagrams of TCP connections taken in one round.
const BATCH: usize = 64;
/// Workers → plane. When full, a notice is lost; those that matter are repeated.
const NOTICES: usize = 4_096;
/// Workers → TCP connections. When full, datagrams are lost, as on any narrow line.
const TCP_OUT: usize = 4_096;

/// The plane's outside.
pub(crate) struct Started {
    pub local: SocketAddr,
    pub commands: mpsc::Sender<MediaCommand>,
    pub counters: Arc<Counters>,
}

/// Binds the port and starts the threads. They end with [`MediaCommand::Shutdown`] or when nobody can command them any more.
/// The same number is bound for TCP, too; where that is taken, the port serves UDP alone.
pub(crate) fn start(listen: SocketAddr, public: &[IpAddr], workers: Option<NonZeroUsize>) -> io::Result<Started> {
    let port = UdpPort::bind(listen)?;
    let local = port.local_addr();
    let listener = tcp::listen(local);
    if let Err(error) = &listener {
        tracing::warn!(%local, %error, "media over TCP is off: the port is taken");
    }
    let listener = listener.ok();
    let counters = Arc::new(Counters::default());
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (notices, from_workers) = mpsc::channel(NOTICES);
    let (tcp, to_tcp) = mpsc::channel(TCP_OUT);
    let outside = Outside { udp: port.sender(), tcp, notices };
    let workers = Workers::start(workers.unwrap_or_else(usual_workers).get(), &outside, &counters)?;
    let thread_counters = Arc::clone(&counters);
    let identity = Identity::generate().map_err(io::Error::other)?;
    let candidates = candidates(local, public, listener.is_some());
    let plane = Plane::new(identity, candidates, Arc::clone(&counters), workers, Instant::now());
    std::thread::Builder::new().name("media".to_owned()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "the media thread has no runtime"),
        };
        let thread = Thread {
            udp: outside.udp,
            port,
            plane,
            inbox,
            from_workers,
            to_tcp,
            batch: Batch::new(),
            counters: thread_counters,
        };
        if let Err(error) = runtime.block_on(thread.run(listener)) {
            tracing::error!(%error, "the media port cannot be used");
        }
    })?;
    Ok(Started { local, commands, counters })
}

/// The plane and the rest of the hub want a core; the others seal and send.
fn usual_workers() -> NonZeroUsize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(cores.saturating_sub(1)).unwrap_or(NonZeroUsize::MIN)
}

struct Thread {
    port: UdpPort,
    plane: Plane,
    inbox: mpsc::Receiver<MediaCommand>,
    from_workers: mpsc::Receiver<Notice>,
    to_tcp: mpsc::Receiver<(u64, BytesMut)>,
    /// For what the plane itself says.
    udp: UdpSender,
    batch: Batch,
    counters: Arc<Counters>,
}

impl Thread {
    async fn run(mut self, listener: Option<std::net::TcpListener>) -> io::Result<()> {
        let mut tcp = listener.map(TcpSide::new).transpose()?;
        loop {
            let deadline = self.plane.deadline(Instant::now());
            tokio::select! {
                command = self.inbox.recv() => {
                    let last = matches!(command, None | Some(MediaCommand::Shutdown));
                    self.plane.command(command.unwrap_or(MediaCommand::Shutdown), Instant::now());
                    if last {
                        self.plane.finish();
                        self.send_all(tcp.as_mut());
                        return Ok(());
                    }
                }
                ready = self.port.readable() => {
                    ready?;
                    let now = Instant::now();
                    let plane = &mut self.plane;
                    let received = self.port.recv_batch(|datagram, from| plane.datagram(datagram, Path::Udp(from), now));
                    Counters::add_usize(&self.counters.strangers, received.dropped);
                }
                Some(heard) = hear(tcp.as_mut()) => {
                    if let Some(tcp) = tcp.as_mut() {
                        self.take_batch(tcp, heard);
                    }
                }
                Some(notice) = self.from_workers.recv() => {
                    let now = Instant::now();
                    self.plane.notice(notice, now);
                    while let Ok(notice) = self.from_workers.try_recv() {
                        self.plane.notice(notice, now);
                    }
                }
                Some((to, datagram)) = self.to_tcp.recv() => {
                    if let Some(tcp) = tcp.as_mut() {
                        tcp.send(to, datagram);
                        while let Ok((to, datagram)) = self.to_tcp.try_recv() {
                            tcp.send(to, datagram);
                        }
                    }
                }
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
            self.plane.tick(Instant::now());
            self.plane.finish();
            self.send_all(tcp.as_mut());
        }
    }

    fn take_batch(&mut self, tcp: &mut TcpSide, first: Heard) {
        let now = Instant::now();
        let mut heard = Some(first);
        let mut left = BATCH;
        while let Some(word) = heard {
            match word {
                Heard::Datagram(from, datagram) => {
                    self.plane.datagram(&datagram, Path::Tcp(from), now);
                    if tcp.is_stranger(from) && self.plane.knows(Path::Tcp(from)) {
                        tcp.prove(from);
                    }
                }
                Heard::GraceOver(id) if self.plane.knows(Path::Tcp(id)) => tcp.prove(id),
                Heard::GraceOver(id) => tcp.hang_up(id),
                Heard::Gone(id) => self.plane.gone(Path::Tcp(id)),
            }
            left -= 1;
            heard = if left > 0 { tcp.try_hear() } else { None };
        }
    }

    /// Writes what the plane itself says: answers to checks, handshakes, reports. An unreachable client loses datagrams, as on any network.
    fn send_all(&mut self, mut tcp: Option<&mut TcpSide>) {
        while let Some((datagram, to)) = self.plane.transmit() {
            match to {
                Path::Udp(to) => self.batch.push(to, datagram),
                Path::Tcp(to) => {
                    if let Some(tcp) = &mut tcp {
                        tcp.send(to, datagram);
                    }
                }
            }
        }
        self.udp.flush(&mut self.batch);
    }
}

/// Without a listener there is nothing to wait for.
async fn hear(tcp: Option<&mut TcpSide>) -> Option<Heard> {
    match tcp {
        Some(tcp) => tcp.hear().await,
        None => std::future::pending().await,
    }
}
