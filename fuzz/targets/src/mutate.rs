//! Mutations of an input: bits, bytes, dictionary words, parts of other inputs, and extreme lengths.

use crate::random::Random;

/// Bytes that parsers often treat specially.
const SPECIAL_BYTES: &[u8] = b"\0\x01\x7f\x80\xff \n\r\t\"'\\/%&+=.:-_09azAZ[]{}";
/// Longer inputs are cut, except the extreme ones.
const MAX_USUAL_BYTES: usize = 4096;
/// More than any limit on lengths.
const MAX_EXTREME_BYTES: usize = 70_000;

/// An input of the corpus, changed in up to six places.
pub(crate) fn mutated(corpus: &[Vec<u8>], dictionary: &[&str], random: &mut Random) -> Vec<u8> {
    let mut input = if corpus.is_empty() {
        Vec::new()
    } else {
        random.choose(corpus).clone()
    };
    for _ in 0..=random.below(6) {
        mutate(&mut input, corpus, dictionary, random);
    }
    input.truncate(MAX_USUAL_BYTES);
    // Rarely, because such inputs are slow.
    if random.below(1000) == 0 && !input.is_empty() {
        let piece = input.clone();
        let length = random.below(MAX_EXTREME_BYTES);
        input = piece.into_iter().cycle().take(length).collect();
    }
    input
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], dictionary: &[&str], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let end = at + random.below(input.len() - at + 1).min(64);
    match random.below(8) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = *random.choose(SPECIAL_BYTES),
        2 => input.insert(at, *random.choose(SPECIAL_BYTES)),
        3 => drop(input.drain(at..end)),
        4 => {
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
        5 if !corpus.is_empty() => {
            let other = random.choose(corpus);
            let from = random.below(other.len() + 1);
            input.splice(at..end, other[from..].iter().copied());
        }
        6 => input.truncate(at),
        _ => {
            input.splice(at..at, random.choose(dictionary).bytes());
        }
    }
}
