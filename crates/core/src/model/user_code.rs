//! User codes (RFC 8628 sections 3.2, 5.1 and 6.1): generation, display, parsing and required length.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, Zeroizing};

use crate::base::seed::Seed;
use crate::model::precis::nfkc;

/// Wrong codes per hour and account (RFC 8628 section 5.1).
pub const MAX_TRIES_PER_ACCOUNT: u32 = 20;
/// Wrong codes per hour and address; an IPv6 /64 counts as one.
pub const MAX_TRIES_PER_ADDRESS: u32 = 200;
/// The chance to find any live code within an hour with one account is at most 2^-`SAFETY_BITS`.
pub const SAFETY_BITS: u32 = 16;

/// The alphabet and minimum length of user codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCodeFormat {
    alphabet: Vec<char>,
    length: usize,
}

/// Parsed from character classes: `#` digits, `a` `A` letters, `b` `B` consonants, `!` specials. Letters are shown in
/// upper case and compared without case, so `a` and `A` are the same class, and so are `b` and `B`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCodeAlphabet(Vec<char>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFormat {
    #[error(
        "{0:?} is not a character class: # is digits, a and A letters, b and B consonants, ! specials"
    )]
    Class(char),
    #[error("at least one class of characters is needed")]
    Empty,
    /// So few possible codes that even a single live one could be guessed.
    #[error("codes of this format could be guessed: use more characters or character classes")]
    Weak,
    #[error("at most 32 characters")]
    Long,
}

impl FromStr for UserCodeAlphabet {
    type Err = InvalidFormat;

    fn from_str(classes: &str) -> Result<Self, InvalidFormat> {
        let mut alphabet: Vec<char> = Vec::new();
        for class in classes.chars() {
            let more = match class {
                '#' => "0123456789",
                'a' | 'A' => "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                'b' | 'B' => "BCDFGHJKLMNPQRSTVWXZ",
                '!' => "!@#$%&*+=?",
                other => return Err(InvalidFormat::Class(other)),
            };
            alphabet.extend(more.chars());
        }
        alphabet.sort_unstable();
        alphabet.dedup();
        if alphabet.is_empty() {
            return Err(InvalidFormat::Empty);
        }
        Ok(Self(alphabet))
    }
}

impl UserCodeFormat {
    /// `classes` as in [`UserCodeAlphabet`].
    pub fn new(classes: &str, length: usize) -> Result<Self, InvalidFormat> {
        Self::with_alphabet(classes.parse()?, length)
    }

    pub fn with_alphabet(
        UserCodeAlphabet(alphabet): UserCodeAlphabet,
        length: usize,
    ) -> Result<Self, InvalidFormat> {
        if length > 32 {
            return Err(InvalidFormat::Long);
        }
        let format = Self { alphabet, length };
        if format.max_live_codes(length) == 0 {
            return Err(InvalidFormat::Weak);
        }
        Ok(format)
    }

    /// How many codes of `length` characters may be live within the chance of [`SAFETY_BITS`].
    #[must_use]
    pub fn max_live_codes(&self, length: usize) -> u64 {
        let space = (0..length).fold(1_u128, |n, _| n.saturating_mul(self.alphabet.len() as u128));
        let live = space / (u128::from(MAX_TRIES_PER_ACCOUNT) << SAFETY_BITS);
        u64::try_from(live).unwrap_or(u64::MAX)
    }

    /// The required length of a new code while `live` others are pending.
    #[must_use]
    pub fn length_for(&self, live: u64) -> usize {
        (self.length..=32)
            .find(|&length| live < self.max_live_codes(length))
            .unwrap_or(32)
    }

