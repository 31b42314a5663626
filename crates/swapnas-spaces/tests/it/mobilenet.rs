//! What is particular to the MobileNetV2-like space.

use swapnas_graph::Shape;
use swapnas_spaces::mobilenet::Stages;
use swapnas_spaces::{NetworkConfig, by_name};

/// torchvision's `mobilenet_v2` has 3,504,872 parameters and 300,774,272 multiply-accumulates.
#[test]
fn mobilenet_v2_is_in_the_space() {
    let space = by_name("mobilenet").unwrap();
    let arch = space.parse(space.encodings()[0].example).unwrap();
    let graph = space.network(&arch, &space.default_network()).unwrap();
    assert_eq!(graph.parameter_count(), 3_504_872);
    assert_eq!(graph.macs(), 300_774_272);
    let names: Vec<&str> = graph.params().iter().map(|param| param.name.as_str()).collect();
    for name in [
        "features.0.0.weight",
        "features.1.conv.0.0.weight",
        "features.1.conv.2.bias",
        "features.17.conv.1.0.weight",
        "features.17.conv.2.weight",
        "features.17.conv.3.bias",
        "features.18.1.weight",
        "classifier.1.weight",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
}

#[test]
fn fewer_channels_scale_every_width() {
    let space = by_name("mobilenet").unwrap();
    let arch = space.parse(space.encodings()[0].example).unwrap();
    let default = space.default_network();
    let config = NetworkConfig { channels: Some(8), input: Shape::new(3, 32, 32), classes: 10, ..default };
    assert_eq!(
        space.describe(&config),
        "benchmark: widths times 8/32, stem 8, head 320, 3x32x32, 10 classes"
    );
    let graph = space.network(&arch, &config).unwrap();
    let width = |name: &str| graph.params().iter().find(|param| param.name == name).unwrap().shape[0];
    assert_eq!((width("features.0.0.weight"), width("features.18.0.weight")), (8, 320));
    for (index, stage) in [1, 3, 6, 10, 13, 16, 17].into_iter().zip(Stages::from(&arch).stages()) {
        let place = if index == 1 { 1 } else { 2 };
        assert_eq!(width(&format!("features.{index}.conv.{place}.weight")), stage.width / 4);
    }
}
