//! Images, weights and labels for a network, and how numbers are compared.

use std::collections::BTreeMap;
use std::path::PathBuf;

pub(crate) use swapnas_fixtures::noise;
use swapnas_graph::grad::ParamSet;
use swapnas_graph::{Batch, Element, Graph, ParamKind, Tensor, Tensors, Weights};

/// A network's images and weights.
pub(crate) struct Numbers {
    pub(crate) samples: usize,
    pub(crate) images: Vec<f32>,
    /// Of every parameter.
    pub(crate) weights: Vec<Vec<f32>>,
}

impl Numbers {
    pub(crate) fn new(graph: &Graph, samples: usize) -> Self {
        let images = noise(samples * graph.shape(graph.input()).elements(), 11);
        let of_param = |param: &swapnas_graph::Param| {
            // The same for parameters of one name in several networks.
            let seed = param.name.bytes().fold(100_u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
            let scale = match param.kind {
                ParamKind::ConvWeight | ParamKind::LinearWeight => 2.0 / (param.fan_in as f32).sqrt(),
                ParamKind::ConvBias | ParamKind::LinearBias | ParamKind::NormBias => 0.5,
                ParamKind::Embedding | ParamKind::Free => 1.0,
                ParamKind::NormWeight => 1.5,
            };
            noise(param.len(), seed).into_iter().map(|x| x * scale).collect()
        };
        Numbers { samples, images, weights: graph.params().iter().map(of_param).collect() }
    }

    pub(crate) fn batch<E: Element>(&self, graph: &Graph) -> Batch<E> {
        Batch::from_nchw(self.samples, graph.shape(graph.input()), &self.images).unwrap()
    }

    pub(crate) fn images64(&self) -> Vec<f64> {
        self.images.iter().map(|x| f64::from(*x)).collect()
    }

    pub(crate) fn weights64(&self) -> Vec<Vec<f64>> {
        self.weights.iter().map(|numbers| numbers.iter().map(|x| f64::from(*x)).collect()).collect()
    }

    /// The weights as if they were read from a file.
    pub(crate) fn tensors(&self, graph: &Graph) -> Tensors {
        tensors(graph, &self.weights)
    }

    pub(crate) fn labels(&self, graph: &Graph) -> Vec<usize> {
        let classes = graph.shape(graph.outputs()[0]).elements();
        (0..self.samples).map(|sample| sample * 5 % classes).collect()
    }
}

fn tensors(graph: &Graph, numbers: &[Vec<f32>]) -> Tensors {
    let tensor = |(param, numbers): (&swapnas_graph::Param, &Vec<f32>)| {
        (param.name.clone(), Tensor { shape: param.shape.clone(), numbers: numbers.clone() })
    };
    let tensors: BTreeMap<String, Tensor> = graph.params().iter().zip(numbers).map(tensor).collect();
    assert_eq!(tensors.len(), graph.params().len(), "parameters of one name");
    Tensors::new(PathBuf::from("numbers.rs"), tensors)
}

/// Some numbers for every parameter.
pub(crate) fn direction(graph: &Graph, seed: u64) -> Vec<Vec<f32>> {
    graph.params().iter().enumerate().map(|(i, param)| noise(param.len(), seed + i as u64)).collect()
}

pub(crate) fn param_set<E: Element>(graph: &Graph, numbers: &[Vec<f32>]) -> ParamSet<E> {
    ParamSet::load(graph, Weights::Loaded(&tensors(graph, numbers))).unwrap()
}

/// Numbers may be off by so much of the largest of those that they are among, or of `least` if that is
/// larger.
#[derive(Clone, Copy)]
pub(crate) struct Tolerance {
    pub(crate) relative: f64,
    pub(crate) least: f64,
}

#[track_caller]
pub(crate) fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: Tolerance) {
    assert_eq!(found.len(), expected.len(), "{what}: how many numbers");
    let finite = expected.iter().map(|x| x.abs()).filter(|x| x.is_finite());
    let most = tolerance.relative * finite.fold(tolerance.least, f64::max);
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let close = found == expected || (found - expected).abs() <= most;
        assert!(close, "{what}: number {place} is {found}, not {expected}, and may be off by {most:e}");
    }
}