    /// Whether codes are digits only, so that phones can show a numeric keypad.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        self.alphabet.iter().all(char::is_ascii_digit)
    }

    /// A uniformly random code, long enough while `live` others are pending.
    #[must_use]
    pub fn generate(&self, seed: &Seed, live: u64) -> UserCode {
        let length = self.length_for(live);
        let mut text = String::with_capacity(length);
        // Rejection sampling: bytes from `limit` on would make some characters likelier.
        let limit = 256 - 256 % self.alphabet.len();
        for round in 0_u32.. {
            let mut bytes = seed.bytes::<64>(&format!("user_code {round}"));
            for &byte in bytes.iter().filter(|&&byte| usize::from(byte) < limit) {
                if text.chars().count() < length {
                    text.push(self.alphabet[usize::from(byte) % self.alphabet.len()]);
                }
            }
            bytes.zeroize();
            if text.chars().count() == length {
                break;
            }
        }
        UserCode(text)
    }

    /// Parses user input, ignoring case and characters outside of the alphabet. RFC 8628 section 6.1: "the authorization
    /// server … should strip dashes and other punctuation … before processing".
    #[must_use]
    pub fn read(&self, typed: &str) -> Option<UserCode> {
        let typed: Zeroizing<String> = Zeroizing::new(typed.chars().take(200).collect());
        // Full-width letters and digits, as Japanese keyboards write them.
        let text: String = nfkc(&typed)
            .chars()
            .map(|c| c.to_ascii_uppercase())
            .filter(|c| self.alphabet.contains(c))
            .collect();
        (self.length..=32)
            .contains(&text.chars().count())
            .then_some(UserCode(text))
    }
}

/// A user code without dashes. A short-lived secret: no `Display`, redacted `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// Without dashes.
    #[must_use]
    pub fn normalized(&self) -> &str {
        &self.0
    }

    /// For display: groups of three or four joined by dashes, such as `XXXX-XXXX`.
    #[must_use]
    pub fn formatted(&self) -> String {
        let chars: Vec<char> = self.0.chars().collect();
        let groups = chars.len().div_ceil(4).max(1);
        let (size, longer) = (chars.len() / groups, chars.len() % groups);
        let mut shown = String::new();
        let mut rest = chars.as_slice();
        for group in 0..groups {
            let (head, tail) = rest.split_at(size + usize::from(group < longer));
            if group > 0 {
                shown.push('-');
            }
            shown.extend(head);
            rest = tail;
        }
        shown
    }
}

impl Drop for UserCode {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn default() -> UserCodeFormat {
        UserCodeFormat::new("B", 8).unwrap()
    }

    #[test]
    fn rfc8628_5_1_codes_are_long_enough_to_resist_guessing() {
        let format = default();
        assert_eq!(format.max_live_codes(8), 19_531);
        assert_eq!(format.max_live_codes(9), 390_625);
        assert_eq!(format.length_for(0), 8);
        assert_eq!(format.length_for(19_530), 8);
        assert_eq!(format.length_for(19_531), 9);
        assert_eq!(format.length_for(390_625), 10);
        // 20 tries an hour, 19,531 live codes among 20^8: at most 2^-16.
        let chance = f64::from(MAX_TRIES_PER_ACCOUNT) * 19_531.0 / 20_f64.powi(8);
        assert!(chance <= 2_f64.powi(-16), "{chance}");
    }

    #[test]
    fn rfc8628_5_1_docs_match_the_guessing_arithmetic() {
        let page = include_str!("../../../../docs/src/device-grant.md");
        let says = |text: String| assert!(page.contains(&text), "docs/src/device-grant.md: {text}");
        for (classes, length) in [
            ("B", 8),
            ("B", 9),
            ("B", 10),
            ("#", 9),
            ("#", 12),
            ("#B", 8),
            ("A", 8),
        ] {
            let format = UserCodeFormat::new(classes, length).unwrap();
            let possible = (format.alphabet.len() as u64).pow(length as u32);
            let live = format.max_live_codes(length);
            let (possible, live) = (grouped(possible), grouped(live));
            says(format!(
                "\n| `{classes}` | {length} | {possible} | {live} |\n"
            ));
        }
        says(format!("{MAX_TRIES_PER_ACCOUNT} wrong tries an hour"));
        says(format!("an address {MAX_TRIES_PER_ADDRESS};"));
        says(format!(
            "at most 2⁻¹⁶, one in {}",
            grouped(2_u64.pow(SAFETY_BITS))
        ));
    }

    /// Digits in groups of three.
    fn grouped(number: u64) -> String {
        let digits = number.to_string();
        let groups = digits.as_bytes().rchunks(3).rev();
        let groups: Vec<_> = groups
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect();
        groups.join(",")
    }

