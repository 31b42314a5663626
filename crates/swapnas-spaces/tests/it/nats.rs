//! What is particular to the size space of NATS-Bench.

use swapnas_graph::Shape;
use swapnas_spaces::nats::Widths;
use swapnas_spaces::{Arch, NetworkConfig, Space, by_name};

fn space() -> &'static dyn Space {
    by_name("nats-sss").unwrap()
}

fn params(channels: &str, config: &NetworkConfig) -> u64 {
    space().network(&space().parse(channels).unwrap(), config).unwrap().parameter_count()
}

/// The benchmark's files say 0.011714, 0.107826 and 0.713674 million.
#[test]
fn parameters_are_the_benchmarks() {
    let own = space().default_network();
    assert_eq!(params("8:8:8:8:8", &own), 11_714);
    assert_eq!(params("8:8:16:40:40", &own), 107_826);
    assert_eq!(params("64:64:64:64:64", &own), 713_674);
}

/// Parameters of a convolution without bias, and of the BatchNorm behind it.
fn conv(from: u64, to: u64, taps: u64) -> u64 {
    from * to * taps + 2 * to
}

/// Five 3x3 convolutions, two of them from the cell's input, and a 1x1 convolution if the skip needs one.
fn cell(from: u64, to: u64) -> u64 {
    let skip = if from == to { 0 } else { conv(from, to, 1) };
    2 * conv(from, to, 9) + 3 * conv(to, to, 9) + skip
}

/// Two 3x3 convolutions, and a 1x1 convolution without BatchNorm beside them.
fn residual(from: u64, to: u64) -> u64 {
    conv(from, to, 9) + conv(to, to, 9) + from * to
}

#[test]
fn parameters_are_those_of_the_layers() {
    for arch in space().all().unwrap().step_by(97) {
        let [a, b, c, d, e] = Widths::from(&arch).channels().map(|channels| channels as u64);
        let layers = cell(a, a) + residual(a, b) + cell(b, c) + residual(c, d) + cell(d, e);
        for (classes, side) in [(10, 32), (120, 16)] {
            let input = Shape::new(3, side, side);
            let config = NetworkConfig { classes: classes as usize, input, ..space().default_network() };
            let expected = conv(3, a, 9) + layers + 2 * e + (e + 1) * classes;
            assert_eq!(params(&space().print(&arch), &config), expected, "{}", space().print(&arch));
        }
    }
}

/// Five layers of which the first is the stem's cell; the skip has parameters where channels change.
#[test]
fn parameters_have_the_names_of_the_authors_code() {
    let arch = space().parse("16:16:24:24:24").unwrap();
    let graph = space().network(&arch, &space().default_network()).unwrap();
    let shape = |name: &str| {
        let param = graph.params().iter().find(|param| param.name == name);
        param.map(|param| param.shape.clone())
    };
    assert_eq!(shape("stem.0.weight"), Some(vec![16, 3, 3, 3]));
    assert_eq!(shape("cells.0.layers.3.conv.weight"), None);
    assert_eq!(shape("cells.1.downsample.1.weight"), Some(vec![16, 16, 1, 1]));
    assert_eq!(shape("cells.2.layers.1.op.1.weight"), Some(vec![24, 16, 3, 3]));
    assert_eq!(shape("cells.2.layers.2.op.1.weight"), Some(vec![24, 24, 3, 3]));
    assert_eq!(shape("cells.2.layers.3.conv.weight"), Some(vec![24, 16, 1, 1]));
    assert_eq!(shape("cells.2.layers.3.bn.weight"), Some(vec![24]));
    assert_eq!(shape("cells.3.conv_a.op.1.weight"), Some(vec![24, 24, 3, 3]));
    assert_eq!(shape("lastact.0.weight"), Some(vec![24]));
    assert_eq!(shape("classifier.weight"), Some(vec![10, 24]));
}

/// The benchmark lists them with the channels of the last layer changing fastest.
#[test]
fn all_are_numbered_in_order() {
    let all: Vec<Arch> = space().all().unwrap().collect();
    assert_eq!(all.len(), 32_768);
    for (index, arch) in all.iter().enumerate() {
        assert_eq!(space().print_as(arch, "index").unwrap(), index.to_string());
        assert_eq!(&space().parse(&index.to_string()).unwrap(), arch);
    }
    let texts = [0, 1, 8, 32_767].map(|index: usize| space().print(&all[index]));
    assert_eq!(texts, ["8:8:8:8:8", "8:8:8:8:16", "8:8:8:16:8", "64:64:64:64:64"]);
}

#[test]
fn fewer_channels_keep_the_proportions() {
    let config = NetworkConfig { channels: Some(32), ..space().default_network() };
    let arch = space().parse("64:8:24:16:40").unwrap();
    let graph = space().network(&arch, &config).unwrap();
    let widths: Vec<usize> =
        ["stem.0", "cells.1.conv_a.op.1", "cells.2.layers.0.op.1", "cells.4.layers.0.op.1"]
            .iter()
            .map(|name| graph.params().iter().find(|p| p.name == format!("{name}.weight")).unwrap().shape[0])
            .collect();
    assert_eq!(widths, [32, 4, 12, 20]);
}
