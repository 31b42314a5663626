//! Tables of correlations, for people, papers and programs.

use std::io::Write;

use comfy_table::presets::{ASCII_MARKDOWN, NOTHING};
use comfy_table::{Cell, CellAlignment, Table};
use swapnas::statistics::Spread;
use swapnas::{Comparison, Correlation, plain};

/// A table of texts with a header, whose first column holds names and whose others hold numbers.
pub(crate) struct Grid {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// What stands for a number that is not known.
const NONE: &str = "-";

impl Grid {
    /// In columns.
    pub(crate) fn text(&self) -> String {
        self.draw(NOTHING, |cell| plain(cell).to_string())
    }

    /// As Markdown, where bars would end cells.
    pub(crate) fn markdown(&self) -> String {
        self.draw(ASCII_MARKDOWN, |cell| plain(cell).to_string().replace('\\', r"\\").replace('|', r"\|"))
    }

    fn draw(&self, preset: &str, shown: impl Fn(&str) -> String) -> String {
        let mut table = Table::new();
        table.load_preset(preset);
        table.set_header(self.header.iter().map(|name| shown(name)));
        for row in &self.rows {
            table.add_row(row.iter().enumerate().map(|(column, cell)| {
                let alignment = if column == 0 { CellAlignment::Left } else { CellAlignment::Right };
                Cell::new(shown(cell)).set_alignment(alignment)
            }));
        }
        table.to_string()
    }

