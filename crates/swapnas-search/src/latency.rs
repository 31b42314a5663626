use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use swapnas_graph::tensor::{ConvTranspose, TensorOp};
use swapnas_graph::{AvgPool, Conv2d, Graph, MaxPool, Node, Op, Window, plain};

use crate::SearchError;

/// How long operations take on some machine: CSV with the columns `op`, `input` and `ms`.
///
/// `op` is, for instance, `conv_3x3_s1_d1_g1_64` (kernel, stride, dilation, groups, output channels),
/// `conv_transpose_2x2_s2_d1_g1_64`, `linear_10`, `max_pool_3x3_s2`, `avg_pool_3x3_s1`, `global_avg_pool`, `batch_norm`, `relu`, `relu6`,
/// `silu`, `gelu`, `hard_swish`, `sigmoid`, `hard_sigmoid`, `leaky_relu`, `add`, `mul`, `concat` or `slice`; `input` is
/// the shape of the first thing it reads, as in `64x16x16`. The latency of a network is the sum over its
/// operations; zeros are free.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyTable {
    milliseconds: BTreeMap<String, f64>,
}

/// What takes time in a network: the first two columns of a line of a [`LatencyTable`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    /// The operation, such as `conv_3x3_s1_d1_g1_64`.
    pub op: String,
    /// The shape of the first thing that it reads, such as `64x16x16`.
    pub input: String,
}

#[derive(Deserialize)]
struct Row {
    op: String,
    input: String,
    ms: f64,
}

impl LatencyTable {
    /// Reads a table.
    ///
    /// # Errors
    /// If the file cannot be read, lacks a column or has one twice, or has an operation twice or a time that is
    /// negative or no number.
    pub fn read(path: &Path) -> Result<Self, SearchError> {
        let file = File::open(path).map_err(|source| SearchError::LatencyTable {
            path: path.to_owned(),
            what: source.to_string(),
        })?;
        LatencyTable::read_from(path, file)
    }

    /// The same of a file that is open, or in memory; `path` is what messages call it.
    ///
    /// # Errors
    /// As of [`read`](Self::read).
    pub fn read_from(path: &Path, file: impl Read) -> Result<Self, SearchError> {
        let error = |what: String| SearchError::LatencyTable {
            path: path.to_owned(),
            what: plain(&what).to_string(),
        };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
        let mut milliseconds = BTreeMap::new();
        for (index, row) in reader.deserialize::<Row>().enumerate() {
            let row = row.map_err(|source| error(source.to_string()))?;
            if !(row.ms.is_finite() && row.ms >= 0.0) {
                return Err(error(format!("row {}: {} are no milliseconds", index + 1, row.ms)));
            }
            if let Some(text) = [&row.op, &row.input].into_iter().find(|text| text.contains(',')) {
                return Err(error(format!(
                    "row {}: `{text}` has a comma, which no operation has",
                    index + 1
                )));
            }
            let place = format!("{},{}", row.op, row.input);
            if milliseconds.contains_key(&place) {
                let twice = format!("row {}: {place} is there twice; leave one of them out", index + 1);
                return Err(error(twice));
            }
            milliseconds.insert(place, row.ms);
        }
        Ok(LatencyTable { milliseconds })
    }

    /// The table as a file has it, from which it is read as it is.
    ///
    /// # Errors
    /// As the writer has it; there is no reason for any.
    pub fn to_csv(&self) -> csv::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["op", "input", "ms"])?;
        for (line, milliseconds) in &self.milliseconds {
            let (op, input) = line.split_once(',').unwrap_or((line, ""));
            writer.write_record([op, input, &format!("{milliseconds:?}")])?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }

    /// Says how many milliseconds an operation takes, in place of what the table had of it.
    ///
    /// # Errors
    /// If the number is negative or none.
    pub fn insert(&mut self, operation: &Operation, milliseconds: f64) -> Result<(), SearchError> {
        if !(milliseconds.is_finite() && milliseconds >= 0.0) {
            return Err(SearchError::Asked(format!("{operation}: {milliseconds} are no milliseconds")));
        }
        self.milliseconds.insert(operation.to_string(), milliseconds);
        Ok(())
    }

    /// How many operations it has.
    pub fn len(&self) -> usize {
        self.milliseconds.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.milliseconds.is_empty()
    }

    /// Operations, as `op,input`, with their milliseconds, in the order of the file.
    pub fn rows(&self) -> impl Iterator<Item = (&str, f64)> {
        self.milliseconds.iter().map(|(operation, milliseconds)| (operation.as_str(), *milliseconds))
    }

    /// The time that a network takes, in milliseconds.
    ///
    /// # Errors
    /// If operations are missing, with a line for each.
    pub fn latency(&self, graph: &Graph) -> Result<f64, SearchError> {
        let mut sum = 0.0;
        let mut missing: Vec<String> = Vec::new();
        for node in graph.nodes() {
            let Some(operation) = Operation::of(graph, node) else { continue };
            let line = operation.to_string();
            match self.milliseconds.get(&line) {
                Some(milliseconds) => sum += milliseconds,
                None if missing.contains(&line) => {}
                None => missing.push(line),
            }
        }
        if missing.is_empty() { Ok(sum) } else { Err(SearchError::Latency { missing }) }
    }
}

impl Operation {
    /// That of a node; `None` for what takes no time.
    pub fn of(graph: &Graph, node: &Node) -> Option<Self> {
        let op = name(node)?;
        Some(Operation { op, input: graph.shape(*node.inputs.first()?).to_string() })
    }
}

/// As the table has it.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.op, self.input)
    }
}

/// The first column of a node; `None` for what takes no time.
fn name(node: &Node) -> Option<String> {
    let window = |w: &Window| format!("{}x{}_s{}", w.kernel[0], w.kernel[1], w.stride[0]);
    Some(match &node.op {
        Op::Input | Op::Zero => return None,
        Op::Conv2d(Conv2d { window: w, groups, .. }) => {
            format!("conv_{}_d{}_g{groups}_{}", window(w), w.dilation[0], node.shape.channels)
        }
        Op::Linear(_) => format!("linear_{}", node.shape.channels),
        Op::MaxPool(MaxPool { window: w }) => format!("max_pool_{}", window(w)),
        Op::AvgPool(AvgPool { window: w, .. }) => format!("avg_pool_{}", window(w)),
        Op::GlobalAvgPool => "global_avg_pool".to_owned(),
        Op::BatchNorm(_) => "batch_norm".to_owned(),
        Op::Act(act) => act.name().to_lowercase().replace(['-', ' '], "_"),
        Op::Add => "add".to_owned(),
        Op::Mul => "mul".to_owned(),
        Op::Concat => "concat".to_owned(),
        Op::Slice(_) => "slice".to_owned(),
        // What a parameter or a constant is needs no time.
        Op::Tensor(_) if node.inputs.is_empty() => return None,
        Op::Tensor(TensorOp::ConvTranspose(ConvTranspose { window: w, groups, .. })) => {
            format!("conv_transpose_{}_d{}_g{groups}_{}", window(w), w.dilation[0], node.shape.channels)
        }
        Op::Tensor(op) => op.name().replace(' ', "_"),
    })
}
