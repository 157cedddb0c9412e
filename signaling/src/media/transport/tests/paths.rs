//! Checks, and the way from path to path.

use super::*;
use rtc::stun::message::Getter as _;

fn new() -> (Transport, Instant) {
    let now = Instant::now();
    (Transport::new(&HUB, now), now)
}

/// Checks with our present credentials.
fn checked(hub: &mut Transport, from: Path, chooses: bool, now: Instant) -> Checked {
    let request = check(hub.ufrag(), hub.pwd(), chooses);
    hub.check(&request, from, now)
}

const STAYS: Checked = Checked::Ok { forgotten: None, moved: false };
const MOVES: Checked = Checked::Ok { forgotten: None, moved: true };

#[test]
fn datagrams_are_told_by_their_first_bytes() {
    assert_eq!(classify(&[0x00, 0x01]), Datagram::Check, "binding request");
    assert_eq!(classify(&[0x01, 0x01]), Datagram::Known, "binding success");
    assert_eq!(classify(&[0x00, 0x11]), Datagram::Known, "indication");
    assert_eq!(classify(&[22, 254]), Datagram::Known, "DTLS");
    assert_eq!(classify(&[0x80, 111]), Datagram::Known, "RTP");
    assert_eq!(classify(&[0x40]), Datagram::Junk);
    assert_eq!(classify(&[]), Datagram::Junk);
}

#[test]
fn a_check_tells_whose_it_is() {
    assert_eq!(claimed_ufrag(&check("ours", "password", true)), Some("ours"));
    assert_eq!(claimed_ufrag(&[0, 1, 0, 0]), None);
    let mut cut = check("ours", "password", true);
    cut.truncate(26);
    assert_eq!(claimed_ufrag(&cut), None);
}

#[test]
fn credentials_are_long_and_never_the_same() {
    let (first, _) = new();
    let (second, _) = new();
    assert!(first.ufrag().len() >= 8 && first.pwd().len() >= 22);
    assert!(first.ufrag().chars().chain(first.pwd().chars()).all(|letter| letter.is_ascii_alphanumeric()));
    assert_ne!(first.ufrag(), second.ufrag());
    assert_ne!(first.pwd(), second.pwd());
}

#[test]
fn an_answer_names_the_senders_address_and_is_signed() {
    let (mut hub, now) = new();
    let mapped = SocketAddr::from(([0, 0, 0, 0, 0, 0xffff, 0x0a00, 0x0005], 4000));
    let request = check(hub.ufrag(), hub.pwd(), true);
    assert_eq!(hub.check(&request, Path::Udp(mapped), now), MOVES);
    let (answer, to) = hub.poll_transmit().unwrap();
    assert_eq!(to, Path::Udp(mapped));
    let mut message = Message::new();
    message.unmarshal_binary(&answer).unwrap();
    assert_eq!(message.typ, BINDING_SUCCESS);
    assert_eq!(message.transaction_id.0, request[8..20]);
    let mut address = XorMappedAddress::default();
    address.get_from(&message).unwrap();
    assert_eq!((address.ip.to_string().as_str(), address.port), ("10.0.0.5", 4000));
    let provider = rtc::crypto::default_provider().unwrap();
    MessageIntegrity::check(&mut message, hub.pwd().as_bytes(), provider.crypto()).unwrap();
    FINGERPRINT.check(&message).unwrap();
}

#[test]
fn without_the_password_no_path_is_proved() {
    let (mut hub, now) = new();
    let wrong = check(hub.ufrag(), "wrong", true);
    let other = check("stranger", hub.pwd(), true);
    let mut touched = check(hub.ufrag(), hub.pwd(), true);
    touched[9] ^= 1;
    for request in [wrong, other, touched] {
        assert_eq!(hub.check(&request, path(1), now), Checked::Refused);
    }
    assert_eq!((hub.path(), hub.state()), (None, State::New));
    assert!(hub.poll_transmit().is_none());
    assert_eq!(hub.read(&[0x80, 96], path(1), now), Read::Refused("unproven path"));
}

