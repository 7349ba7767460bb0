//! The languages of the pages, language negotiation, and message formatting.
//!
//! Every sentence for users is in `locales/TAG.ftl` (Project Fluent); templates contain none.

use std::{borrow::Cow, fmt};

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use minijinja::HtmlEscape;
use unic_langid::{CharacterDirection, LanguageIdentifier};

/// A language of the pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Locale {
    tag: &'static str,
    source: &'static str,
}

/// The first one is the fallback.
pub const LOCALES: &[Locale; 5] = &[
    Locale {
        tag: "en",
        source: include_str!("../locales/en.ftl"),
    },
    Locale {
        tag: "de",
        source: include_str!("../locales/de.ftl"),
    },
    Locale {
        tag: "es",
        source: include_str!("../locales/es.ftl"),
    },
    Locale {
        tag: "fr",
        source: include_str!("../locales/fr.ftl"),
    },
    Locale {
        tag: "ja",
        source: include_str!("../locales/ja.ftl"),
    },
];

/// `ui_locales_supported` (OpenID Connect Discovery section 3).
pub fn tags() -> [&'static str; LOCALES.len()] {
    LOCALES.map(Locale::tag)
}

/// Further language ranges are ignored; neither browsers nor apps send this many.
const MAX_RANGES: usize = 20;

impl Locale {
    /// Used when no requested language is available.
    pub const FALLBACK: Self = LOCALES[0];

    /// The first available language of `ui_locales`, else that of the browser. OpenID Connect Core section 3.1.2.1: "a
    /// space-separated list of BCP47 language tag values, ordered by preference". Unknown ones are not an error.
    pub fn prefer(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        ui_locales
            .unwrap_or_default()
            .split_ascii_whitespace()
            .take(MAX_RANGES)
            .filter(|tag| *tag != "*")
            .find_map(Self::lookup)
            .unwrap_or_else(|| Self::negotiate(accept_language))
    }

    /// The best match for an `Accept-Language` header (RFC 9110 section 12.5.4, lookup by RFC 4647 section 3.4).
    pub fn negotiate(accept_language: Option<&str>) -> Self {
        let mut ranges: Vec<(f32, &str)> = accept_language
            .unwrap_or_default()
            .split(',')
            .take(MAX_RANGES)
            .filter_map(weighted_range)
            .collect();
        // A stable sort: of equal weights, the first wins.
        ranges.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranges
            .iter()
            .find_map(|(_, range)| Self::lookup(range))
            .unwrap_or(Self::FALLBACK)
    }

    /// The BCP 47 tag, as in `<html lang>`.
    pub const fn tag(self) -> &'static str {
        self.tag
    }

    /// Tries `pt-BR-x`, then `pt-BR`, then `pt`, ignoring case.
    fn lookup(range: &str) -> Option<Self> {
        if range == "*" {
            return Some(Self::FALLBACK);
        }
        let mut range = range;
        loop {
            if let Some(found) = LOCALES.iter().find(|l| l.tag.eq_ignore_ascii_case(range)) {
                return Some(*found);
            }
            range = &range[..range.rfind('-')?];
        }
    }
}

impl fmt::Debug for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locale({})", self.tag)
    }
}

