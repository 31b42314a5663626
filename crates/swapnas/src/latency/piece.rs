//! An operation among what surrounds it in a network, as small networks of their own.

use std::collections::{BTreeSet, HashMap};

use swapnas_graph::tensor::TensorOp;
use swapnas_graph::{Conv, Graph, GraphBuilder, GraphError, Key, Op, Padding, Shape, ValueId, Window};

/// How many nodes there are in a row before an operation, as they are in the network. Runtimes make one operation of a
/// convolution, the normalisation behind it, an addition and an activation.
const DEPTH: usize = 2;

/// Channels of what a piece returns of each value.
const TAIL: usize = 16;

/// Features of the words that a piece of a network of texts is made of.
const FEATURES: usize = 8;

/// A network, and who reads its values.
pub(super) struct Surroundings<'a> {
    graph: &'a Graph,
    readers: Vec<Vec<ValueId>>,
    kinds: Vec<Kind>,
}

/// What a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Numbers that are others for each sample.
    Numbers,
    /// Whole numbers of tokens.
    Tokens,
    /// Numbers that are the same for all samples, which runtimes compute once.
    Constant,
}

fn kinds(graph: &Graph) -> Vec<Kind> {
    let is_text = graph.vocabulary().is_some();
    let mut kinds: Vec<Kind> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let of = |kind: Kind| node.inputs.iter().all(|input| kinds[input.index()] == kind);
        kinds.push(match node.op {
            Op::Input if is_text => Kind::Tokens,
            Op::Input => Kind::Numbers,
            _ if of(Kind::Constant) => Kind::Constant,
            Op::Tensor(TensorOp::Rearrange(_) | TensorOp::Pick(_)) if of(Kind::Tokens) => Kind::Tokens,
            _ => Kind::Numbers,
        });
    }
    kinds
}

/// Two networks, one of which has an operation more than the other. That operation takes as long as they differ, but for
/// the tails, small convolutions by which values are read.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) with: Graph,
    pub(super) without: Graph,
    /// How many tails the network without the operation has more than the other.
    pub(super) tails: i32,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(graph: &'a Graph) -> Self {
        let mut readers = vec![Vec::new(); graph.nodes().len()];
        for (value, node) in graph.values() {
            for input in &node.inputs {
                readers[input.index()].push(value);
            }
        }
        Surroundings { graph, readers, kinds: kinds(graph) }
    }

    /// Whether somebody else reads a value, which thus has to be there in memory.
    fn is_read_besides(&self, value: ValueId, by: ValueId) -> bool {
        self.readers[value.index()].iter().any(|reader| *reader != by)
    }

    /// Equal for operations whose pieces are alike.
    pub(super) fn key(&self, value: ValueId) -> Key {
        self.key_to(value, DEPTH)
    }

    fn key_to(&self, value: ValueId, depth: usize) -> Key {
        let node = self.graph.node(value);
        let Shape { channels, height, width } = node.shape;
        let key = Key::of((node.op.name(), node.op.attributes(), channels, height, width));
        node.inputs.iter().fold(key, |key, input| {
            let Shape { channels, height, width } = self.graph.shape(*input);
            let key = key.with((channels, height, width, self.is_read_besides(*input, value)));
            if depth == 0 { key } else { key.with(self.key_to(*input, depth - 1)) }
        })
    }

    /// The piece of an operation; `None` if it is the same for all samples, so that it takes no time.
    ///
    /// # Errors
    /// If no network can be made of it.
    pub(super) fn piece(&self, value: ValueId) -> Result<Option<Piece>, GraphError> {
        if self.kinds[value.index()] == Kind::Constant {
            return Ok(None);
        }
        let node = self.graph.node(value);
        let mut inputs = node.inputs.clone();
        inputs.sort_unstable();
        inputs.dedup();
        let mut with = Builder::new(self.graph);
        with.copy(&self.before(value))?;
        with.copy(&BTreeSet::from([value]))?;
        let kept = inputs.iter().copied().filter(|input| self.is_read_besides(*input, value));
        for read in std::iter::once(value).chain(kept) {
            self.tail(&mut with, read)?;
        }
        let mut without = Builder::new(self.graph);
        without.copy(&self.before(value))?;
        for input in inputs {
            self.tail(&mut without, input)?;
        }
        let tails = without.tails.len() as i32 - with.tails.len() as i32;
        Ok(Some(Piece { with: with.finish()?, without: without.finish()?, tails }))
    }

    /// Has a piece return something of a value, if it is one of numbers that take time.
    fn tail(&self, piece: &mut Builder<'_>, value: ValueId) -> Result<(), GraphError> {
        match self.kinds[value.index()] {
            Kind::Numbers => piece.tail(value, self.feeds_layers_of_pixels(value)),
            Kind::Tokens | Kind::Constant => Ok(()),
        }
    }

    /// What is before a node, in the order of the network. Constants are as they are, whatever it takes.
    fn before(&self, value: ValueId) -> BTreeSet<ValueId> {
        let mut before = BTreeSet::new();
        let mut last = vec![value];
        let mut depth = 0;
        while !last.is_empty() {
            let inputs = last.iter().flat_map(|value| self.graph.node(*value).inputs.iter().copied());
            let is_copied = |input: &ValueId| {
                *input != self.graph.input()
                    && (depth < DEPTH || self.kinds[input.index()] != Kind::Numbers)
                    && !before.contains(input)
            };
            last = inputs.filter(is_copied).collect();
            before.extend(&last);
            depth += 1;
        }
        before
    }

    /// Whether a value is read by layers over the channels of each pixel, for which channels lie last in memory.
    fn feeds_layers_of_pixels(&self, value: ValueId) -> bool {
        let is_such = |reader: &ValueId| {
            matches!(self.graph.node(*reader).op, Op::Linear(_) | Op::Tensor(TensorOp::Normalise(_)))
        };
        self.graph.shape(value).pixels() > 1 && self.readers[value.index()].iter().any(is_such)
    }
}

