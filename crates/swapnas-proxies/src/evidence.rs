use swapnas_graph::Graph;

use crate::PatternSet;

/// What was measured of a network with one set of weights: what metrics are read off.
pub(crate) struct Evidence<'a> {
    graph: &'a Graph,
    patterns: Option<&'a PatternSet>,
}

impl<'a> Evidence<'a> {
    /// The network, and the patterns if a metric needs them.
    pub(crate) fn new(graph: &'a Graph, patterns: Option<&'a PatternSet>) -> Self {
        Evidence { graph, patterns }
    }

    /// Number of parameters.
    pub(crate) fn params(&self) -> u64 {
        self.graph.parameter_count()
    }

    /// Multiply-accumulate operations for one image.
    pub(crate) fn macs(&self) -> u64 {
        self.graph.macs()
    }

    /// The patterns of all ReLU units.
    pub(crate) fn patterns(&self) -> &'a PatternSet {
        self.patterns.expect("a metric that reads patterns says that it needs them")
    }
}
