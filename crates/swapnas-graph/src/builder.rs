mod copy;
mod tensor;

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::hash::Hash;

use crate::op::{Add, Concat, GlobalAvgPool, Mul, windowed};
use crate::tensor::{ConvTranspose, TensorOp};
use crate::{
    Activation, AvgPool, BatchNorm, Conv, Conv2d, Epsilon, Graph, GraphError, Key, Linear, MaxPool, Module,
    ModuleKind, Node, Op, Padding, Param, ParamId, ParamKind, Shape, Slice, ValueId, Window,
};

/// Builds a [`Graph`] node by node, inferring shapes and merging common subexpressions.
///
/// Modules and their parameters are named by the path of the [scopes](Self::scope) around them,
/// joined by dots, so that weights of a PyTorch `state_dict` can be loaded by name.
///
/// ```
/// use swapnas_graph::{Conv, GraphBuilder, Shape, Window};
///
/// let mut b = GraphBuilder::new(Shape::new(3, 32, 32));
/// let x = b.input();
/// let x = b.scope("stem", |b| {
///     let x = b.conv2d("0", x, Conv::new(16, Window::square(3)))?;
///     b.batch_norm("1", x, true)
/// })?;
/// let x = b.relu("act", x)?;
/// let x = b.global_avg_pool("pool", x)?;
/// let logits = b.linear("classifier", x, 10, true)?;
/// let graph = b.finish(&[logits]);
/// assert_eq!(graph.params()[0].name, "stem.0.weight");
/// assert_eq!(graph.parameter_count(), 16 * 27 + 2 * 16 + 16 * 10 + 10);
/// # Ok::<(), swapnas_graph::GraphError>(())
/// ```
pub struct GraphBuilder {
    nodes: Vec<Node>,
    params: Vec<Param>,
    modules: Vec<Module>,
    known: HashMap<(Op, Vec<ValueId>, Shape), ValueId>,
    path: String,
    /// The key around the current place, and how much of `path` it already stands for.
    key: Key,
    key_path: usize,
}

impl GraphBuilder {
    /// A graph of nothing but its input.
    pub fn new(input: Shape) -> Self {
        GraphBuilder {
            nodes: vec![Node { op: Op::Input, inputs: Vec::new(), shape: input }],
            params: Vec::new(),
            modules: Vec::new(),
            known: HashMap::new(),
            path: String::new(),
            key: Key::of("network"),
            key_path: 0,
        }
    }

    /// The image.
    pub fn input(&self) -> ValueId {
        ValueId(0)
    }

    /// The shape of a value for one sample.
    pub fn shape(&self, value: ValueId) -> Shape {
        self.nodes[value.index()].shape
    }

    /// The nodes so far.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The parameters so far.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// Names the parameters from number `first` on by `key` and what they are to their layer, whatever their
    /// module is called.
    pub fn key_params(&mut self, first: usize, key: Key) {
        for param in &mut self.params[first..] {
            param.key = key.with(param.kind);
        }
    }

    /// Has the node that was added last read parameter number `earlier` in place of its own number `own`, which is no
    /// parameter of the network then: layers that share what they learn. Returns its value, which is that of an earlier
    /// node if both compute the same then.
    ///
    /// # Panics
    /// If no node has been added, or there are no two such parameters of one size.
    pub fn share(&mut self, own: usize, earlier: usize) -> ValueId {
        assert_eq!(self.params[own].len(), self.params[earlier].len(), "parameters of one size are shared");
        self.params.remove(own);
        let node = self.nodes.pop().expect("a node has been added");
        let value = ValueId(self.nodes.len() as u32);
        self.known.remove(&(node.op.clone(), node.inputs.clone(), node.shape));
        let op = node.op.with_params(|id| {
            let index = match id.index() {
                index if index == own => earlier,
                index => index - usize::from(index > own),
            };
            ParamId(index as u32)
        });
        let shared = self.node(op, node.inputs, node.shape);
        for module in self.modules.iter_mut().rev().take_while(|module| module.output == value) {
            module.output = shared;
        }
        shared
    }

