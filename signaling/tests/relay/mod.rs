//! A bad network between one client and the hub: every datagram passes a seeded relay on loopback, which loses, delays, disorders, repeats
//! and narrows as it is told, and may change the address under which the hub sees the client.

#![expect(clippy::unwrap_used, reason = "test code")]

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Datagrams from a socket that wait for their turn. When full, the network loses them.
const WAITING: usize = 4_096;
/// Datagrams kept of a recording; later ones are not.
const RECORDED: usize = 4_096;

/// From the client to the hub, or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
}

/// What one direction does to a datagram.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// Share lost, 0 to 1.
    pub loss: f64,
    /// Share sent twice.
    pub repeat: f64,
    pub delay: Duration,
    /// Up to so much more, at random for each: datagrams overtake each other.
    pub jitter: Duration,
    /// Bits a second, and how long a datagram waits in front of the narrow place before it is lost.
    pub narrow: Option<(u64, Duration)>,
}

impl Weather {
    pub fn lossy(loss: f64, delay: Duration) -> Self {
        Self { loss, delay, ..Self::default() }
    }
}

/// What came through a direction and what did not, by the RTP payload type in the clear; RTCP, DTLS and STUN under none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub passed: u64,
    pub lost: u64,
}

#[derive(Debug, Clone)]
pub struct Recorded {
    pub way: Way,
    pub datagram: Vec<u8>,
}

#[derive(Debug)]
pub struct Relay {
    /// Where the client sends to.
    pub address: SocketAddr,
    hub: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    up: Weather,
    down: Weather,
    /// The sockets that the hub sees: one for each of the client's.
    backs: HashMap<SocketAddr, Back>,
    tallies: HashMap<(bool, Option<u8>), Tally>,
    recording: Option<Vec<Recorded>>,
}

#[derive(Debug)]
struct Back {
    socket: Arc<UdpSocket>,
    reader: JoinHandle<()>,
}

impl Drop for Back {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A datagram on its way: the client's address, and the bytes.
type Passing = (SocketAddr, Vec<u8>);

impl Relay {
    pub async fn open(hub: SocketAddr, seed: u64) -> Arc<Self> {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (upward, up) = mpsc::channel::<Passing>(WAITING);
        let (downward, down) = mpsc::channel::<Passing>(WAITING);
        let mut tasks = Vec::new();
        tasks.push(tokio::spawn(carry(up, Line::new(Way::Up, hub, seed, &shared, &front))));
        tasks.push(tokio::spawn(carry(down, Line::new(Way::Down, hub, seed ^ 1, &shared, &front))));
        let (socket, state) = (Arc::clone(&front), Arc::clone(&shared));
        tasks.push(tokio::spawn(async move {
            let mut buffer = vec![0; 2_048];
            loop {
                // An answer that found nobody is told on the next call.
                let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
                let is_known = state.lock().unwrap().backs.contains_key(&client);
                if !is_known {
                    let back = Back::open(hub, client, downward.clone()).await;
                    state.lock().unwrap().backs.insert(client, back);
                }
                let _ = upward.try_send((client, buffer.get(..length).unwrap_or_default().to_vec()));
            }
        }));
        Arc::new(Self { address: front.local_addr().unwrap(), hub, shared, tasks })
    }

    pub fn set(&self, up: Weather, down: Weather) {
        let mut shared = self.shared.lock().unwrap();
        (shared.up, shared.down) = (up, down);
    }

    pub fn both(&self, weather: Weather) {
        self.set(weather, weather);
    }

    /// Nothing passes any more.
    pub fn cut(&self) {
        self.both(Weather::lossy(1.0, Duration::ZERO));
    }

    /// Forgets how the hub saw the client, as an address translator does: the client goes on as if nothing had happened.
    pub fn change_address(&self) {
        // Not known, the client's next datagram opens a new socket.
        self.shared.lock().unwrap().backs.clear();
    }

    /// As the hub sees the client now.
    pub fn seen_as(&self) -> Vec<SocketAddr> {
        let shared = self.shared.lock().unwrap();
        shared.backs.values().map(|back| back.socket.local_addr().unwrap()).collect()
    }

    pub fn record(&self) {
        self.shared.lock().unwrap().recording = Some(Vec::new());
    }

    pub fn recorded(&self) -> Vec<Recorded> {
        self.shared.lock().unwrap().recording.take().unwrap_or_default()
    }

    /// Sends to the hub what somebody caught on the way, from the client's own addresses, all of them.
    pub async fn inject(&self, datagram: &[u8]) {
        let sockets: Vec<_> = self.shared.lock().unwrap().backs.values().map(|back| Arc::clone(&back.socket)).collect();
        for socket in sockets {
            let _ = socket.send_to(datagram, self.hub).await;
        }
    }

