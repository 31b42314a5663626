//! What is handed over of a trained network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use swapnas_graph::{Element, FixedStatistics, ModuleKind, Tensor, Tensors};

use super::Trainer;
use crate::bytes::Bytes;

/// Weights and statistics of a trained network, by the names that PyTorch has for them.
#[derive(Clone, Debug)]
pub struct TrainedNetwork {
    tensors: BTreeMap<String, Tensor>,
    /// How many batches each normalisation has seen, by the names of the counts.
    counts: BTreeMap<String, i64>,
    statistics: FixedStatistics,
}

impl TrainedNetwork {
    /// Those of a training as they are now, after that many steps.
    pub(crate) fn of<E: Element>(trainer: &Trainer<E>, steps: usize) -> Self {
        let graph = trainer.graph();
        let named = graph.params().iter().zip(trainer.weights().iter());
        let mut tensors: BTreeMap<String, Tensor> = named
            .map(|(param, numbers)| {
                let numbers = numbers.iter().map(|x| x.to_f64() as f32).collect();
                (param.name.clone(), Tensor { shape: param.shape.clone(), numbers })
            })
            .collect();
        let mut counts = BTreeMap::new();
        for module in graph.modules().iter().filter(|module| module.kind == ModuleKind::BatchNorm) {
            let Some(statistics) = trainer.running().get(module.output) else { continue };
            for (name, numbers) in [("running_mean", &statistics.mean), ("running_var", &statistics.variance)]
            {
                let numbers: Vec<f32> = numbers.iter().map(|x| *x as f32).collect();
                let tensor = Tensor { shape: vec![numbers.len()], numbers };
                tensors.insert(format!("{}.{name}", module.name), tensor);
            }
            counts.insert(format!("{}.num_batches_tracked", module.name), steps as i64);
        }
        TrainedNetwork { tensors, counts, statistics: trainer.running().into() }
    }

    /// The parameters by their names, and the statistics as `running_mean` and `running_var` behind them.
    pub fn tensors(&self) -> Tensors {
        Tensors::new(PathBuf::from("the trained weights"), self.tensors.clone())
    }

    /// What batch normalisations subtract and divide by.
    pub fn statistics(&self) -> &FixedStatistics {
        &self.statistics
    }

    /// A safetensors file that the `load_state_dict` of the network's PyTorch module takes.
    pub fn to_safetensors(&self) -> Vec<u8> {
        let tensors = self
            .tensors
            .iter()
            .map(|(name, tensor)| (name, Bytes::floats(&tensor.numbers, tensor.shape.clone())));
        let counts = self.counts.iter().map(|(name, count)| (name, Bytes::whole(*count)));
        safetensors::serialize(tensors.chain(counts), None).expect("tensors of a network fit in memory")
    }
}
