pub(super) mod text;

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::diagram::{Diagram, Role};
use crate::{Arch, Architecture, ParseError};

/// An operation on an edge of a DARTS cell, in NASLib's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Maximum over 3x3 pixels.
    MaxPool3x3,
    /// Mean over 3x3 pixels.
    AvgPool3x3,
    /// The input itself, or with stride 2 a factorised reduction of it.
    SkipConnect,
    /// Two separable 3x3 convolutions.
    SepConv3x3,
    /// Two separable 5x5 convolutions.
    SepConv5x5,
    /// A separable 3x3 convolution of dilation 2.
    DilConv3x3,
    /// A separable 5x5 convolution of dilation 2.
    DilConv5x5,
    /// Zeros.
    None,
}

impl Operation {
    /// All operations, each in its place.
    pub const ALL: [Operation; 8] = [
        Operation::MaxPool3x3,
        Operation::AvgPool3x3,
        Operation::SkipConnect,
        Operation::SepConv3x3,
        Operation::SepConv5x5,
        Operation::DilConv3x3,
        Operation::DilConv5x5,
        Operation::None,
    ];

    /// Their names in genotypes.
    pub const NAMES: [&str; 8] = [
        "max_pool_3x3",
        "avg_pool_3x3",
        "skip_connect",
        "sep_conv_3x3",
        "sep_conv_5x5",
        "dil_conv_3x3",
        "dil_conv_5x5",
        "none",
    ];

    /// All but [`None`](Self::None), which DARTS searches with but never derives.
    pub const SAMPLED: &[Operation] = Operation::ALL.split_last().expect("eight operations").1;

    /// The name in genotypes.
    pub const fn name(self) -> &'static str {
        Operation::NAMES[self as usize]
    }
}

/// One operation with the state it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// What is done.
    pub op: Operation,
    /// To which state: 0 and 1 are the outputs of the cell before the previous one and of the
    /// previous one, 2 and above the nodes of this cell.
    pub input: usize,
}

/// Four nodes, each the sum of two edges from earlier states; the output joins some of the states.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    edges: [Edge; 8],
    concat: Vec<usize>,
}

impl Cell {
    /// The cell whose node j is the sum of edges 2j and 2j + 1, and whose output joins the states
    /// in `concat`.
    ///
    /// `None` if an edge reads a state that is not there before its node, or if `concat` is empty,
    /// longer than 255 or names a state above 5.
    pub fn new(edges: [Edge; 8], concat: &[usize]) -> Option<Self> {
        let reads_earlier = edges.iter().enumerate().all(|(k, edge)| edge.input <= Cell::last_input(k));
        let joins_states = (1..=Cell::MAX_CONCAT).contains(&concat.len()) && concat.iter().all(|&s| s <= 5);
        (reads_earlier && joins_states).then(|| Cell { edges, concat: concat.to_vec() })
    }

    /// The edges, two for each node.
    pub const fn edges(&self) -> &[Edge; 8] {
        &self.edges
    }

    /// The states that make up the output, in the order in which they are joined.
    pub fn concat(&self) -> &[usize] {
        &self.concat
    }

    /// The last state that edge `k` may read.
    pub(super) const fn last_input(k: usize) -> usize {
        1 + k / 2
    }

    /// How many states a cell may join.
    pub(super) const MAX_CONCAT: usize = 255;

    /// The order of a node's edges and the input of a `none` do not matter.
    fn canonical(mut self) -> Self {
        for pair in self.edges.chunks_exact_mut(2) {
            for edge in pair.iter_mut().filter(|edge| edge.op == Operation::None) {
                edge.input = 0;
            }
            pair.sort_by_key(|edge| (edge.input, edge.op));
        }
        self
    }

    /// All cells with one other operation or input. What a `none` reads does not matter, so that
    /// input stays.
    pub(super) fn neighbours(&self) -> impl Iterator<Item = Cell> {
        (0..8).flat_map(move |k| {
            let Edge { op, input } = self.edges[k];
            let sibling = self.edges[k ^ 1].input;
            let ops = Operation::SAMPLED.iter().filter(move |&&o| o != op);
            let inputs = (0..=Cell::last_input(k))
                .filter(move |&i| op != Operation::None && i != input && i != sibling);
            let edges =
                ops.map(move |&op| Edge { op, input }).chain(inputs.map(move |input| Edge { op, input }));
            edges.map(move |edge| {
                let mut cell = self.clone();
                cell.edges[k] = edge;
                cell
            })
        })
    }

