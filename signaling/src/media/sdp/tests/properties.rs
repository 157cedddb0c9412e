//! What holds for any text.

use super::*;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use std::collections::HashSet;

/// Values of one attribute of a section.
fn values<'a>(section: &[&'a str], name: &str) -> Vec<&'a str> {
    let value = |line: &&'a str| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':');
    section.iter().filter_map(value).collect()
}

fn has(section: &[&str], line: &str) -> bool {
    section.contains(&line)
}

/// (sends, receives) as the side that wrote it sees it.
fn ways(section: &[&str]) -> (bool, bool) {
    let known = [
        ("a=sendrecv", (true, true)),
        ("a=sendonly", (true, false)),
        ("a=recvonly", (false, true)),
        ("a=inactive", (false, false)),
    ];
    section.iter().find_map(|line| known.iter().find(|(name, _)| name == line)).map_or((true, true), |(_, ways)| *ways)
}

/// RFC 3264: as many sections, in the same order, and in each nothing that was not offered.
fn is_within(offer: &str, answer: &str) -> Result<(), TestCaseError> {
    let (offered, answered) = (sections(offer), sections(answer));
    prop_assert_eq!(offered.len(), answered.len());
    let group = answer.lines().find_map(|line| line.strip_prefix("a=group:BUNDLE ")).unwrap_or_default();
    let bundle: Vec<_> = group.split(' ').filter(|mid| !mid.is_empty()).collect();
    let mut alive = 0;
    for (offered, answered) in offered.iter().zip(&answered) {
        let ours: Vec<_> = answered[0].split(' ').collect();
        let theirs: Vec<_> = offered[0].split_whitespace().collect();
        prop_assert_eq!((ours[0], ours[2]), (theirs[0], theirs[2]));
        prop_assert_eq!(values(answered, "mid"), values(offered, "mid").into_iter().take(1).collect::<Vec<_>>());
        let mid = values(answered, "mid").into_iter().next();
        if ours[1] == "0" {
            prop_assert!(has(answered, "a=inactive") && !mid.is_some_and(|mid| bundle.contains(&mid)));
            continue;
        }
        alive += 1;
        prop_assert!(theirs[1] != "0" || has(offered, "a=bundle-only"));
        prop_assert!(bundle.is_empty() || mid.is_some_and(|mid| bundle.contains(&mid)));
        prop_assert!(has(answered, "a=setup:passive") && has(offered, "a=rtcp-mux"));
        prop_assert!(!has(answered, "a=rtcp-rsize") || has(offered, "a=rtcp-rsize"));
        let ((we_send, we_take), (they_send, they_take)) = (ways(answered), ways(offered));
        prop_assert!((!we_send || they_take) && (!we_take || they_send));
        prop_assert!(ours.len() > 3 && ours[3..].iter().all(|format| theirs[3..].contains(format)));
        let formats: HashSet<_> = ours[3..].iter().collect();
        prop_assert_eq!(formats.len(), ours.len() - 3);
        prop_assert_eq!(values(answered, "rtpmap").len(), formats.len());
        for feedback in values(answered, "rtcp-fb") {
            let (_, name) = feedback.split_once(' ').unwrap();
            let (exact, any) = (format!("a=rtcp-fb:{feedback}"), format!("a=rtcp-fb:* {name}"));
            prop_assert!(has(offered, &exact) || has(offered, &any), "{} was not offered", feedback);
        }
        let maps = values(offered, "extmap");
        for map in values(answered, "extmap") {
            let (id, uri) = map.split_once(' ').unwrap();
            let id = id.split('/').next().unwrap();
            let fits = |map: &&str| map.split(['/', ' ']).next() == Some(id) && map.ends_with(uri);
            prop_assert!(maps.iter().any(fits), "{} was not offered", map);
        }
        let rids = values(offered, "rid");
        for rid in values(answered, "rid") {
            let name = rid.split(' ').next().unwrap();
            let fits = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(" send"));
            prop_assert!(rids.iter().any(fits));
        }
        prop_assert!(values(answered, "rid").len() <= MAX_LAYERS);
        prop_assert_eq!(has(answered, "a=end-of-candidates"), bundle.is_empty() || bundle.first().copied() == mid);
    }
    prop_assert!(bundle.is_empty() || bundle.len() == alive);
    Ok(())
}

