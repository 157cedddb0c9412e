//! Encoders and players, as far as HTTP goes: what is answered to offers, changes and ends, and what is refused. That media flows is shown by tests/interop.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use jiff::ToSpan as _;
use reqwest::Method;
use serde_json::json;
use support::Hub;
use support::client::{Answer, Client};
use support::database::Database;
use support::filing;
use support::room::{Seat, ticket};

/// A hearing's room and the officer who may give tokens to it.
struct Room {
    hub: Hub,
    officer: Client,
    hearing: String,
    room: String,
}

impl Room {
    async fn open() -> Self {
        let hub = Hub::open(Database::Sqlite).await;
        let officer = hub.sign_in("officer.finance").await;
        let case = filing::file(&officer, filing::complaint()).await;
        officer.act(&case, "attend", json!({ "note": "read" })).await.ok();
        let hearing = filing::hearing(&officer, &case, "video", hub.now().await + 1.hour()).await;
        let room = hearing["room"].as_str().unwrap().to_owned();
        Self { hub, officer, hearing: filing::id(&hearing), room }
    }

    /// A device with a token of this part, and the member that it will be.
    async fn device(&self, name: &str, role: &str) -> (Client, String) {
        let (token, member) = ticket(&self.officer, &self.room, name, role).await;
        (self.hub.bearer(&token), member)
    }

    /// From then on the officer may let people in.
    async fn begin(&self) {
        self.hub.advance("PT1H").await;
        self.officer.hear(&self.hearing, "start", json!({})).await.ok();
    }

    async fn post(&self, by: &Client, kind: &str, offer: &str) -> Answer {
        sdp(by, &format!("/{kind}/{}", self.room), offer).await
    }
}

async fn sdp(by: &Client, path: &str, offer: &str) -> Answer {
    let request = by.request(Method::POST, path).header("content-type", "application/sdp").body(offer.to_owned());
    by.send(request).await
}

async fn patch(by: &Client, path: &str, tag: Option<&str>, fragment: &str) -> Answer {
    let request = by.request(Method::PATCH, path).header("content-type", "application/trickle-ice-sdpfrag");
    let request = match tag {
        Some(tag) => request.header("if-match", tag),
        None => request,
    };
    by.send(request.body(fragment.to_owned())).await
}

async fn delete(by: &Client, path: &str) -> Answer {
    by.send(by.request(Method::DELETE, path)).await
}

fn offer(direction: &str) -> String {
    let digest = ["AB"; 32].join(":");
    let transport = format!(
        "c=IN IP4 0.0.0.0\r\na=ice-ufrag:first\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 {digest}\r\n\
         a=setup:actpass\r\na=rtcp-mux\r\na={direction}\r\n"
    );
    format!(
        "v=0\r\no=- 5 9 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n{transport}a=rtpmap:111 opus/48000/2\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n{transport}a=rtpmap:96 VP8/90000\r\n"
    )
}

const RESTART: &str = "a=ice-ufrag:second\r\na=ice-pwd:1234567890123456789012\r\n";
const CANDIDATE: &str = "a=ice-ufrag:first\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
    a=candidate:1 1 udp 2130706431 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n";

fn ufrag(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap()
}

#[tokio::test]
async fn an_encoder_comes_restarts_and_goes() {
    let room = Room::open().await;
    let (encoder, _) = room.device("", "presiding_officer").await;

    let made = room.post(&encoder, "whip", &offer("sendonly")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("content-type"), "application/sdp");
    assert_eq!(made.header("access-control-allow-origin"), "*");
    assert!(made.text.contains("a=recvonly") && made.text.contains("a=ice-lite") && made.text.contains("a=candidate:"));
    let (session, tag) = (made.header("location").to_owned(), made.header("etag").to_owned());
    assert!(session.starts_with(&format!("/whip/{}/", room.room)) && session.len() > 60, "{session}");

    let trickled = patch(&encoder, &session, Some(&tag), CANDIDATE).await;
    assert_eq!((trickled.status, trickled.text.as_str()), (204, ""));
    patch(&encoder, &session, Some("\"other\""), CANDIDATE).await.refused(412, "session-stale");

    let restarted = patch(&encoder, &session, Some("*"), RESTART).await;
    assert_eq!(restarted.status, 200, "{}", restarted.text);
    assert_eq!(restarted.header("content-type"), "application/trickle-ice-sdpfrag");
    assert_ne!(ufrag(&restarted.text), ufrag(&made.text));
    assert_ne!(restarted.header("etag"), tag);
    patch(&encoder, &session, Some(&tag), CANDIDATE).await.refused(412, "session-stale");
    let again = patch(&encoder, &session, Some(restarted.header("etag")), &CANDIDATE.replace("first", "second")).await;
    assert_eq!(again.status, 204, "{}", again.text);

    assert_eq!(delete(&encoder, &session).await.status, 200);
    delete(&encoder, &session).await.refused(404, "not-found");
    patch(&encoder, &session, Some("*"), RESTART).await.refused(404, "not-found");
}

#[tokio::test]
async fn one_member_has_an_encoder_and_a_player() {
    let room = Room::open().await;
    let (device, _) = room.device("", "presiding_officer").await;
    let sending = room.post(&device, "whip", &offer("sendonly")).await;
    let watching = room.post(&device, "whep", &offer("recvonly")).await;
    assert_eq!((sending.status, watching.status), (201, 201), "{} {}", sending.text, watching.text);
    assert!(watching.text.contains("a=sendonly"), "{}", watching.text);
    let restarted = patch(&device, watching.header("location"), Some("*"), RESTART).await;
    assert_eq!(restarted.status, 200, "{}", restarted.text);

    // A second encoder takes the place of the first; the player stays.
    let second = room.post(&device, "whip", &offer("sendonly")).await;
    assert_eq!(second.status, 201, "{}", second.text);
    delete(&device, sending.header("location")).await.refused(404, "not-found");
    assert_eq!(delete(&device, second.header("location")).await.status, 200);
    assert_eq!(delete(&device, watching.header("location")).await.status, 200);
}

