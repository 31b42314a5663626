use std::collections::{HashMap, HashSet};

use prost::Message;
use swapnas_graph::{Activation, Graph, Op, Padding, ParamId, Shape, ValueId, Weights, Window};

use super::proto::{
    Attribute, AttributeType, DataType, Dimension, DimensionValue, Graph as GraphProto, Model, Node,
    OperatorSet, Tensor, TensorShape, TensorType, Type, ValueInfo,
};
use super::{Contents, IR_VERSION, OPSET, OnnxError, leaves_the_image};

/// The most bytes of parameters: files end at 2^31, and the rest of the file needs little.
const MAX_BYTES: u64 = (1 << 31) - (1 << 24);

/// Whether a network can be written as ONNX at all, whatever its weights are.
///
/// # Errors
/// If the file would be too large or the graph has what ONNX has not.
pub fn check(graph: &Graph) -> Result<(), OnnxError> {
    output(graph)?;
    let parameters = graph.parameter_count();
    if parameters > MAX_BYTES / 4 {
        return Err(OnnxError::TooLarge { parameters });
    }
    graph.values().try_for_each(|(value, node)| match &node.op {
        op @ (Op::MaxPool(window) | Op::AvgPool { window, .. }) if cuts(&window.padding) => {
            let (op, kernel) = (op.name(), window.kernel);
            Err(OnnxError::Cut { module: module(graph, value), op, kernel })
        }
        op @ (Op::MaxPool(window) | Op::AvgPool { window, .. }) if leaves_the_image(window) => {
            Err(OnnxError::Outside { module: module(graph, value), op: op.name() })
        }
        Op::Tensor(op) => {
            let module = module(graph, value);
            Err(OnnxError::Operation { module, op: op.name() })
        }
        Op::AvgPool { window, .. } if window.dilation != [1, 1] => {
            Err(OnnxError::Dilation { module: module(graph, value), dilation: window.dilation })
        }
        _ => Ok(()),
    })
}

/// The path of the module that computes a value.
fn module(graph: &Graph, value: ValueId) -> String {
    let module = graph.modules().iter().find(|module| module.output == value);
    let unnamed = || format!("value {}", value.index());
    module.map_or_else(unnamed, |module| module.name.trim_end_matches('.').to_owned())
}

fn output(graph: &Graph) -> Result<ValueId, OnnxError> {
    graph.outputs().first().copied().ok_or(OnnxError::NoOutput)
}

/// The network as an ONNX file.
///
/// Its input is `images`, `(batch, channels, height, width)`, and its output is `logits`, the first output of
/// the graph: `(batch, classes)` for one of a linear layer. The batch can have any size. Initialisers have
/// the names of the parameters; those of batch normalisations are completed by `running_mean` and
/// `running_var`.
///
/// # Errors
/// If weights are missing or the network cannot be [written](check).
pub fn export(graph: &Graph, contents: &Contents<'_>) -> Result<Vec<u8>, OnnxError> {
    check(graph)?;
    let output = output(graph)?;
    let mut file = File::new(graph, output);
    for index in 0..graph.params().len() {
        file.add_param(index, contents.weights)?;
    }
    for (value, node) in graph.values().skip(1) {
        file.add(value, &node.op, contents);
    }
    // A network without layers returns its images, but the output needs a name of its own.
    if output == graph.input() {
        file.nodes.push(Node {
            op_type: "Identity".to_owned(),
            input: vec![IMAGES.to_owned()],
            output: vec![LOGITS.to_owned()],
            ..Node::default()
        });
    }
    let rank_of_output = if file.is_flat(output) { 2 } else { 4 };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "swapnas".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: contents.about.to_owned(),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        graph: Some(GraphProto {
            name: "network".to_owned(),
            input: vec![value_info(IMAGES, graph.shape(graph.input()), 4)],
            output: vec![value_info(LOGITS, graph.shape(output), rank_of_output)],
            node: file.nodes,
            initializer: file.initializers,
        }),
    };
    Ok(model.encode_to_vec())
}

