//! Expressions of `forward`.

use swapnas_graph::{Padding, Shape, ValueId};

/// What is done to the input of a module because the module itself cannot do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrap {
    /// Pixels are added or taken away.
    Pad { padding: Padding, with_minimum: bool },
    /// `(batch, channels, 1, 1)` becomes `(batch, channels)`.
    Flatten,
    /// Channels go last before the module, and back behind it.
    ChannelsLast,
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
    Concat(Vec<Expr>),
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
    /// The values of variables that it reads.
    pub(super) fn values(&self, out: &mut Vec<ValueId>) {
        match self {
            Expr::Value(value) | Expr::Zeros { like: value, .. } => out.push(*value),
            Expr::Call { args, .. } | Expr::Sum(args) | Expr::Concat(args) => {
                args.iter().for_each(|arg| arg.values(out));
            }
            Expr::Product(a, b) => {
                a.values(out);
                b.values(out);
            }
            Expr::Slice { of, .. }
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
            Expr::Concat(parts) => format!("torch.cat([{}], dim=1)", all(parts, ", ")),
            Expr::Slice { of, start: 0, end } => format!("{}[:, :{end}]", of.factor(name)),
            Expr::Slice { of, start, end } => format!("{}[:, {start}:{end}]", of.factor(name)),
            Expr::Mean(of) => format!("{}.mean((2, 3), keepdim=True)", of.factor(name)),
            Expr::Zeros { shape: Shape { channels, height, width }, like } => {
                let like = name(*like);
                format!("{like}.new_zeros({like}.shape[0], {channels}, {height}, {width})")
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
        if matches!(self, Expr::Sum(_) | Expr::Product(..)) { format!("({python})") } else { python }
    }
}
