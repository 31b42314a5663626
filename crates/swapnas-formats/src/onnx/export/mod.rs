//! Graphs written node by node.

mod chain;
mod form;
mod layers;
mod message;
mod norm;
mod tensor;

use std::collections::{HashMap, HashSet};

use prost::Message;
use swapnas_graph::tensor::TensorOp;
use swapnas_graph::{AvgPool, Graph, MaxPool, Op, Padding, ParamId, ValueId, Weights, Window};

use super::proto::{Attribute, DataType, Graph as GraphProto, Model, Node, OperatorSet, Tensor};
use super::{Contents, IR_VERSION, OPSET, OnnxError, leaves_the_image};
use crate::arrangement::{Arrangement, sizes};
use crate::facts;
use form::Form;
use message::{constant, floats, int, ints, value_info};

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
        // Zeros that count are put around the image before.
        Op::AvgPool(AvgPool { window, count_padding: true })
            if cuts(&window.padding) || leaves_the_image(window) =>
        {
            dense(graph, value, window)
        }
        op @ (Op::MaxPool(MaxPool { window }) | Op::AvgPool(AvgPool { window, .. }))
            if cuts(&window.padding) =>
        {
            let (op, kernel) = (op.name(), window.kernel);
            Err(OnnxError::Cut { module: module(graph, value), op, kernel })
        }
        op @ (Op::MaxPool(MaxPool { window }) | Op::AvgPool(AvgPool { window, .. }))
            if leaves_the_image(window) =>
        {
            Err(OnnxError::Outside { module: module(graph, value), op: op.name() })
        }
        Op::Tensor(TensorOp::Product(product)) if !Arrangement::of(&product.out, node.shape).is_all() => {
            Err(OnnxError::Overlap { module: module(graph, value) })
        }
        Op::AvgPool(AvgPool { window, .. }) => dense(graph, value, window),
        _ => Ok(()),
    })
}

/// An error if an average pool leaves out pixels between those that it reads.
fn dense(graph: &Graph, value: ValueId, window: &Window) -> Result<(), OnnxError> {
    match window.dilation {
        [1, 1] => Ok(()),
        dilation => Err(OnnxError::Dilation { module: module(graph, value), dilation }),
    }
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
/// Its input is `images`, `(batch, channels, height, width)`, or `tokens`, `(batch, length)`, for a network of texts. Its
/// output is `logits`, the first output of the graph: `(batch, classes)` for one of a linear layer. The batch can have any size. Initialisers have
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
    let dims = file.finish_with(output);
    let shape = graph.shape(graph.input());
    let input = match graph.vocabulary() {
        Some(_) => value_info(input_name(graph), DataType::Int64, &[shape.pixels()]),
        None => value_info(input_name(graph), DataType::Float, &sizes(shape)),
    };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "swapnas".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: contents.about.to_owned(),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        graph: Some(GraphProto {
            name: "network".to_owned(),
            input: vec![input],
            output: vec![value_info(LOGITS, DataType::Float, &dims)],
            node: file.nodes,
            initializer: file.initializers,
        }),
    };
    Ok(model.encode_to_vec())
}

const LOGITS: &str = "logits";

/// A file that grows node by node.
struct File<'a> {
    graph: &'a Graph,
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
    /// All names so far, of values and initialisers alike.
    taken: HashSet<String>,
    /// What each parameter is called.
    params: Vec<String>,
    /// What each value is called in its own form.
    values: Vec<String>,
    forms: Vec<Form>,
    /// What values are called in other forms.
    others: HashMap<(ValueId, Form), String>,
    /// Whether each value is another one for each sample.
    varying: Vec<bool>,
    /// Whether each value is of whole numbers.
    of_tokens: Vec<bool>,
    /// Weights whose rows and columns are exchanged.
    transposed: HashMap<ParamId, String>,
    /// The names of initialisers and constants that several nodes share, by what they hold.
    shared: HashMap<Shared, String>,
}

/// What several nodes share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Shared {
    Integers {
        dims: Vec<usize>,
        numbers: Vec<i64>,
    },
    /// A number, and how often if it is not by itself.
    Number(u32, Option<usize>),
}

