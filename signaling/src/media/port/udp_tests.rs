use super::*;
use crate::media::port::batch::MAX_DATAGRAMS;
use bytes::BytesMut;
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

const V4: &str = "127.0.0.1:0";

fn port(listen: &str) -> UdpPort {
    UdpPort::bind(listen.parse().unwrap()).unwrap()
}

fn client(listen: &str) -> UdpSocket {
    let socket = UdpSocket::bind(listen).unwrap();
    // Loopback delivers at once; this only keeps a test that fails from hanging.
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

fn received(client: &UdpSocket, count: usize) -> Vec<Vec<u8>> {
    let mut buffer = [0; 1 << 16];
    let datagrams =
        (0..count).map(|_| client.recv(&mut buffer).map(|length| buffer[..length].to_vec()).unwrap()).collect();
    client.set_nonblocking(true).unwrap();
    assert_eq!(client.recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock, "one too many");
    client.set_nonblocking(false).unwrap();
    datagrams
}

/// Reads until all have come.
fn taken(port: &mut UdpPort, count: usize) -> Vec<(Vec<u8>, SocketAddr)> {
    let mut all = Vec::new();
    while all.len() < count {
        let mut sockets = [PollFd::new(&port.shared.socket, PollFlags::IN)];
        let five_seconds = Timespec { tv_sec: 5, tv_nsec: 0 };
        assert_eq!(poll(&mut sockets, Some(&five_seconds)).unwrap(), 1, "{} of {count}", all.len());
        port.recv_batch(|datagram, from| all.push((datagram.to_vec(), from)));
    }
    all
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(1_200usize), 1 => Just(60), 2 => 1usize..1_400]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Through the kernel and back: whole, in order for each destination, exactly once; with and without offload.
    #[test]
    fn each_gets_its_datagrams_in_order(pushes in prop::collection::vec((0usize..4, sizes()), 0..80), offload: bool) {
        let port = port(V4);
        let sender = if offload { port.sender() } else { port.sender().without_offload() };
        let clients: Vec<_> = (0..4).map(|_| client(V4)).collect();
        let mut expected = vec![Vec::new(); clients.len()];
        let mut batch = Batch::new();
        for (n, (to, size)) in pushes.iter().enumerate() {
            let bytes = vec![u8::try_from(n).unwrap(); *size];
            batch.push(clients[*to].local_addr().unwrap(), BytesMut::from(&bytes[..]));
            expected[*to].push(bytes);
        }
        let sent = sender.flush(&mut batch);
        prop_assert_eq!((sent.datagrams, sent.dropped), (pushes.len(), 0));
        prop_assert!(offload || sent.calls == pushes.len());
        for (client, expected) in clients.iter().zip(expected) {
            prop_assert_eq!(received(client, expected.len()), expected);
        }
    }

    /// The other way: several senders, joined by the kernel or not.
    #[test]
    fn the_port_hears_each_in_order(pushes in prop::collection::vec((0usize..3, sizes()), 0..80)) {
        let mut hub = port(V4);
        let clients: Vec<_> = (0..3).map(|_| port(V4)).collect();
        let mut expected: HashMap<SocketAddr, Vec<Vec<u8>>> = HashMap::new();
        let mut batches: Vec<_> = clients.iter().map(|_| Batch::new()).collect();
        for (n, (from, size)) in pushes.iter().enumerate() {
            let bytes = vec![u8::try_from(n).unwrap(); *size];
            batches[*from].push(hub.local_addr(), BytesMut::from(&bytes[..]));
            expected.entry(clients[*from].local_addr()).or_default().push(bytes);
        }
        for (client, batch) in clients.iter().zip(&mut batches) {
            client.sender().flush(batch);
        }
        let mut seen: HashMap<SocketAddr, Vec<Vec<u8>>> = HashMap::new();
        for (datagram, from) in taken(&mut hub, pushes.len()) {
            seen.entry(from).or_default().push(datagram);
        }
        prop_assert_eq!(seen, expected);
        prop_assert_eq!(hub.recv_batch(|_, _| {}).datagrams, 0);
    }
}

#[test]
fn the_kernels_buffers_are_enlarged() {
    let (port, other) = (port(V4), client(V4));
    let other = SockRef::from(&other);
    other.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
    other.set_send_buffer_size(SEND_BUFFER).unwrap();
    let most = BufferSizes { receive: other.recv_buffer_size().unwrap(), send: other.send_buffer_size().unwrap() };
    assert_eq!(port.buffers(), most);
    let granted = Cell::new(0);
    enlarge(1 << 20, |size| (size < 300 << 10).then(|| granted.set(size)).ok_or(io::ErrorKind::OutOfMemory.into()));
    assert_eq!(granted.get(), 256 << 10);
}

