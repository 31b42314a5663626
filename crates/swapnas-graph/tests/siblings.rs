//! Convolutions that read the same are done in one step, with the bits that they have alone.

use swapnas_graph::{
    Batch, Conv, Draw, Executor, Graph, GraphBuilder, Init, Level, Observer, Plan, Relu, Shape, Signs,
    ValueId, Want, Weights, Window,
};

/// Keeps the signs of every ReLU.
#[derive(Default)]
struct Keep(Vec<Vec<u16>>);

impl Observer for Keep {
    fn wants(&mut self, _relu: &Relu) -> bool {
        true
    }

    fn observe(&mut self, _relu: &Relu, signs: Signs<'_>) {
        self.0
            .push(signs.blocks().flat_map(|block| block.words.iter().map(move |w| w & block.mask)).collect());
    }
}

/// A network, its siblings, and what becomes of them: one is normalised, one is cut, one read as it is. With
/// 12 channels in the stem, two of four are done by Winograd's algorithm.
fn network(affine: bool, stem: usize) -> (Graph, Vec<ValueId>, ValueId) {
    let mut b = GraphBuilder::new(Shape::new(3, 6, 5));
    let x = b.input();
    let x = b.conv2d("stem", x, Conv::new(stem, Window::square(3))).unwrap();
    let x = b.batch_norm("stem_norm", x, affine).unwrap();
    let x = b.relu("relu", x).unwrap();
    let mut conv = |name, out| b.conv2d(name, x, Conv::new(out, Window::square(3))).unwrap();
    let siblings = vec![conv("a", 12), conv("b", 13), conv("c", 5), conv("d", 5)];
    let point = b.conv2d("point", x, Conv::new(5, Window::square(1))).unwrap();
    let first = b.batch_norm("norm", siblings[0], affine).unwrap();
    let first = b.slice(first, 1, 5).unwrap();
    let second = b.slice(siblings[1], 2, 5).unwrap();
    let second = b.batch_norm("cut_norm", second, affine).unwrap();
    let sum = b.add(&[first, second, siblings[2], siblings[3], point]).unwrap();
    let y = b.relu("last", sum).unwrap();
    (b.finish(&[y]), siblings, y)
}

#[test]
fn siblings_have_the_bits_that_they_have_alone() {
    for (affine, stem) in [(false, 4), (true, 4), (false, 12), (true, 12)] {
        let (graph, siblings, y) = network(affine, stem);
        let samples = 19;
        let numbers: Vec<f32> = (0..samples * 90).map(|i| ((i * 7919) % 1009) as f32 / 504.5 - 1.0).collect();
        let batch: Batch = Batch::from_nchw(samples, Shape::new(3, 6, 5), &numbers).unwrap();
        let weights = || Weights::Drawn(Draw { init: Init::Gaussian, seed: 1, repeat: 0, network: None });
        let run = |values: Vec<ValueId>| {
            let plan = Plan::new(graph.clone(), &Want { signs: true, values });
            let (mut executor, mut signs) = (Executor::new(Level::best()), Keep::default());
            executor.run(&plan, &batch, weights(), None, &mut signs).unwrap();
            (signs.0, executor.value(&plan, &batch, y).unwrap())
        };
        // A value that is to be kept is no sibling.
        let (signs, value) = run([siblings, vec![y]].concat());
        let together = run(vec![y]);
        assert_eq!(together.0, signs);
        assert_eq!(together.1, value);
        assert!(value.iter().any(|x| *x > 0.0));
    }
}
