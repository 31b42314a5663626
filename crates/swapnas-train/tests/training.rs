//! Training as a whole: what it depends on and what it does not, and how it goes on.

use swapnas_graph::{Graph, Level, Shape};
use swapnas_metrics::inputs::{InputSpec, Shapes};
use swapnas_spaces::{NetworkConfig, by_name};
use swapnas_train::{Augmentation, CheckpointError, Dataset, Optimiser, Settings, TrainError, Trainer};

const SHAPE: Shape = Shape { channels: 3, height: 8, width: 8 };

fn graph() -> Graph {
    let space = by_name("nb201").unwrap();
    let arch = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|";
    let config = NetworkConfig {
        channels: Some(4),
        cells: Some(1),
        input: SHAPE,
        classes: 10,
        ..space.default_network()
    };
    space.network(&space.parse(arch).unwrap(), &config).unwrap()
}

fn data() -> Dataset {
    Dataset::draw(&InputSpec::Shapes(Shapes::default()), SHAPE, 100, 40, 1).unwrap()
}

fn settings() -> Settings {
    let augmentation = Augmentation { flip: true, crop: 1, cutout: 2 };
    Settings {
        epochs: 3,
        batch: 24,
        warmup: 1,
        augmentation,
        drop_path: 0.3,
        label_smoothing: 0.1,
        ..Settings::default()
    }
}

/// All weights as bits, after all epochs or until it is stopped.
fn bits(trainer: &Trainer<f32>) -> Vec<u32> {
    trainer.weights().iter().flatten().map(|x| x.to_bits()).collect()
}

fn trained(settings: Settings, level: Level, parallel: bool) -> Trainer<f32> {
    let data = data();
    let mut trainer = Trainer::new(graph(), settings, level).unwrap().parallel(parallel);
    while !trainer.is_done() {
        trainer.epoch(&data, &mut || true).unwrap().unwrap();
    }
    trainer
}

#[test]
fn threads_and_simd_levels_do_not_matter() {
    let expected = trained(settings(), Level::best(), false);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| trained(settings(), Level::best(), true));
        assert_eq!(bits(&found), bits(&expected), "{threads} threads");
        assert_eq!(found.history(), expected.history());
    }
    for level in Level::available() {
        assert_eq!(bits(&trained(settings(), level, false)), bits(&expected), "{level}");
    }
}

#[test]
fn every_setting_matters() {
    let base = settings();
    let expected = bits(&trained(base, Level::best(), false));
    let others = [
        Settings { batch: 25, ..base },
        Settings { optimiser: Optimiser::sgd().with_rate(0.05), ..base },
        Settings { optimiser: Optimiser::sgd().with_weight_decay(0.0), ..base },
        Settings { optimiser: Optimiser::adamw(), ..base },
        Settings { warmup: 0, ..base },
        Settings { label_smoothing: 0.0, ..base },
        Settings { augmentation: Augmentation { flip: false, ..base.augmentation }, ..base },
        Settings { augmentation: Augmentation { crop: 2, ..base.augmentation }, ..base },
        Settings { augmentation: Augmentation { cutout: 0, ..base.augmentation }, ..base },
        Settings { drop_path: 0.0, ..base },
        Settings { seed: 1, ..base },
    ];
    for other in others {
        assert_ne!(bits(&trained(other, Level::best(), false)), expected, "{other:?}");
    }
}

#[test]
fn shapes_are_learnt() {
    let settings =
        Settings { epochs: 12, batch: 20, augmentation: Augmentation::NONE, ..Settings::default() };
    let trainer = trained(settings, Level::best(), false);
    let history = trainer.history();
    assert!(history[11].loss < 0.8 * history[0].loss, "{history:?}");
    assert!(history[11].train_accuracy > 35.0, "{history:?}");
}

#[test]
fn an_epoch_that_is_stopped_leaves_nothing_behind() {
    let data = data();
    let mut trainer = Trainer::<f32>::new(graph(), settings(), Level::best()).unwrap();
    let before = bits(&trainer);
    let mut asked = 0;
    let stopped = trainer.epoch(&data, &mut || {
        asked += 1;
        asked < 3
    });
    assert_eq!((stopped.unwrap(), asked), (None, 3));
    assert_eq!(bits(&trainer), before);
    while !trainer.is_done() {
        trainer.epoch(&data, &mut || true).unwrap();
    }
    assert_eq!(bits(&trainer), bits(&trained(settings(), Level::best(), false)));
}

