//! What is wrong with a configuration, and where.

use std::collections::BTreeMap;
use std::fmt;

use super::place::Place;
use super::table::Added;

/// One mistake: where it stands and what is wrong with it. It never holds the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    file: String,
    location: Location,
    message: String,
}

/// Where a mistake stands. Ordered as an operator reads: the file from its top, then variables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// The file as a whole.
    File,
    /// A position in the file; both count from 1, the column in characters.
    Position {
        line: usize,
        column: usize,
    },
    Variable(String),
}

impl Location {
    fn in_file(&self, file: &str) -> String {
        match self {
            Self::File => file.to_owned(),
            Self::Position { line, column } => format!("{file}:{line}:{column}"),
            Self::Variable(name) => name.clone(),
        }
    }
}

impl Mistake {
    fn new(file: &str, location: Location, message: String) -> Self {
        let file = file.to_owned();
        Self {
            file,
            location,
            message,
        }
    }

    pub(super) fn of_file(file: &str, message: String) -> Self {
        Self::new(file, Location::File, message)
    }

    pub fn location(&self) -> &Location {
        &self.location
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            location,
            message,
        } = self;
        write!(f, "{}: {message}", location.in_file(file))
    }
}

/// All mistakes of a configuration, one to a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

impl FromIterator<Mistake> for Mistakes {
    fn from_iter<I: IntoIterator<Item = Mistake>>(mistakes: I) -> Self {
        let mut mistakes: Vec<_> = mistakes.into_iter().collect();
        mistakes.sort_by(|a, b| a.location.cmp(&b.location));
        Self(mistakes)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

/// Where the settings of a valid configuration are written, for what is found out about them later.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct WrittenPlaces {
    file: String,
    places: BTreeMap<Place, Location>,
}

impl Added for WrittenPlaces {}

/// Settings are the same wherever they are written.
impl fmt::Debug for WrittenPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl WrittenPlaces {
    /// The file alone for a setting that has its default.
    pub(super) fn location(&self, place: &Place) -> String {
        let location = self.places.get(place).unwrap_or(&Location::File);
        location.in_file(&self.file)
    }
}

/// The text of a file, to turn offsets into lines and columns.
pub(super) struct Lines<'a> {
    file: &'a str,
    text: &'a str,
}

impl<'a> Lines<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text }
    }

    /// A mistake at a byte offset of the text.
    pub(super) fn at(&self, offset: usize, message: String) -> Mistake {
        Mistake::new(self.file, self.location(offset), message)
    }

    pub(super) fn location(&self, offset: usize) -> Location {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Location::Position { line, column }
    }

    pub(super) fn places(&self, places: BTreeMap<Place, Location>) -> WrittenPlaces {
        let file = self.file.to_owned();
        WrittenPlaces { file, places }
    }

    pub(super) fn of_variable(&self, name: &str, message: String) -> Mistake {
        Mistake::new(self.file, Location::Variable(name.to_owned()), message)
    }

    /// Broken TOML. The parser's message names what it expected and never quotes the text.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> Mistake {
        let offset = error.span().map_or(0, |span| span.start);
        self.at(offset, format!("not valid TOML: {}", error.message()))
    }
}

/// What is said of a `text` that is none of the `known` names of a `kind`.
pub(super) fn unknown(kind: &str, text: &str, known: &[&str]) -> String {
    // The registered name of a grant ends in its short one.
    let short = text.rsplit(':').next().unwrap_or(text);
    let near = did_you_mean(short, known.iter().copied());
    if near.is_empty() {
        format!("unknown {kind} {text:?}; it is one of {}", known.join(", "))
    } else {
        format!("unknown {kind} {text:?}{near}")
    }
}

/// `; did you mean "…"?` with the nearest of the known names, or nothing if none is near.
#[must_use]
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |known| format!("; did you mean {known:?}?"))
}

fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Jaro-Winkler favours a common beginning, which suits names that people shorten
    // ("device" for "device_code"). Below 0.8 the guess is more often noise than help.
    const NEAR: f64 = 0.8;
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness >= NEAR)
        // The first of equals.
        .reduce(|best, other| if other.0 > best.0 { other } else { best })
        .map(|(_, known)| known)
}
