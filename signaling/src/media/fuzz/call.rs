//! A client with keys, over a line that does anything to its datagrams; then whatever it sends under those keys.

use super::handshake::{HUB, check, drain, path};
use crate::fuzz::Input;
use crate::fuzz::input::START;
use crate::media::sdp::Remote;
use crate::media::transport::{Read, State, Transport};
use bytes::BytesMut;
use rtc::dtls::cipher_suite::CipherSuiteId;
use rtc::dtls::config::{ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::Endpoint;
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::TransportProtocol;
use rtc::srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

#[expect(clippy::expect_used, reason = "without a certificate there is nothing to fuzz")]
static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    let provider = rtc::crypto::default_provider().expect("there is a provider");
    Certificate::generate_self_signed(vec!["client".to_owned()], provider.crypto()).expect("a certificate can be made")
});

fn config(profile: SrtpProtectionProfile) -> Option<Arc<HandshakeConfig>> {
    let config = ConfigBuilder::default()
        .with_crypto_provider(rtc::crypto::default_provider().ok()?)
        .with_certificates(vec![CERTIFICATE.clone()])
        .with_cipher_suites(vec![CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256])
        .with_srtp_protection_profiles(vec![profile])
        .with_insecure_skip_verify(true)
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .build(true, None)
        .ok()?;
    Some(Arc::new(config))
}

/// A handshake whose datagrams are spoiled, and SRTP after it.
pub fn call(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut now = *START;
    let mut hub = Transport::new(&HUB, now);
    let fingerprint = CERTIFICATE.certificate.first().map(|der| Sha256::digest(der).to_vec()).unwrap_or_default();
    hub.set_remote(&Remote { ufrag: "them".to_owned(), pwd: "their password".to_owned(), fingerprint }, now);
    let Some(request) = check(&hub, 0, &[0, 0x25, 0, 0]) else { return };
    hub.check(&request, path(1), now);
    drain(&mut hub);
    let (profile, srtp) = if input.flag() {
        (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, ProtectionProfile::Aes128CmHmacSha1_80)
    } else {
        (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, ProtectionProfile::AeadAes128Gcm)
    };
    let Some(config) = config(profile) else { return };
    let mut client = Endpoint::new(SERVER, TransportProtocol::UDP, None);
    if client.connect(now, SERVER, config, None).is_err() {
        return;
    }
    let mut is_spoiled = false;
    for _ in 0..16 {
        while let Some(transmit) = client.poll_transmit() {
            let spoiled = spoil(&mut input, &transmit.message);
            is_spoiled |= spoiled != [&transmit.message[..]];
            for datagram in spoiled {
                assert!(matches!(hub.read(&datagram, path(1), now), Read::Nothing | Read::Refused(_)));
            }
        }
        let answers = drain(&mut hub);
        if answers.is_empty() {
            break;
        }
        for answer in answers {
            // The client is not on trial, and fails as it likes.
            let _ = client.read(now, SERVER, None, BytesMut::from(&answer[..]));
        }
    }
    let keys = client.get_connection_state(SERVER).and_then(|state| contexts(state, srtp));
    if hub.state() == State::Up
        && let Some(mut sealing) = keys
    {
        packets(&mut input, &mut hub, &mut sealing, &mut now);
    } else {
        assert!(is_spoiled, "an honest handshake fails: {:?}", hub.state());
    }
    now += Duration::from_secs(60);
    hub.tick(now);
    assert!(matches!(hub.state(), State::Failed | State::Closed));
    assert_eq!(hub.deadline(), None);
}

/// What a line makes of one datagram.
fn spoil(input: &mut Input<'_>, datagram: &[u8]) -> Vec<Vec<u8>> {
    let mut bytes = datagram.to_vec();
    match input.byte() % 8 {
        0..=2 => vec![bytes],
        3 => vec![bytes.clone(), bytes],
        4 => Vec::new(),
        5 => {
            for _ in 0..=input.byte() % 4 {
                let at = usize::from(input.short()) % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= input.byte();
                }
            }
            vec![bytes]
        }
        6 => {
            bytes.truncate(usize::from(input.short()) % (bytes.len() + 1));
            vec![bytes]
        }
        _ => {
            // Something of a stranger's between.
            vec![input.piece().to_vec(), bytes]
        }
    }
}

fn packets(input: &mut Input<'_>, hub: &mut Transport, sealing: &mut Context, now: &mut Instant) {
    let mut sequence = 0_u16;
    while !input.is_over() && !matches!(hub.state(), State::Failed | State::Closed) {
        match input.byte() % 8 {
            kind @ 0..=3 => {
                sequence = if kind == 0 { input.short() } else { sequence.wrapping_add(1) };
                let mut plain = vec![0x80 | (input.byte() & 0x3f), 96];
                plain.extend_from_slice(&sequence.to_be_bytes());
                plain.extend_from_slice(&[0, 0, 0, 0, 0, 0, input.byte() % 2, input.byte()]);
                plain.extend_from_slice(input.piece());
                let Ok(sealed) = sealing.encrypt_rtp(&plain) else { continue };
                deliver(input, hub, &sealed, *now, &plain);
            }
            4 => {
                let mut plain = vec![0x80 | (input.byte() & 0x1f), 200 + input.byte() % 8, 0, 1, 0, 0, 0, input.byte()];
                plain.extend_from_slice(input.piece());
                let Ok(sealed) = sealing.encrypt_rtcp(&plain) else { continue };
                deliver(input, hub, &sealed, *now, &plain);
            }
            5 => {
                let read = hub.read(input.piece(), path(1), *now);
                assert!(matches!(read, Read::Nothing | Read::Refused(_)), "nobody guesses the keys");
            }
            6 => {
                hub.restart();
                if let Some(request) = check(hub, input.byte(), &[0, 0x25, 0, 0]) {
                    hub.check(&request, path(input.byte()), *now);
                }
            }
            _ => *now += Duration::from_millis(input.short().into()),
        }
        hub.tick(*now);
        drain(hub);
        assert!(hub.deadline().is_none_or(|deadline| deadline > *now));
    }
}

/// First with a bit changed, which must not be taken, then as it is.
fn deliver(input: &mut Input<'_>, hub: &mut Transport, sealed: &[u8], now: Instant, plain: &[u8]) {
    if input.flag() {
        let mut forged = sealed.to_vec();
        let at = usize::from(input.byte()) % forged.len().max(1);
        if let Some(byte) = forged.get_mut(at) {
            *byte ^= 1 << (input.byte() % 8);
        }
        let read = hub.read(&forged, path(1), now);
        assert!(matches!(read, Read::Nothing | Read::Refused(_)), "a changed packet was taken");
    }
    match hub.read(sealed, path(1), now) {
        Read::Rtp(_, packet) | Read::Rtcp(packet) => assert_eq!(&packet[..], plain, "not what was sealed"),
        Read::Nothing | Read::Refused(_) => {}
    }
}

fn contexts(state: &rtc::dtls::state::State, profile: ProtectionProfile) -> Option<Context> {
    let mut config = Config { profile, ..Config::default() };
    let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len()).ok()?;
    config.set_session_keys_from_keying_material(material.as_ref(), true).ok()?;
    let keys = config.keys;
    let provider = rtc::crypto::default_provider().ok()?;
    Context::new(&keys.local_master_key, &keys.local_master_salt, profile, None, None, provider.crypto()).ok()
}
