//! Classes of Python, one for every kind of module that is more than a chain of others.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use swapnas_graph::{Graph, ParamKind, Shape, ValueId};

use super::TorchError;
use super::body::{Body, Callee, body};
use super::chain::{Chain, chain};
use super::constant::{WAVE, WAVE_DEFINITION};
use super::layer::layer;
use super::name;
use super::norm::{SAMPLE_NORM, SAMPLE_NORM_DEFINITION};
use super::tree::{Group, Place, ROOT, Tree, TreeNode};

/// How a module is made.
#[derive(Clone)]
enum Constructor {
    /// By one call.
    Call(String),
    /// Of others, each with what stands before it, between an opening and a closing line.
    Group { open: &'static str, members: Vec<(String, Constructor)>, close: &'static str },
}

impl Constructor {
    /// The constructor over as many lines as it takes, the first one following what is there.
    fn write(&self, out: &mut String, indent: usize) {
        match self {
            Constructor::Call(call) => out.push_str(call),
            Constructor::Group { open, members, close } => {
                out.push_str(open);
                out.push('\n');
                for (before, member) in members {
                    push(out, format_args!("{:indent$}    {before}", ""));
                    member.write(out, indent + 4);
                    out.push_str(",\n");
                }
                push(out, format_args!("{:indent$}{close}", ""));
            }
        }
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes any text");
}

/// All classes so far.
struct Classes<'a> {
    tree: Tree<'a>,
    /// The body of a class and its name, in order.
    classes: Vec<(String, String)>,
    /// Where the class of each body is, and all names.
    known: HashMap<String, usize>,
    names: HashSet<String>,
    callees: HashMap<Place, Callee>,
    constructors: HashMap<Place, Constructor>,
}

pub(super) fn file(graph: &Graph, about: &str) -> Result<String, TorchError> {
    let tree = Tree::new(graph);
    let mut classes = Classes {
        tree,
        classes: Vec::new(),
        known: HashMap::new(),
        names: HashSet::new(),
        callees: HashMap::new(),
        constructors: HashMap::new(),
    };
    classes.add_members(ROOT)?;
    classes.add_network()?;
    let mut out = String::new();
    about.lines().for_each(|line| push(&mut out, format_args!("{}\n", format!("# {line}").trim_end())));
    out.push_str("\nimport torch\n");
    let uses_functions = classes.classes.iter().any(|(body, _)| body.contains("F.pad("));
    out.push_str(if uses_functions { "import torch.nn.functional as F\n" } else { "" });
    out.push_str("from torch import nn\n");
    for (name, definition) in [(WAVE, WAVE_DEFINITION), (SAMPLE_NORM, SAMPLE_NORM_DEFINITION)] {
        if classes.classes.iter().any(|(body, _)| body.contains(&format!("{name}("))) {
            push(&mut out, format_args!("\n{definition}"));
        }
    }
    for (body, name) in &classes.classes {
        push(&mut out, format_args!("\n\nclass {name}(nn.Module):\n{body}"));
    }
    let Shape { channels, height, width } = graph.shape(graph.input());
    let example = match graph.vocabulary() {
        Some(vocabulary) => format!("torch.randint({vocabulary}, (2, {}))", height * width),
        None => format!("torch.randn(2, {channels}, {height}, {width})"),
    };
    push(
        &mut out,
        format_args!(
            "\n\nif __name__ == \"__main__\":\n    network = Network()\n    \
             output = network({example})\n    \
             parameters = sum(parameter.numel() for parameter in network.parameters())\n    \
             print(f\"{{parameters}} parameters, output of shape {{tuple(output.shape)}}\")\n"
        ),
    );
    Ok(out)
}

