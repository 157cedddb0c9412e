//! Whose is a datagram? Kinds by first byte (RFC 7983); checks by the user name (RFC 8445, 7.3). Nothing here is proof: see `transport/`.

/// Bytes of a STUN header (RFC 8489, 5), and the USERNAME attribute (14.3).
const HEADER: usize = 20;
const USERNAME: u16 = 0x0006;

/// What a datagram may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datagram {
    /// A STUN request: its own user name and password tell whose it is, from any address.
    Check,
    /// DTLS, SRTP, SRTCP, or the answer to a check of ours: taken only from an address that a check has proved.
    Known,
    Junk,
}

pub(crate) fn classify(datagram: &[u8]) -> Datagram {
    match datagram {
        // The two class bits of a STUN message are both 0 in a request (RFC 8489, 5).
        [0..=3, second, ..] if second & 0x10 != 0 || datagram.first().is_some_and(|first| first & 1 != 0) => {
            Datagram::Known
        }
        [0..=3, ..] => Datagram::Check,
        [20..=63 | 128..=191, ..] => Datagram::Known,
        _ => Datagram::Junk,
    }
}

/// Our half of a request's user name (RFC 8445, 7.2.2: `ours:theirs`), before anything is proved; none when there is none.
pub(crate) fn user_fragment(request: &[u8]) -> Option<String> {
    let mut attributes = request.get(HEADER..)?;
    while let [t0, t1, l0, l1, rest @ ..] = attributes {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let value = rest.get(..length)?;
        if u16::from_be_bytes([*t0, *t1]) == USERNAME {
            let ours = value.split(|byte| *byte == b':').next()?;
            return std::str::from_utf8(ours).ok().map(str::to_owned);
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
