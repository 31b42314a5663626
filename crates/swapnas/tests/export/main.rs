//! Exported networks, of every space.

mod onnx_and_torch;

use swapnas::export::{Export, final_network};
use swapnas::{Arch, NetworkConfig, Shape, Space};

/// The example of the space's documentation, two sampled architectures, and what is unusual: operations that
/// nobody reads, outputs that are zero, and cells that pass on what they get.
fn archs(space: &dyn Space) -> Vec<Arch> {
    let unusual: &[&str] = match space.name() {
        "darts" => &[
            "Genotype(normal=[('none', 0), ('none', 1), ('skip_connect', 0), ('skip_connect', 0), ('max_pool_3x3', 1), \
             ('max_pool_3x3', 1), ('sep_conv_3x3', 4), ('sep_conv_3x3', 4)], normal_concat=[0, 2, 3, 3], \
             reduce=[('skip_connect', 0), ('none', 1), ('dil_conv_5x5', 1), ('sep_conv_5x5', 0), ('none', 1), \
             ('none', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0)], reduce_concat=[2, 4, 5])",
        ],
        "nb201" => &[
            "|nor_conv_3x3~0|+|avg_pool_3x3~0|none~1|+|skip_connect~0|none~1|none~2|",
            "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|skip_connect~1|nor_conv_1x1~2|",
            "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        ],
        "transnas-micro" => &["64-41414-0_00_000", "64-41414-1_11_111", "64-41414-3_00_100"],
        _ => &[],
    };
    let written = [space.encodings()[0].example].into_iter().chain(unusual.iter().copied());
    let written = written.map(|text| space.parse(text).unwrap());
    written.chain(swapnas::sample(space, 2, 5)).collect()
}

/// The final network for images that are small, so that tests are quick.
fn export<'a>(space: &'a dyn Space, arch: &'a Arch) -> Export<'a> {
    let network = NetworkConfig { input: Shape::new(3, 64, 64), ..final_network(space) };
    Export { space, arch, network, seed: 3 }
}
