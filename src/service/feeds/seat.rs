//! One seat, held for a member's encoder and player. One request is worked on at a time: the room answers in the order of the questions.

use super::{Changed, FeedError, KNOCK_KEPT, Known, Opened, Order, Place, Tags};
use crate::service::links::random_token;
use signaling::message::{Direction, ErrorCode, IceServer};
use signaling::{Change, ClientMessage, Connection, MemberId, ServerMessage, StandingOffer, restart_fragment};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// A feed is over when its media did not come for so long after the answer…
const FIRST_MEDIA: Duration = Duration::from_secs(30);
/// …or for so long after the room was told of its silence, which it is after 5 s.
const SILENCE: Duration = Duration::from_secs(25);
/// The media engine answers within milliseconds; if it does not, it never will.
const ENGINE: Duration = Duration::from_secs(10);

pub(super) struct Seat {
    connection: Connection,
    place: Place,
    /// Weak: the seat ends when it is left, whoever still knows its address.
    orders: mpsc::WeakSender<Order>,
    known: Arc<Mutex<HashMap<String, Known>>>,
    ice_servers: Vec<IceServer>,
    inside: bool,
    /// At most one each way.
    feeds: Vec<Feed>,
    asked: Option<Asked>,
    /// What is asked of the engine is answered by then.
    engine_until: Instant,
    /// Without feeds the seat is kept until then.
    kept_until: Instant,
}

struct Feed {
    id: String,
    offer: StandingOffer,
    only: Option<MemberId>,
    tag: String,
    /// Over by then, if nothing comes; none while media flows.
    over_at: Option<Instant>,
}

/// The request that is worked on.
enum Asked {
    /// Waits to be let in, and then for the answer.
    Open {
        offer: StandingOffer,
        only: Option<MemberId>,
        token: String,
        answer: oneshot::Sender<Result<Opened, FeedError>>,
    },
    /// Waits for the answer to a restart.
    Restart { id: String, offer: StandingOffer, answer: oneshot::Sender<Result<Changed, FeedError>> },
}

/// The seat is no more.
struct Left;

impl Seat {
    pub fn new(
        connection: Connection,
        place: Place,
        orders: mpsc::WeakSender<Order>,
        known: Arc<Mutex<HashMap<String, Known>>>,
    ) -> Self {
        Self {
            connection,
            place,
            orders,
            known,
            ice_servers: Vec::new(),
            inside: false,
            feeds: Vec::new(),
            asked: None,
            engine_until: Instant::now(),
            kept_until: Instant::now() + KNOCK_KEPT,
        }
    }

    /// Holds the seat until it is left or taken.
    pub async fn keep(mut self, mut orders: mpsc::Receiver<Order>) {
        if self.say(ClientMessage::Hello { resume: None }).await.is_ok() {
            while self.step(&mut orders).await.is_ok() {}
        }
        orders.close();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for feed in &self.feeds {
            known.remove(&feed.id);
        }
    }

    async fn step(&mut self, orders: &mut mpsc::Receiver<Order>) -> Result<(), Left> {
        let deadline = self.deadline();
        let (free, inside) = (self.asked.is_none(), self.inside);
        tokio::select! {
            message = self.connection.outbox.recv() => self.heard(message.ok_or(Left)?).await,
            order = orders.recv(), if free => self.take(order.ok_or(Left)?).await,
            // Whoever asked does not wait any longer. Once the engine is asked its answer has to be awaited.
            () = gone(self.asked.as_mut()), if !inside => {
                self.asked = None;
                Ok(())
            }
            () = tokio::time::sleep_until(deadline) => self.passed(Instant::now()).await,
        }
    }

    fn deadline(&self) -> Instant {
        if self.asked.is_some() && self.inside {
            return self.engine_until;
        }
        let over = self.feeds.iter().filter_map(|feed| feed.over_at).min();
        match over {
            Some(over) => over,
            None if self.feeds.is_empty() => self.kept_until,
            None => Instant::now() + KNOCK_KEPT,
        }
    }

