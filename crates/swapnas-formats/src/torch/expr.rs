//! Expressions of `forward`.

use swapnas_graph::tensor::Axis;
use swapnas_graph::{Padding, Shape, ValueId};

/// The call of a constructor, and how its input has to be changed first, or its result behind it.
pub(super) struct Layer {
    pub constructor: String,
    pub wrap: Option<Wrap>,
}

/// What is done to the input of a module, or to its result, because the module itself cannot do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrap {
    /// Pixels are added or taken away.
    Pad { padding: Padding, with_minimum: bool },
    /// Pixels are taken away from the result.
    Crop(Padding),
    /// `(batch, channels, 1, 1)` becomes `(batch, channels)`.
    Flatten,
    /// Channels go last before the module, and back behind it.
    ChannelsLast,
    /// The dimension along which it normalises goes last before the module, and back behind it.
    Lines(Axis),
    /// So many rows, of as many elements as there are for each.
    Rows { count: usize, len: usize },
    /// Tokens, which are whole numbers, without their channel; the features that come of them become channels.
    Tokens,
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// What a variable holds.
    Value(ValueId),
    /// The result of a module.
    Call {
        module: String,
        args: Vec<Expr>,
    },
    Sum(Vec<Expr>),
    Product(Box<Expr>, Box<Expr>),
    /// Along dimension `dim`.
    Concat {
        parts: Vec<Expr>,
        dim: usize,
    },
    /// A parameter or a buffer.
    Own(String),
    /// What a method, or an index in brackets, makes of it.
    Method {
        of: Box<Expr>,
        call: String,
    },
    /// factor * x + summand.
    Affine {
        of: Box<Expr>,
        factor: f64,
        summand: f64,
    },
    /// As many samples as `like` has, of one that is the same for all.
    Expand {
        of: Box<Expr>,
        like: ValueId,
    },
    Slice {
        of: Box<Expr>,
        start: usize,
        end: usize,
    },
    /// Mean over pixels; a batch of images of one pixel.
    Mean(Box<Expr>),
    /// Zeros of the shape, for as many samples as `like` has.
    Zeros {
        shape: Shape,
        like: ValueId,
        /// Whether `like` is of whole numbers.
        of_tokens: bool,
    },
    /// Without rows and columns, of which there is one each.
    Flat(Box<Expr>),
    /// With rows and columns of one each.
    Unflat(Box<Expr>),
    Pad {
        of: Box<Expr>,
        padding: Padding,
        with_minimum: bool,
    },
    /// Channels from the second to the last place, or back.
    Move {
        of: Box<Expr>,
        back: bool,
    },
}

impl Expr {
    pub(super) fn method(self, call: impl Into<String>) -> Expr {
        Expr::Method { of: Box::new(self), call: call.into() }
    }

    /// With other dimensions behind that of the samples.
    pub(super) fn reshaped(self, from: &[usize], to: &[usize]) -> Expr {
        if from == to {
            return self;
        }
        // Of two in a row, the second one is enough.
        let of = match self {
            Expr::Method { of, call } if call.starts_with(".reshape(") => *of,
            of => of,
        };
        let list: Vec<String> = to.iter().map(usize::to_string).collect();
        of.method(format!(".reshape(-1, {})", list.join(", ")))
    }

    /// The values of variables that it reads.
    pub(super) fn values(&self, out: &mut Vec<ValueId>) {
        match self {
            Expr::Value(value) | Expr::Zeros { like: value, .. } => out.push(*value),
            Expr::Own(_) => {}
            Expr::Expand { of, like } => {
                of.values(out);
                out.push(*like);
            }
            Expr::Call { args, .. } | Expr::Sum(args) | Expr::Concat { parts: args, .. } => {
                args.iter().for_each(|arg| arg.values(out));
            }
            Expr::Product(a, b) => {
                a.values(out);
                b.values(out);
            }
            Expr::Slice { of, .. }
            | Expr::Method { of, .. }
            | Expr::Affine { of, .. }
            | Expr::Mean(of)
            | Expr::Flat(of)
            | Expr::Unflat(of)
            | Expr::Pad { of, .. }
            | Expr::Move { of, .. } => of.values(out),
        }
    }

    /// The expression in Python; `name` gives the variable of a value.
    pub(super) fn python(&self, name: &impl Fn(ValueId) -> String) -> String {
        let all = |args: &[Expr], between: &str| -> String {
            args.iter().map(|arg| arg.python(name)).collect::<Vec<_>>().join(between)
        };
        match self {
            Expr::Value(value) => name(*value),
            Expr::Call { module, args } => format!("{module}({})", all(args, ", ")),
            Expr::Sum(terms) => all(terms, " + "),
            Expr::Product(a, b) => format!("{} * {}", a.factor(name), b.factor(name)),
            Expr::Concat { parts, dim } => format!("torch.cat([{}], dim={dim})", all(parts, ", ")),
            Expr::Own(name) => name.clone(),
            Expr::Method { of, call } => format!("{}{call}", of.factor(name)),
            Expr::Affine { of, factor, summand } => {
                let of = of.factor(name);
                let product = if *factor == 1.0 { of } else { format!("{factor:?} * {of}") };
                match *summand {
                    0.0 => product,
                    summand if summand < 0.0 => format!("{product} - {:?}", -summand),
                    summand => format!("{product} + {summand:?}"),
                }
            }
            Expr::Expand { of, like } => {
                format!("{}.expand({}.shape[0], -1, -1, -1)", of.factor(name), name(*like))
            }
            Expr::Slice { of, start: 0, end } => format!("{}[:, :{end}]", of.factor(name)),
            Expr::Slice { of, start, end } => format!("{}[:, {start}:{end}]", of.factor(name)),
            Expr::Mean(of) => format!("{}.mean((2, 3), keepdim=True)", of.factor(name)),
            Expr::Zeros { shape: Shape { channels, height, width }, like, of_tokens } => {
                let like = name(*like);
                let kind = if *of_tokens { ", dtype=torch.float" } else { "" };
                format!("{like}.new_zeros({like}.shape[0], {channels}, {height}, {width}{kind})")
            }
            Expr::Flat(of) => match &**of {
                Expr::Mean(of) => format!("{}.mean((2, 3))", of.factor(name)),
                of => format!("torch.flatten({}, 1)", of.python(name)),
            },
            Expr::Unflat(of) => format!("{}[:, :, None, None]", of.factor(name)),
            Expr::Pad { of, padding: Padding { top, left, bottom, right }, with_minimum } => {
                let value = if *with_minimum { ", value=float(\"-inf\")" } else { "" };
                format!("F.pad({}, ({left}, {right}, {top}, {bottom}){value})", of.python(name))
            }
            Expr::Move { of, back } => {
                let places = if *back { "-1, 1" } else { "1, -1" };
                format!("{}.movedim({places})", of.factor(name))
            }
        }
    }

    /// The same in parentheses, where an operator would bind tighter.
    fn factor(&self, name: &impl Fn(ValueId) -> String) -> String {
        let python = self.python(name);
        if matches!(self, Expr::Sum(_) | Expr::Product(..) | Expr::Affine { .. }) {
            format!("({python})")
        } else {
            python
        }
    }
}