/// Two networks of which the second has a tail more than the first.
///
/// # Errors
/// If the images are of no size for it.
pub(super) fn tails(input: Shape, vocabulary: Option<usize>) -> Result<[Graph; 2], GraphError> {
    let network = |count: usize| {
        let mut b = GraphBuilder::new(input);
        let source = source(&mut b, vocabulary)?;
        let x = head(&mut b, source, 0, Shape::new(64, input.height.min(16), input.width.min(16)))?;
        let mut tails = Vec::new();
        for number in 0..count {
            tails.push(tail(&mut b, x, number, false)?);
        }
        finish(b, &tails)
    };
    Ok([network(1)?, network(2)?])
}

/// A piece that grows.
struct Builder<'a> {
    graph: &'a Graph,
    b: GraphBuilder,
    /// What everything that is not copied is made of.
    source: Option<ValueId>,
    values: HashMap<ValueId, ValueId>,
    heads: usize,
    tails: Vec<ValueId>,
}

impl<'a> Builder<'a> {
    fn new(graph: &'a Graph) -> Self {
        let b = GraphBuilder::new(graph.shape(graph.input()));
        let values = HashMap::from([(graph.input(), b.input())]);
        Builder { graph, b, source: None, values, heads: 0, tails: Vec::new() }
    }

    fn copy(&mut self, nodes: &BTreeSet<ValueId>) -> Result<(), GraphError> {
        for value in nodes {
            let node = self.graph.node(*value);
            let mut inputs = Vec::with_capacity(node.inputs.len());
            for input in &node.inputs {
                inputs.push(self.value(*input)?);
            }
            let copy = self.b.copy(&format!("node{}", value.index()), self.graph, *value, &inputs)?;
            self.values.insert(*value, copy);
        }
        Ok(())
    }

    /// A value of the network, or one of its shape that is made in its place.
    fn value(&mut self, value: ValueId) -> Result<ValueId, GraphError> {
        if let Some(known) = self.values.get(&value) {
            return Ok(*known);
        }
        let made = self.head(self.graph.shape(value))?;
        self.values.insert(value, made);
        Ok(made)
    }

    fn head(&mut self, shape: Shape) -> Result<ValueId, GraphError> {
        let source = match self.source {
            Some(source) => source,
            None => source(&mut self.b, self.graph.vocabulary())?,
        };
        self.source = Some(source);
        self.heads += 1;
        head(&mut self.b, source, self.heads, shape)
    }

    fn tail(&mut self, value: ValueId, over_pixels: bool) -> Result<(), GraphError> {
        let x = self.value(value)?;
        let number = self.tails.len();
        self.tails.push(tail(&mut self.b, x, number, over_pixels)?);
        Ok(())
    }

    fn finish(mut self) -> Result<Graph, GraphError> {
        // Every network returns something.
        if self.tails.is_empty() {
            let x = self.head(Shape::new(1, 1, 1))?;
            self.tails.push(tail(&mut self.b, x, 0, false)?);
        }
        finish(self.b, &self.tails)
    }
}

