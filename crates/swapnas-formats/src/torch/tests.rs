use std::f64::consts::PI;

use swapnas_graph::tensor::Real;
use swapnas_graph::{Activation, Conv, GraphBuilder, GraphError, Padding, Shape, ValueId, Window};

use super::{TorchError, module};

/// A network with a cell of two inputs, a block that is used twice, and a module that nobody reads.
fn network() -> Result<String, Box<dyn std::error::Error>> {
    let mut b = GraphBuilder::new(Shape::new(3, 9, 9));
    let image = b.input();
    let x = b.conv2d("stem", image, Conv::new(4, Window::square(3)))?;
    let mut states = [x, x];
    for cell in 0..2 {
        let [s0, s1] = states;
        let y = b.scope(format_args!("cells.{cell}"), |b| {
            let block = |b: &mut GraphBuilder, name: &str, x: ValueId| {
                b.scope(name, |b| -> Result<ValueId, GraphError> {
                    let y = b.relu("0", x)?;
                    let y = b.batch_norm("2", y, false)?;
                    b.container(x, y);
                    Ok(y)
                })
            };
            let left = block(b, "left", s0)?;
            b.scope("ops", |b| b.conv2d("0", s0, Conv::new(1, Window::square(1)).with_bias()))?;
            let right = b.scope("ops", |b| b.conv2d("2", s1, Conv::depthwise(4, Window::square(3))))?;
            let y = b.add(&[left, right])?;
            b.container(s1, y);
            Ok::<_, GraphError>(y)
        })?;
        states = [s1, y];
    }
    let pooled = b.mean(states[1])?;
    let gate = b.linear("gate", pooled, 4, true)?;
    let gate = b.act("act", gate, Activation::Silu)?;
    let x = b.mul(states[1], gate)?;
    let x = b.mean(x)?;
    let logits = b.linear("classifier", x, 2, true)?;
    b.container(image, logits);
    Ok(module(&b.finish(&[logits]), "About\n\nthis.")?)
}

