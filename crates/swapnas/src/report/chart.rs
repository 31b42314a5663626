//! Charts as SVG within a page, whose style sheet colours them.

use std::fmt::Write;

use maud::{Markup, html};

use super::axis::Axis;

/// Width and height, and the room above, right of and below the plot, in pixels. Labels of ticks reach out to
/// the right by half of their width.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 320.0;
const ABOVE: f64 = 10.0;
const RIGHT: f64 = 24.0;
const BELOW: f64 = 46.0;

/// The room for the label of the vertical axis, and between ticks and the plot.
const LABEL: f64 = 26.0;
const GAP: f64 = 8.0;

/// How wide a character is on average, in the widest of the fonts that browsers choose.
const CHARACTER: f64 = 7.7;

/// Points, and a line through some of them.
pub(super) struct Chart<'a> {
    /// What the chart shows, for those who cannot see it.
    pub description: &'a str,
    pub x: Axis,
    pub y: Axis,
    /// A line that goes right first and then up or down.
    pub steps: Vec<(f64, f64)>,
    pub marks: Vec<Mark>,
}

pub(super) struct Mark {
    pub x: f64,
    pub y: f64,
    /// Whether it stands out.
    pub strong: bool,
    /// What is shown when the pointer is on it.
    pub title: String,
}

impl Chart<'_> {
    pub(super) fn svg(&self) -> Markup {
        let (left, bottom, right) = (self.left(), HEIGHT - BELOW, WIDTH - RIGHT);
        html! {
            svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(self.description) {
                g.axis {
                    @for (place, label) in &self.y.ticks {
                        @let y = self.pixel(0.0, *place).1;
                        path d=(format!("M{left:.1} {y:.1}H{right}")) {}
                        text.y x=(format!("{:.1}", left - GAP)) y=(format!("{:.1}", y + 4.0)) { (label) }
                    }
                    @for (place, label) in &self.x.ticks {
                        @let x = self.pixel(*place, 0.0).0;
                        path d=(format!("M{x:.1} {ABOVE}V{bottom}")) {}
                        text.x x=(format!("{x:.1}")) y=(bottom + 17.0) { (label) }
                    }
                    text.x x=(format!("{:.1}", (left + right) / 2.0)) y=(HEIGHT - 8.0) {
                        (cut(&self.x.label, right - left))
                    }
                    text.x transform=(format!("translate(14 {}) rotate(-90)", (ABOVE + bottom) / 2.0)) {
                        (cut(&self.y.label, bottom - ABOVE))
                    }
                }
                @if !self.steps.is_empty() {
                    path.steps d=(self.steps_path()) {}
                }
                // Those that stand out are drawn on top.
                @for strong in [false, true] {
                    @for mark in self.marks.iter().filter(|mark| mark.strong == strong) {
                        (self.mark(mark))
                    }
                }
            }
        }
    }

    fn mark(&self, mark: &Mark) -> Markup {
        let (x, y) = self.point(mark.x, mark.y);
        html! {
            @if mark.strong {
                path.strong d=(format!("M{x:.1} {:.1}l5 5l-5 5l-5-5z", y - 5.0)) { title { (mark.title) } }
            } @else {
                circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="3" { title { (mark.title) } }
            }
        }
    }

    fn steps_path(&self) -> String {
        let mut path = String::new();
        for (index, &(x, y)) in self.steps.iter().enumerate() {
            let (x, y) = self.point(x, y);
            let written = match index {
                0 => write!(path, "M{x:.1} {y:.1}"),
                _ => write!(path, "H{x:.1}V{y:.1}"),
            };
            written.expect("a String takes any text");
        }
        path
    }

    fn point(&self, x: f64, y: f64) -> (f64, f64) {
        self.pixel(self.x.place(x), self.y.place(y))
    }

    fn pixel(&self, x: f64, y: f64) -> (f64, f64) {
        let left = self.left();
        let (width, height) = (WIDTH - left - RIGHT, HEIGHT - BELOW - ABOVE);
        (left + x * width, HEIGHT - BELOW - y * height)
    }

    /// The room left of the plot: for the axis' label and the longest number on it.
    fn left(&self) -> f64 {
        let longest = self.y.ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or_default();
        LABEL + longest as f64 * CHARACTER + GAP
    }
}

/// As much of a label as there is room for.
fn cut(label: &str, room: f64) -> String {
    let most = (room / CHARACTER) as usize;
    if label.chars().count() <= most {
        return label.to_owned();
    }
    label.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
