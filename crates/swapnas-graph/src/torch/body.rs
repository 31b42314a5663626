//! What the `forward` of a module has to do.

use std::collections::{HashMap, HashSet};

use super::TorchError;
use super::expr::{Expr, Wrap};
use super::tree::{Place, ROOT, Tree};
use crate::{Graph, ModuleKind, Op, ValueId};

/// The values that a module takes, those that it computes on the way, and its result.
pub(super) struct Body {
    pub inputs: Vec<ValueId>,
    pub lines: Vec<(ValueId, Expr)>,
    pub result: Expr,
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
    pub wrap: Option<Wrap>,
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
        let output = callees[&callee].output;
        if output != input && !callees[&callee].inputs.contains(&output) {
            producers.entry(output).or_insert(callee);
        }
    }
    let mut writer = Writer {
        graph,
        callees,
        input,
        producers,
        uses: HashMap::new(),
        body: Body { inputs: Vec::new(), lines: Vec::new(), result: Expr::Value(output), called: Vec::new() },
        known: HashSet::new(),
    };
    writer.count_uses(output);
    let result = writer.value(output, true);
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
    graph: &'a Graph,
    callees: &'a HashMap<Place, Callee>,
    input: ValueId,
    /// The first called module with that result.
    producers: HashMap<ValueId, Place>,
    uses: HashMap<ValueId, usize>,
    body: Body,
    /// Values that have a variable.
    known: HashSet<ValueId>,
}

/// Where a value comes from.
enum Origin {
    /// The caller.
    Outside,
    /// The module at that place.
    Module(Place),
    /// A function of other values.
    Function,
}

impl Writer<'_> {
    fn origin(&self, value: ValueId) -> Origin {
        match self.producers.get(&value) {
            _ if value == self.input => Origin::Outside,
            Some(&place) => Origin::Module(place),
            None if is_function(self.graph, value) && (self.is_inside(value) || self.is_known(value)) => {
                Origin::Function
            }
            None => Origin::Outside,
        }
    }

    /// Whether a value is made of one that a called module computes.
    fn is_inside(&self, value: ValueId) -> bool {
        self.producers.contains_key(&value)
            || is_function(self.graph, value)
                && self.graph.node(value).inputs.iter().any(|&input| self.is_inside(input))
    }

    /// Whether a value is made of the module's input and of what called modules compute.
    fn is_known(&self, value: ValueId) -> bool {
        value == self.input
            || self.producers.contains_key(&value)
            || is_function(self.graph, value)
                && self.graph.node(value).inputs.iter().all(|&input| self.is_known(input))
    }

    /// What a value is computed from.
    fn operands(&self, value: ValueId) -> Vec<ValueId> {
        match self.origin(value) {
            Origin::Outside => Vec::new(),
            Origin::Module(place) => self.callees[&place].inputs.clone(),
            Origin::Function => self.graph.node(value).inputs.clone(),
        }
    }

    /// Counts how many times each value is read on the way to `output`.
    fn count_uses(&mut self, output: ValueId) {
        let mut open = vec![output];
        while let Some(value) = open.pop() {
            let uses = self.uses.entry(value).or_default();
            *uses += 1;
            if *uses == 1 {
                open.extend(self.operands(value));
            }
        }
    }

    /// An expression for a value, after the lines that it needs. `inline` says that a call may stand in the
    /// middle of the expression.
    fn value(&mut self, value: ValueId, inline: bool) -> Expr {
        if self.known.contains(&value) {
            return Expr::Value(value);
        }
        let expr = match self.origin(value) {
            Origin::Outside => {
                self.body.inputs.push(value);
                self.known.insert(value);
                return Expr::Value(value);
            }
            Origin::Module(place) => self.call(place),
            Origin::Function => self.function(value),
        };
        let once = self.uses.get(&value) == Some(&1);
        let is_view = matches!(expr, Expr::Slice { .. });
        let is_simple = matches!(expr, Expr::Call { .. } | Expr::Mean(_));
        if is_view || inline && once && is_simple {
            return expr;
        }
        self.body.lines.push((value, expr));
        self.known.insert(value);
        Expr::Value(value)
    }

    fn call(&mut self, place: Place) -> Expr {
        let Callee { name, inputs, wrap, .. } = self.callees[&place].clone();
        self.body.called.push(place);
        let wrapped = |writer: &mut Self, value: ValueId| {
            let is_flat = is_flat(writer.graph, value);
            let is_mean = matches!(writer.graph.node(value).op, Op::GlobalAvgPool)
                && matches!(writer.origin(value), Origin::Function);
            let arg = writer.value(value, is_mean && wrap == Some(Wrap::Flatten));
            let boxed = Box::new(arg.clone());
            match wrap {
                Some(Wrap::Flatten) if is_flat => arg,
                Some(Wrap::Flatten) => Expr::Flat(boxed),
                Some(Wrap::Pad { padding, with_minimum }) => Expr::Pad { of: boxed, padding, with_minimum },
                Some(Wrap::ChannelsLast) => Expr::Move { of: boxed, back: false },
                None => arg,
            }
        };
        let args = inputs.into_iter().map(|input| wrapped(self, input)).collect();
        let call = Expr::Call { module: name, args };
        match wrap {
            Some(Wrap::ChannelsLast) => Expr::Move { of: Box::new(call), back: true },
            _ => call,
        }
    }

    fn function(&mut self, value: ValueId) -> Expr {
        let graph = self.graph;
        let node = graph.node(value);
        let all_flat = is_flat(graph, value);
        // Operands with rows and columns, unless the result has none either.
        let operand = |writer: &mut Self, input: ValueId| {
            let expr = writer.value(input, matches!(node.op, Op::Add));
            if is_flat(graph, input) && !all_flat { Expr::Unflat(Box::new(expr)) } else { expr }
        };
        let mut operands: Vec<Expr> = node.inputs.iter().map(|&input| operand(self, input)).collect();
        match node.op {
            Op::Add => Expr::Sum(operands),
            Op::Concat => Expr::Concat(operands),
            Op::Zero => {
                self.value(self.input, false);
                Expr::Zeros { shape: node.shape, like: self.input }
            }
            Op::Mul => {
                let by = operands.pop().expect("the builder gives a product two factors");
                let of = operands.pop().expect("the builder gives a product two factors");
                Expr::Product(Box::new(of), Box::new(by))
            }
            Op::Slice { start } => {
                let of = Box::new(operands.swap_remove(0));
                Expr::Slice { of, start, end: start + node.shape.channels }
            }
            _ => Expr::Mean(Box::new(operands.swap_remove(0))),
        }
    }
}