impl Classes<'_> {
    /// Makes constructors of all modules in a module.
    fn add_members(&mut self, place: Place) -> Result<(), TorchError> {
        let in_group = self.tree.group(place) == Some(Group::Dictionary);
        let caller = self.tree.caller(place);
        for member in self.tree.members(place).collect::<Vec<_>>() {
            let TreeNode { name, path, .. } = self.tree.nodes[member];
            // Whatever a layer has besides, it would take for its own.
            if self.tree.nodes[place].is_leaf() {
                return Err(TorchError::Foreign { parameter: path.to_owned() });
            }
            if name::is_taken(name, in_group) {
                return Err(TorchError::Taken { module: path.to_owned() });
            }
            let access = self.tree.access(caller, member).expect("a member is in its module");
            self.add(member, access)?;
        }
        Ok(())
    }

    /// Makes the constructor of a module that its owner calls `access`.
    fn add(&mut self, place: Place, access: String) -> Result<(), TorchError> {
        let node = &self.tree.nodes[place];
        let constructor = match node.call {
            _ if node.param.is_some() => {
                let shape = node.param.map(|id| &self.tree.graph.param(id).shape[..]).unwrap_or_default();
                let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
                let sizes = sizes.join(", ");
                let kind = node.param.map(|id| self.tree.graph.param(id).kind);
                // As nn.Embedding and ViT have them.
                Constructor::Call(match (node.name, kind) {
                    (_, Some(ParamKind::Embedding)) => format!("nn.Parameter(torch.randn({sizes}))"),
                    ("bias", _) => format!("nn.Parameter(torch.zeros({sizes}))"),
                    _ => format!("nn.Parameter(0.02 * torch.randn({sizes}))"),
                })
            }
            Some(call) if node.is_leaf() => {
                let (input, output) = (call.input, call.output);
                let again = node.again.iter().map(|call| (call.input, call.output)).collect();
                let layer = layer(self.tree.graph, call)?;
                self.add_members(place)?;
                let callee = Callee { name: access, inputs: vec![input], output, again, wrap: layer.wrap };
                self.callees.insert(place, callee);
                Constructor::Call(layer.constructor)
            }
            None => {
                self.add_members(place)?;
                self.group(place)
            }
            Some(call) => {
                let output = call.output;
                self.add_members(place)?;
                let body = body(&self.tree, place, &self.callees)?;
                let (inputs, wrap, constructor) = match chain(&self.tree, place, &body, &self.callees) {
                    Some(Chain { wrap }) => (vec![call.input], wrap, self.sequence(place)),
                    None => {
                        let inputs = body.inputs.clone();
                        let class = self.class(place, body);
                        (inputs, None, Constructor::Call(format!("{class}()")))
                    }
                };
                self.callees.insert(place, Callee { name: access, inputs, output, again: Vec::new(), wrap });
                constructor
            }
        };
        self.constructors.insert(place, constructor);
        Ok(())
    }

    /// Modules that nobody calls together.
    fn group(&mut self, place: Place) -> Constructor {
        let (open, close) = match self.tree.group(place) {
            Some(Group::List) => ("nn.ModuleList([", "])"),
            Some(Group::Dictionary) => ("nn.ModuleDict({", "})"),
            Some(Group::Holder) | None => {
                let class = self.named(place, self.init(place));
                return Constructor::Call(format!("{class}()"));
            }
        };
        let members = self.tree.members(place).map(|member| {
            let name = self.tree.nodes[member].name;
            let before =
                if open.ends_with('[') { String::new() } else { format!("{}: ", name::quoted(name)) };
            (before, self.constructors[&member].clone())
        });
        Constructor::Group { open, members: members.collect(), close }
    }

    /// Modules one after the other. Numbers that none of them has are those of modules that do nothing.
    fn sequence(&self, place: Place) -> Constructor {
        let mut members = Vec::new();
        for member in self.tree.members(place) {
            let number: usize = self.tree.nodes[member].name.parse().unwrap_or(members.len());
            members.resize(number, (String::new(), Constructor::Call("nn.Identity()".to_owned())));
            members.push((String::new(), self.constructors[&member].clone()));
        }
        Constructor::Group { open: "nn.Sequential(", members, close: ")" }
    }

    fn add_network(&mut self) -> Result<(), TorchError> {
        let body = body(&self.tree, ROOT, &self.callees)?;
        let outside = body.inputs.iter().find(|&&input| input != self.tree.graph.input());
        if let Some(value) = outside {
            return Err(TorchError::Unreachable { module: "the network".to_owned(), value: value.index() });
        }
        self.classes.push((self.class_body(ROOT, body), name::NETWORK.to_owned()));
        Ok(())
    }

    /// The name of the class of a module, which is a new one unless there is one just like it.
    fn class(&mut self, place: Place, body: Body) -> String {
        self.named(place, self.class_body(place, body))
    }

    /// The name of the class of that body.
    fn named(&mut self, place: Place, text: String) -> String {
        if let Some(&known) = self.known.get(&text) {
            return self.classes[known].1.clone();
        }
        let name = name::class(self.tree.nodes[place].path, |name: &str| self.names.contains(name));
        self.known.insert(text.clone(), self.classes.len());
        self.names.insert(name.clone());
        self.classes.push((text, name.clone()));
        name
    }

    /// What makes the members of a module.
    fn init(&self, place: Place) -> String {
        let mut out = "    def __init__(self):\n        super().__init__()\n".to_owned();
        // Parameters first, as one writes them.
        let (params, modules): (Vec<Place>, Vec<Place>) =
            self.tree.members(place).partition(|member| self.tree.nodes[*member].param.is_some());
        for member in params.into_iter().chain(modules) {
            let TreeNode { name, param, .. } = self.tree.nodes[member];
            let add = if param.is_some() { "register_parameter" } else { "add_module" };
            let (before, after) = match name::is_attribute(name) {
                true => (format!("        self.{name} = "), ""),
                false => (format!("        self.{add}({}, ", name::quoted(name)), ")"),
            };
            out.push_str(&before);
            self.constructors[&member].write(&mut out, 8);
            push(&mut out, format_args!("{after}\n"));
        }
        out
    }

    fn class_body(&self, place: Place, body: Body) -> String {
        let mut out = self.init(place);
        let Body { inputs, lines, result, buffers, .. } = body;
        for (name, numbers) in buffers {
            push(
                &mut out,
                format_args!("        self.register_buffer(\"{name}\", {numbers}, persistent=False)\n"),
            );
        }
        if place == ROOT {
            self.tie(&mut out);
        }
        out.push_str("\n    def forward(self");
        let mut names: HashMap<ValueId, String> = HashMap::new();
        for (number, &input) in inputs.iter().enumerate() {
            let name = if inputs.len() == 1 { "x".to_owned() } else { format!("x{number}") };
            push(&mut out, format_args!(", {name}"));
            names.insert(input, name);
        }
        out.push_str("):\n");
        if place == ROOT && self.tree.graph.vocabulary().is_some() && !inputs.is_empty() {
            let Shape { height, width, .. } = self.tree.graph.shape(self.tree.graph.input());
            let comment = "        # Tokens are the pixels of an image of one channel.\n";
            push(&mut out, format_args!("{comment}        x = x.unflatten(1, (1, {height}, {width}))\n"));
        }
        let mut fresh = inputs.len();
        let mut last_use: HashMap<ValueId, usize> = HashMap::new();
        for (line, expr) in lines.iter().map(|(_, expr)| expr).chain([&result]).enumerate() {
            last_use.extend(read_by(expr).into_iter().map(|value| (value, line)));
        }
        for (line, (value, expr)) in lines.iter().enumerate() {
            let python = expr.python(&|value| names[&value].clone());
            // A variable that is not read any more is used again.
            let free = read_by(expr).into_iter().find(|value| last_use.get(value) == Some(&line));
            let name = free.map(|free| names[&free].clone()).unwrap_or_else(|| {
                fresh += 1;
                format!("x{}", fresh - 1)
            });
            push(&mut out, format_args!("        {name} = {python}\n"));
            names.insert(*value, name);
        }
        push(&mut out, format_args!("        return {}\n", result.python(&|value| names[&value].clone())));
        out
    }
}

impl Classes<'_> {
    /// Lets layers have the parameters of others.
    fn tie(&self, out: &mut String) {
        for &(place, name, id) in &self.tree.tied {
            let own = self.tree.access(ROOT, place).map(|layer| format!("{layer}.{name}"));
            let others = self.tree.access_to_param(ROOT, id);
            if let (Some(own), Some(others)) = (own, others) {
                push(out, format_args!("        {own} = {others}\n"));
            }
        }
    }
}

fn read_by(expr: &super::expr::Expr) -> Vec<ValueId> {
    let mut values = Vec::new();
    expr.values(&mut values);
    values
}
