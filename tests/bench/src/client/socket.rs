//! One client's UDP socket: reads in batches, takes apart what the kernel put together, and sends runs of equal size in one call.

use super::clock;
use anyhow::Result;
use mio::{Interest, Registry, Token};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

/// Datagrams (or runs of them) for each call.
const BATCH: usize = 8;
/// A run of datagrams never exceeds what one IP packet may hold.
const LONGEST_RUN: usize = 60_000;
const MOST_IN_A_RUN: usize = 40;
/// What is asked of the kernel for a socket, each way; it gives as much as `net.core.rmem_max` allows.
const KERNEL_BUFFER: usize = 2 << 20;

/// Room for a batch, shared by all sockets of a thread.
pub struct Buffers(Vec<Vec<u8>>);

impl Default for Buffers {
    fn default() -> Self {
        Self((0..BATCH).map(|_| vec![0; 65_536]).collect())
    }
}

pub struct Socket {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    run: Vec<u8>,
    run_size: usize,
    run_count: usize,
    run_to: Option<SocketAddr>,
    /// Datagrams that the kernel would not take.
    pub unsent: u64,
}

impl Socket {
    pub fn bind(ip: IpAddr, registry: &Registry, token: Token) -> Result<Self> {
        let socket = std::net::UdpSocket::bind((ip, 0))?;
        let state = UdpSocketState::new((&socket).into())?;
        let wanted = socket2::SockRef::from(&socket);
        wanted.set_recv_buffer_size(KERNEL_BUFFER)?;
        wanted.set_send_buffer_size(KERNEL_BUFFER)?;
        let local = socket.local_addr()?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, state, local, run: Vec::new(), run_size: 0, run_count: 0, run_to: None, unsent: 0 })
    }

    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Everything that has come, datagram by datagram, with the time that the kernel got it (nanoseconds since 1970).
    pub fn receive(&self, buffers: &mut Buffers, mut take: impl FnMut(&[u8], SocketAddr, u64)) {
        let mut metas = [RecvMeta::default(); BATCH];
        loop {
            let mut slices: Vec<_> = buffers.0.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
            let count = match self.state.recv((&self.socket).into(), &mut slices, &mut metas) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // A server that has ended answers by ICMP; the socket stays good.
                Err(_) => continue,
            };
            for (meta, buffer) in metas.iter().zip(&buffers.0).take(count) {
                let run = buffer.get(..meta.len).unwrap_or_default();
                let arrived = meta.timestamp.map_or_else(clock::now, clock::nanoseconds);
                run.chunks(meta.stride.max(1)).for_each(|datagram| take(datagram, meta.addr, arrived));
            }
        }
    }

    /// Puts a datagram to those that wait, or sends them when it does not fit with them.
    pub fn queue(&mut self, datagram: &[u8], to: SocketAddr) {
        let fits = self.run_to == Some(to)
            && datagram.len() <= self.run_size
            && self.run.len().is_multiple_of(self.run_size)
            && self.run_count < MOST_IN_A_RUN.min(self.state.max_gso_segments())
            && self.run.len() + datagram.len() <= LONGEST_RUN;
        if !fits {
            self.flush();
            (self.run_to, self.run_size) = (Some(to), datagram.len());
        }
        self.run.extend_from_slice(datagram);
        self.run_count += 1;
    }

    /// Sends what waits.
    pub fn flush(&mut self) {
        let Some(destination) = self.run_to.take() else { return };
        let segment_size = (self.run_count > 1).then_some(self.run_size);
        let transmit = Transmit { destination, ecn: None, contents: &self.run, segment_size, src_ip: None };
        if self.state.try_send((&self.socket).into(), &transmit).is_err() {
            self.unsent += u64::try_from(self.run_count).unwrap_or_default();
        }
        self.run.clear();
        self.run_count = 0;
    }
}
