//! Usernames and passwords by RFC 8265: what people type alike counts alike, however their keyboards write it.
//!
//! The tables of Unicode are ICU4X's, which the crate `url` brings. Not checked are the rules that only keep texts readable
//! and tell no two of them apart: those for context (RFC 5892 appendix A), whose characters are refused but for Arabic
//! digits, and for direction (RFC 5893).

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, HangulSyllableType, NoncharacterCodePoint,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use zeroize::Zeroizing;

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// The form in which a username is compared (RFC 8265 section 3.4, `UsernameCaseMapped`); of one with spaces, that of each
/// part (section 3.1). `None` of what the profile does not allow.
#[must_use]
pub fn username_case_mapped(username: &str) -> Option<String> {
    let mapped: String = username.chars().flat_map(narrow_or_wide).collect();
    let mapped = NFC.normalize(&mapped.to_lowercase()).into_owned();
    let parts = || mapped.split(' ').flat_map(str::chars);
    let has = |digits: std::ops::RangeInclusive<char>| mapped.chars().any(|c| digits.contains(&c));
    let mixes_digits = has('\u{660}'..='\u{669}') && has('\u{6f0}'..='\u{6f9}');
    let is_allowed = parts().next().is_some() && parts().all(is_of_identifier) && !mixes_digits;
    is_allowed.then_some(mapped)
}

/// The form in which a password is hashed (RFC 8265 section 4.2, `OpaqueString`). `None` of what the profile does not allow.
#[must_use]
pub fn opaque_string(password: &str) -> Option<Zeroizing<String>> {
    let is_space = |c: char| category(c) == GeneralCategory::SpaceSeparator;
    let spaced = password.chars();
    let spaced = spaced.map(|c| if is_space(c) { ' ' } else { c });
    let spaced = Zeroizing::new(spaced.collect::<String>());
    let prepared = Zeroizing::new(NFC.normalize(&spaced).into_owned());
    let is_allowed = !prepared.is_empty() && prepared.chars().all(is_of_freeform);
    is_allowed.then_some(prepared)
}

/// Unicode's compatibility form: full-width letters and digits are those of ASCII.
#[must_use]
pub fn nfkc(text: &str) -> Zeroizing<String> {
    Zeroizing::new(NFKC.normalize(text).into_owned())
}

/// RFC 8265 section 3.3.1: "Map fullwidth and halfwidth code points to their decomposition mappings".
fn narrow_or_wide(c: char) -> impl Iterator<Item = char> {
    let mapped = match c {
        // All of them but the space are in this block.
        '\u{3000}' | '\u{ff00}'..='\u{ffef}' => compatible(c),
        _ => String::from(c),
    };
    mapped.chars().collect::<Vec<_>>().into_iter()
}

fn compatible(c: char) -> String {
    let mut bytes = [0; 4];
    NFKC.normalize(c.encode_utf8(&mut bytes)).into_owned()
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// RFC 8264 section 9.1.
fn is_letter_or_digit(c: char) -> bool {
    matches!(
        category(c),
        GeneralCategory::LowercaseLetter
            | GeneralCategory::UppercaseLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::DecimalNumber
            | GeneralCategory::ModifierLetter
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
    )
}

/// What neither class allows (RFC 8264 sections 9.6 to 9.15): exceptions, unassigned, ignorable, joiners, old Hangul, controls.
fn is_never_allowed(c: char) -> bool {
    let hangul = CodePointMapData::<HangulSyllableType>::new().get(c);
    let is_jamo = [
        HangulSyllableType::LeadingJamo,
        HangulSyllableType::VowelJamo,
        HangulSyllableType::TrailingJamo,
    ]
    .contains(&hangul);
    let is_exception = matches!(
        c,
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}'
    );
    let is_surrogate_or_private = matches!(
        category(c),
        GeneralCategory::Unassigned
            | GeneralCategory::Control
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    );
    is_jamo
        || is_exception
        || is_surrogate_or_private
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(c)
}

/// RFC 8264 section 4.2, `IdentifierClass`.
fn is_of_identifier(c: char) -> bool {
    let is_exception = matches!(
        c,
        '\u{df}' | '\u{3c2}' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}' | '\u{3007}'
    );
    c.is_ascii_graphic()
        || is_exception
        || (is_letter_or_digit(c) && !is_never_allowed(c) && compatible(c) == String::from(c))
}

/// RFC 8264 section 4.3, `FreeformClass`.
fn is_of_freeform(c: char) -> bool {
    matches!(c, ' '..='~') || !is_never_allowed(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn username(text: &str) -> Option<String> {
        username_case_mapped(text)
    }

    fn password(text: &str) -> Option<String> {
        opaque_string(text).map(|prepared| prepared.to_string())
    }

    #[test]
    fn rfc8265_3_5_usernames_are_compared_by_width_case_and_composition() {
        let same = [
            ("juliet@example.com", "juliet@example.com"),
            ("fussball", "fussball"),
            ("fußball", "fußball"),
            ("π", "π"),
            ("Σ", "σ"),
            ("σ", "σ"),
            ("ς", "ς"),
            ("Ａｌｉｃｅ", "alice"),
            ("ＡＬＩＣＥ＠ｅｘａｍｐｌｅ．ｃｏｍ", "alice@example.com"),
            ("Zoe\u{301}", "zoé"),
            ("ﾊﾞ", "バ"),
            ("Alice Smith", "alice smith"),
            ("Alice\u{3000}Smith", "alice smith"),
        ];
        for (typed, prepared) in same {
            assert_eq!(username(typed).as_deref(), Some(prepared), "{typed}");
        }
        assert_ne!(username("ς"), username("σ"));
        assert_ne!(username("fußball"), username("fussball"));
    }

    #[test]
    fn rfc8265_3_5_usernames_hold_letters_and_digits_only() {
        for bad in [
            "",
            " ",
            "henry\u{2163}",
            "\u{265a}",
            "ﬁona",
            "ali\u{200b}ce",
            "ali\u{200d}ce",
            "ali\u{ad}ce",
            "al\tice",
            "al\0ice",
            "a\u{e000}",
            "a\u{378}",
            "a\u{640}",
            "\u{1100}",
            "\u{661}\u{6f1}",
            "a\u{202e}b",
        ] {
            assert_eq!(username(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn rfc8265_4_3_passwords_keep_case_and_symbols() {
        for (typed, prepared) in [
            (
                "correct horse battery staple",
                "correct horse battery staple",
            ),
            (
                "Correct Horse Battery Staple",
                "Correct Horse Battery Staple",
            ),
            ("πßå", "πßå"),
            ("Jack of \u{2666}s", "Jack of \u{2666}s"),
            ("foo\u{1680}bar", "foo bar"),
            ("a\u{3000}b\u{a0}c", "a b c"),
            ("pa\u{30a}ss", "påss"),
            ("ﬁＡ🔑", "ﬁＡ🔑"),
        ] {
            assert_eq!(password(typed).as_deref(), Some(prepared), "{typed}");
        }
        for bad in ["", "my cat is a \u{9}by", "a\0", "a\u{200d}", "a\u{378}"] {
            assert_eq!(password(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_prepared_stays_as_it_is(text in "\\PC{0,20}") {
            if let Some(prepared) = username(&text) {
                prop_assert_eq!(username(&prepared), Some(prepared.clone()));
            }
            if let Some(prepared) = password(&text) {
                prop_assert_eq!(password(&prepared), Some(prepared.clone()));
            }
        }
    }
}
