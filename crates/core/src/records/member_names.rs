//! Compares the member names of two encodings of a record, without decoding them: most updates change values alone.

use super::unknown_members::{MIN_WRITER, TAG};

/// Whether every member of the JSON `stored` is in `new`, too, or ends with the state of a tagged object. Only the
/// compact form that serde writes is understood; `false` for anything else.
pub(super) fn none_missing(stored: &[u8], new: &[u8]) -> bool {
    compare(stored, new).is_some()
}

fn compare(stored: &[u8], new: &[u8]) -> Option<()> {
    match (stored.first()?, new.first()?) {
        (b'{', b'{') => {
            let same_state = member(stored, TAG) == member(new, TAG);
            let mut members = Members(stored.get(1..)?);
            for (name, value) in members.by_ref() {
                match member(new, name) {
                    Some(new) => compare(value, new)?,
                    None if same_state || name == MIN_WRITER.as_bytes() => return None,
                    None => {}
                }
            }
            (members.0 == b"}").then_some(())
        }
        (b'[', b'[') => (stored == new || !stored.contains(&b'{')).then_some(()),
        (first, _) => (!first.is_ascii_whitespace()).then_some(()),
    }
}

fn member<'a>(object: &'a [u8], name: impl AsRef<[u8]>) -> Option<&'a [u8]> {
    let mut members = Members(object.get(1..)?);
    let found = members.find(|(found, _)| *found == name.as_ref());
    found.map(|(_, value)| value)
}

/// The members of an object, from what follows its brace: names as they are escaped, and values.
struct Members<'a>(&'a [u8]);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.strip_prefix(b",").unwrap_or(self.0);
        let (name, rest) = rest.split_at_checked(end_of_string(rest)?)?;
        let rest = rest.strip_prefix(b":")?;
        let (value, rest) = rest.split_at_checked(end_of_value(rest)?)?;
        self.0 = rest;
        Some((name.get(1..name.len() - 1)?, value))
    }
}

fn end_of_string(text: &[u8]) -> Option<usize> {
    let mut bytes = text.iter().enumerate();
    if bytes.next()?.1 != &b'"' {
        return None;
    }
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    None
}

fn end_of_value(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match text.get(at)? {
            b'"' => at += end_of_string(&text[at..])?,
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' if depth > 0 => (at, depth) = (at + 1, depth - 1),
            _ if depth > 0 => at += 1,
            b',' | b'}' | b']' => return Some(at),
            _ => at += 1,
        }
        if depth == 0 && matches!(text.get(at), None | Some(b',' | b'}' | b']')) {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::none_missing;

    #[test]
    fn only_members_that_are_missing_for_certain_reasons_may_be_missing() {
        let new =
            br#"{"a":"x\"}{","b":{"c":1,"d":[1]},"state":{"is":"new","kept":{"e":0}},"f":null}"#;
        for (stored, expected) in [
            (r#"{}"#, true),
            (r#"{"a":1,"b":2}"#, true),
            (r#"{"f":"\"}","b":{"d":[2,3],"c":"}"},"a":"b"}"#, true),
            (r#"{"b":{"c":1,"g":1}}"#, false),
            (r#"{"a":"}","g":1}"#, false),
            (r#"{"b":{"d":[{}]}}"#, false),
            (r#"{"min_writer":2}"#, false),
            (
                r#"{"state":{"is":"old","gone":{"g":0},"kept":{"e":0}}}"#,
                true,
            ),
            (r#"{"state":{"is":"old","kept":{"e":0,"g":0}}}"#, false),
            (r#"{"state":{"is":"new","kept":{"e":0},"g":0}}"#, false),
            (r#"{ "a":1}"#, false),
            (r#"{"a":1, "g":1}"#, false),
            (r#"{"b": {"g":1}}"#, false),
            (r#"{"a" :1}"#, false),
            (r#"{"a":1"#, false),
            (r#"{"a":"1"#, false),
            ("", false),
        ] {
            assert_eq!(none_missing(stored.as_bytes(), new), expected, "{stored}");
        }
    }
}
