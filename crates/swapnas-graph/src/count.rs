use crate::op::Sizes;
use crate::{Flops, Graph, ModuleKind, Node, Op};

impl Graph {
    /// Number of elements of all parameters, those of unused layers included.
    pub fn parameter_count(&self) -> u64 {
        self.params().iter().map(|p| p.len() as u64).sum()
    }

    /// Multiply-accumulates of convolutions, linear layers and products of matrices for one sample. A transposed
    /// convolution has one for every weight and pixel that it reads.
    pub fn macs(&self) -> u64 {
        let is_tensor = |node: &&Node| matches!(node.op, Op::Tensor(_));
        let layers = self.layers().filter(|layer| !is_tensor(layer));
        let operations = self.nodes().iter().filter(is_tensor);
        layers.chain(operations).map(|node| node.op.macs(&self.sizes(node))).sum()
    }

    /// Number of units of ReLUs and other [gates](crate::Activation::is_gate) for one sample. Every one of the network
    /// counts, also those that are computed once because they read the same value.
    pub fn relu_units(&self) -> u64 {
        self.relus().map(|m| self.shape(m.output).elements() as u64).sum()
    }

    /// Operations of one sample in the torchstat convention, see [`Flops`].
    pub fn flops(&self) -> Flops {
        self.layers().map(|node| node.op.flops(&self.sizes(node))).sum()
    }

    /// The nodes of all modules that are not made of others, those that are computed once as often as they are called.
    fn layers(&self) -> impl Iterator<Item = &Node> {
        let layers = self.modules().iter().filter(|module| module.kind != ModuleKind::Container);
        layers.map(|module| self.node(module.output))
    }

    fn sizes(&self, node: &Node) -> Sizes<'_> {
        let output = node.shape;
        Sizes {
            input: node.inputs.first().map_or(output, |input| self.shape(*input)),
            output,
            weight: node.op.params().next().map_or(&[], |id| &self.param(id).shape),
        }
    }
}