fn finish(mut b: GraphBuilder, tails: &[ValueId]) -> Result<Graph, GraphError> {
    let output = b.add(tails)?;
    b.container(b.input(), output);
    Ok(b.finish(&[output]))
}

/// Images, or features of tokens.
fn source(b: &mut GraphBuilder, vocabulary: Option<usize>) -> Result<ValueId, GraphError> {
    match vocabulary {
        None => Ok(b.input()),
        Some(rows) => b.embedding("words", b.input(), rows, FEATURES),
    }
}

/// A value of some shape, made by a convolution, as most values are.
fn head(b: &mut GraphBuilder, source: ValueId, number: usize, shape: Shape) -> Result<ValueId, GraphError> {
    let from = b.shape(source);
    let (rows, columns) = (side(from.height, shape.height), side(from.width, shape.width));
    let window = Window {
        kernel: [rows.kernel, columns.kernel],
        stride: [rows.stride, columns.stride],
        dilation: [1, 1],
        padding: Padding { bottom: rows.padding, right: columns.padding, ..Padding::default() },
    };
    b.conv2d(&format!("head{number}"), source, Conv::new(shape.channels, window))
}

struct Side {
    kernel: usize,
    stride: usize,
    padding: i32,
}

/// How `from` pixels become `to`.
fn side(from: usize, to: usize) -> Side {
    if to > from {
        return Side { kernel: 1, stride: 1, padding: (to - from) as i32 };
    }
    let stride = from / to;
    Side { kernel: from - (to - 1) * stride, stride, padding: 0 }
}

/// A few numbers of a value, for which next to nothing is computed.
fn tail(b: &mut GraphBuilder, x: ValueId, number: usize, over_pixels: bool) -> Result<ValueId, GraphError> {
    let name = format!("tail{number}");
    if over_pixels {
        let pixels = b.linear(&name, x, TAIL, false)?;
        return b.mean(pixels);
    }
    let Shape { height, width, .. } = b.shape(x);
    let window = Window { stride: [height, width], ..Window::square(1) };
    b.conv2d(&name, x, Conv::new(TAIL, window))
}

#[cfg(test)]
mod tests {
    use swapnas_graph::{Conv, GraphBuilder, GraphError, Op, Shape, Window};

    use super::{Surroundings, side};

    #[test]
    fn heads_make_any_side() {
        for from in 1..40 {
            for to in 1..90 {
                let made = side(from, to);
                let padded = from + made.padding as usize;
                assert!(padded >= made.kernel, "{from} to {to}");
                assert_eq!((padded - made.kernel) / made.stride + 1, to, "{from} to {to}");
            }
        }
    }

    /// The convolution, the normalisation and the two ReLUs: one alone behind it, and one that reads what others read.
    #[test]
    fn a_piece_has_its_operation_and_what_comes_before() -> Result<(), GraphError> {
        let mut b = GraphBuilder::new(Shape::new(3, 8, 8));
        let x = b.conv2d("0", b.input(), Conv::new(4, Window::square(3)))?;
        let normal = b.batch_norm("1", x, true)?;
        let relu = b.relu("2", normal)?;
        let sum = b.add(&[normal, relu])?;
        let graph = b.finish(&[sum]);
        let surroundings = Surroundings::of(&graph);
        let names = |graph: &swapnas_graph::Graph| -> Vec<&'static str> {
            graph.nodes().iter().map(|node| node.op.name()).collect()
        };
        let piece = surroundings.piece(normal)?.unwrap();
        assert_eq!(names(&piece.without), ["input", "convolution", "convolution"]);
        assert_eq!(names(&piece.with), ["input", "convolution", "batch norm", "convolution"]);
        assert_eq!(piece.tails, 0);
        // What it reads is read besides, so it is kept in both.
        let piece = surroundings.piece(relu)?.unwrap();
        assert_eq!(names(&piece.without), ["input", "convolution", "batch norm", "convolution"]);
        assert_eq!(piece.with.nodes().iter().filter(|node| matches!(node.op, Op::Act(_))).count(), 1);
        assert_eq!(piece.tails, -1);
        let piece = surroundings.piece(sum)?.unwrap();
        assert_eq!(piece.tails, 0);
        assert_ne!(surroundings.key(normal), surroundings.key(relu));
        Ok(())
    }
}