#[test]
fn several_threads_write_at_once() {
    let port = port(V4);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let sender = port.sender();
            scope.spawn(move || {
                let client = client(V4);
                let mut batch = Batch::new();
                for round in 0..20u8 {
                    (0..9).for_each(|n| batch.push(client.local_addr().unwrap(), BytesMut::from(&[round, n][..])));
                    assert_eq!(sender.flush(&mut batch).datagrams, 9);
                    let expected: Vec<_> = (0..9).map(|n| vec![round, n]).collect();
                    assert_eq!(received(&client, 9), expected);
                }
            });
        }
    });
}

#[test]
fn ipv6_and_ipv4_meet_on_one_socket() {
    if UdpSocket::bind("[::1]:0").is_err() {
        // A machine without IPv6 has nothing to show here.
        return;
    }
    let mut both = port("[::]:0");
    let number = both.local_addr().port();
    let mut batch = Batch::new();
    for listen in [V4, "[::1]:0"] {
        let client = client(listen);
        let local = client.local_addr().unwrap();
        client.send_to(b"hello", (local.ip(), number)).unwrap();
        assert_eq!(taken(&mut both, 1), [(b"hello".to_vec(), local)]);
        (0..3).for_each(|_| batch.push(local, BytesMut::from(&b"there"[..])));
        assert_eq!(both.sender().flush(&mut batch).datagrams, 3);
        assert_eq!(received(&client, 3), vec![b"there".to_vec(); 3]);
    }
}

#[test]
fn a_full_receiver_stops_nobody() {
    let port = port(V4);
    let (full, other) = (client(V4), client(V4));
    SockRef::from(&full).set_recv_buffer_size(4096).unwrap();
    let mut batch = Batch::new();
    for _ in 0..500 {
        batch.push(full.local_addr().unwrap(), BytesMut::zeroed(1_200));
    }
    batch.push(other.local_addr().unwrap(), BytesMut::from(&b"through"[..]));
    port.sender().flush(&mut batch);
    assert_eq!(received(&other, 1), [b"through"]);
}

#[test]
fn who_is_gone_or_cannot_be_reached_stops_nobody() {
    let mut port = port(V4);
    let other = client(V4);
    let gone = client(V4).local_addr().unwrap();
    let mut batch = Batch::new();
    for _ in 0..3 {
        let nowhere = ["127.0.0.1:0", "[2001:db8::1]:9"].map(|address| address.parse().unwrap());
        for to in [gone, other.local_addr().unwrap()].into_iter().chain(nowhere) {
            (0..2).for_each(|_| batch.push(to, BytesMut::from(&b"news"[..])));
        }
        let sent = port.sender().flush(&mut batch);
        assert_eq!((sent.datagrams, sent.dropped), (4, 4));
        assert_eq!(received(&other, 2), vec![b"news".to_vec(); 2]);
    }
    assert!(port.sender().segments() > 1, "bad addresses cost everybody the offload");
    other.send_to(b"still there", port.local_addr()).unwrap();
    assert_eq!(taken(&mut port, 1), [(b"still there".to_vec(), other.local_addr().unwrap())]);
}

#[test]
fn nothing_and_too_much_are_not_handed_on() {
    let mut port = port(V4);
    let client = client(V4);
    for size in [0, LARGEST_DATAGRAM + 1, LARGEST_DATAGRAM, 0, 60_000, 1] {
        client.send_to(&vec![7; size], port.local_addr()).unwrap();
    }
    let sizes: Vec<_> = taken(&mut port, 2).iter().map(|(datagram, _)| datagram.len()).collect();
    assert_eq!(sizes, [LARGEST_DATAGRAM, 1]);
}

#[test]
fn a_flood_is_taken_in_pieces() {
    let mut port = port(V4);
    let client = client(V4);
    let all = ENOUGH + 100;
    for _ in 0..all {
        client.send_to(b"flood", port.local_addr()).unwrap();
    }
    let first = port.recv_batch(|_, _| {});
    assert!((ENOUGH..all).contains(&first.datagrams), "{first:?}");
    assert_eq!(first.datagrams + port.recv_batch(|_, _| {}).datagrams, all);
}

