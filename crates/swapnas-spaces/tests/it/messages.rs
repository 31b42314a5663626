//! What users are told.

use swapnas_graph::Shape;
use swapnas_spaces::{NetworkConfig, Preset, by_name, spaces};

/// The messages that the texts give in the space, a line each.
fn messages(space: &str, texts: &[&str]) -> String {
    let space = by_name(space).unwrap();
    let message = |text: &&str| match space.parse(text) {
        Ok(arch) => panic!("{text} is {arch:?}"),
        Err(error) => error.to_string(),
    };
    texts.iter().map(message).collect::<Vec<_>>().join("\n")
}

#[test]
fn darts() {
    let genotype = by_name("darts").unwrap().encodings()[0].example;
    let edited = |from: &str, to: &str| genotype.replacen(from, to, 1);
    insta::assert_snapshot!(messages("darts", &[
        "",
        "Genotpe(normal=[])",
        &edited("sep_conv_3x3", "sep_conv3x3"),
        &edited("('skip_connect', 1)", "('skip_connect', 2)"),
        &edited("('skip_connect', 1), ", ""),
        &edited("[2, 3, 4, 5]", "[]"),
        &edited("[2, 3, 4, 5]", "[2, 6]"),
        &edited(", reduce=", ",\n  reduced="),
        &edited("'sep_conv_3x3', 0", "sep_conv_3x3, 0"),
        &format!("{genotype} 1"),
        "[[(0, 7)]]",
        "[[(0, 1), (1, 2), (0, 4), (2, 3)]]",
        "{\"normal\": []}",
        "{\"normal\": [], \"redcue\": []}",
        "{\"normal\": [",
    ]), @r###"
    column 1: expected `Genotype(...)`, a NASLib list `[[(input, op), ...], [...]]` or a JSON object, found the end
    column 1: expected `Genotype(...)`, a NASLib list `[[(input, op), ...], [...]]` or a JSON object, found `Genotpe`
    column 20: expected an operation (max_pool_3x3, avg_pool_3x3, skip_connect, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, dil_conv_5x5, none), found `sep_conv3x3`; did you mean sep_conv_3x3?
    column 56: expected an input from 0 to 1, found `2`
    column 163: expected `,`, found `]`
    column 202: expected a state from 0 to 5, found `]`
    column 205: expected a state from 0 to 5, found `6`
    line 2, column 3: expected `reduce`, found `reduced`; did you mean reduce?
    column 19: expected an operation in quotes, found `sep_conv_3x3`
    column 420: expected the end of the description, found `1`
    column 7: expected an operation from 0 to 6, found `7`
    column 33: expected `,`, found `]`
    field `normal`: expected an array of 8 [operation, input] pairs, found an array of 0
    JSON: expected the fields normal, normal_concat, reduce, reduce_concat, found `redcue`; did you mean reduce?
    column 12: expected a JSON object, found EOF while parsing a list
    "###);
    insta::assert_snapshot!(messages("darts", &[
        r#"{"normal": [["sep_conv_3x3", 0], ["skip_conect", 1], [], [], [], [], [], []]}"#,
        r#"{"normal": [["sep_conv_3x3", 0], ["skip_connect", 1], ["none", 3], [], [], [], [], []]}"#,
    ]), @r###"
    field `normal[1][0]`: expected an operation (max_pool_3x3, avg_pool_3x3, skip_connect, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, dil_conv_5x5, none), found `skip_conect`; did you mean skip_connect?
    field `normal[2][1]`: expected an input from 0 to 2, found `3`
    "###);
    let space = by_name("darts").unwrap();
    let arch = space.parse(&edited("skip_connect", "none")).unwrap();
    insta::assert_snapshot!(space.print_as(&arch, "naslib").unwrap_err(), @"the encoding `naslib` cannot express the operation `none`; use `genotype`");
    let arch = space.parse(&edited("[2, 3, 4, 5]", "range(3, 6)")).unwrap();
    insta::assert_snapshot!(space.print_as(&arch, "naslib").unwrap_err(), @"the encoding `naslib` cannot express an output other than the four nodes in their order; use `genotype`");
    insta::assert_snapshot!(space.print_as(&arch, "onnx").unwrap_err(), @"the space darts has no encoding `onnx`; it has genotype, naslib, json");
}

#[test]
fn nb101() {
    insta::assert_snapshot!(messages("nb101", &[
        "conv3x3",
        "(0, 1, 0)",
        "(0, 5, 0, 0, 0, 1)",
        "(0, 2, 0, 0, 0, 1)",
        "(0, 1, 1, 0, 0, 1)",
        "(0, 0, 0, 0, 0, 1)",
        "(0, 1, 0, 0, 1, 1)",
        "(0, 1, 0, 0, 0, 3)",
        r#"{"matrix": [[0, 1], [0, 0]], "ops": ["input"]}"#,
        r#"{"matrix": [[0, 1], [0, 0]], "ops": ["input", "ouput"]}"#,
        r#"{"matrix": [[0, 1]], "ops": ["input", "output"]}"#,
        r#"{"matrix": [[0, 2], [0, 0]], "ops": ["input", "output"]}"#,
        r#"{"matrix": [[0, 1], [1, 0]], "ops": ["input", "output"]}"#,
        r#"{"matrix": [[0, 1, 0], [0, 0, 0], [0, 0, 0]], "ops": ["input", "maxpool3x3", "output"]}"#,
        r#"{"matrix": [[0,1,1,1,1],[0,0,1,1,1],[0,0,0,1,1],[0,0,0,0,1],[0,0,0,0,0]], "ops": ["input", "maxpool3x3", "maxpool3x3", "maxpool3x3", "output"]}"#,
        r#"{"matrix": [[0,1,0],[0,0,1],[0,0,0]], "ops": ["input", "conv3x3-bn-rleu", "output"]}"#,
    ]), @r###"
    column 1: expected 56 numbers `(...)` or a JSON object, found `conv3x3`
    column 1: expected 56 numbers, a matrix of 7x7 and 7 operations (or fewer of both), found 3 numbers
    column 5: expected a number from 0 to 4, found `5`
    column 5: expected 0 or 1, found `2`
    column 8: expected 0: edges go from earlier to later vertices, found `1`
    column 1: expected a path from input to output, found none
    column 14: expected 0, the input, found `1`
    column 17: expected 1, the output, found `3`
    field `ops`: expected an array of 2 to 7 operations, found an array of 1
    field `ops[1]`: expected `output`, found `ouput`; did you mean output?
    field `matrix`: expected an array of 2 rows, found an array of 1
    field `matrix[0][1]`: expected a number from 0 to 1, found `2`
    field `matrix[1][0]`: expected 0: edges go from earlier to later vertices, found `1`
    field `matrix`: expected a path from input to output, found none
    field `matrix`: expected at most 9 edges on paths from input to output, found 10
    field `ops[1]`: expected an operation (conv3x3-bn-relu, conv1x1-bn-relu, maxpool3x3), found `conv3x3-bn-rleu`; did you mean conv3x3-bn-relu?
    "###);
}

#[test]
fn nb201() {
    insta::assert_snapshot!(messages("nb201", &[
        "nor_conv_3x3",
        "|nor_conv3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        "|none~0|+|none~0|none~0|+|none~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|none~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2",
        "15625",
        "12 13",
        "(0, 1, 2, 3, 4)",
        "(0, 1, 2, 3, 4, 5)",
        r#"{"nodes": [["none"], ["none"], ["none", "none", "none"]]}"#,
        r#"{"nodes": [["none"], ["none", 3], ["none", "none", "none"]]}"#,
        r#"{"node": []}"#,
    ]), @r###"
    column 1: expected `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, six numbers `(...)`, an index or a JSON object, found `nor_conv_3x3`
    column 2: expected an operation (none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3), found `nor_conv3x3`; did you mean nor_conv_3x3?
    column 23: expected `1`, found `0`
    column 25: expected `+`, found `none`
    column 47: expected `|`, found the end
    column 1: expected an index from 0 to 15624, found `15625`
    column 4: expected the end of the description, found `13`
    column 15: expected `,`, found `)`
    column 17: expected an operation from 0 to 4, found `5`
    field `nodes[1]`: expected an array of 2 operations, found an array of 1
    field `nodes[1][1]`: expected an operation (none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3), found `3`
    JSON: expected the fields nodes, found `node`; did you mean nodes?
    "###);
}

#[test]
fn nats() {
    insta::assert_snapshot!(messages("nats-sss", &[
        "wide",
        "64:32:16:8",
        "64:32:16:8:12",
        "64:32:16:8:40:8",
        "32768",
        "(64, 32, 16, 8)",
        r#"{"channels": [64, 32, 16, 8]}"#,
        r#"{"channels": [64, 32, 16, 8, "40"]}"#,
        r#"{"widths": []}"#,
    ]), @r###"
    column 1: expected `64:32:16:8:40`, five numbers `(...)`, an index or a JSON object, found `wide`
    column 11: expected `:`, found the end
    column 12: expected a number of channels (8, 16, 24, 32, 40, 48, 56, 64), found `12`
    column 14: expected the end of the description, found `:`
    column 1: expected an index from 0 to 32767, found `32768`
    column 15: expected `,`, found `)`
    field `channels`: expected an array of 5 layers, found an array of 4
    field `channels[4]`: expected a number of channels (8, 16, 24, 32, 40, 48, 56, 64), found `40`
    JSON: expected the fields channels, found `widths`
    "###);
}

#[test]
fn transnas() {
    insta::assert_snapshot!(messages("transnas-micro", &[
        "micro",
        "64-41414-1_02_433",
        "64-1234-basic",
        "64-41414-1_02_33",
        "(1, 2, 3, 4, 0, 0)",
    ]), @r###"
    column 1: expected `64-41414-a_bc_def`, six numbers `(...)` or a JSON object, found `micro`
    column 15: expected an operation from 0 to 3, found `4`
    column 1: expected `64-41414-`, found `64-1234-basic`
    column 17: expected an operation from 0 to 3, found the end
    column 11: expected an operation from 0 to 3, found `4`
    "###);
    insta::assert_snapshot!(messages("transnas-macro", &[
        "macro",
        "64-1235-basic",
        "64-123-basic",
        "64-1111-basic",
        "64-3333-basic",
        "64-41414-1_02_333",
        "(1, 2, 3, 0, 4, 0)",
        "(1, 2, 3, 0, 0, 0)",
        "(1, 2, 3, 4, 0)",
        r#"{"modules": [2, 2, 2, 4]}"#,
        r#"{"modules": [0, 2, 2, 4]}"#,
    ]), @r###"
    column 1: expected `64-1234-basic`, six numbers `(...)` or a JSON object, found `macro`
    column 7: expected a module from 1 to 4, found `5`
    column 4: expected 4 to 6 modules, found 3
    column 4: expected 1 to 4 modules that shrink the image (3 or 4), found 0
    column 4: expected 1 to 3 modules that double the channels (2 or 4), found 0
    column 9: expected `-basic`, found `-1_02_333`
    column 14: expected 0, as behind every 0, found `4`
    column 2: expected 4 to 6 modules, found 3
    column 15: expected `,`, found `)`
    field `modules`: expected 1 to 3 modules that double the channels (2 or 4), found 4
    field `modules[0]`: expected a module from 1 to 4, found `0`
    "###);
}

#[test]
fn nbmacro() {
    insta::assert_snapshot!(messages("nbmacro", &[
        "id",
        "2122100",
        "212210020",
        "21321002",
        r#"{"blocks": ["id"]}"#,
        r#"{"blocks": ["id", "id", "id", "id", "id", "id", "id", "ir_3x3_t6"]}"#,
    ]), @r###"
    column 1: expected eight digits from 0 to 2 or a JSON object, found `id`
    column 8: expected a block from 0 to 2, found the end
    column 9: expected the end of the description, found `0`
    column 3: expected a block from 0 to 2, found `3`
    field `blocks`: expected an array of 8 blocks, found an array of 1
    field `blocks[7]`: expected a block (id, ir_3x3_t3, ir_5x5_t6), found `ir_3x3_t6`; did you mean ir_3x3_t3?
    "###);
}

#[test]
fn mobilenet() {
    insta::assert_snapshot!(messages("mobilenet", &[
        "mobilenet",
        "k3e1d1w16",
        "k4e1d1w16-",
        "k3e1d1w16-k3e6d2w25-",
        "k3e1d7w16-k3e6d2w25-",
        r#"{"stages": [{"kernel": 3}, 0, 0, 0, 0, 0, 0]}"#,
        r#"{"stages": [{"kernels": 3}, 0, 0, 0, 0, 0, 0]}"#,
        r#"{"stages": [{"kernel": 4}, 0, 0, 0, 0, 0, 0]}"#,
    ]), @r###"
    column 1: expected seven stages `k3e6d2w24-...` or a JSON object, found `mobilenet`
    column 10: expected `-`, found the end
    column 2: expected a kernel size (3, 5, 7), found `4`
    column 18: expected a width of this stage (16, 24, 32, 40, 48), found `25`
    column 6: expected a depth from 1 to 6, found `7`
    field `stages[0].expansion`: expected a value, found nothing
    field `stages[0]`: expected the fields kernel, expansion, depth, width, found `kernels`; did you mean kernel?
    field `stages[0].kernel`: expected a kernel size (3, 5, 7), found `4`
    "###);
}

#[test]
fn autoformer() {
    let space = by_name("autoformer-small").unwrap();
    let [string, candidate, json] = space.encodings()[..] else { panic!("three encodings") };
    let edited = |text: &str, from: &str, to: &str| text.replacen(from, to, 1);
    insta::assert_snapshot!(messages("autoformer-small", &[
        "",
        "384-m4h6",
        "e192-m4h3",
        "e384",
        "e384-m4h6-m4h6-",
        &edited(string.example, "m3.5", "m3.25"),
        &edited(string.example, "h6", "h4"),
        &format!("{}-m4h6-m4h6", string.example),
        &edited(candidate.example, "(13", "(11"),
        &edited(candidate.example, "(13", "(14"),
        &edited(candidate.example, "(13", "(12"),
        &edited(candidate.example, "384)", "400)"),
        r#"{"embed_dim": 384, "blocks": []}"#,
        &edited(json.example, "num_heads", "heads"),
        &edited(json.example, "3.5", "\"3.5\""),
        &edited(json.example, "384", "240"),
    ]), @r###"
    column 1: expected `e320-m4h5-...`, a candidate `(12, 4, ...)` or a JSON object, found the end
    column 1: expected `e320-m4h5-...`, a candidate `(12, 4, ...)` or a JSON object, found `384-m4h6`
    column 2: expected an embedding dimension (320, 384, 448), found `192`
    column 5: expected `-` and another block, of 12 to 14, found the end
    column 16: expected `m`, found the end
    column 12: expected an MLP ratio (3, 3.5, 4), found `3.25`
    column 9: expected a number of heads (5, 6, 7), found `4`
    column 81: expected the end of the description, found `-m4h6`
    column 2: expected a depth from 12 to 14, found `11`
    column 51: expected an MLP ratio (3, 3.5, 4), found `6`
    column 48: expected a number of heads (5, 6, 7), found `4`
    column 90: expected an embedding dimension (320, 384, 448), found `400`
    field `blocks`: expected an array of 12 to 14 blocks, found an array of 0
    field `blocks[0]`: expected the fields mlp_ratio, num_heads, found `heads`
    field `blocks[1].mlp_ratio`: expected an MLP ratio (3, 3.5, 4), found `3.5`
    field `embed_dim`: expected an embedding dimension (320, 384, 448), found `240`
    "###);
}

#[test]
fn unknown_names() {
    insta::assert_snapshot!(by_name("nb210").err().unwrap(), @"no search space is called `nb210` (did you mean nb201?); the spaces are darts, nb301, nb101, nb201, nats-sss, transnas-micro, transnas-macro, nbmacro, mobilenet, autoformer-tiny, autoformer-small, autoformer-base, flexibert");
    insta::assert_snapshot!(by_name("imagenet").err().unwrap(), @"no search space is called `imagenet`; the spaces are darts, nb301, nb101, nb201, nats-sss, transnas-micro, transnas-macro, nbmacro, mobilenet, autoformer-tiny, autoformer-small, autoformer-base, flexibert");
    insta::assert_snapshot!("benchmrk".parse::<Preset>().unwrap_err(), @"no network is called `benchmrk`; the names are benchmark and swap");
}

#[test]
fn networks_that_cannot_be_built() {
    let space = by_name("nbmacro").unwrap();
    let arch = space.parse("21221002").unwrap();
    let default = space.default_network();
    let with = |config: NetworkConfig| space.network(&arch, &config).unwrap_err().to_string();
    let refused = [
        NetworkConfig { preset: Preset::Swap, ..default },
        NetworkConfig { cells: Some(3), ..default },
        NetworkConfig { channels: Some(0), ..default },
        NetworkConfig { channels: Some(4096), ..default },
        NetworkConfig { classes: 0, ..default },
        NetworkConfig { input: Shape::new(3, 5000, 32), ..default },
        NetworkConfig { input: Shape::new(3, 32, 0), ..default },
    ]
    .map(with);
    insta::assert_snapshot!(refused.join("\n"), @r###"
    the space nbmacro has no network `swap`; it has benchmark
    the number of blocks is part of the architecture in the space nbmacro; it cannot be set
    a network cannot have 0 channels: give a number from 1 to 2048
    a network cannot have 4096 channels: give a number from 1 to 2048
    a network cannot have 0 classes: give a number from 1 to 1000000
    a network cannot have 5000 rows of pixels: give a number from 1 to 2048
    a network cannot have 0 columns of pixels: give a number from 1 to 2048
    "###);
    // An image too small to be halved.
    let space = by_name("nb101").unwrap();
    let config = NetworkConfig { input: Shape::new(3, 1, 1), ..space.default_network() };
    let error = space.network(&space.parse(space.encodings()[0].example).unwrap(), &config).unwrap_err();
    insta::assert_snapshot!(error, @"layers.4: the max pool with kernel 2x2 does not fit an image of 128x1x1; use a larger input or fewer strides");
}

/// The networks of all spaces in words, by default and reduced.
#[test]
fn descriptions() {
    let mut lines = Vec::new();
    for space in spaces() {
        for &preset in space.presets() {
            let default = NetworkConfig { preset, ..space.default_network() };
            let reduced = NetworkConfig { channels: Some(8), ..default };
            lines.push(format!("{}: {}", space.name(), space.describe(&default)));
            lines.push(format!("{}: {}", space.name(), space.describe(&reduced)));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r###"
    darts: swap: no stem, 3 channels, 1 cell, 3x32x32, 10 classes
    darts: swap: no stem, 8 channels, 1 cell, 3x32x32, 10 classes
    darts: benchmark: stem 96, 32 channels, 8 cells, 3x32x32, 10 classes
    darts: benchmark: stem 24, 8 channels, 8 cells, 3x32x32, 10 classes
    nb301: benchmark: stem 96, 32 channels, 8 cells, 3x32x32, 10 classes
    nb301: benchmark: stem 24, 8 channels, 8 cells, 3x32x32, 10 classes
    nb301: swap: no stem, 3 channels, 1 cell, 3x32x32, 10 classes
    nb301: swap: no stem, 8 channels, 1 cell, 3x32x32, 10 classes
    nb101: benchmark: stem 128, 3 stacks of 3 cells, 128, 256 and 512 channels, 3x32x32, 10 classes
    nb101: benchmark: stem 8, 3 stacks of 3 cells, 8, 16 and 32 channels, 3x32x32, 10 classes
    nb201: benchmark: 3 stages of 5 cells, 16, 32 and 64 channels, 3x32x32, 10 classes
    nb201: benchmark: 3 stages of 5 cells, 8, 16 and 32 channels, 3x32x32, 10 classes
    nats-sss: benchmark: 3 stages of 1 cell, 3x32x32, 10 classes
    nats-sss: benchmark: widths times 8/64, 3 stages of 1 cell, 3x32x32, 10 classes
    transnas-micro: benchmark: stem 64, 2 blocks a module, 3x256x256, 75 classes
    transnas-micro: benchmark: stem 8, 2 blocks a module, 3x256x256, 75 classes
    transnas-macro: benchmark: stem 64, 2 blocks a module, 3x256x256, 75 classes
    transnas-macro: benchmark: stem 8, 2 blocks a module, 3x256x256, 75 classes
    nbmacro: benchmark: stem 32, 8 blocks of 64 to 256 channels, 3x32x32, 10 classes
    nbmacro: benchmark: stem 8, 8 blocks of 16 to 64 channels, 3x32x32, 10 classes
    mobilenet: benchmark: stem 32, head 1280, 3x224x224, 1000 classes
    mobilenet: benchmark: widths times 8/32, stem 8, head 320, 3x224x224, 1000 classes
    autoformer-tiny: benchmark: heads of 64, 14x14 patches, 3x224x224, 1000 classes
    autoformer-tiny: benchmark: widths times 8/240, heads of 2, 14x14 patches, 3x224x224, 1000 classes
    autoformer-small: benchmark: heads of 64, 14x14 patches, 3x224x224, 1000 classes
    autoformer-small: benchmark: widths times 8/448, heads of 1, 14x14 patches, 3x224x224, 1000 classes
    autoformer-base: benchmark: heads of 64, 14x14 patches, 3x224x224, 1000 classes
    autoformer-base: benchmark: widths times 8/624, heads of 1, 14x14 patches, 3x224x224, 1000 classes
    flexibert: benchmark: a vocabulary of 30522, 128 tokens, 2 classes
    flexibert: benchmark: widths times 8/128, a vocabulary of 30522, 128 tokens, 2 classes
    "###);
}

#[test]
fn json_with_a_key_twice() {
    insta::assert_snapshot!(messages("nb201", &[
        r#"{"nodes": [], "nodes": [["none"], ["none", "none"], ["none", "none", "none"]]}"#,
        r#"{"\u001b[2J": 1}"#,
        "{\"\u{1b}[2J\": 1}",
        "{\"nodes\": \"\u{202e}\u{9b}\"}",
        "\u{1b}[2J",
        "|nor_conv_3x3~0|+|\u{202e}~0",
    ]), @r###"
    column 21: expected a JSON object, found the key `nodes` twice
    JSON: expected the fields nodes, found `\u{1b}[2J`
    column 3: expected a JSON object, found control character (\u0000-\u001F) found while parsing a string
    field `nodes`: expected an array of nodes, found `\u{202e}\u{9b}`
    column 1: expected `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, six numbers `(...)`, an index or a JSON object, found `\u{1b}`
    column 19: expected an operation (none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3), found `\u{202e}`
    "###);
}

#[test]
fn texts_without_end() {
    for unit in ["x", "(", "[", "9", "(0,", "((0,0),", "{\"a\":", "{", "64-1", "'", "|", " ", "\u{1b}"] {
        let text = unit.repeat(4_000_000 / unit.len());
        for space in spaces() {
            for text in [&text[..], &format!("{}{text}x", space.encodings()[0].example)] {
                let message = space.parse(text).unwrap_err().to_string();
                assert!(message.len() < 600, "{}: {message}", space.name());
            }
        }
    }
}
