//! Follow-up work: sends what the outbox holds, and looks at the clocks every minute. A job may run twice, never not at all.

use ivr::RecordingRef;
use ivr::provider::twilio::rest::Rest;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

use crate::domain::hearing::{HearingCommand, Phase};
use crate::notify::SendError;
use crate::notify::email::Mailer;
use crate::notify::sms::Texter;
use crate::service::sounds::{self, Fetch};
use crate::service::{Hub, ServiceError, hearings, notices, sweep};
use crate::store::outbox::{self, Job, Message};
use crate::store::web;

/// How often the outbox is looked at.
const PULSE: Duration = Duration::from_millis(250);
/// How often the clocks are looked at.
const SWEEP: Duration = Duration::from_secs(60);
/// Work taken at once.
const BATCH: i64 = 20;
/// For so long nobody else takes it; a killed process's work is taken up again after it.
const LEASE_MILLIS: i64 = 120_000;
/// Tries before a person must look; with doubling waits they span about four hours.
const TRIES: i64 = 9;
const FIRST_WAIT_MILLIS: i64 = 30_000;
/// Drafts and kept answers are forgotten after so many days.
const FORGET_DAYS: i64 = 7;

/// What jobs work with.
#[derive(Debug)]
pub struct Worker {
    /// The use cases.
    pub hub: Arc<Hub>,
    /// Sends mails.
    pub mailer: Option<Mailer>,
    /// Sends text messages.
    pub texter: Texter,
    /// Fetches the sound of calls.
    pub recordings: Option<Rest>,
}

impl Worker {
    /// Works until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut pulse = tokio::time::interval(PULSE);
        let mut minute = tokio::time::interval(SWEEP);
        pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        minute.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let outcome = tokio::select! {
                _ = stop.changed() => return,
                _ = pulse.tick() => self.work().await.map(|_| ()),
                _ = minute.tick() => self.keep_time().await,
            };
            if let Err(error) = outcome {
                tracing::error!(%error, "follow-up work failed, it is tried again");
            }
        }
    }

    /// Does the work that is due; answers how much it was.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn work(&self) -> Result<usize, ServiceError> {
        let now = self.hub.clock.now();
        if !outbox::is_due(&mut self.hub.store.read().await?, now).await? {
            return Ok(0);
        }
        let mut tx = self.hub.store.write().await?;
        let jobs = outbox::claim(&self.hub.store, &mut tx, now, now.plus_millis(LEASE_MILLIS), BATCH).await?;
        tx.commit().await?;
        for job in &jobs {
            self.perform(job).await?;
        }
        Ok(jobs.len())
    }

    async fn keep_time(&self) -> Result<(), ServiceError> {
        sweep::sweep(&self.hub).await?;
        let mut tx = self.hub.store.write().await?;
        web::forget_old(&mut tx, self.hub.clock.now().plus_days(-FORGET_DAYS)).await?;
        Ok(tx.commit().await?)
    }

    async fn perform(&self, job: &Job) -> Result<(), ServiceError> {
        let outcome = match job.kind.as_str() {
            notices::SEND_MESSAGE => self.send(&job.payload).await?,
            sounds::FETCH_RECORDING => self.fetch(&job.payload).await?,
            other => Err(SendError::Permanent(format!("no such work: {other}"))),
        };
        let now = self.hub.clock.now();
        let mut tx = self.hub.store.write().await?;
        match outcome {
            Ok(()) => outbox::done(&mut tx, &job.id, now).await?,
            Err(SendError::Passing(why)) if job.attempts < TRIES => {
                let wait = FIRST_WAIT_MILLIS << (job.attempts - 1).clamp(0, 20);
                tracing::warn!(job = job.id.as_str(), attempt = job.attempts, "job {} is tried again: {why}", job.id);
                outbox::again(&mut tx, &job.id, now.plus_millis(wait), &why).await?;
            }
            Err(SendError::Passing(why) | SendError::Permanent(why)) => {
                tracing::error!(job = job.id.as_str(), "job {} is given up: {why}", job.id);
                metrics::counter!("hub_jobs_given_up").increment(1);
                outbox::dead(&mut tx, &job.id, now, &why).await?;
                if let Some(fetch) = fetch_of(job) {
                    sounds::lost(&mut tx, &self.hub, &fetch, &why, now).await?;
                } else if let Ok(id) = job.payload.parse() {
                    outbox::message_failed(&mut tx, &id).await?;
                }
            }
        }
        Ok(tx.commit().await?)
    }

    /// Sends a message unless it was sent before. What went out of a notice of hearing is its service on the party.
    async fn send(&self, id: &str) -> Result<Result<(), SendError>, ServiceError> {
        let message = outbox::message(&mut self.hub.store.read().await?, id).await?;
        let Some(message) = message.filter(|m| m.status == "queued") else { return Ok(Ok(())) };
        let reference = match self.hand_over(&message).await {
            Ok(reference) => reference,
            Err(error) => return Ok(Err(error)),
        };
        let mut tx = self.hub.store.write().await?;
        outbox::message_sent(&mut tx, &message.id, self.hub.clock.now(), reference.as_deref()).await?;
        tx.commit().await?;
        metrics::counter!("hub_messages_sent", "channel" => message.channel.clone()).increment(1);
        if message.serves_notice {
            self.serve(&message).await?;
        }
        Ok(Ok(()))
    }

    /// Fetches what a caller said and keeps it with the case.
    async fn fetch(&self, payload: &str) -> Result<Result<(), SendError>, ServiceError> {
        let Ok(fetch) = serde_json::from_str::<Fetch>(payload) else {
            return Ok(Err(SendError::Permanent("no recording is named".to_owned())));
        };
        let Some(rest) = &self.recordings else {
            return Ok(Err(SendError::Permanent("no provider is configured that keeps recordings".to_owned())));
        };
        match rest.recording(&RecordingRef(fetch.recording.clone())).await {
            Ok(content) => sounds::fetched(&self.hub, &fetch, &content).await.map(Ok),
            // A recording that is not there yet may still be put away, and a password be put right.
            Err(error) => Ok(Err(SendError::Passing(error.to_string()))),
        }
    }

    async fn hand_over(&self, message: &Message) -> Result<Option<String>, SendError> {
        match (message.channel.as_str(), &self.mailer) {
            ("mail", Some(mailer)) => mailer.send(message).await.map(|()| None),
            ("mail", None) => Err(SendError::Passing("no mail server is configured".to_owned())),
            ("sms", _) => self.texter.send(message).await,
            (other, _) => Err(SendError::Permanent(format!("no such channel: {other}"))),
        }
    }

    async fn serve(&self, message: &Message) -> Result<(), ServiceError> {
        let Some(id) = message.hearing.as_deref().and_then(|h| h.parse().ok()) else { return Ok(()) };
        let file = hearings::open(&self.hub, &id).await?;
        if file.hearing.phase == Phase::Ended {
            return Ok(());
        }
        hearings::by_the_hub(&self.hub, &id, HearingCommand::Serve { channel: message.channel.clone() }).await
    }
}

fn fetch_of(job: &Job) -> Option<Fetch> {
    (job.kind == sounds::FETCH_RECORDING).then(|| serde_json::from_str(&job.payload).ok()).flatten()
}
