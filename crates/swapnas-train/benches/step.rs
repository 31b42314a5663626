//! A training step: 64 images forward and back, and the weights moved.

use divan::{Bencher, black_box};
use swapnas_graph::{Level, Shape};
use swapnas_metrics::inputs::InputSpec;
use swapnas_spaces::{NetworkConfig, Preset, by_name};
use swapnas_train::{Dataset, Settings, Trainer};

fn main() {
    divan::main();
}

const NB201: &str =
    "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|";

/// The second of the cells that DARTS found.
const DARTS: &str = "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), \
    ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], \
    normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), \
    ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], \
    reduce_concat=[2, 3, 4, 5])";

/// Space, architecture, channels and cells.
const NETWORKS: [(&str, &str, usize, usize); 3] =
    [("nb201", NB201, 16, 1), ("nb201", NB201, 8, 1), ("darts", DARTS, 16, 3)];

/// As many steps as there are images for.
#[divan::bench(args = 0..NETWORKS.len(), sample_count = 5, sample_size = 1)]
fn epoch_of_eight_steps(bencher: Bencher<'_, '_>, network: usize) {
    let (space, arch, channels, cells) = NETWORKS[network];
    let space = by_name(space).unwrap();
    let input = Shape::new(3, 32, 32);
    let arch = space.parse(arch).unwrap();
    let config = NetworkConfig {
        preset: Preset::Benchmark,
        channels: Some(channels),
        cells: Some(cells),
        input,
        classes: 10,
    };
    let graph = space.network(&arch, &config).unwrap();
    let data = Dataset::draw(&"shapes".parse::<InputSpec>().unwrap(), input, 512, 1, 0).unwrap();
    let settings = Settings { epochs: 1000, batch: 64, ..Settings::default() };
    let mut trainer = Trainer::<f32>::new(graph, settings, Level::best()).unwrap();
    bencher.bench_local(|| black_box(trainer.epoch(&data, &mut || true).unwrap()));
}