const IMAGES: &str = "images";
const LOGITS: &str = "logits";

fn value_info(name: &str, shape: Shape, rank: usize) -> ValueInfo {
    let size = |size: usize| DimensionValue::Size(size as i64);
    let dims = [
        DimensionValue::Name("batch".to_owned()),
        size(shape.channels),
        size(shape.height),
        size(shape.width),
    ];
    let dim = dims.into_iter().take(rank).map(|value| Dimension { value: Some(value) }).collect();
    let tensor_type = TensorType { elem_type: DataType::Float.into(), shape: Some(TensorShape { dim }) };
    ValueInfo { name: name.to_owned(), r#type: Some(Type { tensor_type: Some(tensor_type) }) }
}

/// A file that grows node by node.
struct File<'a> {
    graph: &'a Graph,
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
    /// All names so far, of values and initialisers alike.
    taken: HashSet<String>,
    /// What each parameter is called.
    params: Vec<String>,
    /// What each value is called.
    values: Vec<String>,
    /// Whether a value has rank 2, as what a linear layer of one pixel returns.
    flat: Vec<bool>,
    /// What values of rank 2 are called as values of rank 4.
    images: HashMap<ValueId, String>,
    /// The names of initialisers that several nodes share, by what they hold.
    shared: HashMap<String, String>,
}

impl<'a> File<'a> {
    fn new(graph: &'a Graph, output: ValueId) -> Self {
        let mut taken: HashSet<String> = [IMAGES, LOGITS].map(str::to_owned).into();
        let params = graph.params().iter().map(|param| fresh(&mut taken, param.name.clone())).collect();
        // Most values are results of modules, whose names say more than numbers.
        let mut values: Vec<Option<String>> = vec![None; graph.nodes().len()];
        values[output.index()] = Some(LOGITS.to_owned());
        values[graph.input().index()] = Some(IMAGES.to_owned());
        for module in graph.modules().iter().filter(|module| !module.name.is_empty()) {
            let name = module.name.trim_end_matches('.');
            let value = &mut values[module.output.index()];
            if value.is_none() && taken.insert(name.to_owned()) {
                *value = Some(name.to_owned());
            }
        }
        let number = |(index, name): (usize, Option<String>)| {
            name.unwrap_or_else(|| fresh(&mut taken, format!("value.{index}")))
        };
        let values = values.into_iter().enumerate().map(number).collect();
        let mut flat: Vec<bool> = Vec::with_capacity(graph.nodes().len());
        for node in graph.nodes() {
            flat.push(match node.op {
                Op::Linear { .. } => node.shape.pixels() == 1,
                Op::Act(_) => flat[node.inputs[0].index()],
                _ => false,
            });
        }
        File {
            graph,
            nodes: Vec::new(),
            initializers: Vec::new(),
            taken,
            params,
            values,
            flat,
            images: HashMap::new(),
            shared: HashMap::new(),
        }
    }

    /// A name that nothing else has: this one, if it is free.
    fn fresh(&mut self, name: String) -> String {
        fresh(&mut self.taken, name)
    }

    fn add_param(&mut self, index: usize, weights: Weights<'_>) -> Result<(), OnnxError> {
        let param = &self.graph.params()[index];
        let mut drawn = Vec::new();
        let numbers = match weights {
            Weights::Drawn(draw) => {
                draw.fill(param, &mut drawn);
                &drawn
            }
            Weights::Loaded(tensors) => tensors.param(param)?,
        };
        self.add_floats(self.params[index].clone(), &param.shape, numbers);
        Ok(())
    }

    fn add_floats(&mut self, name: String, dims: &[usize], numbers: &[f32]) {
        self.initializers.push(floats(name, dims, numbers));
    }

    /// The name of an initialiser with these whole numbers.
    fn integers(&mut self, numbers: &[i64]) -> String {
        let key = format!("integers{numbers:?}");
        if let Some(name) = self.shared.get(&key) {
            return name.clone();
        }
        let name = self.fresh(key.clone());
        self.initializers.push(Tensor {
            name: name.clone(),
            dims: vec![numbers.len() as i64],
            data_type: DataType::Int64.into(),
            raw_data: numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            ..Tensor::default()
        });
        self.shared.insert(key, name.clone());
        name
    }

