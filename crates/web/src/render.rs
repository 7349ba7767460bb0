//! The template engine: embedded templates, the operator's overrides, and the check that all of them render.
//!
//! [`Pages::new`] renders every page with every sample in every language. A template that uses an unknown value or message
//! is thus an error at start, with its file and line.

use std::{
    collections::HashMap,
    error::Error as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::{
    Environment, ErrorKind, HtmlEscape, UndefinedBehavior,
    syntax::SyntaxConfig,
    value::{Kwargs, Serde, Value, ValueKind},
};
use serde::Serialize;

use crate::{
    locale::{LOCALES, Locale, MessageError, Messages},
    pages::{self, assets},
};

/// The limit for one page, in engine instructions. The longest account page fits, with a hundred scopes per row, and an
/// override cannot block a thread for more than some tens of milliseconds.
const MAX_INSTRUCTIONS: u64 = 500_000;

/// The values of a page, for its template.
pub trait Page: Serialize {
    const TEMPLATE: &'static str;

    /// One value for each variant of the page. Together they must cover every branch of the template.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

pub struct Pages {
    engines: Vec<(Locale, Environment<'static>)>,
}

#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// A template does not parse, or does not render with its samples.
    #[error("{file}:{line}: {reason}")]
    Template {
        /// The template's name, or its path if it is an override.
        file: String,
        /// From 1; 0 if unknown.
        line: usize,
        reason: String,
    },
    /// An override with this name would never be used.
    #[error("{path}: no template has this name; the templates are {available}")]
    NoSuchTemplate { path: String, available: String },
    /// The folder of overrides or a file in it.
    #[error("{path} cannot be read")]
    Unreadable {
        path: String,
        source: std::io::Error,
    },
    #[error(transparent)]
    Messages(#[from] MessageError),
}

/// An override that fails on a value that no sample has.
#[derive(Debug, thiserror::Error)]
#[error("{template} cannot be rendered")]
pub struct RenderError {
    template: &'static str,
    source: minijinja::Error,
}

impl Pages {
    /// Loads and checks every page. A file in `overrides` replaces the embedded template of the same name.
    ///
    /// # Errors
    /// [`PagesError`]; the first one found.
    pub fn new(overrides: Option<&Path>) -> Result<Self, PagesError> {
        let overrides = overrides
            .map(read_overrides)
            .transpose()?
            .unwrap_or_default();
        let mut pages = Self {
            engines: Vec::with_capacity(LOCALES.len()),
        };
        for locale in LOCALES {
            let mut engine = engine(*locale, &overrides)?;
            // Only for the check: errors then include the source, to name what is missing.
            engine.set_debug(true);
            render_samples(&engine, &overrides)?;
            engine.set_debug(false);
            pages.engines.push((*locale, engine));
        }
        Ok(pages)
    }

    /// Renders the page as HTML.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn render<P: Page>(&self, page: &P, locale: Locale) -> Result<String, RenderError> {
        self.render_context(P::TEMPLATE, Value::from(Serde(page)), locale)
    }

    pub(crate) fn render_context(
        &self,
        template: &'static str,
        context: Value,
        locale: Locale,
    ) -> Result<String, RenderError> {
        let engine = self
            .engines
            .iter()
            .find_map(|(other, engine)| (*other == locale).then_some(engine))
            // Unreachable: every `Locale` comes from `LOCALES`.
            .unwrap_or(&self.engines[0].1);
        engine
            .get_template(template)
            .and_then(|template| template.render(context))
            .map_err(|source| RenderError { template, source })
    }
}

/// By the name of the template that is replaced.
type Overrides = HashMap<&'static str, Override>;

struct Override {
    path: PathBuf,
    source: String,
}

fn read_overrides(folder: &Path) -> Result<Overrides, PagesError> {
    let unreadable = |path: &Path, source| PagesError::Unreadable {
        path: path.display().to_string(),
        source,
    };
    let mut overrides = Overrides::new();
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(folder, e))? {
        let path = entry.map_err(|e| unreadable(folder, e))?.path();
        if path.extension().is_none_or(|extension| extension != "html") {
            continue;
        }
        let template = pages::TEMPLATES
            .iter()
            .find(|(name, _)| path.file_name().is_some_and(|file| file == *name));
        let Some((name, _)) = template else {
            return Err(PagesError::NoSuchTemplate {
                path: path.display().to_string(),
                available: pages::TEMPLATES.map(|(name, _)| name).join(", "),
            });
        };
        let source = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, e))?;
        overrides.insert(name, Override { path, source });
    }
    Ok(overrides)
}

fn engine(locale: Locale, overrides: &Overrides) -> Result<Environment<'static>, PagesError> {
    let messages = Messages::load(locale)?;
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(MAX_INSTRUCTIONS));
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        engine.set_syntax(syntax);
    }
    engine.add_global("lang", locale.tag());
    engine.add_global("dir", messages.direction());
    engine.add_global("stylesheet", assets::stylesheet().path.as_str());
    engine.add_global("submit_script", assets::submit_script().path.as_str());
    engine.add_global("mark", assets::mark().path.as_str());

    let messages = Arc::new(messages);
    engine.add_function("t", move |key: &str, arguments: Kwargs| {
        translate(&messages, key, &arguments)
    });

    for (name, embedded) in pages::TEMPLATES {
        let source = overrides
            .get(name)
            .map_or(embedded, |replacement| replacement.source.as_str());
        engine
            .add_template_owned(name, source.to_owned())
            .map_err(|e| template_error(&e, overrides))?;
    }
    Ok(engine)
}

