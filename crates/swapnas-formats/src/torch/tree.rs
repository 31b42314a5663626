//! The modules of a graph by their paths.

use std::collections::HashMap;

use swapnas_graph::tensor::{Parameter, TensorOp};
use swapnas_graph::{Graph, Module, ModuleKind, Op, ParamId, ValueId};

use super::name;
use crate::facts;

/// The place of a module in the tree.
pub(super) type Place = usize;

pub(super) const ROOT: Place = 0;

/// All modules and what they are in; place 0 is the network.
pub(super) struct Tree<'a> {
    pub graph: &'a Graph,
    pub nodes: Vec<TreeNode<'a>>,
    /// Where parameters are, and what the layer calls them if it is in one.
    owners: HashMap<ParamId, (Place, &'static str)>,
    /// What layers call parameters that are those of others.
    pub tied: Vec<(Place, &'static str, ParamId)>,
    /// Whether each value has no rows and columns.
    flat: Vec<bool>,
    /// Whether each value is another one for each sample.
    varying: Vec<bool>,
    /// Whether each value is of whole numbers, those of tokens.
    of_tokens: Vec<bool>,
}

/// How modules are kept that nobody calls together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    List,
    Dictionary,
    /// A module with members of its own, since there are parameters among them.
    Holder,
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
    /// Calls of the same layer after the first one.
    pub again: Vec<&'a Module>,
    /// The parameter that it is, if it is none of a layer.
    pub param: Option<ParamId>,
    /// Whether it is a parameter or a module that does something, or has one in it.
    pub acts: bool,
}

impl TreeNode<'_> {
    pub(super) fn is_leaf(&self) -> bool {
        self.call.is_some_and(|call| call.kind != ModuleKind::Container)
    }
}

impl<'a> Tree<'a> {
    pub(super) fn new(graph: &'a Graph) -> Self {
        let root = TreeNode {
            name: "",
            path: "",
            parent: ROOT,
            children: Vec::new(),
            call: None,
            again: Vec::new(),
            param: None,
            acts: true,
        };
        let mut tree = Tree {
            graph,
            nodes: vec![root],
            owners: HashMap::new(),
            tied: Vec::new(),
            flat: flat(graph),
            varying: facts::varying(graph),
            of_tokens: facts::of_tokens(graph),
        };
        let mut known = HashMap::new();
        for module in graph.modules() {
            let place = tree.place(&module.name, module.kind != ModuleKind::Container, &mut known);
            // A container around a module without a name is that module.
            let node = &mut tree.nodes[place];
            let first = node.call.get_or_insert(module);
            if first.output != module.output && first.kind == module.kind && node.is_leaf() {
                node.again.push(module);
            }
        }
        tree.own_params_of_layers();
        for node in graph.nodes() {
            if let Op::Tensor(TensorOp::Parameter(Parameter { id })) = node.op
                && !tree.owners.contains_key(&id)
            {
                let place = tree.place(&graph.param(id).name, true, &mut known);
                tree.nodes[place].param = Some(id);
                tree.owners.insert(id, (place, ""));
            }
        }
        tree
    }

    /// Finds the layers that parameters are named after; what other layers read besides is tied to these.
    fn own_params_of_layers(&mut self) {
        let mut others = Vec::new();
        for (place, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.is_leaf()) {
            let Some(call) = node.call else { continue };
            for (name, id) in params(&self.graph.node(call.output).op) {
                let own =
                    self.graph.param(id).name.strip_prefix(node.path).and_then(|rest| rest.strip_prefix('.'));
                if own == Some(name) {
                    self.owners.entry(id).or_insert((place, name));
                } else {
                    others.push((place, name, id));
                }
            }
        }
        self.tied = others;
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
                let again = Vec::new();
                let new =
                    TreeNode { name, path, parent, children, call: None, again, param: None, acts: false };
                self.nodes.push(new);
                let new = self.nodes.len() - 1;
                self.nodes[parent].children.push(new);
                new
            });
            self.nodes[place].acts |= acts;
        }
        place
    }

    /// How modules are kept at a place that nobody calls.
    pub(super) fn group(&self, place: Place) -> Option<Group> {
        let node = &self.nodes[place];
        if place == ROOT || node.call.is_some() || node.param.is_some() {
            return None;
        }
        let mut members = self.members(place);
        if members.any(|member| self.nodes[member].param.is_some()) {
            return Some(Group::Holder);
        }
        let mut names = self.members(place).map(|member| self.nodes[member].name);
        // Numbered without gaps.
        let is_list = (0..).zip(&mut names).all(|(number, name): (usize, _)| name == number.to_string());
        Some(if is_list { Group::List } else { Group::Dictionary })
    }

    /// The module whose `forward` calls the members of a place: itself, unless nobody calls it.
    pub(super) fn caller(&self, mut place: Place) -> Place {
        while self.group(place).is_some() {
            place = self.nodes[place].parent;
        }
        place
    }

    /// What `forward` of a module calls another one, or a parameter, that is in it.
    pub(super) fn access(&self, from: Place, member: Place) -> Option<String> {
        let mut way = Vec::new();
        let mut place = member;
        while place != from {
            if place == ROOT {
                return None;
            }
            way.push(place);
            place = self.nodes[place].parent;
        }
        let step = |owner: String, place: &Place| {
            let node = &self.nodes[*place];
            match self.group(node.parent).filter(|_| node.parent != from) {
                Some(Group::List) => format!("{owner}[{}]", node.name),
                Some(Group::Dictionary) => format!("{owner}[{}]", name::quoted(node.name)),
                Some(Group::Holder) | None => name::member(&owner, node.name, node.param.is_some()),
            }
        };
        Some(way.iter().rev().fold("self".to_owned(), step))
    }

    /// What `forward` of a module calls a parameter that is in it.
    pub(super) fn access_to_param(&self, from: Place, id: ParamId) -> Option<String> {
        let &(place, name) = self.owners.get(&id)?;
        let owner = self.access(from, place)?;
        Some(if name.is_empty() { owner } else { format!("{owner}.{name}") })
    }

    /// Whether a value is another one for each sample.
    pub(super) fn varies(&self, value: ValueId) -> bool {
        self.varying[value.index()]
    }

    /// Whether a value is of whole numbers.
    pub(super) fn is_of_tokens(&self, value: ValueId) -> bool {
        self.of_tokens[value.index()]
    }

    /// Whether a module is a layer that takes nothing but images, with rows and columns.
    pub(super) fn reads_images(&self, place: Place) -> bool {
        self.nodes[place].call.is_some_and(|call| {
            matches!(
                call.kind,
                ModuleKind::Conv | ModuleKind::BatchNorm | ModuleKind::AvgPool | ModuleKind::MaxPool
            )
        })
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

/// The parameters of a layer, with the names that PyTorch gives them.
fn params(op: &Op) -> impl Iterator<Item = (&'static str, ParamId)> + use<> {
    let [weight, bias] = match op {
        Op::Tensor(TensorOp::Parameter(_)) => [None, None],
        op => op.weight_and_bias(),
    };
    [("weight", weight), ("bias", bias)].into_iter().filter_map(|(name, id)| Some((name, id?)))
}

fn flat(graph: &Graph) -> Vec<bool> {
    let mut flat: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        flat.push(match node.op {
            _ if facts::is_over_channels(graph, node) => node.shape.pixels() == 1,
            Op::Act(_)
            | Op::Tensor(TensorOp::Function(_))
            | Op::Add
            | Op::Concat
            | Op::Mul
            | Op::Slice(_) => node.inputs.iter().all(|input| flat[input.index()]),
            _ => false,
        });
    }
    flat
}
