//! The modules of a graph by their paths.

use std::collections::HashMap;

use swapnas_graph::{Graph, Module, ModuleKind, Op, ValueId};

/// The place of a module in the tree.
pub(super) type Place = usize;

pub(super) const ROOT: Place = 0;

/// All modules and what they are in; place 0 is the network.
pub(super) struct Tree<'a> {
    pub graph: &'a Graph,
    pub nodes: Vec<TreeNode<'a>>,
    /// Whether each value has no rows and columns.
    flat: Vec<bool>,
}

pub(super) struct TreeNode<'a> {
    /// The last part of the path.
    pub name: &'a str,
    /// The whole path.
    pub path: &'a str,
    /// The module that it is in.
    pub parent: Place,
    /// In order of execution.
    pub children: Vec<Place>,
    /// The call, which only groups of modules do not have.
    pub call: Option<&'a Module>,
    /// Whether it is, or has in it, a module that does something.
    pub acts: bool,
}

impl TreeNode<'_> {
    pub(super) fn is_leaf(&self) -> bool {
        self.call.is_some_and(|call| call.kind != ModuleKind::Container)
    }
}

impl<'a> Tree<'a> {
    pub(super) fn new(graph: &'a Graph) -> Self {
        let root =
            TreeNode { name: "", path: "", parent: ROOT, children: Vec::new(), call: None, acts: true };
        let mut tree = Tree { graph, nodes: vec![root], flat: flat(graph) };
        let mut known = HashMap::new();
        for module in graph.modules() {
            let place = tree.place(&module.name, module.kind != ModuleKind::Container, &mut known);
            // A container around a module without a name is that module.
            tree.nodes[place].call.get_or_insert(module);
        }
        tree
    }

    /// The place of the module of that path, made if there is none yet.
    fn place(&mut self, path: &'a str, acts: bool, known: &mut HashMap<(Place, &'a str), Place>) -> Place {
        let mut place = ROOT;
        let mut end = 0;
        for name in path.split('.') {
            let start = end;
            end += name.len() + 1;
            if name.is_empty() {
                continue;
            }
            let parent = place;
            place = *known.entry((parent, name)).or_insert_with(|| {
                let path = &path[..start + name.len()];
                let children = Vec::new();
                self.nodes.push(TreeNode { name, path, parent, children, call: None, acts: false });
                let new = self.nodes.len() - 1;
                self.nodes[parent].children.push(new);
                new
            });
            self.nodes[place].acts |= acts;
        }
        place
    }

    /// Whether a value has no rows and columns: what a linear layer of one pixel returns, and what is made of
    /// such values alone.
    pub(super) fn is_flat(&self, value: ValueId) -> bool {
        self.flat[value.index()]
    }

    /// The modules that a module itself calls, in order of execution: those below it, but not below one
    /// that is called.
    pub(super) fn called_by(&self, place: Place) -> Vec<Place> {
        let mut called = Vec::new();
        let mut open: Vec<Place> = self.nodes[place].children.iter().rev().copied().collect();
        while let Some(place) = open.pop() {
            let node = &self.nodes[place];
            if !node.acts {
                continue;
            }
            match node.call {
                Some(_) => called.push(place),
                None => open.extend(node.children.iter().rev()),
            }
        }
        called
    }

    /// The modules that exist directly in a module, called or not.
    pub(super) fn members(&self, place: Place) -> impl Iterator<Item = Place> {
        self.nodes[place].children.iter().copied().filter(|&child| self.nodes[child].acts)
    }
}

fn flat(graph: &Graph) -> Vec<bool> {
    let mut flat: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        flat.push(match node.op {
            Op::Linear { .. } => node.shape.pixels() == 1,
            Op::Act(_) | Op::Add | Op::Concat | Op::Mul | Op::Slice { .. } => {
                node.inputs.iter().all(|input| flat[input.index()])
            }
            _ => false,
        });
    }
    flat
}
