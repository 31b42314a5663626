//! What is computed in which order, and where values are.

use std::collections::HashSet;
use std::sync::Arc;

use swapnas_lanes::Layout;
use swapnas_lanes::kernels::window::Window;

use crate::lower::Lowering;
use crate::op::{Lowered, Work};
use crate::{Activation, Epsilon, Graph, Node, Op, ParamId, Relu, Shape, ValueId, Want};

/// A graph made ready for forward and backward passes.
///
/// Values are written to memory once and stay there for the backward pass. Normalisations and
/// activations are not written: they are applied by whoever reads the value, and again when the
/// gradient comes back.
#[derive(Clone, Debug)]
pub struct GradientPlan {
    graph: Arc<Graph>,
    /// Parameters whose gradients come from several places.
    pub(super) shared: HashSet<ParamId>,
    pub(super) steps: Vec<Step>,
    pub(super) slots: Vec<Shape>,
    pub(super) norms: Vec<Norm>,
    /// Whether a convolution writes each slot, and whether a normalisation reads it.
    convolved: Vec<bool>,
    normalised: Vec<bool>,
    /// The value in each slot.
    values: Vec<ValueId>,
    /// Where each value is, if it is computed at all.
    views: Vec<Option<View>>,
    /// The ReLUs whose signs are wanted, and where they are.
    pub(super) relus: Vec<(Relu, View)>,
}

/// A value: a slot, and what is to be applied when it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct View {
    pub slot: usize,
    pub norm: Option<usize>,
    pub activation: Option<Activation>,
}

/// A batch normalisation of a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    pub slot: usize,
    pub params: Option<(ParamId, ParamId)>,
    pub epsilon: Epsilon,
    /// What it returns.
    pub value: ValueId,
}

/// A convolution, or a linear layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Convolution {
    pub source: View,
    pub window: Window,
    pub groups: usize,
    pub weight: ParamId,
    pub bias: Option<ParamId>,
    pub out: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Takes the statistics of a normalisation.
    Normalise(usize),
    Convolve(Convolution),
    /// Everything else, which writes slot `out`.
    Compute {
        work: Work,
        sources: Vec<View>,
        out: usize,
    },
}

impl Step {
    /// What is read.
    pub(super) fn sources<'a>(&'a self, plan: &GradientPlan) -> impl Iterator<Item = View> + use<'a> {
        let (first, rest): (Option<View>, &[View]) = match self {
            Step::Normalise(norm) => (Some(View::plain(plan.norms[*norm].slot)), &[]),
            Step::Convolve(convolution) => (Some(convolution.source), &[]),
            Step::Compute { sources, .. } => (None, sources),
        };
        first.into_iter().chain(rest.iter().copied())
    }

    /// The node whose gradient the step takes back to its sources.
    pub(super) fn node(&self, plan: &GradientPlan) -> usize {
        match self {
            Step::Normalise(norm) => plan.norm_node(*norm),
            Step::Convolve(convolution) => convolution.out,
            Step::Compute { out, .. } => *out,
        }
    }

    /// The slot that it writes.
    pub(super) fn out(&self) -> Option<usize> {
        match self {
            Step::Normalise(_) => None,
            Step::Convolve(convolution) => Some(convolution.out),
            Step::Compute { out, .. } => Some(*out),
        }
    }

    /// Whether it has weights of its own.
    pub(super) fn has_params(&self, plan: &GradientPlan) -> bool {
        match self {
            Step::Normalise(norm) => plan.norms[*norm].params.is_some(),
            Step::Convolve(_) => true,
            Step::Compute { work: Work::Tensor(value), .. } => {
                plan.graph.node(*value).op.params().next().is_some()
            }
            Step::Compute { .. } => false,
        }
    }
}

impl View {
    pub(super) fn plain(slot: usize) -> View {
        View { slot, norm: None, activation: None }
    }
}

