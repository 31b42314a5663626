//! Images and weights that cannot be used, and what is left out with `--skip-bad`.

mod support;

use std::path::Path;

use insta::assert_snapshot;
use serde_json::{Value, json};

use support::{error, run, stdout};

/// A PNG file of one red pixel.
const PICTURE: &[u8] = b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90\x77\x53\xde\x00\x00\x00\x0c\x49\x44\x41\x54\x78\x9c\x63\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

const SMALL: [&str; 5] = ["--space=nb201", "--channels=4", "--cells=1", "--repeats=1", "--metrics=params"];

/// Six files named as pictures, of which two are none.
fn pictures(folder: &Path) {
    std::fs::create_dir(folder.join("pictures")).unwrap();
    for index in 0..6 {
        let contents = match index {
            2 => b"text",
            4 => &PICTURE[..PICTURE.len() - 9],
            _ => PICTURE,
        };
        std::fs::write(folder.join(format!("pictures/{index}.png")), contents).unwrap();
    }
}

#[test]
fn pictures_are_checked_whatever_is_drawn_and_left_out_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    pictures(path);
    std::fs::write(path.join("table.csv"), "4321,90\n1234,91\n").unwrap();
    let inputs = ["--inputs=images:pictures", "--batch=1", "--size=8"];
    let (score, correlate) = (["score", "4321"], ["correlate", "table.csv"]);
    let search = ["search", "--population=2", "--sample=1", "--cycles=0", "--out=run"];
    for command in [&score[..], &correlate, &search] {
        let words = [command, &SMALL, &inputs].concat();
        for seed in ["--seed=0", "--seed=1", "--seed=2"] {
            let said = error(path, &[&words[..], &[seed]].concat());
            insta::allow_duplicates! { assert_snapshot!(said, @"
error: 2 files in `pictures` cannot be used; replace what is broken, move it away, or leave it out with --skip-bad:
  `pictures/2.png`: it cannot be decoded: The image format could not be determined
  `pictures/4.png`: it cannot be decoded: unexpected end of file
") };
        }
        let output = run(path, &[&words[..], &["--skip-bad"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{text}");
        let left_out = "left out 2 files that cannot be used:\n  `pictures/2.png`: it cannot be decoded";
        assert!(text.contains(left_out) && text.contains("\n  `pictures/4.png`: "), "{text}");
    }
    // A run that is continued has the same images, and the command that runs it again says so.
    assert!(stdout(path, &["search", "--resume=run"]).contains("left out 2 files"));
    let best = std::fs::read_to_string(path.join("run/best.json")).unwrap();
    let best: Value = serde_json::from_str(&best).unwrap();
    assert!(best["command"].as_str().unwrap().contains("--inputs images-skip-bad:pictures"), "{best}");

    let json = [&SMALL[..], &inputs, &["--skip-bad", "--json"]].concat();
    let told: Value = serde_json::from_str(&stdout(path, &[&correlate, &json[..]].concat())).unwrap();
    assert_eq!(told["skipped_pictures"][0]["file"], "pictures/2.png");
    assert_eq!(told["skipped_pictures"].as_array().unwrap().len(), 2);
    let output = run(path, &[&score, &json[..]].concat());
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("left out 2 files"));
}

#[test]
fn lines_of_a_list_are_left_out_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("list.txt"), "4321\nnonsense\n1234\n").unwrap();
    let score = [&["score", "--archs=list.txt", "--batch=2", "--size=8"], &SMALL[..]].concat();
    let strict = error(path, &[&score[..], &["--strict"]].concat());
    assert!(strict.starts_with("error: list.txt: 1 line cannot be used\n  line 2: column 1: "));
    let text = stdout(path, &[&score[..], &["--skip-bad"]].concat());
    assert!(
        text.starts_with("nb201: 2 architectures") && text.contains("\nskipped line 2: column 1: "),
        "{text}"
    );
    std::fs::write(path.join("list.txt"), "nonsense\n").unwrap();
    let none = error(path, &[&score[..], &["--skip-bad"]].concat());
    assert!(
        none.starts_with("error: there is nothing to score but lines that cannot be used: list.txt: 1"),
        "{none}"
    );
    let search = [&["search", "--skip-bad"], &SMALL[..]].concat();
    for nothing in [&search[..], &[&["score", "4321", "--skip-bad"], &SMALL[..]].concat()] {
        insta::allow_duplicates! {
            assert_snapshot!(error(path, nothing), @"error: --skip-bad leaves out pictures of --inputs images:DIR and lines of a file; there are none");
        }
    }
}

#[test]
fn tensors_have_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let score = |dtype: &str, bytes: &[u8]| {
        let shape = [2, 3, 8, 8];
        let header = json!({ "input": { "dtype": dtype, "shape": shape, "data_offsets": [0, bytes.len()] } });
        let header = header.to_string();
        let length = (header.len() as u64).to_le_bytes();
        std::fs::write(path.join("x.safetensors"), [&length, header.as_bytes(), bytes].concat()).unwrap();
        error(
            path,
            &[&["score", "4321", "--tensors=x.safetensors"], &SMALL[..4], &["--metrics=swap"]].concat(),
        )
    };
    let bytes = |numbers: &[f32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let mut numbers = [0.5; 2 * 3 * 8 * 8];
    // The images can be used, but there are no weights.
    assert!(score("F32", &bytes(&numbers)).contains("has no tensor 'stem."));
    numbers[3 * 64 + 2 * 64 + 5 * 8 + 7] = f32::NAN;
    assert_snapshot!(score("F32", &bytes(&numbers)), @"error: x.safetensors: image 1, channel 2, row 5, column 7 of tensor 'input' is NaN; a network cannot be run with that: replace it by a finite number");
    numbers[0] = f32::INFINITY;
    assert_snapshot!(score("F32", &bytes(&numbers)), @"error: x.safetensors: image 0, channel 0, row 0, column 0 of tensor 'input' is inf; a network cannot be run with that: replace it by a finite number");
    assert_snapshot!(score("F64", &[0; 8 * 2 * 3 * 8 * 8]), @"error: x.safetensors: tensor 'input' is of type F64; save it in 32-bit floats, as tensor.float() in PyTorch");
}