    pub fn tally(&self, way: Way, payload_type: u8) -> Tally {
        let shared = self.shared.lock().unwrap();
        shared.tallies.get(&(way == Way::Up, Some(payload_type))).copied().unwrap_or_default()
    }

    pub fn clear_tallies(&self) {
        self.shared.lock().unwrap().tallies.clear();
    }
}

impl Back {
    async fn open(hub: SocketAddr, client: SocketAddr, downward: mpsc::Sender<Passing>) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let reading = Arc::clone(&socket);
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; 2_048];
            loop {
                let Ok((length, from)) = reading.recv_from(&mut buffer).await else { continue };
                if from == hub {
                    let _ = downward.try_send((client, buffer.get(..length).unwrap_or_default().to_vec()));
                }
            }
        });
        Self { socket, reader }
    }
}

/// One direction.
struct Line {
    way: Way,
    hub: SocketAddr,
    random: StdRng,
    shared: Arc<Mutex<Shared>>,
    front: Arc<UdpSocket>,
    /// By the time of delivery, then in the order of arrival.
    waiting: BinaryHeap<Reverse<(Instant, u64, Passing)>>,
    count: u64,
    /// When the narrow place is free.
    free_at: Instant,
}

async fn carry(mut inbox: mpsc::Receiver<Passing>, mut line: Line) {
    loop {
        let due = line.waiting.peek().map(|Reverse((due, ..))| *due);
        tokio::select! {
            passing = inbox.recv() => {
                let Some((client, datagram)) = passing else { return };
                line.take(client, datagram);
            }
            () = sleep_until(due) => {}
        }
        line.deliver().await;
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Line {
    fn new(way: Way, hub: SocketAddr, seed: u64, shared: &Arc<Mutex<Shared>>, front: &Arc<UdpSocket>) -> Self {
        Self {
            way,
            hub,
            random: StdRng::seed_from_u64(seed),
            shared: Arc::clone(shared),
            front: Arc::clone(front),
            waiting: BinaryHeap::new(),
            count: 0,
            free_at: Instant::now(),
        }
    }

    fn take(&mut self, client: SocketAddr, datagram: Vec<u8>) {
        let now = Instant::now();
        let mut shared = self.shared.lock().unwrap();
        let weather = if self.way == Way::Up { shared.up } else { shared.down };
        let mut is_lost = self.random.random_bool(weather.loss);
        let mut delay = weather.delay;
        if let Some((rate, patience)) = weather.narrow {
            let wait = self.free_at.saturating_duration_since(now);
            is_lost |= wait > patience;
            if !is_lost {
                // 28 bytes of IPv4 and UDP.
                let bits = u64::try_from(datagram.len() + 28).unwrap() * 8;
                self.free_at = self.free_at.max(now) + Duration::from_micros(bits * 1_000_000 / rate);
                delay += self.free_at.saturating_duration_since(now);
            }
        }
        let tally = shared.tallies.entry((self.way == Way::Up, payload_type(&datagram))).or_default();
        if is_lost {
            tally.lost += 1;
            return;
        }
        tally.passed += 1;
        if let Some(recording) = shared.recording.as_mut().filter(|recording| recording.len() < RECORDED) {
            recording.push(Recorded { way: self.way, datagram: datagram.clone() });
        }
        drop(shared);
        let copies = if self.random.random_bool(weather.repeat) { 2 } else { 1 };
        for _ in 0..copies {
            let late = weather.jitter.mul_f64(self.random.random_range(0.0..1.0));
            self.count += 1;
            self.waiting.push(Reverse((now + delay + late, self.count, (client, datagram.clone()))));
        }
    }

    async fn deliver(&mut self) {
        let now = Instant::now();
        while self.waiting.peek().is_some_and(|Reverse((due, ..))| *due <= now) {
            let Some(Reverse((_, _, (client, datagram)))) = self.waiting.pop() else { return };
            let _ = match self.way {
                Way::Down => self.front.send_to(&datagram, client).await,
                Way::Up => {
                    let back = self.shared.lock().unwrap().backs.get(&client).map(|back| Arc::clone(&back.socket));
                    // After a change of address what was on its way is lost.
                    let Some(back) = back else { continue };
                    back.send_to(&datagram, self.hub).await
                }
            };
        }
    }
}

/// Of an RTP packet in SRTP, whose header is in the clear (RFC 5761, section 4, tells RTCP apart).
fn payload_type(datagram: &[u8]) -> Option<u8> {
    match datagram {
        [128..=191, second, ..] if !(64..96).contains(&(second & 0x7f)) => Some(second & 0x7f),
        _ => None,
    }
}
