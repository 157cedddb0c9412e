//! What a datagram costs at the media port: CPU time of the thread that sends or reads, loopback, 1,200 bytes, sixty clients. On loopback the sender
//! also pays for the way into the receiver's queue. `cargo run --release -p signaling --example port -- ROUNDS`.
//! Absolute figures depend on the machine: compare lines of one run.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring tool may stop with a message")]
#![expect(clippy::indexing_slicing, clippy::cast_precision_loss, reason = "it counts a few thousand things")]

#[expect(dead_code, unused_imports, reason = "only UDP is measured")]
#[path = "../src/media/port/mod.rs"]
mod port;

use bytes::BytesMut;
use port::batch::Batch;
use port::udp::UdpPort;
use rustix::time::{ClockId, clock_gettime};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

const CLIENTS: usize = 60;
const SIZE: usize = 1_200;
const LOCAL: &str = "127.0.0.1:0";

fn main() {
    let rounds = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(500);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {}; {rounds} rounds, {SIZE} bytes, {CLIENTS} clients; CPU µs a datagram", load.trim());
    for together in [1, 2, 4, 8, 16] {
        println!("send_to, {together:2} to each a round     {}", with_std(rounds, together));
        println!("flush,   {together:2} to each a round     {}", with_runs(rounds, together));
    }
    for together in [1, 2, 4, 8] {
        println!("recv_from,  sent in runs of {together}     {}", received(rounds, together, true));
        println!("recv_batch, sent in runs of {together}     {}", received(rounds, together, false));
    }
}

/// What a line tells.
struct Cost {
    cpu: Duration,
    datagrams: usize,
    calls: usize,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each = self.cpu.as_secs_f64() * 1e6 / self.datagrams as f64;
        write!(f, "{each:6.2} µs   {:5.2} a call", self.datagrams as f64 / self.calls as f64)
    }
}

/// CPU time of this thread.
fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

fn clients() -> Vec<(UdpSocket, SocketAddr)> {
    let client = |_| {
        let socket = UdpSocket::bind(LOCAL).unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    };
    (0..CLIENTS).map(client).collect()
}

/// Reads what has come, unmeasured, and makes sure that it was all.
fn drained(clients: &[(UdpSocket, SocketAddr)], each: usize) {
    let mut buffer = [0; SIZE];
    for (client, _) in clients {
        let count = std::iter::from_fn(|| client.recv(&mut buffer).ok()).filter(|length| *length == SIZE).count();
        assert_eq!(count, each, "datagrams were lost: the figures would be too good");
    }
}

fn with_std(rounds: usize, together: usize) -> Cost {
    let (socket, clients) = (UdpSocket::bind(LOCAL).unwrap(), clients());
    let datagram = [7; SIZE];
    let mut cost = Cost { cpu: Duration::ZERO, datagrams: 0, calls: 0 };
    for _ in 0..rounds {
        let start = cpu();
        for _ in 0..together {
            for (_, to) in &clients {
                socket.send_to(&datagram, to).unwrap();
            }
        }
        cost.cpu += cpu() - start;
        cost.datagrams += together * CLIENTS;
        cost.calls += together * CLIENTS;
        drained(&clients, together);
    }
    cost
}

/// With the filling of the batch, whose datagrams come as the plane would bring them: each packet for everybody.
fn with_runs(rounds: usize, together: usize) -> Cost {
    let (port, clients) = (UdpPort::bind(LOCAL.parse().unwrap()).unwrap(), clients());
    let (sender, mut batch) = (port.sender(), Batch::new());
    let mut cost = Cost { cpu: Duration::ZERO, datagrams: 0, calls: 0 };
    for _ in 0..rounds {
        let mut datagrams = vec![BytesMut::zeroed(SIZE); together * CLIENTS].into_iter();
        let start = cpu();
        for _ in 0..together {
            for ((_, to), datagram) in clients.iter().zip(datagrams.by_ref()) {
                batch.push(*to, datagram);
            }
        }
        let sent = sender.flush(&mut batch);
        cost.cpu += cpu() - start;
        assert_eq!(sent.dropped, 0);
        cost.datagrams += sent.datagrams;
        cost.calls += sent.calls;
        drained(&clients, together);
    }
    cost
}

fn received(rounds: usize, together: usize, one_by_one: bool) -> Cost {
    let mut hub = UdpPort::bind(LOCAL.parse().unwrap()).unwrap();
    let plain = UdpSocket::bind(LOCAL).unwrap();
    plain.set_nonblocking(true).unwrap();
    let to = if one_by_one { plain.local_addr().unwrap() } else { hub.local_addr() };
    let clients: Vec<_> = (0..8).map(|_| UdpPort::bind(LOCAL.parse().unwrap()).unwrap()).collect();
    let mut batch = Batch::new();
    let mut buffer = [0; 2_048];
    let mut cost = Cost { cpu: Duration::ZERO, datagrams: 0, calls: 0 };
    for _ in 0..rounds {
        for client in &clients {
            (0..together).for_each(|_| batch.push(to, BytesMut::zeroed(SIZE)));
            client.sender().flush(&mut batch);
        }
        let (expected, mut seen, mut bytes) = (clients.len() * together, 0, 0);
        let start = cpu();
        if one_by_one {
            while let Ok((length, _)) = plain.recv_from(&mut buffer) {
                bytes += buffer[..length].len();
                (seen, cost.calls) = (seen + 1, cost.calls + 1);
            }
        } else {
            while seen < expected {
                let received = hub.recv_batch(|datagram, _| bytes += datagram.len());
                (seen, cost.calls) = (seen + received.datagrams, cost.calls + received.calls);
            }
        }
        cost.cpu += cpu() - start;
        assert_eq!((seen, bytes), (expected, expected * SIZE));
        cost.datagrams += seen;
    }
    cost
}