fn any_slots(offer: &Offer, active: bool) -> Vec<Slot> {
    let one = |(section, ssrc): (&Section, u32)| Slot { active, ..slot(&section.mid, section.kind, ssrc * 2) };
    offer.sections.iter().zip(1..).map(one).collect()
}

/// Lines of a section in any order and choice; some make sense together.
fn any_section() -> impl Strategy<Value = (String, Vec<String>)> {
    let lines = vec![
        "rtpmap:96 VP8/90000",
        "rtpmap:97 rtx/90000",
        "fmtp:97 apt=96",
        "rtcp-fb:96 nack",
        "rtcp-fb:96 nack pli",
        "rtcp-fb:96 goog-remb",
        "rtcp-fb:* transport-cc",
        "rtcp-fb:96 ccm fir",
        "rtpmap:98 VP9/90000",
        "fmtp:98 profile-id=0",
        "rtpmap:99 rtx/90000",
        "fmtp:99 apt=98",
        "rtpmap:45 AV1/90000",
        "rtpmap:102 H264/90000",
        "fmtp:102 packetization-mode=1;profile-level-id=42e01f",
        "rtpmap:111 opus/48000/2",
        "rtcp-fb:111 nack",
        "extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid",
        "extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
        "rid:a send",
        "rid:b send pt=96",
        "rid:c send",
        "rid:d send",
        "simulcast:send a;b,c;~d",
        "ssrc:1 cname:x",
        "ssrc-group:FID 1 2",
        "rtcp-rsize",
        "rtcp-mux",
        "bundle-only",
        "sendonly",
        "recvonly",
        "inactive",
    ];
    let lines: Vec<_> = lines.into_iter().map(str::to_owned).collect();
    let count = lines.len();
    let head = prop_oneof![
        3 => Just("audio 9 UDP/TLS/RTP/SAVPF 111 0"),
        5 => Just("video 9 UDP/TLS/RTP/SAVPF 102 103 96 97 98 99 45"),
        1 => Just("video 0 UDP/TLS/RTP/SAVPF 96 97"),
        1 => Just("application 9 UDP/DTLS/SCTP webrtc-datachannel"),
        1 => Just("text 9 RTP/AVP 98"),
    ];
    (head.prop_map(str::to_owned), subsequence(lines, count / 2..=count).prop_shuffle())
}

