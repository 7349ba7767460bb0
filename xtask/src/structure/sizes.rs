//! How long files and crates may be.

use super::Source;

/// Lines of one source file.
const MAX_FILE_LINES: usize = 500;

/// Lines of all source files below a folder.
const MAX_FOLDER_LINES: &[(&str, usize)] = &[("crates/grantor/src/", 5000)];

/// Says which source files and folders are too long.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let lines = |text: &str| text.lines().count();
    let files = sources.iter().filter_map(|(path, text)| {
        let lines = lines(text);
        (lines > MAX_FILE_LINES)
            .then(|| format!("{path}: {lines} lines, at most {MAX_FILE_LINES} are allowed"))
    });
    let folders = MAX_FOLDER_LINES.iter().filter_map(|(folder, most)| {
        let inside = sources.iter().filter(|(path, _)| path.starts_with(folder));
        let lines: usize = inside.map(|(_, text)| lines(text)).sum();
        (lines > *most).then(|| format!("{folder}: {lines} lines, at most {most} are allowed"))
    });
    files.chain(folders).collect()
}

#[cfg(test)]
mod tests {
    use super::check;

    fn source(path: &str, lines: usize) -> (String, String) {
        (path.to_owned(), "x\n".repeat(lines))
    }

    #[test]
    fn a_file_over_500_lines_is_reported() {
        assert!(check(&[source("crates/web/src/a.rs", 500)]).is_empty());
        let faults = check(&[source("a.rs", 1), source("b/tests/c.rs", 501)]);
        assert_eq!(faults, ["b/tests/c.rs: 501 lines, at most 500 are allowed"]);
    }

    #[test]
    fn a_folder_over_its_limit_is_reported() {
        let files = |count: usize| -> Vec<_> {
            let path = |number| format!("crates/grantor/src/a/{number}.rs");
            let inside = (0..count).map(|number| source(&path(number), 500));
            inside
                .chain([source("crates/grantor/tests/x.rs", 400)])
                .collect()
        };
        assert!(check(&files(10)).is_empty());
        assert_eq!(
            check(&files(11)),
            ["crates/grantor/src/: 5500 lines, at most 5000 are allowed"]
        );
    }
}
