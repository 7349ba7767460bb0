//! Rust source as tokens, without comments and literals: enough to find the paths in it.

/// A word or a sign, and its line. `::` is one sign, and every other sign one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let (length, is_token) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), false)
        } else if rest.starts_with("/*") {
            (block_comment(rest), false)
        } else if let Some(length) = string(rest) {
            (length, false)
        } else if first == '\'' {
            (character(rest), false)
        } else if is_word(first) {
            (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), true)
        } else if rest.starts_with("::") {
            (2, true)
        } else {
            (first.len_utf8(), !first.is_whitespace())
        };
        let text = &rest[..length];
        if is_token {
            tokens.push(Token { text, line });
        }
        line += text.matches('\n').count();
        at += length;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a block comment; they nest.
fn block_comment(source: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < source.len() {
        let rest = &source.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    source.len()
}

/// The length of a string, raw or not, if one begins here.
fn string(source: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let rest = source.strip_prefix(prefix);
        let rest = rest.map(|rest| match prefix.ends_with('r') {
            true => rest.trim_start_matches('#'),
            false => rest,
        });
        rest.is_some_and(|rest| rest.starts_with('"'))
    })?;
    let body = &source[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let from = hashes + 1;
        let length = body[from..].find(&end).map(|at| from + at + end.len());
        return Some(prefix.len() + length.unwrap_or(body.len()));
    }
    let mut escaped = false;
    let end = body.char_indices().skip(1).find(|(_, c)| {
        let is_end = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        is_end
    });
    Some(end.map_or(source.len(), |(at, _)| prefix.len() + at + 1))
}

/// The length of a character, or of the sign that begins a lifetime.
fn character(source: &str) -> usize {
    let mut characters = source.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        // The character after the backslash may be a quote.
        (Some((_, '\\')), Some((escaped, _))) => source[escaped + 1..]
            .find('\'')
            .map_or(source.len(), |end| escaped + 1 + end + 1),
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;

    fn words(source: &str) -> Vec<&str> {
        tokens(source).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_are_left_out() {
        assert_eq!(
            words("a // crate::b\n/* crate::c /* d */ e */ f \"crate::g \\\" h\" i"),
            ["a", "f", "i"]
        );
        assert_eq!(
            words("r#\"crate::a \" b\"# c b\"d\" r\"\\\" e br##\"\"# f\"## g"),
            ["c", "e", "g"]
        );
        assert_eq!(
            words("'\"' a '\\'' b '\\u{27}' c &'d e 'é' f"),
            ["a", "b", "c", "&", "d", "e", "f"]
        );
    }

    #[test]
    fn a_path_is_words_and_separators_with_their_lines() {
        let found = tokens("use crate::{\n    a,\n};\n\"x\ny\" b");
        let found: Vec<_> = found.iter().map(|token| (token.text, token.line)).collect();
        assert_eq!(
            found,
            [
                ("use", 1),
                ("crate", 1),
                ("::", 1),
                ("{", 1),
                ("a", 2),
                (",", 2),
                ("}", 3),
                (";", 3),
                ("b", 5)
            ]
        );
    }
}
