//! A hearing: before it, in the room, after it.
//!
//! One page for all three. Before and in the room are two sections that `hearing-room.js` changes between, because
//! loading a page would drop the camera. What follows the end is rendered by the server.

use askama::Template;
use serde_json::{Value, json};

use super::page::json_block;
use super::{Choice, Flash, Form, Page};

/// `GET /hearings/{id}`, for a party by link and for the officer by account.
#[derive(Debug, Template)]
#[template(path = "hearing.html")]
pub struct Hearing {
    pub page: Page,
    pub id: String,
    pub case_number: String,
    /// Where this reader sees the case: the desk, or the tracking link. A coordinator sees none.
    pub case_link: Option<String>,
    pub subject: String,
    pub unit: Option<String>,
    pub starts_at_ms: i64,
    /// `video`, `control_room`, `telephone`, `in_person`, `mixed`.
    pub medium: String,
    pub place: Option<String>,
    pub officer: String,
    /// `scheduled served waiting in_session paused ended recorded ordered ex_parte cancelled`.
    pub state: String,
    pub me: Seat,
    pub notice: Notice,
    /// `None` when there is no room to join any more, or not yet.
    pub room: Option<RoomAccess>,
    /// Three logged attempts to reach the party are needed before a hearing without it.
    pub attempts: Vec<Attempt>,
    /// The record of hearing, once written.
    pub record: Option<Written>,
    /// The order, once made.
    pub order: Option<Order>,
    pub has_recording: bool,
    /// Poor and broken lines, for those who judge whether the unit was heard; None for everybody else.
    pub lines: Option<Vec<Line>>,
    /// The form that came back: `record`, `order`, `attempt` or `ex_parte`.
    pub returned: Option<(String, Form)>,
}

/// In whose place the reader joins.
#[derive(Debug)]
pub struct Seat {
    pub name: String,
    /// A role of the room: `presiding_officer`, `party`, `representative`, `coordinator`, …
    pub role: String,
    /// Whether the reader presides: admits, starts, writes.
    pub presides: bool,
}

/// The recording notice as it is to be acknowledged.
#[derive(Debug)]
pub struct Notice {
    pub version: String,
    /// Paragraphs.
    pub text: Vec<String>,
}

/// What the browser needs to join.
#[derive(Debug)]
pub struct RoomAccess {
    /// `wss://…/rooms/{room}/signal?token=…`
    pub url: String,
    /// The token alone, for the API calls of the page.
    pub token: String,
    pub room: String,
    pub member: String,
    /// Where the hub answers a trial connection (SDP in, SDP out), if it does.
    pub probe: Option<String>,
    /// The relays of the self-test, a list of `RTCIceServer`. Once inside, the room tells them anew.
    pub ice_servers: Value,
}

#[derive(Debug)]
pub struct Attempt {
    pub at_ms: i64,
    /// `telephone`, `sms`, `email`, `room`.
    pub channel: String,
    /// `no_answer`, `busy`, `declined`, `wrong_number`, `reached`.
    pub result: String,
}

#[derive(Debug)]
pub struct Written {
    pub at_ms: i64,
    pub by: String,
    pub text: String,
}

/// Somebody's line was in trouble for a while.
#[derive(Debug)]
pub struct Line {
    pub name: String,
    /// `poor` or `broken`.
    pub trouble: &'static str,
    pub from_ms: i64,
    pub until_ms: i64,
    pub loss_percent: i64,
    pub round_trip_ms: i64,
}

#[derive(Debug)]
pub struct Order {
    pub at_ms: i64,
    pub by: String,
    /// Issue and finding.
    pub findings: Vec<(String, String)>,
    pub reasons: String,
}

impl Hearing {
    /// Lines that the page tells; a hearing with more had bad lines throughout.
    pub const LINES: usize = 60;
    /// Rows of findings that the order's form offers: fields `issue1`, `finding1`, `issue2`, …
    pub const FINDINGS: usize = 3;
    /// Attempts that a hearing without the party needs.
    pub const ATTEMPTS_NEEDED: usize = 3;

