//! The page and its sections.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::axis::{Axis, Kind, short};
use super::chart::{Chart, Mark};
use super::{Best, Point, Report};
use crate::number;

/// Of a score.
const DIGITS: usize = 6;

/// The style sheet.
const STYLE: &str = include_str!("page.css");

/// Nothing but what the page itself has may be loaded.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// About how many bytes a point takes in both charts, without its architecture, and all points may take.
const MARK: usize = 350;
const MARKS: usize = 600_000;

/// How many of the best architectures are shown without a click.
const OPEN: usize = 3;

pub(super) fn page(report: &Report) -> Markup {
    document(
        &report.title,
        html! {
            @for note in &report.notes { p.note role="note" { (note) } }
            (overview(report))
            (front(report))
            (drawings(report))
            (pairs("Settings", &report.settings))
            @if !report.command.is_empty() {
                h2 { "How to reproduce" }
                pre { code { (report.command) } }
            }
            (pairs("Versions", &report.versions))
        },
    )
}

/// A page that loads nothing and runs no script, with its title as heading.
pub(super) fn document(title: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (content) } }
        }
    }
}

/// The best in numbers, and all in charts.
fn overview(report: &Report) -> Markup {
    html! {
        h2 { "Results" }
        @if report.best.is_empty() { p { "No architecture was evaluated." } }
        div.overview {
            @if !report.best.is_empty() { figure { (best(report)) } }
            (charts(report))
        }
    }
}

fn best(report: &Report) -> Markup {
    let with_latency = report.best.iter().any(|best| best.latency.is_some());
    let names: Vec<&str> = report
        .best
        .first()
        .map_or_else(Vec::new, |best| best.scores.iter().map(|(name, _)| &name[..]).collect());
    html! {
        (scrolling("Best architectures", html! {
            table.best {
                thead { tr {
                    th.number scope="col" { "rank" }
                    @for name in &names { th.number scope="col" { (breakable(name)) } }
                    th.number scope="col" { "parameters" }
                    th.number scope="col" { "multiply-accumulates" }
                    @if with_latency { th.number scope="col" { "latency" } }
                } }
                tbody { @for best in &report.best { tr {
                    td.number { (best.rank) }
                    @for name in &names {
                        @let score = best.scores.iter().find(|(other, _)| other == name);
                        td.number { (score.and_then(|(_, score)| *score).map_or("–".to_owned(), |score| number(score, DIGITS))) }
                    }
                    td.number title=(grouped(best.params)) { (short(best.params as f64)) }
                    td.number title=(grouped(best.macs)) { (short(best.macs as f64)) }
                    @if with_latency { td.number { (best.latency.map_or("–".to_owned(), milliseconds)) } }
                } } }
            }
        }))
        figcaption { "The best architectures. All sizes are those of the network to be trained." }
    }
}

/// A name with places where it may go on on the next line.
fn breakable(name: &str) -> Markup {
    html! { @for part in name.split_inclusive(',') { (part) wbr; } }
}

fn drawings(report: &Report) -> Markup {
    html! {
        @if !report.best.is_empty() {
            h2 { "What the best look like" }
            @for (place, best) in report.best.iter().enumerate() { (drawn(best, place < OPEN)) }
        }
    }
}

fn drawn(best: &Best, open: bool) -> Markup {
    html! {
        details open[open] {
            summary { h3 { "Rank " (best.rank) } " – " (short(best.params as f64)) " parameters" }
            @for drawing in &best.drawings {
                (scrolling(&format!("Drawing of rank {}", best.rank), PreEscaped(drawing.clone())))
            }
            code { (best.arch) }
        }
    }
}

/// Something wide that can be moved to the side, also with keys.
pub(super) fn scrolling(label: &str, content: Markup) -> Markup {
    html! { div.scroll role="region" tabindex="0" aria-label=(label) { (content) } }
}

fn charts(report: &Report) -> Markup {
    let Shown { points, left_out, archs } = shown(report);
    let left_out = match left_out {
        0 => String::new(),
        count => format!(" {count} architectures off the front are left out, evenly."),
    };
    let against = &report.against;
    let front =
        if against.is_empty() { String::new() } else { format!(" of {} against {against}", report.score) };
    let legend = format!("Diamonds are the Pareto front{front}, circles all others.{left_out}");
    let charts = [
        size_chart(report, &points, "parameters", |point| Some(point.params as f64), archs),
        size_chart(report, &points, "multiply-accumulates", |point| Some(point.macs as f64), false),
        size_chart(report, &points, "latency in milliseconds", |point| point.latency, false),
    ];
    html! {
        @if let Some(svg) = curve(report) {
            figure { (svg) figcaption { "The best " (report.score) " after so many evaluations." } }
        }
        @for svg in charts.into_iter().flatten() { figure { (svg) figcaption { (legend) } } }
    }
}

