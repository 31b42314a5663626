//! What an architecture looks like, as plain data that others draw.
//!
//! ```
//! use swapnas_spaces::by_name;
//!
//! let space = by_name("nb201")?;
//! let arch = space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|")?;
//! let [cell] = &space.diagrams(&arch)[..] else { panic!("one kind of cell") };
//! assert_eq!(cell.nodes.len(), 4);
//! // What is `none` is not there.
//! assert_eq!(cell.edges.len(), 3);
//! assert_eq!(cell.edges[0].label, "nor_conv_3x3");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

/// A directed graph without cycles, with something written on its nodes and edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// Which part of the architecture it shows, such as `normal cell`.
    pub title: &'static str,
    /// The nodes, every one after those that have edges to it.
    pub nodes: Vec<Node>,
    /// The edges, those into one node together.
    pub edges: Vec<Edge>,
}

/// A node of a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What is written on it, in one or more lines; `_{k-1}` stands for a subscript.
    pub label: String,
    /// Its place in the flow.
    pub role: Role,
}

/// What a node is to the part that a diagram shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// What comes from outside.
    Input,
    /// What is computed inside.
    Inner,
    /// What is handed on.
    Output,
}

/// An edge of a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The place of the node that it leaves.
    pub from: usize,
    /// The place of the node that it reaches.
    pub to: usize,
    /// What is done on the way; empty if the value is passed on as it is.
    pub label: &'static str,
}

impl Diagram {
    pub(crate) fn new(title: &'static str) -> Self {
        Diagram { title, nodes: Vec::new(), edges: Vec::new() }
    }

    /// Adds a node, and says its place.
    pub(crate) fn node(&mut self, label: impl Into<String>, role: Role) -> usize {
        self.nodes.push(Node { label: label.into(), role });
        self.nodes.len() - 1
    }

    pub(crate) fn edge(&mut self, from: usize, to: usize, label: &'static str) {
        self.edges.push(Edge { from, to, label });
    }

    /// A row of nodes, each with an edge to the next: the image, what is done to it, and the classes.
    pub(crate) fn chain(title: &'static str, labels: impl IntoIterator<Item = String>) -> Self {
        Diagram::chain_from("image", title, labels)
    }

    /// The same of a network that reads something else.
    pub(crate) fn chain_from(
        input: &'static str,
        title: &'static str,
        labels: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut diagram = Diagram::new(title);
        let mut last = diagram.node(input, Role::Input);
        let inner = labels.into_iter().map(|label| (label, Role::Inner));
        for (label, role) in inner.chain([("classes".to_owned(), Role::Output)]) {
            let node = diagram.node(label, role);
            diagram.edge(last, node, "");
            last = node;
        }
        diagram
    }

    /// A cell of four nodes with operations on the edges between them, as (source, target, operation);
    /// node 0 is the input and node 3 the output.
    pub(crate) fn four_nodes(edges: impl IntoIterator<Item = (usize, usize, &'static str)>) -> Self {
        let mut diagram = Diagram::new("cell");
        for (label, role) in
            [("input", Role::Input), ("1", Role::Inner), ("2", Role::Inner), ("output", Role::Output)]
        {
            diagram.node(label, role);
        }
        edges.into_iter().for_each(|(source, target, op)| diagram.edge(source, target, op));
        diagram
    }
}