#[test]
fn a_checkpoint_goes_on_to_the_bit() {
    let (folder, data) = (tempfile::tempdir().unwrap(), data());
    for (name, optimiser) in [("sgd", Optimiser::sgd()), ("adamw", Optimiser::adamw())] {
        let path = folder.path().join(name);
        let settings = Settings { optimiser, ..settings() };
        let mut trainer = Trainer::<f32>::new(graph(), settings, Level::best()).unwrap();
        trainer.epoch(&data, &mut || true).unwrap();
        trainer.save(&path, &data).unwrap();
        drop(trainer);
        let mut trainer = Trainer::<f32>::new(graph(), settings, Level::best()).unwrap();
        trainer.resume(&path, &data).unwrap();
        assert_eq!(trainer.history().len(), 1);
        while !trainer.is_done() {
            trainer.epoch(&data, &mut || true).unwrap();
        }
        let whole = trained(settings, Level::best(), false);
        assert_eq!(bits(&trainer), bits(&whole));
        assert_eq!((trainer.history(), trainer.running()), (whole.history(), whole.running()));
    }
}

#[test]
fn checkpoints_of_other_trainings_are_refused() {
    let (folder, data) = (tempfile::tempdir().unwrap(), data());
    let path = folder.path().join("checkpoint");
    let trainer = Trainer::<f32>::new(graph(), settings(), Level::best()).unwrap();
    trainer.save(&path, &data).unwrap();
    let resume = |settings: Settings, data: &Dataset| {
        let mut trainer = Trainer::<f32>::new(graph(), settings, Level::best()).unwrap();
        let error = trainer.resume(&path, data).err();
        error.map(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
    };
    assert_eq!(resume(settings(), &data), None);
    insta::assert_snapshot!(resume(Settings { seed: 5, ..settings() }, &data).unwrap(), @"FILE is of another training; remove it to begin anew, or ask for the same");
    let others = Dataset::draw(&InputSpec::Shapes(Shapes::default()), SHAPE, 100, 40, 2).unwrap();
    insta::assert_snapshot!(resume(settings(), &others).unwrap(), @"FILE is of another data set; remove it to begin anew, or ask for the same");
    let bytes = std::fs::read(&path).unwrap();
    for place in (0..bytes.len()).step_by(997) {
        std::fs::write(&path, &bytes[..place]).unwrap();
        assert!(resume(settings(), &data).is_some(), "{place} bytes");
    }
    let mut trainer = Trainer::<f32>::new(graph(), settings(), Level::best()).unwrap();
    let missing = trainer.resume(&folder.path().join("none"), &data).unwrap_err();
    assert!(matches!(missing, CheckpointError::Read { .. }));
}

#[test]
fn trainings_that_make_no_sense_are_errors() {
    let data = data();
    let train = |settings: Settings, data: &Dataset| -> Result<(), TrainError> {
        Trainer::<f32>::new(graph(), settings, Level::best())?.epoch(data, &mut || true).map(|_| ())
    };
    let base = settings();
    let error = |settings, data: &Dataset| train(settings, data).unwrap_err().to_string();
    insta::assert_snapshot!(error(Settings { batch: 101, ..base }, &data), @"a batch takes 101 images, but there are 100 to train with: take a smaller batch, or more images");
    let wide = Dataset::draw(&InputSpec::Shapes(Shapes::default()), Shape::new(3, 8, 9), 100, 40, 2).unwrap();
    insta::assert_snapshot!(error(base, &wide), @"the network takes images of 3x8x8, but these are of 3x8x9");
    let wild = Settings { optimiser: Optimiser::sgd().with_rate(1000.0), epochs: 30, warmup: 0, ..base };
    let mut trainer = Trainer::<f32>::new(graph(), wild, Level::best()).unwrap();
    let diverged = (0..30).find_map(|_| trainer.epoch(&data, &mut || true).err());
    assert!(matches!(diverged, Some(TrainError::Diverged { .. })), "{diverged:?}");
}

#[test]
fn what_is_handed_over_has_pytorchs_names() {
    let trainer = trained(settings(), Level::best(), false);
    let trained = trainer.trained(&data());
    let bytes = trained.to_safetensors();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let names = file.names();
    for name in ["stem.0.weight", "stem.1.running_mean", "stem.1.running_var", "stem.1.num_batches_tracked"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let count = file.tensor("stem.1.num_batches_tracked").unwrap().data().to_vec();
    assert_eq!(count, 12_i64.to_le_bytes());
    for param in trainer.graph().params() {
        assert_eq!(file.tensor(&param.name).unwrap().shape(), param.shape);
    }
}