    /// Time passed.
    async fn passed(&mut self, now: Instant) -> Result<(), Left> {
        if self.asked.is_some() && self.inside {
            tracing::error!(room = self.place.room, "the media engine does not answer");
            return Err(Left);
        }
        let over: Vec<_> = self
            .feeds
            .iter()
            .filter(|feed| feed.over_at.is_some_and(|at| at <= now))
            .map(|feed| feed.id.clone())
            .collect();
        for id in over {
            tracing::info!(room = self.place.room, member = self.place.member, "a feed fell silent and is over");
            self.end(&id).await?;
        }
        if self.feeds.is_empty() && self.asked.is_none() && self.kept_until <= now {
            return self.leave().await;
        }
        Ok(())
    }

    async fn take(&mut self, order: Order) -> Result<(), Left> {
        match order {
            Order::Open { offer, only, token, answer } => {
                self.kept_until = Instant::now() + KNOCK_KEPT;
                self.asked = Some(Asked::Open { offer, only, token, answer });
                if self.inside { self.ask().await } else { Ok(()) }
            }
            Order::Change { id, fragment, tags, answer } => match self.change(&id, &fragment, &tags) {
                Ok(Change::Candidates) => {
                    let _ = answer.send(Ok(Changed::Same));
                    Ok(())
                }
                Ok(Change::Restart(offer)) => {
                    self.asked = Some(Asked::Restart { id, offer, answer });
                    self.ask().await
                }
                Err(error) => {
                    let _ = answer.send(Err(error));
                    Ok(())
                }
            },
            Order::End { id, answer } => {
                let found = self.feeds.iter().any(|feed| feed.id == id);
                let _ = answer.send(if found { Ok(()) } else { Err(FeedError::Gone) });
                if found { self.end(&id).await } else { Ok(()) }
            }
        }
    }

    fn change(&self, id: &str, fragment: &str, tags: &Tags) -> Result<Change, FeedError> {
        let feed = self.feeds.iter().find(|feed| feed.id == id).ok_or(FeedError::Gone)?;
        if !tags.has(&feed.tag) {
            return Err(FeedError::Stale);
        }
        Ok(feed.offer.change(fragment)?)
    }

    /// Puts what is worked on to the engine.
    async fn ask(&mut self) -> Result<(), Left> {
        let (offer, only) = match &self.asked {
            Some(Asked::Open { offer, only, .. }) => (offer.clone(), only.clone()),
            Some(Asked::Restart { id, offer, .. }) => {
                let only = self.feeds.iter().find(|feed| &feed.id == id).and_then(|feed| feed.only.clone());
                (offer.clone(), only)
            }
            None => return Ok(()),
        };
        self.engine_until = Instant::now() + ENGINE;
        let direction = offer.direction();
        if matches!(self.asked, Some(Asked::Open { .. })) {
            // A second encoder in the place of the first is another connection, with keys of its own.
            self.forget(|feed| feed.offer.direction() == direction);
            self.say(ClientMessage::Close { direction }).await?;
        }
        let sdp = offer.text().to_owned();
        self.say(match direction {
            Direction::Publish => ClientMessage::Offer { sdp },
            Direction::Subscribe => ClientMessage::Watch { sdp, member: only },
        })
        .await
    }

    async fn heard(&mut self, message: ServerMessage) -> Result<(), Left> {
        match message {
            ServerMessage::Welcome { notice_version, ice_servers, .. } => {
                self.ice_servers = ice_servers;
                match notice_version {
                    Some(version) => self.say(ClientMessage::Acknowledge { version }).await,
                    None => Ok(()),
                }
            }
            ServerMessage::Waiting { .. } => {
                // Also when sent back from the room: the engine has let go of everything.
                self.inside = false;
                self.forget(|_| true);
                if let Some(Asked::Restart { answer, .. }) =
                    self.asked.take_if(|asked| matches!(asked, Asked::Restart { .. }))
                {
                    let _ = answer.send(Err(FeedError::Gone));
                }
                Ok(())
            }
            ServerMessage::Admitted => {
                self.inside = true;
                // The hub offers everybody a receiving connection; we answer only our own.
                self.say(ClientMessage::Close { direction: Direction::Subscribe }).await?;
                self.asked.take_if(|asked| matches!(asked, Asked::Open { answer, .. } if answer.is_closed()));
                self.ask().await
            }
            ServerMessage::Answer { sdp } => self.answered(sdp).await,
            ServerMessage::Error { code, .. } => self.refused(code).await,
            ServerMessage::Transport { direction, up } => {
                let over_at = (!up).then(|| Instant::now() + SILENCE);
                for feed in self.feeds.iter_mut().filter(|feed| feed.offer.direction() == direction) {
                    feed.over_at = over_at;
                }
                Ok(())
            }
            ServerMessage::Removed { .. } | ServerMessage::Replaced | ServerMessage::Ended => Err(Left),
            // What only a page needs.
            _ => Ok(()),
        }
    }

