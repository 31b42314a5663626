//! What commands that train have in common.

use swapnas::train::Optimiser;
use swapnas::{Space, Training};

use crate::args::{OptimiserArg, TrainingArgs};

impl TrainingArgs {
    /// How to train architectures of a space.
    pub(crate) fn of(&self, space: &'static dyn Space) -> Training {
        Training {
            space,
            inputs: self.inputs.clone(),
            train_images: self.train_images,
            validation_images: self.validation_images,
            epochs: self.epochs,
            batch: self.batch,
            optimiser: match self.optimiser {
                OptimiserArg::Sgd => Optimiser::sgd(),
                OptimiserArg::Adamw => Optimiser::adamw(),
            },
            rate: self.rate,
            momentum: self.momentum,
            weight_decay: self.weight_decay,
            warmup: self.warmup,
            label_smoothing: self.label_smoothing,
            flip: !self.no_flip,
            crop: self.crop,
            cutout: self.cutout,
            drop_path: self.drop_path,
            seed: self.seed,
            network: self.network,
            channels: self.channels,
            cells: self.cells,
            size: self.size,
        }
    }
}
