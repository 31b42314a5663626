//! Charts as SVG within a page, whose style sheet colours them.

use std::fmt::Write;

use maud::{Markup, html};

use super::axis::Axis;

/// Width and height, and the room left of and below the plot, in pixels.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 66.0;
const BELOW: f64 = 46.0;
const AROUND: f64 = 10.0;

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
        let (bottom, right) = (HEIGHT - BELOW, WIDTH - AROUND);
        html! {
            svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(self.description) {
                g.axis {
                    @for (place, label) in &self.y.ticks {
                        @let y = self.pixel(0.0, *place).1;
                        path d=(format!("M{LEFT} {y:.1}H{right}")) {}
                        text.y x=(LEFT - 8.0) y=(format!("{:.1}", y + 4.0)) { (label) }
                    }
                    @for (place, label) in &self.x.ticks {
                        @let x = self.pixel(*place, 0.0).0;
                        path d=(format!("M{x:.1} {AROUND}V{bottom}")) {}
                        text.x x=(format!("{x:.1}")) y=(bottom + 17.0) { (label) }
                    }
                    text.x x=((LEFT + right) / 2.0) y=(HEIGHT - 8.0) { (self.x.label) }
                    text.x transform=(format!("translate(14 {}) rotate(-90)", (AROUND + bottom) / 2.0)) {
                        (self.y.label)
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
        let (width, height) = (WIDTH - LEFT - AROUND, HEIGHT - BELOW - AROUND);
        (LEFT + x * width, HEIGHT - BELOW - y * height)
    }
}