    /// The name of an initialiser with a single number.
    fn number(&mut self, number: f32) -> String {
        let key = format!("{number}");
        if let Some(name) = self.shared.get(&key) {
            return name.clone();
        }
        let name = self.fresh(key.clone());
        self.add_floats(name.clone(), &[], &[number]);
        self.shared.insert(key, name.clone());
        name
    }

    /// The name of a constant with `len` times the number: no initialiser, which would look like a parameter.
    fn filled(&mut self, number: f32, len: usize) -> String {
        let key = format!("{number}x{len}");
        if let Some(name) = self.shared.get(&key) {
            return name.clone();
        }
        let name = self.fresh(key.clone());
        let tensor = floats(String::new(), &[len], &vec![number; len]);
        self.push("Constant", Vec::new(), name.clone(), vec![constant(tensor)]);
        self.shared.insert(key, name.clone());
        name
    }

    fn param(&self, id: ParamId) -> String {
        self.params[id.index()].clone()
    }

    fn name(&self, value: ValueId) -> String {
        self.values[value.index()].clone()
    }

    fn is_flat(&self, value: ValueId) -> bool {
        self.flat[value.index()]
    }

    /// The name of a value with rank 4.
    fn image(&mut self, value: ValueId) -> String {
        if !self.is_flat(value) {
            return self.name(value);
        }
        if let Some(name) = self.images.get(&value) {
            return name.clone();
        }
        let (from, axes) = (self.name(value), self.integers(&[2, 3]));
        let to = self.fresh(format!("{from}.image"));
        self.push("Unsqueeze", vec![from, axes], to.clone(), Vec::new());
        self.images.insert(value, to.clone());
        to
    }

    fn push(&mut self, op: &str, input: Vec<String>, output: String, attribute: Vec<Attribute>) {
        self.nodes.push(Node {
            input,
            name: format!("{output}/{op}"),
            output: vec![output],
            op_type: op.to_owned(),
            attribute,
            domain: String::new(),
        });
    }

