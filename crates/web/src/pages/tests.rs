//! Properties of every page, with every sample, in every language.

mod asks;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    locale::{LOCALES, Locale},
    render::Pages,
};

const ENGLISH: Locale = Locale::FALLBACK;

/// All samples as HTML, with names for messages.
fn rendered() -> Vec<(String, String)> {
    let pages = Pages::new(None).unwrap();
    let mut all = Vec::new();
    for locale in LOCALES {
        for sample in samples() {
            let html = sample.render(&pages, *locale).unwrap();
            all.push((
                format!("{} {} {locale:?}", sample.template, sample.number),
                html,
            ));
        }
    }
    all
}

#[test]
fn every_page_renders_with_every_sample_in_every_locale() {
    let all = rendered();
    assert_eq!(all.len(), samples().len() * LOCALES.len());
    for (name, html) in all {
        assert!(html.starts_with("<!doctype html>\n<html lang=\""), "{name}");
        assert!(html.trim_end().ends_with("</html>"), "{name}");
    }
}

#[test]
fn every_page_has_one_heading_one_main_and_a_unique_title() {
    let mut titles = BTreeMap::<String, BTreeSet<&str>>::new();
    let pages = Pages::new(None).unwrap();
    for sample in samples() {
        let html = sample.render(&pages, ENGLISH).unwrap();
        for landmark in ["<h1", "<main", "<header", "<footer", "<title>"] {
            assert_eq!(
                html.matches(landmark).count(),
                1,
                "{landmark} in {}",
                sample.template
            );
        }
        titles
            .entry(between(&html, "<title>", "</title>").to_owned())
            .or_default()
            .insert(sample.template);
    }
    for (title, templates) in titles {
        assert_eq!(
            templates.len(),
            1,
            "{title:?} is the title of {templates:?}"
        );
    }
}

#[test]
fn no_page_has_inline_styles_handlers_or_scripts_except_form_post() {
    let script = format!(
        "<script src=\"{}\" defer></script>",
        assets::submit_script().path
    );
    for (name, mut html) in rendered() {
        if name.starts_with(FormPost::TEMPLATE) {
            html = html.replace("&#x2f;", "/");
            let form = "<form method=\"post\" action=\"https://orders.example.com/callback\">";
            assert_eq!(html.matches(&*script).count(), 1, "{name}");
            // Of the response to a client; a request to ourselves has no address of others.
            for allowed in [&*script, form, "value=\"https://id.example.com\""] {
                assert!(html.matches(allowed).count() <= 1, "{allowed} in {name}");
                html = html.replace(allowed, "");
            }
        }
        let lower = html.to_ascii_lowercase();
        for banned in [
            "<script",
            "<style",
            "javascript:",
            "<iframe",
            "<base",
            "http-equiv",
            "//",
        ] {
            // Neither the doctype nor the texts of samples contain these.
            assert!(!lower.contains(banned), "{banned} in {name}");
        }
        for tag in tags(&html) {
            for attribute in attributes(tag) {
                assert!(
                    !attribute.starts_with("on") && attribute != "style",
                    "{tag} in {name}"
                );
            }
        }
    }
}

#[test]
fn input_is_escaped() {
    let mut page = DeviceConfirm::samples().remove(0);
    let hostile = "<script>alert(1)</script>\" onclick=\"x' & {{ 7*7 }}";
    page.client_name = hostile.to_owned();
    page.client_id = hostile.to_owned();
    page.account.username = hostile.to_owned();
    page.form_token = hostile.to_owned();
    page.code = CodeCheck::Compare {
        code: hostile.to_owned(),
    };
    page.scopes = vec![
        ScopeLine {
            scope: hostile.to_owned(),
            text: None,
            resource: None,
        },
        ScopeLine {
            scope: "a".to_owned(),
            text: Some(hostile.to_owned()),
            resource: Some(hostile.to_owned()),
        },
    ];
    let html = Pages::new(None).unwrap().render(&page, ENGLISH).unwrap();
    assert!(!html.contains("<script"), "{html}");
    assert!(!html.contains("\" onclick"), "{html}");
    assert_eq!(
        html.matches("&lt;script&gt;").count(),
        8,
        "each is shown and escaped once: {html}"
    );
    assert!(!html.contains("&amp;lt;"), "{html}");
}