impl<'a> File<'a> {
    fn new(graph: &'a Graph, output: ValueId) -> Self {
        let forms = form::forms(graph);
        let mut taken: HashSet<String> = [input_name(graph), LOGITS].map(str::to_owned).into();
        let params = graph.params().iter().map(|param| fresh(&mut taken, param.name.clone())).collect();
        // Most values are results of modules, whose names say more than numbers.
        let mut values: Vec<Option<String>> = vec![None; graph.nodes().len()];
        let [varying, of_tokens] = [facts::varying(graph), facts::of_tokens(graph)];
        let is_final = matches!(forms[output.index()], Form::Image | Form::Flat)
            && varying[output.index()]
            && !of_tokens[output.index()];
        if is_final {
            values[output.index()] = Some(LOGITS.to_owned());
        }
        values[graph.input().index()] = Some(input_name(graph).to_owned());
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
        File {
            graph,
            nodes: Vec::new(),
            initializers: Vec::new(),
            taken,
            params,
            values,
            forms,
            others: HashMap::new(),
            varying,
            of_tokens,
            transposed: HashMap::new(),
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
        self.initializers.push(floats(name, dims, numbers.iter().copied()));
    }

    /// The name of an initialiser with these whole numbers in a row.
    fn integers(&mut self, numbers: &[i64]) -> String {
        self.table(&[numbers.len()], numbers)
    }

    /// The name of an initialiser with these whole numbers.
    fn table(&mut self, dims: &[usize], numbers: &[i64]) -> String {
        let key = Shared::Integers { dims: dims.to_vec(), numbers: numbers.to_vec() };
        if let Some(name) = self.shared.get(&key) {
            return name.clone();
        }
        let is_list = dims.len() == 1 && numbers.len() <= 8;
        let name = if is_list { format!("integers{numbers:?}") } else { format!("places{dims:?}") };
        let name = self.fresh(name);
        self.initializers.push(Tensor {
            name: name.clone(),
            dims: dims.iter().map(|dim| *dim as i64).collect(),
            data_type: DataType::Int64.into(),
            raw_data: numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            ..Tensor::default()
        });
        self.shared.insert(key, name.clone());
        name
    }

    /// The name of an initialiser with a single number.
    fn number(&mut self, number: f32) -> String {
        let key = Shared::Number(number.to_bits(), None);
        if let Some(name) = self.shared.get(&key) {
            return name.clone();
        }
        let name = self.fresh(format!("{number}"));
        self.add_floats(name.clone(), &[], &[number]);
        self.shared.insert(key, name.clone());
        name
    }

    /// The name of a constant with `len` times the number: no initialiser, which would look like a parameter.
    fn filled(&mut self, number: f32, len: usize) -> String {
        let key = Shared::Number(number.to_bits(), Some(len));
        if let Some(name) = self.shared.get(&key) {
            return name.clone();
        }
        let name = self.fresh(format!("{number}x{len}"));
        let tensor = floats(String::new(), &[len], std::iter::repeat_n(number, len));
        self.push("Constant", Vec::new(), name.clone(), vec![constant(tensor)]);
        self.shared.insert(key, name.clone());
        name
    }

    fn param(&self, id: ParamId) -> String {
        self.params[id.index()].clone()
    }

    /// The name of a weight whose rows and columns are exchanged.
    fn transposed(&mut self, id: ParamId) -> String {
        if let Some(name) = self.transposed.get(&id) {
            return name.clone();
        }
        let weight = self.param(id);
        let name = self.fresh(format!("{weight}.transposed"));
        self.push("Transpose", vec![weight], name.clone(), vec![ints("perm", vec![1, 0])]);
        self.transposed.insert(id, name.clone());
        name
    }

    /// The name of a value in its own form.
    fn name(&self, value: ValueId) -> String {
        self.values[value.index()].clone()
    }

    fn form(&self, value: ValueId) -> Form {
        self.forms[value.index()]
    }

    /// Whether a value is of whole numbers.
    fn is_of_tokens(&self, value: ValueId) -> bool {
        self.of_tokens[value.index()]
    }

    /// The name of a value as an image.
    fn image(&mut self, value: ValueId) -> String {
        self.in_form(value, Form::Image)
    }

    /// The name of a value of fractions in a form.
    fn in_form(&mut self, value: ValueId, form: Form) -> String {
        if let Some(name) = self.others.get(&(value, form)) {
            return name.clone();
        }
        if !self.is_of_tokens(value) {
            return self.shaped(value, form);
        }
        let whole = self.shaped(value, form);
        let name = self.fresh(format!("{whole}.fractions"));
        let to_float = int("to", i32::from(DataType::Float).into());
        self.push("Cast", vec![whole], name.clone(), vec![to_float]);
        self.others.insert((value, form), name.clone());
        name
    }

    /// The name of a value as an image whose numbers may be those of tokens.
    fn elements(&mut self, value: ValueId) -> String {
        self.shaped(value, Form::Image)
    }

    fn shaped(&mut self, value: ValueId, form: Form) -> String {
        let (own, name) = (self.form(value), self.name(value));
        if own == form {
            return name;
        }
        let is_known = !self.is_of_tokens(value);
        if let Some(name) = self.others.get(&(value, form)).filter(|_| is_known) {
            return name.clone();
        }
        let (op, input, attributes, what) = match (own, form) {
            (Form::Text, _) => {
                let shape = sizes(self.graph.shape(value)).map(|size| size as i64);
                let dims = self.integers(&[0, shape[0], shape[1], shape[2]]);
                ("Reshape", Some(dims), Vec::new(), "image")
            }
            (Form::Flat, Form::Pixels) => ("Unsqueeze", Some(self.integers(&[1, 2])), Vec::new(), "pixels"),
            (Form::Flat, _) => ("Unsqueeze", Some(self.integers(&[2, 3])), Vec::new(), "image"),
            (_, Form::Flat) => ("Flatten", None, Vec::new(), "flat"),
            (_, Form::Pixels) => ("Transpose", None, vec![ints("perm", vec![0, 2, 3, 1])], "pixels"),
            _ => ("Transpose", None, vec![ints("perm", vec![0, 3, 1, 2])], "image"),
        };
        let to = self.fresh(format!("{name}.{what}"));
        self.push(op, std::iter::once(name).chain(input).collect(), to.clone(), attributes);
        if is_known {
            self.others.insert((value, form), to.clone());
        }
        to
    }

    /// The name of what is called `name`, one of the operands of `result`, with as many samples as that has.
    fn for_each_sample(&mut self, name: String, of: ValueId, result: ValueId) -> String {
        if self.varying[of.index()] || !self.varying[result.index()] {
            return name;
        }
        let output = self.fresh(format!("{name}.each"));
        let dims = self.dims_of_all(&output, &[1, 1, 1]);
        self.push("Expand", vec![name, dims], output.clone(), Vec::new());
        output
    }

    /// The name of the number of samples and these sizes in a row.
    fn dims_of_all(&mut self, of: &str, sizes: &[usize]) -> String {
        let [batch, dims] = ["batch", "shape"].map(|part| self.fresh(format!("{of}.{part}")));
        let bounds = vec![int("start", 0), int("end", 1)];
        let input = self.name(self.graph.input());
        self.push("Shape", vec![input], batch.clone(), bounds);
        let rest = self.integers(&sizes.iter().map(|size| *size as i64).collect::<Vec<_>>());
        self.push("Concat", vec![batch, rest], dims.clone(), vec![int("axis", 0)]);
        dims
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

    /// Lets a value be what the network returns, and says its dimensions behind that of the samples.
    fn finish_with(&mut self, output: ValueId) -> Vec<usize> {
        let shape = self.graph.shape(output);
        let (form, dims) = match self.form(output) {
            Form::Flat => (Form::Flat, vec![shape.channels]),
            _ => (Form::Image, sizes(shape).to_vec()),
        };
        let name = self.in_form(output, form);
        // What is the same for all samples is returned for each of them.
        let name = self.for_each_sample(name, output, self.graph.input());
        if name != LOGITS {
            self.push("Identity", vec![name], LOGITS.to_owned(), Vec::new());
        }
        dims
    }
}

/// What the file calls the input.
fn input_name(graph: &Graph) -> &'static str {
    if graph.vocabulary().is_some() { "tokens" } else { "images" }
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