#[test]
fn code_is_what_one_would_write() {
    insta::assert_snapshot!(network().unwrap(), @r##"
# About
#
# this.

import torch
from torch import nn


class Cell0(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Sequential(
            nn.ReLU(),
            nn.Identity(),
            nn.BatchNorm2d(4, affine=False),
        )
        self.ops = nn.ModuleDict({
            "0": nn.Conv2d(4, 1, 1),
            "2": nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
        })

    def forward(self, x):
        return self.left(x) + self.ops["2"](x)


class Cell1(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Sequential(
            nn.ReLU(),
            nn.Identity(),
            nn.BatchNorm2d(4, affine=False),
        )
        self.ops = nn.ModuleDict({
            "0": nn.Conv2d(4, 1, 1),
            "2": nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
        })

    def forward(self, x0, x1):
        return self.left(x0) + self.ops["2"](x1)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.cells = nn.ModuleList([
            Cell0(),
            Cell1(),
        ])
        self.gate = nn.Linear(4, 4)
        self.act = nn.SiLU()
        self.classifier = nn.Linear(4, 2)

    def forward(self, x):
        x = self.stem(x)
        x1 = self.cells[0](x)
        x = self.cells[1](x, x1)
        x2 = self.gate(x.mean((2, 3)))
        x2 = self.act(x2)
        x = x * x2[:, :, None, None]
        return self.classifier(x.mean((2, 3)))


if __name__ == "__main__":
    network = Network()
    output = network(torch.randn(2, 3, 9, 9))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print(f"{parameters} parameters, output of shape {tuple(output.shape)}")
"##);
}

#[test]
fn pads_that_modules_cannot_have_are_done_before_them() {
    let mut b = GraphBuilder::new(Shape::new(1, 19, 9));
    let padding = Padding { top: -1, left: 2, bottom: 0, right: 3 };
    let window = Window::square(3).padding(padding);
    let x = b.conv2d("c", b.input(), Conv::new(2, window)).unwrap();
    let x = b.max_pool("m", x, window).unwrap();
    let x = b.avg_pool("a", x, window, true).unwrap();
    let code = module(&b.finish(&[x]), "").unwrap();
    assert!(code.contains("import torch.nn.functional as F\n"));
    assert!(code.contains("self.c(F.pad(x, (2, 3, -1, 0)))"), "{code}");
    assert!(code.contains("self.m(F.pad(x, (2, 3, -1, 0), value=float(\"-inf\")))"), "{code}");
    assert!(code.contains("self.a(F.pad(x, (2, 3, -1, 0)))"), "{code}");
    assert!(code.contains("nn.AvgPool2d(3, stride=1)"), "{code}");
}

#[test]
fn pools_of_odd_images_are_rounded_up() {
    let mut b = GraphBuilder::new(Shape::new(1, 9, 8));
    let window = Window::square(2).stride(2);
    let x = b.input();
    let odd =
        b.avg_pool("odd", x, window.padding(Padding { bottom: 1, ..Padding::default() }), false).unwrap();
    let both = Window::square(3).stride(2).padding(Padding { top: 1, left: 1, bottom: 1, right: 2 });
    let both = b.avg_pool("both", x, both, false).unwrap();
    let (odd, both) = (b.global_avg_pool("a", odd).unwrap(), b.global_avg_pool("b", both).unwrap());
    let code = module(&b.finish(&[odd, both]), "").unwrap();
    assert!(code.contains("self.odd = nn.AvgPool2d(2, ceil_mode=True)"), "{code}");
    assert!(
        code.contains(
            "self.both = nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)"
        ),
        "{code}"
    );
}

#[test]
fn what_pytorch_cannot_have_is_an_error() {
    let new = || GraphBuilder::new(Shape::new(1, 9, 9));
    assert_eq!(module(&new().finish(&[]), "").unwrap_err(), TorchError::NoOutput);
    let mut b = new();
    let window = Window::square(3).padding(Padding { left: 1, ..Padding::default() });
    let x = b.avg_pool("pool", b.input(), window, false).unwrap();
    insta::assert_snapshot!(module(&b.finish(&[x]), "").unwrap_err(), @"pool: PyTorch has no average pool that leaves out a padding that differs from side to side or is more than half of the kernel; count the padding, or pad less");
    let mut b = new();
    let dilated = Window::square(3).dilation(2);
    let x = b.scope("cell", |b| b.avg_pool("pool", b.input(), dilated, true)).unwrap();
    insta::assert_snapshot!(module(&b.finish(&[x]), "").unwrap_err(), @"cell.pool: PyTorch has no average pool with dilation 2x2; use a dense window");
    let mut b = new();
    let x = b.conv2d("conv", b.input(), Conv::new(1, Window::square(1))).unwrap();
    let bias = b.scope("conv", |b| b.parameter("bias", vec![1], Shape::new(1, 1, 1))).unwrap();
    let x = b.mul(x, bias).unwrap();
    insta::assert_snapshot!(module(&b.finish(&[x]), "").unwrap_err(), @"conv.bias: the layer of that name has no such parameter; give the parameter a name outside of layers");
    let mut b = new();
    let x = b.scope("stem", |b| b.relu("forward", b.input())).unwrap();
    insta::assert_snapshot!(module(&b.finish(&[x]), "").unwrap_err(), @"stem.forward: PyTorch's modules have something of their own of that name; give the module another one");
}

/// Blocks that are classes, of names that mean something else in Python or nothing.
#[test]
fn names_that_python_does_not_have_are_got_around() {
    let mut b = GraphBuilder::new(Shape::new(2, 9, 9));
    let image = b.input();
    let mut x = image;
    for (channels, name) in ["0", "f", "network", "none", "lambda", "a\"b"].into_iter().enumerate() {
        x = b
            .scope(name, |b| -> Result<ValueId, GraphError> {
                let y = b.conv2d("0", x, Conv::new(channels + 1, Window::square(3)))?;
                let z = b.relu("is", y)?;
                let y = b.add(&[y, z])?;
                b.container(x, y);
                Ok(y)
            })
            .unwrap();
    }
    x = b.conv2d("groups.nn", x, Conv::new(2, Window::square(1))).unwrap();
    x = b.conv2d("groups.\\", x, Conv::new(2, Window::square(1))).unwrap();
    b.container(image, x);
    let code = module(&b.finish(&[x]), "").unwrap();
    let network = &code[code.find("class Network(").unwrap()..code.find("\n\nif __name__").unwrap()];
    insta::assert_snapshot!(network, @r#"
class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module("0", Module0())
        self.f = F_()
        self.network = Network_()
        self.none = None_()
        self.add_module("lambda", Lambda())
        self.add_module("a\"b", AB())
        self.groups = nn.ModuleDict({
            "nn": nn.Conv2d(6, 2, 1, bias=False),
            "\\": nn.Conv2d(2, 2, 1, bias=False),
        })

    def forward(self, x):
        x = self.get_submodule("0")(x)
        x = self.f(x)
        x = self.network(x)
        x = self.none(x)
        x = self.get_submodule("lambda")(x)
        x = self.get_submodule("a\"b")(x)
        x = self.groups["nn"](x)
        return self.groups["\\"](x)
"#);
    let classes: Vec<&str> = code.lines().filter_map(|line| line.strip_prefix("class ")).collect();
    let names = ["Module0", "F_", "Network_", "None_", "Lambda", "AB", "Network"];
    assert_eq!(classes, names.map(|name| format!("{name}(nn.Module):")));
}

/// A layer without parameters may be called several times under one name.
#[test]
fn modules_are_called_again() {
    let mut b = GraphBuilder::new(Shape::new(3, 1, 4));
    let mut x = b.input();
    for layer in 0..3 {
        x = b.linear(&format!("layers.{layer}"), x, 5, true).unwrap();
        x = b.act("act", x, Activation::Gelu).unwrap();
    }
    let code = module(&b.finish(&[x]), "").unwrap();
    let network = &code[code.find("class Network(").unwrap()..code.find("\n\nif __name__").unwrap()];
    insta::assert_snapshot!(network, @r"
class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([
            nn.Linear(3, 5),
            nn.Linear(5, 5),
            nn.Linear(5, 5),
        ])
        self.act = nn.GELU()

    def forward(self, x):
        x = self.layers[0](x.movedim(1, -1)).movedim(-1, 1)
        x = self.act(x)
        x = self.layers[1](x.movedim(1, -1)).movedim(-1, 1)
        x = self.act(x)
        x = self.layers[2](x.movedim(1, -1)).movedim(-1, 1)
        return self.act(x)
");
}

/// A transform is its formula, and what has none is listed.
#[test]
fn numbers_are_written_as_short_as_they_can_be() {
    let of = |numbers: &[f64], shape| {
        let numbers: Vec<Real> = numbers.iter().map(|x| Real::new(*x).unwrap()).collect();
        super::constant::constant(&numbers, shape)
    };
    let table =
        |number: fn(usize, usize) -> f64| -> Vec<f64> { (0..16).map(|i| number(i / 4, i % 4)).collect() };
    let square = Shape::new(1, 4, 4);
    insta::assert_snapshot!(of(&[0.0; 6], Shape::new(3, 1, 2)), @"torch.zeros(1, 3, 1, 2)");
    insta::assert_snapshot!(of(&[0.1; 6], Shape::new(3, 1, 2)), @"torch.full((1, 3, 1, 2), 0.1)");
    let largest = f64::from(f32::MIN);
    insta::assert_snapshot!(of(&[0.0, largest, 1e-9], Shape::new(1, 1, 3)), @"torch.tensor([0.0, -3.4028234663852886e38, 1e-9]).reshape(1, 1, 1, 3)");
    let cosines = table(|i, j| 2.0 * (PI * (i * (2 * j + 1)) as f64 / 8.0).cos());
    insta::assert_snapshot!(of(&cosines, square), @"(2.0 * wave(torch.cos, torch.arange(4), torch.arange(1, 8, 2), 16)).reshape(1, 1, 4, 4)");
    let sines = table(|i, j| -(2.0 * PI * (i * j) as f64 / 4.0).sin());
    insta::assert_snapshot!(of(&sines, Shape::new(4, 1, 4)), @"(-wave(torch.sin, torch.arange(4), torch.arange(4), 4)).reshape(1, 4, 1, 4)");
    let mut other = sines;
    other[5] += 1e-6;
    assert!(of(&other, square).starts_with("torch.tensor("));
}
