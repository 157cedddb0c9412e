use super::*;

#[test]
fn messages_read_as_documented() {
    assert_eq!(ClientMessage::parse(r#"{"type":"hello"}"#), Ok(ClientMessage::Hello { resume: None }));
    assert_eq!(ClientMessage::parse(r#"{"type":"restart_ice"}"#), Ok(ClientMessage::RestartIce));
    assert_eq!(
        ClientMessage::parse(r#"{"type":"mute","kind":"video"}"#),
        Ok(ClientMessage::Mute { kind: Kind::Video })
    );
    let session =
        ServerMessage::Session(SessionView { state: SessionState::InSession, since: 5, recording: RecordingState::On });
    assert_eq!(session.to_json(), r#"{"type":"session","state":"in_session","since":5,"recording":"on"}"#);
}

#[test]
fn what_cannot_be_read_is_answered() {
    for text in ["", "{", "[]", r#"{"type":"no_such"}"#, r#"{"type":"offer"}"#, r#"{"type":"hand","up":3}"#] {
        assert_eq!(ClientMessage::parse(text), Err(ServerMessage::error(ErrorCode::BadMessage)), "{text}");
    }
    let long = format!(r#"{{"type":"offer","sdp":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES));
    assert_eq!(ClientMessage::parse(&long), Err(ServerMessage::error(ErrorCode::TooLarge)));
}

#[test]
fn what_the_client_wants_to_see_reads_as_documented() {
    let view = |text| ClientMessage::parse(text).unwrap();
    assert_eq!(
        view(r#"{"type":"view","layout":"grid"}"#),
        ClientMessage::View { layout: Layout::Grid, tiles: DEFAULT_TILES, pinned: None }
    );
    assert_eq!(
        view(r#"{"type":"view","layout":"podium","tiles":25,"pinned":"p1"}"#),
        ClientMessage::View { layout: Layout::Podium, tiles: 25, pinned: Some("p1".into()) }
    );
    assert_eq!(view(r#"{"type":"pin","member":null}"#), ClientMessage::Pin { member: None });
    assert_eq!(view(r#"{"type":"pin","member":"p1"}"#), ClientMessage::Pin { member: Some("p1".into()) });
    assert_eq!(view(r#"{"type":"share","on":true}"#), ClientMessage::Share { on: true });
    assert_eq!(
        view(r#"{"type":"stats","rtt_ms":20,"loss":0,"freezes":1,"layer":"mid"}"#),
        ClientMessage::Stats { rtt_ms: 20.0, loss: 0.0, jitter_ms: None, freezes: Some(1), layer: Some(Layer::Mid) }
    );
    for text in [
        r#"{"type":"view","layout":"cinema"}"#,
        r#"{"type":"view","layout":"grid","tiles":256}"#,
        r#"{"type":"view","layout":"grid","tiles":-1}"#,
        r#"{"type":"share"}"#,
        r#"{"type":"stats","layer":"huge"}"#,
    ] {
        assert_eq!(ClientMessage::parse(text), Err(ServerMessage::error(ErrorCode::BadMessage)), "{text}");
    }
}

#[test]
fn what_the_hub_says_of_floor_and_line_is_as_documented() {
    let podium = ServerMessage::Podium { member: None, by: PodiumBy::Share };
    assert_eq!(podium.to_json(), r#"{"type":"podium","member":null,"by":"share"}"#);
    let speakers = ServerMessage::Speakers { active: Some("p1".into()), loud: vec!["p1".into(), "p2".into()] };
    assert_eq!(speakers.to_json(), r#"{"type":"speakers","active":"p1","loud":["p1","p2"]}"#);
    let demand = ServerMessage::Demand { kind: Kind::Screen, on: true, rids: Vec::new() };
    assert_eq!(demand.to_json(), r#"{"type":"demand","kind":"screen","on":true,"rids":[]}"#);
    let line = ServerMessage::Line {
        level: QualityLevel::Fair,
        rtt_ms: 20,
        loss_percent: 4,
        bits_per_second: 5,
        audio_only: false,
    };
    assert_eq!(
        line.to_json(),
        r#"{"type":"line","level":"fair","rtt_ms":20,"loss_percent":4,"bits_per_second":5,"audio_only":false}"#
    );
    let server = IceServer { urls: vec!["stun:x".to_owned()], username: None, credential: None };
    assert_eq!(serde_json::to_string(&server).unwrap(), r#"{"urls":["stun:x"]}"#);
}
