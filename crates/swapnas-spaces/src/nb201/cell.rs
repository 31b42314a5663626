use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde_json::Value;

use super::{GENES, order, text};
use crate::diagram::Diagram;
use crate::{Arch, Architecture, ParseError};

/// An operation on an edge of a cell, in the benchmark's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Zeros.
    None,
    /// The input itself.
    SkipConnect,
    /// ReLU, 1x1 convolution, BatchNorm.
    NorConv1x1,
    /// ReLU, 3x3 convolution, BatchNorm.
    NorConv3x3,
    /// Mean over 3x3 pixels.
    AvgPool3x3,
}

impl Operation {
    /// All operations, each in its place.
    pub const ALL: [Operation; 5] = [
        Operation::None,
        Operation::SkipConnect,
        Operation::NorConv1x1,
        Operation::NorConv3x3,
        Operation::AvgPool3x3,
    ];

    /// Their names.
    pub const NAMES: [&str; 5] = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"];

    /// The name.
    pub const fn name(self) -> &'static str {
        Operation::NAMES[self as usize]
    }
}

/// Four nodes with an operation on every edge between them; node 0 is the input, node 3 the output,
/// and each of the others is the sum of its edges.
///
/// ```
/// use swapnas_spaces::nb201::{Cell, Operation};
///
/// let cell: Cell = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|".parse()?;
/// assert_eq!(cell.0[0], Operation::NorConv3x3);
/// // Nothing reads node 1.
/// assert_eq!(cell.canonical().0[0], Operation::None);
/// # Ok::<(), swapnas_spaces::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(
    /// The operations, in the order of [`Cell::EDGES`].
    pub [Operation; 6],
);

impl Cell {
    /// The edges as (source, target), those into one node together.
    pub const EDGES: [(usize, usize); 6] = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)];

    /// The operation on the edge between two nodes.
    pub(super) fn op(&self, source: usize, target: usize) -> Operation {
        self.0[target * (target - 1) / 2 + source]
    }

    /// The cell that stands for all that the benchmark counts as isomorphic to this one: 6,466 of
    /// the 15,625 do.
    ///
    /// Cells of one class compute the same function: a skip passes on what its source is, whatever
    /// is done to a zero is zero, the order of a sum does not matter, and what the output does not
    /// depend on does not either. The converse is not always true: a sum with a zero among its terms
    /// is told apart from the same sum without it, and so are some sums of sums. Without that there
    /// would be 4,930 classes, which is not the published number.
    ///
    /// A class is represented by its first cell in the order of operations.
    #[must_use]
    pub fn canonical(self) -> Self {
        static REPRESENTATIVES: LazyLock<Vec<u16>> = LazyLock::new(|| {
            let mut first = std::collections::HashMap::new();
            (0..order::COUNT as u16)
                .map(|rank| *first.entry(Cell::from(&GENES.at(rank.into())).expression()).or_insert(rank))
                .collect()
        });
        let rank = GENES.number(&self.arch());
        (&GENES.at(REPRESENTATIVES[rank].into())).into()
    }

    /// What node 3 computes from node 0, written as the benchmark's authors do, since the number of
    /// classes depends on how terms are sorted as text.
    fn expression(&self) -> String {
        let mut nodes = vec!["0".to_owned()];
        for target in 1..4 {
            let term = |(source, node): (usize, &String)| match self.op(source, target) {
                _ if node == ZERO => ZERO.to_owned(),
                Operation::None => ZERO.to_owned(),
                Operation::SkipConnect => node.clone(),
                op => format!("({node})@{}", op.name()),
            };
            let mut terms: Vec<String> = nodes.iter().enumerate().map(term).collect();
            terms.sort_unstable();
            nodes.push(terms.join("+"));
        }
        nodes.swap_remove(3)
    }
}

/// How an expression that is zero is written.
const ZERO: &str = "#";

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write_string(f, self)
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
        Arch::new(&self.0.map(|op| op as u8))
    }

    fn to_json(&self) -> Value {
        text::to_json(self)
    }

    fn diagrams(&self) -> Vec<Diagram> {
        let edges = Cell::EDGES.into_iter().zip(self.0);
        let edges = edges.filter(|(_, op)| *op != Operation::None);
        vec![Diagram::four_nodes(edges.map(|((source, target), op)| (source, target, op.name())))]
    }

    fn canonical(&self) -> Self {
        Cell::canonical(*self)
    }
}

/// Panics if the architecture is one of another space.
impl From<&Arch> for Cell {
    fn from(arch: &Arch) -> Cell {
        let op = |&gene: &u8| Operation::ALL.get(usize::from(gene)).copied();
        let ops: Option<Vec<Operation>> = arch.genes().iter().map(op).collect();
        Cell(ops.and_then(|ops| ops.try_into().ok()).expect("an architecture of the space nb201"))
    }
}
