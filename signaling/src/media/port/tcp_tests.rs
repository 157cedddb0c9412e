use super::*;

const LOCAL: &str = "127.0.0.1:0";

fn side(limits: Limits) -> (TcpSide, SocketAddr) {
    let listener = listen(LOCAL.parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    (TcpSide::with_limits(listener, limits).unwrap(), address)
}

/// Takes the connection in and returns its number.
async fn connected(side: &mut TcpSide, address: SocketAddr) -> (u64, TcpStream) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[0, 1, b'!']).await.unwrap();
    loop {
        match side.hear().await {
            Some(Heard::Datagram(id, datagram)) if datagram == b"!"[..] => return (id, stream),
            Some(_) => {}
            None => panic!("the side is gone"),
        }
    }
}

/// What is left to be read. A connection that was cut hard counts as ended, too.
async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}

#[tokio::test]
async fn datagrams_come_whole_however_they_are_cut() {
    let (mut side, address) = side(Limits::default());
    let client = tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        for piece in [&[0][..], &[3, b'a'], &[b'b', b'c', 0, 0, 0, 1], b"d"] {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
        }
        let mut answer = [0; 9];
        stream.read_exact(&mut answer).await.unwrap();
        answer
    });
    for expected in [&b"abc"[..], b"d"] {
        match side.hear().await {
            Some(Heard::Datagram(1, datagram)) => assert_eq!(datagram, expected),
            other => panic!("{other:?}"),
        }
    }
    assert!(side.send(1, BytesMut::from(&b"ok"[..])));
    assert!(side.send(1, BytesMut::from(&b"too"[..])));
    assert_eq!(&client.await.unwrap(), b"\0\x02ok\0\x03too");
    assert!(matches!(side.hear().await, Some(Heard::Gone(1))));
    assert!(!side.send(1, BytesMut::from(&b"late"[..])));
}

#[tokio::test]
async fn who_announces_too_much_is_cut_off() {
    let (mut side, address) = side(Limits::default());
    let (id, mut stream) = connected(&mut side, address).await;
    stream.write_all(&[0xff, 0xff, 1, 2, 3]).await.unwrap();
    assert!(matches!(side.hear().await, Some(Heard::Gone(gone)) if gone == id));
    assert!(rest(stream).await.is_empty());
}

#[tokio::test]
async fn who_does_not_read_holds_nobody_up_and_can_be_cut_off() {
    let (mut side, address) = side(Limits::default());
    let (lazy, lazy_stream) = connected(&mut side, address).await;
    let (keen, mut keen_stream) = connected(&mut side, address).await;
    // The kernel's buffers on both ends take some megabytes before the outbox stands still.
    let (mut refused, mut sent) = (0, 0);
    while refused < OUTBOX {
        assert!(sent < 1_000_000, "memory without bound");
        sent += 1;
        refused += usize::from(!side.send(lazy, BytesMut::zeroed(1_200)));
        tokio::task::yield_now().await;
    }
    assert!(side.send(keen, BytesMut::from(&b"news"[..])));
    let mut news = [0; 6];
    keen_stream.read_exact(&mut news).await.unwrap();
    assert_eq!(&news, b"\0\x04news");
    // It is stuck in the middle of a write; that must not keep it alive until all is delivered.
    side.hang_up(lazy);
    assert!(rest(lazy_stream).await.len() < (sent - refused) * 1_202);
    assert!(!side.send(lazy, BytesMut::from(&b"x"[..])));
    assert!(side.send(keen, BytesMut::from(&b"x"[..])));
}

#[tokio::test]
async fn who_takes_nothing_for_long_is_gone() {
    let (mut side, address) = side(Limits { stuck: Duration::from_millis(50), ..Limits::default() });
    let (id, _stream) = connected(&mut side, address).await;
    let gone = loop {
        side.send(id, BytesMut::zeroed(1_200));
        tokio::task::yield_now().await;
        if let Some(heard) = side.try_hear() {
            break heard;
        }
    };
    assert!(matches!(gone, Heard::Gone(gone) if gone == id));
}

#[tokio::test]
async fn silence_ends_a_connection_even_in_the_middle_of_a_datagram() {
    let (mut side, address) = side(Limits { silence: Duration::from_millis(50), ..Limits::default() });
    let (id, mut stream) = connected(&mut side, address).await;
    stream.write_all(&[0, 9, 1]).await.unwrap();
    assert!(matches!(side.hear().await, Some(Heard::Gone(gone)) if gone == id));
}

#[tokio::test]
async fn the_question_whose_it_is_comes_again_and_again() {
    let (mut side, address) = side(Limits { grace: Duration::from_millis(20), ..Limits::default() });
    let (id, stream) = connected(&mut side, address).await;
    assert!(side.is_stranger(id));
    side.prove(id);
    assert!(!side.is_stranger(id));
    for _ in 0..3 {
        assert!(matches!(side.hear().await, Some(Heard::GraceOver(asked)) if asked == id));
    }
    side.hang_up(id);
    assert!(rest(stream).await.is_empty());
}

#[tokio::test]
async fn one_source_has_few_strangers_and_any_number_of_members() {
    let (mut side, address) = side(Limits { strangers_from_one: 2, ..Limits::default() });
    let (first, _first) = connected(&mut side, address).await;
    let (_, _second) = connected(&mut side, address).await;
    let refused = TcpStream::connect(address).await.unwrap();
    // Nobody says anything, so only the refusal ends this.
    tokio::select! {
        heard = side.hear() => panic!("{heard:?}"),
        bytes = rest(refused) => assert!(bytes.is_empty()),
    }
    side.prove(first);
    let (third, _third) = connected(&mut side, address).await;
    side.prove(third);
    connected(&mut side, address).await;
}

#[tokio::test]
async fn the_oldest_stranger_makes_room_and_members_stay() {
    let (mut side, address) = side(Limits { strangers: 2, ..Limits::default() });
    let (member, _member) = connected(&mut side, address).await;
    side.prove(member);
    let (oldest, oldest_stream) = connected(&mut side, address).await;
    let (newer, _newer) = connected(&mut side, address).await;
    let (newest, _newest) = connected(&mut side, address).await;
    assert!(rest(oldest_stream).await.is_empty());
    assert!(!side.send(oldest, BytesMut::zeroed(1)));
    for id in [member, newer, newest] {
        assert!(side.send(id, BytesMut::zeroed(1)));
    }
}

#[tokio::test]
async fn there_is_an_end_to_connections() {
    let (mut side, address) = side(Limits { connections: 1, ..Limits::default() });
    let (only, _only) = connected(&mut side, address).await;
    side.prove(only);
    let refused = TcpStream::connect(address).await.unwrap();
    tokio::select! {
        heard = side.hear() => panic!("{heard:?}"),
        bytes = rest(refused) => assert!(bytes.is_empty()),
    }
    assert!(side.send(only, BytesMut::zeroed(1)));
}

#[test]
fn a_source_is_a_network() {
    let network = |ip: &str| network(ip.parse().unwrap()).to_string();
    assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
    assert_eq!(network("192.0.2.1"), "192.0.2.1");
}
