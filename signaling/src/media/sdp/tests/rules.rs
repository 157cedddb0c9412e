//! One rule after the other.

use super::*;
use crate::media::Codec::{self, Av1, H264, Opus, Vp8, Vp9};

fn section_of(line: &str, attributes: &[&str]) -> Section {
    read_offer(&offer_of(&[(line, attributes)])).unwrap().sections.remove(0)
}

fn codecs_of(line: &str, attributes: &[&str]) -> Vec<(u8, Codec)> {
    section_of(line, attributes).codecs.iter().map(|entry| (entry.payload_type, entry.codec)).collect()
}

#[test]
fn codecs_that_nobody_can_forward_are_left_out() {
    let sound = ["rtpmap:111 opus/48000/2", "rtpmap:63 red/48000/2", "rtpmap:9 G722/8000", "rtpmap:110 OPUS/48000"];
    assert_eq!(codecs_of("audio 9 UDP/TLS/RTP/SAVPF 63 9 0 110 111", &sound), [(110, Opus), (111, Opus)]);
    let pictures = [
        "rtpmap:45 AV1/90000",
        "rtpmap:46 AV1/90000",
        "fmtp:46 profile=1",
        "rtpmap:98 VP9/90000",
        "rtpmap:100 VP9/90000",
        "fmtp:100 profile-id=2",
        "rtpmap:101 H264/90000",
        "fmtp:101 packetization-mode=1;profile-level-id=64001f",
        "rtpmap:102 H264/90000",
        "fmtp:102 packetization-mode=1; profile-level-id=42E01F",
        "rtpmap:103 H264/90000",
        "fmtp:103 packetization-mode=1;profile-level-id=f4001f",
        "rtpmap:104 H264/90000",
        "fmtp:104 packetization-mode=0;profile-level-id=42e01f",
        "rtpmap:105 H264/90000",
        "fmtp:105 packetization-mode=1;profile-level-id=42é1f",
        "rtpmap:96 VP8/90000",
        "rtpmap:97 VP8/48000",
        // Would be read as RTCP.
        "rtpmap:72 VP8/90000",
        "rtpmap:118 red/90000",
    ];
    let line = "video 9 UDP/TLS/RTP/SAVPF 45 46 98 100 101 102 103 104 105 96 97 72 118 300";
    assert_eq!(codecs_of(line, &pictures), [(96, Vp8), (98, Vp9), (102, H264), (101, H264), (45, Av1)]);
    // Numbers are as they are written, or none.
    assert_eq!(codecs_of("video 9 UDP/TLS/RTP/SAVPF +96 098 45", &pictures), [(45, Av1)]);
    // Not in the m= line: not offered.
    assert_eq!(codecs_of("video 9 UDP/TLS/RTP/SAVPF 98", &pictures), [(98, Vp9)]);
}

#[test]
fn a_section_without_common_ground_is_refused_alone() {
    let offer = offer_of(&[AUDIO, ("video 9 UDP/TLS/RTP/SAVPF 96", &["rtpmap:96 H263/90000"])]);
    let offer = read_offer(&offer).unwrap();
    assert!(offer.sections[1].codecs.is_empty() && !offer.sections[1].sends);
    let answer = answer(&offer, &[]);
    assert_eq!(sections(&answer)[1][0], "m=video 0 UDP/TLS/RTP/SAVPF 96");
    assert!(answer.contains("a=group:BUNDLE 0\r\n"));
}

#[test]
fn what_is_over_two_pictures_and_a_voice_is_refused() {
    let offer = read_offer(&offer_of(&[VIDEO, AUDIO, VIDEO, AUDIO, VIDEO])).unwrap();
    let taken: Vec<_> = offer.sections.iter().map(|section| (section.kind, section.codecs.len())).collect();
    assert_eq!(taken, [(Kind::Video, 1), (Kind::Audio, 1), (Kind::Screen, 1), (Kind::Audio, 0), (Kind::Screen, 0)]);
}

#[test]
fn a_screen_stays_the_screen_when_the_camera_has_gone() {
    let gone = ("video 0 UDP/TLS/RTP/SAVPF 96", VIDEO.1);
    let offer = read_offer(&offer_of(&[gone, VIDEO])).unwrap();
    assert_eq!(offer.sections[1].kind, Kind::Screen);
    assert!(offer.sections[0].codecs.is_empty() && offer.sections[1].sends);
    assert!(sections(&answer(&offer, &[]))[0][0].starts_with("m=video 0 "));
}

