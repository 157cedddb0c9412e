mod golden;
mod peers;
mod properties;
mod rules;

use super::fragment::{Fragment, read_fragment, write_fragment};
use super::*;

const FINGERPRINT: &str =
    "sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";

pub(super) fn local(candidates: &[String]) -> Local<'_> {
    Local { ufrag: "ourFragment", pwd: "ourPasswordOf22Letters", fingerprint: FINGERPRINT, candidates }
}

pub(super) fn answer(offer: &Offer, slots: &[Slot]) -> String {
    write_answer(offer, local(&["candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host".to_owned()]), slots)
}

pub(super) fn slot(mid: &str, kind: Kind, ssrc: u32) -> Slot {
    let rtx_ssrc = (kind != Kind::Audio).then_some(ssrc + 1);
    Slot { mid: mid.to_owned(), kind, msid: "podium".to_owned(), ssrc, rtx_ssrc, active: true }
}

/// An offer of one bundle: what is not said in `sections` itself is filled in. A section is its `m=` line and its attributes without `a=`.
pub(super) fn offer_of(sections: &[(&str, &[&str])]) -> String {
    let mids: Vec<_> = (0..sections.len()).map(|index| index.to_string()).collect();
    let mut text = format!("v=0\r\no=- 5 9 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n", mids.join(" "));
    for ((line, attributes), mid) in sections.iter().zip(mids) {
        text += &format!("m={line}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\n");
        text += &format!("a=ice-pwd:0123456789012345678901\r\na=fingerprint:{FINGERPRINT}\r\na=setup:actpass\r\n");
        attributes.iter().for_each(|attribute| text += &format!("a={attribute}\r\n"));
    }
    text
}

pub(super) const AUDIO: (&str, &[&str]) = ("audio 9 UDP/TLS/RTP/SAVPF 111", &["sendonly", "rtpmap:111 opus/48000/2"]);
pub(super) const VIDEO: (&str, &[&str]) = ("video 9 UDP/TLS/RTP/SAVPF 96", &["sendonly", "rtpmap:96 VP8/90000"]);

/// The sections of a description of ours: each its lines, the `m=` line first.
fn sections(text: &str) -> Vec<Vec<&str>> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    for line in text.lines() {
        if line.starts_with("m=") {
            found.push(Vec::new());
        }
        if let Some(section) = found.last_mut() {
            section.push(line);
        }
    }
    found
}
