//! A seat against a scripted room: what it says, and when a feed is over.

use super::*;
use crate::domain::presence::Part;
use signaling::message::{RecordingState, RoomView, SessionView};
use signaling::{RoomId, SeatToken, SessionState};

type Answers = oneshot::Receiver<Result<Opened, FeedError>>;

struct Room {
    seat: Seat,
    said: mpsc::Receiver<ClientMessage>,
    /// Keeps the seat's address valid.
    _orders: mpsc::Sender<Order>,
    _outbox: mpsc::Sender<ServerMessage>,
}

impl Room {
    fn new() -> Self {
        let ((inbox, said), (to_seat, outbox)) = (mpsc::channel(64), mpsc::channel(64));
        let (orders, _) = mpsc::channel(8);
        let place = Place { room: "r".to_owned(), member: "m".to_owned(), part: Part::Party };
        let connection = Connection { inbox, outbox };
        let seat = Seat::new(connection, place, orders.downgrade(), Arc::default());
        Self { seat, said, _orders: orders, _outbox: to_seat }
    }

    /// In the room, with nothing of the way there left to hear.
    async fn inside() -> Self {
        let mut room = Self::new();
        room.hears(ServerMessage::Admitted).await;
        room.said();
        room
    }

    async fn hears(&mut self, message: ServerMessage) -> bool {
        self.seat.heard(message).await.is_ok()
    }

    async fn asks(&mut self, direction: Direction) -> Answers {
        let (answer, answers) = oneshot::channel();
        let order = Order::Open { offer: offer(direction), only: None, token: "t".to_owned(), answer };
        assert!(self.seat.take(order).await.is_ok());
        answers
    }

    /// A feed that was answered.
    async fn feed(&mut self, direction: Direction) -> Opened {
        let mut answers = self.asks(direction).await;
        assert!(self.hears(ServerMessage::Answer { sdp: "v=0".to_owned() }).await);
        self.said();
        answers.try_recv().unwrap().unwrap()
    }

    /// What was said since.
    fn said(&mut self) -> Vec<ClientMessage> {
        std::iter::from_fn(|| self.said.try_recv().ok()).collect()
    }

    fn feeds(&self) -> usize {
        self.seat.known.lock().unwrap().len()
    }
}

fn offer(direction: Direction) -> StandingOffer {
    let way = match direction {
        Direction::Publish => "sendonly",
        Direction::Subscribe => "recvonly",
    };
    let digest = ["AB"; 32].join(":");
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 {digest}\r\na=setup:actpass\r\na={way}\r\na=rtpmap:111 opus/48000/2\r\n"
    );
    StandingOffer::read(text, direction).unwrap()
}

fn after(span: Duration) -> Instant {
    Instant::now() + span
}

const MOMENT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn the_notice_is_acknowledged_and_the_door_waited_at() {
    let mut room = Room::new();
    let session = SessionView { state: SessionState::NotStarted, since: 0, recording: RecordingState::Off };
    let welcome = ServerMessage::Welcome {
        me: "m".into(),
        seat: SeatToken::random(),
        notice_version: Some("v3".to_owned()),
        room: Box::new(RoomView { id: RoomId::new("r"), session }),
        ice_servers: Vec::new(),
    };
    assert!(room.hears(welcome).await);
    assert_eq!(room.said(), [ClientMessage::Acknowledge { version: "v3".to_owned() }]);
    let mut answers = room.asks(Direction::Publish).await;
    assert!(room.hears(ServerMessage::Waiting { position: 1 }).await);
    assert_eq!(room.said(), [], "nothing is offered at the door");
    assert!(room.hears(ServerMessage::Admitted).await);
    let said = room.said();
    assert!(matches!(said.last(), Some(ClientMessage::Offer { .. })), "{said:?}");
    assert!(room.hears(ServerMessage::Answer { sdp: "v=0".to_owned() }).await);
    assert_eq!(answers.try_recv().unwrap().unwrap().answer, "v=0");
}

#[tokio::test]
async fn whoever_no_longer_waits_gets_no_feed() {
    let mut room = Room::new();
    drop(room.asks(Direction::Publish).await);
    assert!(room.hears(ServerMessage::Admitted).await);
    assert!(!room.said().iter().any(|said| matches!(said, ClientMessage::Offer { .. })));
    // Nor one that hangs up while the engine thinks.
    drop(room.asks(Direction::Publish).await);
    assert!(room.hears(ServerMessage::Answer { sdp: "v=0".to_owned() }).await);
    assert_eq!(room.said().last(), Some(&ClientMessage::Close { direction: Direction::Publish }));
    assert_eq!(room.feeds(), 0);
}

