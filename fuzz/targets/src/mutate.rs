//! Changes of an input: bits, bytes, words, pieces of others, and extremes of length.

use crate::chance::Chance;

/// What readers treat in a way of their own.
const BYTES: &[u8] = b"\0\x01\x7f\x80\xff \n\r\t\"'\\/%&+=.:-_09azAZ[]{}";
/// Longer ones are cut, but for the extremes.
const USUAL: usize = 4096;
/// Beyond every limit on lengths.
const EXTREME: usize = 70_000;

/// One of `kept`, changed in up to six places.
pub(crate) fn changed(kept: &[Vec<u8>], words: &[&str], chance: &mut Chance) -> Vec<u8> {
    let mut input = if kept.is_empty() {
        Vec::new()
    } else {
        chance.of(kept).clone()
    };
    for _ in 0..=chance.below(6) {
        change(&mut input, kept, words, chance);
    }
    input.truncate(USUAL);
    // Rare, since such inputs are slow.
    if chance.below(1000) == 0 && !input.is_empty() {
        let piece = input.clone();
        let length = chance.below(EXTREME);
        input = piece.into_iter().cycle().take(length).collect();
    }
    input
}

fn change(input: &mut Vec<u8>, kept: &[Vec<u8>], words: &[&str], chance: &mut Chance) {
    let at = chance.below(input.len() + 1);
    let end = at + chance.below(input.len() - at + 1).min(64);
    match chance.below(8) {
        0 if at < input.len() => input[at] ^= 1 << chance.below(8),
        1 if at < input.len() => input[at] = *chance.of(BYTES),
        2 => input.insert(at, *chance.of(BYTES)),
        3 => drop(input.drain(at..end)),
        4 => {
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
        5 if !kept.is_empty() => {
            let other = chance.of(kept);
            let from = chance.below(other.len() + 1);
            input.splice(at..end, other[from..].iter().copied());
        }
        6 => input.truncate(at),
        _ => {
            input.splice(at..at, chance.of(words).bytes());
        }
    }
}
