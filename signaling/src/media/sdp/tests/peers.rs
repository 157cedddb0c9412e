//! What real programs say (recorded, or put together from their documents), and what we make of it.

use super::*;
use crate::media::Codec::{self, Av1, H264, Opus, Vp8, Vp9};

pub(super) const CHROMIUM_PUBLISH: &str = include_str!("../fixtures/chromium-publish.sdp");
pub(super) const CHROMIUM_WHEP: &str = include_str!("../fixtures/chromium-whep.sdp");
pub(super) const CHROMIUM_ANSWER: &str = include_str!("../fixtures/chromium-answer.sdp");
pub(super) const FIREFOX_PUBLISH: &str = include_str!("../fixtures/firefox-publish.sdp");
pub(super) const FIREFOX_WHEP: &str = include_str!("../fixtures/firefox-whep.sdp");
pub(super) const FIREFOX_ANSWER: &str = include_str!("../fixtures/firefox-answer.sdp");
pub(super) const AIORTC: &str = include_str!("../fixtures/aiortc-publish.sdp");
pub(super) const LIBWEBRTC: &str = include_str!("../fixtures/libwebrtc-publish.sdp");
pub(super) const OBS: &str = include_str!("../fixtures/obs-whip.sdp");
pub(super) const GSTREAMER: &str = include_str!("../fixtures/gstreamer-whip.sdp");
pub(super) const FFMPEG: &str = include_str!("../fixtures/ffmpeg-whip.sdp");

fn codecs(section: &Section) -> Vec<(u8, Codec, Option<u8>)> {
    section.codecs.iter().map(|entry| (entry.payload_type, entry.codec, entry.rtx)).collect()
}

fn overview(offer: &Offer) -> Vec<(&str, Kind, bool, bool)> {
    let one = |section: &Section| (section.kind, section.sends, section.takes);
    offer
        .sections
        .iter()
        .map(|section| (section.mid.as_str(), one(section)))
        .map(|(mid, (kind, sends, takes))| (mid, kind, sends, takes))
        .collect()
}

#[test]
fn chromium_publishes() {
    let offer = read_offer(CHROMIUM_PUBLISH).unwrap();
    assert_eq!(
        overview(&offer),
        [("0", Kind::Audio, true, false), ("1", Kind::Video, true, false), ("2", Kind::Screen, true, false)]
    );
    assert_eq!((offer.remote.ufrag.as_str(), offer.remote.pwd.as_str()), ("KbCb", "qBtc+VCMgN9+zo7xaOUTVzFu"));
    assert_eq!(
        hex::encode(&offer.remote.fingerprint),
        "3d43ecd53db5a9593c0dcdafd6918783a01a74d093b85f00f23343db1d6991b5"
    );
    let [audio, camera, screen] = offer.sections.as_slice() else { panic!("{offer:?}") };
    assert_eq!(codecs(audio), [(111, Opus, None)]);
    assert_eq!(audio.extensions, [(1, Extension::AudioLevel), (3, Extension::TransportCc), (4, Extension::Mid)]);
    assert_eq!(audio.ssrcs, [373064399]);
    let pictures = [
        (96, Vp8, Some(97)),
        (102, H264, Some(103)),
        (108, H264, Some(109)),
        (98, Vp9, Some(99)),
        (116, H264, Some(117)),
        (45, Av1, Some(46)),
    ];
    assert_eq!(codecs(camera), pictures);
    assert_eq!(codecs(screen), pictures);
    assert_eq!(camera.rids, ["l", "m", "h"]);
    assert_eq!((camera.extension(Extension::Rid), camera.extension(Extension::RepairedRid)), (Some(10), Some(11)));
    assert_eq!(
        (screen.rids.len(), screen.ssrcs.as_slice(), screen.rtx_ssrcs.as_slice()),
        (0, [282152165].as_slice(), [(2794486769, 282152165)].as_slice())
    );
    let answer = answer(&offer, &[]);
    assert!(answer.contains("a=rid:l recv\r\na=rid:m recv\r\na=rid:h recv\r\na=simulcast:recv l;m;h\r\n"), "{answer}");
    assert!(answer.starts_with("v=0\r\no=- 8875525576365992988 2 IN"), "{answer}");
}

