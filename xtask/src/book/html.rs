//! The links of HTML files, followed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{at, normal};

/// What a page says of itself: where it leads, and where others can lead.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    links: Vec<String>,
    ids: BTreeSet<String>,
}

/// Each link that names no file of the folder, or no id of that file, with the page that has it.
pub(super) fn lost_links(folder: &Path) -> Result<Vec<String>, String> {
    let mut pages = BTreeMap::new();
    let mut files = BTreeSet::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(path) = waiting.pop() {
        let here = folder.join(&path);
        if here.is_dir() {
            for entry in fs::read_dir(&here).map_err(|error| at(&here, &error))? {
                waiting.push(path.join(entry.map_err(|error| at(&here, &error))?.file_name()));
            }
            continue;
        }
        // The page of a web server for what it does not find is relative to its root.
        if path
            .extension()
            .is_some_and(|extension| extension == "html")
            && path != Path::new("404.html")
        {
            let text = fs::read_to_string(&here).map_err(|error| at(&here, &error))?;
            pages.insert(path.clone(), page(&text));
        }
        files.insert(path);
    }
    Ok(lost(&pages, &files))
}

fn lost(pages: &BTreeMap<PathBuf, Page>, files: &BTreeSet<PathBuf>) -> Vec<String> {
    let mut lost = Vec::new();
    for (path, page) in pages {
        for link in &page.links {
            if link.contains(':') {
                continue;
            }
            let (target, id) = link.split_once('#').unwrap_or((link, ""));
            let target = match target.split('?').next().unwrap_or_default() {
                "" => path.clone(),
                target => normal(&path.parent().unwrap_or(Path::new("")).join(target)),
            };
            let has_id = |page: &Page| id.is_empty() || page.ids.contains(id);
            if !files.contains(&target) || !pages.get(&target).is_none_or(has_id) {
                lost.push(format!("{}: {link}", path.display()));
            }
        }
    }
    lost
}

fn page(text: &str) -> Page {
    let mut page = Page::default();
    let mut rest = text;
    while let Some((_, tag)) = rest.split_once('<') {
        let Some((tag, after)) = tag.split_once('>') else {
            break;
        };
        for name in ["href", "src"] {
            page.links.extend(attribute(tag, name));
        }
        page.ids.extend(attribute(tag, "id"));
        // Of a script only the tag is markup.
        rest = match tag.starts_with("script") {
            true => after.split_once("</script>").map_or("", |(_, after)| after),
            false => after,
        };
    }
    page
}

/// The value of an attribute, as mdBook writes it: in double quotes, with few characters escaped.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = value.split_once('"')?;
    Some(value.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::PathBuf;

    use super::{lost, page};

    #[test]
    fn links_and_ids_are_those_of_tags() {
        let found = page(
            "<h2 id=\"b\" class=\"c\">&lt;a href=\"d\"&gt;</h2><script src=\"e.js\">x = '<a href=\"f\">'</script><a href=\"g?h&amp;i#j\">",
        );
        assert_eq!(found.links, ["e.js", "g?h&i#j"]);
        assert_eq!(found.ids, BTreeSet::from(["b".to_owned()]));
    }

    #[test]
    fn a_link_to_no_file_or_to_no_id_is_lost() {
        let here = "<p id=\"a\"><a href=\"#a\"><a href=\"#b\"><a href=\"../c.html#d\"><a href=\"e.html\"><a href=\"https://f.example/#g\"><img src=\"h.svg\">";
        let pages = BTreeMap::from([
            (PathBuf::from("folder/here.html"), page(here)),
            (PathBuf::from("c.html"), page("<p id=\"d\">")),
        ]);
        let files = ["folder/here.html", "folder/h.svg", "c.html"].map(PathBuf::from);
        let lost = lost(&pages, &BTreeSet::from(files));
        assert_eq!(lost, ["folder/here.html: #b", "folder/here.html: e.html"]);
    }
}
