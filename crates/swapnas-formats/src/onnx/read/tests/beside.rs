//! Weights in files beside that of the network.

use insta::assert_snapshot;
use prost::Message;

use super::{model, node, weights};
use crate::onnx::proto::{Entry, Tensor};
use crate::onnx::read::{Images, read_with_weights, read_with_weights_beside};

/// Two tensors in one file, the second of them up to its end.
#[test]
fn weights_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = || vec![node("Conv", "x, w", "a", Vec::new()), node("Conv", "a, v", "y", Vec::new())];
    let whole = [weights("w", &[5, 4, 3, 3]), weights("v", &[2, 5, 1, 1])];
    let numbers: Vec<u8> = whole.iter().flat_map(|tensor| tensor.raw_data.to_vec()).collect();
    std::fs::write(folder.path().join("numbers"), &numbers[..]).unwrap();
    let elsewhere = |tensor: &Tensor, said: &[(&str, &str)]| Tensor {
        raw_data: Vec::new().into(),
        data_location: 1,
        external_data: said
            .iter()
            .map(|(key, value)| Entry { key: (*key).to_owned(), value: (*value).to_owned() })
            .collect(),
        ..tensor.clone()
    };
    let read = |first: &[(&str, &str)]| {
        let second = elsewhere(&whole[1], &[("location", "numbers"), ("offset", "720")]);
        let file = model(nodes(), vec![elsewhere(&whole[0], first), second]).encode_to_vec();
        read_with_weights_beside(file, folder.path(), Images::OfFile)
    };
    let (_, expected) =
        read_with_weights(model(nodes(), whole.to_vec()).encode_to_vec(), Images::OfFile).unwrap();
    let (graph, found) = read(&[("location", "numbers"), ("offset", "0"), ("length", "720")]).unwrap();
    for param in graph.params() {
        let [found, expected] = [&found, &expected].map(|tensors| tensors.get(&param.name).unwrap());
        assert_eq!(found.numbers, expected.numbers, "{}", param.name);
    }
    let error = |said: &[(&str, &str)]| read(said).unwrap_err().to_string();
    assert_snapshot!(error(&[]), @"the numbers of `w` cannot be read: they are in another file, which is not named");
    assert_snapshot!(error(&[("location", "nowhere")]), @"the numbers of `w` cannot be read: `nowhere`: No such file or directory (os error 2)");
    assert_snapshot!(error(&[("location", "../numbers")]), @"the numbers of `w` cannot be read: the other file, `../numbers`, has to be in the folder of the model");
    assert_snapshot!(error(&[("location", "/etc/passwd")]), @"the numbers of `w` cannot be read: the other file, `/etc/passwd`, has to be in the folder of the model");
    assert_snapshot!(error(&[("location", "numbers"), ("offset", "-4")]), @"the numbers of `w` cannot be read: their offset `-4` is no whole number");
    assert_snapshot!(error(&[("location", "numbers"), ("offset", "720"), ("length", "720")]), @"the numbers of `w` cannot be read: `numbers` ends after 40 of 720 bytes from byte 720 on");
    assert_snapshot!(error(&[("location", "numbers"), ("length", "716")]), @"node 1, Conv: the file is broken: the tensor `w` has 179 numbers for 180 elements");
}