/// Firefox qualifies the direction of its extensions, and keeps all but the first section at port 0 until they are bundled.
#[test]
fn firefox_publishes() {
    let offer = read_offer(FIREFOX_PUBLISH).unwrap();
    assert_eq!(
        overview(&offer),
        [("0", Kind::Audio, true, false), ("1", Kind::Video, true, false), ("2", Kind::Screen, true, false)]
    );
    let [audio, camera, screen] = offer.sections.as_slice() else { panic!("{offer:?}") };
    assert_eq!(codecs(audio), [(109, Opus, None)]);
    assert_eq!(codecs(camera), [(120, Vp8, Some(124)), (121, Vp9, Some(125)), (99, Av1, Some(100))]);
    assert_eq!((camera.rids.len(), camera.ssrcs.len()), (3, 0));
    assert_eq!(camera.extension(Extension::RepairedRid), Some(10));
    assert_eq!(screen.rtx_ssrcs, [(3658801787, 972151238)]);
    let answer = answer(&offer, &[]);
    assert!(answer.contains("a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"), "{answer}");
    assert!(answer.contains("a=group:BUNDLE 0 1 2\r\n") && answer.contains("\nm=application 0 "), "{answer}");
}

#[test]
fn browsers_play() {
    for text in [CHROMIUM_WHEP, FIREFOX_WHEP] {
        let offer = read_offer(text).unwrap();
        assert_eq!(overview(&offer), [("0", Kind::Audio, false, true), ("1", Kind::Video, false, true)]);
        assert!(offer.sections.iter().all(|section| section.ssrcs.is_empty() && section.rids.is_empty()));
        let answer = answer(&offer, &[slot("0", Kind::Audio, 7), slot("1", Kind::Video, 20)]);
        let answered = sections(&answer);
        for (section, ssrc) in answered.iter().zip(["a=ssrc:7 cname:hub", "a=ssrc:20 cname:hub"]) {
            assert!(section.contains(&"a=sendonly") && section.contains(&ssrc), "{answer}");
        }
        assert!(answered[1].contains(&"a=ssrc-group:FID 20 21"), "{answer}");
        // Where nothing is shown, nothing is promised.
        let silent = super::answer(&offer, &[Slot { active: false, ..slot("0", Kind::Audio, 7) }]);
        assert_eq!(
            (silent.matches("a=inactive").count(), silent.matches("a=ssrc").count()),
            (answered.len(), 0),
            "{silent}"
        );
    }
}

#[test]
fn browsers_answer() {
    let slots = [slot("0", Kind::Audio, 7), slot("1", Kind::Video, 20)];
    let h264 = [(96, Vp8, Some(97)), (102, H264, Some(103)), (98, Vp9, Some(99)), (45, Av1, Some(46))];
    for (text, ufrag, has_h264) in [(CHROMIUM_ANSWER, "pkfO", true), (FIREFOX_ANSWER, "7f18a662", false)] {
        let answer = read_answer(text, &slots).unwrap();
        assert_eq!(answer.remote.ufrag, ufrag);
        assert_eq!(codecs(&answer.sections[0]), [(111, Opus, None)]);
        let expected: Vec<_> = h264.into_iter().filter(|(_, codec, _)| has_h264 || *codec != H264).collect();
        assert_eq!(codecs(&answer.sections[1]), expected);
        for section in &answer.sections {
            assert!(section.takes && !section.sends && section.ssrcs.is_empty());
            assert_eq!(section.extensions, [(3, Extension::TransportCc)]);
        }
    }
}

