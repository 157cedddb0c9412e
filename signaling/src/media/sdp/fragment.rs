//! The fragments of RFC 8840 that WHIP and WHEP sessions are changed by (RFC 9725 section 4.3): trickled candidates, which we need not know, and ICE restarts.

use super::read::credentials;
use super::text::Description;
use super::write::Text;
use super::{Local, SdpError};

/// What a client tells about its running session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// User fragment and password. Others than before are an ICE restart; none with mere candidates.
    pub credentials: Option<(String, String)>,
}

/// # Errors
/// Credentials that are not whole, or a text that is none.
pub(crate) fn read_fragment(text: &str) -> Result<Fragment, SdpError> {
    let description = Description::read_lines(text)?;
    let find = |name: &str| {
        let mut parts = description.media.iter().map(|media| &media.attributes);
        description.session.value(name).or_else(|| parts.find_map(|attributes| attributes.value(name)))
    };
    let credentials = match (find("ice-ufrag"), find("ice-pwd")) {
        (None, None) => None,
        (ufrag, pwd) => Some(credentials(ufrag, pwd)?),
    };
    Ok(Fragment { credentials })
}

/// Our side of an ICE restart: new credentials, and our candidates in the section that stands for the bundle. `kind` is that section's, `mids` are all of the bundle.
pub(crate) fn write_fragment(local: Local<'_>, kind: &str, mids: &[&str]) -> String {
    let mut text = Text(String::with_capacity(512));
    text.agent(mids);
    text.credentials(local);
    // RFC 8840 section 9: protocol and format only fill their places.
    if let Some(mid) = mids.first() {
        text.line(format_args!("m={kind} 9 RTP/AVP 0"));
        text.line(format_args!("a=mid:{mid}"));
    }
    text.candidates(local);
    text.0
}
