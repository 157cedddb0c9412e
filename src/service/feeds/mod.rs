//! Feeds: the connections of programs that keep no socket, encoders that send (WHIP) and players that receive (WHEP). Each is given a seat in its
//! room like anybody else's tab; a task holds the seat and speaks the room's protocol for it.
//!
//! * One seat for one member: its encoder and its player share it. A second encoder takes the place of the first, as a newer tab does.
//! * An encoder shows no recording notice. It is acknowledged when the seat is taken: whoever gives a token to a machine answers for it that those
//!   before its camera have read the notice.
//! * Who must wait is asked to come again; the seat waits meanwhile, so that the officer can let it in, for [`KNOCK_KEPT`].
//! * A feed whose media is gone for 30 s is over, and a seat without feeds is left.

mod seat;

use super::links::{JoinToken, token_hash};
use super::{Hub, ServiceError, rooms};
use crate::domain::presence::Part;
use signaling::message::{Direction, IceServer};
use signaling::{MemberId, OfferError, StandingOffer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a request waits for the officer to let its seat in. Less than any encoder waits for an answer.
const ADMISSION: Duration = Duration::from_secs(15);
/// How long a seat without feeds waits in the room or before it, after the latest request.
pub const KNOCK_KEPT: Duration = Duration::from_secs(300);
/// Requests → seat. Past that they wait.
const ORDERS: usize = 8;

/// Why a feed is not there, or not changed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The offer or the fragment is at fault.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The engine refused what looked right.
    #[error("the media engine refused the offer")]
    Refused,
    /// The officer has not let this member in so far.
    #[error("waiting to be let in")]
    Waiting,
    /// The part that the token gives does not send.
    #[error("this part only watches")]
    OnlyWatches,
    /// There is no such feed, or no more.
    #[error("no such feed")]
    Gone,
    /// The token is another member's.
    #[error("not this member's feed")]
    NotYours,
    /// The feed was restarted since.
    #[error("the ICE session is another by now")]
    Stale,
    /// The room, or the way there.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// A feed that was made.
#[derive(Debug)]
pub struct Opened {
    /// Names it, and cannot be guessed.
    pub id: String,
    /// SDP.
    pub answer: String,
    /// The ICE session's tag, as it stands in a header.
    pub tag: String,
    /// Relays for this member.
    pub ice_servers: Vec<IceServer>,
}

/// A feed that went on.
#[derive(Debug)]
pub enum Changed {
    /// With nothing new.
    Same,
    /// With another ICE session.
    Restarted {
        /// Our half.
        fragment: String,
        /// Its tag.
        tag: String,
    },
}

/// Which seat: room, member, and the part that the token gives (another part is another seat, which the room gives to the newer one).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    room: String,
    member: String,
    part: Part,
}

/// All feeds of this process.
#[derive(Debug, Default)]
pub struct Feeds {
    /// Held while a seat is taken, so that one member takes one.
    seats: tokio::sync::Mutex<HashMap<Place, mpsc::Sender<Order>>>,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

/// What is known of a feed outside its seat.
#[derive(Debug, Clone)]
struct Known {
    place: Place,
    direction: Direction,
    /// Of the token that made it: the same one opens it also when it has run out.
    token: String,
    orders: mpsc::Sender<Order>,
}

/// What a seat is asked.
#[derive(Debug)]
enum Order {
    Open {
        offer: StandingOffer,
        only: Option<MemberId>,
        token: String,
        answer: oneshot::Sender<Result<Opened, FeedError>>,
    },
    Change {
        id: String,
        fragment: String,
        tags: Tags,
        answer: oneshot::Sender<Result<Changed, FeedError>>,
    },
    End {
        id: String,
        answer: oneshot::Sender<Result<(), FeedError>>,
    },
}

/// The ICE sessions that a change is meant for (If-Match, RFC 9110 section 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// Whichever it is.
    Any,
    /// One of these.
    These(Vec<String>),
}

impl Tags {
    fn has(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|known| known == tag),
        }
    }
}