#[tokio::test]
async fn a_feed_whose_media_never_came_is_over_and_the_seat_left() {
    let mut room = Room::inside().await;
    room.feed(Direction::Publish).await;
    assert!(room.seat.passed(after(FIRST_MEDIA - MOMENT)).await.is_ok());
    assert!(room.seat.passed(after(FIRST_MEDIA)).await.is_err());
    assert_eq!(room.said(), [ClientMessage::Leave]);
    assert_eq!(room.feeds(), 0);
}

#[tokio::test]
async fn silence_ends_a_feed_and_a_restart_in_time_does_not() {
    let mut room = Room::inside().await;
    room.feed(Direction::Publish).await;
    let transport = |up| ServerMessage::Transport { direction: Direction::Publish, up };
    room.hears(transport(true)).await;
    assert!(room.seat.passed(after(KNOCK_KEPT * 2)).await.is_ok(), "while media flows there is no end");
    room.hears(transport(false)).await;
    assert!(room.seat.passed(after(SILENCE - MOMENT)).await.is_ok());
    room.hears(transport(true)).await;
    assert!(room.seat.passed(after(SILENCE)).await.is_ok());
    room.hears(transport(false)).await;
    assert!(room.seat.passed(after(SILENCE)).await.is_err());
}

#[tokio::test]
async fn the_players_end_is_not_the_encoders() {
    let mut room = Room::inside().await;
    room.feed(Direction::Publish).await;
    let player = room.feed(Direction::Subscribe).await;
    room.hears(ServerMessage::Transport { direction: Direction::Publish, up: true }).await;
    assert!(room.seat.passed(after(FIRST_MEDIA)).await.is_ok());
    assert_eq!(room.said(), [ClientMessage::Close { direction: Direction::Subscribe }]);
    let (answer, mut answers) = oneshot::channel();
    assert!(room.seat.take(Order::End { id: player.id, answer }).await.is_ok());
    assert!(matches!(answers.try_recv(), Ok(Err(FeedError::Gone))));
    assert_eq!(room.feeds(), 1);
}

#[tokio::test]
async fn a_second_encoder_takes_the_place_of_the_first() {
    let mut room = Room::inside().await;
    let first = room.feed(Direction::Publish).await;
    let mut answers = room.asks(Direction::Publish).await;
    let said = room.said();
    let (closed, offered) = (ClientMessage::Close { direction: Direction::Publish }, &said[1]);
    assert!(said[0] == closed && matches!(offered, ClientMessage::Offer { .. }), "{said:?}");
    room.hears(ServerMessage::Answer { sdp: "v=0".to_owned() }).await;
    assert_ne!(answers.try_recv().unwrap().unwrap().id, first.id);
    assert_eq!(room.feeds(), 1);
}

#[tokio::test]
async fn a_refused_restart_leaves_the_feed() {
    let mut room = Room::inside().await;
    let feed = room.feed(Direction::Publish).await;
    let (answer, mut answers) = oneshot::channel();
    let fragment = "a=ice-ufrag:efgh\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n".to_owned();
    let tags = Tags::These(vec![feed.tag.clone()]);
    assert!(room.seat.take(Order::Change { id: feed.id, fragment, tags: tags.clone(), answer }).await.is_ok());
    assert!(room.hears(ServerMessage::error(ErrorCode::BadSdp)).await);
    assert!(matches!(answers.try_recv(), Ok(Err(FeedError::Refused))));
    assert_eq!(room.feeds(), 1);
    assert!(tags.has(&room.seat.feeds[0].tag), "the old session goes on");
}

#[tokio::test]
async fn who_is_sent_back_or_out_has_no_feed() {
    let mut room = Room::inside().await;
    room.feed(Direction::Publish).await;
    assert!(room.hears(ServerMessage::Waiting { position: 1 }).await, "the seat waits again");
    assert_eq!(room.feeds(), 0);
    assert!(!room.hears(ServerMessage::Replaced).await, "a browser took it");
}

#[tokio::test]
async fn a_seat_that_nobody_lets_in_or_uses_is_left() {
    let mut room = Room::new();
    drop(room.asks(Direction::Publish).await);
    room.seat.asked = None;
    assert!(room.seat.passed(after(KNOCK_KEPT - MOMENT)).await.is_ok());
    assert!(room.seat.passed(after(KNOCK_KEPT)).await.is_err());
    assert_eq!(room.said(), [ClientMessage::Leave]);
}

#[tokio::test]
async fn an_engine_that_does_not_answer_ends_the_seat() {
    let mut room = Room::inside().await;
    let mut answers = room.asks(Direction::Publish).await;
    assert_eq!(room.seat.deadline(), room.seat.engine_until);
    assert!(room.seat.passed(room.seat.engine_until).await.is_err());
    drop(room);
    assert!(answers.try_recv().is_err());
}
