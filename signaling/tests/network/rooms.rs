//! Two rooms of the same shape, with members of the same names: each hears its own and nothing of the other.

use crate::peer::Hub;
use crate::site::{Plan, Site};
use crate::{alone, flows};
use signaling::message::Kind;
use signaling::{Join, Role, RoomConfig, RoomHandle};
use tokio::sync::mpsc;

const MEMBERS: [(&str, Role); 3] =
    [("officer", Role::PresidingOfficer), ("party1", Role::Party), ("party2", Role::Party)];

async fn sites(hub: &Hub, room: &RoomHandle, mark: u8) -> Vec<Site> {
    let mut sites = Vec::new();
    for (name, role) in MEMBERS {
        let join = Join { member: name.into(), name: name.to_owned(), role, admitted: true, ice_servers: Vec::new() };
        let connection = room.join(join).await.unwrap();
        sites.push(Site::open(connection, hub.server.local_addr(), Plan { mark, ..Plan::default() }).await);
    }
    sites
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_anything_of_a_room_of_the_same_shape() {
    let _turn = alone().await;
    let hub = Hub::open();
    let (events, _kept) = mpsc::channel(64);
    let other =
        hub.server.open_room(RoomConfig { id: "other".into(), waiting_room: true, notice_version: None, events });
    let rooms = [(1, sites(&hub, &hub.room, 1).await), (2, sites(&hub, &other, 2).await)];
    for (_, sites) in &rooms {
        for (site, (to, _)) in sites.iter().zip(MEMBERS) {
            for (from, _) in MEMBERS.iter().filter(|(from, _)| *from != to) {
                flows(site, from, 50).await;
            }
        }
    }
    for (mark, sites) in &rooms {
        for (site, (to, _)) in sites.iter().zip(MEMBERS) {
            for (from, _) in MEMBERS {
                for kind in [Kind::Audio, Kind::Video] {
                    let arrivals = site.seen.arrivals(from, kind);
                    assert_eq!(arrivals.is_empty(), from == to, "{to} of {from}");
                    assert!(arrivals.iter().all(|arrival| arrival.layer == *mark), "{to} of {from} in its own room");
                }
            }
        }
    }
}
