//! Sealed tokens: only exactly what we sealed can be opened.

use std::sync::LazyLock;

use grantor_core::base::sealing::{MasterKey, SealingKeys};
use grantor_core::base::time::Timestamp;
use grantor_core::model::ids::{GrantId, SessionId, UserId};
use grantor_core::tokens::handles::Code;
use grantor_core::tokens::handles::RefreshToken;
use grantor_core::tokens::handles::SessionCookie;

/// Fixed keys: the corpus contains tokens that they sealed.
static KEYS: LazyLock<SealingKeys> = LazyLock::new(|| {
    let [current, older] = [[1; 32], [2; 32]].map(MasterKey::new);
    SealingKeys::new("default", &current, &[older])
});

/// A text that can be opened is the only text for its contents, and is of one kind only.
pub fn sealed(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let keys = &*KEYS;
    let device = keys.open_device_code(text);
    let authorization = keys.open_authorization_code(text);
    let refresh = keys.open_refresh_token(text);
    let session = keys.open_session_cookie(text);
    let access = keys.open_access_token(text);
    if let Some(code) = &device {
        assert_eq!(keys.device_code(code), text);
    }
    if let Some(code) = &authorization {
        assert_eq!(keys.authorization_code(code), text);
    }
    if let Some(token) = &refresh {
        assert_eq!(keys.refresh_token(token), text);
    }
    if let Some(cookie) = &session {
        assert_eq!(keys.session_cookie(cookie), text);
    }
    let known = keys.open_known_browser(text);
    if let Some(known) = &known {
        assert_eq!(keys.known_browser(known), text);
    }
    let opened = [
        device.is_some(),
        authorization.is_some(),
        refresh.is_some(),
        session.is_some(),
        access.is_some(),
        known.is_some(),
    ];
    assert!(opened.iter().filter(|opened| **opened).count() <= 1);
    assert!(!keys.accepts_form_token(b"an action", text));
}

/// A sealed token can be opened as its own kind only, and no longer when one byte changes. The input selects the kind, the
/// contents, and the change.
pub fn tampered(input: &[u8]) {
    let Some((head, content)) = input.split_at_checked(4) else {
        return;
    };
    let mut bytes = [0; 16];
    let length = content.len().min(16);
    bytes[..length].copy_from_slice(&content[..length]);
    let (number, keys) = (u64::from_le_bytes([7; 8]) ^ u64::from(bytes[0]), &*KEYS);
    let opens: [fn(&SealingKeys, &str) -> bool; 5] = [
        |keys, text| keys.open_device_code(text).is_some(),
        |keys, text| keys.open_refresh_token(text).is_some(),
        |keys, text| keys.open_session_cookie(text).is_some(),
        |keys, text| keys.open_access_token(text).is_some(),
        |keys, text| keys.open_authorization_code(text).is_some(),
    ];
    let kind = usize::from(head[0]) % opens.len();
    let code = Code {
        grant: GrantId::from_bytes(bytes),
        expires_at: Timestamp::from_millis(number),
        client: [bytes[15]; 8],
    };
    let text = match kind {
        0 => keys.device_code(&code),
        4 => keys.authorization_code(&code),
        1 => keys.refresh_token(&RefreshToken {
            grant: GrantId::from_bytes(bytes),
            generation: u32::from(bytes[1]),
        }),
        2 => keys.session_cookie(&SessionCookie {
            id: SessionId::from_bytes(bytes),
            user: UserId::from_bytes(bytes),
            secret: bytes,
        }),
        _ => match keys.access_token(content.to_vec(), [3; 12]) {
            Some(text) => text,
            None => return,
        },
    };
    // Longer texts are not opened, which limits the work that a request can cause.
    let too_long = text.len() > 8 * 1024;
    for (other, open) in opens.iter().enumerate() {
        assert_eq!(
            open(keys, &text),
            other == kind && !too_long,
            "{kind} as {other}"
        );
    }
    let mut bytes = text.clone().into_bytes();
    let at = usize::from(u16::from_be_bytes([head[1], head[2]])) % bytes.len();
    bytes[at] ^= head[3];
    if let Ok(changed) = String::from_utf8(bytes)
        && changed != text
    {
        assert!(
            !opens.iter().any(|open| open(keys, &changed)),
            "changed at {at}: {changed}"
        );
    }
    let cut = text.split_at(at).0;
    assert!(!opens.iter().any(|open| open(keys, cut)), "cut at {at}");
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_corpus_contains_a_complete_token_of_each_kind() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/sealed");
        let grant = GrantId::from_bytes([3; 16]);
        let texts = [
            KEYS.device_code(&Code {
                grant,
                expires_at: Timestamp::from_secs(9),
                client: [1; 8],
            }),
            KEYS.refresh_token(&RefreshToken {
                grant,
                generation: 7,
            }),
            KEYS.session_cookie(&SessionCookie {
                id: SessionId::from_bytes([4; 16]),
                user: UserId::from_bytes([5; 16]),
                secret: [6; 16],
            }),
            KEYS.access_token(b"{}".to_vec(), [3; 12]).unwrap(),
        ];
        let files = fs::read_dir(folder).unwrap();
        let corpus: Vec<_> = files
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        let missing: Vec<_> = texts.iter().filter(|text| !corpus.contains(text)).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
