use swapnas_graph::{Graph, Init};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction};
use crate::trial::blocks;

pub(super) static BLOCKS: Definition = Definition {
    name: "blocks",
    summary: "number of blocks, and of as many blocks the width: the baseline that a metric of transformers has to beat",
    formula: "B + W / (W + 1), for B blocks or cells, the stem included, and a classifier that reads W features",
    source: "a trivial baseline: of FlexiBERT's encoders, more layers are better, and of as many layers the wider ones",
    direction: Direction::HigherIsBetter,
    cost: "the graph alone; nothing is run",
    differences: "Only this implementation lists it.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::Graph(blocks_and_width),
};

fn blocks_and_width(graph: &Graph) -> Result<f64, Undefined> {
    let (blocks, features) = (blocks(graph).len(), graph.outputs().last());
    let Some(features) = features.filter(|_| blocks > 0) else { return Err(Undefined::NoBlocks) };
    let width = graph.shape(*features).channels as f64;
    Ok(blocks as f64 + width / (width + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_comes_before_width() {
        let space = swapnas_spaces::by_name("flexibert").unwrap();
        let value = |arch: &str| {
            let graph = space.network(&space.parse(arch).unwrap(), &space.default_network()).unwrap();
            blocks_and_width(&graph).unwrap()
        };
        let two = [128, 256].map(|hidden| value(&format!("h{hidden}:SDP/2/512x3:DCT/4/1024x1")));
        let four = [128, 256].map(|hidden| value(&format!("h{hidden}{}", ":SDP/2/512x1".repeat(4))));
        assert_eq!(two, [2.0 + 128.0 / 129.0, 2.0 + 256.0 / 257.0]);
        assert!(two[1] < four[0] && four[0] < four[1]);
    }
}