    /// The cell as DARTS draws it.
    fn diagram(&self, title: &'static str) -> Diagram {
        let mut diagram = Diagram::new(title);
        let inputs = ["c_{k-2}", "c_{k-1}"].map(|label| (label, Role::Input));
        let nodes = ["0", "1", "2", "3"].map(|label| (label, Role::Inner));
        for (label, role) in inputs.into_iter().chain(nodes).chain([("c_{k}", Role::Output)]) {
            diagram.node(label, role);
        }
        for (k, edge) in self.edges.iter().enumerate().filter(|(_, edge)| edge.op != Operation::None) {
            diagram.edge(edge.input, 2 + k / 2, edge.op.name());
        }
        self.concat.iter().for_each(|&state| diagram.edge(state, 6, ""));
        diagram
    }

    fn write_genes(&self, genes: &mut Vec<u8>) {
        genes.extend(self.edges.iter().flat_map(|edge| [edge.op as u8, edge.input as u8]));
        genes.push(self.concat.len() as u8);
        genes.extend(self.concat.iter().map(|&state| state as u8));
    }

    fn read_genes(genes: &[u8]) -> Option<(Self, &[u8])> {
        let (edges, genes) = genes.split_at_checked(16)?;
        let (&len, genes) = genes.split_first()?;
        let (concat, genes) = genes.split_at_checked(usize::from(len))?;
        let mut cell = [Edge { op: Operation::None, input: 0 }; 8];
        for (edge, pair) in cell.iter_mut().zip(edges.chunks_exact(2)) {
            let op = *Operation::ALL.get(usize::from(pair[0]))?;
            *edge = Edge { op, input: usize::from(pair[1]) };
        }
        let concat: Vec<usize> = concat.iter().map(|&state| usize::from(state)).collect();
        Some((Cell::new(cell, &concat)?, genes))
    }
}

/// A DARTS architecture, printed and parsed as the Python repr of a genotype.
///
/// ```
/// use swapnas_spaces::darts::Genotype;
///
/// let text = "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1), ('none', 0), ('none', 1), \
///     ('none', 0), ('none', 1), ('none', 0), ('none', 1)], normal_concat=[2, 3, 4, 5], \
///     reduce=[('skip_connect', 0), ('max_pool_3x3', 1), ('none', 0), ('none', 1), \
///     ('none', 0), ('none', 1), ('none', 0), ('none', 1)], reduce_concat=[2, 3, 4, 5])";
/// let genotype: Genotype = text.parse()?;
/// assert_eq!(genotype.reduce.edges()[1].op.name(), "max_pool_3x3");
/// assert_eq!(genotype.to_string(), text);
/// # Ok::<(), swapnas_spaces::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Genotype {
    /// The cell that keeps the image size.
    pub normal: Cell,
    /// The cell that halves it.
    pub reduce: Cell,
}

impl fmt::Display for Genotype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write_genotype(f, self)
    }
}

impl FromStr for Genotype {
    type Err = ParseError;

    /// Reads either text encoding, or JSON.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        text::parse(text)
    }
}

impl Architecture for Genotype {
    fn arch(&self) -> Arch {
        let mut genes = Vec::with_capacity(42);
        self.normal.write_genes(&mut genes);
        self.reduce.write_genes(&mut genes);
        Arch::new(&genes)
    }

    fn to_json(&self) -> Value {
        text::to_json(self)
    }

    /// The two cells as DARTS draws them: `c_{k-1}` is the previous cell, `c_{k-2}` the one before.
    fn diagrams(&self) -> Vec<Diagram> {
        vec![self.normal.diagram("normal cell"), self.reduce.diagram("reduction cell")]
    }

    /// The order of a node's two edges does not matter, nor what a `none` reads.
    fn canonical(&self) -> Self {
        let Genotype { normal, reduce } = self.clone();
        Genotype { normal: normal.canonical(), reduce: reduce.canonical() }
    }
}

/// Panics if the architecture is one of another space.
impl From<&Arch> for Genotype {
    fn from(arch: &Arch) -> Genotype {
        let read = || {
            let (normal, rest) = Cell::read_genes(arch.genes())?;
            let (reduce, rest) = Cell::read_genes(rest)?;
            rest.is_empty().then_some(Genotype { normal, reduce })
        };
        read().expect("an architecture of the space darts")
    }
}
