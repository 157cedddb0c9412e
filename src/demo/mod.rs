//! The demo: a world to look around in, and the stand-ins for a telephone network, all on one machine.

pub mod fill;
pub mod world;

use ivr::PromptStore;
use ivr::provider::twilio::rest;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use crate::intake::{Pull, Telephony};
use crate::service::{Hub, links};
use crate::store::web as settings;

/// The demo's telephone contracts: secrets made once and kept, so that programs can play the provider.
#[derive(Debug, Clone)]
pub struct Telephone {
    /// Secret of the Twilio account.
    pub auth_token: String,
    /// Secret path of Mobile Seva.
    pub pull_path: String,
}

/// Account of the demo's Twilio.
pub const TWILIO_ACCOUNT: &str = "AC00000000000000000000000000000001";
/// The demo's number, written for reading.
pub const CALL_NUMBER: &str = "1800 000 001";
/// Number of the demo's Twilio.
pub const TWILIO_NUMBER: &str = "+911800000001";

impl Telephone {
    /// Reads or makes the secrets.
    ///
    /// # Errors
    /// When the database or the operating system's randomness does not answer.
    pub async fn open(hub: &Hub) -> anyhow::Result<Self> {
        let mut tx = hub.store.write().await?;
        let mut kept = Vec::new();
        for key in ["demo_twilio_token", "demo_msdg_path"] {
            let value = match settings::setting(&mut tx, key).await? {
                Some(value) => value,
                None => {
                    let made = links::token_hash(&links::random_token()?).chars().take(32).collect::<String>();
                    settings::put_setting(&mut tx, key, &made).await?;
                    made
                }
            };
            kept.push(value);
        }
        tx.commit().await?;
        let mut kept = kept.into_iter();
        Ok(Self {
            auth_token: kept.next().unwrap_or_default(),
            pull_path: format!("/telephony/msdg/{}", kept.next().unwrap_or_default()),
        })
    }

    /// The demo's lines: its own telephone, a Twilio account, and Mobile Seva from this machine. `api` stands in for
    /// Twilio's interface.
    ///
    /// # Errors
    /// When a secret that was kept cannot be used.
    pub fn lines(&self, public_url: &str, api: Option<&str>) -> anyhow::Result<Telephony> {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        Ok(Telephony {
            public_url: public_url.trim_end_matches('/').to_owned(),
            sim: Some(Telephony::sim()),
            twilio: Some(Telephony::twilio(public_url, api.unwrap_or(rest::API), TWILIO_ACCOUNT, &self.auth_token)),
            msdg: Some(Pull::new(&self.pull_path, &loopback)?),
            prompts: PromptStore::embedded(),
        })
    }

    /// A client for what stands in for Twilio's interface.
    ///
    /// # Errors
    /// When the address is none.
    pub fn rest(&self, api: &str) -> anyhow::Result<rest::Rest> {
        Ok(rest::Rest::new(api, TWILIO_ACCOUNT, &self.auth_token, Duration::from_secs(5))?)
    }

    pub(crate) fn twilio_facts(&self) -> serde_json::Value {
        serde_json::json!({ "account_sid": TWILIO_ACCOUNT, "auth_token": self.auth_token, "number": TWILIO_NUMBER })
    }

    pub(crate) fn msdg_facts(&self) -> serde_json::Value {
        serde_json::json!({ "pull_path": self.pull_path })
    }
}

/// Tells on standard output where to look and what to try.
///
/// # Errors
/// When there is no standard output.
pub fn greet(url: &str, plain: Option<&str>, data: &Path, sip_asked: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nChampions Hub is open: {url}")?;
    if let Some(plain) = plain {
        writeln!(out, "               also at: {plain}  (no certificate to accept)")?;
    }
    writeln!(out, "\n  1. {url}/demo/phone   text a complaint, or call")?;
    writeln!(out, "  2. {url}/desk         sign in as the officer it went to")?;
    writeln!(
        out,
        "  3. decide against the unit, fix a hearing, open the unit's link from the handset in a second browser"
    )?;
    writeln!(out, "\n  accounts (password for all: {}):", fill::PASSWORD)?;
    writeln!(out, "    officer.finance   finance cases of most states")?;
    writeln!(out, "    officer.triage    what no rule takes: calls, for instance, until somebody has listened")?;
    writeln!(out, "    head.finance      head of that desk")?;
    writeln!(out, "    room.mum          control room Mumbai")?;
    writeln!(out, "    secretary         sees all, /review")?;
    writeln!(out, "    admin             accounts and rules")?;
    writeln!(out, "  all of them: {}", data.join("demo.json").display())?;
    if sip_asked {
        writeln!(out, "\n  --sip: this version has no SIP trunk yet; nothing listens there")?;
    }
    writeln!(out, "\n  Ctrl-C stops it; the data stays in {}", data.display())?;
    out.flush()
}
