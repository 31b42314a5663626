//! What PyTorch and ONNX Runtime make of exported networks.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use safetensors::tensor::{Dtype, TensorView};
use swapnas::Level;
use swapnas::export::Format;
use swapnas_graph::{Batch, Executor, Plan, Shape, Want, Weights};

use super::{archs, export};

/// Makes a test of each space; CI runs that of a few.
macro_rules! others_compute_the_same {
    ($($name:ident)*) => {
        $(
            #[test]
            #[ignore = "needs Python with PyTorch and ONNX Runtime"]
            fn $name() {
                others_compute_the_same(&stringify!($name).replace('_', "-"));
            }
        )*

        #[test]
        fn every_space_has_a_test() {
            let tested = [$(stringify!($name)),*].map(|name| name.replace('_', "-"));
            assert!(swapnas::spaces().iter().map(|space| space.name()).eq(tested));
        }
    };
}

others_compute_the_same!(
    darts nb301 nb101 nb201 nats_sss transnas_micro transnas_macro nbmacro mobilenet autoformer_tiny
    autoformer_small autoformer_base flexibert
);

/// Writes networks of the space with weights, images and logits, and has them checked by
/// `verify_export.py`, which needs Python with torch, onnx, onnxruntime and safetensors;
/// `SWAPNAS_PYTHON` says which Python.
fn others_compute_the_same(space: &str) {
    let packages = ["torch", "onnx", "onnxruntime", "safetensors"];
    let Some(python) = swapnas_fixtures::python(&packages) else { return };
    let folder = tempfile::tempdir().unwrap();
    let space = swapnas::space(space).unwrap();
    for (number, arch) in archs(space).iter().enumerate() {
        let folder = folder.path().join(format!("{}-{number}", space.name()));
        std::fs::create_dir(&folder).unwrap();
        let mut export = export(space, arch);
        if number == 0 && export.network.input.height > 1 {
            // A side that is odd, and one that is when it has been halved.
            export.network.input = Shape::new(3, 61, 54);
        }
        if number == 1 && export.network.input.height == 1 {
            // A text of one token has features alone.
            export.network.input.width = 1;
        }
        export.write(Format::Torch, &folder.join("network.py")).unwrap();
        export.write(Format::Onnx, &folder.join("network.onnx")).unwrap();
        let graph = Arc::new(space.network(arch, &export.network).unwrap());
        let logits = graph.outputs()[0];
        let plan = Plan::new(graph.clone(), &Want { signs: false, values: vec![logits] });
        let images = export.images().unwrap();
        let batch = Batch::from_nchw(images.count, images.shape(), &images.data).unwrap();
        let mut executor = Executor::<f32>::new(Level::best());
        executor.run(&plan, &batch, Weights::Drawn(export.weights()), None, &mut ()).unwrap();
        let logits = executor.value(&plan, &batch, logits).unwrap();
        let Shape { channels, height, width } = batch.shape();
        let mut tensors = Tensors::default();
        match graph.vocabulary() {
            Some(_) => tensors.add("tokens", &[batch.samples(), width], &images.data),
            None => tensors.add("images", &[batch.samples(), channels, height, width], &images.data),
        }
        let logits: Vec<f32> = logits.iter().map(|&x| x as f32).collect();
        tensors.add("logits", &[batch.samples(), export.network.classes], &logits);
        for param in graph.params() {
            let mut numbers = Vec::new();
            export.weights().fill(param, &mut numbers);
            tensors.add(&param.name, &param.shape, &numbers);
        }
        tensors.write(&folder.join("expected.safetensors"));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export/verify_export.py");
    let status = Command::new(python).arg(script).arg(folder.path()).status().unwrap();
    assert!(status.success());
}

/// Tensors on their way to a file.
#[derive(Default)]
struct Tensors(HashMap<String, (Vec<usize>, Vec<u8>)>);

impl Tensors {
    fn add(&mut self, name: &str, shape: &[usize], numbers: &[f32]) {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.0.insert(name.to_owned(), (shape.to_vec(), bytes));
    }

    fn write(&self, path: &Path) {
        let views = self.0.iter().map(|(name, (shape, bytes))| (name, view(shape, bytes)));
        safetensors::serialize_to_file(views, None, path).unwrap();
    }
}

fn view<'a>(shape: &[usize], bytes: &'a [u8]) -> TensorView<'a> {
    TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()
}
