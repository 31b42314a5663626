pub(super) mod text;

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::diagram::{Diagram, Role};
use crate::{Arch, Architecture, ParseError};

/// The operation of a vertex, in the benchmark's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// 3x3 convolution, BatchNorm, ReLU.
    Conv3x3BnRelu,
    /// 1x1 convolution, BatchNorm, ReLU.
    Conv1x1BnRelu,
    /// Maximum over 3x3 pixels.
    MaxPool3x3,
}

impl Operation {
    /// All operations, each in its place.
    pub const ALL: [Operation; 3] =
        [Operation::Conv3x3BnRelu, Operation::Conv1x1BnRelu, Operation::MaxPool3x3];

    /// Their names.
    pub const NAMES: [&str; 3] = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"];

    /// The name.
    pub const fn name(self) -> &'static str {
        Operation::NAMES[self as usize]
    }
}

/// The most vertices of a cell, input and output included.
pub(super) const MAX_VERTICES: usize = 7;

/// The most edges of a pruned cell.
pub(super) const MAX_EDGES: usize = 9;

/// A directed acyclic graph. Vertex 0 is the input, the last one the output, those between have an
/// operation, and edges go from earlier to later vertices.
///
/// ```
/// use swapnas_spaces::nb101::{Cell, Operation};
///
/// let ops = [Operation::Conv3x3BnRelu, Operation::MaxPool3x3];
/// let cell = Cell::new(&[(0, 1), (0, 2), (1, 3)], &ops).unwrap();
/// // Vertex 2 does not reach the output.
/// assert_eq!(cell.pruned().ops(), [Operation::Conv3x3BnRelu]);
/// assert_eq!(cell.hash(), cell.pruned().hash());
/// // Neither vertex does.
/// assert_eq!(Cell::new(&[(0, 1), (0, 2)], &ops), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub(super) vertices: usize,
    /// For each vertex the set of those that read it, as bits. Zero for vertices that are not there.
    pub(super) readers: [u8; MAX_VERTICES],
    /// The operations of vertices 1 and up. The first operation for vertices that are not there.
    pub(super) ops: [Operation; MAX_VERTICES - 2],
}

/// What keeps a graph from being a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The output does not depend on the input.
    NoPath,
    /// This many edges are on paths from input to output.
    TooManyEdges(usize),
}

impl Cell {
    /// The cell with these edges, as (source, target), and operations, those of vertices 1 and up.
    ///
    /// `None` if there are more than seven vertices or if an edge does not go from an earlier to a
    /// later one, if there is no path from input to output, or if more than nine edges are on
    /// such paths.
    pub fn new(edges: &[(usize, usize)], ops: &[Operation]) -> Option<Self> {
        let vertices = ops.len() + 2;
        if vertices > MAX_VERTICES
            || edges.iter().any(|&(source, target)| source >= target || target >= vertices)
        {
            return None;
        }
        let mut cell = Cell::without_edges(ops);
        edges.iter().for_each(|&(source, target)| cell.connect(source, target));
        cell.flaw().is_none().then_some(cell)
    }

    /// Vertices with these operations, at most five, and no edges yet.
    pub(super) fn without_edges(ops: &[Operation]) -> Self {
        let mut cell = Cell {
            vertices: ops.len() + 2,
            readers: [0; MAX_VERTICES],
            ops: [Operation::Conv3x3BnRelu; MAX_VERTICES - 2],
        };
        cell.ops[..ops.len()].copy_from_slice(ops);
        cell
    }

    /// The number of vertices, input and output included.
    pub const fn vertices(&self) -> usize {
        self.vertices
    }

    /// The operations of vertices 1 and up.
    pub fn ops(&self) -> &[Operation] {
        &self.ops[..self.vertices - 2]
    }

    /// Whether the vertex `target` reads the vertex `source`.
    pub fn has_edge(&self, source: usize, target: usize) -> bool {
        source < target && target < self.vertices && self.readers[source] >> target & 1 == 1
    }

    /// The edges as (source, target).
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> {
        pairs(self.vertices).filter(|&(source, target)| self.has_edge(source, target))
    }

    /// The vertices that the vertex `target` reads.
    pub(super) fn sources(&self, target: usize) -> impl Iterator<Item = usize> {
        (0..target).filter(move |&source| self.has_edge(source, target))
    }

    pub(super) fn connect(&mut self, source: usize, target: usize) {
        self.readers[source] |= 1 << target;
    }

