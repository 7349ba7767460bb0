//! A short description of a `User-Agent` header.
//!
//! It helps users recognize their own devices. Clients choose the header freely, so the description must be short and plain
//! for any input.

use serde::Serialize;

/// Product and operating system: `Chrome` on `Linux`, `curl 8.5`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agent {
    product: String,
    system: Option<&'static str>,
}

/// Tokens in the headers of browsers. The order matters: Edge also sends Chrome, and Chrome also sends Safari.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The order matters: Android also sends Linux, and iPhones send "like Mac OS X".
const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("tvOS", "tvOS"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("webOS", "webOS"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

const MAX_NAME_CHARS: usize = 24;
const MAX_VERSION_CHARS: usize = 8;

impl Agent {
    /// `None` if the header contains no product.
    pub fn parse(user_agent: &str) -> Option<Self> {
        let contained = |(token, _): &&(&str, &'static str)| user_agent.contains(token);
        let system = SYSTEMS.iter().find(contained).map(|(_, name)| *name);
        let browser = BROWSERS
            .iter()
            .find(contained)
            .filter(|_| user_agent.starts_with("Mozilla/"));
        let product = match browser {
            Some((_, name)) => (*name).to_owned(),
            None => first_product(user_agent)?,
        };
        Some(Self { product, system })
    }
}

/// `curl/8.5.0 (…)` as `curl 8.5`.
fn first_product(user_agent: &str) -> Option<String> {
    let token = user_agent.split_whitespace().next()?;
    let (name, version) = token.split_once('/').unwrap_or((token, ""));
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .take(MAX_NAME_CHARS)
        .collect();
    if name.is_empty() {
        return None;
    }
    let numbers: Vec<&str> = version
        .split(|c: char| !c.is_ascii_digit())
        .take(2)
        .take_while(|n| !n.is_empty())
        .collect();
    let version: String = numbers.join(".").chars().take(MAX_VERSION_CHARS).collect();
    Some(format!("{name} {version}").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(user_agent: &str) -> String {
        match Agent::parse(user_agent) {
            None => "nothing".to_owned(),
            Some(Agent {
                product,
                system: None,
            }) => product,
            Some(Agent {
                product,
                system: Some(system),
            }) => format!("{product} on {system}"),
        }
    }

    #[test]
    fn browsers_are_described_by_name_and_system() {
        for (header, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/130.0 Mobile Safari/604.1",
                "Chrome on iOS",
            ),
            (
                "Mozilla/5.0 (Android 15; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0",
                "Firefox on Android",
            ),
            (
                "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/108.0.0.0 Safari/537.36",
                "Chrome on webOS",
            ),
        ] {
            assert_eq!(describe(header), expected, "{header}");
        }
    }

    #[test]
    fn other_software_is_described_by_its_first_product() {
        for (header, expected) in [
            ("curl/8.5.0", "curl 8.5"),
            ("python-requests/2.31.0", "python-requests 2.31"),
            ("Go-http-client/1.1", "Go-http-client 1.1"),
            ("LivingRoom/3 (Tizen 6.0; Linux)", "LivingRoom 3 on Tizen"),
            (
                "openid-client/v6.8.1 (https://example.com)",
                "openid-client",
            ),
            ("tool", "tool"),
            ("tool/beta", "tool"),
            ("Mozilla/5.0", "Mozilla 5.0"),
        ] {
            assert_eq!(describe(header), expected, "{header}");
        }
    }

    #[test]
    fn descriptions_are_short_and_plain() {
        assert_eq!(describe(""), "nothing");
        assert_eq!(describe(" \u{202e}\u{1f600}/1.0"), "nothing");
        assert_eq!(describe("<script>alert(1)</script>"), "scriptalert1");
        assert_eq!(
            describe(&format!("{}/{}", "a".repeat(500), "9".repeat(500))),
            format!("{} {}", "a".repeat(24), "9".repeat(8))
        );
    }
}
