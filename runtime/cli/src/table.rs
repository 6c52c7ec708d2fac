//! Tables in Markdown, aligned so that they also read well in a terminal.

/// How a column's cells are aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A Markdown table of `columns` (title, alignment) and `rows` of as many cells.
pub(crate) fn markdown(columns: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let width = |index: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(index))
            .map(|cell| cell.chars().count());
        cells
            .chain([columns[index].0.chars().count(), 3])
            .max()
            .unwrap_or(3)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line =
        |cells: &[String]| {
            let padded = cells.iter().zip(&widths).zip(columns).map(
                |((cell, width), (_, align))| match align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                },
            );
            format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
        };
    let titles: Vec<String> = columns
        .iter()
        .map(|(title, _)| (*title).to_owned())
        .collect();
    let rule: Vec<String> = columns
        .iter()
        .zip(&widths)
        .map(|((_, align), width)| match align {
            Align::Left => "-".repeat(*width),
            Align::Right => format!("{}:", "-".repeat(width - 1)),
        })
        .collect();
    let mut table = line(&titles) + &line(&rule);
    table.extend(rows.iter().map(|row| line(row)));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["pp512".to_owned(), "1053.20".to_owned()],
            vec!["tg8".into(), "9".into()],
        ];
        let table = markdown(&[("test", Align::Left), ("tokens/s", Align::Right)], &rows);
        assert_eq!(
            table,
            "| test  | tokens/s |\n\
             | ----- | -------: |\n\
             | pp512 |  1053.20 |\n\
             | tg8   |        9 |\n"
        );
    }
}