#[test]
fn the_ids_for_tests_and_styles_are_stable() {
    let mut ids = BTreeMap::<&str, BTreeSet<String>>::new();
    let pages = Pages::new(None).unwrap();
    for sample in samples() {
        let html = sample.render(&pages, ENGLISH).unwrap();
        let mut found = BTreeSet::new();
        for id in html
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(
                found.insert(id.to_owned()),
                "{id} twice in {}",
                sample.template
            );
        }
        let rows = found.into_iter().map(without_number);
        ids.entry(sample.template).or_default().extend(rows);
    }
    let account = "account your-account";
    let expected = BTreeMap::from([
        (
            "account.html",
            format!(
                "{account} app-N apps apps-heading current-password device-N devices devices-heading error \
                 everywhere everywhere-heading everywhere-text new-password no-apps no-devices notice older password password-elsewhere \
                 password-heading password-text repeated-password session-N sessions sessions-heading trace-id"
            ),
        ),
        (
            "admin_first.html",
            "code error password trace-id username".to_owned(),
        ),
        (
            "consent.html",
            format!(
                "{account} asked-again claims client-id client-name goes-to safety scopes scopes-heading whose"
            ),
        ),
        (
            "device_code.html",
            format!("{account} error hint trace-id user_code"),
        ),
        (
            "device_confirm.html",
            format!(
                "{account} browser-address claims client-id client-name code code-label details-heading device-address \
                 device-agent error network-heading network-warning safety scopes scopes-heading started trace-id user_code whose"
            ),
        ),
        ("device_done.html", format!("{account} client-name done")),
        (
            "error.html",
            "description developers developers-heading error start status trace-id".to_owned(),
        ),
        ("form_post.html", "goes-to".to_owned()),
        (
            "home.html",
            format!("{account} connect-device see-account sign-in"),
        ),
        (
            "login.html",
            "client-name error password signed-in stay stay-hint trace-id username".to_owned(),
        ),
        (
            "logout.html",
            "asked-by client-name description developers developers-heading refused status stay trace-id".to_owned(),
        ),
        (
            "signed_out.html",
            "client-name go-back sign-in-again signed-out".to_owned(),
        ),
        (
            "withheld.html",
            format!("{account} client-name whose withheld-text"),
        ),
    ]);
    for (template, found) in ids {
        let mut expected: BTreeSet<String> = expected[template]
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        expected.extend(["brand".to_owned(), "main".to_owned()]);
        assert_eq!(found, expected, "{template}");
    }
}

#[test]
fn every_field_has_a_label_and_every_error_is_announced_and_linked() {
    for (name, html) in rendered() {
        let fields: Vec<&str> = tags(&html)
            .filter(|tag| tag.starts_with("input") && !tag.contains("type=\"hidden\""))
            .collect();
        assert_eq!(fields.is_empty(), !html.contains("<label"), "{name}");
        for field in fields {
            let id = between(field, " id=\"", "\"");
            assert!(
                html.contains(&format!("<label for=\"{id}\">")),
                "{field} in {name}"
            );
            if html.contains("role=\"alert\"") {
                assert!(
                    field.contains("aria-describedby=\"error"),
                    "{field} in {name}"
                );
            }
        }
        for reference in html
            .split("aria-describedby=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            for id in reference.split(' ') {
                assert!(html.contains(&format!(" id=\"{id}\"")), "{id} in {name}");
            }
        }
    }
}

#[test]
fn only_wrong_input_is_marked_as_invalid_not_a_wait() {
    let pages = Pages::new(None).unwrap();
    for page in Login::samples() {
        let wrong = page.problem == Some(LoginProblem::WrongCredentials);
        let html = pages.render(&page, ENGLISH).unwrap();
        assert_eq!(html.contains("aria-invalid"), wrong, "{page:?}");
    }
    for page in DeviceCode::samples() {
        let wrong = page.problem == Some(DeviceCodeProblem::NotValid);
        let html = pages.render(&page, ENGLISH).unwrap();
        assert_eq!(html.contains("aria-invalid"), wrong, "{page:?}");
    }
}

#[test]
fn every_page_that_refuses_and_no_other_shows_the_trace_id() {
    for (name, html) in rendered() {
        let refuses = ["role=\"alert\"", "id=\"refused\"", "id=\"status\""];
        let refuses = refuses.iter().any(|mark| html.contains(mark));
        assert_eq!(html.contains("id=\"trace-id\""), refuses, "{name}");
    }
}

