//! Nodes with their inputs and attributes.

use super::error::{Problem, quote};
use crate::onnx::proto::{Attribute, AttributeType, Node, Tensor};

/// A node that is being read.
#[derive(Clone, Copy)]
pub(super) struct Call<'m> {
    pub node: &'m Node,
}

impl<'m> Call<'m> {
    /// The name of an input, if it is given.
    pub(super) fn input(&self, index: usize) -> Option<&'m str> {
        self.node.input.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The name of an input that has to be given.
    pub(super) fn need(&self, index: usize) -> Result<&'m str, Problem> {
        self.input(index).ok_or_else(|| Problem::broken(format!("input {} is missing", index + 1)))
    }

    pub(super) fn inputs(&self) -> impl Iterator<Item = &'m str> {
        self.node.input.iter().map(String::as_str)
    }

    /// The name of an output that has to be there.
    pub(super) fn output(&self) -> Result<&'m str, Problem> {
        let output = self.node.output.first().map(String::as_str).filter(|name| !name.is_empty());
        output.ok_or_else(|| Problem::broken("it has no output"))
    }

    fn find(&self, name: &str, kind: AttributeType) -> Result<Option<&'m Attribute>, Problem> {
        let Some(attribute) = self.node.attribute.iter().find(|attribute| attribute.name == name) else {
            return Ok(None);
        };
        // The first files said nothing of types.
        if [kind.into(), AttributeType::Undefined.into()].contains(&attribute.r#type) {
            return Ok(Some(attribute));
        }
        let kind = match kind {
            AttributeType::Float => "a number",
            AttributeType::Int => "a whole number",
            AttributeType::String => "a text",
            AttributeType::Tensor => "a tensor",
            AttributeType::Floats => "a list of numbers",
            AttributeType::Ints => "a list of whole numbers",
            AttributeType::Undefined => "something",
        };
        Err(Problem::broken(format!("the attribute {} is not {kind}", quote(name))))
    }

    pub(super) fn int(&self, name: &str) -> Result<Option<i64>, Problem> {
        Ok(self.find(name, AttributeType::Int)?.map(|attribute| attribute.i))
    }

    /// Whether something is done, as 0 and 1 say.
    pub(super) fn switch(&self, name: &str, default: bool) -> Result<bool, Problem> {
        Ok(self.int(name)?.map_or(default, |i| i != 0))
    }

    pub(super) fn ints(&self, name: &str) -> Result<Option<&'m [i64]>, Problem> {
        Ok(self.find(name, AttributeType::Ints)?.map(|attribute| attribute.ints.as_slice()))
    }

    pub(super) fn float(&self, name: &str) -> Result<Option<f64>, Problem> {
        Ok(self.find(name, AttributeType::Float)?.map(|attribute| attribute.f.into()))
    }

    pub(super) fn floats(&self, name: &str) -> Result<Option<&'m [f32]>, Problem> {
        Ok(self.find(name, AttributeType::Floats)?.map(|attribute| attribute.floats.as_slice()))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        let found = self.find(name, AttributeType::String)?;
        Ok(found.map(|attribute| String::from_utf8_lossy(&attribute.s).into_owned()))
    }

    pub(super) fn tensor(&self, name: &str) -> Result<Option<&'m Tensor>, Problem> {
        Ok(self.find(name, AttributeType::Tensor)?.and_then(|attribute| attribute.t.as_ref()))
    }
}