/// No transport-wide numbers, three fingerprints, ICE at the end of each section.
#[test]
fn aiortc_publishes() {
    let offer = read_offer(AIORTC).unwrap();
    assert_eq!(overview(&offer), [("0", Kind::Audio, true, true), ("1", Kind::Video, true, true)]);
    assert_eq!(codecs(&offer.sections[1]), [(97, Vp8, Some(98)), (99, H264, Some(100)), (101, H264, Some(102))]);
    assert_eq!(offer.sections[1].rtx_ssrcs, [(4234840991, 3837920100)]);
    assert_eq!(offer.remote.fingerprint.len(), 32);
    let answer = answer(&offer, &[]);
    // It checks these in every section, refused ones among them.
    for line in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:passive"] {
        assert_eq!(answer.matches(line).count(), 3, "{line} in {answer}");
    }
    assert!(!answer.contains("transport-cc") && !answer.contains("transport-wide"), "{answer}");
}

#[test]
fn libwebrtc_without_h264_publishes() {
    let offer = read_offer(LIBWEBRTC).unwrap();
    assert_eq!(overview(&offer), [("0", Kind::Audio, true, false), ("1", Kind::Video, true, false)]);
    assert!(offer.sections[1].codecs.iter().all(|entry| entry.codec != H264));
    assert_eq!(offer.sections[1].rtx_ssrcs, [(702787905, 2901289746)]);
}

/// libdatachannel: the transport in the session's part, a second group, no retransmissions.
#[test]
fn obs_publishes() {
    let offer = read_offer(OBS).unwrap();
    assert_eq!(overview(&offer), [("0", Kind::Audio, true, false), ("1", Kind::Video, true, false)]);
    assert_eq!((offer.remote.ufrag.as_str(), offer.remote.fingerprint.first()), ("nxcM", Some(&0x4e)));
    assert_eq!(codecs(&offer.sections[1]), [(96, H264, None)]);
    assert_eq!(offer.sections[1].ssrcs, [3388068601]);
    assert!(!answer(&offer, &[]).contains("rtcp-rsize"));
}

/// Video first, so that its section stands for the bundle; the second at port 0; capital letters.
#[test]
fn gstreamer_publishes() {
    let offer = read_offer(GSTREAMER).unwrap();
    assert_eq!(overview(&offer), [("video0", Kind::Video, true, false), ("audio1", Kind::Audio, true, false)]);
    let answer = answer(&offer, &[]);
    let answered = sections(&answer);
    assert_eq!(answered[0][0], "m=video 9 UDP/TLS/RTP/SAVPF 96");
    assert_eq!(answered[1][0], "m=audio 9 UDP/TLS/RTP/SAVPF 97");
    assert!(answered[0].contains(&"a=end-of-candidates") && !answered[1].contains(&"a=end-of-candidates"));
    assert!(!answered[1].contains(&"a=rtcp-fb:97 nack pli"), "{answer}");
}

/// ffmpeg waits for us to begin the handshake unless it is told `-whip_flags dtls_active`; RFC 9725 section 4.2 leaves a client actpass or active.
#[test]
fn ffmpeg_has_to_be_the_active_side() {
    assert_eq!(read_offer(FFMPEG), Err(SdpError::ClientIsDtlsServer));
    let offer = read_offer(&FFMPEG.replace("a=setup:passive", "a=setup:active")).unwrap();
    assert_eq!(overview(&offer), [("0", Kind::Audio, true, false), ("1", Kind::Video, true, false)]);
    assert_eq!(codecs(&offer.sections[1]), [(106, H264, Some(105))]);
    // With sound alone it still names both in the group.
    let (audio, _) = FFMPEG.split_once("m=video").unwrap();
    let offer = read_offer(&audio.replace("a=setup:passive", "a=setup:active")).unwrap();
    assert!(answer(&offer, &[]).contains("a=group:BUNDLE 0\r\n"));
}
