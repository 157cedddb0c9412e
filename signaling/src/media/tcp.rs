//! ICE over TCP (RFC 6544, passive): for offices whose firewall passes no UDP. One listener on the media port's number; every datagram
//! travels behind two bytes of length (RFC 4571). For the stack it is a path like any other (see [`super::peer`]).

use bytes::BytesMut;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Where a client's datagrams come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Path {
    Udp(SocketAddr),
    Tcp(u64),
}

/// Connections at a time. Past this new ones are refused.
const MAX_CONNECTIONS: usize = 512;
/// Datagrams of all connections → plane. When full, the connections wait.
const INBOX: usize = 1024;
/// Plane → one connection, some two seconds of video. When full, datagrams are lost, as on any narrow line.
const OUTBOX: usize = 256;
/// A connection that sends nothing for so long is gone. Clients check their path every few seconds.
const SILENCE: Duration = Duration::from_secs(30);
/// A connection that has not proved who it is gets this long.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// What a connection tells.
#[derive(Debug)]
pub(crate) enum Heard {
    Datagram(u64, BytesMut),
    /// Has it proved who it is by now?
    GraceOver(u64),
    Gone(u64),
}

/// The listener and its connections.
#[derive(Debug)]
pub(crate) struct TcpSide {
    listener: TcpListener,
    next: u64,
    outboxes: HashMap<u64, mpsc::Sender<BytesMut>>,
    heard: mpsc::Sender<Heard>,
    inbox: mpsc::Receiver<Heard>,
}

impl TcpSide {
    /// Call it inside the media thread's runtime.
    pub fn new(listener: std::net::TcpListener) -> std::io::Result<Self> {
        let (heard, inbox) = mpsc::channel(INBOX);
        Ok(Self { listener: TcpListener::from_std(listener)?, next: 0, outboxes: HashMap::new(), heard, inbox })
    }

    /// Waits for the next word of any connection, and takes new connections meanwhile. Safe to be dropped at any await.
    pub async fn hear(&mut self) -> Option<Heard> {
        loop {
            tokio::select! {
                heard = self.inbox.recv() => return heard,
                Ok((stream, _)) = self.listener.accept() => self.take(stream),
            }
        }
    }

    /// Another word, if one is there.
    pub fn try_hear(&mut self) -> Option<Heard> {
        self.inbox.try_recv().ok()
    }

    pub fn send(&mut self, to: u64, datagram: BytesMut) {
        if let Some(outbox) = self.outboxes.get(&to) {
            let _ = outbox.try_send(datagram);
        }
    }

    pub fn hang_up(&mut self, connection: u64) {
        self.outboxes.remove(&connection);
    }

    fn take(&mut self, stream: TcpStream) {
        if self.outboxes.len() >= MAX_CONNECTIONS || stream.set_nodelay(true).is_err() {
            return;
        }
        self.next += 1;
        let id = self.next;
        let (outbox, from_plane) = mpsc::channel(OUTBOX);
        self.outboxes.insert(id, outbox);
        let (read, write) = stream.into_split();
        let heard = self.heard.clone();
        tokio::spawn(async move {
            // Either half's end is the connection's: the other is dropped with it.
            tokio::select! {
                () = read_all(id, read, &heard) => {}
                () = write_all(write, from_plane) => {}
            }
            let _ = heard.send(Heard::Gone(id)).await;
        });
        let heard = self.heard.clone();
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            let _ = heard.send(Heard::GraceOver(id)).await;
        });
    }
}

async fn read_all(id: u64, mut stream: OwnedReadHalf, heard: &mpsc::Sender<Heard>) {
    loop {
        let next = async {
            let length = stream.read_u16().await?;
            let mut datagram = BytesMut::zeroed(usize::from(length));
            stream.read_exact(&mut datagram).await.map(|_| datagram)
        };
        let Ok(Ok(datagram)) = tokio::time::timeout(SILENCE, next).await else { return };
        if heard.send(Heard::Datagram(id, datagram)).await.is_err() {
            return;
        }
    }
}

async fn write_all(mut stream: OwnedWriteHalf, mut from_plane: mpsc::Receiver<BytesMut>) {
    while let Some(datagram) = from_plane.recv().await {
        let Ok(length) = u16::try_from(datagram.len()) else { continue };
        let mut frame = BytesMut::with_capacity(datagram.len() + 2);
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&datagram);
        if stream.write_all(&frame).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn datagrams_come_whole_however_they_are_cut() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let mut side = TcpSide::new(listener).unwrap();
        let client = tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            for piece in [&[0][..], &[3, b'a'], &[b'b', b'c', 0, 1], b"d"] {
                stream.write_all(piece).await.unwrap();
                stream.flush().await.unwrap();
            }
            let mut answer = [0; 4];
            stream.read_exact(&mut answer).await.unwrap();
            answer
        });
        for expected in [&b"abc"[..], b"d"] {
            match side.hear().await {
                Some(Heard::Datagram(1, datagram)) => assert_eq!(datagram, expected),
                other => panic!("{other:?}"),
            }
        }
        side.send(1, BytesMut::from(&b"ok"[..]));
        assert_eq!(client.await.unwrap(), [0, 2, b'o', b'k']);
        assert!(matches!(side.hear().await, Some(Heard::Gone(1))));
    }
}
