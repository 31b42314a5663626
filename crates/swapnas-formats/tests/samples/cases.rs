//! Small networks, one for each way in which an operation can be had.

use swapnas_graph::tensor::{Axis, Function, Norm, Product, Real};
use swapnas_graph::{
    Activation, Conv, Graph, GraphBuilder, GraphError, Padding, Shape, Strided, ValueId, Window,
};

pub(crate) fn view(dims: &[(usize, usize)], offset: usize) -> Strided {
    Strided::new(dims, offset).unwrap()
}

pub(crate) fn real(number: f64) -> Real {
    Real::new(number).unwrap()
}

/// Networks with names.
#[derive(Default)]
pub(crate) struct Cases(pub Vec<(String, Graph)>);

impl Cases {
    /// All there are.
    pub(crate) fn all() -> Self {
        let mut cases = Cases::default();
        cases.views();
        cases.joined_values();
        cases.products();
        cases.normalisations();
        cases.lines();
        cases.activations();
        cases.functions();
        cases.transposed();
        cases
    }

    /// What is built of an image, with linear layers before and behind it, whose values lie pixel by pixel, and without.
    fn add(
        &mut self,
        name: impl Into<String>,
        shape: Shape,
        build: impl Fn(&mut GraphBuilder, ValueId) -> Result<ValueId, GraphError>,
    ) {
        let name = name.into();
        for layers in [false, true] {
            let mut b = GraphBuilder::new(shape);
            let mut x = b.input();
            if layers {
                x = b.linear("before", x, shape.channels, true).unwrap();
            }
            let mut y = build(&mut b, x).unwrap();
            if layers {
                y = b.linear("behind", y, 3, false).unwrap();
            }
            let graph = b.finish(&[y]);
            self.0.push((format!("{name}{}", if layers { " between layers" } else { "" }), graph));
        }
    }

    fn views(&mut self) {
        let shape = Shape::new(4, 2, 6);
        for (dims, offset, to) in [
            (&[(6, 1), (4, 12), (2, 6)][..], 0, Shape::new(6, 4, 2)),
            (&[(2, 24), (12, 1), (2, 12)], 0, Shape::new(4, 4, 3)),
            (&[(4, 12), (5, 1)], 7, Shape::new(4, 1, 5)),
            (&[(4, 12)], 0, Shape::new(4, 1, 1)),
            (&[(3, 12), (3, 2)], 13, Shape::new(3, 1, 3)),
            (&[(4, 12), (3, 1), (4, 1)], 0, Shape::new(4, 3, 4)),
            (&[(4, 12), (2, 2), (4, 1)], 3, Shape::new(4, 2, 4)),
            (&[(4, 12), (2, 6), (2, 3), (3, 1)], 0, Shape::new(4, 4, 3)),
            (&[(4, 0), (5, 7), (2, 3)], 1, Shape::new(4, 5, 2)),
            (&[(4, 12), (12, 0)], 3, Shape::new(4, 3, 4)),
            (&[(3, 0)], 5, Shape::new(1, 1, 3)),
        ] {
            let view = view(dims, offset);
            self.add(format!("the view {view:?}"), shape, |b, x| b.rearrange(x, view, to));
        }
        let places = [5, 5, 40, 2, 0, 47];
        self.add("some elements", shape, |b, x| b.pick(x, places.into(), Shape::new(2, 1, 3)));
        let rolled: Vec<u32> = (0..4 * 12).map(|i| i / 12 * 12 + (i + 5) % 12).collect();
        self.add("pixels in turn", shape, |b, x| b.pick(x, rolled.clone().into(), shape));
        let many: Vec<u32> = (0..48).map(|i| i * i % 48).collect();
        self.add("many elements", shape, |b, x| b.pick(x, many.clone().into(), shape));
    }

    fn joined_values(&mut self) {
        let shape = Shape::new(3, 2, 4);
        for (outer, inner, to) in [
            (3, 1, Shape::new(3, 1, 16)),
            (1, 8, Shape::new(6, 2, 4)),
            (6, 1, Shape::new(3, 2, 8)),
            (6, 2, Shape::new(12, 1, 4)),
        ] {
            self.add(format!("joined, {outer} x {inner}"), shape, |b, x| {
                let y = b.function(x, Function::Sin);
                b.join(&[x, y], outer, inner, to)
            });
        }
        self.add("a class token and zeros", Shape::new(4, 1, 5), |b, x| {
            let token = b.parameter("token", vec![1, 4], Shape::new(4, 1, 1))?;
            let zeros = b.constant(vec![real(0.0); 8].into(), Shape::new(4, 1, 2))?;
            b.join(&[token, x, zeros], 4, 1, Shape::new(4, 1, 8))
        });
        self.add("channels that are the same for all", Shape::new(4, 1, 5), |b, x| {
            let token = b.scope("tokens", |b| b.parameter("a b", vec![5], Shape::new(1, 1, 5)))?;
            let zeros = b.zero(Shape::new(2, 1, 5));
            b.concat(&[x, token, zeros])
        });
    }