/// A page elsewhere can open any address of ours and say "hold Enter". What the address could focus must not decide.
#[test]
fn no_address_focuses_a_button() {
    for (name, html) in rendered() {
        let mut buttons = 0;
        for tag in tags(&html) {
            let is_input = tag.starts_with("input ");
            let attributes: Vec<&str> = attributes(tag).collect();
            if tag.starts_with("button") || is_input && tag.contains("type=\"submit\"") {
                buttons += 1;
                for banned in ["id", "autofocus", "accesskey", "tabindex"] {
                    assert!(!attributes.contains(&banned), "{tag} in {name}");
                }
            }
            // Enter in a field presses the button of its form.
            let decides = html.contains("name=\"decision\"");
            assert!(
                !(decides && attributes.contains(&"autofocus")),
                "{tag} in {name}"
            );
            assert!(!attributes.contains(&"accesskey"), "{tag} in {name}");
        }
        assert_eq!(buttons, html.matches("type=\"submit\"").count(), "{name}");
    }
}

/// RFC 10027 section 6.1.14: declining is as prominent as granting.
#[test]
fn deny_is_a_button_in_the_same_form_as_approve() {
    let pages = Pages::new(None).unwrap();
    for page in DeviceConfirm::samples() {
        let html = pages.render(&page, ENGLISH).unwrap();
        let decision = between(&html, "<div class=\"decision\">", "</div>");
        assert!(
            decision.contains("type=\"submit\" name=\"decision\" value=\"deny\""),
            "{decision}"
        );
        assert_eq!(
            decision.contains("value=\"approve\""),
            page.network != Network::Refused
        );
        assert_eq!(
            html.contains("id=\"network-warning\""),
            page.network != Network::Same
        );
    }
}

#[test]
fn consent_can_be_denied_as_easily_as_given() {
    let pages = Pages::new(None).unwrap();
    for page in Consent::samples() {
        let html = pages.render(&page, ENGLISH).unwrap();
        let decision = between(&html, "<div class=\"decision\">", "</div>");
        for (value, class) in [("approve", "primary"), ("deny", "deny")] {
            let button = format!(
                "<button class=\"{class}\" type=\"submit\" name=\"decision\" value=\"{value}\">"
            );
            assert!(decision.contains(&button), "{decision}");
        }
    }
}

#[test]
fn the_account_page_limits_its_rows_and_shows_how_many_more_there_are() {
    let page = AccountPage::samples().remove(2);
    let html = Pages::new(None).unwrap().render(&page, ENGLISH).unwrap();
    for (field, more) in [
        ("session", "Older entries aren’t shown."),
        ("client", "2 older entries"),
        ("grant", "40 older entries"),
    ] {
        let rows = html.matches(&format!("name=\"{field}\"")).count();
        assert_eq!(rows, MAX_ROWS, "{field}");
        assert!(html.contains(more), "{more}");
    }
}

#[test]
fn a_code_that_must_be_retyped_is_not_on_the_page() {
    let pages = Pages::new(None).unwrap();
    let mut page = DeviceConfirm::samples().remove(0);
    assert!(pages.render(&page, ENGLISH).unwrap().contains("WDJB-MJHT"));
    page.code = CodeCheck::Retype {
        wrong: true,
        typed: String::new(),
    };
    assert!(!pages.render(&page, ENGLISH).unwrap().contains("WDJB"));
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("{start} in {text}"));
    rest.split_once(end).unwrap().0
}

/// `session-12` becomes `session-N`.
fn without_number(id: String) -> String {
    let stem = id.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() < id.len() {
        format!("{stem}N")
    } else {
        id
    }
}

fn without(text: &str, start: &str, end: &str) -> String {
    let mut rest = String::new();
    for piece in text.split(start) {
        rest.push_str(piece.split_once(end).map_or(piece, |(_, after)| after));
    }
    rest
}

fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(tag, _)| tag)
        .map(|tag| tag.trim())
}

/// Only the names. No attribute value of the templates contains a space before an equals sign.
fn attributes(tag: &str) -> impl Iterator<Item = &str> {
    tag.split_whitespace()
        .skip(1)
        .filter_map(|part| part.split('=').next())
}
