//! Exported networks, of every space.

mod onnx_and_torch;

use swapnas::export::{Export, final_network};
use swapnas::{Arch, NetworkConfig, Shape, Space};

/// An architecture that has everything that the space's documentation mentions, and sampled ones.
fn archs(space: &dyn Space) -> Vec<Arch> {
    let example = space.parse(space.encodings()[0].example).unwrap();
    [example].into_iter().chain(swapnas::sample(space, 2, 5)).collect()
}

/// The final network for images that are small, so that tests are quick.
fn export<'a>(space: &'a dyn Space, arch: &'a Arch) -> Export<'a> {
    let network = NetworkConfig { input: Shape::new(3, 64, 64), ..final_network(space) };
    Export { space, arch, network, seed: 3 }
}
