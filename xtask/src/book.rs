//! `cargo xtask book`: the book as HTML with search, in target/book. What its pages link to in the repository comes along, so that it can be read
//! without a network, from a file. Every link of the HTML is followed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::run::{Log, Workspace, output};

mod html;

const MDBOOK: &str = "0.5.4";
const TOOLS: &str = "target/tools";
const PAGES: &str = "docs/src";
/// The pages, and what they link to, where they are in the repository: so links stay as they are written.
const STAGED: &str = "target/book-src";
const BUILT: &str = "target/book";
const FIRST_PAGE: &str = "docs/src/introduction.html";

/// Builds the book, and says where; installs mdBook first, which takes some minutes.
pub(crate) fn run(workspace: &Workspace) -> Result<bool, String> {
    let mut log = workspace.log("book")?;
    if !is_installed(workspace) {
        println!("installing mdbook {MDBOOK} into {TOOLS}, once: this takes some minutes");
        let install = ["install", "--locked", "mdbook", "--root", TOOLS];
        log.run(&mut workspace.cargo(&[&install[..], &["--version", MDBOOK]].concat()))
            .map_err(|error| format!("{error}\n{}", log.text()))?;
    }
    let pages = build(workspace, &mut log).map_err(|error| format!("{error}\n{}", log.text()))?;
    let index = workspace.root.join(BUILT).join("index.html");
    println!("{pages} pages: {}", index.display());
    Ok(true)
}

/// For the tests: mdBook is not compiled for them.
pub(crate) fn build_if_installed(
    workspace: &Workspace,
    log: &mut Log<'_>,
) -> Result<Option<String>, String> {
    if !is_installed(workspace) {
        return Ok(Some(
            "book not built as HTML: `cargo xtask book` does".to_owned(),
        ));
    }
    build(workspace, log).map(|_| None)
}

fn mdbook(workspace: &Workspace) -> Command {
    Command::new(workspace.root.join(TOOLS).join("bin/mdbook"))
}

fn is_installed(workspace: &Workspace) -> bool {
    output(mdbook(workspace).arg("--version")).is_ok_and(|text| text.trim().ends_with(MDBOOK))
}

/// The number of pages.
fn build(workspace: &Workspace, log: &mut Log<'_>) -> Result<usize, String> {
    let root = &workspace.root;
    let (staged, built) = (root.join(STAGED), root.join(BUILT));
    for folder in [&staged, &built] {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|error| at(folder, &error))?;
        }
    }
    let files = files(root)?;
    let summary = summary(root, &files)?;
    for file in &files {
        let target = staged.join(file);
        let parent = target.parent().unwrap_or(&staged);
        fs::create_dir_all(parent).map_err(|error| at(parent, &error))?;
        fs::copy(root.join(file), &target).map_err(|error| at(file, &error))?;
    }
    write(&staged.join("SUMMARY.md"), &summary)?;
    let settings = read(&root.join("docs/book.toml"))?;
    write(&staged.join("book.toml"), &settings)?;
    log.run(
        mdbook(workspace)
            .arg("build")
            .arg(&staged)
            .env("MDBOOK_BOOK__SRC", ".")
            .env("MDBOOK_BUILD__BUILD_DIR", &built),
    )?;
    // mdBook puts the first page here as well, with the links that it has in its own folder.
    let forward = format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Grantor</title>\n\
         <meta http-equiv=\"refresh\" content=\"0; url={FIRST_PAGE}\">\n<a href=\"{FIRST_PAGE}\">Grantor</a>\n"
    );
    write(&built.join("index.html"), &forward)?;
    let lost = html::lost_links(&built)?;
    if lost.is_empty() {
        Ok(files.iter().filter(|file| is_markdown(file)).count())
    } else {
        Err(format!("links that lead nowhere:\n{}", lost.join("\n")))
    }
}

/// The pages, and every file of the repository that they link to, one from the other.
fn files(root: &Path) -> Result<BTreeSet<PathBuf>, String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![PathBuf::from(PAGES)];
    while let Some(path) = waiting.pop() {
        let here = root.join(&path);
        if here.is_dir() && path.starts_with(PAGES) {
            for entry in fs::read_dir(&here).map_err(|error| at(&path, &error))? {
                let entry = entry.map_err(|error| at(&path, &error))?;
                waiting.push(path.join(entry.file_name()));
            }
        } else if here.is_file() && found.insert(path.clone()) && is_markdown(&path) {
            let folder = path.parent().unwrap_or(Path::new(""));
            let text = read(&here)?;
            waiting.extend(targets(&text).iter().map(|link| normal(&folder.join(link))));
        }
    }
    found.remove(&Path::new(PAGES).join("SUMMARY.md"));
    Ok(found)
}

/// The book's own summary, and after it the pages that only the repository has.
fn summary(root: &Path, files: &BTreeSet<PathBuf>) -> Result<String, String> {
    let own = read(&root.join(PAGES).join("SUMMARY.md"))?;
    let listed: BTreeSet<PathBuf> = targets(&own)
        .iter()
        .map(|link| Path::new(PAGES).join(link))
        .collect();
    let pages = files.iter().filter(|file| is_markdown(file));
    let (pages, others): (Vec<_>, Vec<_>) = pages.partition(|file| file.starts_with(PAGES));
    let missing: Vec<_> = pages
        .iter()
        .filter(|page| !listed.contains(**page))
        .map(|page| page.display().to_string())
        .collect();
    if !missing.is_empty() {
        return Err(format!("not in SUMMARY.md: {}", missing.join(", ")));
    }
    let mut text = own.replace("](", &format!("]({PAGES}/"));
    text += "\n# The repository\n\n";
    for file in others {
        let page = read(&root.join(file))?;
        let title = page.lines().find_map(|line| line.strip_prefix("# "));
        let title = title.unwrap_or("Without a title");
        text += &format!("- [{title}]({})\n", file.display());
    }
    Ok(text)
}

/// What the links and images of a Markdown text name, without anchors and other sites. Code has no links.
fn targets(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code && line.starts_with('[') && line.contains("]: ") {
            found.extend(line.split("]: ").nth(1));
        } else if !is_code {
            // Every second part of a line is in backticks.
            let prose = line.split('`').step_by(2);
            // A link whose text is code ends in the part after it.
            let links = prose.flat_map(|part| part.split("](").skip(1));
            found.extend(links.filter_map(|link| link.split_once(')').map(|(link, _)| link)));
        }
    }
    found.retain(|link| !link.contains("://") && !link.starts_with("mailto:"));
    let paths = found.into_iter().filter_map(|link| link.split('#').next());
    paths.filter(|path| !path.is_empty()).collect()
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// Without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| at(path, &error))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{normal, targets};

    #[test]
    fn links_of_prose_are_found_and_those_of_code_are_not() {
        let text = "[a](b.md#c), ![d](e.svg), [`f`](g.md), `[h](i.md)`\n[j](https://k.example) [l](#m)\n\
                    ```md\n[n](o.md)\n```\n  [p](../q.md)\n[r]: s.md#t";
        assert_eq!(targets(text), ["b.md", "e.svg", "g.md", "../q.md", "s.md"]);
    }

    #[test]
    fn paths_are_below_the_repository() {
        let path = normal(Path::new("docs/src/operations/../../../CHANGELOG.md"));
        assert_eq!(path, PathBuf::from("CHANGELOG.md"));
    }
}