/// Whether a value needs no module.
fn is_function(graph: &Graph, value: ValueId) -> bool {
    matches!(
        graph.node(value).op,
        Op::Add | Op::Concat | Op::Mul | Op::Slice { .. } | Op::Zero | Op::GlobalAvgPool
    )
}

/// Whether a value has no rows and columns: what a linear layer of one pixel returns, and what is made of
/// such values alone.
fn is_flat(graph: &Graph, value: ValueId) -> bool {
    let node = graph.node(value);
    match node.op {
        Op::Linear { .. } => node.shape.pixels() == 1,
        Op::Act(_) | Op::Add | Op::Concat | Op::Mul | Op::Slice { .. } => {
            node.inputs.iter().all(|&input| is_flat(graph, input))
        }
        _ => false,
    }
}

/// Whether a body is nothing but calls of these modules one after the other, as `nn.Sequential` does them.
pub(super) fn is_chain(tree: &Tree<'_>, place: Place, body: &Body, callees: &HashMap<Place, Callee>) -> bool {
    let node = &tree.nodes[place];
    let Some(call) = node.call.filter(|call| call.kind == ModuleKind::Container && place != ROOT) else {
        return false;
    };
    let members: Vec<Place> = tree.members(place).collect();
    let number = |name: &str| name.parse().ok().filter(|number: &usize| number.to_string() == name);
    let numbers: Option<Vec<usize>> = members.iter().map(|&m| number(tree.nodes[m].name)).collect();
    let mut at = call.input;
    numbers.is_some_and(|numbers| numbers.is_sorted_by(|a, b| a < b))
        && body.called.len() == members.len()
        && members.iter().enumerate().all(|(place, member)| {
            // The caller flattens what the first module wants to have flat.
            let fits = |wrap: Option<Wrap>| match wrap {
                None => true,
                Some(Wrap::Flatten) => place == 0 || is_flat(tree.graph, at),
                Some(_) => false,
            };
            let follows = callees.get(member).is_some_and(|c| c.inputs == [at] && fits(c.wrap));
            at = if follows { callees[member].output } else { at };
            follows
        })
        && at == call.output
}
