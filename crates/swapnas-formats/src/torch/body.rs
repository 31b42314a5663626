//! What the `forward` of a module has to do.

use std::collections::{HashMap, HashSet};

use swapnas_graph::tensor::{Constant, Join, Mean, Parameter, Pick, Rearrange, Softmax, TensorOp};
use swapnas_graph::{Graph, Op, Shape, Slice, ValueId};

use super::TorchError;
use super::constant::constant;
use super::expr::{Expr, Wrap};
use super::tensor;
use super::tree::{Place, ROOT, Tree};
use crate::arrangement::{Selection, sizes};

/// The values that a module takes, those that it computes on the way, and its result.
pub(super) struct Body {
    pub inputs: Vec<ValueId>,
    pub lines: Vec<(ValueId, Expr)>,
    pub result: Expr,
    /// Names of numbers that are no parameters, and what they are.
    pub buffers: Vec<(String, String)>,
    /// The modules that are called.
    pub called: Vec<Place>,
}

/// A module as its caller sees it.
#[derive(Clone)]
pub(super) struct Callee {
    /// The module as the caller names it.
    pub name: String,
    pub inputs: Vec<ValueId>,
    pub output: ValueId,
    /// What it is given and returns when it is called again.
    pub again: Vec<(ValueId, ValueId)>,
    pub wrap: Option<Wrap>,
}

impl Callee {
    /// What it returns one of its results for.
    fn inputs_of(&self, result: ValueId) -> &[ValueId] {
        let again = self.again.iter().find(|(_, output)| *output == result);
        again.map_or(&self.inputs, |(input, _)| std::slice::from_ref(input))
    }
}

/// Finds the body of the module at `place`, given the modules that it may call.
pub(super) fn body(
    tree: &Tree<'_>,
    place: Place,
    callees: &HashMap<Place, Callee>,
) -> Result<Body, TorchError> {
    let (graph, node) = (tree.graph, &tree.nodes[place]);
    // The network itself goes from the image to the first output, whatever its own call says.
    let (input, output) = match node.call.filter(|_| place != ROOT) {
        Some(call) => (call.input, call.output),
        None => (graph.input(), graph.outputs()[0]),
    };
    let mut producers = HashMap::new();
    for callee in tree.called_by(place) {
        let of = &callees[&callee];
        for output in std::iter::once(of.output).chain(of.again.iter().map(|(_, output)| *output)) {
            if output != input && !of.inputs_of(output).contains(&output) {
                producers.entry(output).or_insert(callee);
            }
        }
    }
    let mut writer = Writer {
        tree,
        place,
        callees,
        input,
        producers,
        made_of: HashMap::new(),
        uses: HashMap::new(),
        body: Body {
            inputs: Vec::new(),
            lines: Vec::new(),
            result: Expr::Value(output),
            buffers: Vec::new(),
            called: Vec::new(),
        },
        held: HashMap::new(),
        known: HashSet::new(),
    };
    writer.count_uses(output);
    let result = writer.value(output);
    let mut body = writer.body;
    // A result that was given a variable only to be returned is returned as it is.
    body.result = match (result, body.lines.last()) {
        (Expr::Value(value), Some((last, _))) if value == *last => body.lines.remove(body.lines.len() - 1).1,
        (result, _) => result,
    };
    body.inputs.sort_unstable();
    Ok(body)
}

struct Writer<'a> {
    tree: &'a Tree<'a>,
    place: Place,
    callees: &'a HashMap<Place, Callee>,
    input: ValueId,
    /// The first called module with that result.
    producers: HashMap<ValueId, Place>,
    /// What values are made of, as far as somebody asked.
    made_of: HashMap<ValueId, MadeOf>,
    uses: HashMap<ValueId, usize>,
    body: Body,
    /// The buffers of values.
    held: HashMap<ValueId, String>,
    /// Values that have a variable.
    known: HashSet<ValueId>,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
enum Origin {
    /// The caller.
    Outside,
    /// The module at that place.
    Module(Place),
    /// A function of other values.
    Function,
}

#[derive(Clone, Copy)]
struct MadeOf {
    /// Something that a called module computes.
    inside: bool,
    /// Nothing but the module's input and what called modules compute.
    known: bool,
}

/// A value that is being written, as far as its operands are written.
struct Open {
    value: ValueId,
    origin: Origin,
    /// Whether its expression may stand in the middle of another.
    inline: bool,
    /// What it is made of, and whether a call may stand in the middle of its expression.
    operands: Vec<(ValueId, bool)>,
    written: Vec<Expr>,
}

