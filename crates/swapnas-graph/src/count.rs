use crate::op::macs;
use crate::tensor::TensorOp;
use crate::{Graph, Module, ModuleKind, Op, Shape};

/// Operations of one sample by kind of module, as the torchstat and tensorwatch tools count them
/// and as the tables of NAS-Bench-Suite-Zero print them (there in millions).
///
/// Only the modules named here count; additions, concatenations and identities are free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flops {
    /// Multiply-accumulates of convolutions, plus one operation per output if there is a bias; transposed ones, which
    /// these tools do not know, are counted likewise.
    pub conv: u64,
    /// Multiply-accumulates of linear layers, bias not counted.
    pub linear: u64,
    /// One operation per element, two if there are a weight and a bias.
    pub batch_norm: u64,
    /// One operation per element.
    pub relu: u64,
    /// One operation per tap and output element, taps on the padding included.
    pub avg_pool: u64,
    /// Likewise.
    pub max_pool: u64,
    /// C * (H + 1) * (W + 1): the convention counts one row and one column too many.
    pub global_avg_pool: u64,
}

impl Flops {
    /// All kinds together.
    pub fn total(&self) -> u64 {
        self.conv
            + self.linear
            + self.batch_norm
            + self.relu
            + self.avg_pool
            + self.max_pool
            + self.global_avg_pool
    }
}

impl Graph {
    /// Number of elements of all parameters, those of unused layers included.
    pub fn parameter_count(&self) -> u64 {
        self.params().iter().map(|p| p.len() as u64).sum()
    }

    /// Multiply-accumulates of convolutions, linear layers and products of matrices for one sample. A transposed
    /// convolution has one for every weight and pixel that it reads.
    pub fn macs(&self) -> u64 {
        let products = self.nodes().iter().map(|node| match &node.op {
            Op::Tensor(op) => op.macs(),
            _ => 0,
        });
        self.modules().iter().map(|m| self.module_macs(m)).chain(products).sum()
    }

    /// Number of units of ReLUs and other [gates](crate::Activation::is_gate) for one sample. Every one of the network
    /// counts, also those that are computed once because they read the same value.
    pub fn relu_units(&self) -> u64 {
        self.relus().map(|m| self.shape(m.output).elements() as u64).sum()
    }

    /// Operations of one sample in the torchstat convention, see [`Flops`].
    pub fn flops(&self) -> Flops {
        let mut flops = Flops::default();
        for module in self.modules() {
            let output = self.shape(module.output);
            let elements = output.elements() as u64;
            match (module.kind, &self.node(module.output).op) {
                (ModuleKind::Conv, Op::Conv2d { bias, .. }) => {
                    flops.conv += self.module_macs(module) + if bias.is_some() { elements } else { 0 };
                }
                (ModuleKind::Conv, Op::Tensor(TensorOp::ConvTranspose(of))) => {
                    flops.conv += of.macs() + if of.bias.is_some() { elements } else { 0 };
                }
                (ModuleKind::Linear, _) => flops.linear += self.module_macs(module),
                (ModuleKind::BatchNorm, Op::BatchNorm { affine, .. }) => {
                    flops.batch_norm += elements * if affine.is_some() { 2 } else { 1 };
                }
                (ModuleKind::Act(_), _) => flops.relu += elements,
                (ModuleKind::AvgPool, Op::AvgPool { window, .. }) => {
                    flops.avg_pool += elements * window.taps() as u64;
                }
                (ModuleKind::MaxPool, Op::MaxPool(window)) => {
                    flops.max_pool += elements * window.taps() as u64;
                }
                (ModuleKind::GlobalAvgPool, _) => {
                    let Shape { channels, height, width } = self.shape(module.input);
                    flops.global_avg_pool += (channels * (height + 1) * (width + 1)) as u64;
                }
                _ => {}
            }
        }
        flops
    }

    fn module_macs(&self, module: &Module) -> u64 {
        match (module.kind, &self.node(module.output).op) {
            (ModuleKind::Conv, Op::Conv2d { weight, .. })
            | (ModuleKind::Linear, Op::Linear { weight, .. }) => {
                macs(&self.param(*weight).shape, self.shape(module.output))
            }
            _ => 0,
        }
    }
}
