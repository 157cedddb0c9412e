//! What Twilio's REST interface receives from us, told by a server on loopback that writes every request down.
#![cfg(feature = "twilio")]
#![expect(clippy::unwrap_used, reason = "a server that stumbles fails the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use ivr::provider::twilio::rest::{Rest, RestError};
use ivr::{Caller, RecordingRef};

/// A request as it arrived.
#[derive(Debug)]
struct Arrived {
    line: String,
    headers: Vec<String>,
    body: String,
}

impl Arrived {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Serves one answer to each connection in turn, and hands over what arrived.
fn server(answers: Vec<(u16, &'static str, Vec<u8>)>) -> (String, mpsc::Receiver<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (arrived, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for (status, kind, body) in answers {
            let (mut connection, _) = listener.accept().unwrap();
            arrived.send(read(&connection)).unwrap();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            connection.write_all(head.as_bytes()).unwrap();
            connection.write_all(&body).unwrap();
        }
    });
    (address, requests)
}

fn read(connection: &TcpStream) -> Arrived {
    let mut reader = BufReader::new(connection);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let line = lines.remove(0);
    let mut arrived = Arrived { line, headers: lines, body: String::new() };
    let length: u64 = arrived.header("content-length").map_or(0, |length| length.parse().unwrap());
    reader.take(length).read_to_string(&mut arrived.body).unwrap();
    arrived
}

fn rest(address: &str) -> Rest {
    Rest::new(address, "AC123", "token", Duration::from_secs(5)).unwrap()
}

fn json(body: &str) -> Vec<u8> {
    body.as_bytes().to_vec()
}

#[tokio::test]
async fn an_sms_is_sent_as_a_form() {
    let (address, requests) = server(vec![(201, "application/json", json(r#"{"sid":"SM1","status":"queued"}"#))]);
    let sid = rest(&address)
        .send_sms("+15005550006", "+919876543210", "केस GR26-0000123-0 & more", Some("https://hub.example/s"))
        .await;
    assert_eq!(sid, Ok("SM1".to_owned()));
    let arrived = requests.recv().unwrap();
    assert_eq!(arrived.line, "POST /2010-04-01/Accounts/AC123/Messages.json HTTP/1.1");
    assert_eq!(arrived.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(arrived.header("authorization"), Some("Basic QUMxMjM6dG9rZW4="));
    let form: Vec<(String, String)> = url::form_urlencoded::parse(arrived.body.as_bytes()).into_owned().collect();
    let expected = [
        ("To", "+919876543210"),
        ("From", "+15005550006"),
        ("Body", "केस GR26-0000123-0 & more"),
        ("StatusCallback", "https://hub.example/s"),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn calls_are_placed_and_ended() {
    let call = || (201, "application/json", json(r#"{"sid":"CA1"}"#));
    let (address, requests) = server(vec![call(), call()]);
    let rest = rest(&address);
    assert_eq!(
        rest.place_call("+15005550006", "+919876543210", "https://hub.example/v", "https://hub.example/s").await,
        Ok("CA1".to_owned())
    );
    let arrived = requests.recv().unwrap();
    assert_eq!(arrived.line, "POST /2010-04-01/Accounts/AC123/Calls.json HTTP/1.1");
    assert!(arrived.body.contains("Url=https%3A%2F%2Fhub.example%2Fv"), "{}", arrived.body);
    assert_eq!(rest.hang_up("CA1/../../x").await, Ok(()));
    let arrived = requests.recv().unwrap();
    assert_eq!(arrived.line, "POST /2010-04-01/Accounts/AC123/Calls/CA1%2F%2E%2E%2F%2E%2E%2Fx.json HTTP/1.1");
    assert_eq!(arrived.body, "Status=completed");
}

#[tokio::test]
async fn a_recording_is_fetched_whole() {
    let sound: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let (address, requests) =
        server(vec![(200, "audio/x-wav", sound.clone()), (404, "application/json", json(r#"{"code":20404}"#))]);
    let rest = rest(&address);
    let recording = RecordingRef("RE1".into());
    assert_eq!(rest.recording(&recording).await.unwrap(), sound);
    assert_eq!(requests.recv().unwrap().line, "GET /2010-04-01/Accounts/AC123/Recordings/RE1.wav HTTP/1.1");
    assert_eq!(rest.recording(&recording).await, Err(RestError::Refused { status: 404, code: Some(20404) }));
}

#[tokio::test]
async fn lists_are_read() {
    let messages = r#"{"messages":[{"sid":"SM1","direction":"inbound","status":"received","from":"+919876543210","to":"+15005550006","body":"help","error_code":null,"num_segments":"1"}]}"#;
    let calls = r#"{"calls":[{"sid":"CA1","direction":"inbound","status":"completed","from":"+266696687","to":"+15005550006","duration":"42"}]}"#;
    let (address, requests) = server(vec![
        (200, "application/json", json(messages)),
        (200, "application/json", json(calls)),
        (401, "application/json", json(r#"{"code":20003,"message":"Authenticate"}"#)),
    ]);
    let rest = rest(&address);
    let found = rest.messages_to("+15005550006", 50).await.unwrap();
    assert_eq!(
        (found[0].sid.as_str(), found[0].body.as_str(), &found[0].from),
        ("SM1", "help", &Caller::parse("9876543210"))
    );
    assert_eq!(
        requests.recv().unwrap().line,
        "GET /2010-04-01/Accounts/AC123/Messages.json?PageSize=50&To=%2B15005550006 HTTP/1.1"
    );
    let found = rest.calls_to("+15005550006", 20).await.unwrap();
    assert_eq!((found[0].seconds, &found[0].from), (Some(42), &Caller::Anonymous));
    assert_eq!(rest.calls_to("+15005550006", 20).await, Err(RestError::Refused { status: 401, code: None }));
}

#[tokio::test]
async fn a_refusal_tells_the_code_and_no_number() {
    let refusal =
        json(r#"{"code":21211,"message":"The 'To' number +91987 is not a valid phone number.","status":400}"#);
    let (address, _requests) = server(vec![
        (400, "application/json", refusal),
        (503, "text/html", json("<html>")),
        (201, "application/json", json("{}")),
    ]);
    let rest = rest(&address);
    let refused = rest.send_sms("+1", "+91987", "x", None).await.unwrap_err();
    assert_eq!(refused, RestError::Refused { status: 400, code: Some(21211) });
    assert!(!refused.is_passing() && !refused.to_string().contains("91987"));
    assert!(rest.send_sms("+1", "+91987", "x", None).await.unwrap_err().is_passing());
    assert_eq!(rest.send_sms("+1", "+91987", "x", None).await, Err(RestError::Unreadable));
}

#[tokio::test]
async fn silence_ends_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let impatient = Rest::new(&address, "AC123", "token", Duration::from_millis(40)).unwrap();
    assert_eq!(impatient.send_sms("+1", "+2", "x", None).await, Err(RestError::Timeout));
    drop(listener);
    assert_eq!(rest(&address).send_sms("+1", "+2", "x", None).await, Err(RestError::Unreachable));
}

#[test]
fn an_address_that_is_none_is_refused_at_once() {
    for address in ["", "api.twilio.com", "ftp://api.twilio.com", "http://"] {
        assert!(matches!(Rest::new(address, "AC", "t", Duration::from_secs(1)), Err(RestError::SetUp(_))), "{address}");
    }
    assert!(!format!("{:?}", rest("http://127.0.0.1:1")).contains("token"));
}
