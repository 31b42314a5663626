//! Text as Markdown.

use std::fmt::Write;

/// Text that is shown as it is, whatever Markdown or HTML would make of it.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '$' | '~' => escaped.extend(['\\', c]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text in a block of its own, as it is typed or printed.
pub(super) fn block(text: &str) -> String {
    format!("```text\n{}\n```\n", text.trim_end())
}

/// A table with a line for each row.
pub(super) fn table<const COLUMNS: usize>(names: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut table = format!("| {} |\n|{}\n", names.join(" | "), " --- |".repeat(COLUMNS));
    for row in rows {
        let _ = writeln!(table, "| {} |", row.join(" | "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_leaves_escaped_text_alone() {
        assert_eq!(
            escape("a_b * <p_1(u)> | [x] & `y`"),
            "a\\_b \\* &lt;p\\_1(u)&gt; \\| \\[x\\] &amp; \\`y\\`"
        );
        assert_eq!(escape("SWAP: 2^S, 1/2"), "SWAP: 2^S, 1/2");
    }

    #[test]
    fn tables_have_a_line_for_each_row() {
        let rows = [["a".to_owned(), "1".to_owned()], ["b".to_owned(), "2".to_owned()]];
        assert_eq!(
            table(["name", "value"], &rows),
            "| name | value |\n| --- | --- |\n| a | 1 |\n| b | 2 |\n"
        );
    }
}