#[test]
fn a_check_sent_again_by_a_stranger_leads_nothing_to_him() {
    let (mut hub, now) = new();
    let request = check(hub.ufrag(), hub.pwd(), true);
    assert_eq!(hub.check(&request, path(1), now), MOVES);
    assert_eq!(hub.check(&request, path(1), now), STAYS, "our answer was lost");
    assert_eq!(hub.check(&request, path(66), now), Checked::Refused);
    assert_eq!(hub.path(), Some(path(1)));
}

#[test]
fn what_follows_the_integrity_counts_for_nothing() {
    let (mut hub, now) = new();
    checked(&mut hub, path(1), true, now);
    let mut request = check(hub.ufrag(), hub.pwd(), false);
    request.extend([0, 0x25, 0, 0]);
    let length = u16::try_from(request.len() - 20).unwrap();
    request[2..4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(hub.check(&request, path(2), now), STAYS);
}

#[test]
fn the_first_path_serves_until_the_client_chooses() {
    let (mut hub, now) = new();
    assert_eq!(checked(&mut hub, path(1), false, now), MOVES);
    assert_eq!(checked(&mut hub, path(2), false, now), STAYS);
    assert_eq!(hub.path(), Some(path(1)));
    assert_eq!(checked(&mut hub, path(2), true, now), MOVES);
    assert_eq!(checked(&mut hub, path(1), false, now), STAYS);
    assert_eq!(hub.path(), Some(path(2)));
}

#[test]
fn a_dead_path_gives_way_to_one_that_is_not_chosen() {
    let mut world = World::up(GCM);
    let (mut sealing, _) = world.client.contexts();
    let start = world.now;
    // Media keeps a path alive between checks.
    for (number, at) in (1..).zip([1000, 2000, 3000, 4000]) {
        let (_, sealed) = packet(&mut sealing, 7, number);
        world.hub.read(&sealed, path(1), start + ms(at));
    }
    assert_eq!(checked(&mut world.hub, path(2), false, start + ms(6900)), STAYS);
    assert_eq!(checked(&mut world.hub, path(2), false, start + ms(7100)), MOVES);
    assert_eq!(world.hub.path(), Some(path(2)));
}

#[test]
fn media_by_another_path_leads_ours_there_once_the_chosen_one_is_silent() {
    let mut world = World::up(GCM);
    let (mut sealing, _) = world.client.contexts();
    let start = world.now;
    assert_eq!(checked(&mut world.hub, path(2), false, start + ms(1)), STAYS);
    let mut number = 0;
    let mut media = |hub: &mut Transport, from, at| {
        number += 1;
        let (_, sealed) = packet(&mut sealing, 7, number);
        assert!(matches!(hub.read(&sealed, from, start + ms(at)), Read::Rtp(..)));
        hub.path()
    };
    assert_eq!(media(&mut world.hub, path(1), 1000), Some(path(1)));
    // What was under way when the client chose again.
    assert_eq!(media(&mut world.hub, path(2), 1400), Some(path(1)));
    assert_eq!(media(&mut world.hub, path(2), 1600), Some(path(2)));
    assert_eq!(media(&mut world.hub, path(1), 1700), Some(path(2)));
    // What is no packet of the client's leads nowhere.
    let (_, repeated) = packet(&mut sealing, 7, 1);
    assert_eq!(world.hub.read(&repeated, path(1), start + ms(2600)), Read::Refused("repeated"));
    assert_eq!(world.hub.path(), Some(path(2)));
}

#[test]
fn a_client_keeps_eight_paths_and_the_one_in_use() {
    let (mut hub, now) = new();
    for last in 1..=8 {
        assert_eq!(
            checked(&mut hub, path(last), last == 1, now + ms(last.into())),
            if last == 1 { MOVES } else { STAYS }
        );
    }
    let ninth = checked(&mut hub, path(9), false, now + ms(9));
    assert_eq!(ninth, Checked::Ok { forgotten: Some(path(2)), moved: false });
    assert_eq!(hub.read(&[22], path(2), now), Read::Refused("unproven path"));
    assert_eq!(hub.read(&[22], path(1), now), Read::Nothing);
}

#[test]
fn a_closed_tcp_connection_is_no_path() {
    let (mut hub, now) = new();
    assert_eq!(checked(&mut hub, Path::Tcp(3), true, now), MOVES);
    assert!(hub.poll_transmit().is_some());
    hub.forget(Path::Tcp(3));
    assert_eq!(hub.path(), None);
    assert_eq!(checked(&mut hub, Path::Tcp(4), false, now), MOVES);
}

#[test]
fn a_restart_keeps_the_keys_and_the_old_password_for_a_while() {
    let mut world = World::up(GCM);
    let (mut sealing, mut opening) = world.client.contexts();
    let mut sealer = world.hub.take_sealer().unwrap();
    let (ufrag, pwd) = (world.hub.ufrag().to_owned(), world.hub.pwd().to_owned());
    world.hub.restart();
    let now = world.now;
    assert!(world.hub.owns(&ufrag) && world.hub.owns(world.hub.ufrag()));
    assert_eq!(world.hub.check(&check(&ufrag, &pwd, true), path(1), now), STAYS);
    let (answer, _) = world.hub.poll_transmit().unwrap();
    let mut message = Message::new();
    message.unmarshal_binary(&answer).unwrap();
    let provider = rtc::crypto::default_provider().unwrap();
    MessageIntegrity::check(&mut message, pwd.as_bytes(), provider.crypto()).unwrap();

    assert_eq!(checked(&mut world.hub, path(2), true, now), MOVES);
    assert!(!world.hub.owns(&ufrag));
    assert_eq!(world.hub.check(&check(&ufrag, &pwd, true), path(1), now), Checked::Refused);
    assert_eq!(world.hub.state(), State::Up);
    let (_, sealed) = packet(&mut sealing, 7, 1);
    assert!(matches!(world.hub.read(&sealed, path(2), now), Read::Rtp(..)));
    let (header, plain) = plain_packet(9, 1);
    assert_eq!(opening.decrypt_rtp(&sealer.seal_rtp(&header, &plain).unwrap()).unwrap(), plain);
}

#[test]
fn silence_is_told_and_forgiven_until_it_is_too_long() {
    let mut world = World::up(GCM);
    let (mut sealing, _) = world.client.contexts();
    let tick_through = |hub: &mut Transport, until: Instant| {
        while let Some(at) = hub.deadline().filter(|at| *at <= until) {
            hub.tick(at);
            while hub.poll_transmit().is_some() {}
        }
    };
    let mut heard = world.now;
    checked(&mut world.hub, path(1), true, heard);
    tick_through(&mut world.hub, heard + ms(4999));
    assert_eq!(world.hub.state(), State::Up);
    tick_through(&mut world.hub, heard + ms(5000));
    assert_eq!(world.hub.state(), State::Silent);

    // Packets of strangers are no sign of life; a packet of the client is, and so is a check.
    let (_, forged) = packet(&mut World::up(GCM).client.contexts().0, 7, 1);
    world.hub.read(&forged, path(1), heard + ms(6000));
    assert_eq!(world.hub.state(), State::Silent);
    heard += ms(7000);
    let (_, sealed) = packet(&mut sealing, 7, 1);
    world.hub.read(&sealed, path(1), heard);
    assert_eq!(world.hub.state(), State::Up);
    tick_through(&mut world.hub, heard + ms(5000));
    assert_eq!(world.hub.state(), State::Silent);
    heard += ms(24_000);
    checked(&mut world.hub, path(1), true, heard);
    assert_eq!(world.hub.state(), State::Up);

    tick_through(&mut world.hub, heard + ms(24_999));
    assert_eq!(world.hub.state(), State::Silent);
    tick_through(&mut world.hub, heard + ms(25_000));
    assert_eq!(world.hub.state(), State::Failed);
    assert_eq!(checked(&mut world.hub, path(1), true, heard + ms(25_001)), Checked::Refused, "for good");
}

#[test]
fn who_never_comes_or_never_shakes_hands_fails() {
    let (mut hub, now) = new();
    assert_eq!(hub.deadline(), Some(now + LOST));
    hub.tick(now + LOST);
    assert_eq!(hub.state(), State::Failed);

    let (mut hub, now) = new();
    for second in 0..25 {
        checked(&mut hub, path(1), true, now + ms(1000 * second));
        hub.tick(now + ms(1000 * second));
    }
    assert_eq!(hub.state(), State::Connecting);
    hub.tick(now + HANDSHAKE);
    assert_eq!(hub.state(), State::Failed);
}
