//! Who the hub is, and on what terms it shakes hands.

use super::TransportError;
use rtc::dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc::dtls::crypto::Certificate;
use rtc::shared::error::Error;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use webrtc::peer_connection::CipherSuiteId;
use webrtc::peer_connection::SrtpProtectionProfile;
use webrtc::peer_connection::crypto::RTCCryptoProvider;

/// Who the hub is to its clients: one certificate for the server's life.
pub(crate) struct Identity {
    fingerprint: String,
    terms: Terms,
}

impl Identity {
    /// A self-signed certificate with a P-256 key.
    pub fn generate() -> Result<Self, TransportError> {
        let provider =
            webrtc::peer_connection::crypto::default_provider().map_err(|error| Error::Crypto(error.to_string()))?;
        let certificate = Certificate::generate_self_signed(vec!["hub".to_owned()], provider.crypto())?;
        let der = certificate.certificate.first().ok_or(Error::ErrNonCertificate)?;
        let hash: Vec<String> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
        let fingerprint = format!("sha-256 {}", hash.join(":"));
        let terms = |profile| -> Result<_, Error> {
            let config = ConfigBuilder::default()
                .with_crypto_provider(provider.clone())
                .with_certificates(vec![certificate.clone()])
                .with_cipher_suites(vec![CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256])
                .with_srtp_protection_profiles(vec![profile])
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                // Certificates are self-signed: `Association::fingerprint` is compared with the client's description instead.
                .with_insecure_skip_verify(true)
                // The stack takes a client's Finished without a look at its contents; what it would prove is in the keys then (RFC 7627).
                .with_extended_master_secret(ExtendedMasterSecretType::Require)
                .build(false, None)?;
            Ok(Arc::new(config))
        };
        let gcm = terms(SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm)?;
        let sha1 = terms(SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80)?;
        Ok(Self { fingerprint, terms: Terms { provider, gcm, sha1 } })
    }

    /// As it stands in SDP: `sha-256 AB:CD:…`.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(super) fn terms(&self) -> Terms {
        self.terms.clone()
    }
}

/// The stack takes the first SRTP profile of the client's list that it knows, and browsers put the costly one first. It knows one at a time.
#[derive(Clone)]
pub(super) struct Terms {
    pub provider: Arc<dyn RTCCryptoProvider>,
    gcm: Arc<HandshakeConfig>,
    sha1: Arc<HandshakeConfig>,
}

impl Terms {
    /// For a client with this hello: SRTP by AES-GCM if it can, which costs a third of AES-CM with SHA-1.
    pub fn suiting(&self, hello: &[u8]) -> Arc<HandshakeConfig> {
        if offers_gcm(hello).unwrap_or(false) { self.gcm.clone() } else { self.sha1.clone() }
    }
}

/// Does a client hello offer SRTP with AES-GCM (RFC 5764, 4.1.1; RFC 7714)? None when it cannot be read.
fn offers_gcm(hello: &[u8]) -> Option<bool> {
    const USE_SRTP: [u8; 2] = [0, 14];
    const GCM: [u8; 2] = [0, 7];
    // Version and random; then session id, cookie, cipher suites, compression methods, each with its length before it.
    let mut rest = hello.get(34..)?;
    for length_bytes in [1, 1, 2, 1] {
        (_, rest) = counted(rest, length_bytes)?;
    }
    let (mut extensions, _) = counted(rest, 2)?;
    while let Some((kind, after)) = extensions.split_first_chunk::<2>() {
        let (extension, after) = counted(after, 2)?;
        if *kind == USE_SRTP {
            return Some(counted(extension, 2)?.0.chunks_exact(2).any(|profile| profile == GCM));
        }
        extensions = after;
    }
    Some(false)
}

/// Splits off what has its length, of so many bytes, before it.
fn counted(bytes: &[u8], length_bytes: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(length_bytes)?;
    let length = length.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello(profiles: &[u8]) -> Vec<u8> {
        let mut hello = vec![7; 34];
        // Session id, cookie, one cipher suite, one compression method.
        hello.extend([0, 2, 1, 2, 0, 2, 0xC0, 0x2B, 1, 0]);
        let use_srtp = [&[0, 14], &lengthened(&[&lengthened(profiles), &[0][..]].concat())[..]].concat();
        let other = [0, 23, 0, 0];
        hello.extend(lengthened(&[&other[..], &use_srtp].concat()));
        hello
    }

    fn lengthened(bytes: &[u8]) -> Vec<u8> {
        [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
    }

    #[test]
    fn a_hello_tells_whether_it_knows_gcm() {
        assert_eq!(offers_gcm(&hello(&[0, 1, 0, 7])), Some(true));
        assert_eq!(offers_gcm(&hello(&[0, 1])), Some(false));
        assert_eq!(offers_gcm(&[7; 30]), None);
    }

    proptest! {
        #[test]
        fn no_hello_is_trouble(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..80) {
            offers_gcm(&bytes);
            let hello = hello(&[0, 7]);
            prop_assert_eq!(offers_gcm(&hello[..cut.min(hello.len() - 1)]), None);
        }
    }

    #[test]
    fn the_fingerprint_stands_as_in_sdp() {
        let identity = Identity::generate().unwrap();
        let (algorithm, hash) = identity.fingerprint().split_once(' ').unwrap();
        assert_eq!(algorithm, "sha-256");
        let bytes: Vec<_> = hash.split(':').collect();
        assert_eq!(bytes.len(), 32);
        assert!(bytes.iter().all(|byte| u8::from_str_radix(byte, 16).is_ok() && byte.to_uppercase() == **byte));
    }
}