#[test]
fn directions_are_the_intersection() {
    let of = |direction: &'static str, active: bool| {
        let offer = offer_of(&[("audio 9 UDP/TLS/RTP/SAVPF 111", &[direction, "rtpmap:111 opus/48000/2"])]);
        let offer = read_offer(&offer).unwrap();
        let answer = answer(&offer, &[Slot { active, ..slot("0", Kind::Audio, 7) }]);
        let known = ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"];
        let said: Vec<_> = answer.lines().filter(|line| known.contains(line)).map(str::to_owned).collect();
        said.join(" ")
    };
    assert_eq!(of("sendrecv", true), "a=sendrecv");
    assert_eq!(of("sendrecv", false), "a=recvonly");
    assert_eq!(of("sendonly", true), "a=recvonly");
    assert_eq!(of("recvonly", true), "a=sendonly");
    assert_eq!(of("recvonly", false), "a=inactive");
    assert_eq!(of("inactive", true), "a=inactive");
}

const RID: &str = "extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";

fn rids_of(attributes: &[&str]) -> (Vec<String>, String) {
    let attributes = [&["rtpmap:96 VP8/90000", "rtpmap:98 VP9/90000", "rtpmap:99 red/90000"], attributes].concat();
    let offer = read_offer(&offer_of(&[("video 9 UDP/TLS/RTP/SAVPF 96 98 99", &attributes)])).unwrap();
    let answer = answer(&offer, &[]);
    let lines: Vec<_> = answer.lines().filter(|line| line.starts_with("a=rid") || line.starts_with("a=sim")).collect();
    (offer.sections[0].rids.clone(), lines.join(" "))
}

#[test]
fn layers_are_taken_as_offered() {
    let (rids, lines) = rids_of(&[RID, "rid:a send", "rid:b send", "simulcast:send ~a;b,c"]);
    assert_eq!(
        (rids, lines.as_str()),
        (vec!["a".to_owned(), "b".to_owned()], "a=rid:a recv a=rid:b recv a=simulcast:recv a;b")
    );
    // Of alternatives the first that is sent; three at most; nothing twice; no name that is none.
    let all = [
        RID,
        "rid:a send",
        "rid:c send",
        "rid:d send",
        "rid:e send",
        "rid:x_y send",
        "rid:f! send",
        "simulcast:recv q send f!;b,c;c;x_y;d;e",
    ];
    assert_eq!(rids_of(&all).0, ["c", "x_y", "d"]);
    // Restrictions stay, payload types only as far as they were taken.
    let (rids, lines) = rids_of(&[RID, "rid:a send pt=96,99;max-width=640", "rid:b send pt=99", "simulcast:send a;b"]);
    assert_eq!((rids.len(), lines.as_str()), (1, "a=rid:a recv pt=96;max-width=640 a=simulcast:recv a"));
}

#[test]
fn layers_that_packets_cannot_name_are_not_taken() {
    assert_eq!(rids_of(&["rid:a send", "rid:b send", "simulcast:send a;b"]), (Vec::new(), String::new()));
    assert_eq!(rids_of(&[RID, "rid:a recv", "simulcast:recv a"]), (Vec::new(), String::new()));
    assert_eq!(rids_of(&[RID, "rid:a send"]), (Vec::new(), String::new()));
    let long = format!("rid:{} send", "a".repeat(17));
    assert_eq!(rids_of(&[RID, &long, &format!("simulcast:send {}", "a".repeat(17))]), (Vec::new(), String::new()));
}

/// A browser that is answered without them drops its layers for good.
#[test]
fn layers_outlive_a_pause() {
    let (rids, lines) = rids_of(&[RID, "inactive", "rid:a send", "rid:b send", "simulcast:send a;b"]);
    assert_eq!((rids.len(), lines.as_str()), (2, "a=rid:a recv a=rid:b recv a=simulcast:recv a;b"));
}