#[tokio::test]
async fn who_must_wait_waits_and_is_let_in() {
    let room = Room::open().await;
    let (camera, member) = room.device("Camera of the unit", "party").await;
    let (hub, officer) = (&room.hub, &room.officer);
    room.begin().await;
    let (token, _) = ticket(officer, &room.room, "", "presiding_officer").await;
    let mut chair = Seat::enter(hub, &room.room, &token).await;
    chair.hear("admitted").await;

    let knocks = async { room.post(&camera, "whip", &offer("sendonly")).await };
    let lets_in = async {
        loop {
            let members = chair.hear("members").await;
            let waits = |m: &serde_json::Value| m["id"] == json!(member) && m["status"] == "waiting";
            if members["members"].as_array().unwrap().iter().any(waits) {
                break;
            }
        }
        officer.hear(&room.hearing, "admit", json!({ "member": member })).await.ok();
    };
    let (made, ()) = tokio::join!(knocks, lets_in);
    assert_eq!(made.status, 201, "{}", made.text);
}

#[tokio::test]
async fn who_is_not_let_in_is_told_to_come_again() {
    let room = Room::open().await;
    let (camera, member) = room.device("Camera of the unit", "party").await;
    let answer = room.post(&camera, "whip", &offer("sendonly")).await;
    answer.refused(403, "waiting-room");
    assert_eq!(answer.header("retry-after"), "5");
    room.begin().await;
    // Its seat waits on, so that it can be let in meanwhile.
    room.officer.hear(&room.hearing, "admit", json!({ "member": member })).await.ok();
    let made = room.post(&camera, "whip", &offer("sendonly")).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_name() {
    let room = Room::open().await;
    let (officer, _) = room.device("", "presiding_officer").await;
    let (observer, _) = room.device("Screen in the hall", "observer").await;
    let good = offer("sendonly");

    let stranger = room.hub.visitor();
    let challenged = room.post(&stranger, "whip", &good).await;
    challenged.refused(401, "no-bearer");
    assert_eq!(challenged.header("www-authenticate"), "Bearer");
    room.post(&room.hub.bearer("no.token"), "whip", &good).await.refused(401, "join-token");
    sdp(&officer, "/whip/hearing-other", &good).await.refused(401, "join-token");
    room.post(&observer, "whip", &good).await.refused(403, "only-watches");

    let path = format!("/whip/{}", room.room);
    officer.send(officer.request(Method::POST, &path).body(good.clone())).await.refused(415, "not-sdp");
    room.post(&officer, "whip", "hello").await.refused(400, "offer-malformed");
    room.post(&officer, "whip", &"x".repeat(70_000)).await.refused(413, "too-large");
    let unusable = room.post(&officer, "whip", &good.replace("actpass", "passive")).await;
    assert!(unusable.refused(422, "offer-unusable")["detail"].as_str().unwrap().contains("DTLS"));
    room.post(&officer, "whip", &good.replace("VP8", "H265")).await.refused(406, "media-not-taken");
    room.post(&officer, "whip", &offer("recvonly")).await.refused(406, "media-not-taken");
    room.post(&officer, "whep", &good).await.refused(406, "media-not-taken");

    let made = room.post(&officer, "whip", &good).await;
    let session = made.header("location").to_owned();
    let (other, _) = room.device("Another camera", "coordinator").await;
    delete(&other, &session).await.refused(401, "join-token");
    delete(&stranger, &session).await.refused(401, "no-bearer");
    delete(&officer, &session.replace("whip", "whep")).await.refused(404, "not-found");
    patch(&officer, &session, None, "a=ice-ufrag:abcd\r\n").await.refused(400, "offer-malformed");
    officer.send(officer.request(Method::PATCH, &session).body(RESTART)).await.refused(415, "not-a-fragment");
    assert_eq!(delete(&officer, &session).await.status, 200, "none of this ended it");
}

#[tokio::test]
async fn a_page_of_another_origin_may_use_it() {
    let room = Room::open().await;
    let (officer, _) = room.device("", "presiding_officer").await;
    let path = format!("/whip/{}", room.room);
    let asked = room.hub.visitor().request(Method::OPTIONS, &path).header("origin", "https://studio.example");
    let asked = officer.send(asked.header("access-control-request-method", "POST")).await;
    assert_eq!((asked.status, asked.header("accept-post")), (200, "application/sdp"));
    assert_eq!(asked.header("access-control-allow-origin"), "*");
    assert!(asked.header("access-control-allow-headers").contains("Authorization"));
    assert!(asked.header("access-control-allow-methods").contains("POST"));

    let foreign = officer.request(Method::POST, &path).header("origin", "https://studio.example");
    let foreign = foreign.header("sec-fetch-site", "cross-site").header("content-type", "application/sdp");
    let made = officer.send(foreign.body(offer("sendonly"))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(made.header("access-control-expose-headers").contains("Location"));
    assert_eq!(officer.send(officer.request(Method::GET, &path)).await.status, 405);
    assert_eq!(officer.send(officer.request(Method::GET, made.header("location"))).await.status, 405);
}
