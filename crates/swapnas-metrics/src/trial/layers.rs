use swapnas_graph::grad::ParamSet;
use swapnas_graph::{Element, Graph, ModuleKind, ParamId, ValueId};

/// The convolutions, transposed ones among them, and linear layers of a network, in order of execution.
///
/// Most metrics sum over their weights: neither biases nor normalisations count.
pub(crate) struct Layers {
    layers: Vec<Layer>,
}

/// A convolution or a linear layer.
#[derive(Clone, Copy)]
pub(crate) struct Layer {
    /// Its weights.
    pub weight: ParamId,
    /// What it returns.
    pub output: ValueId,
}

impl Layers {
    pub(crate) fn of(graph: &Graph) -> Self {
        let layers = graph.modules().iter().filter_map(|module| {
            let weight = match module.kind {
                ModuleKind::Conv | ModuleKind::Linear => graph.node(module.output).op.params().next()?,
                _ => return None,
            };
            Some(Layer { weight, output: module.output })
        });
        Layers { layers: layers.collect() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Layer> {
        self.layers.iter().copied()
    }

    /// The sum over all layers of what `f` makes of a weight and another number for it.
    pub(crate) fn sum<E: Element>(
        &self,
        a: &ParamSet<E>,
        b: &ParamSet<E>,
        f: impl Fn(f64, f64) -> f64,
    ) -> f64 {
        let layer = |layer: &Layer| -> f64 {
            let pairs = a.get(layer.weight).iter().zip(b.get(layer.weight));
            pairs.map(|(a, b)| f(a.to_f64(), b.to_f64())).sum()
        };
        self.layers.iter().map(layer).sum()
    }

    /// The sum over all layers of the L2 norm of their numbers.
    pub(crate) fn norms<E: Element>(&self, of: &ParamSet<E>) -> f64 {
        self.layers.iter().map(|layer| norm(of.get(layer.weight))).sum()
    }

    /// The same numbers for the weights of layers, and zeros for all other parameters.
    pub(crate) fn only<E: Element>(&self, graph: &Graph, of: &ParamSet<E>) -> ParamSet<E> {
        let mut only = ParamSet::zeros(graph);
        for layer in &self.layers {
            only.get_mut(layer.weight).copy_from_slice(of.get(layer.weight));
        }
        only
    }
}

/// The L2 norm.
fn norm<E: Element>(numbers: &[E]) -> f64 {
    numbers.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>().sqrt()
}

/// What the stem and each block of a network return, in order of execution: cells, or the blocks of a
/// chain.
///
/// They are known by their names: `stem`, and two components or more of which the last alone is a number, such as
/// `cells.3`, `layers.3`, `layer2.0`, `features.3` or `encoder.layer.3`.
pub(crate) fn blocks(graph: &Graph) -> Vec<ValueId> {
    let is_number = |name: &str| name.parse::<u32>().is_ok();
    let is_block = |name: &str| match name.rsplit_once('.') {
        None => name == "stem",
        Some((before, last)) => {
            is_number(last) && before.split('.').all(|name| name != "stem" && !is_number(name))
        }
    };
    let containers = graph.modules().iter().filter(|module| module.kind == ModuleKind::Container);
    containers.filter(|module| is_block(&module.name)).map(|module| module.output).collect()
}
