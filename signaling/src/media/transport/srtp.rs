//! SRTP and SRTCP with the keys of a handshake (RFC 3711, RFC 5764, RFC 7714).

use crate::media::egress::Seal;
use bytes::BytesMut;
use rtc::dtls::state::State;
use rtc::rtp::Header;
use rtc::shared::error::Error;
use rtc::shared::marshal::Unmarshal as _;
use rtc::srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc::srtp::context::Context;
use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc::srtp::protection_profile::ProtectionProfile;
use std::sync::Arc;
use webrtc::peer_connection::SrtpProtectionProfile;
use webrtc::peer_connection::crypto::RTCCryptoProvider;

/// Packets within which repeats of secured packets are refused (RFC 3711, 3.3.2).
const REPLAY_WINDOW: usize = 1024;
/// SSRCs that one client may use, each some 300 bytes of state. A publisher has about twenty, and new ones when it adds a camera.
const MAX_STREAMS: usize = 256;
/// Packets of unknown SSRCs tried before what they left behind is thrown away.
const MAX_TRIED: u8 = 64;

/// The two directions' keys, once the handshake is over.
pub(super) fn contexts(state: &State, provider: &Arc<dyn RTCCryptoProvider>) -> Result<(Sealer, Opener), Error> {
    let profile = match state.srtp_protection_profile() {
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        _ => return Err(Error::ErrNoSuchSrtpProfile),
    };
    let mut config = Config { profile, ..Config::default() };
    let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len())?;
    config.set_session_keys_from_keying_material(material.as_ref(), state.is_client())?;
    let keys = config.keys;
    let local = Context::new(&keys.local_master_key, &keys.local_master_salt, profile, None, None, provider.crypto())?;
    let remote =
        Remote { key: keys.remote_master_key, salt: keys.remote_master_salt, profile, provider: provider.clone() };
    Ok((Sealer { context: local }, Opener::new(remote)?))
}

/// What we send, sealed. With AES-GCM, one number under two contents gives the key away (RFC 7714, 8.4): who seals RTP remembers what it
/// sent, as [`crate::media::egress`] does, and sends the same bytes or none.
pub(crate) struct Sealer {
    context: Context,
}

impl Seal for Sealer {
    fn seal_rtp(&mut self, header: &Header, packet: &[u8]) -> Option<BytesMut> {
        self.context.encrypt_rtp_with_header(packet, header).ok()
    }

    fn seal_rtcp(&mut self, compound: &[u8]) -> Option<BytesMut> {
        self.context.encrypt_rtcp(compound).ok()
    }
}

/// What a client sends, opened.
///
/// The stack makes room for an SSRC and starts its replay window at the packet's number before it knows the packet authentic: strangers'
/// packets would fill memory, and one with a high number would shut out the stream that it names. So an unknown SSRC is tried in a context
/// of its own first, which has no window and is thrown away now and then.
pub(super) struct Opener {
    remote: Remote,
    known: Context,
    trial: Context,
    tried: u8,
    rtp: Vec<u32>,
    rtcp: Vec<u32>,
}

impl Opener {
    fn new(remote: Remote) -> Result<Self, Error> {
        let (known, trial) = (remote.context(true)?, remote.context(false)?);
        Ok(Self { remote, known, trial, tried: 0, rtp: Vec::new(), rtcp: Vec::new() })
    }

    pub fn open_rtp(&mut self, datagram: &[u8]) -> Result<(Header, BytesMut), &'static str> {
        let mut rest = datagram;
        let header = Header::unmarshal(&mut rest).map_err(|_| "malformed RTP")?;
        if !self.rtp.contains(&header.ssrc) {
            self.on_trial()?.decrypt_rtp_with_header(datagram, &header).map_err(|error| reason(&error))?;
            learn(&mut self.rtp, header.ssrc)?;
        }
        let packet = self.known.decrypt_rtp_with_header(datagram, &header).map_err(|error| reason(&error))?;
        Ok((header, packet))
    }

    pub fn open_rtcp(&mut self, datagram: &[u8]) -> Result<BytesMut, &'static str> {
        let ssrc = datagram.get(4..).and_then(|rest| rest.first_chunk()).ok_or("malformed RTCP")?;
        let ssrc = u32::from_be_bytes(*ssrc);
        if !self.rtcp.contains(&ssrc) {
            self.on_trial()?.decrypt_rtcp(datagram).map_err(|error| reason(&error))?;
            learn(&mut self.rtcp, ssrc)?;
        }
        self.known.decrypt_rtcp(datagram).map_err(|error| reason(&error))
    }

    fn on_trial(&mut self) -> Result<&mut Context, &'static str> {
        if self.tried >= MAX_TRIED {
            self.trial = self.remote.context(false).map_err(|_| "no keys")?;
            self.tried = 0;
        }
        self.tried += 1;
        Ok(&mut self.trial)
    }
}

/// The client's key, to make contexts of.
struct Remote {
    key: Vec<u8>,
    salt: Vec<u8>,
    profile: ProtectionProfile,
    provider: Arc<dyn RTCCryptoProvider>,
}

impl Remote {
    fn context(&self, refuse_repeats: bool) -> Result<Context, Error> {
        let rtp = refuse_repeats.then(|| srtp_replay_protection(REPLAY_WINDOW));
        let rtcp = refuse_repeats.then(|| srtcp_replay_protection(REPLAY_WINDOW));
        Context::new(&self.key, &self.salt, self.profile, rtp, rtcp, self.provider.crypto())
    }
}

fn learn(known: &mut Vec<u32>, ssrc: u32) -> Result<(), &'static str> {
    if known.len() >= MAX_STREAMS {
        return Err("too many streams");
    }
    known.push(ssrc);
    Ok(())
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::SrtpSsrcDuplicated(..) | Error::SrtcpSsrcDuplicated(..) => "repeated",
        Error::ErrFailedToVerifyAuthTag | Error::RtpFailedToVerifyAuthTag | Error::RtcpFailedToVerifyAuthTag => {
            "forged"
        }
        _ => "malformed SRTP",
    }
}
