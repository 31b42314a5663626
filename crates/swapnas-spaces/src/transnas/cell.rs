use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::diagram::Diagram;
use crate::json::Field;
use crate::text::{Cursor, tuple};
use crate::{Arch, Architecture, Genes, ParseError, json};

/// An operation on an edge of a cell, in the order of its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Zeros.
    None,
    /// The input itself, or a factorised reduction of it where the image shrinks.
    SkipConnect,
    /// ReLU, 1x1 convolution, BatchNorm.
    NorConv1x1,
    /// ReLU, 3x3 convolution, BatchNorm.
    NorConv3x3,
}

impl Operation {
    /// All operations, each in its place.
    pub const ALL: [Operation; 4] =
        [Operation::None, Operation::SkipConnect, Operation::NorConv1x1, Operation::NorConv3x3];

    /// Their names.
    pub const NAMES: [&str; 4] = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3"];

    /// The name.
    pub const fn name(self) -> &'static str {
        Operation::NAMES[self as usize]
    }
}

/// What the string has in front of a cell: base channels and the skeleton of every micro network.
const PREFIX: &str = "64-41414-";

/// Those of a cell: the operation on each edge.
pub(super) static GENES: Genes<'_> = Genes(&[Operation::ALL.len() as u8; Cell::EDGES.len()]);

/// Four nodes with an operation on every edge between them; node 0 is the input, node 3 the output,
/// and each of the others is the sum of its edges.
///
/// ```
/// use swapnas_spaces::transnas::{Cell, Operation};
///
/// let cell: Cell = "64-41414-1_02_333".parse()?;
/// assert_eq!(cell.op(1, 2), Operation::NorConv1x1);
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

    /// The operation on the edge from node `source` to node `target`.
    ///
    /// # Panics
    ///
    /// If there is no such edge.
    pub fn op(&self, source: usize, target: usize) -> Operation {
        let edge = Cell::EDGES.iter().position(|&edge| edge == (source, target));
        self.0[edge.expect("an edge from an earlier to a later of four nodes")]
    }

    /// The terms that make up node 3, sorted: what the cell computes, whatever its stride.
    ///
    /// A skip passes on what its source is, except on the input, where it may have to shrink the
    /// image; what is done to a zero is zero.
    fn terms(&self) -> Vec<String> {
        let mut nodes = vec![vec!["0".to_owned()]];
        for target in 1..4 {
            let mut terms = Vec::new();
            for (source, node) in nodes.iter().enumerate().filter(|(_, node)| !node.is_empty()) {
                match self.op(source, target) {
                    Operation::None => {}
                    Operation::SkipConnect if source > 0 => terms.extend_from_slice(node),
                    op => terms.push(format!("{}({})", op.name(), node.join("+"))),
                }
            }
            terms.sort_unstable();
            nodes.push(terms);
        }
        nodes.swap_remove(3)
    }

    pub(super) fn print_naslib(&self) -> String {
        tuple(self.0.map(|op| op as usize))
    }

    pub(super) fn from_json(value: &Value) -> Result<Self, ParseError> {
        let nodes = Field::object(value, &["nodes"])?.get("nodes")?.array::<3>("nodes")?;
        let op = |field: &Field<'_>| Ok(Operation::ALL[field.name("an operation", &Operation::NAMES)?]);
        let [a] = nodes[0].array("operation")?;
        let [b, c] = nodes[1].array("operations")?;
        let [d, e, f] = nodes[2].array("operations")?;
        Ok(Cell([op(&a)?, op(&b)?, op(&c)?, op(&d)?, op(&e)?, op(&f)?]))
    }
}

/// As the benchmark writes it, with the skeleton: `64-41414-1_02_333`.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0.map(|op| op as u8);
        write!(f, "{PREFIX}{a}_{b}{c}_{d}{e}{g}")
    }
}

impl FromStr for Cell {
    type Err = ParseError;

    /// Reads any encoding of the space.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if json::is_object(text) {
            return Cell::from_json(&json::read(text)?);
        }
        let mut c = Cursor::new(text);
        let numbers = match c.peek() {
            Some('(' | '[') => {
                let close = c.open("six operations")?;
                c.items(close, |c, _| c.number("an operation", 0..=3))?
            }
            Some('0'..='9') => {
                c.expect(PREFIX)?;
                let mut digits = [0; 6];
                for (digit, (source, target)) in digits.iter_mut().zip(Cell::EDGES) {
                    if source == 0 && target > 1 {
                        c.expect("_")?;
                    }
                    *digit = c.digit("an operation", 0..=3)?;
                }
                digits
            }
            _ => return Err(c.error("`64-41414-a_bc_def`, six numbers `(...)` or a JSON object")),
        };
        c.end()?;
        Ok(Cell(numbers.map(|number| Operation::ALL[number])))
    }
}

impl Architecture for Cell {
    fn arch(&self) -> Arch {
        Arch::new(&self.0.map(|op| op as u8))
    }

    fn to_json(&self) -> Value {
        let node =
            |target| -> Vec<&str> { (0..target).map(|source| self.op(source, target).name()).collect() };
        json!({ "nodes": [node(1), node(2), node(3)] })
    }

    fn diagrams(&self) -> Vec<Diagram> {
        let edges = Cell::EDGES.into_iter().zip(self.0);
        let edges = edges.filter(|(_, op)| *op != Operation::None);
        vec![Diagram::four_nodes(edges.map(|((source, target), op)| (source, target, op.name())))]
    }

    /// Cells whose output is the same sum of the same terms compute the same function. The first
    /// one in the order of digits stands for them.
    fn canonical(&self) -> Self {
        static REPRESENTATIVES: LazyLock<Vec<usize>> = LazyLock::new(|| {
            let mut first = HashMap::new();
            let cells = (0..GENES.size() as usize).map(|number| (number, Cell::from(&GENES.at(number))));
            cells.map(|(number, cell)| *first.entry(cell.terms()).or_insert(number)).collect()
        });
        (&GENES.at(REPRESENTATIVES[GENES.number(&self.arch())])).into()
    }
}

/// Panics if the architecture is one of another space.
impl From<&Arch> for Cell {
    fn from(arch: &Arch) -> Cell {
        let op = |&gene: &u8| Operation::ALL.get(usize::from(gene)).copied();
        let ops: Option<Vec<Operation>> = arch.genes().iter().map(op).collect();
        Cell(ops.and_then(|ops| ops.try_into().ok()).expect("an architecture of the space transnas-micro"))
    }
}