impl GradientPlan {
    /// Makes a graph ready. Its outputs are always computed; `want` names what else is: the signs of
    /// ReLUs, and values that gradients are to be asked of or given for.
    pub fn new(graph: impl Into<Arc<Graph>>, want: &Want) -> GradientPlan {
        let graph = graph.into();
        let roots: Vec<ValueId> = graph.outputs().iter().chain(&want.values).copied().collect();
        let lowering = Lowering::new(&graph, want, &roots);
        let mut plan = GradientPlan {
            steps: Vec::new(),
            slots: vec![graph.shape(graph.input())],
            norms: Vec::new(),
            convolved: vec![false],
            normalised: vec![false],
            values: vec![graph.input()],
            views: vec![None; graph.nodes().len()],
            relus: Vec::new(),
            shared: graph.shared_params(),
            graph: graph.clone(),
        };
        plan.views[0] = Some(View::plain(0));
        for value in lowering.values() {
            let view = plan.node(&graph, value);
            plan.views[value.index()] = Some(view);
            if let Some(relu) = lowering.relu(value) {
                plan.relus.push((lowering.relus[relu].clone(), view));
            }
            // Gradients arrive at one place for all readers, and a normalisation needs to have what it reads
            // written.
            let read_again = |node: &Node| matches!(node.op, Op::BatchNorm(_)) && node.inputs[0] == value;
            let written = || {
                view.activation.is_some()
                    || view.norm.is_some() && graph.nodes()[value.index()..].iter().any(read_again)
            };
            if lowering.kept[value.index()] && written() {
                plan.written(&graph, value);
            }
        }
        plan
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Where a value is.
    pub(super) fn view(&self, value: ValueId) -> Option<View> {
        self.views[value.index()]
    }

    /// Gradients arrive at nodes: first the slots, then the results of the normalisations.
    pub(super) fn nodes(&self) -> usize {
        self.slots.len() + self.norms.len()
    }

    pub(super) fn norm_node(&self, norm: usize) -> usize {
        self.slots.len() + norm
    }

    /// The normalisation whose result a node is.
    pub(super) fn norm_of(&self, node: usize) -> Option<usize> {
        node.checked_sub(self.slots.len())
    }

    /// The slot of which a node is the gradient, or that of its normalisation.
    pub(super) fn slot_of(&self, node: usize) -> usize {
        self.norm_of(node).map_or(node, |norm| self.norms[norm].slot)
    }

    /// The value in a slot.
    pub(super) fn value_of(&self, slot: usize) -> ValueId {
        self.values[slot]
    }

    /// Whether a normalisation reads the slot.
    pub(super) fn is_normalised(&self, slot: usize) -> bool {
        self.normalised[slot]
    }

    /// Whether a convolution writes the slot.
    pub(super) fn is_convolved(&self, slot: usize) -> bool {
        self.convolved[slot]
    }

    /// The node at which a view's gradient arrives, once its activation is behind it.
    pub(super) fn node_of(&self, view: View) -> usize {
        view.norm.map_or(view.slot, |norm| self.norm_node(norm))
    }

    pub(super) fn layout(&self, slot: usize) -> Layout {
        let Shape { channels, height, width } = self.slots[slot];
        Layout::new(channels, height, width, 0)
    }

    fn node(&mut self, graph: &Graph, value: ValueId) -> View {
        let Node { inputs, shape, .. } = graph.node(value);
        match graph.lowered(value) {
            Lowered::Input => unreachable!("only node 0 is the input"),
            Lowered::Normalise { params, epsilon } => {
                let mut view = self.computed(inputs[0]);
                if view.norm.is_some() || view.activation.is_some() {
                    view = self.written(graph, inputs[0]);
                }
                let slot = view.slot;
                self.norms.push(Norm { slot, params, epsilon, value });
                self.normalised[slot] = true;
                let norm = self.norms.len() - 1;
                self.steps.push(Step::Normalise(norm));
                View { norm: Some(norm), ..view }
            }
            Lowered::Activate(activation) => {
                let mut view = self.computed(inputs[0]);
                if view.activation.is_some() {
                    view = self.written(graph, inputs[0]);
                }
                View { activation: Some(activation), ..view }
            }
            Lowered::Convolve { window, groups, weight, bias } => {
                let (source, out) = (self.computed(inputs[0]), self.slot(value, *shape, true));
                self.steps.push(Step::Convolve(Convolution { source, window, groups, weight, bias, out }));
                View::plain(out)
            }
            Lowered::Compute(work) => {
                let sources = inputs.iter().map(|input| self.computed(*input)).collect();
                self.compute(value, *shape, work, sources)
            }
        }
    }

    fn compute(&mut self, value: ValueId, shape: Shape, work: Work, sources: Vec<View>) -> View {
        let out = self.slot(value, shape, false);
        self.steps.push(Step::Compute { work, sources, out });
        View::plain(out)
    }

    fn slot(&mut self, value: ValueId, shape: Shape, convolved: bool) -> usize {
        self.slots.push(shape);
        self.values.push(value);
        self.convolved.push(convolved);
        self.normalised.push(false);
        self.slots.len() - 1
    }

    fn computed(&self, value: ValueId) -> View {
        self.views[value.index()].expect("values are computed before their readers")
    }

    /// The value in a slot of its own, with nothing left to apply.
    fn written(&mut self, graph: &Graph, value: ValueId) -> View {
        let view = self.computed(value);
        let view = self.compute(value, graph.shape(value), Work::Combine, vec![view]);
        self.views[value.index()] = Some(view);
        view
    }
}
