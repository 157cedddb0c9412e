//! SRTP's ciphers (RFC 3711, RFC 7714).

use super::refused;
use aes::Aes128;
use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use std::sync::atomic::{AtomicBool, Ordering};
use str0m::crypto::{AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, SrtpProvider};
use str0m::crypto::{SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80};

const BLOCK: usize = 16;
const TAG: usize = 16;
/// The longest associated data: an RTP header with all its extensions stays far below.
const LONGEST_AAD: usize = 512;

/// Whether a profile was in use since [`take_profiles`] was last asked.
static USED: [(AtomicBool, &str); 3] = [
    (AtomicBool::new(false), "AES-128-CM with SHA-1"),
    (AtomicBool::new(false), "AES-128-GCM"),
    (AtomicBool::new(false), "AES-256-GCM"),
];

/// The profiles that were agreed upon since the last call: a server's costs depend on them.
pub fn take_profiles() -> String {
    let used = USED.iter().filter(|(used, _)| used.swap(false, Ordering::Relaxed));
    used.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

fn note_use(profile: usize) {
    if let Some((used, _)) = USED.get(profile) {
        used.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub struct Srtp;

impl SrtpProvider for Srtp {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &CounterMode
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Gcm128
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Gcm256
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        if let (Ok(cipher), Ok(mut block)) = (Aes128::new_from_slice(key), Array::try_from(input)) {
            cipher.encrypt_block(&mut block);
            output.iter_mut().zip(block).for_each(|(out, byte)| *out = byte);
        }
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        if let (Ok(cipher), Ok(mut block)) = (Aes256::new_from_slice(key), Array::try_from(input)) {
            cipher.encrypt_block(&mut block);
            output.iter_mut().zip(block).for_each(|(out, byte)| *out = byte);
        }
    }
}

#[derive(Debug)]
struct CounterMode;

impl SupportedAes128CmSha1_80 for CounterMode {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        note_use(0);
        Box::new(Counter(Aes128::new(&key.into())))
    }
}

#[derive(Debug)]
struct Counter(Aes128);

impl Counter {
    fn apply(&self, iv: &[u8; BLOCK], input: &[u8], output: &mut [u8]) {
        let mut counter = u128::from_be_bytes(*iv);
        for (from, to) in input.chunks(BLOCK).zip(output.chunks_mut(BLOCK)) {
            let mut block = Array::from(counter.to_be_bytes());
            self.0.encrypt_block(&mut block);
            to.iter_mut().zip(from).zip(block).for_each(|((to, from), key)| *to = from ^ key);
            counter = counter.wrapping_add(1);
        }
    }
}

impl Aes128CmSha1_80Cipher for Counter {
    fn encrypt(&mut self, iv: &[u8; BLOCK], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.apply(iv, input, output);
        Ok(())
    }

    fn decrypt(&mut self, iv: &[u8; BLOCK], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.apply(iv, input, output);
        Ok(())
    }
}

#[derive(Debug)]
struct Gcm128;

impl SupportedAeadAes128Gcm for Gcm128 {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        note_use(1);
        Box::new(Gcm::new(&AES_128_GCM, &key))
    }
}

#[derive(Debug)]
struct Gcm256;

impl SupportedAeadAes256Gcm for Gcm256 {
    fn create_cipher(&self, key: [u8; 32], _encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        note_use(2);
        Box::new(Gcm::new(&AES_256_GCM, &key))
    }
}

/// None only for a key of the wrong length, which the types above rule out.
#[derive(Debug)]
struct Gcm(Option<LessSafeKey>);

impl Gcm {
    fn new(algorithm: &'static Algorithm, key: &[u8]) -> Self {
        Self(UnboundKey::new(algorithm, key).ok().map(LessSafeKey::new))
    }

    fn seal(&self, iv: [u8; 12], aad: &[u8], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        let refused = || refused("AES-GCM seal");
        let key = self.0.as_ref().ok_or_else(refused)?;
        let (body, tag) = output.split_at_mut_checked(input.len()).ok_or_else(refused)?;
        body.copy_from_slice(input);
        let made = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), Aad::from(aad), body);
        let made = made.map_err(|_| refused())?;
        tag.get_mut(..TAG).ok_or_else(refused)?.copy_from_slice(made.as_ref());
        Ok(())
    }

    fn open(&self, iv: [u8; 12], aads: &[&[u8]], input: &[u8], output: &mut [u8]) -> Result<usize, CryptoError> {
        let refused = || refused("AES-GCM open");
        let key = self.0.as_ref().ok_or_else(refused)?;
        let mut joined = [0; LONGEST_AAD];
        let aad = if let [one] = aads {
            one
        } else {
            let mut end = 0;
            for part in aads {
                joined.get_mut(end..end + part.len()).ok_or_else(refused)?.copy_from_slice(part);
                end += part.len();
            }
            joined.get(..end).ok_or_else(refused)?
        };
        let length = input.len().checked_sub(TAG).ok_or_else(refused)?;
        let (cipher, tag) = input.split_at(length);
        let body = output.get_mut(..length).ok_or_else(refused)?;
        body.copy_from_slice(cipher);
        let tag = ring::aead::Tag::try_from(tag).map_err(|_| refused())?;
        key.open_in_place_separate_tag(Nonce::assume_unique_for_key(iv), Aad::from(aad), tag, body, 0..)
            .map_err(|_| refused())?;
        Ok(length)
    }
}

impl AeadAes128GcmCipher for Gcm {
    fn encrypt(&mut self, iv: &[u8; 12], aad: &[u8], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.seal(*iv, aad, input, output)
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 12],
        aads: &[&[u8]],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, CryptoError> {
        self.open(*iv, aads, input, output)
    }
}

impl AeadAes256GcmCipher for Gcm {
    fn encrypt(&mut self, iv: &[u8; 12], aad: &[u8], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.seal(*iv, aad, input, output)
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 12],
        aads: &[&[u8]],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, CryptoError> {
        self.open(*iv, aads, input, output)
    }
}
