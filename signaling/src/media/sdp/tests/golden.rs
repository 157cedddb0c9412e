//! Our texts, whole.

use super::*;

const EXPECTED_ANSWER: &str = "v=0
o=- 5 9 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=ice-lite
a=ice-options:trickle
m=audio 9 UDP/TLS/RTP/SAVPF 109
c=IN IP4 0.0.0.0
a=mid:0
a=ice-ufrag:ourFragment
a=ice-pwd:ourPasswordOf22Letters
a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
a=setup:passive
a=sendrecv
a=rtcp-mux
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=rtpmap:109 opus/48000/2
a=fmtp:109 minptime=10;useinbandfec=1
a=rtcp-fb:109 transport-cc
a=msid:podium podium-0
a=ssrc:7 cname:hub
a=candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host
a=end-of-candidates
m=video 9 UDP/TLS/RTP/SAVPF 120 124 97 121
c=IN IP4 0.0.0.0
a=mid:1
a=ice-ufrag:ourFragment
a=ice-pwd:ourPasswordOf22Letters
a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
a=setup:passive
a=recvonly
a=rtcp-mux
a=rtcp-rsize
a=extmap:10/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=rtpmap:120 VP8/90000
a=rtcp-fb:120 ccm fir
a=rtcp-fb:120 nack
a=rtcp-fb:120 nack pli
a=rtpmap:124 rtx/90000
a=fmtp:124 apt=120
a=rtpmap:97 H264/90000
a=fmtp:97 packetization-mode=1;profile-level-id=42e01f
a=rtpmap:121 VP9/90000
a=fmtp:121 profile-id=0
a=rid:l recv
a=rid:h recv max-width=1280
a=simulcast:recv l;h
m=application 0 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:2
a=ice-ufrag:ourFragment
a=ice-pwd:ourPasswordOf22Letters
a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
a=setup:passive
a=inactive
a=rtcp-mux
";

#[test]
fn an_answer_is_this_text() {
    let offer = offer_of(&[
        (
            "audio 9 UDP/TLS/RTP/SAVPF 109 0",
            &[
                "sendrecv",
                "extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
                "rtpmap:109 opus/48000/2",
                "fmtp:109 stereo=1",
                "rtcp-fb:109 transport-cc",
            ],
        ),
        (
            "video 9 UDP/TLS/RTP/SAVPF 97 120 124 121 122",
            &[
                "sendonly",
                "rtcp-rsize",
                "extmap:10/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
                "extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
                "rtpmap:97 H264/90000",
                "fmtp:97 profile-level-id=42e01f;packetization-mode=1",
                "rtpmap:120 VP8/90000",
                "rtcp-fb:120 goog-remb",
                "rtcp-fb:120 nack",
                "rtcp-fb:120 nack pli",
                "rtcp-fb:120 ccm fir",
                "rtpmap:124 rtx/90000",
                "fmtp:124 apt=120",
                "rtpmap:121 VP9/90000",
                "rtpmap:122 red/90000",
                "rid:l send",
                "rid:h send max-width=1280",
                "simulcast:send l;h",
            ],
        ),
        ("application 9 UDP/DTLS/SCTP webrtc-datachannel", &["sctp-port:5000"]),
    ]);
    let offer = read_offer(&offer).unwrap();
    assert_eq!(answer(&offer, &[slot("0", Kind::Audio, 7)]), EXPECTED_ANSWER.replace('\n', "\r\n"));
}

const EXPECTED_OFFER: &str = "v=0
o=- 77 3 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE a0 v0
a=ice-lite
a=ice-options:trickle
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:a0
a=ice-ufrag:ourFragment
a=ice-pwd:ourPasswordOf22Letters
a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
a=setup:actpass
a=inactive
a=rtcp-mux
a=rtcp-rsize
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtcp-fb:111 transport-cc
a=rtcp-fb:111 nack
a=candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host
a=candidate:2 1 tcp 1671430143 192.0.2.1 7000 typ host tcptype passive
a=end-of-candidates
m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 98 99 45 46
c=IN IP4 0.0.0.0
a=mid:v0
a=ice-ufrag:ourFragment
a=ice-pwd:ourPasswordOf22Letters
a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
a=setup:actpass
a=sendonly
a=rtcp-mux
a=rtcp-rsize
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtcp-fb:102 transport-cc
a=rtcp-fb:102 ccm fir
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
a=rtpmap:98 VP9/90000
a=fmtp:98 profile-id=0
a=rtcp-fb:98 transport-cc
a=rtcp-fb:98 ccm fir
a=rtcp-fb:98 nack
a=rtcp-fb:98 nack pli
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
a=rtpmap:45 AV1/90000
a=fmtp:45 level-idx=5;profile=0;tier=0
a=rtcp-fb:45 transport-cc
a=rtcp-fb:45 ccm fir
a=rtcp-fb:45 nack
a=rtcp-fb:45 nack pli
a=rtpmap:46 rtx/90000
a=fmtp:46 apt=45
a=msid:podium podium-v0
a=ssrc-group:FID 20 21
a=ssrc:20 cname:hub
a=ssrc:21 cname:hub
";

#[test]
fn an_offer_is_this_text() {
    let candidates = [
        "candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host".to_owned(),
        "candidate:2 1 tcp 1671430143 192.0.2.1 7000 typ host tcptype passive".to_owned(),
    ];
    let idle = Slot { active: false, ..slot("a0", Kind::Audio, 10) };
    let offer = write_offer(local(&candidates), &[idle, slot("v0", Kind::Screen, 20)], 77, 3);
    assert_eq!(offer, EXPECTED_OFFER.replace('\n', "\r\n"));
}

#[test]
fn a_fragment_is_this_text() {
    let candidates = ["candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host".to_owned()];
    let fragment = write_fragment(local(&candidates), "video", &["1"]);
    let expected = "a=group:BUNDLE 1\r\na=ice-lite\r\na=ice-options:trickle\r\na=ice-ufrag:ourFragment\r\n\
        a=ice-pwd:ourPasswordOf22Letters\r\nm=video 9 RTP/AVP 0\r\na=mid:1\r\n\
        a=candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host\r\na=end-of-candidates\r\n";
    assert_eq!(fragment, expected);
    let credentials = Some(("ourFragment".to_owned(), "ourPasswordOf22Letters".to_owned()));
    assert_eq!(read_fragment(&fragment), Ok(Fragment { credentials }));
}