    fn add(&mut self, value: ValueId, op: &Op, contents: &Contents<'_>) {
        let graph = self.graph;
        let node = graph.node(value);
        let output = self.name(value);
        match op {
            Op::Input => {}
            Op::Linear { weight, bias } => self.linear(node.inputs[0], output, node.shape, *weight, *bias),
            Op::Act(act) => {
                let input = self.name(node.inputs[0]);
                self.activation(*act, input, output);
            }
            _ => {
                let mut inputs: Vec<String> = node.inputs.iter().map(|&input| self.image(input)).collect();
                match op {
                    Op::Conv2d { window, groups, weight, bias } => {
                        let mut window = *window;
                        if cuts(&window.padding) {
                            inputs[0] = self.pad(&inputs[0], &output, window.padding);
                            window.padding = Padding::default();
                        }
                        inputs.push(self.param(*weight));
                        inputs.extend(bias.map(|bias| self.param(bias)));
                        let mut attributes = windowed(&window, true);
                        attributes.push(int("group", *groups as i64));
                        self.push("Conv", inputs, output, attributes);
                    }
                    Op::BatchNorm { affine, epsilon } => {
                        let channels = node.shape.channels;
                        let (weight, bias) = match affine {
                            Some((weight, bias)) => (self.param(*weight), self.param(*bias)),
                            None => (self.filled(1.0, channels), self.filled(0.0, channels)),
                        };
                        let statistics = contents.statistics.of(value);
                        let of = |f: fn(&(f64, f64)) -> f64, default: f32| match statistics {
                            Some(statistics) => statistics.iter().map(|s| f(s) as f32).collect(),
                            None => vec![default; channels],
                        };
                        let (mean, variance) = (of(|s| s.0, 0.0), of(|s| s.1, 1.0));
                        let names = ["running_mean", "running_var"]
                            .map(|name| self.fresh(format!("{output}.{name}")));
                        self.add_floats(names[0].clone(), &[channels], &mean);
                        self.add_floats(names[1].clone(), &[channels], &variance);
                        inputs.extend([weight, bias].into_iter().chain(names));
                        let epsilon = float("epsilon", epsilon.number() as f32);
                        self.push("BatchNormalization", inputs, output, vec![epsilon]);
                    }
                    Op::MaxPool(window) => {
                        self.push("MaxPool", inputs, output, windowed(window, true));
                    }
                    Op::AvgPool { window, count_padding } => {
                        let mut attributes = windowed(window, false);
                        attributes.push(int("count_include_pad", i64::from(*count_padding)));
                        self.push("AveragePool", inputs, output, attributes);
                    }
                    Op::GlobalAvgPool => self.push("GlobalAveragePool", inputs, output, Vec::new()),
                    Op::Add if inputs.len() == 2 => self.push("Add", inputs, output, Vec::new()),
                    Op::Add => self.push("Sum", inputs, output, Vec::new()),
                    Op::Mul => self.push("Mul", inputs, output, Vec::new()),
                    Op::Concat => self.push("Concat", inputs, output, vec![int("axis", 1)]),
                    Op::Slice { start } => {
                        let ends = [*start, start + node.shape.channels];
                        for bound in [ends[0] as i64, ends[1] as i64, 1] {
                            inputs.push(self.integers(&[bound]));
                        }
                        self.push("Slice", inputs, output, Vec::new());
                    }
                    Op::Zero => self.zeros(output, node.shape),
                    Op::Tensor(_) => unreachable!("the graph was checked"),
                    Op::Input | Op::Linear { .. } | Op::Act(_) => unreachable!("done above"),
                }
            }
        }
    }

    fn linear(
        &mut self,
        input: ValueId,
        output: String,
        shape: Shape,
        weight: ParamId,
        bias: Option<ParamId>,
    ) {
        let bias = bias.map(|bias| self.param(bias));
        let weight = self.param(weight);
        if shape.pixels() > 1 {
            // Over many pixels, it is a convolution.
            let kernel = self.fresh(format!("{output}.kernel"));
            let axes = self.integers(&[2, 3]);
            self.push("Unsqueeze", vec![weight, axes], kernel.clone(), Vec::new());
            let inputs = [self.image(input), kernel].into_iter().chain(bias).collect();
            self.push("Conv", inputs, output, Vec::new());
            return;
        }
        let flat = if self.is_flat(input) {
            self.name(input)
        } else {
            let flat = self.fresh(format!("{output}.flat"));
            let image = self.name(input);
            self.push("Flatten", vec![image], flat.clone(), Vec::new());
            flat
        };
        let inputs = [flat, weight].into_iter().chain(bias).collect();
        self.push("Gemm", inputs, output, vec![int("transB", 1)]);
    }