fn curve(report: &Report) -> Option<Markup> {
    let steps: Vec<(f64, f64)> =
        report.curve.iter().filter(|(_, y)| y.is_finite()).map(|&(x, y)| (x as f64, y)).collect();
    let (&(first, from), &(last, to)) = (steps.first()?, steps.last()?);
    let description = format!(
        "Line: the best {} goes from {} after {first} evaluations to {} after {last}.",
        report.score,
        number(from, DIGITS),
        number(to, DIGITS)
    );
    let chart = Chart {
        description: &description,
        x: Axis::new("evaluations", Kind::Count, steps.iter().map(|step| step.0))?,
        y: Axis::new(&format!("best {}", report.score), Kind::Score, steps.iter().map(|step| step.1))?,
        marks: Vec::new(),
        steps,
    };
    Some(chart.svg())
}

/// The points of the charts.
struct Shown<'a> {
    points: Vec<&'a Point>,
    left_out: usize,
    /// Whether pointing at a point tells its architecture, and not only if it is on the front.
    archs: bool,
}

/// As much as fits: all points with their architectures, or all points, or some of those off the front.
fn shown(report: &Report) -> Shown<'_> {
    let finite: Vec<&Point> = report.points.iter().filter(|point| point.score.is_finite()).collect();
    let archs: usize = finite.iter().map(|point| point.arch.len()).sum();
    let marks = finite.len() * MARK;
    let every = marks.div_ceil(MARKS).max(1);
    let mut others = 0;
    let mut is_shown = |point: &Point| {
        others += usize::from(!point.on_front);
        point.on_front || others % every == 0
    };
    let points: Vec<&Point> = finite.iter().copied().filter(|point| is_shown(point)).collect();
    let left_out = finite.len() - points.len();
    Shown { points, left_out, archs: archs + marks <= MARKS }
}

fn size_chart(
    report: &Report,
    points: &[&Point],
    label: &str,
    size: impl Fn(&Point) -> Option<f64>,
    with_archs: bool,
) -> Option<Markup> {
    let title = |point: &Point| {
        let Point { params, macs, score, arch, latency, .. } = point;
        let latency = latency.map_or(String::new(), |latency| format!(", {}", milliseconds(latency)));
        let numbers = format!(
            "{} {}, {} parameters, {} multiply-accumulates{latency}",
            report.score,
            number(*score, DIGITS),
            grouped(*params),
            grouped(*macs)
        );
        if with_archs || point.on_front { format!("{numbers}\n{arch}") } else { numbers }
    };
    let marks = points.iter().filter_map(|point| {
        Some(Mark { x: size(point)?, y: point.score, strong: point.on_front, title: title(point) })
    });
    let marks: Vec<Mark> = marks.collect();
    let description = format!("Points: {} against {label} of {} architectures.", report.score, marks.len());
    let chart = Chart {
        description: &description,
        x: Axis::new(label, Kind::Size, marks.iter().map(|mark| mark.x))?,
        y: Axis::new(&report.score, Kind::Score, marks.iter().map(|mark| mark.y))?,
        steps: Vec::new(),
        marks,
    };
    Some(chart.svg())
}

/// The front as a table, which charts are for those who see them.
fn front(report: &Report) -> Markup {
    let mut front: Vec<&Point> =
        report.points.iter().filter(|point| point.on_front && point.score.is_finite()).collect();
    front.sort_by_key(|point| (point.params, point.macs));
    let with_latency = front.iter().any(|point| point.latency.is_some());
    html! {
        @if !front.is_empty() {
            h2 { "Pareto front" }
            details {
                summary { "All " (front.len()) " architectures of the front" }
                (scrolling("Pareto front", html! {
                    table {
                        thead { tr {
                            th.number scope="col" { "parameters" }
                            th.number scope="col" { "multiply-accumulates" }
                            @if with_latency { th.number scope="col" { "latency" } }
                            th.number scope="col" { (report.score) }
                            th scope="col" { "architecture" }
                        } }
                        tbody { @for point in front { tr {
                            td.number { (grouped(point.params)) }
                            td.number { (grouped(point.macs)) }
                            @if with_latency {
                                td.number { (point.latency.map_or("–".to_owned(), milliseconds)) }
                            }
                            td.number { (number(point.score, DIGITS)) }
                            td { code { (point.arch) } }
                        } } }
                    }
                }))
            }
        }
    }
}

pub(super) fn pairs(title: &str, pairs: &[(String, String)]) -> Markup {
    html! {
        @if !pairs.is_empty() {
            h2 { (title) }
            div.card {
                (scrolling(title, html! {
                    table.pairs { tbody {
                        @for (name, value) in pairs { tr { th scope="row" { (name) } td { (value) } } }
                    } }
                }))
            }
        }
    }
}

fn milliseconds(latency: f64) -> String {
    format!("{} ms", number(latency, DIGITS))
}

/// A whole number in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
