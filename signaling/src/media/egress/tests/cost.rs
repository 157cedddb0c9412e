//! What a packet costs. Run by hand: `cargo test --release -p signaling --lib egress::tests::cost -- --ignored --nocapture`.

use super::sealed::Gcm;
use super::*;

const VIEWERS: usize = 60;
const ROUNDS: u16 = 20_000;

/// Seals nothing and copies nothing.
struct Nothing;

impl Seal for Nothing {
    fn seal_rtp(&mut self, _header: &rtc::rtp::Header, packet: &[u8]) -> Option<BytesMut> {
        std::hint::black_box(packet);
        Some(BytesMut::new())
    }

    fn seal_rtcp(&mut self, _compound: &[u8]) -> Option<BytesMut> {
        Some(BytesMut::new())
    }
}

fn nanoseconds_a_packet<S: Seal>(make: impl Fn() -> S) -> f64 {
    let start = Instant::now();
    let limits = Limits { start: 8_000_000, ..Limits::default() };
    let mut viewers: Vec<Egress<S>> = (0..VIEWERS)
        .map(|_| {
            let mut egress = Egress::with_limits(make(), "hub", limits, start);
            let slots = (0..10).map(|slot| video_stream(SLOT + 2 * slot, Some(SLOT + 2 * slot + 1)));
            egress.negotiated(slots.chain((0..3).map(audio_stream)).collect(), Some(5));
            egress
        })
        .collect();
    let payload = Bytes::from(vec![7; 1_180]);
    let mut sent = 0_u64;
    let began = Instant::now();
    for round in 0..ROUNDS {
        // 5 Mbit/s: a packet each 2 ms to everybody.
        let now = start + Duration::from_micros(u64::from(round) * 2_000);
        for egress in &mut viewers {
            let slot = SLOT + 2 * u32::from(round % 10);
            let packet = OutPacket { payload: payload.clone(), ..packet_without_payload(slot, round / 10) };
            egress.push(packet, now);
            while let Some(datagram) = egress.poll_transmit(now) {
                std::hint::black_box(&datagram);
                sent += 1;
            }
            if egress.deadline(now) <= now {
                egress.tick(now);
            }
        }
    }
    assert!(sent >= u64::from(ROUNDS) * VIEWERS as u64);
    began.elapsed().as_nanos() as f64 / sent as f64
}

fn packet_without_payload(ssrc: u32, sequence: u16) -> OutPacket {
    OutPacket {
        ssrc,
        payload_type: 96,
        sequence,
        timestamp: u32::from(sequence) * 3_000,
        marker: false,
        payload: Bytes::new(),
        captured: Some(0xe000_0000_0000_0000 + u64::from(sequence) * ((1 << 32) / 30)),
        class: Class::Video,
    }
}

#[test]
#[ignore = "a measurement, not a test"]
fn nanoseconds_a_packet_with_and_without_encryption() {
    for _ in 0..3 {
        eprintln!("bare: {:.0} ns a packet", nanoseconds_a_packet(|| Nothing));
        eprintln!("AES-128-GCM: {:.0} ns a packet", nanoseconds_a_packet(Gcm::new));
        let mut context = Gcm::new();
        let packet = vec![1; 1_200];
        let began = Instant::now();
        for round in 0..100_000_u32 {
            let header = rtc::rtp::Header {
                version: 2,
                sequence_number: (round & 0xffff) as u16,
                ..rtc::rtp::Header::default()
            };
            std::hint::black_box(context.seal_rtp(&header, &packet));
        }
        eprintln!("sealing alone: {:.0} ns", began.elapsed().as_nanos() as f64 / 100_000.0);
    }
}
