//! What people type or paste into our forms: control characters get the form's usual answer, and what was typed stays.

use grantor_testkit::server::{Browser, Form, TestServer};

const PASTED: [&str; 6] = ["\t", "\n", "\0", "\u{7f}", "\u{85}", "\u{200b}"];

async fn sign_in(browser: &mut Browser<'_>, username: &str, password: &str) -> (u16, String) {
    let answer = browser.sign_in(username, password).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_pasted_control_character_is_a_wrong_name_or_password() {
    let server = TestServer::new().await;
    for pasted in PASTED {
        let name = format!("al{pasted}ice");
        let password = format!("alice-{pasted}password");
        for (name, password) in [(name.as_str(), "alice-password"), ("alice", &password)] {
            let (status, body) = sign_in(&mut server.browser(), name, password).await;
            assert_eq!(status, 400, "{pasted:?}");
            assert!(body.contains("Wrong username"), "{pasted:?}: {body}");
        }
    }
    // Around a name they count no more than spaces do.
    let (status, _) = sign_in(&mut server.browser(), "\talice\r\n", "alice-password").await;
    assert_eq!(status, 303);
}

#[tokio::test]
async fn what_was_typed_is_shown_again_without_what_cannot_be_seen() {
    let server = TestServer::new().await;
    let typed = format!("al\0\u{1b}\"><i>{}", "x".repeat(5_000));
    let (_, body) = sign_in(&mut server.browser(), &typed, "wrong").await;
    assert!(body.contains("value=\"al&quot;&gt;&lt;i&gt;xxx"), "{body}");
    assert!(!body.contains(&"x".repeat(257)), "it is bounded");
    assert!(!body.contains('\0') && !body.contains('\u{1b}'));
}

#[tokio::test]
async fn a_pasted_control_character_in_a_new_password_is_no_malformed_request() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.get("/login").await;
    assert_eq!(page.status, 200);
    let form = Form {
        action: "/account/password".to_owned(),
        fields: [
            ("current", "a\tb"),
            ("new", "new\npassword"),
            ("repeated", "new\npassword"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
    };
    // Its token is missing, and that is all that is wrong with it.
    let answer = alice.submit(form).await;
    assert_eq!(answer.header("location"), "/account?notice=stale");
}

#[tokio::test]
async fn a_wrong_device_code_stays_in_its_field() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.type_code("WDJB-MJHX").await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("value=\"WDJB-MJHX\""), "{page:?}");
    let hostile = format!("\"><b>\0\n{}", "B".repeat(5_000));
    let page = alice.type_code(&hostile).await;
    assert_eq!(page.status, 400, "{page:?}");
    assert!(
        page.body.contains("value=\"&quot;&gt;&lt;b&gt;BBB"),
        "{page:?}"
    );
    assert!(!page.body.contains(&"B".repeat(65)), "it is bounded");
    assert!(!page.body.contains('\0'));
}

/// As Japanese keyboards write it, and as it comes from a mail.
#[tokio::test]
async fn a_code_in_full_width_letters_or_with_pasted_characters_is_the_code() {
    let server = TestServer::new().await;
    let wide = |code: &str| -> String {
        let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0);
        code.chars().filter_map(wide).collect()
    };
    for typed in [wide, |code: &str| format!("\t{code}\u{200b}\r\n")] {
        let codes = server.device_codes("tv").await;
        let mut alice = server.signed_in("alice").await;
        let page = alice.type_code(&typed(&codes.user)).await;
        assert_eq!(page.status, 200, "{page:?}");
    }
}

/// RFC 8265: the same letters, however the keyboard writes them.
#[tokio::test]
async fn a_password_counts_however_its_letters_are_composed() {
    let server = TestServer::new().await;
    let hash = async |password: &str| {
        let password = grantor_core::base::secret::Secret::new(password);
        server.app.hash_password(password).await.expect("a worker")
    };
    for (name, stored) in [("zoe", "pa\u{30a}ss word"), ("yves", "påss\u{a0}word")] {
        let add = grantor_core::people::AddUser {
            username: name.to_owned(),
            password: hash(stored).await,
            groups: Vec::new(),
            organization: None,
            email: None,
        };
        let added = server.app.run(add).await.expect("a store that answers");
        added.reply.expect("no OAuth error");
        for typed in ["påss word", "pa\u{30a}ss\u{3000}word", stored] {
            let (status, _) = sign_in(&mut server.browser(), name, typed).await;
            assert_eq!(status, 303, "{typed}");
        }
        for wrong in ["pass word", "Påss word", "påssword"] {
            let (status, _) = sign_in(&mut server.browser(), name, wrong).await;
            assert_eq!(status, 400, "{wrong}");
        }
    }
}