#[test]
fn simulcast_by_ssrc_groups_counts_as_one_stream() {
    let of = |attributes: &[&str]| {
        let section = section_of(VIDEO.0, &[VIDEO.1, attributes].concat());
        (section.ssrcs, section.rtx_ssrcs)
    };
    let ssrcs =
        ["ssrc:1 cname:x", "ssrc:1 msid:a b", "ssrc:2 cname:x", "ssrc:3 cname:x", "ssrc:11 cname:x", "ssrc:12 cname:x"];
    let groups = ["ssrc-group:SIM 1 2 3", "ssrc-group:FID 1 11", "ssrc-group:FID 2 12"];
    assert_eq!(of(&[&groups[..], &ssrcs].concat()), (vec![1], vec![(11, 1)]));
    assert_eq!(of(&["ssrc-group:FEC-FR 1 2", "ssrc:1 cname:x", "ssrc:2 cname:x"]), (vec![1], Vec::new()));
    assert_eq!(
        of(&["ssrc-group:FID 1 1", "ssrc-group:FID 1", "ssrc-group:FID", "ssrc:1", "ssrc:", "ssrc:4294967296 x"]),
        (vec![1], Vec::new())
    );
    let many: Vec<_> = (0..1000).map(|ssrc| format!("ssrc:{ssrc} cname:x")).collect();
    assert_eq!(of(&many.iter().map(String::as_str).collect::<Vec<_>>()).0.len(), MAX_SSRCS);
}

#[test]
fn extensions_are_those_that_fit() {
    let of = |attributes: &[&str]| section_of(VIDEO.0, &[VIDEO.1, attributes].concat()).extensions;
    let twcc = format!("extmap:3 {}", Extension::TransportCc.uri());
    assert_eq!(of(&[&twcc]), []);
    assert_eq!(of(&[&twcc, "rtcp-fb:* transport-cc"]), [(3, Extension::TransportCc)]);
    assert_eq!(
        of(&[&format!("extmap:15 {}", Extension::Mid.uri()), &format!("extmap:0 {}", Extension::Mid.uri())]),
        []
    );
    assert_eq!(of(&[&format!("extmap:4/inactive {}", Extension::Mid.uri())]), []);
    // A client that sends but would only receive the extension never uses it.
    assert_eq!(of(&[&format!("extmap:4/recvonly {}", Extension::Mid.uri())]), []);
    let twice = [
        &*format!("extmap:4 {}", Extension::Mid.uri()),
        &*format!("extmap:5 {}", Extension::Mid.uri()),
        &*format!("extmap:4 {}", Extension::Rid.uri()),
    ];
    assert_eq!(of(&twice), [(4, Extension::Mid)]);
    // Loudness is the business of sound.
    assert_eq!(of(&[&format!("extmap:1 {}", Extension::AudioLevel.uri())]), []);
}

#[test]
fn an_offer_can_be_narrowed_and_not_widened() {
    let mut offer = read_offer(peers::CHROMIUM_PUBLISH).unwrap();
    offer.sections[0].codecs.clear();
    offer.sections[1].codecs.retain(|entry| entry.codec == H264);
    offer.sections[1].codecs.push(CodecEntry { payload_type: 35, codec: Vp8, rtx: None });
    offer.sections[1].extensions.push((12, Extension::AudioLevel));
    offer.sections[1].rids = vec!["h".to_owned(), "q".to_owned()];
    offer.sections[2].sends = false;
    let answer = answer(&offer, &[]);
    let answered = sections(&answer);
    assert!(answered[0][0].starts_with("m=audio 0 ") && answer.contains("a=group:BUNDLE 1 2\r\n"));
    assert_eq!(answered[1][0], "m=video 9 UDP/TLS/RTP/SAVPF 102 103 108 109 116 117");
    assert!(answered[1].contains(&"a=simulcast:recv h") && answered[1].contains(&"a=end-of-candidates"), "{answer}");
    assert!(!answer.contains("a=rid:q") && !answer.contains("a=extmap:12 "), "{answer}");
    assert!(answered[2].contains(&"a=inactive"), "{answer}");
}

