//! E-mail by lettre: over SMTP, or into files where there is no mail server, as in the demo.

use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::path::Path;
use std::time::Duration;

use super::SendError;
use crate::store::outbox;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends mails.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    transport: Transport,
}

#[derive(Debug)]
enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Files(AsyncFileTransport<Tokio1Executor>),
}

impl Mailer {
    /// Sends by the server that an address names: `smtp://HOST:587?tls=required`, `smtps://USER:PASSWORD@HOST`.
    ///
    /// # Errors
    /// When address or sender are not understood.
    pub fn smtp(url: &str, from: &str) -> anyhow::Result<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.timeout(Some(TIMEOUT)).build();
        Ok(Self { from: from.parse()?, transport: Transport::Smtp(transport) })
    }

    /// Writes each mail into a file of a folder.
    ///
    /// # Errors
    /// When the folder cannot be made or the sender is not understood.
    pub fn files(folder: &Path, from: &str) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { from: from.parse()?, transport: Transport::Files(AsyncFileTransport::new(folder)) })
    }

    /// Sends a stored message. Its own identifier is the Message-ID, so that a repetition is known as one.
    ///
    /// # Errors
    /// [`SendError`], telling whether trying again makes sense.
    pub async fn send(&self, message: &outbox::Message) -> Result<(), SendError> {
        let permanent = |e: &dyn std::fmt::Display| SendError::Permanent(e.to_string());
        let to: Mailbox = message.recipient.parse().map_err(|_| SendError::Permanent("not an address".to_owned()))?;
        let mail = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(message.subject.clone())
            .message_id(Some(format!("<{}@champions-hub>", message.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(message.text.clone())
            .map_err(|e| permanent(&e))?;
        match &self.transport {
            Transport::Smtp(smtp) => match smtp.send(mail).await {
                Ok(_) => Ok(()),
                Err(error) if error.is_permanent() => Err(permanent(&error)),
                Err(error) => Err(SendError::Passing(error.to_string())),
            },
            Transport::Files(files) => match files.send(mail).await {
                Ok(_) => Ok(()),
                Err(error) => Err(SendError::Passing(error.to_string())),
            },
        }
    }
}