    fn activation(&mut self, act: Activation, x: String, output: String) {
        match act {
            Activation::Relu => self.push("Relu", vec![x], output, Vec::new()),
            Activation::Relu6 => {
                let (low, high) = (self.number(0.0), self.number(6.0));
                self.push("Clip", vec![x, low, high], output, Vec::new());
            }
            Activation::HardSwish => self.push("HardSwish", vec![x], output, Vec::new()),
            Activation::Sigmoid => self.push("Sigmoid", vec![x], output, Vec::new()),
            Activation::HardSigmoid => {
                let attributes = vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)];
                self.push("HardSigmoid", vec![x], output, attributes);
            }
            Activation::Silu => {
                let gate = self.fresh(format!("{output}.gate"));
                self.push("Sigmoid", vec![x.clone()], gate.clone(), Vec::new());
                self.push("Mul", vec![x, gate], output, Vec::new());
            }
            Activation::Gelu => {
                // x / 2 * (1 + erf(x / sqrt(2)))
                let [scaled, erf, sum, half] =
                    ["scaled", "erf", "sum", "half"].map(|part| self.fresh(format!("{output}.{part}")));
                let root = self.number(std::f32::consts::FRAC_1_SQRT_2);
                let (one, one_half) = (self.number(1.0), self.number(0.5));
                self.push("Mul", vec![x.clone(), root], scaled.clone(), Vec::new());
                self.push("Erf", vec![scaled], erf.clone(), Vec::new());
                self.push("Add", vec![erf, one], sum.clone(), Vec::new());
                self.push("Mul", vec![x, one_half], half.clone(), Vec::new());
                self.push("Mul", vec![half, sum], output, Vec::new());
            }
        }
    }

    /// Pads with zeros, or cuts away, in a node of its own.
    fn pad(&mut self, input: &str, output: &str, padding: Padding) -> String {
        let Padding { top, left, bottom, right } = padding;
        let pads = self.integers(&[0, 0, top, left, 0, 0, bottom, right].map(i64::from));
        let padded = self.fresh(format!("{output}.padded"));
        self.push("Pad", vec![input.to_owned(), pads], padded.clone(), Vec::new());
        padded
    }

    /// Zeros for as many samples as there are images.
    fn zeros(&mut self, output: String, shape: Shape) {
        let [batch, dims] = ["batch", "shape"].map(|part| self.fresh(format!("{output}.{part}")));
        let bounds = vec![int("start", 0), int("end", 1)];
        self.push("Shape", vec![IMAGES.to_owned()], batch.clone(), bounds);
        let rest = self.integers(&[shape.channels, shape.height, shape.width].map(|size| size as i64));
        self.push("Concat", vec![batch, rest], dims.clone(), vec![int("axis", 0)]);
        self.push("ConstantOfShape", vec![dims], output, Vec::new());
    }
}

/// The name, with as many underscores as nothing that is there has.
fn fresh(taken: &mut HashSet<String>, mut name: String) -> String {
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// Whether a padding takes pixels away.
fn cuts(padding: &Padding) -> bool {
    [padding.top, padding.left, padding.bottom, padding.right].iter().any(|&side| side < 0)
}

/// The attributes of a window. Average pools of this version have no dilation.
fn windowed(window: &Window, dilated: bool) -> Vec<Attribute> {
    let Padding { top, left, bottom, right } = window.padding;
    let pair = |numbers: [usize; 2]| numbers.map(|number| number as i64).to_vec();
    let mut attributes = vec![
        ints("kernel_shape", pair(window.kernel)),
        ints("strides", pair(window.stride)),
        ints("pads", [top, left, bottom, right].map(i64::from).to_vec()),
    ];
    attributes.extend(dilated.then(|| ints("dilations", pair(window.dilation))));
    attributes
}

fn floats(name: String, dims: &[usize], numbers: &[f32]) -> Tensor {
    // No larger than it must be: weights may be most of the memory that there is.
    let mut raw_data = Vec::with_capacity(size_of_val(numbers));
    for number in numbers {
        raw_data.extend_from_slice(&number.to_le_bytes());
    }
    Tensor {
        name,
        dims: dims.iter().map(|&dim| dim as i64).collect(),
        data_type: DataType::Float.into(),
        raw_data: raw_data.into(),
        ..Tensor::default()
    }
}

/// What a constant is.
fn constant(tensor: Tensor) -> Attribute {
    let name = "value".to_owned();
    Attribute { name, t: Some(tensor), r#type: AttributeType::Tensor.into(), ..Attribute::default() }
}

fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.to_owned(), i, r#type: AttributeType::Int.into(), ..Attribute::default() }
}

fn ints(name: &str, ints: Vec<i64>) -> Attribute {
    Attribute { name: name.to_owned(), ints, r#type: AttributeType::Ints.into(), ..Attribute::default() }
}

fn float(name: &str, f: f32) -> Attribute {
    Attribute { name: name.to_owned(), f, r#type: AttributeType::Float.into(), ..Attribute::default() }
}