    /// As a `tabular` of LaTeX with the rules of the package booktabs.
    pub(crate) fn latex(&self) -> String {
        let columns = "r".repeat(self.header.len().saturating_sub(1));
        let line = |cells: &[String]| {
            let cells: Vec<String> =
                cells.iter().map(|cell| if cell == NONE { "--".to_owned() } else { latex(cell) }).collect();
            format!("{} \\\\\n", cells.join(" & "))
        };
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!(
            "\\begin{{tabular}}{{l{columns}}}\n\\toprule\n{}\\midrule\n{rows}\\bottomrule\n\\end{{tabular}}",
            line(&self.header)
        )
    }
}

/// Text as LaTeX prints it.
fn latex(text: &str) -> String {
    let mut escaped = String::new();
    for letter in plain(text).to_string().chars() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', letter]),
            '\\' => escaped.push_str(r"\textbackslash{}"),
            '~' => escaped.push_str(r"\textasciitilde{}"),
            '^' => escaped.push_str(r"\textasciicircum{}"),
            // In the fonts that are usual without fontenc, other characters are at their places.
            '<' => escaped.push_str(r"\textless{}"),
            '>' => escaped.push_str(r"\textgreater{}"),
            '|' => escaped.push_str(r"\textbar{}"),
            '"' => escaped.push_str("''"),
            // A row must not begin with it, where it is the argument of the line break before.
            '[' => escaped.push_str("{[}"),
            '*' => escaped.push_str("{*}"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn number(x: Option<f64>) -> String {
    x.map_or(NONE.to_owned(), |x| format!("{x:.3}"))
}

fn spearman(correlation: &Correlation) -> String {
    let interval = correlation.spearman_ci95.map(|[l, h]| format!(" ({l:.3} to {h:.3})"));
    number(correlation.spearman) + &interval.unwrap_or_default()
}

fn over_seeds(correlation: &Correlation) -> String {
    match correlation.spearman_over_seeds {
        Some(Spread { mean, std: Some(std), .. }) => format!("{mean:.3} ± {std:.3}"),
        Some(Spread { mean, .. }) => format!("{mean:.3}"),
        None => NONE.to_owned(),
    }
}

/// A row for each metric, a column for each statistic.
pub(crate) fn of_one_table(metrics: &[(&str, &Correlation)]) -> Grid {
    let has_seeds = metrics.iter().any(|(_, correlation)| correlation.spearman_over_seeds.is_some());
    let mut header = vec!["metric", "Spearman (95% interval)"];
    header.extend(has_seeds.then_some("over seeds"));
    let rest =
        ["given params", "Kendall", "same size", "Pearson", "top 10%", "regret@10", "nDCG", "n", "undefined"];
    header.extend(rest);
    let row = |(name, correlation): &(&str, &Correlation)| {
        let mut cells = vec![(*name).to_owned(), spearman(correlation)];
        cells.extend(has_seeds.then(|| over_seeds(correlation)));
        cells.extend([
            number(correlation.spearman_given_params),
            number(correlation.kendall),
            number(correlation.kendall_same_size),
            number(correlation.pearson),
            number(correlation.top10_overlap),
            number(correlation.regret_at_10),
            number(correlation.ndcg),
            correlation.n.to_string(),
            correlation.undefined.to_string(),
        ]);
        cells
    };
    Grid { header: header.into_iter().map(str::to_owned).collect(), rows: metrics.iter().map(row).collect() }
}

/// A row for each metric, a column for each table with Spearman's rho; all tables have the same metrics.
pub(crate) fn of_tables(tables: &[(&str, Vec<(&str, &Correlation)>)]) -> Grid {
    let names = tables.first().map_or(&[][..], |(_, metrics)| metrics);
    let row = |place: usize, name: &str| {
        let cells = tables.iter().map(|(_, metrics)| spearman(metrics[place].1));
        [name.to_owned()].into_iter().chain(cells).collect()
    };
    let labels = tables.iter().map(|(label, _)| (*label).to_owned());
    Grid {
        header: ["metric".to_owned()].into_iter().chain(labels).collect(),
        rows: names.iter().enumerate().map(|(place, (name, _))| row(place, name)).collect(),
    }
}

/// The matrix of a comparison.
pub(crate) fn of_each_with_each(comparison: &Comparison) -> Grid {
    let Comparison { names, spearman, .. } = comparison;
    let row = |(name, rhos): (&String, &Vec<Option<f64>>)| {
        [name.clone()].into_iter().chain(rhos.iter().map(|rho| number(*rho))).collect()
    };
    Grid {
        header: [String::new()].into_iter().chain(names.iter().cloned()).collect(),
        rows: names.iter().zip(spearman).map(row).collect(),
    }
}

/// The correlation of one metric in one table.
pub(crate) struct Row<'a> {
    pub table: &'a str,
    pub file: &'a str,
    pub accuracy: String,
    pub space: &'a str,
    pub metric: &'a str,
    pub correlation: &'a Correlation,
}

/// CSV with all statistics in full, in columns that are called as in JSON; those that are not known are empty.
pub(crate) fn csv<'a>(out: &mut impl Write, rows: impl Iterator<Item = Row<'a>>) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "table",
        "file",
        "accuracy_column",
        "space",
        "metric",
        "n",
        "undefined",
        "spearman",
        "spearman_low",
        "spearman_high",
        "kendall",
        "kendall_low",
        "kendall_high",
        "pearson",
        "pearson_low",
        "pearson_high",
        "spearman_given_params",
        "kendall_same_size",
        "top10_overlap",
        "regret_at_1",
        "regret_at_10",
        "ndcg",
        "seeds",
        "spearman_mean",
        "spearman_std",
        "spearman_min",
        "spearman_max",
        "reasons",
    ])?;
    for Row { table, file, accuracy, space, metric, correlation } in rows {
        let mut fields = [table, file, &accuracy, space, metric].map(str::to_owned).to_vec();
        let c = correlation;
        fields.extend([c.n, c.undefined].map(|n| n.to_string()));
        let full = |x: Option<f64>| x.map(|x| format!("{x:?}")).unwrap_or_default();
        for (value, bounds) in
            [(c.spearman, c.spearman_ci95), (c.kendall, c.kendall_ci95), (c.pearson, c.pearson_ci95)]
        {
            fields.extend([value, bounds.map(|[low, _]| low), bounds.map(|[_, high]| high)].map(full));
        }
        let more = [
            c.spearman_given_params,
            c.kendall_same_size,
            c.top10_overlap,
            c.regret_at_1,
            c.regret_at_10,
            c.ndcg,
        ];
        fields.extend(more.map(full));
        let spread = c.spearman_over_seeds;
        fields.push(spread.map(|spread| spread.n.to_string()).unwrap_or_default());
        let numbers: [fn(Spread) -> Option<f64>; 4] =
            [|s| Some(s.mean), |s| s.std, |s| Some(s.min), |s| Some(s.max)];
        fields.extend(numbers.map(|of| full(spread.and_then(of))));
        fields.push(c.reasons.join("; "));
        writer.write_record(fields)?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests;