    const CHANNELS: [&'static str; 4] = ["telephone", "sms", "email", "room"];
    const RESULTS: [&'static str; 5] = ["no_answer", "busy", "declined", "wrong_number", "reached"];

    /// What `hearing-room.js` and the modules under it say.
    const SCRIPT_TEXTS: [&'static str; 106] = [
        "admit",
        "send-back",
        "mute",
        "microphone",
        "camera",
        "hand",
        "on",
        "off",
        "up",
        "down",
        "you",
        "hand-up",
        "away",
        "no-picture",
        "no-sound",
        "waiting-none",
        "in-room-none",
        "room-connecting",
        "room-notice",
        "room-waiting",
        "room-waiting-position",
        "room-reconnecting",
        "room-replaced",
        "room-removed",
        "room-refused",
        "room-ended",
        "session-not_started",
        "session-in_session",
        "session-paused",
        "session-ended",
        "recording-on",
        "recording-off",
        "recording-failed",
        "quality-good",
        "quality-fair",
        "quality-poor",
        "quality-advice-good",
        "quality-advice-fair",
        "quality-advice-poor",
        "test-running",
        "selftest-camera-ok",
        "selftest-camera-black",
        "selftest-camera-denied",
        "selftest-camera-missing",
        "selftest-camera-busy",
        "selftest-microphone-ok",
        "selftest-microphone-silent",
        "selftest-microphone-denied",
        "selftest-microphone-missing",
        "selftest-microphone-busy",
        "selftest-network-ok",
        "selftest-network-untested",
        "selftest-network-hub",
        "selftest-network-blocked",
        "test-sound-ok",
        "test-sound-failed",
        "action-failed",
        "action-done",
        "leave-sure",
        "room-blocked",
        "room-sound-held",
        "shares-screen",
        "screen-of",
        "show-large",
        "show-large-off",
        "podium",
        "unseen",
        "told-joined",
        "told-left",
        "told-hand",
        "told-screen",
        "told-broken",
        "told-many-joined",
        "told-many-left",
        "told-many-hand",
        "told-many-screen",
        "told-many-broken",
        "told-muted",
        "told-view-podium",
        "told-view-grid",
        "told-view-wall",
        "told-view-audio",
        "quality-advice-sound-only",
        "line-fair",
        "line-poor",
        "selftest-network-tcp",
        "selftest-network-relay",
        "selftest-ask-udp",
        "selftest-ask-any",
        "way-udp",
        "way-tcp",
        "way-relay",
        "way-open",
        "way-closed",
        "media-denied",
        "role-presiding_officer",
        "role-party",
        "role-representative",
        "role-witness",
        "role-other_side",
        "role-interpreter",
        "role-scribe",
        "role-observer",
        "role-coordinator",
        "role-recorder",
        "role-telephone",
    ];

    /// A line's trouble in words.
    fn trouble(&self, line: &Line) -> String {
        let text = self.page.text;
        let length = text.length((line.until_ms - line.from_ms) / 1_000);
        text.say_with(
            &format!("trouble-{}", line.trouble),
            &[
                ("name", &line.name),
                ("from", &text.time(line.from_ms)),
                ("until", &text.time(line.until_ms)),
                ("length", &length),
                ("loss", &text.number(line.loss_percent)),
                ("delay", &text.number(line.round_trip_ms)),
            ],
        )
    }

    fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "ended" | "recorded" | "ordered" | "ex_parte" | "cancelled")
    }

    fn form(&self, which: &str) -> Form {
        match &self.returned {
            Some((returned, form)) if returned == which => form.clone(),
            _ => Form::empty(),
        }
    }

    fn channels(&self) -> Vec<Choice> {
        Choice::named(self.page.text, "attempt-channel", &Self::CHANNELS)
    }

    fn results(&self) -> Vec<Choice> {
        Choice::named(self.page.text, "attempt-result", &Self::RESULTS)
    }

    fn attempts_missing(&self) -> usize {
        Self::ATTEMPTS_NEEDED.saturating_sub(self.attempts.iter().filter(|attempt| attempt.result != "reached").count())
    }

    fn finding_numbers(&self) -> [usize; Self::FINDINGS] {
        std::array::from_fn(|index| index + 1)
    }

