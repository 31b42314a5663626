//! What is said of numbers that are not finite.

use std::collections::HashMap;

use crate::exec::RunError;
use crate::{Graph, ModuleKind, ValueId};

impl Graph {
    /// The error that a value is not finite.
    pub(crate) fn not_finite(&self, value: ValueId) -> RunError {
        RunError::NotFinite { place: self.place_of(value) }
    }

    /// Where in the network a value is, in words.
    fn place_of(&self, value: ValueId) -> String {
        let layers = self.modules().iter().filter(|module| module.kind != ModuleKind::Container);
        let names: HashMap<ValueId, &str> = layers.map(|layer| (layer.output, layer.name.as_str())).collect();
        if let Some(name) = names.get(&value) {
            return format!("what '{name}' returns");
        }
        let node = self.node(value);
        let mut before = node.inputs.first().copied();
        while let Some(value) = before {
            if let Some(name) = names.get(&value) {
                return format!("the {} behind '{name}'", node.op.name());
            }
            before = self.node(value).inputs.first().copied();
        }
        format!("the {} of the images", node.op.name())
    }
}
