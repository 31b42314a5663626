//! The page about a benchmark: which metrics order its networks as their accuracies do.

use maud::{Markup, PreEscaped, html};

use super::page::{document, pairs, scrolling};
use crate::Correlation;

/// What there is to say about a benchmark.
#[derive(Clone, Debug, Default)]
pub struct BenchmarkReport {
    /// The heading.
    pub title: String,
    /// What was found, in sentences.
    pub verdict: Vec<String>,
    /// What a reader should know besides, such as reasons why values are missing.
    pub notes: Vec<String>,
    /// Metrics with their correlations with the accuracies, the best first.
    pub metrics: Vec<(String, Correlation)>,
    /// The correlation that no ranking can be expected to be above, if it is known.
    pub ceiling: Option<f64>,
    /// Scores against accuracies, as SVG, which is put into the page as it is.
    pub figure: Option<String>,
    /// What the benchmark is made of, and how it was scored, as names and values.
    pub settings: Vec<(String, String)>,
}

/// The report as a page of HTML that loads nothing and runs no script.
pub fn render_benchmark(report: &BenchmarkReport) -> String {
    page(report).into_string()
}

fn page(report: &BenchmarkReport) -> Markup {
    document(
        &report.title,
        html! {
            @for sentence in &report.verdict { p.note role="note" { (sentence) } }
            h2 { "Metrics" }
            (metrics(report))
            @if let Some(figure) = &report.figure {
                h2 { "Scores and accuracies" }
                div.card { (scrolling("Scores and accuracies", PreEscaped(figure.clone()))) }
            }
            @if !report.notes.is_empty() {
                h2 { "Notes" }
                @for note in &report.notes { p { (note) } }
            }
            (pairs("Settings", &report.settings))
        },
    )
}

fn metrics(report: &BenchmarkReport) -> Markup {
    html! {
        figure {
            (scrolling("Metrics", html! {
                table.best {
                    thead { tr {
                        th scope="col" { "metric" }
                        th.number scope="col" { "Spearman" }
                        th scope="col" { "95% interval, from -1 to 1" }
                        th.number scope="col" { "given params" }
                        th.number scope="col" { "Kendall" }
                        th.number scope="col" { "same size" }
                        th.number scope="col" { "regret@10" }
                        th.number scope="col" { "n" }
                    } }
                    tbody { @for (name, correlation) in &report.metrics { tr {
                        th scope="row" { (name) }
                        td.number { (number(correlation.spearman)) }
                        td { (interval(correlation, report.ceiling)) }
                        td.number { (number(correlation.spearman_given_params)) }
                        td.number { (number(correlation.kendall)) }
                        td.number { (number(correlation.kendall_same_size)) }
                        td.number { (number(correlation.regret_at_10)) }
                        td.number { (correlation.n) }
                    } } }
                }
            }))
            figcaption {
                "Spearman's rho with the accuracies, the best first."
                @if report.ceiling.is_some() { " The line at the right is the highest that can be expected." }
            }
        }
    }
}

/// Pixels of a bar from -1 to 1.
const WIDTH: f64 = 240.0;

/// An interval as a bar, the coefficient as a point on it.
fn interval(correlation: &Correlation, ceiling: Option<f64>) -> Markup {
    let place = |rho: f64| (rho + 1.0) / 2.0 * WIDTH;
    let (Some(rho), Some([low, high])) = (correlation.spearman, correlation.spearman_ci95) else {
        return html! { "–" };
    };
    let line = |at: f64| format!("M{:.1} 0V16", place(at));
    html! {
        svg.chart style=(format!("width: {WIDTH}px")) viewBox=(format!("-4 0 {} 16", WIDTH + 8.0)) role="img"
            aria-label=(format!("{low:.3} to {high:.3}")) {
            title { (format!("{low:.3} to {high:.3}")) }
            g.axis {
                path d=(line(0.0)) {}
                @if let Some(ceiling) = ceiling { path d=(line(ceiling)) {} }
            }
            path.steps d=(format!("M{:.1} 8H{:.1}", place(low), place(high))) {}
            circle.strong cx=(format!("{:.1}", place(rho))) cy="8" r="3.5" {}
        }
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Origin, Ranking, correlate};

    #[test]
    fn the_page_says_what_it_is_told() {
        let value = |x: usize| Ok(crate::Score { mean: (x * x) as f64, std: 0.0 });
        let ranking = Ranking {
            name: "a<b".to_owned(),
            origin: Origin::Given,
            direction: crate::Direction::HigherIsBetter,
            values: (0..20).map(value).collect(),
        };
        let accuracies: Vec<f64> = (0..20).map(|x| f64::from((x * 7) % 20)).collect();
        let correlation = correlate(&ranking, &accuracies, None, 0);
        let report = BenchmarkReport {
            title: "A benchmark".to_owned(),
            verdict: vec!["trust it".to_owned()],
            metrics: vec![("a<b".to_owned(), correlation)],
            ceiling: Some(0.9),
            ..BenchmarkReport::default()
        };
        let page = render_benchmark(&report);
        for part in
            ["<h1>A benchmark</h1>", "trust it", "a&lt;b", "the highest that can be expected", "M228.0 0V16"]
        {
            assert!(page.contains(part), "{part}");
        }
    }
}
