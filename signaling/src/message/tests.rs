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