#[tokio::test]
async fn readiness_comes_with_each_datagram() {
    let mut port = port(V4);
    let client = client(V4);
    for n in 0..100u8 {
        client.send_to(&[n], port.local_addr()).unwrap();
        let mut seen = Vec::new();
        while seen.is_empty() {
            tokio::time::timeout(Duration::from_secs(5), port.readable()).await.unwrap().unwrap();
            port.recv_batch(|datagram, _| seen.extend_from_slice(datagram));
        }
        assert_eq!(seen, [n]);
    }
    // Nothing is left: neither datagrams nor a readiness that would make the thread run in circles.
    assert_eq!(port.recv_batch(|_, _| {}), Received { calls: 1, ..Received::default() });
    tokio::select! {
        biased;
        ready = port.readable() => panic!("{ready:?}"),
        () = tokio::task::yield_now() => {}
    }
}

/// A kernel that refuses by rule, and remembers what it took.
struct Surly<F> {
    rule: F,
    took: RefCell<Vec<(u16, usize)>>,
    waits: Cell<u32>,
}

impl<F: Fn(u16, usize, Option<usize>) -> Option<i32>> Wire for Surly<F> {
    fn send(&self, to: SocketAddr, bytes: &[u8], size: Option<usize>) -> io::Result<()> {
        if let Some(number) = (self.rule)(to.port(), bytes.len(), size) {
            return Err(io::Error::from_raw_os_error(number));
        }
        self.took.borrow_mut().push((to.port(), bytes.len()));
        Ok(())
    }

    /// Each wait takes half a millisecond and changes nothing.
    fn wait(&self, patience: Duration) -> Duration {
        self.waits.set(self.waits.get() + 1);
        patience.saturating_sub(Duration::from_micros(500))
    }
}

/// Linux' numbers.
const EIO: i32 = 5;
const EAGAIN: i32 = 11;
const EINVAL: i32 = 22;
const EMSGSIZE: i32 = 90;
const ECONNREFUSED: i32 = 111;

/// Three datagrams to each of two destinations, the last a short one.
fn six() -> Batch {
    let mut batch = Batch::new();
    for (port, size) in [(1, 100), (2, 100), (1, 100), (2, 100), (1, 10), (2, 10)] {
        batch.push(([192, 0, 2, 1], port).into(), BytesMut::zeroed(size));
    }
    batch
}

fn surly<F: Fn(u16, usize, Option<usize>) -> Option<i32>>(rule: F) -> (Surly<F>, AtomicUsize) {
    (Surly { rule, took: RefCell::default(), waits: Cell::new(0) }, AtomicUsize::new(64))
}

#[test]
fn a_kernel_without_offload_is_asked_once() {
    for number in [EIO, EINVAL] {
        let (wire, segments) = surly(|_, _, size| size.map(|_| number));
        assert_eq!(flush(&wire, &segments, &mut six()), Sent { datagrams: 6, calls: 6, dropped: 0 });
        assert_eq!(*wire.took.borrow(), [(1, 100), (1, 100), (1, 10), (2, 100), (2, 100), (2, 10)]);
        assert_eq!(segments.into_inner(), 1);
    }
}

#[test]
fn one_bad_address_costs_nobody_the_offload() {
    for number in [EIO, EINVAL, EMSGSIZE, ECONNREFUSED] {
        let (wire, segments) = surly(|to, _, _| (to == 1).then_some(number));
        assert_eq!(flush(&wire, &segments, &mut six()), Sent { datagrams: 3, calls: 1, dropped: 3 });
        assert_eq!(*wire.took.borrow(), [(2, 210)]);
        assert_eq!(segments.into_inner(), 64);
    }
}

#[test]
fn a_narrow_path_takes_what_fits() {
    let (wire, segments) = surly(|to, length, size| (to == 1 && size.unwrap_or(length) > 50).then_some(EMSGSIZE));
    assert_eq!(flush(&wire, &segments, &mut six()), Sent { datagrams: 4, calls: 2, dropped: 2 });
    assert_eq!(segments.into_inner(), 64);
}

#[test]
fn patience_is_for_the_whole_flush() {
    let (wire, segments) = surly(|to, _, _| (to == 1).then_some(EAGAIN));
    let mut batch = six();
    (0..MAX_DATAGRAMS).for_each(|n| batch.push(([192, 0, 2, 1], 1).into(), BytesMut::zeroed(1 + n % 7)));
    let sent = flush(&wire, &segments, &mut batch);
    assert_eq!((sent.datagrams, sent.dropped), (3, MAX_DATAGRAMS + 3));
    assert_eq!(wire.waits.get(), 4);
    assert_eq!(segments.into_inner(), 64);
}

#[test]
fn room_that_comes_in_time_is_used() {
    let left = Cell::new(3i32);
    let (wire, segments) = surly(|_, _, _| left.replace(left.get() - 1).is_positive().then_some(EAGAIN));
    assert_eq!(flush(&wire, &segments, &mut six()), Sent { datagrams: 6, calls: 2, dropped: 0 });
    assert_eq!(wire.waits.get(), 3);
}
