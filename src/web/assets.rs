//! Style sheets, scripts and fonts, carried in the binary.
//!
//! All of them live under one folder whose name is the hash of everything in it: `/assets/3f9a…/css/hub.css`. So a page
//! always gets the set that belongs to it, browsers may keep each file for ever, and the modules and style sheets
//! reach each other by plain relative paths. Knows nothing of HTTP frameworks: a route asks [`lookup`].

use std::borrow::Cow;
use std::sync::LazyLock;

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "src/web/assets"]
struct Files;

/// Where the assets are mounted.
pub const PREFIX: &str = "/assets/";

/// Sixteen hexadecimal digits that change with any byte of any asset.
static SET: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort_unstable();
    let mut hasher = Sha256::new();
    for name in names {
        hasher.update(name.as_bytes());
        if let Some(file) = Files::get(&name) {
            hasher.update(file.metadata.sha256_hash());
        }
    }
    hex::encode(hasher.finalize()).chars().take(16).collect()
});

/// What to answer for one asset.
#[derive(Debug)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// Value of `Cache-Control`: for ever under the present hash, never under an old one.
    pub cache_control: &'static str,
}

/// The address of an asset by its path below `src/web/assets`: `url("css/hub.css")`.
#[must_use]
pub fn url(path: &str) -> String {
    format!("{PREFIX}{}/{path}", *SET)
}

/// The asset behind a path as it stands in a request, without [`PREFIX`]: `3f9a…/css/hub.css`.
///
/// A page that was sent before an upgrade still finds the file under the old hash, but is told not to keep it.
#[must_use]
pub fn lookup(path: &str) -> Option<Asset> {
    let (set, name) = path.split_once('/')?;
    let file = Files::get(name)?;
    let current = set == SET.as_str();
    Some(Asset {
        bytes: file.data,
        content_type: content_type(name),
        cache_control: if current { "public, max-age=31536000, immutable" } else { "no-cache" },
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("wav") => "audio/wav",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Every asset's path below the folder; for tests and for writing the set out.
pub fn paths() -> impl Iterator<Item = Cow<'static, str>> {
    Files::iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_found_under_its_own_address() {
        let address = url("css/hub.css");
        let asset = lookup(address.strip_prefix(PREFIX).unwrap()).unwrap();
        assert_eq!(asset.content_type, "text/css; charset=utf-8");
        assert!(asset.cache_control.contains("immutable"));
        assert!(!asset.bytes.is_empty());
    }

    #[test]
    fn an_old_hash_is_served_but_not_kept_and_a_stranger_is_not_served() {
        assert_eq!(lookup("0000000000000000/css/hub.css").unwrap().cache_control, "no-cache");
        assert!(lookup("0000000000000000/../views/mod.rs").is_none());
        assert!(lookup("css").is_none());
    }

    #[test]
    fn every_asset_has_a_type_and_loads_nothing_from_outside() {
        for path in paths() {
            let asset = lookup(&format!("{}/{path}", *SET)).unwrap();
            assert_ne!(asset.content_type, "application/octet-stream", "{path}");
            if path.starts_with("css/") || path.starts_with("js/") {
                let source = String::from_utf8_lossy(&asset.bytes).into_owned();
                assert!(!source.contains("://") || !source.contains("url(http"), "{path} reaches out");
            }
        }
    }
}
