use std::fmt::Write;

use swapnas_spaces::diagram::{Diagram, Node};

use super::dot::fill;
use super::layout::{FONT, LINE, Layout, Rectangle, Route, lay_out, text_width};
use super::runs;
use crate::markup::Escaped;

/// Free room around everything.
const MARGIN: f64 = 10.0;

/// Height of the title of a diagram, where there are several.
const TITLE: f64 = 26.0;

/// Length and half the width of arrowheads.
const ARROW: (f64, f64) = (7.0, 3.0);

/// The diagrams below each other as an SVG file, which needs no font in particular.
///
/// Within a page, the drawing takes the colour of the text around it (`currentColor`), and the class
/// `background` can be made transparent.
pub fn svg(diagrams: &[Diagram]) -> String {
    let layouts: Vec<Layout> = diagrams.iter().map(lay_out).collect();
    let title = if diagrams.len() > 1 { TITLE } else { 0.0 };
    let width = layouts.iter().map(|layout| layout.width).fold(0.0, f64::max) + 2.0 * MARGIN;
    let height: f64 = layouts.iter().map(|layout| layout.height + title + 2.0 * MARGIN).sum();
    let titles: Vec<&str> = diagrams.iter().map(|diagram| diagram.title).collect();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"drawing\" role=\"img\" aria-label=\"{}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"Helvetica, Arial, sans-serif\" \
         font-size=\"{FONT}\">\n<rect class=\"background\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        Escaped(&titles.join(", "))
    );
    let mut y = MARGIN;
    for (diagram, layout) in diagrams.iter().zip(&layouts) {
        if title > 0.0 {
            let baseline = y + FONT;
            let text = Escaped(diagram.title);
            add(
                &mut out,
                format_args!(
                    "<text x=\"{MARGIN}\" y=\"{baseline:.1}\" font-weight=\"bold\" fill=\"currentColor\">{text}</text>"
                ),
            );
            y += title;
        }
        add(&mut out, format_args!("<g transform=\"translate({MARGIN} {y:.1})\">"));
        for (edge, route) in diagram.edges.iter().zip(&layout.routes) {
            draw_edge(&mut out, route, edge.label);
        }
        for (node, place) in diagram.nodes.iter().zip(&layout.boxes) {
            draw_node(&mut out, node, place);
        }
        add(&mut out, format_args!("</g>"));
        y += layout.height + 2.0 * MARGIN;
    }
    out.push_str("</svg>\n");
    out
}

fn add(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a String takes any text");
}

fn draw_node(out: &mut String, node: &Node, place: &Rectangle) {
    let Rectangle { x, y, width, height } = place;
    add(
        out,
        format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"5\" fill=\"{}\" \
             stroke=\"#555\"/>",
            fill(node.role)
        ),
    );
    let lines: Vec<&str> = node.label.lines().collect();
    let middle = y + height / 2.0 - (lines.len() as f64 - 1.0) / 2.0 * LINE;
    for (number, line) in lines.iter().enumerate() {
        let baseline = middle + number as f64 * LINE;
        draw_text(out, line, (x + width / 2.0, baseline), "#111");
    }
}

/// A line of text around a point.
fn draw_text(out: &mut String, text: &str, (x, y): (f64, f64), colour: &str) {
    let mut content = String::new();
    for (run, is_sub) in runs(text) {
        let run = Escaped(run);
        content.push_str(&if is_sub {
            format!("<tspan dy=\"3\" font-size=\"75%\">{run}</tspan>")
        } else {
            run.to_string()
        });
    }
    let baseline = y + 0.35 * FONT;
    add(
        out,
        format_args!(
            "<text x=\"{x:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\" fill=\"{colour}\">{content}</text>"
        ),
    );
}

/// A line that leaves a gap for its label, and an arrowhead.
fn draw_edge(out: &mut String, route: &Route, label: &str) {
    let mut path = String::new();
    let mut write = |text: std::fmt::Arguments<'_>| path.write_fmt(text).expect("a String takes any text");
    let (first, rest) = route.points.split_first().expect("an edge has two ends");
    write(format_args!("M{:.1} {:.1}", first.0, first.1));
    let last = rest.len() - 1;
    let mut at = *first;
    for (index, &(x, y)) in rest.iter().enumerate() {
        // The line ends within the arrowhead.
        let x = if index == last { x - ARROW.0 + 1.0 } else { x };
        match route.label {
            _ if index % 2 == 1 => {
                let middle = (at.0 + x) / 2.0;
                write(format_args!("C{middle:.1} {:.1} {middle:.1} {y:.1} {x:.1} {y:.1}", at.1));
            }
            Some(((centre, height), width)) if height == y && (at.0..=x).contains(&centre) => {
                write(format_args!("H{:.1}M{:.1} {y:.1}H{x:.1}", centre - width / 2.0, centre + width / 2.0));
            }
            _ => write(format_args!("H{x:.1}")),
        }
        at = (x, y);
    }
    add(
        out,
        format_args!("<path d=\"{path}\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\"0.75\"/>"),
    );
    let (x, y) = route.points[route.points.len() - 1];
    let (length, half) = ARROW;
    let (back, above, below) = (x - length, y - half, y + half);
    add(
        out,
        format_args!("<path d=\"M{x:.1} {y:.1}L{back:.1} {above:.1}V{below:.1}Z\" fill=\"currentColor\"/>"),
    );
    if let Some((centre, width)) = route.label {
        debug_assert!(text_width(label) <= width);
        draw_text(out, label, centre, "currentColor");
    }
}
