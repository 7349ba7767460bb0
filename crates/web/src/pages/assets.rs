//! The stylesheet, the logo and the script. Their names contain a hash of the content, so a URL never changes its content.

use std::sync::LazyLock;

/// A static file.
#[derive(Debug)]
pub struct Asset {
    pub path: String,
    pub content_type: &'static str,
    pub body: &'static str,
}

pub fn all() -> &'static [Asset] {
    &*ASSETS
}

pub fn find(path: &str) -> Option<&'static Asset> {
    all().iter().find(|asset| asset.path == path)
}

pub fn stylesheet() -> &'static Asset {
    &ASSETS[0]
}

/// The logo, which is also the icon of the tab.
pub fn mark() -> &'static Asset {
    &ASSETS[1]
}

/// Submits the form of [`FormPost`](super::FormPost) on load.
pub fn submit_script() -> &'static Asset {
    &ASSETS[2]
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
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
        Asset::new(
            "submit",
            "js",
            "text/javascript; charset=utf-8",
            include_str!("../../assets/submit.js"),
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

/// 64-bit FNV-1a: it distinguishes versions and is not for security.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2 sections 1.4.3 (text: 4.5) and 1.4.11 (edges of controls, focus: 3), in both schemes.
    #[test]
    fn the_colours_have_enough_contrast() {
        let (light, dark) = stylesheet()
            .body
            .split_once("@media (prefers-color-scheme: dark)")
            .unwrap();
        for (scheme, css) in [("light", light), ("dark", dark)] {
            for (front, back, minimum) in [
                ("ink", "paper", 4.5),
                ("ink", "card", 4.5),
                ("ink", "well", 4.5),
                ("muted", "paper", 4.5),
                ("muted", "card", 4.5),
                ("muted", "well", 4.5),
                ("on-accent", "accent", 4.5),
                ("on-accent", "accent-hover", 4.5),
                ("accent", "paper", 4.5),
                ("accent-hover", "paper", 4.5),
                ("on-deny", "deny", 4.5),
                ("on-deny", "deny-hover", 4.5),
                ("danger", "danger-well", 4.5),
                ("warning", "warning-well", 4.5),
                ("edge", "card", 3.0),
                ("accent", "card", 3.0),
                ("danger", "card", 3.0),
                ("focus", "card", 3.0),
                ("focus", "paper", 3.0),
            ] {
                let found = contrast(colour(css, front), colour(css, back));
                assert!(
                    found >= minimum,
                    "{scheme}: {front} on {back} is {found:.2}, less than {minimum}"
                );
            }
        }
    }

    /// The weight of a button is the contrast of its fill. Deny is a control by its edge, which has the contrast of one.
    #[test]
    fn deny_is_as_quiet_in_the_dark_as_in_the_light() {
        let css = stylesheet().body;
        let (light, dark) = css
            .split_once("@media (prefers-color-scheme: dark)")
            .unwrap();
        let weight = |css, fill| contrast(colour(css, fill), colour(css, "card"));
        let (in_light, in_dark) = (weight(light, "deny"), weight(dark, "deny"));
        assert!((in_light - in_dark).abs() < 0.2, "{in_light} {in_dark}");
        for (css, deny) in [(light, in_light), (dark, in_dark)] {
            assert!(deny < 1.5 && deny < weight(css, "accent"), "{deny}");
        }
        assert!(css.contains(".deny {\n  border-color: var(--edge);"));
    }

    /// Relative luminance of `--name: #rrggbb`.
    fn colour(css: &str, name: &str) -> f64 {
        let hex = css.split(&format!("--{name}: #")).nth(1).unwrap();
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    }

    fn contrast(a: f64, b: f64) -> f64 {
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}