/// `de-CH;q=0.8` as (0.8, `de-CH`); `q=0` means "not this one".
fn weighted_range(item: &str) -> Option<(f32, &str)> {
    let (range, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = match parameters.trim().strip_prefix("q=") {
        Some(q) => q.parse().ok()?,
        None => 1.0,
    };
    let range = range.trim();
    (weight > 0.0 && !range.is_empty()).then_some((weight, range))
}

pub(crate) struct Messages {
    locale: Locale,
    language: LanguageIdentifier,
    bundle: FluentBundle<FluentResource>,
}

/// Why a language or one of its messages cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The file of a language does not parse.
    #[error("locales/{tag}.ftl: {reason}")]
    File { tag: &'static str, reason: String },
    /// A template uses a message that the language does not have.
    #[error("message {key:?} is missing in locales/{tag}.ftl")]
    Missing { tag: &'static str, key: String },
    /// The template does not pass an argument that the message needs.
    #[error("message {key:?} in locales/{tag}.ftl: {reason}")]
    Arguments {
        tag: &'static str,
        key: String,
        reason: String,
    },
}

impl Messages {
    pub(crate) fn load(locale: Locale) -> Result<Self, MessageError> {
        let broken = |reason: String| MessageError::File {
            tag: locale.tag,
            reason,
        };
        let language: LanguageIdentifier =
            locale.tag.parse().map_err(|e| broken(format!("{e}")))?;
        let resource = FluentResource::try_new(locale.source.to_owned())
            .map_err(|(_, errors)| broken(format!("{errors:?}")))?;

        let mut bundle = FluentBundle::new_concurrent(vec![language.clone()]);
        bundle
            .add_resource(resource)
            .map_err(|errors| broken(format!("{errors:?}")))?;
        // The markup isolates values with <bdi> instead of invisible characters.
        bundle.set_use_isolating(false);
        // The result is markup and may contain markup values, so the text of the message is escaped here.
        bundle.set_transform(Some(escape_text));
        Ok(Self {
            locale,
            language,
            bundle,
        })
    }

    /// Formats the message as HTML. The arguments must already be escaped.
    pub(crate) fn html(
        &self,
        key: &str,
        arguments: &FluentArgs<'_>,
    ) -> Result<String, MessageError> {
        let tag = self.locale.tag;
        let pattern = self
            .bundle
            .get_message(key)
            .and_then(|message| message.value())
            .ok_or_else(|| MessageError::Missing {
                tag,
                key: key.to_owned(),
            })?;

        let mut errors = Vec::new();
        let html = self
            .bundle
            .format_pattern(pattern, Some(arguments), &mut errors);
        match errors.first() {
            None => Ok(html.into_owned()),
            Some(error) => Err(MessageError::Arguments {
                tag,
                key: key.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// `ltr` or `rtl`, for `<html dir>`.
    pub(crate) fn direction(&self) -> &'static str {
        match self.language.character_direction() {
            CharacterDirection::RTL => "rtl",
            _ => "ltr",
        }
    }
}

fn escape_text(text: &str) -> Cow<'_, str> {
    Cow::Owned(HtmlEscape(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unavailable_or_invalid_languages_lead_to_the_fallback() {
        for header in [
            None,
            Some(""),
            Some("tlh"),
            Some(",;q=,-,en-"),
            Some("*"),
            Some("tlh;q=1, *;q=0.1"),
        ] {
            assert_eq!(Locale::negotiate(header), Locale::FALLBACK, "{header:?}");
        }
    }

    #[test]
    fn the_available_language_with_the_highest_weight_wins() {
        for (header, tag) in [
            ("de-CH,de;q=0.9,en;q=0.8", "de"),
            ("nl,fr;q=0.5,en;q=0.4", "fr"),
            ("en;q=0.2,ja-JP", "ja"),
            ("de;q=0,fr", "fr"),
            ("es-MX,en;q=0.9", "es"),
            ("nl,*;q=0.5", "en"),
        ] {
            assert_eq!(Locale::negotiate(Some(header)).tag(), tag, "{header}");
        }
    }

    #[test]
    fn ui_locales_take_precedence_over_accept_language() {
        for (ui_locales, tag) in [
            (Some("ja"), "ja"),
            (Some("nl fr-CA fr ja"), "fr"),
            (Some("DE-de"), "de"),
            // Unknown tags are skipped without an error.
            (Some("nl * - ; x-klingon"), "fr"),
            (Some(""), "fr"),
            (None, "fr"),
        ] {
            let found = Locale::prefer(ui_locales, Some("fr"));
            assert_eq!(found.tag(), tag, "{ui_locales:?}");
        }
    }

    #[test]
    fn tags_lists_every_language() {
        assert_eq!(tags(), ["en", "de", "es", "fr", "ja"]);
    }

    #[test]
    fn a_region_falls_back_to_its_language() {
        assert_eq!(Locale::lookup("EN-gb-oxendict"), Some(Locale::FALLBACK));
        assert_eq!(Locale::lookup("eng"), None);
    }

    #[test]
    fn a_weight_of_zero_excludes_a_language() {
        assert_eq!(weighted_range(" de-CH;q=0.8"), Some((0.8, "de-CH")));
        assert_eq!(weighted_range("de"), Some((1.0, "de")));
        assert_eq!(weighted_range("de;q=0"), None);
        assert_eq!(weighted_range("de;q=high"), None);
    }

    #[test]
    fn a_message_without_its_argument_is_an_error() {
        let messages = Messages::load(Locale::FALLBACK).unwrap();
        let error = messages
            .html("signed-in-as", &FluentArgs::new())
            .unwrap_err();
        assert!(error.to_string().contains("signed-in-as"), "{error}");
    }

    #[test]
    fn the_text_of_a_message_is_escaped_and_its_markup_arguments_are_not() {
        let locale = Locale {
            tag: "en",
            source: "whole = a < b\nmixed = a < { $value }",
        };
        let messages = Messages::load(locale).unwrap();
        let mut arguments = FluentArgs::new();
        arguments.set("value", "<bdi>b</bdi>");
        assert_eq!(messages.html("whole", &arguments).unwrap(), "a &lt; b");
        assert_eq!(
            messages.html("mixed", &arguments).unwrap(),
            "a &lt; <bdi>b</bdi>"
        );
    }
}
