use std::fmt::Write;

use swapnas_spaces::diagram::{Diagram, Node, Role};

use super::runs;
use crate::markup::Escaped;

/// The diagrams as text for Graphviz, each in a cluster of its own if there are several.
pub fn dot(diagrams: &[Diagram]) -> String {
    let mut out = String::from(
        "digraph {\n  rankdir=LR\n  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\"]\n  \
         edge [fontname=\"Helvetica\", fontsize=11]\n",
    );
    for (part, diagram) in diagrams.iter().enumerate() {
        let indent = if diagrams.len() > 1 {
            line(&mut out, format_args!("  subgraph cluster_{part} {{"));
            line(&mut out, format_args!("    label={}\n    color=none", quoted(diagram.title)));
            "    "
        } else {
            "  "
        };
        for (place, node) in diagram.nodes.iter().enumerate() {
            let (label, colour) = (html(node), fill(node.role));
            line(&mut out, format_args!("{indent}n{part}_{place} [label={label}, fillcolor=\"{colour}\"]"));
        }
        for edge in &diagram.edges {
            let label = match edge.label {
                "" => String::new(),
                label => format!(" [label={}]", quoted(label)),
            };
            line(&mut out, format_args!("{indent}n{part}_{} -> n{part}_{}{label}", edge.from, edge.to));
        }
        if diagrams.len() > 1 {
            out.push_str("  }\n");
        }
    }
    out.push_str("}\n");
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a String takes any text");
}

/// The colour of a node, also used in SVG.
pub(super) fn fill(role: Role) -> &'static str {
    match role {
        Role::Input => "#c9e7cb",
        Role::Inner => "#c3ddf5",
        Role::Output => "#f8eba6",
    }
}

/// A string in quotes. Backslashes would begin Graphviz's own escapes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A label in Graphviz's HTML, which knows subscripts.
fn html(node: &Node) -> String {
    let mut label = String::from("<");
    for (number, text) in node.label.lines().enumerate() {
        if number > 0 {
            label.push_str("<BR/>");
        }
        for (text, is_sub) in runs(text) {
            let text = Escaped(text);
            label.push_str(&if is_sub { format!("<SUB>{text}</SUB>") } else { text.to_string() });
        }
    }
    label.push('>');
    label
}
