//! Configuration for production: a TOML file, and the environment (`HUB_SECTION__KEY`), which wins. `deploy/config.toml` is
//! the commented example; a test holds the two together.

use config::{Config as Source, Environment, File};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// All of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where pages and interface are served.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// The media port.
    pub media: Media,
    /// The data folder.
    pub storage: Storage,
    /// Outgoing mail; without it mails wait in the outbox.
    pub mail: Option<Mail>,
    /// Telephone providers.
    #[serde(default)]
    pub telephony: Telephony,
    /// What is logged, and how.
    #[serde(default)]
    pub log: Log,
}

/// Where pages and interface are served.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port, over TLS.
    pub listen: SocketAddr,
    /// How people reach it.
    pub public_url: String,
    /// PEM file: certificate with its chain.
    pub tls_certificate: PathBuf,
    /// PEM file: its key.
    pub tls_key: PathBuf,
    /// Health and metrics, without TLS.
    #[serde(default = "private_listen")]
    pub private_listen: SocketAddr,
}

fn private_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9_464))
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `postgres://…` or `sqlite:PATH`.
    pub url: String,
}

/// The media port.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Address and UDP port.
    pub listen: SocketAddr,
    /// The addresses that browsers reach it at from outside; those of this machine are told after them.
    #[serde(default)]
    pub public_addresses: Vec<IpAddr>,
    /// Threads that encrypt and send; none means one for each core but one.
    pub workers: Option<NonZeroUsize>,
    /// The TURN server that browsers are told of.
    pub turn: Option<Turn>,
}

impl Media {
    /// A port with nothing around it.
    #[must_use]
    pub const fn at(listen: SocketAddr) -> Self {
        Self { listen, public_addresses: Vec::new(), workers: None, turn: None }
    }
}

/// A TURN server that shares a secret with the hub.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// `turns:HOST:443?transport=tcp` and the like, best first.
    pub urls: Vec<String>,
    /// coturn's `static-auth-secret`.
    #[serde(default)]
    pub secret: String,
    /// How long a credential lasts: as long as a hearing day.
    #[serde(default = "turn_ttl_seconds")]
    pub ttl_seconds: u32,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("urls", &self.urls).finish_non_exhaustive()
    }
}

const fn turn_ttl_seconds() -> u32 {
    12 * 3_600
}

/// The data folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Recordings, sounds, attachments, keys.
    pub data_dir: PathBuf,
    /// Below so much free space the hub is not ready.
    #[serde(default = "min_free_gb")]
    pub min_free_gb: u64,
    /// Sound files that replace the shipped prompts: `LANGUAGE/ID.wav`.
    pub prompts_dir: Option<PathBuf>,
}

const fn min_free_gb() -> u64 {
    20
}

/// Outgoing mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// `smtp://` or `smtps://`.
    pub smtp_url: String,
    /// Whom mails are from.
    pub from: String,
}

/// Telephone providers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telephony {
    /// Twilio, or one that speaks like it.
    pub twilio: Option<Twilio>,
    /// The government's Mobile Seva.
    pub msdg: Option<Msdg>,
}

/// Twilio.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twilio {
    /// Account.
    pub account_sid: String,
    /// Its secret.
    pub auth_token: String,
    /// The number that people ring.
    pub number: String,
    /// Address of the interface.
    #[serde(default = "twilio_base_url")]
    pub base_url: String,
}

impl std::fmt::Debug for Twilio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twilio").field("account_sid", &self.account_sid).finish_non_exhaustive()
    }
}

fn twilio_base_url() -> String {
    "https://api.twilio.com".to_owned()
}

/// Mobile Seva: messages that citizens send.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Msdg {
    /// The secret path.
    pub pull_path: String,
    /// Who may call it.
    pub addresses: Vec<IpAddr>,
}

impl std::fmt::Debug for Msdg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Msdg").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// As in `RUST_LOG`.
    pub filter: String,
    /// `json` or `text`.
    pub format: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: "json".to_owned() }
    }
}

impl Config {
    /// Reads the file and the environment.
    ///
    /// # Errors
    /// Which key is missing, unknown or of the wrong type.
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        // Only names of keys, HUB_SECTION__KEY: other programs' variables may begin with HUB_ too.
        let keys = std::env::vars().filter(|(name, _)| name.starts_with("HUB_") && name.contains("__")).collect();
        let environment = Environment::with_prefix("HUB").prefix_separator("_").separator("__").try_parsing(true);
        let environment = environment.source(Some(keys));
        let environment = environment.list_separator(",").with_list_parse_key("media.public_addresses");
        let environment = environment.with_list_parse_key("media.turn.urls");
        let environment = environment.with_list_parse_key("telephony.msdg.addresses");
        let source = Source::builder().add_source(File::from(file.to_owned())).add_source(environment).build()?;
        Ok(source.try_deserialize()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::turn::Turn as Turns;

    #[test]
    fn the_example_is_read_once_its_secrets_are_added() {
        let example = include_str!("../deploy/config.toml");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, with_secrets(example)).unwrap();
        let config = Config::load(&file).unwrap();
        assert_eq!(config.server.private_listen.port(), 9464);
        assert_eq!(config.telephony.twilio.unwrap().base_url, "https://api.twilio.com");
        assert!(!format!("{:?}", config.telephony.msdg).contains("/x"), "secrets are not shown");
        assert!(Turns::of_config(&config.media).unwrap().is_some());
        assert!(!format!("{:?}", config.media).contains("0123456789abcdef"), "secrets are not shown");
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(
            &file,
            with_secrets(include_str!("../deploy/config.toml")).replace("min_free_gb", "min_room_gb"),
        )
        .unwrap();
        let error = format!("{:#}", Config::load(&file).unwrap_err());
        assert!(error.contains("min_room_gb"), "{error}");
    }

    /// The example with what is given by environment otherwise.
    fn with_secrets(example: &str) -> String {
        example
            .replace("# auth_token: HUB_TELEPHONY__TWILIO__AUTH_TOKEN", "auth_token = \"t\"")
            .replace("# secret: HUB_MEDIA__TURN__SECRET", "secret = \"0123456789abcdef\"")
            .replace("# pull_path: ", "pull_path = \"/x\" # ")
    }
}