proptest! {
    #[test]
    fn an_answer_keeps_within_its_offer(
        list in prop::collection::vec(any_section(), 1..8),
        active in any::<bool>(),
        narrowed in any::<Index>(),
    ) {
        let lines: Vec<Vec<&str>> = list.iter().map(|(_, lines)| lines.iter().map(String::as_str).collect()).collect();
        let list: Vec<_> = list.iter().zip(&lines).map(|((head, _), lines)| (head.as_str(), lines.as_slice())).collect();
        let text = offer_of(&list);
        if sections(&text).iter().all(|section| section[0].contains(" 0 ") && !has(section, "a=bundle-only")) {
            // Nothing is alive that could have a transport.
            prop_assert_eq!(read_offer(&text), Err(SdpError::NoCredentials));
            return Ok(());
        }
        let mut offer = read_offer(&text).unwrap();
        is_within(&text, &answer(&offer, &any_slots(&offer, active)))?;
        if !offer.sections.is_empty() {
            let index = narrowed.index(offer.sections.len());
            offer.sections[index].codecs.pop();
            is_within(&text, &answer(&offer, &any_slots(&offer, active)))?;
        }
    }

    /// What browsers say, with a line lost, doubled or moved, or a piece cut out.
    #[test]
    fn spoiled_texts_are_read_or_refused(
        which in 0..11_usize,
        changes in prop::collection::vec((0..5_u8, any::<Index>(), any::<Index>()), 1..6),
        ends in any::<bool>(),
    ) {
        let texts = [
            peers::CHROMIUM_PUBLISH, peers::CHROMIUM_WHEP, peers::CHROMIUM_ANSWER, peers::FIREFOX_PUBLISH, peers::FIREFOX_WHEP,
            peers::FIREFOX_ANSWER, peers::AIORTC, peers::LIBWEBRTC, peers::OBS, peers::GSTREAMER, peers::FFMPEG,
        ];
        let mut lines: Vec<_> = texts[which].lines().map(str::to_owned).collect();
        for (change, here, there) in changes {
            let (here, there) = (here.index(lines.len()), there.index(lines.len()));
            match change {
                0 => { lines.remove(here); }
                1 => { let line = lines[here].clone(); lines.insert(there, line); }
                2 => lines.swap(here, there),
                3 => { let kept = lines[here].chars().count() / 2; lines[here] = lines[here].chars().take(kept).collect(); }
                _ => { let word = lines[there].rsplit(' ').next().unwrap_or_default().to_owned(); lines[here].push_str(&word); }
            }
            prop_assume!(!lines.is_empty());
        }
        let text = lines.join(if ends { "\r\n" } else { "\n" });
        if let Ok(offer) = read_offer(&text) {
            is_within(&text, &answer(&offer, &any_slots(&offer, true)))?;
        }
        let slots = [slot("0", Kind::Audio, 7), slot("1", Kind::Video, 20)];
        if let Ok(answer) = read_answer(&text, &slots) {
            prop_assert_eq!(answer.sections.len(), 2);
            prop_assert!(answer.sections.iter().all(|section| section.takes != section.codecs.is_empty()));
        }
        let _ = read_fragment(&text);
    }

    #[test]
    fn no_text_is_trouble(text in "\\PC{0,300}", lines in prop::collection::vec("(a=|m=|o=|)[ -~]{0,40}", 0..30)) {
        for text in [text, lines.join("\n")] {
            if let Ok(offer) = read_offer(&text) {
                answer(&offer, &[]);
            }
            let _ = (read_answer(&text, &[slot("0", Kind::Audio, 7)]), read_fragment(&text));
        }
    }

    /// A client that takes everything gives back what was offered.
    #[test]
    fn an_offer_comes_back_as_it_went(
        slots in prop::collection::vec((0..3_u8, any::<bool>(), any::<bool>()), 1..20),
        session in any::<u64>(),
        version in any::<u64>(),
    ) {
        let slots: Vec<_> = slots.into_iter().enumerate().map(|(index, (kind, active, repairs))| {
            let kind = [Kind::Audio, Kind::Video, Kind::Screen][usize::from(kind)];
            let whole = slot(&format!("s{index}"), kind, 2 * u32::try_from(index).unwrap());
            Slot { active, rtx_ssrc: whole.rtx_ssrc.filter(|_| repairs), ..whole }
        }).collect();
        let offer = write_offer(local(&[]), &slots, session, version);
        let origin = format!("v=0\r\no=- {session} {version} IN");
        prop_assert!(offer.starts_with(&origin));
        let reply = offer.replace("a=ice-lite", "a=x").replace("a=setup:actpass", "a=setup:active").replace("a=sendonly", "a=recvonly");
        let reply = read_answer(&reply, &slots).unwrap();
        prop_assert_eq!(&reply.remote.ufrag, "ourFragment");
        prop_assert_eq!(reply.remote.fingerprint, (0..32).collect::<Vec<u8>>());
        for (section, slot) in reply.sections.iter().zip(&slots) {
            prop_assert_eq!((&section.mid, section.kind, section.takes), (&slot.mid, slot.kind, slot.active));
            let types: Vec<_> = section.codecs.iter().map(|entry| (entry.payload_type, entry.rtx.is_some())).collect();
            let expected: &[u8] = match (slot.active, slot.kind) { (false, _) => &[], (_, Kind::Audio) => &[111], _ => &[96, 102, 98, 45] };
            prop_assert_eq!(types, expected.iter().map(|number| (*number, slot.rtx_ssrc.is_some())).collect::<Vec<_>>());
            prop_assert_eq!(section.extension(Extension::TransportCc), slot.active.then_some(3));
        }
        // And to a client that reads it as an offer, each number appears once.
        let ssrcs: Vec<_> = offer.lines().filter_map(|line| line.strip_prefix("a=ssrc:")).collect();
        prop_assert_eq!(ssrcs.len(), ssrcs.iter().collect::<HashSet<_>>().len());
    }
}