    fn products(&mut self) {
        let (heads, size, tokens) = (2, 3, 4);
        let shape = Shape::new(heads * size, 1, tokens);
        let of_tokens = view(&[(heads, size * tokens), (tokens, 1), (size, tokens)], 0);
        let out = Strided::contiguous(&[heads, tokens, tokens]).unwrap();
        let scores = Product { a: of_tokens, b: of_tokens.permuted(&[0, 2, 1]), out };
        let to = Shape::new(heads, tokens, tokens);
        self.add("scores", shape, |b, x| b.product([x, x], scores, to));
        self.add("attention", shape, |b, x| {
            let scores = b.product([x, x], scores, to)?;
            let weights = b.softmax(scores, Axis { outer: heads * tokens, len: tokens, inner: 1 })?;
            b.product([weights, x], Product { a: out, b: of_tokens, out: of_tokens }, shape)
        });
        let a = view(&[(heads, 0), (tokens, tokens), (tokens, 1)], 0);
        let repeated = Product { a, b: of_tokens, out: of_tokens };
        for (name, number) in [
            ("any table", (|i| (i * i * 5 % 7) as f64) as fn(usize) -> f64),
            ("a Fourier transform", |i| {
                -2.0 * (2.0 * std::f64::consts::PI * (i / 4 * (i % 4)) as f64 / 4.0).sin()
            }),
            ("a cosine transform", |i| {
                0.3 * (std::f64::consts::PI * (i / 4 * (2 * (i % 4) + 1)) as f64 / 8.0).cos()
            }),
        ] {
            self.add(format!("{name} times values"), shape, |b, x| {
                let numbers: Vec<Real> = (0..tokens * tokens).map(|i| real(number(i))).collect();
                let table = b.constant(numbers.into(), Shape::new(1, tokens, tokens))?;
                b.product([table, x], repeated, shape)
            });
        }
        self.add("a parameter times values", shape, |b, x| {
            let table = b.parameter("table", vec![tokens, tokens], Shape::new(1, tokens, tokens))?;
            b.product([table, x], repeated, shape)
        });
        self.add("windows times kernels", Shape::new(6, 1, 5), |b, x| {
            let a = view(&[(3, 1), (2, 15), (3, 5), (3, 1)], 0);
            let kernels = view(&[(3, 1), (2, 9), (3, 3), (1, 0)], 0);
            let out = view(&[(3, 1), (2, 9), (3, 3), (1, 0)], 0);
            b.product([x, x], Product { a, b: kernels, out }, Shape::new(6, 1, 3))
        });
        self.add("what both factors repeat", shape, |b, x| {
            let a = view(&[(2, 0), (3, 0), (4, 0)], 5);
            let second = view(&[(2, 0), (4, 0), (2, 0)], 3);
            let out = Strided::contiguous(&[2, 3, 2]).unwrap();
            b.product([x, x], Product { a, b: second, out }, Shape::new(2, 3, 2))
        });
        self.add("zeros around a window, and pixels cut away", Shape::new(2, 5, 6), |b, x| {
            let padding = Padding { top: 1, left: -2, bottom: -1, right: 2 };
            b.avg_pool("pad", x, Window::square(1).padding(padding), true)
        });
        self.add("columns before rows", shape, |b, x| {
            let a = view(&[(4, 1), (6, 4)], 0);
            let second = view(&[(6, 4), (4, 1)], 0);
            b.product([x, x], Product { a, b: second, out: view(&[(4, 1), (4, 4)], 0) }, Shape::new(4, 2, 2))
        });
    }

