use std::sync::Arc;

use swapnas_graph::grad::GradientPlan;
use swapnas_graph::{Graph, Shape, ValueId, Want};
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space};

use super::{Layers, RESPONSE_SIDE};
use crate::Undefined;
use crate::definition::Needs;

/// A network made ready for passes, with the others that some metrics build from its architecture.
pub(crate) struct Network {
    pub graph: Arc<Graph>,
    pub plan: GradientPlan,
    pub layers: Layers,
    /// For an image of 64x64. Its parameters are those of the network itself.
    pub response: Option<Result<Arc<Graph>, Undefined>>,
    /// The smallest that the space builds.
    pub smallest: Option<Result<GradientPlan, Undefined>>,
}

impl Network {
    /// A network that is built from no architecture.
    pub(crate) fn alone(graph: Arc<Graph>, needs: Needs) -> Self {
        let none =
            |what: &str| Undefined::Unbuildable(format!("the network is given as it is, without {what}"));
        let response = needs.response.then(|| Err(none("the same for images of another size")));
        let smallest = needs.smallest.then(|| Err(none("a space that has a smallest one")));
        Network::with(graph, response, smallest)
    }

    pub(crate) fn new(
        space: &dyn Space,
        arch: &Arch,
        config: &NetworkConfig,
        graph: Arc<Graph>,
        needs: Needs,
        smallest: Option<&SmallestNetwork>,
    ) -> Self {
        let build = |config: &NetworkConfig| {
            space.network(arch, config).map(Arc::new).map_err(|e| Undefined::Unbuildable(e.to_string()))
        };
        // Noise is no text.
        let reads_texts = space.vocabulary().is_some();
        let response = needs.response.then(|| {
            if reads_texts {
                return Err(Undefined::Texts("an image of noise"));
            }
            let input = Shape::new(config.input.channels, RESPONSE_SIDE, RESPONSE_SIDE);
            build(&NetworkConfig { input, ..*config })
        });
        let smallest = needs.smallest.then(|| match smallest {
            _ if reads_texts => Err(Undefined::Texts("images of noise")),
            Some(SmallestNetwork(config)) => {
                build(config).map(|graph| GradientPlan::new(graph, &Want { signs: true, values: Vec::new() }))
            }
            None => Err(Undefined::Unbuildable("the space builds no network for small images".to_owned())),
        });
        Network::with(graph, response, smallest)
    }

    /// A network whose passes keep every value, for those who may ask for any of them.
    pub(crate) fn open(graph: Arc<Graph>) -> Self {
        let values = graph.values().map(|(value, _)| value).collect();
        let plan = GradientPlan::new(graph.clone(), &Want { signs: true, values });
        Network { layers: Layers::of(&graph), graph, plan, response: None, smallest: None }
    }

    fn with(
        graph: Arc<Graph>,
        response: Option<Result<Arc<Graph>, Undefined>>,
        smallest: Option<Result<GradientPlan, Undefined>>,
    ) -> Self {
        let layers = Layers::of(&graph);
        let plan = GradientPlan::new(graph.clone(), &Want { signs: true, values: Vec::new() });
        Network { graph, plan, layers, response, smallest }
    }

    /// A plan that computes some values besides the logits.
    pub(crate) fn plan(&self, values: Vec<ValueId>) -> GradientPlan {
        GradientPlan::new(self.graph.clone(), &Want { signs: false, values })
    }
}

/// The smallest network that a space builds: one channel, one cell, images of 3x3, or the next larger
/// ones that it accepts (TE-NAS counts linear regions on such networks).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SmallestNetwork(pub NetworkConfig);

impl SmallestNetwork {
    /// Tries sizes on an architecture of the space.
    pub(crate) fn find(space: &dyn Space, arch: &Arch, config: &NetworkConfig) -> Option<SmallestNetwork> {
        let sides = [3, 4, 8, 16, 32, 64];
        let channels = [1, 2, 4, 8, 16];
        let cells = if matches!(
            space.network(arch, &NetworkConfig { cells: Some(1), ..*config }),
            Err(NetworkError::Fixed { .. })
        ) {
            None
        } else {
            Some(1)
        };
        let sizes = sides.iter().flat_map(|side| channels.map(|channels| (*side, channels)));
        sizes
            .map(|(side, channels)| NetworkConfig {
                channels: Some(channels),
                cells,
                input: Shape::new(config.input.channels, side, side),
                ..*config
            })
            .find(|config| space.network(arch, config).is_ok())
            .map(SmallestNetwork)
    }
}
