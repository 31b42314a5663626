//! Drawings of architectures, as viewers read them.

use roxmltree::{Document, Node};
use swapnas::drawing::{dot, svg};
use swapnas_spaces::diagram::{self, Diagram, Edge, Role};

/// A rectangle: left, top, right, bottom.
type Area = [f64; 4];

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

fn overlap(a: &Area, b: &Area) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// The areas of all nodes of a diagram, and of all labels on its edges.
fn areas(group: Node<'_, '_>) -> (Vec<Area>, Vec<Area>) {
    let mut boxes = Vec::new();
    let mut labels = Vec::new();
    for node in group.children().filter(Node::is_element) {
        match node.tag_name().name() {
            "rect" => {
                let (x, y) = (number(node, "x"), number(node, "y"));
                boxes.push([x, y, x + number(node, "width"), y + number(node, "height")]);
            }
            "text" if node.attribute("fill") == Some("currentColor") => {
                let (x, y) = (number(node, "x"), number(node, "y"));
                // Half the width of 12 pixel letters in the usual fonts, and their height.
                let half = node.text().unwrap().chars().count() as f64 * 12.0 * 0.55 / 2.0;
                labels.push([x - half, y - 9.0, x + half, y + 3.0]);
            }
            _ => {}
        }
    }
    (boxes, labels)
}

#[test]
fn nothing_overlaps_and_everything_is_inside() {
    for &space in swapnas::spaces() {
        for arch in swapnas::sample(space, 60, 2) {
            let diagrams = space.diagrams(&arch);
            let text = svg(&diagrams);
            let document = Document::parse(&text).unwrap();
            let root = document.root_element();
            let groups =
                root.children().filter(|node| node.has_tag_name((root.tag_name().namespace().unwrap(), "g")));
            let groups: Vec<_> = groups.collect();
            assert_eq!(groups.len(), diagrams.len());
            for (group, diagram) in groups.into_iter().zip(&diagrams) {
                let (boxes, labels) = areas(group);
                assert_eq!(boxes.len(), diagram.nodes.len());
                assert_eq!(labels.len(), diagram.edges.iter().filter(|edge| !edge.label.is_empty()).count());
                let all: Vec<&Area> = boxes.iter().chain(&labels).collect();
                for (i, a) in all.iter().enumerate() {
                    assert!(!all[..i].iter().any(|b| overlap(a, b)), "{}: {text}", space.print(&arch));
                    assert!(a[0] >= -1.0 && a[1] >= -1.0, "{text}");
                    assert!(a[2] <= number(root, "width") && a[3] <= number(root, "height"), "{text}");
                }
                // Every edge is a line and an arrowhead.
                let paths = group.children().filter(|node| node.tag_name().name() == "path").count();
                assert_eq!(paths, 2 * diagram.edges.len());
                // Nodes stand right of what they read.
                for Edge { from, to, .. } in &diagram.edges {
                    assert!(boxes[*from][2] < boxes[*to][0]);
                }
            }
        }
    }
}

fn hostile() -> Diagram {
    let node = |label: &str, role| diagram::Node { label: label.to_owned(), role };
    Diagram {
        title: "a \"title\" \\ <&>",
        nodes: vec![node("x_{k-1}\n<b>&'\"", Role::Input), node("\u{7}\\N", Role::Output)],
        edges: vec![Edge { from: 0, to: 1, label: "</text>\"\\" }, Edge { from: 0, to: 1, label: "" }],
    }
}

#[test]
fn labels_are_escaped() {
    let text = svg(&[hostile(), hostile()]);
    let document = Document::parse(&text).unwrap();
    let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
    for label in ["</text>\"\\", "<b>&'\"", "\u{fffd}\\N", "a \"title\" \\ <&>", "k-1"] {
        assert!(texts.contains(&label), "{label} in {texts:?}");
    }
    insta::assert_snapshot!(dot(&[hostile()]), @r##"
digraph {
  rankdir=LR
  node [shape=box, style="rounded,filled", fontname="Helvetica"]
  edge [fontname="Helvetica", fontsize=11]
  n0_0 [label=<x<SUB>k-1</SUB><BR/>&lt;b&gt;&amp;&#39;&quot;>, fillcolor="#c9e7cb"]
  n0_1 [label=<�\N>, fillcolor="#f8eba6"]
  n0_0 -> n0_1 [label="</text>\"\\"]
  n0_0 -> n0_1
}
"##);
}

#[test]
fn nothing_gives_an_empty_drawing() {
    assert!(Document::parse(&svg(&[])).is_ok());
    let empty = Diagram { title: "", nodes: Vec::new(), edges: Vec::new() };
    assert!(Document::parse(&svg(&[empty])).is_ok());
}

#[test]
fn cells_side_by_side_are_clusters() {
    let space = swapnas::space("darts").unwrap();
    let arch = space.parse(space.encodings()[0].example).unwrap();
    let text = dot(&space.diagrams(&arch));
    assert_eq!(text.matches("subgraph").count(), 2);
    assert!(text.contains("label=\"reduction cell\""));
    assert!(text.contains("label=<c<SUB>k-2</SUB>>"));
    assert!(text.contains("n0_0 -> n0_2 [label=\"sep_conv_3x3\"]") && text.contains("n1_5 -> n1_6\n"));
}
