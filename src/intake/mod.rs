//! The telephone in the hub: calls, texts and providers' webhooks become cases. What a call or a text means is decided
//! in the `ivr` crate; here it meets the database.
//!
//! ```text
//! web (signature, address) ─► door ─► store the event ─► take it ─► call | text | delivery ─► keep the answer ─► line
//!                              ▲                                         └─► service (file, add), sounds, notices
//!                            watch: what a killed process left, and calls whose end was never told
//! ```
//!
//! - [`door`]: an event is committed before it is acted on; acting, its answer and all that follows are one transaction;
//!   the same event again gets the same answer.
//! - `call`, `text`: what the flow and the dialogue ask for. `finding`: which case is meant.
//! - [`watch`]: every minute.

mod call;
pub mod door;
mod finding;
mod text;
pub mod watch;

use anyhow::Context as _;
use ivr::provider::msdg::{Msdg, PasswordHash};
use ivr::provider::sim::Sim;
use ivr::provider::twilio::Twilio;
use ivr::provider::{Answer, Line as _};
use ivr::{Effect, PromptStore};
use std::net::IpAddr;

pub use call::turn_of_call;

use crate::config::Config;

/// Below it the page of the demo's telephone finds what the caller said.
pub const SIM_RECORDINGS: &str = "/demo/phone/recordings/";
const PROMPTS: &str = "/prompts/";

/// Who carries calls and texts to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The demo's telephone.
    Sim,
    /// Twilio.
    Twilio,
    /// Mobile Seva.
    Msdg,
}

impl Carrier {
    /// The name in stored data and counters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Twilio => "twilio",
            Self::Msdg => "msdg",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Sim, Self::Twilio, Self::Msdg].into_iter().find(|carrier| carrier.code() == code)
    }
}

/// Where Mobile Seva brings messages. They are unsigned: a secret path and a list of addresses stand in for a signature.
#[derive(Debug, Clone)]
pub struct Pull {
    /// Reads them.
    pub gateway: Msdg,
    /// The secret path.
    pub path: String,
    /// Who may call it.
    pub addresses: Vec<IpAddr>,
}

impl Pull {
    /// A pull path for these addresses.
    ///
    /// # Errors
    /// When the path is none that a request could name literally.
    pub fn new(path: &str, addresses: &[IpAddr]) -> anyhow::Result<Self> {
        let literal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
        let fits = path.starts_with('/') && path.len() > 16 && path.chars().all(literal);
        anyhow::ensure!(
            fits,
            "telephony.msdg.pull_path must begin with / and be a secret of letters, digits and hyphens"
        );
        let gateway = Msdg {
            username: String::new(),
            password: String::new(),
            sender_id: String::new(),
            secure_key: String::new(),
            password_hash: PasswordHash::default(),
        };
        Ok(Self { gateway, path: path.to_owned(), addresses: addresses.to_owned() })
    }
}

/// The lines that are connected, and what is said on them.
#[derive(Debug, Clone, Default)]
pub struct Telephony {
    /// How the outside reaches the hub: what providers sign begins with it.
    pub public_url: String,
    /// The demo's telephone.
    pub sim: Option<Sim>,
    /// Twilio.
    pub twilio: Option<Twilio>,
    /// Mobile Seva.
    pub msdg: Option<Pull>,
    /// The sounds.
    pub prompts: PromptStore,
}

impl Telephony {
    /// What the configuration connects.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn of_config(config: &Config) -> anyhow::Result<Self> {
        let public_url = config.server.public_url.trim_end_matches('/').to_owned();
        let twilio = config.telephony.twilio.as_ref();
        let twilio = twilio.map(|t| Self::twilio(&public_url, &t.base_url, &t.account_sid, &t.auth_token));
        let msdg = config.telephony.msdg.as_ref().map(|m| Pull::new(&m.pull_path, &m.addresses));
        let prompts = config.storage.prompts_dir.as_ref().map(PromptStore::with_folder).unwrap_or_default();
        Ok(Self { public_url, sim: None, twilio, msdg: msdg.transpose().context("Mobile Seva")?, prompts })
    }

    /// Twilio, or who speaks like it at `api`.
    #[must_use]
    pub fn twilio(public_url: &str, api: &str, account: &str, auth_token: &str) -> Twilio {
        let recordings = format!("{}/2010-04-01/Accounts/{account}/Recordings/", api.trim_end_matches('/'));
        Twilio { recordings, ..Twilio::new(public_url, account, auth_token) }
    }

    /// The demo's telephone, whose page is of the same origin.
    #[must_use]
    pub fn sim() -> Sim {
        Sim { prompts: PROMPTS.to_owned(), recordings: SIM_RECORDINGS.to_owned() }
    }

    /// Effects in the carrier's language; silence where nobody listens.
    fn say(&self, carrier: Carrier, on_line: bool, turn: u32, effects: &[Effect]) -> String {
        match (carrier, &self.sim, &self.twilio) {
            (Carrier::Sim, Some(sim), _) => {
                serde_json::json!({ "turn": turn, "steps": sim.steps(effects) }).to_string()
            }
            (Carrier::Twilio, _, Some(twilio)) if on_line => twilio.say(turn, effects).body,
            (Carrier::Sim | Carrier::Twilio | Carrier::Msdg, _, _) => Self::silent(carrier).body,
        }
    }

    /// The answer to what nobody listens to.
    fn silent(carrier: Carrier) -> Answer {
        match carrier {
            Carrier::Sim => Answer { content_type: "application/json", body: "{\"steps\":[]}".to_owned() },
            Carrier::Twilio => Twilio::silent(),
            Carrier::Msdg => Msdg::taken(),
        }
    }

    /// A stored answer as it goes out.
    fn again(carrier: Carrier, body: String) -> Answer {
        Answer { body, ..Self::silent(carrier) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_path_is_a_plain_secret() {
        assert!(Pull::new("/telephony/msdg/0123456789abcdef", &[]).is_ok());
        for bad in
            ["", "/short", "telephony/msdg/0123456789abcdef", "/telephony/msdg/{anything}", "/telephony/{*rest}/x"]
        {
            assert!(Pull::new(bad, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn carriers_read_back() {
        for carrier in [Carrier::Sim, Carrier::Twilio, Carrier::Msdg] {
            assert_eq!(Carrier::from_code(carrier.code()), Some(carrier));
        }
        assert_eq!(Carrier::from_code("pigeon"), None);
    }
}
