//! What is particular to encoders of texts.

use swapnas_spaces::flexibert::{Encoder, Layer};
use swapnas_spaces::{Arch, Architecture, by_name};

/// Parameters without the classifier, which the benchmark's count leaves out.
fn parameters(arch: &Arch) -> u64 {
    let space = by_name("flexibert").unwrap();
    let graph = space.network(arch, &space.default_network()).unwrap();
    let of_classifier = |name: &str| name.starts_with("classifier.");
    graph.params().iter().filter(|param| !of_classifier(&param.name)).map(|param| param.len() as u64).sum()
}

/// The numbers of parameters that Serianni and Kalita published with their metrics, of encoders with all operations. Their
/// code built each with a hidden size of 256 and feed-forward networks of 1024.
#[test]
fn parameters_are_those_of_the_benchmark() {
    for (arch, count) in [
        ("h256:WMA/4/1024x3:DCT/2/1024x3:SDP/4/1024x3:SDP/4/1024x1", 13_330_176),
        ("h256:SDP/4/1024x1:DCT/2/1024x1:DSC9/4/1024x3:DFT/4/1024x1", 8_840_082),
        ("h256:DSC9/4/1024x1:DSC5/2/1024x1", 5_526_167),
        ("h256:DSC5/2/1024x3:DCT/4/1024x3:DSC5/4/1024x1:SDP/4/1024x1", 11_104_143),
        ("h256:DCT/2/1024x1:DSC5/2/1024x1", 5_356_549),
        ("h256:DSC5/2/1024x1:WMA/4/1024x3:DSC5/2/1024x3:DSC9/4/1024x3", 13_437_852),
        ("h256:DSC9/4/1024x1:SDP/4/1024x1", 5_557_138),
        ("h256:SDP/2/1024x3:DSC9/4/1024x1:SDP/2/1024x1:DSC5/4/1024x1", 9_205_532),
        ("h256:DSC9/4/1024x1:DCT/2/1024x1:DCT/4/1024x1:DFT/2/1024x1", 6_542_994),
        ("h256:DFT/4/1024x3:DFT/4/1024x1:WMA/2/1024x1:SDP/2/1024x1", 8_933_888),
        ("h256:DCT/2/1024x1:DSC5/2/1024x3:DCT/2/1024x3:WMA/4/1024x3", 13_101_317),
        ("h256:DFT/4/1024x1:WMA/4/1024x1", 5_453_056),
    ] {
        let encoder: Encoder = arch.parse().unwrap();
        assert_eq!(parameters(&encoder.arch()), count, "{arch}");
    }
}

#[test]
fn records_of_the_benchmark_are_read() {
    let space = by_name("flexibert").unwrap();
    let layer = r#"{"operation_type": "DSC", "operation_parameter": 9, "num_operation_heads": 4, "feed_forward_dimension": 512, "num_feed_forward": 3}"#;
    let record = |id: &str, layer: &str| {
        format!(r#"{{{id}"hidden_size": 128, "encoder_layers": [{layer}, {layer}]}}"#)
    };
    let arch = space.parse(&record(r#""id": 4, "scores": {"glue": 71.5, "cola": 30}, "#, layer)).unwrap();
    assert_eq!(space.print(&arch), "h128:DSC9/4/512x3:DSC9/4/512x3");
    assert_eq!(space.parse(&record("", layer)).unwrap(), arch);

    let error = |text: &str| space.parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(error(&record("", &layer.replace("DSC", "DSK"))), @"field `encoder_layers[0].operation_type`: expected an operation type (SA, LT, DSC), found `DSK`; did you mean DSC?");
    insta::assert_snapshot!(error(&record("", &layer.replace('9', "7"))), @"field `encoder_layers[0].operation_parameter`: expected a kernel size of DSC (5, 9), found `7`");
    insta::assert_snapshot!(error(&record(r#""name": 1, "#, layer)), @"JSON: expected the fields hidden_size, encoder_layers, id, scores, found `name`");
    insta::assert_snapshot!(error(r#"{"hidden_size": 128, "encoder_layers": []}"#), @"field `encoder_layers`: expected an array of 2 or 4 layers, found an array of 0");
    insta::assert_snapshot!(error("h128:SDP/2/512x1"), @"column 17: expected `:`, found the end");
    insta::assert_snapshot!(error("h128:SDP/2/512x1:SPD/2/512x1"), @"column 18: expected an operation (SDP, WMA, DFT, DCT, DSC5, DSC9), found `SPD`; did you mean SDP?");
    insta::assert_snapshot!(error("h128:SDP/2/512x1:SDP/3/512x1"), @"column 22: expected a number of heads (2, 4), found `3`");
    insta::assert_snapshot!(error(&format!("h128{}", ":SDP/2/512x1".repeat(5))), @"column 53: expected the end of the description, found `:`");
    insta::assert_snapshot!(error("BERT"), @"column 1: expected `h256:SDP/4/1024x1:...` or a JSON object, found `BERT`");
}

/// Two layers are half of four, and the other way round.
#[test]
fn depth_changes_by_halves() {
    let space = by_name("flexibert").unwrap();
    let arch = |text: &str| space.parse(text).unwrap();
    let two = arch("h128:SDP/2/512x1:DCT/4/1024x3");
    let four = arch("h128:SDP/2/512x1:DCT/4/1024x3:SDP/2/512x1:DCT/4/1024x3");
    assert!(space.neighbours(&two).contains(&four));
    assert!(space.neighbours(&four).contains(&two));
    assert_eq!(space.neighbours(&two).len(), 18);
    assert_eq!(space.neighbours(&four).len(), 34);
}

#[test]
fn encoders_have_nothing_else_than_the_space() {
    let encoder: Encoder = "h128:SDP/2/512x1:DCT/4/1024x3".parse().unwrap();
    let layers = encoder.layers();
    assert_eq!(Encoder::new(128, layers), Some(encoder.clone()));
    assert_eq!(Encoder::new(192, layers), None);
    assert_eq!(Encoder::new(128, &layers[..1]), None);
    for changed in [
        Layer { heads: 3, ..layers[0] },
        Layer { feed_forward: 768, ..layers[0] },
        Layer { stacks: 2, ..layers[0] },
    ] {
        assert_eq!(Encoder::new(128, &[changed, layers[1]]), None);
    }
}
