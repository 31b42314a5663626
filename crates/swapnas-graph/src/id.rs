/// A value of a graph: the result of the node with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub(crate) u32);

impl ValueId {
    /// The number of the node that computes the value.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A parameter of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamId(pub(crate) u32);

impl ParamId {
    /// The parameter's place in [`Graph::params`](crate::Graph::params).
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
