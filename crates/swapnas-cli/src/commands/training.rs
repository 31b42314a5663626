//! What commands that train have in common.

use swapnas::train::{Augmentation, Optimiser, Settings};
use swapnas::{NetworkConfig, Shape, Space};

use crate::args::{OptimiserArg, TrainingArgs};

impl TrainingArgs {
    /// The network that is trained, but for its classes.
    pub(crate) fn network(&self, space: &dyn Space) -> NetworkConfig {
        let own = match self.network {
            None => space.scored_network(),
            Some(preset) => NetworkConfig { preset, channels: None, cells: None, ..space.default_network() },
        };
        NetworkConfig {
            channels: self.channels.or(own.channels),
            cells: self.cells.or(own.cells),
            input: self.size.map_or(own.input, |size| size.shape(own.input)),
            ..own
        }
    }

    /// How it is trained, with images of that shape.
    pub(crate) fn settings(&self, images: Shape) -> Settings {
        let side = images.height.min(images.width);
        let augmentation =
            Augmentation { flip: !self.no_flip, crop: self.crop.unwrap_or(side / 8), cutout: self.cutout };
        Settings {
            epochs: self.epochs,
            batch: self.batch,
            optimiser: self.optimiser(),
            warmup: self.warmup,
            label_smoothing: self.label_smoothing,
            augmentation,
            drop_path: self.drop_path,
            seed: self.seed,
        }
    }

    fn optimiser(&self) -> Optimiser {
        let mut optimiser = match self.optimiser {
            OptimiserArg::Sgd => Optimiser::sgd(),
            OptimiserArg::Adamw => Optimiser::adamw(),
        };
        let (Optimiser::Sgd { rate, momentum: memory, weight_decay, .. }
        | Optimiser::AdamW { rate, beta1: memory, weight_decay, .. }) = &mut optimiser;
        *rate = self.rate.unwrap_or(*rate);
        *memory = self.momentum.unwrap_or(*memory);
        *weight_decay = self.weight_decay.unwrap_or(*weight_decay);
        optimiser
    }
}
