//! All text for users is in `locales/`, and all languages have the same messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::{ENGLISH, between, without};
use crate::{
    locale::{LOCALES, Locale},
    pages::{ErrorPage, PageError, TEMPLATES},
    render::{Page, Pages},
};

#[test]
fn templates_contain_no_text() {
    for (name, source) in TEMPLATES {
        let markup = without(
            &without(&without(source, "{#", "#}"), "{%", "%}"),
            "{{",
            "}}",
        );
        let text = without(&markup, "<", ">");
        assert!(
            !text.contains(char::is_alphabetic),
            "{name}: {:?}",
            text.trim()
        );
        for attribute in ["alt=\"", "title=\"", "placeholder=\"", "aria-label=\""] {
            for value in markup
                .split(attribute)
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
            {
                assert!(value.is_empty(), "{name}: {attribute}{value}\"");
            }
        }
    }
}

#[test]
fn every_message_is_used_and_every_message_used_exists() {
    let used: BTreeSet<&str> = TEMPLATES
        .iter()
        .flat_map(|(_, source)| source.split("t(\"").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let known = messages(ENGLISH);
    let known: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    assert_eq!(used, known);
}

#[test]
fn every_locale_has_the_messages_arguments_and_cases_of_english() {
    let english = messages(ENGLISH);
    for locale in LOCALES {
        assert_eq!(messages(*locale), english, "{locale:?}");
    }
}

/// A message that was not translated would otherwise go unnoticed.
#[test]
fn no_locale_has_an_english_sentence_or_the_same_text_for_two_errors() {
    let sentences = |locale: Locale| -> Vec<String> {
        let lines = source(locale);
        let pattern = |line: &str| Some(line.trim().split_once([']', '='])?.1.trim().to_owned());
        lines.lines().filter_map(pattern).collect()
    };
    let english: BTreeSet<String> = sentences(ENGLISH).into_iter().collect();
    for locale in LOCALES.iter().filter(|locale| **locale != ENGLISH) {
        for sentence in sentences(*locale) {
            let words = sentence
                .split_whitespace()
                .filter(|word| word.len() > 2 && word.chars().all(char::is_alphabetic));
            assert!(
                words.count() < 2 || !english.contains(&sentence),
                "{locale:?}: {sentence}"
            );
        }
    }
    for locale in LOCALES {
        assert_eq!(
            error_texts(*locale).len(),
            PageError::ALL.len(),
            "{locale:?}"
        );
    }
}

/// Only samples contain names of clients and users.
#[test]
fn the_code_of_pages_contains_no_sentences() {
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages")).unwrap() {
        let path = entry.unwrap().path();
        // The value of a header, and the tests.
        if ["policy.rs", "tests.rs", "tests"]
            .iter()
            .any(|name| path.ends_with(name))
        {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: Vec<&str> = code
            .lines()
            .map(|line| line.split("//").next().unwrap())
            .collect();
        let code = without(&code.join("\n"), "fn sample", "\n    }");
        for literal in code.split('"').skip(1).step_by(2) {
            let words = literal.split(' ').filter(|word| {
                word.len() > 1 && word.chars().all(|c| c.is_lowercase() || ".,?!".contains(c))
            });
            assert!(words.count() < 2, "{}: {literal:?}", path.display());
        }
    }
}

/// The distinct titles and texts of the error pages.
fn error_texts(locale: Locale) -> BTreeSet<(String, String)> {
    let pages = Pages::new(None).unwrap();
    let text = |page: &ErrorPage| {
        let html = pages.render(page, locale).unwrap();
        (
            between(&html, "<h1>", "</h1>").to_owned(),
            between(&html, "id=\"error\">", "<").to_owned(),
        )
    };
    ErrorPage::samples().iter().map(text).collect()
}

fn source(locale: Locale) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/locales");
    fs::read_to_string(format!("{folder}/{}.ftl", locale.tag())).unwrap()
}

/// The messages of a language with their arguments and cases. Plural cases are left out, since they differ by language.
fn messages(locale: Locale) -> BTreeMap<String, BTreeSet<String>> {
    const NUMBERS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];
    let mut all = BTreeMap::<String, BTreeSet<String>>::new();
    let mut key = String::new();
    for line in source(locale).lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, _)) = line.split_once(" = ")
            && line.starts_with(|c: char| c.is_ascii_lowercase())
        {
            key = name.to_owned();
            assert!(!all.contains_key(&key), "{key} twice in {locale:?}");
            all.insert(key.clone(), BTreeSet::new());
        }
        let parts = all.entry(key.clone()).or_default();
        let until = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let arguments = line.split('$').skip(1);
        parts.extend(arguments.filter_map(|rest| Some(format!("${}", rest.split(until).next()?))));
        let case = line.trim_start();
        if let Some((case, _)) = case.split_once(']')
            && let Some((mark, case)) = case.split_once('[')
            && !NUMBERS.contains(&case)
        {
            parts.insert(format!("{mark}[{case}]"));
        }
    }
    all.remove("");
    all
}