/// The template function `t("key", name=value, …)`. Values are escaped unless they are markup.
fn translate(
    messages: &Messages,
    key: &str,
    arguments: &Kwargs,
) -> Result<Value, minijinja::Error> {
    let mut values = FluentArgs::new();
    for name in arguments.args() {
        let value: Value = arguments.get(name)?;
        values.set(name.to_owned(), fluent_value(name, &value)?);
    }
    messages
        .html(key, &values)
        .map(Value::from_safe_string)
        .map_err(|e| minijinja::Error::new(ErrorKind::InvalidOperation, e.to_string()))
}

fn fluent_value(name: &str, value: &Value) -> Result<FluentValue<'static>, minijinja::Error> {
    match value.kind() {
        ValueKind::Number => Ok(FluentValue::from(f64::try_from(value.clone())?)),
        ValueKind::String if value.is_safe() => Ok(FluentValue::from(value.to_string())),
        ValueKind::String => Ok(FluentValue::from(
            HtmlEscape(&value.to_string()).to_string(),
        )),
        kind => Err(minijinja::Error::new(
            ErrorKind::InvalidOperation,
            format!("argument {name:?} of a message must be a string or a number, not {kind}"),
        )),
    }
}

fn render_samples(engine: &Environment<'_>, overrides: &Overrides) -> Result<(), PagesError> {
    for sample in pages::samples() {
        engine
            .get_template(sample.template)
            .and_then(|template| template.render(sample.context))
            .map_err(|e| template_error(&e, overrides))?;
    }
    Ok(())
}

/// Reports the innermost cause: if a template includes another, the error is in the included one.
fn template_error(error: &minijinja::Error, overrides: &Overrides) -> PagesError {
    let mut error = error;
    while let Some(cause) = error
        .source()
        .and_then(|source| source.downcast_ref::<minijinja::Error>())
    {
        error = cause;
    }
    let name = error.name().unwrap_or("a template");
    let mut reason = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    let expression = error
        .range()
        .zip(error.template_source())
        .and_then(|(range, source)| source.get(range));
    if let Some(expression) = expression {
        reason = format!("{reason}: {expression}");
    }
    PagesError::Template {
        file: overrides.get(name).map_or_else(
            || name.to_owned(),
            |replacement| replacement.path.display().to_string(),
        ),
        line: error.line().unwrap_or(0),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::pages::SignedOut;

    #[test]
    fn an_override_replaces_one_template() {
        let folder = tempfile::tempdir().unwrap();
        let source = "{% extends \"layout.html\" %}{% block main %}<h1>{{ t(\"signed-out-heading\") }}!</h1>{% endblock %}";
        fs::write(folder.path().join("signed_out.html"), source).unwrap();
        fs::write(folder.path().join("README"), "not a template").unwrap();
        let pages = Pages::new(Some(folder.path())).unwrap();
        let html = pages
            .render(&SignedOut::samples()[0], Locale::FALLBACK)
            .unwrap();
        assert!(html.contains("<h1>You’re signed out!</h1>"), "{html}");
    }

    #[test]
    fn a_broken_override_is_reported_with_its_path_and_line() {
        for (file, source, line, reason) in [
            (
                "login.html",
                "<p>\n{{ no_such_value }}</p>",
                2,
                "no_such_value",
            ),
            ("login.html", "\n\n{{ site.nope }}", 3, "site.nope"),
            (
                "home.html",
                "\n{% if account %}\n{{ oops }}\n{% endif %}",
                3,
                "oops",
            ),
            (
                "layout.html",
                "\n{{ t(\"no-such-message\") }}",
                2,
                "message \"no-such-message\" is missing in locales/en.ftl",
            ),
            ("logout.html", "{{ t(\"logout-text\") }}", 1, "logout-text"),
            ("error.html", "\n{% if %}", 2, "unexpected"),
            (
                "account_line.html",
                "\n\n\n{{ account.usrname }}",
                4,
                "account.usrname",
            ),
            (
                "signed_out.html",
                "{% for i in range(9999) %}\n{% for j in range(9999) %}{{ j }}{% endfor %}{% endfor %}",
                1,
                "fuel",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(file), source).unwrap();
            let Err(error) = Pages::new(Some(folder.path())) else {
                panic!("{file} with {source:?} was accepted");
            };
            let text = error.to_string();
            let PagesError::Template {
                file: path,
                line: found,
                ..
            } = error
            else {
                panic!("{text}");
            };
            assert!(path.ends_with(file) && path.contains('/'), "{text}");
            assert!(text.contains(reason), "{text} should name {reason}");
            assert!(
                found == line || reason == "fuel",
                "{text} should name line {line}"
            );
        }
    }

    #[test]
    fn an_override_with_an_unknown_name_or_a_missing_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("logon.html"), "").unwrap();
        let error = Pages::new(Some(folder.path())).err().unwrap().to_string();
        assert!(
            error.contains("logon.html") && error.contains("login.html"),
            "{error}"
        );
        assert!(Pages::new(Some(&folder.path().join("missing"))).is_err());
    }
}
