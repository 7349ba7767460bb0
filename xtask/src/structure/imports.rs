//! The paths in a source file that lead elsewhere in its crate: imports, and paths that are written out where they are used.

use super::tokens::{Token, tokens};

/// A path from the crate's root, such as `["model", "client", "Client"]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// The paths that begin with `crate` or `super` in the file of the module `module`. What only tests compile is left out.
pub(super) fn imports(module: &[&str], source: &str) -> Vec<Import> {
    let mut reader = Reader {
        tokens: tokens(source),
        at: 0,
        module: module.iter().map(|&name| name.to_owned()).collect(),
        open: Vec::new(),
        imports: Vec::new(),
    };
    reader.read();
    reader.imports
}

struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    /// The module of the place that is read: the file's, with the inline modules that are open.
    module: Vec<String>,
    /// For each open brace, whether it is that of an inline module.
    open: Vec<bool>,
    imports: Vec<Import>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while let Some(token) = self.tokens.get(self.at).copied() {
            let previous = self.at.checked_sub(1).map(|at| self.tokens[at].text);
            match token.text {
                "#" => self.attribute(),
                "use" if self.text(1) != "<" => {
                    self.at += 1;
                    self.tree(Vec::new());
                }
                "mod" if self.text(2) == "{" => {
                    self.module.push(self.text(1).to_owned());
                    self.open.push(true);
                    self.at += 3;
                }
                "{" => {
                    self.open.push(false);
                    self.at += 1;
                }
                "}" => {
                    if self.open.pop() == Some(true) {
                        self.module.pop();
                    }
                    self.at += 1;
                }
                "crate" | "super" if self.text(1) == "::" && previous != Some("::") => {
                    let path = self.path();
                    // An exported macro is called by a path from the root, wherever it is defined.
                    if self.text(0) != "!" {
                        self.add(&path, token.line);
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// The text of the token so many further on.
    fn text(&self, further: usize) -> &'a str {
        let token = self.tokens.get(self.at + further);
        token.map_or("", |token| token.text)
    }

    /// Words with `::` between them; a `::` at the end is read too.
    fn path(&mut self) -> Vec<&'a str> {
        let mut path = Vec::new();
        while self
            .text(0)
            .starts_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            path.push(self.text(0));
            self.at += 1;
            if self.text(0) != "::" {
                break;
            }
            self.at += 1;
        }
        path
    }

    /// The rest of a `use` declaration, or of one branch of it.
    fn tree(&mut self, mut path: Vec<&'a str>) {
        if self.text(0) == "::" {
            self.at += 1;
        }
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        path.extend(self.path());
        match self.text(0) {
            "{" => {
                self.at += 1;
                while !matches!(self.text(0), "}" | "") {
                    self.tree(path.clone());
                    if self.text(0) == "," {
                        self.at += 1;
                    }
                }
                self.at += 1;
            }
            "*" => {
                self.at += 1;
                self.add(&path, line);
            }
            _ => {
                // The name given by `as` is not part of the path.
                while !matches!(self.text(0), "," | "}" | ";" | "") {
                    self.at += 1;
                }
                self.add(&path, line);
            }
        }
    }

    /// Adds a path where it leads elsewhere in the crate.
    fn add(&mut self, path: &[&str], line: usize) {
        let (mut from_root, mut rest) = match path {
            ["crate", rest @ ..] => (Vec::new(), rest),
            ["super", ..] => (self.module.clone(), path),
            _ => return,
        };
        while let ["super", further @ ..] = rest {
            from_root.pop();
            rest = further;
        }
        // `use super::{self as parent}`.
        let rest = rest.iter().filter(|name| **name != "self");
        from_root.extend(rest.map(|&name| name.to_owned()));
        self.imports.push(Import {
            path: from_root,
            line,
        });
    }

    /// An attribute, and what it is on where only tests compile that.
    fn attribute(&mut self) {
        self.at += 1;
        let is_inner = self.text(0) == "!";
        if is_inner {
            self.at += 1;
        }
        let start = self.at;
        self.skip_brackets();
        let words: Vec<&str> = self.tokens[start..self.at]
            .iter()
            .map(|token| token.text)
            .collect();
        let is_for_tests = matches!(
            words.as_slice(),
            ["[", "cfg", "(", "test", ..] | ["[", "cfg", "(", "all", "(", "test", ..]
        );
        if is_for_tests && is_inner {
            self.at = self.tokens.len();
        } else if is_for_tests {
            self.skip_item();
        }
    }

    /// What comes after an attribute: further attributes, then an item up to its brace or semicolon. A field, a variant
    /// and the like end with a comma or with what is around them.
    fn skip_item(&mut self) {
        while self.text(0) == "#" {
            self.at += 1;
            self.skip_brackets();
        }
        const ITEMS: [&str; 14] = [
            "async", "const", "enum", "extern", "fn", "impl", "mod", "pub", "static", "struct",
            "trait", "type", "unsafe", "use",
        ];
        let is_item = ITEMS.contains(&self.text(0));
        let is_use = self.text(0) == "use" || (self.text(0) == "pub" && self.text(1) == "use");
        loop {
            match self.text(0) {
                ";" => {
                    self.at += 1;
                    return;
                }
                "," if !is_item => {
                    self.at += 1;
                    return;
                }
                "" | "}" | ")" | "]" => return,
                "{" => {
                    self.skip_brackets();
                    if !is_use {
                        return;
                    }
                }
                "(" | "[" => self.skip_brackets(),
                _ => self.at += 1,
            }
        }
    }

    /// From an opening bracket of any kind to after the one that closes it.
    fn skip_brackets(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::imports;

    /// Each path that is found in the file of `a::b`, and its line.
    fn found(source: &str) -> Vec<(String, usize)> {
        let imports = imports(&["a", "b"], source).into_iter();
        imports
            .map(|import| (import.path.join("::"), import.line))
            .collect()
    }

    fn paths(source: &str) -> Vec<String> {
        found(source).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn a_group_over_several_lines_is_read_branch_by_branch() {
        let source =
            "use std::fmt;\nuse crate::{\n    x::{self, Y as Z},\n    c::D,\n    e::*,\n};\n";
        let expected = [("x", 3), ("x::Y", 3), ("c::D", 4), ("e", 5)];
        let expected = expected.map(|(path, line)| (path.to_owned(), line));
        assert_eq!(found(source), expected);
    }

    #[test]
    fn super_leads_to_the_parent_also_from_an_inline_module() {
        assert_eq!(paths("use super::c::D;"), ["a::c::D"]);
        assert_eq!(paths("use super::super::e;"), ["e"]);
        assert_eq!(paths("pub use super::*;"), ["a"]);
        assert_eq!(
            paths("mod inner { use super::X; fn f() { super::super::c::g() } } use super::h;"),
            ["a::b::X", "a::c::g", "a::h"]
        );
    }

    #[test]
    fn paths_in_code_are_found() {
        assert_eq!(
            paths("fn f(x: &crate::c::D<'_>) -> [crate::e::F; 2] { crate::g::h::<u8>(x) }"),
            ["c::D", "e::F", "g::h"]
        );
        assert_eq!(
            paths("impl crate::T for X where Y: super::U {}"),
            ["T", "a::U"]
        );
        assert_eq!(paths("macro_rules! m { () => { $crate::c::D } }"), ["c::D"]);
        assert_eq!(paths("crate::m!(crate::c::D);"), ["c::D"]);
    }

    #[test]
    fn what_leads_nowhere_else_is_left_out() {
        let source = "use serde::crate_name; use self::c::D; pub(crate) struct X; pub(super) fn f() {} \
                      // crate::no\nconst S: &str = \"crate::no\"; fn g(&self) -> impl T + use<'_> {}";
        assert!(found(source).is_empty(), "{:?}", found(source));
    }

    #[test]
    fn what_only_tests_compile_is_left_out() {
        assert_eq!(
            paths(
                "use crate::c; #[cfg(test)] mod tests { use crate::no; fn f() { {} } } use crate::d;"
            ),
            ["c", "d"]
        );
        assert_eq!(
            paths("#[cfg(test)]\n#[allow(x)]\nuse crate::{no, nor};\nuse crate::c;"),
            ["c"]
        );
        assert_eq!(
            paths(
                "#[cfg(all(test, unix))] fn f<A, B>(x: crate::no) -> B { crate::no } use crate::c;"
            ),
            ["c"]
        );
        assert_eq!(
            paths(
                "struct S { #[cfg(test)] x: Vec<crate::no>, y: crate::c } enum E { #[cfg(test)] X(crate::no) }"
            ),
            ["c"]
        );
        assert!(paths("#![cfg(test)]\nuse crate::no;").is_empty());
        assert_eq!(paths("#[cfg(not(test))] use crate::c;"), ["c"]);
    }
}
