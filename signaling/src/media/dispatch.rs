//! The ways out to the viewers, spread over threads: each viewer's [`Egress`] lives with one worker, which seals, paces and sends.
//!
//! The plane decides and rewrites on its own thread; sealing and the kernel's send cost ten times as much, and are here. A worker takes what
//! has come for up to [`LINGER`], so that a viewer's packets leave in one call (UDP GSO).

use super::counters::Counters;
use super::egress::{Egress, EgressEvent, EgressStats, OutPacket, Stream};
use super::peer::PeerId;
use super::port::Path;
use super::port::batch::Batch;
use super::port::udp::UdpSender;
use super::sdp;
use super::transport::Sealer;
use bytes::BytesMut;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Jobs that wait for a worker. When full, the worker does not keep up: packets are dropped and counted, orders wait.
const JOBS: usize = 4_096;
/// How long a worker gathers before it sends. With the plane's own share the hub adds less than a millisecond.
const LINGER: Duration = Duration::from_micros(500);
/// A worker looks at its clocks at least this often.
const LONGEST_SLEEP: Duration = Duration::from_millis(200);
/// How often the plane hears of a line.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// Which worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WorkerId(usize);

/// What a worker is to do.
pub(crate) enum Job {
    Open {
        peer: PeerId,
        sealer: Sealer,
        way: Path,
    },
    Negotiated {
        peer: PeerId,
        streams: Vec<Stream>,
        transport_cc: Option<u8>,
    },
    Way {
        peer: PeerId,
        way: Path,
    },
    Packets(Vec<(PeerId, OutPacket)>),
    /// What the viewer's browser reports.
    Rtcp {
        peer: PeerId,
        compound: BytesMut,
    },
    /// What would be sent if the line allowed it, in bits a second.
    Want {
        peer: PeerId,
        bits: u64,
    },
    Close {
        peer: PeerId,
    },
}

/// What a worker tells the plane.
#[derive(Debug)]
pub(crate) enum Notice {
    KeyframeWanted {
        peer: PeerId,
        ssrc: u32,
    },
    /// The queue was full: pictures were dropped.
    Overflow {
        peer: PeerId,
    },
    Line {
        peer: PeerId,
        estimate: u64,
        stats: EgressStats,
    },
}

/// Where what leaves a worker goes.
#[derive(Clone)]
pub(crate) struct Outside {
    pub udp: UdpSender,
    /// ICE-TCP connections are the plane's thread's.
    pub tcp: mpsc::Sender<(u64, BytesMut)>,
    pub notices: mpsc::Sender<Notice>,
}

impl Outside {
    /// What is lost when the plane does not keep up is said again: a viewer repeats its requests, a queue its overflow.
    fn tell(&self, peer: PeerId, event: EgressEvent) {
        let notice = match event {
            EgressEvent::KeyframeWanted(ssrc) => Notice::KeyframeWanted { peer, ssrc },
            EgressEvent::Overflow(_) => Notice::Overflow { peer },
        };
        let _ = self.notices.try_send(notice);
    }
}

/// All workers, from the plane's side.
pub(crate) struct Workers {
    inboxes: Vec<SyncSender<Job>>,
    /// What is gathered for each until the plane's round is over.
    gathered: Vec<Vec<(PeerId, OutPacket)>>,
    load: Vec<usize>,
    counters: Arc<Counters>,
}

impl Workers {
    /// Starts the threads. They end when this is dropped.
    pub fn start(count: usize, outside: &Outside, counters: &Arc<Counters>) -> io::Result<Self> {
        let mut inboxes = Vec::new();
        for number in 0..count.max(1) {
            let (inbox, jobs) = sync_channel(JOBS);
            let worker = Worker {
                viewers: HashMap::new(),
                touched: BTreeSet::new(),
                batch: Batch::new(),
                outside: outside.clone(),
                counters: Arc::clone(counters),
            };
            std::thread::Builder::new().name(format!("media-{number}")).spawn(move || worker.run(&jobs))?;
            inboxes.push(inbox);
        }
        let gathered = inboxes.iter().map(|_| Vec::new()).collect();
        let load = vec![0; inboxes.len()];
        Ok(Self { inboxes, gathered, load, counters: Arc::clone(counters) })
    }

    /// The worker with the fewest viewers takes another.
    pub fn assign(&mut self) -> WorkerId {
        let least = self.load.iter().enumerate().min_by_key(|(_, load)| **load).map_or(0, |(at, _)| at);
        if let Some(load) = self.load.get_mut(least) {
            *load += 1;
        }
        WorkerId(least)
    }

    /// A viewer is gone.
    pub fn release(&mut self, worker: WorkerId, peer: PeerId) {
        if let Some(load) = self.load.get_mut(worker.0) {
            *load = load.saturating_sub(1);
        }
        self.order(worker, Job::Close { peer });
    }

    /// Orders are never lost; a worker that is behind makes the plane wait.
    pub fn order(&mut self, worker: WorkerId, job: Job) {
        // What was gathered before belongs before it.
        self.send_gathered(worker.0);
        if let Some(inbox) = self.inboxes.get(worker.0) {
            let _ = inbox.send(job);
        }
    }