    /// Builds within the module `name` of the current one.
    pub fn scope<T>(&mut self, name: impl Display, build: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.path.len();
        self.push_name(&name);
        let result = build(self);
        self.path.truncate(before);
        result
    }

    /// Builds parameters whose random numbers are named by `key` and by their path from here on,
    /// instead of their whole path.
    ///
    /// Two networks that build the same thing under the same key share its weights when weights are
    /// shared, and with them its result. Within one graph every key must be given only once.
    pub fn keyed<T>(&mut self, key: impl Hash, build: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.key, self.key_path);
        self.key = Key::of("keyed").with(key);
        self.key_path = self.path.len();
        let result = build(self);
        (self.key, self.key_path) = before;
        result
    }

    /// Convolution module `name`.
    pub fn conv2d(&mut self, name: &str, x: ValueId, conv: Conv) -> Result<ValueId, GraphError> {
        let input = self.shape(x);
        let Conv { out, window, groups, bias } = conv;
        let shape = conv.shape(input).map_err(|error| self.at(name, error))?;
        let taps = window.taps();
        let fan_in = input.channels / groups * taps;
        let fan_out = out / groups * taps;
        self.scope(name, |b| {
            let dims = vec![out, input.channels / groups, window.kernel[0], window.kernel[1]];
            let weight = b.param("weight", ParamKind::ConvWeight, dims, fan_in, fan_out);
            let bias = bias.then(|| b.param("bias", ParamKind::ConvBias, vec![out], fan_in, fan_out));
            let y = b.node(Op::Conv2d(Conv2d { window, groups, weight, bias }), vec![x], shape);
            Ok(b.module(ModuleKind::Conv, x, y))
        })
    }

    /// Module `name` that is a transposed convolution, see [`ConvTranspose`]. Padding is cut away from the result; what
    /// PyTorch calls the output padding is so much less of it at the bottom and on the right, which may be negative then.
    ///
    /// # Errors
    /// If groups do not divide the channels, nothing is left of the result, padding is negative at the top or on the left,
    /// or as negative as stride and dilation at the bottom or on the right, where PyTorch has none.
    pub fn conv_transpose(&mut self, name: &str, x: ValueId, conv: Conv) -> Result<ValueId, GraphError> {
        let input = self.shape(x);
        let Conv { out, window, groups, bias } = conv;
        let output = ConvTranspose::shape(&conv, input).map_err(|error| self.at(name, error))?;
        let fan_in = out / groups * window.taps();
        let fan_out = input.channels / groups * window.taps();
        self.scope(name, |b| {
            let dims = vec![input.channels, out / groups, window.kernel[0], window.kernel[1]];
            let weight = b.param("weight", ParamKind::ConvWeight, dims, fan_in, fan_out);
            let bias = bias.then(|| b.param("bias", ParamKind::ConvBias, vec![out], fan_in, fan_out));
            let of = ConvTranspose { window, groups, weight, bias, input, output };
            let y = b.node(Op::Tensor(TensorOp::ConvTranspose(of)), vec![x], output);
            Ok(b.module(ModuleKind::Conv, x, y))
        })
    }

    /// Batch normalisation module `name`, with batch statistics.
    pub fn batch_norm(&mut self, name: &str, x: ValueId, affine: bool) -> Result<ValueId, GraphError> {
        self.batch_norm_with(name, x, affine, Epsilon::default())
    }

    /// The same with another epsilon than the usual one.
    pub fn batch_norm_with(
        &mut self,
        name: &str,
        x: ValueId,
        affine: bool,
        epsilon: Epsilon,
    ) -> Result<ValueId, GraphError> {
        let shape = self.shape(x);
        self.scope(name, |b| {
            let affine = affine.then(|| {
                let dims = vec![shape.channels];
                let weight = b.param("weight", ParamKind::NormWeight, dims.clone(), 1, 1);
                (weight, b.param("bias", ParamKind::NormBias, dims, 1, 1))
            });
            let y = b.node(Op::BatchNorm(BatchNorm { affine, epsilon }), vec![x], shape);
            Ok(b.module(ModuleKind::BatchNorm, x, y))
        })
    }

    /// ReLU module `name`.
    pub fn relu(&mut self, name: &str, x: ValueId) -> Result<ValueId, GraphError> {
        self.act(name, x, Activation::Relu)
    }

    /// Activation module `name`.
    pub fn act(&mut self, name: &str, x: ValueId, act: Activation) -> Result<ValueId, GraphError> {
        let shape = self.shape(x);
        self.scope(name, |b| {
            let y = b.node(Op::Act(act), vec![x], shape);
            Ok(b.module(ModuleKind::Act(act), x, y))
        })
    }

    /// Average pool module `name`.
    pub fn avg_pool(
        &mut self,
        name: &str,
        x: ValueId,
        window: Window,
        count_padding: bool,
    ) -> Result<ValueId, GraphError> {
        let op = AvgPool { window, count_padding };
        let shape = op.shape(self.shape(x)).map_err(|error| self.at(name, error))?;
        self.scope(name, |b| {
            let y = b.node(Op::AvgPool(op), vec![x], shape);
            Ok(b.module(ModuleKind::AvgPool, x, y))
        })
    }

    /// Max pool module `name`.
    pub fn max_pool(&mut self, name: &str, x: ValueId, window: Window) -> Result<ValueId, GraphError> {
        let op = MaxPool { window };
        let shape = op.shape(self.shape(x)).map_err(|error| self.at(name, error))?;
        self.scope(name, |b| {
            let y = b.node(Op::MaxPool(op), vec![x], shape);
            Ok(b.module(ModuleKind::MaxPool, x, y))
        })
    }

    /// Global average pool module `name`.
    pub fn global_avg_pool(&mut self, name: &str, x: ValueId) -> Result<ValueId, GraphError> {
        let y = self.mean(x)?;
        Ok(self.scope(name, |b| b.module(ModuleKind::GlobalAvgPool, x, y)))
    }

    /// The mean over all pixels as a mere function: no module, no operation counted.
    pub fn mean(&mut self, x: ValueId) -> Result<ValueId, GraphError> {
        let shape = GlobalAvgPool::shape(self.shape(x));
        Ok(self.node(Op::GlobalAvgPool, vec![x], shape))
    }

    /// Fully connected module `name` over the channels of every pixel.
    pub fn linear(&mut self, name: &str, x: ValueId, out: usize, bias: bool) -> Result<ValueId, GraphError> {
        let input = self.shape(x);
        let inputs = input.channels;
        let shape = Linear::shape(input, out).map_err(|error| self.at(name, error))?;
        self.scope(name, |b| {
            let weight = b.param("weight", ParamKind::LinearWeight, vec![out, inputs], inputs, out);
            let bias = bias.then(|| b.param("bias", ParamKind::LinearBias, vec![out], inputs, out));
            let y = b.node(Op::Linear(Linear { weight, bias }), vec![x], shape);
            Ok(b.module(ModuleKind::Linear, x, y))
        })
    }

    /// Module `name` that sums all elements of an image, each with a weight for every output. Weights are
    /// `[out, channels, rows, columns]`: in the order of those of a linear layer over the flattened image.
    pub fn dense(&mut self, name: &str, x: ValueId, out: usize, bias: bool) -> Result<ValueId, GraphError> {
        let input = self.shape(x);
        if input.pixels() == 1 {
            return self.linear(name, x, out, bias);
        }
        let Shape { channels, height, width } = input;
        let kernel = [height, width];
        let window = Window { kernel, padding: Padding::default(), ..Window::square(1) };
        let shape = windowed("linear layer", &window, input).map_err(|error| self.at(name, error))?;
        let shape = shape.with_channels(out);
        self.scope(name, |b| {
            let (inputs, dims) = (input.elements(), vec![out, channels, height, width]);
            let weight = b.param("weight", ParamKind::LinearWeight, dims, inputs, out);
            let bias = bias.then(|| b.param("bias", ParamKind::LinearBias, vec![out], inputs, out));
            let y = b.node(Op::Conv2d(Conv2d { window, groups: 1, weight, bias }), vec![x], shape);
            Ok(b.module(ModuleKind::Conv, x, y))
        })
    }

    /// Sum of values of one shape. Zeros are left out; the sum of one value is the value itself.
    pub fn add(&mut self, values: &[ValueId]) -> Result<ValueId, GraphError> {
        let shape = self.shape_of(values, Add::shape)?;
        let terms: Vec<ValueId> =
            values.iter().copied().filter(|v| self.nodes[v.index()].op != Op::Zero).collect();
        Ok(match terms[..] {
            [] => values[0],
            [only] => only,
            _ => self.node(Op::Add, terms, shape),
        })
    }

    /// Product of two values; the second may be 1x1 and then scales whole channels.
    pub fn mul(&mut self, x: ValueId, by: ValueId) -> Result<ValueId, GraphError> {
        let shape = self.shape_of(&[x, by], |shapes| Mul::shape([shapes[0], shapes[1]]))?;
        Ok(self.node(Op::Mul, vec![x, by], shape))
    }

    /// Values joined along the channels, in the order given.
    pub fn concat(&mut self, values: &[ValueId]) -> Result<ValueId, GraphError> {
        let shape = self.shape_of(values, Concat::shape)?;
        if let [only] = values {
            return Ok(*only);
        }
        Ok(self.node(Op::Concat, values.to_vec(), shape))
    }

    /// Channels `start .. start + channels` of a value.
    pub fn slice(&mut self, x: ValueId, start: usize, channels: usize) -> Result<ValueId, GraphError> {
        let (op, input) = (Slice { start }, self.shape(x));
        let shape = op.shape(input, channels).map_err(|error| self.here(error))?;
        if channels == input.channels {
            return Ok(x);
        }
        Ok(self.node(Op::Slice(op), vec![x], shape))
    }

    /// Zeros.
    pub fn zero(&mut self, shape: Shape) -> ValueId {
        self.node(Op::Zero, Vec::new(), shape)
    }

    /// Records that the module of the current scope, made of others, maps `input` to `output`.
    pub fn container(&mut self, input: ValueId, output: ValueId) {
        self.module(ModuleKind::Container, input, output);
    }

    /// The graph that returns `outputs`.
    pub fn finish(self, outputs: &[ValueId]) -> Graph {
        Graph { nodes: self.nodes, params: self.params, modules: self.modules, outputs: outputs.to_vec() }
    }

    pub(crate) fn node(&mut self, op: Op, inputs: Vec<ValueId>, shape: Shape) -> ValueId {
        let next = ValueId(u32::try_from(self.nodes.len()).expect("fewer than 2^32 nodes"));
        let key = (op.clone(), inputs.clone(), shape);
        let value = *self.known.entry(key).or_insert(next);
        if value == next {
            self.nodes.push(Node { op, inputs, shape });
        }
        value
    }

    pub(crate) fn module(&mut self, kind: ModuleKind, input: ValueId, output: ValueId) -> ValueId {
        self.modules.push(Module { name: self.path.clone(), kind, input, output });
        output
    }

    pub(crate) fn param(
        &mut self,
        name: &str,
        kind: ParamKind,
        shape: Vec<usize>,
        fan_in: usize,
        fan_out: usize,
    ) -> ParamId {
        let id = ParamId(u32::try_from(self.params.len()).expect("fewer than 2^32 parameters"));
        let key = self.key.with((&self.path[self.key_path..], name));
        let name = self.name_of(name);
        self.params.push(Param { name, shape, kind, fan_in, fan_out, key });
        id
    }

    fn push_name(&mut self, name: &impl Display) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        write!(self.path, "{name}").expect("a String takes any text");
    }

    fn name_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The error of a node in the module `name` of the current one.
    fn at(&self, name: &str, error: GraphError) -> GraphError {
        error.at(self.name_of(name))
    }

    /// The error of a node in the current module.
    pub(crate) fn here(&self, error: GraphError) -> GraphError {
        error.at(self.path.clone())
    }

    /// What is made of the shapes of some values.
    fn shape_of(
        &self,
        values: &[ValueId],
        shape: impl FnOnce(&[Shape]) -> Result<Shape, GraphError>,
    ) -> Result<Shape, GraphError> {
        let shapes: Vec<Shape> = values.iter().map(|value| self.shape(*value)).collect();
        shape(&shapes).map_err(|error| self.here(error))
    }
}