    async fn answered(&mut self, answer: String) -> Result<(), Left> {
        match self.asked.take() {
            Some(Asked::Open { offer, only, token, answer: asked }) => {
                let (Ok(id), Some(orders)) = (random_token(), self.orders.upgrade()) else { return Err(Left) };
                let (direction, tag) = (offer.direction(), tag());
                let over_at = Some(Instant::now() + FIRST_MEDIA);
                self.feeds.push(Feed { id: id.clone(), offer, only, tag: tag.clone(), over_at });
                let known = Known { place: self.place.clone(), direction, token, orders };
                self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), known);
                let opened = Opened { id: id.clone(), answer, tag, ice_servers: self.ice_servers.clone() };
                if asked.send(Ok(opened)).is_err() {
                    // Nobody heard its name, so nobody could end it. The seat stays for the next request.
                    self.forget(|feed| feed.id == id);
                    return self.say(ClientMessage::Close { direction }).await;
                }
                Ok(())
            }
            Some(Asked::Restart { id, offer, answer: asked }) => {
                let restarted = restart_fragment(&answer).ok_or(FeedError::Refused).map(|fragment| {
                    let tag = tag();
                    if let Some(feed) = self.feeds.iter_mut().find(|feed| feed.id == id) {
                        feed.offer = offer;
                        feed.tag.clone_from(&tag);
                    }
                    Changed::Restarted { fragment, tag }
                });
                let _ = asked.send(restarted);
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn refused(&mut self, code: ErrorCode) -> Result<(), Left> {
        let error = match code {
            ErrorCode::NotAllowed => FeedError::OnlyWatches,
            ErrorCode::NotAdmitted => FeedError::Waiting,
            _ => FeedError::Refused,
        };
        match self.asked.take() {
            Some(Asked::Open { answer, .. }) => {
                let _ = answer.send(Err(error));
                if self.feeds.is_empty() { self.leave().await } else { Ok(()) }
            }
            Some(Asked::Restart { answer, .. }) => {
                let _ = answer.send(Err(error));
                Ok(())
            }
            None => {
                tracing::warn!(room = self.place.room, ?code, "the room refused a feed's seat something");
                Ok(())
            }
        }
    }

    /// Ends a feed; the last one's end is the seat's.
    async fn end(&mut self, id: &str) -> Result<(), Left> {
        let Some(direction) = self.feeds.iter().find(|feed| feed.id == id).map(|feed| feed.offer.direction()) else {
            return Ok(());
        };
        self.forget(|feed| feed.id == id);
        if self.feeds.is_empty() && self.asked.is_none() {
            return self.leave().await;
        }
        self.say(ClientMessage::Close { direction }).await
    }

    fn forget(&mut self, which: impl Fn(&Feed) -> bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for feed in self.feeds.extract_if(.., |feed| which(feed)) {
            known.remove(&feed.id);
        }
    }

    async fn leave(&mut self) -> Result<(), Left> {
        self.say(ClientMessage::Leave).await?;
        Err(Left)
    }

    async fn say(&self, message: ClientMessage) -> Result<(), Left> {
        self.connection.inbox.send(message).await.map_err(|_| Left)
    }
}

/// Whoever asked has gone; never while nothing is asked.
async fn gone(asked: Option<&mut Asked>) {
    match asked {
        Some(Asked::Open { answer, .. }) => answer.closed().await,
        Some(Asked::Restart { answer, .. }) => answer.closed().await,
        None => std::future::pending().await,
    }
}

/// A strong entity-tag that no other ICE session has.
fn tag() -> String {
    format!("\"{:016x}\"", rand::random::<u64>())
}

#[cfg(test)]
mod tests;