    pub fn push(&mut self, worker: WorkerId, peer: PeerId, packet: OutPacket) {
        if let Some(gathered) = self.gathered.get_mut(worker.0) {
            gathered.push((peer, packet));
        }
    }

    /// The plane's round is over: everything gathered goes.
    pub fn flush(&mut self) {
        for worker in 0..self.inboxes.len() {
            self.send_gathered(worker);
        }
    }

    fn send_gathered(&mut self, worker: usize) {
        let (Some(gathered), Some(inbox)) = (self.gathered.get_mut(worker), self.inboxes.get(worker)) else { return };
        if gathered.is_empty() {
            return;
        }
        if let Err(TrySendError::Full(Job::Packets(lost))) = inbox.try_send(Job::Packets(std::mem::take(gathered))) {
            Counters::add_usize(&self.counters.dropped, lost.len());
        }
    }
}

struct Viewer {
    egress: Egress<Sealer>,
    way: Path,
    told: Instant,
    /// Drops of its queue that are counted already.
    shed: u64,
}

struct Worker {
    viewers: HashMap<PeerId, Viewer>,
    /// Viewers that may have something to send.
    touched: BTreeSet<PeerId>,
    batch: Batch,
    outside: Outside,
    counters: Arc<Counters>,
}

impl Worker {
    fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let now = Instant::now();
            let sleep = self.viewers.values().map(|viewer| viewer.egress.deadline(now)).min();
            let sleep = sleep.map_or(LONGEST_SLEEP, |at| at.saturating_duration_since(now)).min(LONGEST_SLEEP);
            match jobs.recv_timeout(sleep) {
                Ok(job) => {
                    std::thread::sleep(LINGER);
                    let now = Instant::now();
                    self.take(job, now);
                    while let Ok(job) = jobs.try_recv() {
                        self.take(job, now);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.work(Instant::now());
        }
    }

    fn take(&mut self, job: Job, now: Instant) {
        match job {
            Job::Open { peer, sealer, way } => {
                self.viewers
                    .insert(peer, Viewer { egress: Egress::new(sealer, sdp::CNAME, now), way, told: now, shed: 0 });
            }
            Job::Negotiated { peer, streams, transport_cc } => {
                if let Some(viewer) = self.viewers.get_mut(&peer) {
                    viewer.egress.negotiated(streams, transport_cc);
                }
            }
            Job::Way { peer, way } => {
                if let Some(viewer) = self.viewers.get_mut(&peer) {
                    viewer.way = way;
                }
            }
            Job::Packets(packets) => {
                for (peer, packet) in packets {
                    if let Some(viewer) = self.viewers.get_mut(&peer) {
                        viewer.egress.push(packet, now);
                        while let Some(event) = viewer.egress.poll_event() {
                            self.outside.tell(peer, event);
                        }
                        self.touched.insert(peer);
                    }
                }
            }
            Job::Rtcp { peer, compound } => {
                if let Some(viewer) = self.viewers.get_mut(&peer) {
                    for event in viewer.egress.rtcp(&compound, now) {
                        self.outside.tell(peer, event);
                    }
                    self.touched.insert(peer);
                }
            }
            Job::Want { peer, bits } => {
                if let Some(viewer) = self.viewers.get_mut(&peer) {
                    viewer.egress.want(bits);
                }
            }
            Job::Close { peer } => {
                self.viewers.remove(&peer);
                self.touched.remove(&peer);
            }
        }
    }

    /// Lets everything out that may go now.
    fn work(&mut self, now: Instant) {
        for (peer, viewer) in &mut self.viewers {
            if viewer.egress.deadline(now) <= now {
                viewer.egress.tick(now);
                self.touched.insert(*peer);
            }
            if now.saturating_duration_since(viewer.told) >= TELL_EVERY {
                viewer.told = now;
                let stats = viewer.egress.stats();
                Counters::add(&self.counters.shed, stats.dropped.saturating_sub(viewer.shed));
                viewer.shed = stats.dropped;
                let line = Notice::Line { peer: *peer, estimate: viewer.egress.estimate(), stats };
                let _ = self.outside.notices.try_send(line);
            }
        }
        let mut by_tcp = 0;
        while let Some(peer) = self.touched.pop_first() {
            let Some(viewer) = self.viewers.get_mut(&peer) else { continue };
            while let Some(datagram) = viewer.egress.poll_transmit(now) {
                match &viewer.way {
                    Path::Udp(to) => self.batch.push(*to, datagram),
                    Path::Tcp(connection) => {
                        by_tcp += 1;
                        if self.outside.tcp.try_send((*connection, datagram)).is_err() {
                            Counters::add(&self.counters.dropped, 1);
                        }
                    }
                }
            }
        }
        let sent = self.outside.udp.flush(&mut self.batch);
        Counters::add_usize(&self.counters.sent, sent.datagrams + by_tcp);
        Counters::add_usize(&self.counters.send_calls, sent.calls);
        Counters::add_usize(&self.counters.dropped, sent.dropped);
    }
}
