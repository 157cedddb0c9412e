//! The server under test: `signaling::MediaServer` with one room, in a process of its own so that its processor time is its own.
//!
//! Each TCP connection to it is one member's line: the first text says who joins, each further one is a message of the product's protocol
//! (`signaling::message`), one a line. It says its addresses in the first line of its output, answers `counters` on its input with
//! the media plane's counters, and ends with its input.

use crate::server::hub::Addresses;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use signaling::{
    ClientMessage, Clock, Connection, Join, MediaConfig, MediaServer, MemberId, Role, RoomConfig, RoomHandle, RoomId,
};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Events of the room that wait to be thrown away.
const EVENTS: usize = 256;

/// Who joins.
#[derive(Deserialize)]
struct Hello {
    member: String,
    role: Role,
    admitted: bool,
}

pub fn run(listen: SocketAddr, workers: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = runtime.block_on(async {
        let server = bind(listen, workers)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        tell(&Addresses { signalling: listener.local_addr()?, media: server.local_addr() })?;
        tokio::spawn(accept(listener, open_room(&server)));
        anyhow::Ok(server)
    })?;
    for order in std::io::stdin().lines() {
        if order? == "counters" {
            tell(&by_name(&format!("{:?}", server.counters())))?;
        }
    }
    Ok(())
}

fn open_room(server: &MediaServer) -> RoomHandle {
    let (events, mut happened) = mpsc::channel(EVENTS);
    tokio::spawn(async move { while happened.recv().await.is_some() {} });
    server.open_room(RoomConfig { id: RoomId::new("bench"), waiting_room: false, notice_version: None, events })
}

fn tell(what: &impl Serialize) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, what)?;
    stdout.write_all(b"\n")?;
    Ok(stdout.flush()?)
}

fn bind(listen: SocketAddr, workers: usize) -> Result<MediaServer> {
    let workers = NonZeroUsize::new(workers);
    let config = MediaConfig { listen, public_addresses: Vec::new(), workers, clock: Clock::default() };
    MediaServer::bind(config).context("the media port")
}

/// The counters' debug text as a map: the list of counters grows, and may not be named from here one by one.
fn by_name(text: &str) -> BTreeMap<String, u64> {
    let inside = text.split_once('{').map_or("", |(_, rest)| rest).trim_end_matches([' ', '}']);
    let pairs = inside.split(',').filter_map(|pair| pair.split_once(':'));
    pairs.filter_map(|(name, value)| Some((name.trim().to_owned(), value.trim().parse().ok()?))).collect()
}

async fn accept(listener: TcpListener, room: RoomHandle) {
    while let Ok((stream, _)) = listener.accept().await {
        let room = room.clone();
        tokio::spawn(async move {
            // The member's line is gone; the room knows by the connection that was dropped.
            let _ = carry(stream, room).await;
        });
    }
}

async fn carry(stream: TcpStream, room: RoomHandle) -> Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let first = lines.next_line().await?.context("nothing was said")?;
    let Hello { member, role, admitted } = serde_json::from_str(&first)?;
    let join = Join { member: MemberId::new(member.clone()), name: member, role, admitted, ice_servers: Vec::new() };
    let Connection { inbox, mut outbox } = room.join(join).await?;
    let outward = tokio::spawn(async move {
        while let Some(message) = outbox.recv().await {
            if writer.write_all(format!("{}\n", message.to_json()).as_bytes()).await.is_err() {
                return;
            }
        }
    });
    while let Some(text) = lines.next_line().await? {
        if let Ok(message) = ClientMessage::parse(&text)
            && inbox.send(message).await.is_err()
        {
            break;
        }
    }
    drop(inbox);
    outward.await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_by_name() {
        let read = by_name("MediaCounters { strangers: 0, forwarded: 12 }");
        assert_eq!(read.get("forwarded"), Some(&12));
        assert_eq!(read.get("strangers"), Some(&0));
        assert!(by_name("").is_empty());
    }
}