    fn room_data(&self) -> String {
        let room = self.room.as_ref().map(|room| {
            json!({
                "url": room.url,
                "token": room.token,
                "room": room.room,
                "member": room.member,
                "probe": room.probe,
                "ice_servers": room.ice_servers,
            })
        });
        json_block(&json!({
            "hearing": self.id,
            "case": self.case_number,
            "name": self.me.name,
            "role": self.me.role,
            "presides": self.me.presides,
            "state": self.state,
            "notice": self.notice.version,
            "room": room,
            "actions": format!("/api/v1/hearings/{}/actions/", self.id),
            "texts": self.page.script_texts(&Self::SCRIPT_TEXTS),
        }))
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{DAY, HOUR, NOW, Samples, officer, visitor};

    fn sample(page: Page, state: &str, presides: bool) -> Hearing {
        let text = page.text;
        Hearing {
            page,
            id: "0197f3c2-0000-7000-8000-000000000001".into(),
            case_number: "GR26-0000119-2".into(),
            case_link: Some(
                if presides { "/desk/cases/GR26-0000119-2" } else { "/track/GR26-0000119-2?key=sample" }.into(),
            ),
            subject: "finance".into(),
            unit: Some("Sahyadri Precision Works".into()),
            starts_at_ms: NOW + HOUR / 4,
            medium: "video".into(),
            place: None,
            officer: "R. Banerjee".into(),
            state: state.into(),
            me: Seat {
                name: if presides { "R. Banerjee" } else { "Meera Kulkarni" }.into(),
                role: if presides { "presiding_officer" } else { "party" }.into(),
                presides,
            },
            notice: Notice {
                version: "2026-1".into(),
                text: vec![text.say("notice-text-1"), text.say("notice-text-2"), text.say("notice-text-3")],
            },
            room: Some(RoomAccess {
                url: "wss://localhost:8443/rooms/h1/signal?token=sample</script>".into(),
                token: "sample".into(),
                room: "h1".into(),
                member: "m1".into(),
                probe: None,
                ice_servers: json!([]),
            }),
            attempts: vec![],
            record: None,
            order: None,
            has_recording: false,
            lines: presides.then(Vec::new),
            returned: None,
        }
    }

    pub fn hearing(text: Text) -> Samples<Hearing> {
        let party = || visitor(text, "/hearings/1?key=sample");
        let presiding = || officer(text, "/hearings/1");
        let mut tried = sample(presiding(), "served", true);
        tried.attempts = vec![
            Attempt { at_ms: NOW - HOUR, channel: "telephone".into(), result: "no_answer".into() },
            Attempt { at_ms: NOW - HOUR / 2, channel: "sms".into(), result: "no_answer".into() },
        ];
        let mut early = sample(party(), "scheduled", false);
        early.room = None;
        early.case_link = None;
        early.starts_at_ms = NOW + 2 * DAY;
        early.medium = "control_room".into();
        early.place = Some("Pune".into());

        let ended = |page, presides| Hearing { room: None, has_recording: presides, ..sample(page, "ended", presides) };
        let mut refused = ended(presiding(), true);
        let mut form = Form::empty();
        form.refuse("reasons", text.say("error-reasons"));
        refused.returned = Some(("order".into(), form));
        refused.record = Some(Written {
            at_ms: NOW,
            by: "R. Banerjee".into(),
            text: "The unit was heard.\nThe bank's letter was shown.".into(),
        });

        let mut troubled = ended(presiding(), true);
        let line = |trouble, minutes, round_trip_ms| Line {
            name: "Meera Kulkarni".into(),
            trouble,
            from_ms: NOW - HOUR,
            until_ms: NOW - HOUR + minutes * HOUR / 60,
            loss_percent: 22,
            round_trip_ms,
        };
        troubled.lines = Some(vec![line("poor", 3, 640), line("broken", 1, 0)]);

        let mut ordered = Hearing { state: "ordered".into(), ..ended(party(), false) };
        ordered.record = Some(Written { at_ms: NOW, by: "R. Banerjee".into(), text: "The unit was heard.".into() });
        ordered.order = Some(Order {
            at_ms: NOW,
            by: "R. Banerjee".into(),
            findings: vec![("Was a reason given in writing?".into(), "No. The bank is asked to give it.".into())],
            reasons: "The request is refused in part, because …".into(),
        });
        vec![
            ("hearing-party", sample(party(), "served", false)),
            ("hearing-officer", sample(presiding(), "served", true)),
            ("hearing-officer-tried", tried),
            ("hearing-early", early),
            ("hearing-after-party", ended(party(), false)),
            ("hearing-after-officer", ended(presiding(), true)),
            ("hearing-after-lines", troubled),
            ("hearing-after-refused", refused),
            ("hearing-ordered", ordered),
        ]
    }
}
