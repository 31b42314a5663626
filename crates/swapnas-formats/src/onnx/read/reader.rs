//! What is known while nodes are read, one after the other.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use swapnas_graph::tensor::TensorOp;
use swapnas_graph::{
    Activation, AvgPool, Graph, GraphBuilder, Key, MaxPool, Op, Padding, Shape, ValueId, Window,
};

use super::attributes::Call;
use super::constant::{Constant, Known, MOST_NUMBERS, Number, Stored, known};
use super::error::{Limit, NodeName, Problem, ReadError, quote};
use super::input::{self, Reading, Taken};
use super::operators;
use super::table::Numbers;
use super::value::{Image, Part, Pending, Value};
use super::{MOST_ELEMENTS, MOST_PARAMETERS, MOST_SIDE, MOST_VALUES, MOST_WORK};
use crate::onnx::proto::{Graph as GraphProto, Tensor};

/// Reads a graph.
pub(super) struct Reader<'m> {
    file: &'m GraphProto,
    /// Of the operators.
    pub version: i64,
    pub builder: GraphBuilder,
    initialisers: HashMap<&'m str, &'m Tensor>,
    /// Those that are not learned.
    buffers: &'m HashSet<String>,
    /// What there is, each once; names that stand for the same share it.
    values: Vec<Value<'m>>,
    names: HashMap<&'m str, usize>,
    /// How many nodes read each name.
    readers: HashMap<&'m str, usize>,
    /// The number of the node that is being read.
    node: usize,
    /// The values of parameters that are all alike, by where they are, and the node that they were built for.
    alike: HashMap<usize, (usize, Image)>,
    /// What the network returns.
    outputs: HashSet<&'m str>,
    /// The size of the batch, if the file fixes it.
    pub batch: Option<usize>,
    /// Whether the network takes texts.
    pub is_text: bool,
    /// The expression of every value, as far as it does not depend on the size of images.
    structure: Vec<Key>,
    /// How many layers there were of each expression.
    occurrences: HashMap<Key, u32>,
    /// How many modules would have had each name.
    modules: HashMap<String, u32>,
    /// The first parameter of each tensor of the file, and whether its numbers vary, once that has been asked for.
    stored: HashMap<Stored, (usize, Option<bool>)>,
    /// Where the numbers of each parameter of the graph are.
    params: Vec<Constant<'m>>,
    /// Elements of all parameters.
    elements: u128,
    /// How many operations have been looked at, and what they compute.
    checked: usize,
    work: u128,
}

/// What a file is read into.
pub(super) struct Parts<'m> {
    pub graph: Graph,
    /// For each parameter, where its numbers are.
    pub params: Vec<Constant<'m>>,
}

pub(super) fn read<'m>(
    file: &'m GraphProto,
    version: i64,
    reading: &'m Reading,
) -> Result<Parts<'m>, ReadError> {
    let mut reader = Reader::new(file, version, reading)?;
    // What cannot be read whatever it is read from is more to the point than what comes of it.
    for (index, node) in file.node.iter().enumerate() {
        operators::check(node).map_err(|problem| reader.at(index, problem))?;
    }
    for (index, node) in file.node.iter().enumerate() {
        let call = Call { node };
        reader.node = index;
        let read = reader.node(call).and_then(|()| reader.check());
        read.map_err(|problem| reader.at(index, problem))?;
    }
    reader.finish()
}

impl<'m> Reader<'m> {
    fn new(file: &'m GraphProto, version: i64, reading: &'m Reading) -> Result<Self, ReadError> {
        let initialisers: HashMap<&str, &Tensor> =
            file.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let taken = input::of(file, |name| initialisers.contains_key(name), reading.images)?;
        let Taken { name, batch, shape, is_text, beside } = taken;
        let builder = GraphBuilder::new(shape);
        let image = match is_text {
            true => Image::of(builder.input(), &[1, shape.width]),
            false => Image::whole(builder.input(), shape),
        };
        let mut values = vec![Value::Built(image)];
        let mut names = HashMap::from([(name, 0)]);
        for (name, what) in beside {
            names.insert(name, values.len());
            values.push(Value::Numbers(what.numbers(batch.unwrap_or(1), shape.width)?));
        }
        let mut readers: HashMap<&str, usize> = HashMap::new();
        for name in file.node.iter().flat_map(|node| &node.input) {
            *readers.entry(name).or_default() += 1;
        }
        Ok(Reader {
            file,
            version,
            builder,
            initialisers,
            buffers: &reading.buffers,
            values,
            names,
            readers,
            node: 0,
            alike: HashMap::new(),
            outputs: file.output.iter().map(|output| output.name.as_str()).collect(),
            batch,
            is_text,
            structure: Vec::new(),
            occurrences: HashMap::new(),
            modules: HashMap::new(),
            stored: HashMap::new(),
            params: Vec::new(),
            elements: 0,
            checked: 0,
            work: 0,
        })
    }

