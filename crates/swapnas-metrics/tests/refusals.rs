//! A network that cannot be scored leaves the others as they are.

use std::sync::Arc;

use swapnas_graph::{Conv, Graph, GraphBuilder, Level, Shape, Window};
use swapnas_metrics::{GraphScorer, Outcome, Precision, Refusals, Settings, Sharing};

const IMAGES: Shape = Shape::new(3, 8, 8);

/// A network for images of a shape, with a layer so wide.
fn graph(images: Shape, width: usize) -> Arc<Graph> {
    let mut b = GraphBuilder::new(images);
    let x = b.input();
    let x = b.conv2d("conv", x, Conv::new(4, Window::square(3))).unwrap();
    let x = b.relu("relu", x).unwrap();
    let x = b.mean(x).unwrap();
    let x = b.linear("wide", x, width, false).unwrap();
    let logits = b.linear("classifier", x, 10, true).unwrap();
    Arc::new(b.finish(&[logits]))
}

fn scorer(metrics: &[&str], sharing: Sharing) -> GraphScorer {
    let settings = Settings {
        metrics: metrics.iter().map(|metric| metric.parse().unwrap()).collect(),
        inputs: "gaussian".parse().unwrap(),
        batch: 4,
        repeats: Some(2),
        seed: 7,
        init: None,
        sharing,
        level: Level::best(),
        precision: Precision::Single,
    };
    GraphScorer::new(IMAGES, 10, settings).unwrap()
}

#[test]
fn a_network_that_is_too_large_or_takes_other_images_is_refused_alone() {
    let large = graph(IMAGES, 1 << 40);
    let other = graph(Shape::new(3, 8, 9), 5);
    let few = [graph(IMAGES, 3), graph(IMAGES, 6)];
    let all = [large.clone(), few[0].clone(), other.clone(), large, few[1].clone(), other];
    for metrics in [&["swap"][..], &["snip"], &["swap", "snip", "params"]] {
        for sharing in [Sharing::Shared, Sharing::Independent] {
            let scorer = scorer(metrics, sharing);
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let alone = pool.install(|| scorer.score(&few, &()).unwrap());
                let found = pool.install(|| scorer.score_each(&all, Refusals::Kept, &()).unwrap());
                let found: Vec<Outcome> = found.into_iter().map(Option::unwrap).collect();
                for (place, alone) in [(1, &alone[0]), (4, &alone[1])] {
                    assert_eq!(found[place].as_ref().ok(), alone.as_ref(), "{metrics:?}, {sharing:?}");
                }
                let why = |place: usize| found[place].as_ref().unwrap_err().to_string();
                assert_eq!((why(0), why(2)), (why(3), why(5)));
                assert!(why(0).ends_with("; lower batch or size"), "{}", why(0));
                assert_eq!(why(2), "the network takes images of 3x8x9, but the batch has images of 3x8x8");
                for list in [&all[..2], &all[1..3]] {
                    let error = pool.install(|| scorer.score(list, &()).unwrap_err()).to_string();
                    assert!([why(0), why(2)].iter().any(|why| why[..30] == error[..30]), "{error}");
                }
            }
        }
    }
    // What reads nothing but the graph takes no memory.
    let counted = scorer(&["params"], Sharing::Shared).score_each(&all, Refusals::Kept, &()).unwrap();
    assert!(counted.iter().flatten().all(Result::is_ok));
}

#[test]
fn one_alone_is_an_error_unless_somebody_says_otherwise() {
    assert_eq!(Refusals::of(None, 1), Refusals::Errors);
    assert_eq!(Refusals::of(None, 2), Refusals::Kept);
    assert_eq!(Refusals::of(Some(false), 1), Refusals::Kept);
    assert_eq!(Refusals::of(Some(true), 2), Refusals::Errors);
}
