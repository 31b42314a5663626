use std::iter::Sum;

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

impl Sum for Flops {
    fn sum<I: Iterator<Item = Flops>>(parts: I) -> Flops {
        parts.fold(Flops::default(), |a, b| Flops {
            conv: a.conv + b.conv,
            linear: a.linear + b.linear,
            batch_norm: a.batch_norm + b.batch_norm,
            relu: a.relu + b.relu,
            avg_pool: a.avg_pool + b.avg_pool,
            max_pool: a.max_pool + b.max_pool,
            global_avg_pool: a.global_avg_pool + b.global_avg_pool,
        })
    }
}
