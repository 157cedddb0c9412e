//! With real encryption.

use super::*;
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;

/// AES-128-GCM, as most browsers negotiate it.
pub struct Gcm(Context);

impl Gcm {
    pub fn new() -> Self {
        Self(context())
    }
}

fn context() -> Context {
    let provider = rtc::crypto::default_provider().unwrap();
    Context::new(&[1; 16], &[2; 12], ProtectionProfile::AeadAes128Gcm, None, None, provider.crypto()).unwrap()
}

impl Seal for Gcm {
    fn seal_rtp(&mut self, header: &rtc::rtp::Header, packet: &[u8]) -> Option<BytesMut> {
        self.0.encrypt_rtp_with_header(packet, header).ok()
    }

    fn seal_rtcp(&mut self, compound: &[u8]) -> Option<BytesMut> {
        self.0.encrypt_rtcp(compound).ok()
    }
}

#[test]
fn the_viewer_can_open_everything_over_the_wrap_of_numbers_late_packets_and_resends() {
    let now = Instant::now();
    let mut egress = Egress::new(Gcm::new(), "hub", now);
    egress.negotiated(vec![video_stream(SLOT, Some(RTX)), video_stream(200, None)], Some(5));
    let mut viewer = context();
    let (mut opened, mut again, mut reports) = (0, 0, 0);
    let sequences = (65_000..=65_535).chain(0..500);
    for (step, sequence) in (0_u64..).zip(sequences) {
        let at = after(now, 10 * step);
        // Every tenth packet is late by one.
        let sequence: u16 = match sequence % 10 {
            3 => sequence + 1,
            4 => sequence - 1,
            _ => sequence,
        };
        egress.push(packet(SLOT, sequence, 300, Class::Video), at);
        egress.push(packet(200, sequence, 300, Class::Video), at);
        if sequence.is_multiple_of(7) {
            egress.rtcp(&nack(SLOT, &[sequence.wrapping_sub(3)]), at);
            egress.rtcp(&nack(200, &[sequence.wrapping_sub(3)]), at);
        }
        if egress.deadline(at) <= at {
            egress.tick(at);
        }
        while let Some(datagram) = egress.poll_transmit(after(at, 9)) {
            if (192..224).contains(&datagram[1]) {
                viewer.decrypt_rtcp(&datagram).unwrap();
                reports += 1;
                continue;
            }
            let plain = viewer.decrypt_rtp(&datagram).unwrap().freeze();
            let packet = rtc::rtp::Packet::unmarshal(&mut &*plain).unwrap();
            opened += 1;
            again += usize::from(packet.header.ssrc == RTX);
            let media = if packet.header.ssrc == RTX { packet.payload.slice(2..) } else { packet.payload };
            assert_eq!(media, vec![7; 300]);
        }
    }
    let stats = egress.stats();
    assert_eq!((stats.refused, stats.dropped), (0, 0));
    assert!(opened > 2_000 && again > 100 && stats.resent > 200 && reports > 8, "{opened} {again} {reports} {stats:?}");
}
