//! The stylesheet and the mark: files that never change under their name, since the name holds a hash of the content.

use std::sync::LazyLock;

/// A file to serve as it is, for ever: `Cache-Control: public, max-age=31536000, immutable`.
#[derive(Debug)]
pub struct Asset {
    /// The URL's path.
    pub path: String,
    /// The media type.
    pub content_type: &'static str,
    /// The content.
    pub body: &'static str,
}

/// Every asset.
pub fn all() -> &'static [Asset] {
    &*ASSETS
}

/// The asset at a path.
pub fn find(path: &str) -> Option<&'static Asset> {
    all().iter().find(|asset| asset.path == path)
}

/// The one stylesheet.
pub fn stylesheet() -> &'static Asset {
    &ASSETS[0]
}

/// The mark beside the brand, and the icon of the tab.
pub fn mark() -> &'static Asset {
    &ASSETS[1]
}

static ASSETS: LazyLock<[Asset; 2]> = LazyLock::new(|| {
    [
        Asset::new(
            "grantor",
            "css",
            "text/css; charset=utf-8",
            include_str!("../../assets/grantor.css"),
        ),
        Asset::new(
            "mark",
            "svg",
            "image/svg+xml",
            include_str!("../../assets/mark.svg"),
        ),
    ]
});

impl Asset {
    fn new(name: &str, extension: &str, content_type: &'static str, body: &'static str) -> Self {
        let path = format!("/assets/{name}-{:016x}.{extension}", fnv1a(body.as_bytes()));
        Self {
            path,
            content_type,
            body,
        }
    }
}

/// FNV-1a, 64 bits: it tells one version from the next, and protects nothing.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
