//! Lists as tables.

/// Rows under their headings, each column as wide as its widest cell.
pub(super) fn table<const N: usize>(
    columns: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows: Vec<_> = std::iter::once(columns.map(ToOwned::to_owned))
        .chain(rows)
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["tv", "Television"], ["nightly", "é"]].map(|row| row.map(ToOwned::to_owned));
        let text = "ID       NAME\ntv       Television\nnightly  é\n";
        assert_eq!(table(["ID", "NAME"], rows), text);
        assert_eq!(table(["ID", "NAME"], []), "ID  NAME\n");
    }
}
