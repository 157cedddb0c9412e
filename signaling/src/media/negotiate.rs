//! What we do to session descriptions around the stack: our candidates in, the client's out, directions put right.

use rtc::rtp_transceiver::RTCRtpTransceiverDirection as Direction;

/// The longest description that is given to the stack, in bytes.
pub(crate) const MAX_SDP_BYTES: usize = 64 * 1024;

/// The client's candidates are not for the stack: it answers checks, and knows one virtual address for each client (see [`super::peer`]).
pub(crate) fn without_candidates(sdp: &str) -> String {
    lines(sdp)
        .filter(|line| !line.starts_with("a=candidate:") && *line != "a=end-of-candidates")
        .map(terminated)
        .collect()
}

/// Puts our real addresses in place of the stack's virtual one, at the end of the first media section (all are bundled).
pub(crate) fn with_candidates(sdp: &str, candidates: &[String]) -> String {
    let mut out = String::with_capacity(sdp.len() + 128);
    let mut sections = 0;
    let put = |out: &mut String| {
        for candidate in candidates {
            out.push_str("a=");
            out.push_str(&terminated(candidate));
        }
        out.push_str("a=end-of-candidates\r\n");
    };
    let bare = without_candidates(sdp);
    for line in lines(&bare) {
        if line.starts_with("m=") {
            sections += 1;
            if sections == 2 {
                put(&mut out);
            }
        }
        out.push_str(&terminated(line));
    }
    if sections == 1 {
        put(&mut out);
    }
    out
}

/// Our ICE credentials in a local description: user fragment and password.
pub(crate) fn credentials(sdp: &str) -> Option<(String, String)> {
    let find = |name: &str| lines(sdp).find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    Some((find("a=ice-ufrag:")?, find("a=ice-pwd:")?))
}

/// Section names with the directions that a description gives them.
pub(crate) fn directions(sdp: &str) -> Vec<(String, Direction)> {
    let mut found = Vec::new();
    let (mut mid, mut direction) = (None, None);
    for line in lines(sdp).chain(["m="]) {
        if line.starts_with("m=") {
            if let (Some(mid), Some(direction)) = (mid.take(), direction.take()) {
                found.push((mid, direction));
            }
        } else if let Some(name) = line.strip_prefix("a=mid:") {
            mid = Some(name.to_owned());
        } else {
            match line {
                "a=sendrecv" => direction = Some(Direction::Sendrecv),
                "a=sendonly" => direction = Some(Direction::Sendonly),
                "a=recvonly" => direction = Some(Direction::Recvonly),
                "a=inactive" => direction = Some(Direction::Inactive),
                _ => {}
            }
        }
    }
    found
}

fn lines(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.lines().map(str::trim_end).filter(|line| !line.is_empty())
}

fn terminated(line: &str) -> String {
    format!("{line}\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 X 111\r\na=mid:0\r\na=ice-ufrag:abc\r\na=ice-pwd:secret\r\n\
        a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\na=end-of-candidates\r\na=sendonly\r\nm=video 9 X 96\r\na=mid:1\r\na=inactive\r\n";

    #[test]
    fn only_our_candidates_are_left() {
        let ours = ["candidate:1 1 udp 2130706431 127.0.0.1 7000 typ host".to_owned()];
        let sdp = with_candidates(SDP, &ours);
        assert_eq!(sdp.matches("a=candidate").count(), 1);
        assert!(sdp.contains(
            "a=sendonly\r\na=candidate:1 1 udp 2130706431 127.0.0.1 7000 typ host\r\na=end-of-candidates\r\nm=video"
        ));
        assert!(!without_candidates(SDP).contains("candidate"));
        assert_eq!(credentials(SDP), Some(("abc".to_owned(), "secret".to_owned())));
        assert_eq!(credentials("v=0\r\n"), None);
    }

    #[test]
    fn directions_are_read_by_section() {
        let expected = [("0".to_owned(), Direction::Sendonly), ("1".to_owned(), Direction::Inactive)];
        assert_eq!(directions(SDP), expected);
        assert_eq!(directions("rubbish"), []);
    }
}