    #[test]
    fn rfc8628_6_1_the_default_alphabet_has_no_vowels_or_similar_letters() {
        let code = default().generate(&Seed::from_bytes([1; 32]), 0);
        assert!(
            code.normalized()
                .chars()
                .all(|c| "BCDFGHJKLMNPQRSTVWXZ".contains(c))
        );
        assert_eq!(code.formatted().len(), 9);
        assert_eq!(code.formatted().chars().nth(4), Some('-'));
    }

    #[test]
    fn rfc8628_6_1_case_dashes_and_spaces_are_ignored() {
        let format = default();
        let code = format.read("WDJB-MJHT").unwrap();
        for typed in ["wdjbmjht", " WdJb mJhT ", "W-D-J-B-M-J-H-T", "wdjb.mjht"] {
            assert_eq!(format.read(typed), Some(code.clone()), "{typed}");
        }
        for typed in ["", "WDJB", "AEIO-UYAE", &"B".repeat(33)] {
            assert_eq!(format.read(typed), None, "{typed}");
        }
    }

    #[test]
    fn full_width_letters_digits_and_dashes_are_those_of_the_code() {
        let code = default().read("WDJB-MJHT").unwrap();
        for typed in [
            "ＷＤＪＢ－ＭＪＨＴ",
            "ｗｄｊｂ　ｍｊｈｔ",
            "\u{200b}WDJB\tMJHT\0\n",
        ] {
            assert_eq!(default().read(typed), Some(code.clone()), "{typed}");
        }
        let digits = UserCodeFormat::new("#", 9).unwrap();
        assert_eq!(
            digits.read("１２３ー４５６ー７８９"),
            digits.read("123456789")
        );
        // Only what Unicode holds to be the same: no look-alike of another script.
        assert_eq!(default().read("\u{412}DJB-MJHT"), None);
    }

    #[test]
    fn every_character_is_equally_likely() {
        let format = default();
        let mut counts = std::collections::BTreeMap::new();
        for i in 0_u16..4000 {
            let mut seed = [0; 32];
            seed[..2].copy_from_slice(&i.to_be_bytes());
            for c in format
                .generate(&Seed::from_bytes(seed), 0)
                .normalized()
                .chars()
            {
                *counts.entry(c).or_insert(0_u32) += 1;
            }
        }
        assert_eq!(counts.len(), 20);
        // 32,000 draws of 20: mean 1,600, standard deviation 39; the seeds are fixed, so this never flakes.
        assert!(
            counts.values().all(|n| (1400..1800).contains(n)),
            "{counts:?}"
        );
    }

    #[test]
    fn guessable_formats_are_refused() {
        assert_eq!(UserCodeFormat::new("#", 4), Err(InvalidFormat::Weak));
        assert_eq!(UserCodeFormat::new("B", 4), Err(InvalidFormat::Weak));
        assert_eq!(UserCodeFormat::new("x", 8), Err(InvalidFormat::Class('x')));
        assert_eq!(UserCodeFormat::new("", 8), Err(InvalidFormat::Empty));
        assert_eq!(UserCodeFormat::new("B", 33), Err(InvalidFormat::Long));
        assert!(UserCodeFormat::new("#B", 8).is_ok());
        assert!(UserCodeFormat::new("#", 9).is_ok());
    }

    #[test]
    fn codes_are_displayed_in_groups_of_three_or_four() {
        let shown = |n: usize| UserCode("B".repeat(n)).formatted();
        assert_eq!(shown(9), "BBB-BBB-BBB");
        assert_eq!(shown(10), "BBBB-BBB-BBB");
        assert_eq!(shown(7), "BBBB-BBB");
    }

    proptest! {
        #[test]
        fn displayed_codes_round_trip(bytes: [u8; 32], live in 0_u64..1_000_000) {
            let format = default();
            let code = format.generate(&Seed::from_bytes(bytes), live);
            prop_assert_eq!(format.read(&code.formatted()), Some(code));
        }

        #[test]
        fn parsing_never_panics(typed in ".{0,300}") {
            let _ = default().read(&typed);
        }
    }
}
