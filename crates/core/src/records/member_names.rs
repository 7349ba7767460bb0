//! Compares the member names of two encodings of a record, without decoding them: most updates change values alone.

use super::unknown_members::{MIN_WRITER, TAG};

/// Whether every member of the JSON `stored` is in `new`, too, or ends with the state of a tagged object. Only the
/// compact form that serde writes is understood; `false` for anything else. One pass, where their members have the same
/// order.
pub(super) fn none_missing(mut stored: &[u8], mut new: &[u8]) -> bool {
    value(&mut stored, &mut new).is_some() && stored.is_empty()
}

/// Takes a value from both.
fn value(stored: &mut &[u8], new: &mut &[u8]) -> Option<()> {
    match (stored.first()?, new.first()?) {
        (b'{', b'{') => object(stored, new),
        (b'[', b'[') => {
            let (stored, new) = (take_value(stored)?, take_value(new)?);
            (stored == new || !stored.contains(&b'{')).then_some(())
        }
        _ => take_value(stored).and(take_value(new)).map(drop),
    }
}

fn object(stored: &mut &[u8], new: &mut &[u8]) -> Option<()> {
    let whole = (*stored, *new);
    (*stored, *new) = (stored.get(1..)?, new.get(1..)?);
    let mut aligned = true;
    while stored.first()? != &b'}' {
        let name = take_name(stored)?;
        let next = *new;
        if aligned && take_name(new) == Some(name) {
            value(stored, new)?;
            continue;
        }
        *new = next;
        aligned = false;
        let tag = TAG.as_bytes();
        let ends = member(whole.0, tag) != member(whole.1, tag) && name != MIN_WRITER.as_bytes();
        match stored.first()? {
            b'{' | b'[' => match member(whole.1, name) {
                Some(mut found) => value(stored, &mut found)?,
                None if ends => drop(take_value(stored)?),
                None => return None,
            },
            _ if ends || member(whole.1, name).is_some() => drop(take_value(stored)?),
            _ => return None,
        }
    }
    *stored = stored.get(1..)?;
    if aligned && new.first()? == &b'}' {
        *new = new.get(1..)?;
        return Some(());
    }
    *new = whole.1;
    take_value(new).map(drop)
}

fn member<'a>(mut object: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    object = object.get(1..)?;
    loop {
        let name = take_name(&mut object)?;
        let value = take_value(&mut object)?;
        if name == wanted {
            return Some(value);
        }
    }
}

/// A member's name as it is escaped, with the comma before it and the colon after it.
fn take_name<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let start = rest.strip_prefix(b",").unwrap_or(rest);
    let (name, after) = start.split_at_checked(end_of_string(start)?)?;
    *rest = after.strip_prefix(b":")?;
    name.get(1..name.len() - 1)
}

fn take_value<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (value, after) = rest.split_at_checked(end_of_value(rest)?)?;
    *rest = after;
    Some(value)
}

fn end_of_string(text: &[u8]) -> Option<usize> {
    let mut bytes = text.strip_prefix(b"\"")?.iter();
    loop {
        match bytes.next()? {
            b'"' => return Some(text.len() - bytes.as_slice().len()),
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

fn end_of_value(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match text.get(at)? {
            b' ' | b'\n' | b'\r' | b'\t' => return None,
            b'"' => at += end_of_string(text.get(at..)?)?,
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' if depth > 0 => (at, depth) = (at + 1, depth - 1),
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