    fn normalisations(&mut self) {
        let shape = Shape::new(6, 2, 4);
        let channels = Norm::over_channels(shape);
        let axis = |outer, len, inner| Axis { outer, len, inner };
        let norms = [
            channels,
            Norm::over_groups(shape, 3),
            Norm::over_groups(shape, 6),
            Norm { axis: axis(3, 16, 1), count: 16, alike: 1, ..channels },
            Norm { axis: axis(3, 16, 1), count: 12, alike: 4, ..channels },
            Norm { axis: axis(3, 8, 2), count: 8, alike: 2, ..channels },
            Norm { axis: axis(12, 4, 1), ..channels },
            Norm { axis: axis(2, 3, 8), count: 5, alike: 3, ..channels },
        ];
        for norm in norms {
            for (weight, bias) in [(true, true), (false, false), (true, false), (false, true)] {
                for centred in [true, false] {
                    let norm = Norm { centred, weight, bias, ..norm };
                    self.add(format!("{norm:?}"), shape, |b, x| b.normalise("norm", x, norm));
                }
            }
        }
        self.add("a norm of one pixel", Shape::new(6, 1, 1), |b, x| {
            let norm = Norm::over_channels(b.shape(x));
            b.normalise("norm", x, norm)
        });
    }

    fn lines(&mut self) {
        let shape = Shape::new(6, 2, 4);
        for (outer, len, inner) in [(1, 6, 8), (6, 2, 4), (12, 4, 1), (6, 8, 1), (3, 2, 8), (4, 12, 1)] {
            let axis = Axis { outer, len, inner };
            // A softmax at the end is not read.
            self.add(format!("softmax {axis:?}"), shape, |b, x| {
                let y = b.softmax(x, axis)?;
                b.add(&[y, x])
            });
            self.add(format!("mean {axis:?}"), shape, |b, x| {
                b.mean_along(x, axis, Shape::new(outer, 1, inner))
            });
            self.add(format!("mean as channels {axis:?}"), shape, |b, x| {
                b.mean_along(x, axis, Shape::new(outer * inner, 1, 1))
            });
        }
    }

    fn transposed(&mut self) {
        let window = |kernel, stride, dilation, [top, left, bottom, right]: [i32; 4]| Window {
            kernel,
            stride,
            dilation,
            padding: Padding { top, left, bottom, right },
        };
        for window in [
            window([2, 2], [2, 2], [1, 1], [0; 4]),
            window([3, 3], [2, 2], [1, 1], [1, 1, 0, 1]),
            window([4, 3], [2, 1], [1, 2], [1, 0, 1, 0]),
            // Output padding without padding.
            window([2, 2], [3, 3], [1, 1], [0, 0, -2, -1]),
            // What `auto_pad` makes, and what PyTorch can only cut away behind the layer.
            window([3, 3], [2, 2], [1, 1], [0, 0, 1, 1]),
            window([3, 4], [1, 2], [1, 1], [2, 3, 0, -1]),
            window([1, 5], [1, 3], [1, 1], [0, 1, 0, 2]),
        ] {
            for (groups, bias) in [(1, false), (2, true), (4, false)] {
                let conv = Conv { groups, bias, ..Conv::new(8, window) };
                self.add(format!("transposed {conv:?}"), Shape::new(4, 3, 5), |b, x| {
                    b.conv_transpose("up", x, conv)
                });
            }
        }
        self.add("transposed, one after the other", Shape::new(4, 2, 3), |b, x| {
            let two = window([2, 2], [2, 2], [1, 1], [0; 4]);
            let x = b.conv_transpose("layers.0", x, Conv::new(6, two).with_bias())?;
            let x = b.relu("layers.1", x)?;
            b.conv_transpose("layers.2", x, Conv::new(3, window([3, 3], [2, 2], [1, 1], [0, 0, 1, 1])))
        });
    }

    fn activations(&mut self) {
        for act in Activation::EACH {
            self.add(act.name(), Shape::new(3, 2, 4), |b, x| {
                // On both sides of all kinks.
                let x = b.function(x, Function::Linear { factor: real(6.0), summand: real(0.5) });
                let y = b.act("act", x, act)?;
                // A sigmoid at the end would be left out.
                b.add(&[x, y])
            });
        }
    }

    fn functions(&mut self) {
        let shape = Shape::new(3, 1, 4);
        let linear = |factor, summand| Function::Linear { factor: real(factor), summand: real(summand) };
        for function in [
            Function::Exp,
            Function::Ln,
            Function::Sqrt,
            Function::Reciprocal,
            Function::Sin,
            Function::Cos,
            Function::Tanh,
            Function::Erf,
            Function::Power(2),
            Function::Power(3),
            Function::RealPower(real(1.5)),
            Function::Max(real(4.25)),
            Function::Min(real(4.25)),
            Function::Max(real(f32::MIN.into())),
            linear(1.0, 0.0),
            linear(-2.5, 0.0),
            linear(1.0, -1.25),
        ] {
            self.add(format!("{function:?}"), shape, |b, x| {
                let x = b.function(x, Function::Tanh);
                let x = b.function(x, linear(0.5, 4.0));
                let y = b.function(x, function);
                b.mul(x, y)
            });
        }
    }
}
