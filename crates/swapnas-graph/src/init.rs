use std::fmt;
use std::str::FromStr;

use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::{Key, Param, ParamKind, plain};

/// How weights are drawn.
///
/// Biases are 0 unless the variant says otherwise; normalisations always start with weight 1 and
/// bias 0. Rows of embeddings are N(0, 1), as PyTorch draws them, and what belongs to no layer, such as position
/// embeddings and class tokens, N(0, 0.02^2), as ViT and BERT draw it (N(0, 1) with [`Gaussian`](Self::Gaussian)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Init {
    /// N(0, 1), as the code released with the SWAP paper draws them.
    #[default]
    Gaussian,
    /// N(0, 2 / fan_in) (He et al. 2015).
    KaimingNormal,
    /// U(-b, b) with b = sqrt(6 / fan_in) (He et al. 2015).
    KaimingUniform,
    /// N(0, 2 / (fan_in + fan_out)) (Glorot and Bengio 2010).
    XavierNormal,
    /// U(-b, b) with b = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).
    XavierUniform,
    /// PyTorch's default: weights and biases U(-b, b) with b = 1 / sqrt(fan_in).
    PyTorch,
}

impl Init {
    /// All there are.
    pub const ALL: [Init; 6] = [
        Init::Gaussian,
        Init::KaimingNormal,
        Init::KaimingUniform,
        Init::XavierNormal,
        Init::XavierUniform,
        Init::PyTorch,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Init::Gaussian => "gaussian",
            Init::KaimingNormal => "kaiming-normal",
            Init::KaimingUniform => "kaiming-uniform",
            Init::XavierNormal => "xavier-normal",
            Init::XavierUniform => "xavier-uniform",
            Init::PyTorch => "pytorch",
        }
    }

    /// Appends the numbers that `stream` draws for a parameter.
    fn draw(self, param: &Param, stream: Key, out: &mut Vec<f32>) {
        let (fan_in, fan_out) = (param.fan_in as f64, param.fan_out as f64);
        let constant = match (param.kind, self) {
            (ParamKind::NormWeight, _) => Some(1.0),
            (ParamKind::NormBias, _) => Some(0.0),
            (ParamKind::ConvBias | ParamKind::LinearBias, Init::PyTorch) => None,
            (ParamKind::ConvBias | ParamKind::LinearBias, _) => Some(0.0),
            (ParamKind::ConvWeight | ParamKind::LinearWeight | ParamKind::Embedding | ParamKind::Free, _) => {
                None
            }
        };
        if let Some(constant) = constant {
            out.extend(std::iter::repeat_n(constant, param.len()));
            return;
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(stream.0);
        let mut normal = |deviation: f64| {
            let draws = (&mut rng).sample_iter::<f64, _>(StandardNormal).take(param.len());
            out.extend(draws.map(|x| (x * deviation) as f32));
        };
        let bound = match self {
            Init::Gaussian => return normal(1.0),
            _ if param.kind == ParamKind::Embedding => return normal(1.0),
            _ if param.kind == ParamKind::Free => return normal(0.02),
            Init::KaimingNormal => return normal((2.0 / fan_in).sqrt()),
            Init::XavierNormal => return normal((2.0 / (fan_in + fan_out)).sqrt()),
            Init::KaimingUniform => (6.0 / fan_in).sqrt(),
            Init::XavierUniform => (6.0 / (fan_in + fan_out)).sqrt(),
            Init::PyTorch => 1.0 / fan_in.sqrt(),
        };
        out.extend((0..param.len()).map(|_| ((rng.random::<f64>() * 2.0 - 1.0) * bound) as f32));
    }
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no initialisation has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no initialisation is called '{}'; there are {list}", plain(.0), list = Init::ALL.map(Init::name).join(", "))]
pub struct UnknownInit(pub String);

impl FromStr for Init {
    type Err = UnknownInit;

    fn from_str(name: &str) -> Result<Self, UnknownInit> {
        Init::ALL.into_iter().find(|i| i.name() == name).ok_or_else(|| UnknownInit(name.to_owned()))
    }
}

/// Weights drawn at random.
///
/// The numbers of a parameter depend on these fields and on the parameter's key, and on nothing
/// else: neither on other parameters, nor on order, nor on threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// How.
    pub init: Init,
    /// The seed of everything.
    pub seed: u64,
    /// Which set of weights.
    pub repeat: u64,
    /// With `None`, parameters of equal keys are equal in all networks; with the key of a network,
    /// the weights are its own.
    pub network: Option<Key>,
}

impl Draw {
    /// Appends the numbers of a parameter in the order of its elements.
    pub fn fill(&self, param: &Param, out: &mut Vec<f32>) {
        let stream = Key::of((self.seed, self.repeat, self.network.map(|k| k.0), param.key.0));
        self.init.draw(param, stream, out);
    }
}
