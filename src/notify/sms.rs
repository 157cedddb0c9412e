//! Text messages: through Twilio, or to the demo's handset, which reads them from the outbox itself.

use ivr::provider::twilio::rest::Rest;

use super::SendError;
use crate::store::outbox;

/// How long a request to a provider may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);

/// Sends text messages.
#[derive(Debug)]
pub enum Texter {
    /// The demo's handset shows what is stored: sending is done with storing.
    Handset,
    /// Twilio.
    Twilio {
        /// Its interface.
        rest: Box<Rest>,
        /// The number they come from.
        from: String,
        /// Where it reports delivery.
        status_url: String,
    },
    /// No provider is configured.
    Nobody,
}

impl Texter {
    /// Sends a stored message; answers the provider's reference.
    ///
    /// # Errors
    /// [`SendError`], telling whether trying again makes sense.
    pub async fn send(&self, message: &outbox::Message) -> Result<Option<String>, SendError> {
        match self {
            Self::Handset => Ok(None),
            Self::Twilio { rest, from, status_url } => {
                rest.send_sms(from, &message.recipient, &message.text, Some(status_url)).await.map(Some).map_err(
                    |error| match error.is_passing() {
                        true => SendError::Passing(error.to_string()),
                        false => SendError::Permanent(error.to_string()),
                    },
                )
            }
            Self::Nobody => Err(SendError::Passing("no provider for text messages is configured".to_owned())),
        }
    }
}

impl Texter {
    /// Sends through the Twilio account of the configuration.
    ///
    /// # Errors
    /// When its address is not understood.
    pub fn twilio(config: &crate::config::Twilio, public_url: &str) -> anyhow::Result<Self> {
        let rest = rest(config)?;
        let status_url = format!("{}/telephony/twilio/status", public_url.trim_end_matches('/'));
        Ok(Self::Twilio { rest: Box::new(rest), from: config.number.clone(), status_url })
    }
}

/// A client for the Twilio account of the configuration.
///
/// # Errors
/// When its address is not understood.
pub fn rest(config: &crate::config::Twilio) -> anyhow::Result<Rest> {
    Ok(Rest::new(&config.base_url, &config.account_sid, &config.auth_token, TIMEOUT)?)
}
