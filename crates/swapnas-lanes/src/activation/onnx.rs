//! How activations are written to ONNX files.

/// A node that computes a part of an activation.
#[derive(Clone, Debug, PartialEq)]
pub struct OnnxNode {
    /// The operator.
    pub operator: &'static str,
    /// What it reads.
    pub inputs: Vec<OnnxInput>,
    /// Numbers by name.
    pub attributes: Vec<(&'static str, f64)>,
    /// What the nodes behind it call its result.
    pub part: &'static str,
}

/// What a node reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OnnxInput {
    /// What the activation is given.
    X,
    /// The result of a node before it.
    Part(&'static str),
    /// A constant.
    Number(f64),
}

impl OnnxNode {
    /// A node whose result is the activation.
    pub(super) fn new(operator: &'static str, inputs: impl Into<Vec<OnnxInput>>) -> Self {
        OnnxNode { operator, inputs: inputs.into(), attributes: Vec::new(), part: "" }
    }

    /// A node whose result others read.
    pub(super) fn part(
        part: &'static str,
        operator: &'static str,
        inputs: impl Into<Vec<OnnxInput>>,
    ) -> Self {
        OnnxNode { part, ..OnnxNode::new(operator, inputs) }
    }

    pub(super) fn with(mut self, attribute: &'static str, number: f64) -> Self {
        self.attributes.push((attribute, number));
        self
    }
}