    fn at(&self, index: usize, problem: Problem) -> ReadError {
        let node = &self.file.node[index];
        let (operator, name) = (node.op_type.clone(), node.name.clone());
        ReadError::Node { node: NodeName { number: index + 1, operator, name }, problem: Box::new(problem) }
    }

    /// Whether the graph is still of a size that anybody can use.
    fn check(&mut self) -> Result<(), Problem> {
        let within = |what: &'static str, found: u128, most: u128| {
            if found > most { Err(Limit { what, found, most }) } else { Ok(()) }
        };
        let nodes = self.builder.nodes();
        within("operations of the network", nodes.len() as u128, MOST_VALUES)?;
        for node in &nodes[self.checked..] {
            let Shape { channels, height, width } = node.shape;
            let is_windowed = matches!(
                node.op,
                Op::Conv2d(_) | Op::MaxPool(_) | Op::AvgPool(_) | Op::Tensor(TensorOp::ConvTranspose(_))
            );
            if is_windowed {
                within("rows or columns of an image", height.max(width) as u128, MOST_SIDE)?;
            }
            let pixels = height as u128 * width as u128;
            let elements = channels as u128 * pixels;
            within("elements of a value", elements, MOST_ELEMENTS)?;
            let weight = node.op.params().next().map(|weight| self.builder.params()[weight.index()].len());
            self.work += match &node.op {
                Op::MaxPool(MaxPool { window }) | Op::AvgPool(AvgPool { window, .. }) => {
                    elements * window.taps() as u128
                }
                Op::Tensor(op) => u128::from(op.macs()) + elements,
                Op::Conv2d(_) | Op::Linear(_) => pixels * weight.unwrap_or_default() as u128,
                _ => elements,
            };
        }
        self.checked = nodes.len();
        within("operations for an image", self.work, MOST_WORK)?;
        Ok(())
    }

    /// The graph of all nodes.
    fn finish(mut self) -> Result<Parts<'m>, ReadError> {
        let Some(output) = self.file.output.first() else {
            return Err(ReadError::Output("nothing".to_owned()));
        };
        // The signs and sums that metrics read are those of logits.
        let last = self.file.node.len().saturating_sub(1);
        let found = self.find(&output.name).and_then(|place| match &self.values[place] {
            Value::Constant(_) | Value::Numbers(_) => Ok(None),
            Value::Pending(Pending::Term(term)) if term.is(Part::Act(Activation::Sigmoid)) => {
                Ok(Some(term.of))
            }
            _ => self.build(place).map(Some),
        });
        let logits = match found {
            Ok(Some(image)) => self.returned(image).map_err(|problem| self.at(last, problem))?,
            Ok(None) => return Err(ReadError::Output(format!("{}, which is constant", quote(&output.name)))),
            Err(problem) if self.file.node.is_empty() => return Err(ReadError::Output(problem.to_string())),
            Err(problem) => return Err(self.at(last, problem)),
        };
        // Other outputs are parts of the network as well: their layers have parameters.
        for output in &self.file.output[1..] {
            if let Ok(place) = self.find(&output.name) {
                self.build(place).map_err(|problem| self.at(last, problem))?;
            }
        }
        self.check().map_err(|problem| self.at(last, problem))?;
        let outputs: Vec<ValueId> = [logits].into_iter().chain(self.features(logits)).collect();
        Ok(Parts { graph: self.builder.finish(&outputs), params: self.params })
    }

    /// What the classifier reads: the last layer on the way to the logits.
    fn features(&self, logits: ValueId) -> Option<ValueId> {
        let nodes = self.builder.nodes();
        let mut value = logits;
        loop {
            let node = &nodes[value.index()];
            match (&node.op, &node.inputs[..]) {
                (Op::Conv2d(_) | Op::Linear(_), &[input]) => return Some(input),
                (_, &[input]) => value = input,
                _ => return None,
            }
        }
    }

    /// Where the value of that name is.
    pub(super) fn find(&mut self, name: &'m str) -> Result<usize, Problem> {
        if let Some(&place) = self.names.get(name) {
            return Ok(place);
        }
        let Some(tensor) = self.initialisers.get(name) else {
            return Err(Problem::broken(format!("nothing before it computes {}", quote(name))));
        };
        let is_buffer = self.buffers.contains(name);
        let place = self.place(match known(tensor, true)? {
            // Parameters that are all alike may be stored under the name of a buffer that is like them.
            Known::Floats(mut constant) => {
                constant.learned = !(is_buffer && constant.varies());
                Value::Constant(constant)
            }
            Known::Numbers(numbers) => Value::Numbers(numbers),
        });
        self.names.insert(name, place);
        Ok(place)
    }

    pub(super) fn value(&mut self, name: &'m str) -> Result<Value<'m>, Problem> {
        let place = self.find(name)?;
        Ok(self.values[place].clone())
    }

    /// How many nodes read a name.
    pub(super) fn readers(&self, name: &str) -> usize {
        self.readers.get(name).copied().unwrap_or_default()
    }

    /// Whether the network returns what has this name.
    pub(super) fn is_output(&self, name: &str) -> bool {
        self.outputs.contains(name)
    }

    /// Keeps a value that has no name yet.
    pub(super) fn place(&mut self, value: Value<'m>) -> usize {
        self.values.push(value);
        self.values.len() - 1
    }

    /// Gives the first output of a node its value.
    pub(super) fn set(&mut self, call: Call<'m>, value: Value<'m>) -> Result<(), Problem> {
        let place = self.place(value);
        self.name(call.output()?, place)
    }

    /// Lets the first output of a node stand for the same as another name.
    pub(super) fn alias(&mut self, call: Call<'m>, of: &'m str) -> Result<(), Problem> {
        let place = self.find(of)?;
        self.name(call.output()?, place)
    }

    pub(super) fn name(&mut self, name: &'m str, place: usize) -> Result<(), Problem> {
        if self.initialisers.contains_key(name) || self.names.insert(name, place).is_some() {
            return Err(Problem::broken(format!("{} is computed twice", quote(name))));
        }
        Ok(())
    }

    /// Gives the first output of a node a value that is a batch of images.
    pub(super) fn set_whole(&mut self, call: Call<'m>, value: ValueId) -> Result<(), Problem> {
        let image = Image::whole(value, self.builder.shape(value));
        self.set(call, Value::Built(image))
    }

    /// The image of that name, built if it has not been.
    pub(super) fn image(&mut self, name: &'m str) -> Result<Image, Problem> {
        let place = self.find(name)?;
        self.build(place)
    }

    pub(super) fn shape(&self, image: Image) -> Shape {
        self.builder.shape(image.value)
    }

    /// Parameters that are all alike are those of each node by itself: exporters store once what is equal by chance, as
    /// new scales of layers are.
    fn build(&mut self, place: usize) -> Result<Image, Problem> {
        if let Some((node, image)) = self.alike.get(&place)
            && *node == self.node
        {
            return Ok(*image);
        }
        let image = match &self.values[place] {
            Value::Built(image) => return Ok(*image),
            Value::Pending(Pending::Layer(layer)) => {
                let layer = layer.clone();
                self.layer(layer, None)?
            }
            &Value::Pending(Pending::Term(term)) => self.term(term)?,
            &Value::Pending(Pending::Padded { of, padding, name }) => {
                let value = self.padded(of.value, padding, name)?;
                Image::whole(value, self.builder.shape(value))
            }
            Value::Parts(_) => {
                return Err(Problem::unsupported("a sequence in this place", "its members"));
            }
            Value::Constant(constant) => {
                let constant = constant.clone();
                let image = self.constant_image(&constant)?;
                if constant.is_parameter() && !constant.varies() {
                    self.alike.insert(place, (self.node, image));
                    return Ok(image);
                }
                image
            }
            Value::Numbers(numbers) => {
                numbers.fixed()?;
                let list = numbers.map(|number| number.value as f32);
                // Numbers they stay, for those who ask for them as such.
                return self.constant_image(&Constant::listed(list));
            }
        };
        self.values[place] = Value::Built(image);
        Ok(image)
    }

    /// Zeros around an image, or pixels cut away: a pool of one pixel does that.
    fn padded(&mut self, of: ValueId, padding: Padding, name: &'m str) -> Result<ValueId, Problem> {
        let window = Window::square(1).padding(padding);
        let name = self.module([None, Some(name)], "pad");
        Ok(self.builder.avg_pool(&name, of, window, true)?)
    }

    /// Numbers that do not depend on the batch.
    pub(super) fn integers(&mut self, name: &'m str) -> Result<Vec<i64>, Problem> {
        self.numbers(name)?.fixed()
    }

    /// Whole numbers.
    pub(super) fn numbers(&mut self, name: &'m str) -> Result<Numbers, Problem> {
        match self.value(name)? {
            Value::Numbers(numbers) => Ok(numbers),
            _ => Err(Problem::unsupported(
                format!("{}, which is not known before the network runs, as a shape or index", quote(name)),
                "shapes and indices that are constant or computed from shapes",
            )),
        }
    }

    /// Whole numbers, even if they are of a type for fractions: some paddings are computed that way.
    pub(super) fn whole_numbers(&mut self, name: &'m str) -> Result<Numbers, Problem> {
        if let Value::Constant(constant) = self.value(name)?
            && let Some(number) = constant.number()
            && number.fract() == 0.0
            && number.abs() < 1e15
            && constant.elements() <= MOST_NUMBERS
        {
            let items = vec![Number::plain(number as i64); constant.elements()];
            return Ok(Numbers { items, dims: constant.dims });
        }
        self.numbers(name)
    }

    /// A tensor of the file.
    pub(super) fn constant(&mut self, name: &'m str, what: &str) -> Result<Constant<'m>, Problem> {
        match self.value(name)? {
            Value::Constant(constant) => Ok(constant),
            _ => Err(Problem::unsupported(
                format!("{what} {} that are computed", quote(name)),
                "weights that are stored in the file",
            )),
        }
    }

    /// A number by itself.
    pub(super) fn scalar(&mut self, name: &'m str) -> Result<Option<f64>, Problem> {
        Ok(match self.value(name)? {
            Value::Constant(constant) => constant.number(),
            Value::Numbers(Numbers { items, .. }) => match items[..] {
                [number] if !number.of_batch => Some(number.value as f64),
                _ => None,
            },
            _ => None,
        })
    }

    /// What a module is called: as the parameter of the file, the node or its result, with a number where
    /// that is not the first of its name.
    pub(super) fn module(&mut self, names: [Option<&str>; 2], otherwise: &str) -> String {
        let plain =
            |name: &&str| !name.is_empty() && name.len() <= 200 && !name.chars().any(|c| c.is_control());
        let name = names.into_iter().flatten().find(plain).unwrap_or(otherwise);
        let count = self.modules.entry(name.to_owned()).or_default();
        *count += 1;
        match *count {
            1 => name.to_owned(),
            count => {
                let numbered = format!("{name}#{count}");
                self.module([Some(&numbered), None], otherwise)
            }
        }
    }

    /// The expression of a value, without the size of its image.
    fn structure(&mut self, value: ValueId) -> Key {
        let nodes = self.builder.nodes();
        while self.structure.len() <= value.index() {
            let node = &nodes[self.structure.len()];
            let inputs: Vec<u64> = node.inputs.iter().map(|input| self.structure[input.index()].0).collect();
            let params: Vec<u64> =
                node.op.params().map(|param| self.builder.params()[param.index()].key.0).collect();
            let what = (node.op.name(), node.op.attributes(), node.shape.channels);
            self.structure.push(Key::of((what, inputs, params)));
        }
        self.structure[value.index()]
    }

    /// A key for the parameters of a layer: what it is and what it reads, and which one it is of those that
    /// agree in this.
    pub(super) fn key(&mut self, layer: impl std::hash::Hash, input: ValueId) -> Key {
        let key = self.structure(input).with(layer);
        let occurrence = self.occurrences.entry(key).or_default();
        *occurrence += 1;
        key.with(*occurrence)
    }

    /// Two values in an order that does not depend on the file.
    pub(super) fn ordered(&mut self, a: ValueId, b: ValueId) -> [ValueId; 2] {
        if self.structure(a) <= self.structure(b) { [a, b] } else { [b, a] }
    }

    /// Takes parameters from number `first` on, which the value that was built last reads, for the same as earlier ones
    /// where the file stores both as one. What is equal by chance exporters store once, too, but that is numbers that
    /// are all alike, as those of new normalisations. Returns that value.
    pub(super) fn share(&mut self, first: usize, mut value: ValueId) -> ValueId {
        let mut own = first;
        while let Some(constant) = self.params.get(own) {
            let earlier = constant.stored().and_then(|stored| match self.stored.entry(stored) {
                Entry::Vacant(vacant) => {
                    vacant.insert((own, None));
                    None
                }
                Entry::Occupied(mut known) => {
                    let (earlier, varies) = known.get_mut();
                    varies.get_or_insert_with(|| constant.varies()).then_some(*earlier)
                }
            });
            match earlier {
                None => own += 1,
                // Those behind it move up.
                Some(earlier) => {
                    self.elements -= constant.elements() as u128;
                    self.params.remove(own);
                    value = self.builder.share(own, earlier);
                }
            }
        }
        value
    }

    /// Counts a parameter that is going to be built.
    pub(super) fn count(&mut self, constant: &Constant<'m>) -> Result<(), Problem> {
        if constant.elements() == 0 {
            return Err(Problem::broken("its weights have no elements"));
        }
        if constant.name().is_none() {
            return Err(Problem::unsupported(
                "weights that are computed",
                "weights that are stored in the file",
            ));
        }
        self.elements += constant.elements() as u128;
        if self.elements > MOST_PARAMETERS {
            let (found, most) = (self.elements, MOST_PARAMETERS);
            return Err(Limit { what: "parameters of the network", found, most }.into());
        }
        self.params.push(constant.clone());
        Ok(())
    }
}