#[test]
fn what_cannot_be_served_is_told() {
    let good = offer_of(&[AUDIO, VIDEO]);
    let of = |from: &str, to: &str| read_offer(&good.replace(from, to)).map(|_| ());
    assert_eq!(of("", ""), Ok(()));
    assert_eq!(read_offer("").map(|_| ()), Err(SdpError::NoSections));
    assert_eq!(read_offer(&"a".repeat(MAX_TEXT_BYTES + 1)).map(|_| ()), Err(SdpError::TooLong));
    assert_eq!(of("a=group:BUNDLE 0 1", "a=x"), Err(SdpError::NotBundled));
    assert_eq!(of("a=ice-ufrag:abcd", "a=x"), Err(SdpError::NoCredentials));
    assert_eq!(of("a=ice-ufrag:abcd", "a=ice-ufrag:abc"), Err(SdpError::NoCredentials));
    assert_eq!(of("a=ice-pwd:0", "a=ice-pwd:"), Err(SdpError::NoCredentials));
    assert_eq!(of("a=ice-pwd:0", "a=ice-pwd:\""), Err(SdpError::NoCredentials));
    assert_eq!(of("sha-256", "sha-1"), Err(SdpError::NoFingerprint));
    assert_eq!(of(":1F", ""), Err(SdpError::NoFingerprint));
    assert_eq!(of(":1F", ":+F"), Err(SdpError::NoFingerprint));
    assert_eq!(of("actpass", "passive"), Err(SdpError::ClientIsDtlsServer));
    assert_eq!(of("actpass", "active"), Ok(()));
    assert_eq!(of("s=-", "s=-\r\na=ice-lite"), Err(SdpError::BothLite));
    assert_eq!(of("a=mid:1", "a=mid:0"), Err(SdpError::RepeatedMid));
    assert_eq!(of("a=mid:1", "a=mid:a b"), Err(SdpError::BadMid(1)));
    assert_eq!(of("a=mid:1", "a=mix:1"), Err(SdpError::BadMid(1)));
    assert_eq!(of("m=video 9", "m=video nine"), Err(SdpError::BadSection(1)));
    assert_eq!(of("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video 9"), Err(SdpError::BadSection(1)));
    let formats: Vec<_> = (0..=MAX_FORMATS).map(|number| number.to_string()).collect();
    assert_eq!(of("SAVPF 96", &format!("SAVPF {}", formats.join(" "))), Err(SdpError::TooManyFormats(1)));
    let extension = format!("{}\r\na=extmap:3 x", VIDEO.1[1]);
    let extensions = format!("{}{}", VIDEO.1[1], "\r\na=extmap:3 x".repeat(MAX_EXTENSIONS + 1));
    assert_eq!(of(VIDEO.1[1], &extension), Ok(()));
    assert_eq!(of(VIDEO.1[1], &extensions), Err(SdpError::TooManyExtensions(1)));
    let many = "m=audio 0 RTP/SAVPF 0\n".repeat(MAX_SECTIONS + 1);
    assert_eq!(read_offer(&many).map(|_| ()), Err(SdpError::TooManySections));
}

/// One transport: outside of the bundle nothing is served, and a lone section needs none.
#[test]
fn the_bundle_is_what_is_served() {
    let offer = read_offer(&offer_of(&[AUDIO, VIDEO]).replace("BUNDLE 0 1", "BUNDLE 1")).unwrap();
    let taken: Vec<_> = offer.sections.iter().map(|section| section.codecs.len()).collect();
    assert_eq!(taken, [0, 1]);
    let lone = offer_of(&[VIDEO]).replace("a=group:BUNDLE 0\r\n", "").replace("a=mid:0\r\n", "");
    let offer = read_offer(&lone).unwrap();
    let answer = answer(&offer, &[]);
    assert!(
        !answer.contains("BUNDLE") && !answer.contains("a=mid") && answer.contains("a=end-of-candidates"),
        "{answer}"
    );
    assert!(answer.contains("\nm=video 9 "), "{answer}");
    let unmuxed = read_offer(&offer_of(&[AUDIO]).replace("a=rtcp-mux\r\n", "")).unwrap();
    assert!(unmuxed.sections[0].codecs.is_empty());
}

