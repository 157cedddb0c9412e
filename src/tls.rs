//! TLS by rustls with ring: a certificate of the demo's own, or files that are read again when they change.

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The configuration to serve HTTPS with, from PEM files.
///
/// # Errors
/// When a file cannot be read, or key and certificate do not fit.
pub fn from_files(certificate: &Path, key: &Path) -> anyhow::Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // HTTP/1.1 alone: WebSockets over HTTP/2 would need extended CONNECT in every client.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Makes a certificate for localhost, once; answers the two files.
///
/// # Errors
/// When the files cannot be written.
pub fn own_certificate(folder: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let (certificate, key) = (folder.join("tls-certificate.pem"), folder.join("tls-key.pem"));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    std::fs::create_dir_all(folder)?;
    let pair = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let made = CertificateParams::new(names)?.self_signed(&pair)?;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&key)?;
    file.write_all(pair.serialize_pem().as_bytes())?;
    std::fs::write(&certificate, made.pem())?;
    Ok((certificate, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_makes_its_certificate_once_and_it_serves() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = own_certificate(folder.path()).unwrap();
        let first = std::fs::read(&certificate).unwrap();
        own_certificate(folder.path()).unwrap();
        assert_eq!(std::fs::read(&certificate).unwrap(), first);
        from_files(&certificate, &key).unwrap();
        assert!(from_files(&key, &certificate).is_err());
    }
}
