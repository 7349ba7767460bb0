//! An estimate of how hard a chosen secret is to guess. It finds what is plainly weak; it cannot find what only looks
//! random.

/// Shorter secrets are weak, whatever they are.
const MIN_CHARS: usize = 22;
/// In quarters of a bit. At a million guesses a second, 64 bits last for 300,000 years.
const MIN_QUARTER_BITS: u32 = 64 * 4;

/// Neighbours here follow each other as letters of the alphabet do.
const KEYBOARD_ROWS: [&str; 5] = [
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
];
const WORDS: [&str; 14] = [
    "password", "passwort", "passw0rd", "secret", "changeme", "change", "default", "example",
    "grantor", "client", "admin", "token", "oauth", "test",
];

/// Whether guesses must be limited: the secret is short, or repeats itself, follows an alphabet or a keyboard, or consists
/// of words that people put into secrets.
pub(super) fn is_weak(secret: &str) -> bool {
    let chars: Vec<char> = secret.chars().collect();
    chars.len() < MIN_CHARS || quarter_bits(&chars) < MIN_QUARTER_BITS
}

/// A character that follows from those before it counts for nothing, each other as one of as many as there are different
/// ones in the secret.
fn quarter_bits(chars: &[char]) -> u32 {
    let mut different = chars.to_vec();
    different.sort_unstable();
    different.dedup();
    // At most 64: secrets of more characters than that are strong anyway.
    let each = different.len().clamp(1, 64).pow(4).ilog2();
    let lower: Vec<char> = chars.iter().map(char::to_ascii_lowercase).collect();
    let in_word = in_words(&lower);
    let surprises = (0..chars.len())
        .filter(|&at| !in_word[at] && !continues_a_row(&lower, at) && !repeats(&lower, at));
    u32::try_from(surprises.count()).map_or(u32::MAX, |count| count.saturating_mul(each))
}

fn in_words(chars: &[char]) -> Vec<bool> {
    let mut inside = vec![false; chars.len()];
    for word in WORDS {
        let word: Vec<char> = word.chars().collect();
        for at in 0..chars.len() {
            if chars[at..].starts_with(&word) {
                inside[at..at + word.len()].fill(true);
            }
        }
    }
    inside
}

/// As in `aaa`, `abc`, `321` and `wer`.
fn continues_a_row(chars: &[char], at: usize) -> bool {
    at >= 2 && follows(chars[at - 2], chars[at - 1]) && follows(chars[at - 1], chars[at])
}

fn follows(before: char, after: char) -> bool {
    let neighbours = |row: &str| {
        let position = |char| row.chars().position(|other| other == char);
        matches!((position(before), position(after)), (Some(a), Some(b)) if a.abs_diff(b) == 1)
    };
    u32::from(before).abs_diff(u32::from(after)) <= 1 || KEYBOARD_ROWS.into_iter().any(neighbours)
}

/// Whether this character and the two before it came before.
fn repeats(chars: &[char], at: usize) -> bool {
    at >= 3
        && chars[..at]
            .windows(3)
            .any(|three| three == &chars[at - 2..=at])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plainly_weak_secrets_are_found_whatever_their_length() {
        for weak in [
            "hunter2",
            "aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnopqrstuvwxyz",
            "zyxwvutsrqponmlkjihgfedcba9876543210",
            "0123456789012345678901234567890123456789",
            "qwertyuiopasdfghjklzxcvbnm",
            "passwordpasswordpassword",
            "abcabcabcabcabcabcabcabcabc",
            "x1y2x1y2x1y2x1y2x1y2x1y2x1y2x1y2",
            "my-client-secret-password-test",
            "ChangeMe-ChangeMe-ChangeMe-ChangeMe",
            "                                    ",
            "ééééééééééééééééééééééééééé",
        ] {
            assert!(is_weak(weak), "{weak}");
        }
        assert!(is_weak(&"a".repeat(10_000)));
    }

    #[test]
    fn random_secrets_of_the_usual_tools_are_strong() {
        for strong in [
            // openssl rand -hex 32, -hex 16, -base64 24; uuidgen; pwgen -s 24
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "e3b0c44298fc1c149afbf4c8996fb924",
            "3q2+7wV4mKpX0fZ1uQeT9sLbYc6HgJrN",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            "Xk29vTq8LzRw4mNbYc7PsJ3d",
        ] {
            assert!(!is_weak(strong), "{strong}");
        }
    }

    proptest! {
        #[test]
        fn random_letters_and_digits_are_strong(secret in "[A-Za-z0-9]{26}") {
            prop_assert!(!is_weak(&secret));
        }
    }
}