impl Writer<'_> {
    fn origin(&mut self, value: ValueId) -> Origin {
        if value == self.input {
            return Origin::Outside;
        }
        if let Some(&place) = self.producers.get(&value) {
            return Origin::Module(place);
        }
        let MadeOf { inside, known } = self.made_of(value);
        if is_function(self.tree.graph, value) && (inside || known) {
            Origin::Function
        } else {
            Origin::Outside
        }
    }

    /// Networks are deep, so values wait in a list, not on the stack.
    fn made_of(&mut self, value: ValueId) -> MadeOf {
        let graph = self.tree.graph;
        let mut open = vec![value];
        while let Some(&value) = open.last() {
            if self.made_of.contains_key(&value) {
                open.pop();
                continue;
            }
            let is_result = self.producers.contains_key(&value);
            let is_own = is_result || self.has_param(value);
            let mut made_of = MadeOf { inside: is_own, known: is_own || value == self.input };
            let is_param = matches!(graph.node(value).op, Op::Tensor(TensorOp::Parameter(_)));
            if is_function(graph, value) && !is_result && !is_param {
                let inputs = &graph.node(value).inputs;
                let before = open.len();
                open.extend(inputs.iter().filter(|input| !self.made_of.contains_key(input)));
                if open.len() > before {
                    continue;
                }
                made_of.inside |= inputs.iter().any(|input| self.made_of[input].inside);
                made_of.known |= inputs.iter().all(|input| self.made_of[input].known);
            }
            self.made_of.insert(value, made_of);
            open.pop();
        }
        self.made_of[&value]
    }

    /// Whether a value is a parameter within the module.
    fn has_param(&self, value: ValueId) -> bool {
        match self.tree.graph.node(value).op {
            Op::Tensor(TensorOp::Parameter(Parameter { id })) => {
                self.tree.access_to_param(self.place, id).is_some()
            }
            _ => false,
        }
    }

    /// Whether an operand has to be repeated for each sample to be joined to others.
    fn is_repeated(&self, operand: ValueId, result: ValueId) -> bool {
        let is_joined = matches!(self.tree.graph.node(result).op, Op::Concat | Op::Tensor(TensorOp::Join(_)));
        is_joined && self.tree.varies(result) && !self.tree.varies(operand)
    }

    /// What a value is computed from.
    fn operands(&self, value: ValueId, origin: Origin) -> &[ValueId] {
        match origin {
            Origin::Outside => &[],
            Origin::Module(place) => self.callees[&place].inputs_of(value),
            Origin::Function => &self.tree.graph.node(value).inputs,
        }
    }

    /// Counts how many times each value is read on the way to `output`.
    fn count_uses(&mut self, output: ValueId) {
        let mut open = vec![output];
        while let Some(value) = open.pop() {
            let uses = self.uses.entry(value).or_default();
            *uses += 1;
            if *uses == 1 {
                let origin = self.origin(value);
                open.extend(self.operands(value, origin));
            }
        }
    }

    /// An expression for a value, after the lines that it needs.
    fn value(&mut self, value: ValueId) -> Expr {
        let mut open = match self.begin(value, true) {
            Ok(value) => vec![value],
            Err(expr) => return expr,
        };
        loop {
            let last = open.last_mut().expect("one is open until the first is written");
            if let Some(&(operand, inline)) = last.operands.get(last.written.len()) {
                match self.begin(operand, inline) {
                    Ok(operand) => open.push(operand),
                    Err(expr) => last.written.push(expr),
                }
                continue;
            }
            let written = open.pop().map(|last| self.end(last)).expect("one is open");
            match open.last_mut() {
                Some(reader) => reader.written.push(written),
                None => return written,
            }
        }
    }

    /// Begins to write a value, unless it has a variable or gets one from the caller.
    fn begin(&mut self, value: ValueId, inline: bool) -> Result<Open, Expr> {
        if self.known.contains(&value) {
            return Err(Expr::Value(value));
        }
        let graph = self.tree.graph;
        let origin = self.origin(value);
        let operands = match origin {
            Origin::Outside => {
                self.body.inputs.push(value);
                self.known.insert(value);
                return Err(Expr::Value(value));
            }
            Origin::Module(place) => {
                self.body.called.push(place);
                let flattens = self.callees[&place].wrap == Some(Wrap::Flatten);
                let inputs = self.operands(value, origin).to_vec();
                // The mean over pixels can be had without rows and columns.
                let mut is_mean = |input: ValueId| {
                    flattens
                        && matches!(graph.node(input).op, Op::GlobalAvgPool)
                        && matches!(self.origin(input), Origin::Function)
                };
                inputs.into_iter().map(|input| (input, is_mean(input))).collect()
            }
            Origin::Function if graph.node(value).op == Op::Zero => vec![(self.input, false)],
            Origin::Function => {
                let inputs = self.operands(value, origin);
                let is_sum = graph.node(value).op == Op::Add;
                let is_param =
                    |input: ValueId| matches!(graph.node(input).op, Op::Tensor(TensorOp::Parameter(_)));
                // What is repeated for each sample is repeated as many times as there are of the input.
                let counts = inputs.iter().any(|input| self.is_repeated(*input, value));
                let operands = inputs.iter().map(|input| (*input, is_sum || is_param(*input)));
                operands.chain(counts.then_some((self.input, false))).collect()
            }
        };
        Ok(Open { value, origin, inline, operands, written: Vec::new() })
    }

    /// The expression of a value whose operands are written, or its variable.
    fn end(&mut self, open: Open) -> Expr {
        let Open { value, origin, inline, operands, written } = open;
        let operands = operands.into_iter().map(|(value, _)| value).zip(written);
        let expr = match origin {
            Origin::Module(place) => self.call(place, value, operands),
            _ => self.function(value, operands),
        };
        let once = self.uses.get(&value) == Some(&1);
        // Parts of parts of parts would become deeper than Python reads.
        let is_view = matches!(&expr, Expr::Slice { of, .. } if !matches!(**of, Expr::Slice { .. }));
        let is_simple =
            matches!(expr, Expr::Call { .. } | Expr::Mean(_) | Expr::Method { .. } | Expr::Move { .. });
        let is_view = is_view || matches!(expr, Expr::Own(_));
        if is_view || inline && once && is_simple {
            return expr;
        }
        self.body.lines.push((value, expr));
        self.known.insert(value);
        Expr::Value(value)
    }

    fn call(&self, place: Place, result: ValueId, operands: impl Iterator<Item = (ValueId, Expr)>) -> Expr {
        let Callee { name, wrap, .. } = &self.callees[&place];
        let is_leaf = self.tree.nodes[place].is_leaf();
        let wrapped = |(value, arg): (ValueId, Expr)| {
            let is_flat = self.tree.is_flat(value);
            // Tokens are numbers like others to whatever does not look them up.
            let of_tokens = self.tree.is_of_tokens(value);
            let arg = if is_leaf && of_tokens && *wrap != Some(Wrap::Tokens) {
                arg.method(".float()")
            } else {
                arg
            };
            let arg =
                if is_flat && self.tree.reads_images(place) { Expr::Unflat(Box::new(arg)) } else { arg };
            let shape = self.tree.graph.shape(value);
            match *wrap {
                Some(Wrap::Flatten) if is_flat => arg,
                Some(Wrap::Flatten) => Expr::Flat(Box::new(arg)),
                Some(Wrap::Pad { padding, with_minimum }) => {
                    Expr::Pad { of: Box::new(arg), padding, with_minimum }
                }
                Some(Wrap::ChannelsLast) => Expr::Move { of: Box::new(arg), back: false },
                Some(Wrap::Lines(axis)) if axis.inner == 1 => {
                    arg.reshaped(&sizes(shape), &[axis.outer, axis.len])
                }
                Some(Wrap::Lines(axis)) => {
                    arg.reshaped(&sizes(shape), &[axis.outer, axis.len, axis.inner]).method(".movedim(2, -1)")
                }
                Some(Wrap::Rows { count, len }) => arg.reshaped(&sizes(shape), &[count, len]),
                Some(Wrap::Tokens) if of_tokens => arg.method("[:, 0]"),
                Some(Wrap::Tokens) if is_flat => Expr::Unflat(Box::new(arg)).method("[:, 0].long()"),
                Some(Wrap::Tokens) => arg.method("[:, 0].long()"),
                Some(Wrap::Crop(_)) | None => arg,
            }
        };
        let call = Expr::Call { module: name.clone(), args: operands.map(wrapped).collect() };
        let shape = sizes(self.tree.graph.shape(result));
        match *wrap {
            Some(Wrap::ChannelsLast) => Expr::Move { of: Box::new(call), back: true },
            Some(Wrap::Lines(axis)) if axis.inner == 1 => call.reshaped(&[axis.outer, axis.len], &shape),
            Some(Wrap::Lines(_)) => call.method(".movedim(-1, 2)").reshaped(&[], &shape),
            Some(Wrap::Rows { count, len }) => call.reshaped(&[count, len], &shape),
            Some(Wrap::Tokens) => Expr::Move { of: Box::new(call), back: true },
            Some(Wrap::Crop(padding)) => Expr::Pad { of: Box::new(call), padding, with_minimum: false },
            _ => call,
        }
    }

    fn function(&mut self, value: ValueId, operands: impl Iterator<Item = (ValueId, Expr)>) -> Expr {
        let node = self.tree.graph.node(value);
        let all_flat = self.tree.is_flat(value);
        let keeps_tokens = self.tree.is_of_tokens(value);
        // Operands with rows and columns, unless the result has none either.
        let operand = |(input, expr): (ValueId, Expr)| {
            let expr =
                if self.tree.is_flat(input) && !all_flat { Expr::Unflat(Box::new(expr)) } else { expr };
            let expr =
                if self.tree.is_of_tokens(input) && !keeps_tokens { expr.method(".float()") } else { expr };
            match self.is_repeated(input, value) {
                true => Expr::Expand { of: Box::new(expr), like: self.input },
                false => expr,
            }
        };
        let mut operands: Vec<Expr> = operands.map(operand).take(node.inputs.len()).collect();
        match &node.op {
            Op::Add => Expr::Sum(operands),
            Op::Concat => Expr::Concat { parts: operands, dim: 1 },
            Op::Zero => {
                let of_tokens = self.tree.is_of_tokens(self.input);
                Expr::Zeros { shape: node.shape, like: self.input, of_tokens }
            }
            Op::Mul => {
                let by = operands.pop().expect("the builder gives a product two factors");
                let of = operands.pop().expect("the builder gives a product two factors");
                Expr::Product(Box::new(of), Box::new(by))
            }
            Op::Slice(Slice { start }) => {
                let of = Box::new(operands.swap_remove(0));
                Expr::Slice { of, start: *start, end: start + node.shape.channels }
            }
            Op::Tensor(op) => self.tensor(value, op, operands),
            _ => Expr::Mean(Box::new(operands.swap_remove(0))),
        }
    }

    fn tensor(&mut self, value: ValueId, op: &TensorOp, operands: Vec<Expr>) -> Expr {
        let graph = self.tree.graph;
        let node = graph.node(value);
        let shapes: Vec<Shape> = node.inputs.iter().map(|input| graph.shape(*input)).collect();
        let mut operands = operands.into_iter();
        let mut first = || operands.next().expect("the builder gives an operation its operands");
        match op {
            TensorOp::Parameter(Parameter { id }) => {
                let access = self.tree.access_to_param(self.place, *id);
                let own = Expr::Own(access.expect("a parameter of the module"));
                let dims = [&[1], &sizes(node.shape)[..]].concat();
                match graph.param(*id).shape == dims {
                    true => own,
                    false => own.reshaped(&[], &sizes(node.shape)),
                }
            }
            TensorOp::Constant(Constant { numbers }) => {
                Expr::Own(self.buffer(value, "constant", || constant(numbers, node.shape)))
            }
            TensorOp::Rearrange(Rearrange { view }) => {
                tensor::rearranged(first(), view, shapes[0], node.shape)
            }
            TensorOp::Pick(Pick { places }) => {
                let selection = Selection::of(places, shapes[0].elements());
                let of = first();
                tensor::picked(of, &selection, [shapes[0], node.shape], |table| {
                    self.buffer(value, "places", || table)
                })
            }
            TensorOp::Join(Join { outer, inner }) => {
                tensor::joined(operands.zip(shapes).collect(), *outer, *inner, node.shape)
            }
            TensorOp::Product(product) => {
                tensor::product([first(), first()], product, [shapes[0], shapes[1]], node.shape)
            }
            TensorOp::Softmax(Softmax { axis }) => tensor::softmax(first(), *axis, node.shape),
            TensorOp::Mean(Mean { axis }) => tensor::mean(first(), *axis, shapes[0], node.shape),
            TensorOp::Function(function) => tensor::function(first(), *function),
            TensorOp::Normalise(_) | TensorOp::Embedding(_) | TensorOp::ConvTranspose(_) => {
                unreachable!("modules are called")
            }
        }
    }

    /// What a buffer with the numbers of a value is called, which is made if it is not there yet.
    fn buffer(&mut self, value: ValueId, kind: &str, numbers: impl FnOnce() -> String) -> String {
        if let Some(name) = self.held.get(&value) {
            return name.clone();
        }
        let is_taken = |name: &str| {
            self.body.buffers.iter().any(|(other, _)| other == name)
                || self.tree.members(self.place).any(|member| self.tree.nodes[member].name == name)
        };
        let numbered = (1..).map(|number| format!("{kind}{number}"));
        let mut names = std::iter::once(kind.to_owned()).chain(numbered);
        let name = names.find(|name| !is_taken(name)).expect("there are more numbers than names");
        self.body.buffers.push((name.clone(), numbers()));
        let name = format!("self.{name}");
        self.held.insert(value, name.clone());
        name
    }
}

/// Whether a value needs no module.
fn is_function(graph: &Graph, value: ValueId) -> bool {
    match &graph.node(value).op {
        Op::Add | Op::Concat | Op::Mul | Op::Slice(_) | Op::Zero | Op::GlobalAvgPool => true,
        Op::Tensor(op) => !op.is_module(),
        _ => false,
    }
}
