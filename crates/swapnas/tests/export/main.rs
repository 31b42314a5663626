//! Exported networks, of every space.

mod onnx_and_torch;

use std::path::Path;

use swapnas::export::{Export, ExportError, Format};
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
    let own = space.final_network();
    // Texts stay as long as they are.
    let input = if own.input.height == 1 { own.input } else { Shape::new(3, 64, 64) };
    let network = NetworkConfig { input, ..own };
    Export { space, arch, network, seed: 3 }
}

fn text(export: &Export<'_>, format: Format) -> String {
    String::from_utf8(export.contents(format).unwrap()).unwrap()
}

#[test]
fn json_says_everything() {
    for &space in swapnas::spaces() {
        for arch in archs(space) {
            let export = export(space, &arch);
            let object: serde_json::Value = serde_json::from_str(&text(&export, Format::Json)).unwrap();
            let graph = space.network(&arch, &export.network).unwrap();
            assert_eq!(object["space"], space.name());
            assert_eq!(space.parse_json(&object["architecture"]).unwrap(), arch);
            assert_eq!(object["params"], graph.parameter_count());
            assert_eq!(object["macs"], graph.macs());
            assert_eq!(object["network"]["description"], space.describe(&export.network));
            let Shape { channels, height, width } = export.network.input;
            assert_eq!(object["network"]["input"], serde_json::json!([channels, height, width]));
            let encodings = object["encodings"].as_object().unwrap();
            assert!(!encodings.is_empty());
            for text in encodings.values() {
                assert_eq!(space.parse(text.as_str().unwrap()).unwrap(), arch);
            }
        }
    }
}

#[test]
fn code_imports_nothing_but_torch() {
    for &space in swapnas::spaces() {
        for arch in archs(space) {
            let export = export(space, &arch);
            let code = text(&export, Format::Torch);
            let count = space.network(&arch, &export.network).unwrap().parameter_count();
            assert!(code.contains(&format!("# {count} parameters")));
            assert!(code.contains("class Network(nn.Module):"));
            let mut imports = code.lines().filter(|line| line.contains("import "));
            assert!(imports.all(|line| line.split([' ', '.']).nth(1) == Some("torch")), "{code}");
        }
    }
}

#[test]
fn the_final_network_is_the_one_that_is_trained() {
    let final_network = |name: &str| {
        let space = swapnas::space(name).unwrap();
        space.describe(&space.final_network())
    };
    insta::assert_snapshot!(final_network("darts"), @"benchmark: stem 108, 36 channels, 20 cells, 3x32x32, 10 classes");
    insta::assert_snapshot!(final_network("nb301"), @"benchmark: stem 96, 32 channels, 8 cells, 3x32x32, 10 classes");
}

#[test]
fn the_same_seed_gives_the_same_file() {
    let space = swapnas::space("nb201").unwrap();
    let arch = space.parse("4321").unwrap();
    let of = |seed| Export { seed, ..export(space, &arch) }.contents(Format::Onnx).unwrap();
    assert!(of(3) == of(3) && of(3) != of(4));
}

#[test]
fn files_say_their_format() {
    for format in Format::ALL {
        let name = format!("folder.d/network.{}", format.extension().to_uppercase());
        assert_eq!(Format::of(Path::new(&name)), Some(format));
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert_eq!(Format::of(Path::new("onnx")), None);
    insta::assert_snapshot!("gif".parse::<Format>().unwrap_err(), @"no format is called `gif`; the formats are torch, onnx, json, dot, svg");
}

#[test]
fn nothing_is_written_if_there_is_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let space = swapnas::space("darts").unwrap();
    let arch = &archs(space)[0];
    let network = NetworkConfig { channels: Some(5000), ..space.final_network() };
    let export = Export { space, arch, network, seed: 0 };
    for format in [Format::Torch, Format::Onnx, Format::Json] {
        let path = folder.path().join("network");
        assert!(matches!(export.write(format, &path), Err(ExportError::Network(_))));
        assert!(!path.exists());
    }
    let nowhere = folder.path().join("no/folder.svg");
    assert!(matches!(export.write(Format::Svg, &nowhere), Err(ExportError::Write(_))));
}