#[test]
fn an_answer_has_to_fit_its_offer() {
    let slots = [slot("0", Kind::Audio, 7), slot("1", Kind::Video, 20)];
    let of = |from: &str, to: &str| -> Result<Answer, SdpError> {
        read_answer(&peers::CHROMIUM_ANSWER.replace(from, to), &slots)
    };
    assert!(of("", "").is_ok());
    assert_eq!(of("a=setup:active", "a=setup:passive"), Err(SdpError::AnswerNotActive));
    assert_eq!(of("a=setup:active", "a=setup:actpass"), Err(SdpError::AnswerNotActive));
    assert_eq!(of("a=mid:1", "a=mid:2"), Err(SdpError::OtherSection(1)));
    assert_eq!(of("m=video", "m=audio"), Err(SdpError::OtherSection(1)));
    assert_eq!(of("BUNDLE 0 1", "BUNDLE 0"), Err(SdpError::NotBundled));
    assert_eq!(read_answer(peers::CHROMIUM_ANSWER, &slots[..1]), Err(SdpError::OtherSections { found: 2, offered: 1 }));
    let refused = of("m=video 9", "m=video 0").unwrap();
    assert!(refused.sections[0].takes && refused.sections[1].codecs.is_empty() && !refused.sections[1].takes);
    assert!(of("a=recvonly", "a=inactive").unwrap().sections.iter().all(|section| section.codecs.is_empty()));
    let idle = [slots[0].clone(), Slot { active: false, ..slots[1].clone() }];
    assert!(read_answer(peers::CHROMIUM_ANSWER, &idle).unwrap().sections[1].codecs.is_empty());
    let bare = [slots[0].clone(), Slot { rtx_ssrc: None, ..slots[1].clone() }];
    let bare = read_answer(peers::CHROMIUM_ANSWER, &bare).unwrap();
    assert!(bare.sections[1].codecs.iter().all(|entry| entry.rtx.is_none()));
    assert_eq!(of("a=extmap:3 ", "a=extmap:4 ").unwrap().sections[1].extensions, []);
}

/// Our own client says the transport of a long answer once, for the session, and leaves out what we do not need (`leanAnswer` of line.js).
#[test]
fn an_answer_may_say_its_transport_once() {
    let slots = [slot("0", Kind::Audio, 7), slot("1", Kind::Video, 20)];
    let lines: Vec<_> = peers::CHROMIUM_ANSWER.lines().collect();
    let starts = |line: &str, names: &[&str]| names.iter().any(|name| line.starts_with(&format!("a={name}:")));
    let is_transport = |line: &str| starts(line, &["ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup"]);
    let first = lines.iter().position(|line| line.starts_with("m=")).unwrap();
    let second = first + 1 + lines[first + 1..].iter().position(|line| line.starts_with("m=")).unwrap();
    let transport = lines[first..second].iter().filter(|line| is_transport(line));
    let is_needless = |line: &str| {
        starts(line, &["rtcp", "rtcp-xr", "candidate"])
            || (starts(line, &["rtcp-fb"]) && !line.contains("transport-cc"))
    };
    let kept = |line: &&&str| !is_transport(line) && !is_needless(line);
    let lean: Vec<_> =
        lines[..first].iter().chain(transport).chain(lines[first..].iter().filter(kept)).copied().collect();
    assert!(lean.len() < lines.len());
    assert_eq!(read_answer(&lean.join("\r\n"), &slots), read_answer(peers::CHROMIUM_ANSWER, &slots));
    assert!(read_answer(peers::CHROMIUM_ANSWER, &slots).is_ok());
}

/// A wall in full: what we say fits into what a client of our own kind would read.
#[test]
fn the_largest_offer_has_its_bounds() {
    let slots: Vec<_> = (0..128).map(|index| slot(&format!("v{index}"), Kind::Video, index * 2)).collect();
    assert_eq!(slots.len(), MAX_SLOTS);
    let offer = write_offer(local(&[]), &slots, 1, 1);
    assert_eq!(sections(&offer).len(), MAX_SLOTS);
    assert!(offer.len() < MAX_TEXT_BYTES, "{}", offer.len());
}

#[test]
fn a_client_tells_its_restart_in_a_fragment() {
    let text = "a=group:BUNDLE 0 1\nm=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:0\na=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\n\
        a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\na=end-of-candidates\n";
    let credentials = Some(("EsAw".to_owned(), "P2uYro0UCOQ4zxjKXaWCBui1".to_owned()));
    assert_eq!(read_fragment(text), Ok(Fragment { credentials: credentials.clone() }));
    assert_eq!(
        read_fragment("a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"),
        Ok(Fragment { credentials })
    );
    assert_eq!(read_fragment("a=candidate:1 1 udp 1 192.0.2.1 9 typ host"), Ok(Fragment { credentials: None }));
    assert_eq!(read_fragment("a=ice-ufrag:EsAw"), Err(SdpError::NoCredentials));
    assert_eq!(read_fragment(&"\n".repeat(MAX_TEXT_BYTES + 1)), Err(SdpError::TooLong));
}