    pub(super) fn toggle(&mut self, source: usize, target: usize) {
        self.readers[source] ^= 1 << target;
    }

    /// The vertex that returns the result.
    pub(super) const fn output(&self) -> usize {
        self.vertices - 1
    }

    /// The vertices on paths from input to output, as bits. None if there is no path.
    pub(super) fn alive(&self) -> u8 {
        let mut reached: u8 = 1;
        for source in 0..self.output() {
            if reached >> source & 1 == 1 {
                reached |= self.readers[source];
            }
        }
        let mut needed: u8 = 1 << self.output();
        for source in (0..self.output()).rev() {
            if self.readers[source] & needed != 0 {
                needed |= 1 << source;
            }
        }
        let alive = reached & needed;
        if alive & 1 == 1 { alive } else { 0 }
    }

    /// What is wrong with the graph, if anything is.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        let alive = self.alive();
        if alive == 0 {
            return Some(Flaw::NoPath);
        }
        let readers = (0..self.vertices).filter(|&vertex| alive >> vertex & 1 == 1);
        let edges: u32 = readers.map(|vertex| (self.readers[vertex] & alive).count_ones()).sum();
        (edges as usize > MAX_EDGES).then_some(Flaw::TooManyEdges(edges as usize))
    }

    /// The cell without the vertices that are on no path from input to output.
    #[must_use]
    pub fn pruned(&self) -> Self {
        let alive = self.alive();
        let kept: Vec<usize> = (0..self.vertices).filter(|&vertex| alive >> vertex & 1 == 1).collect();
        self.relabelled(&kept)
    }

    /// The cell of these vertices of this one, in the order given: input first, output last.
    pub(super) fn relabelled(&self, vertices: &[usize]) -> Self {
        let mut cell = Cell { vertices: vertices.len(), readers: [0; MAX_VERTICES], ..*self };
        for (source, target) in pairs(vertices.len()) {
            if self.has_edge(vertices[source], vertices[target]) {
                cell.connect(source, target);
            }
        }
        cell.ops = [Operation::Conv3x3BnRelu; MAX_VERTICES - 2];
        for (op, &vertex) in cell.ops.iter_mut().zip(&vertices[1..vertices.len() - 1]) {
            *op = self.ops[vertex - 1];
        }
        cell
    }
}

/// All places of edges between so many vertices, as (source, target), row by row.
pub(super) fn pairs(vertices: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..vertices).flat_map(move |source| (source + 1..vertices).map(move |target| (source, target)))
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", text::to_json(self))
    }
}

impl FromStr for Cell {
    type Err = ParseError;

    /// Reads any encoding of the space.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        text::parse(text)
    }
}

impl Architecture for Cell {
    fn arch(&self) -> Arch {
        let ops = self.ops().iter().map(|&op| op as u8);
        let genes: Vec<u8> = self.readers[..self.vertices].iter().copied().chain(ops).collect();
        Arch::new(&genes)
    }

    fn to_json(&self) -> Value {
        text::to_json(self)
    }

    /// The cell with its operations on the nodes. Vertices that do not matter are left out.
    fn diagrams(&self) -> Vec<Diagram> {
        let cell = self.pruned();
        let mut diagram = Diagram::new("cell");
        diagram.node("input", Role::Input);
        for op in cell.ops() {
            diagram.node(op.name(), Role::Inner);
        }
        diagram.node("output", Role::Output);
        let mut edges: Vec<(usize, usize)> = cell.edges().collect();
        edges.sort_by_key(|&(source, target)| (target, source));
        edges.into_iter().for_each(|(source, target)| diagram.edge(source, target, ""));
        vec![diagram]
    }

    /// The canonical form of the isomorphism class.
    fn canonical(&self) -> Self {
        Cell::canonical(self)
    }
}

/// Panics if the architecture is one of another space.
impl From<&Arch> for Cell {
    fn from(arch: &Arch) -> Cell {
        let read = || {
            // As many vertices as rows, and an operation for all but two of them.
            let vertices = arch.genes().len() / 2 + 1;
            let (readers, ops) = arch.genes().split_at_checked(vertices)?;
            let op = |&gene: &u8| Operation::ALL.get(usize::from(gene)).copied();
            let ops = ops.iter().map(op).collect::<Option<Vec<Operation>>>()?;
            let edges: Vec<(usize, usize)> =
                pairs(vertices).filter(|&(source, target)| readers[source] >> target & 1 == 1).collect();
            Cell::new(&edges, &ops)
        };
        read().expect("an architecture of the space nb101")
    }
}
