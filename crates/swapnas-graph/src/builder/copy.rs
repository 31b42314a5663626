//! Nodes of other graphs.

use super::GraphBuilder;
use crate::graph::{Module, ModuleKind, Param};
use crate::{Graph, GraphError, ValueId};

impl GraphBuilder {
    /// Node `value` of another graph, with parameters of its own, which reads `inputs` here. The module that it is, if it
    /// is one, is called `name`, and its parameters are named within it.
    ///
    /// # Errors
    /// If it does not read as many values, or they have other shapes than what it reads there.
    pub fn copy(
        &mut self,
        name: &str,
        graph: &Graph,
        value: ValueId,
        inputs: &[ValueId],
    ) -> Result<ValueId, GraphError> {
        let node = graph.node(value);
        let op = node.op.name();
        if inputs.len() != node.inputs.len() {
            return Err(GraphError::NoInputs { node: self.name_of(name), op });
        }
        for (own, theirs) in inputs.iter().zip(&node.inputs) {
            let [first, other] = [graph.shape(*theirs), self.shape(*own)];
            if first != other {
                return Err(GraphError::ShapeMismatch { node: self.name_of(name), op, first, other });
            }
        }
        let is_its_module = |module: &&Module| module.output == value && module.kind != ModuleKind::Container;
        let module = graph.modules().iter().find(is_its_module).map(|module| module.kind);
        Ok(self.scope(name, |b| {
            let op = node.op.with_params(|id| {
                let Param { name, shape, kind, fan_in, fan_out, .. } = graph.param(id);
                let own = name.rsplit('.').next().unwrap_or(name);
                b.param(own, *kind, shape.clone(), *fan_in, *fan_out)
            });
            let y = b.node(op, inputs.to_vec(), node.shape);
            match (module, inputs.first()) {
                (Some(kind), Some(x)) => b.module(kind, *x, y),
                _ => y,
            }
        }))
    }
}
