use super::*;

const CHROMIUM: &str = include_str!("fixtures/chromium-publish.sdp");

fn local(candidates: &[String]) -> Local<'_> {
    Local { ufrag: "ourFragment", pwd: "ourPasswordOf22Letters", fingerprint: "sha-256 01:02", candidates }
}

#[test]
fn a_browser_is_answered() {
    let offer = read_offer(CHROMIUM).unwrap();
    let kinds: Vec<_> = offer.sections.iter().map(|section| (section.mid.as_str(), section.kind)).collect();
    assert_eq!(kinds, [("0", Kind::Audio), ("1", Kind::Video), ("2", Kind::Screen)]);
    assert_eq!(offer.sections[1].rids, ["l", "m", "h"]);
    assert_eq!(offer.sections[2].ssrcs, [282152165]);
    assert_eq!(offer.sections[2].rtx_ssrcs, [(2794486769, 282152165)]);
    let answer = write_answer(&offer, local(&[]), &[]);
    assert!(answer.contains("a=simulcast:recv l;m;h\r\n"), "{answer}");
}