/// Makes a feed for the holder of a checked token: `text` is the token itself.
///
/// # Errors
/// [`FeedError`]. While it is [`FeedError::Waiting`] the seat is kept for a while: ask again.
pub async fn open(
    hub: &Hub,
    token: &JoinToken,
    text: &str,
    offer: StandingOffer,
    only: Option<MemberId>,
) -> Result<Opened, FeedError> {
    if offer.direction() == Direction::Publish && token.part == Part::Observer {
        return Err(FeedError::OnlyWatches);
    }
    // A seat may be left or taken by a browser in the very moment: then it takes a new one.
    for _ in 0..2 {
        let orders = seat(hub, token).await?;
        let (answer, answered) = oneshot::channel();
        let order = Order::Open { offer: offer.clone(), only: only.clone(), token: token_hash(text), answer };
        if orders.send(order).await.is_err() {
            continue;
        }
        match tokio::time::timeout(ADMISSION, answered).await {
            Ok(Ok(opened)) => return opened,
            Ok(Err(_)) => {}
            Err(_) => return Err(FeedError::Waiting),
        }
    }
    Err(FeedError::Gone)
}

/// Takes in a fragment: candidates, or an ICE restart. A restart that fails leaves the feed as it was.
///
/// # Errors
/// [`FeedError`].
pub async fn change(hub: &Hub, feed: Feed<'_>, fragment: String, tags: Tags) -> Result<Changed, FeedError> {
    let orders = find(hub, feed)?.orders;
    let (answer, answered) = oneshot::channel();
    let order = Order::Change { id: feed.id.to_owned(), fragment, tags, answer };
    orders.send(order).await.map_err(|_| FeedError::Gone)?;
    answered.await.unwrap_or(Err(FeedError::Gone))
}

/// Ends a feed.
///
/// # Errors
/// [`FeedError`].
pub async fn end(hub: &Hub, feed: Feed<'_>) -> Result<(), FeedError> {
    let orders = find(hub, feed)?.orders;
    let (answer, answered) = oneshot::channel();
    orders.send(Order::End { id: feed.id.to_owned(), answer }).await.map_err(|_| FeedError::Gone)?;
    answered.await.unwrap_or(Err(FeedError::Gone))
}

/// A feed as a request names it.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// In which room.
    pub room: &'a str,
    /// Which way.
    pub direction: Direction,
    /// Its name.
    pub id: &'a str,
    /// The token that was shown.
    pub token: &'a str,
}

fn find(hub: &Hub, feed: Feed<'_>) -> Result<Known, FeedError> {
    let known = hub.rooms.feeds.known.lock().unwrap_or_else(PoisonError::into_inner).get(feed.id).cloned();
    let here = |known: &Known| known.place.room == feed.room && known.direction == feed.direction;
    let known = known.filter(here).ok_or(FeedError::Gone)?;
    let same = token_hash(feed.token) == known.token;
    let fresh = || hub.links.read_join_token(feed.token, feed.room, hub.clock.machine_now());
    if same || fresh().is_some_and(|token| token.member == known.place.member) {
        Ok(known)
    } else {
        Err(FeedError::NotYours)
    }
}

/// The seat of a token's holder: the one that its other feed has, or a new one.
async fn seat(hub: &Hub, token: &JoinToken) -> Result<mpsc::Sender<Order>, FeedError> {
    let place = Place { room: token.room.clone(), member: token.member.clone(), part: token.part };
    let mut seats = hub.rooms.feeds.seats.lock().await;
    seats.retain(|_, orders| !orders.is_closed());
    if let Some(orders) = seats.get(&place) {
        return Ok(orders.clone());
    }
    let connection = rooms::join(hub, token).await?;
    let (orders, taken) = mpsc::channel(ORDERS);
    seats.insert(place.clone(), orders.clone());
    let known = Arc::clone(&hub.rooms.feeds.known);
    tokio::spawn(seat::Seat::new(connection, place, orders.downgrade(), known).keep(taken));
    Ok(orders)
}
