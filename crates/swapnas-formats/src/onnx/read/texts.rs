//! Networks of texts: tokens, what comes with them, and embeddings.

use swapnas_graph::Shape;

use super::MOST_SIDE;
use super::attributes::Call;
use super::constant::{Constant, Number};
use super::error::{InputProblem, Limit, Problem, ReadError};
use super::input::{Images, Taken, kind, not_images, sizes};
use super::reader::Reader;
use super::table::{Numbers, Table, limited};
use super::value::{Image, Value};
use super::views::tokens_view;
use crate::onnx::proto::{DataType, ValueInfo};

/// What a network is given beside the tokens, the same for every text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Which tokens are there: all of them.
    Mask,
    /// Which part of the text a token belongs to: the first.
    Part,
    /// The places of the tokens.
    Place,
}

impl Beside {
    /// What an input of that name is, if it is not the tokens.
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let words = [
            ("mask", Beside::Mask),
            ("type", Beside::Part),
            ("segment", Beside::Part),
            ("position", Beside::Place),
        ];
        words.into_iter().find(|(word, _)| name.contains(word)).map(|(_, what)| what)
    }

    /// Of so many texts of so many tokens.
    pub(super) fn numbers(self, texts: usize, length: usize) -> Result<Numbers, Limit> {
        limited(texts as u128 * length as u128)?;
        let number = |place: usize| match self {
            Beside::Mask => 1,
            Beside::Part => 0,
            Beside::Place => place as i64,
        };
        let items = (0..texts).flat_map(|_| (0..length).map(|place| Number::plain(number(place)))).collect();
        Ok(Table { items, dims: vec![texts, length] })
    }
}

/// Whether inputs are those of a network of texts: all of them of whole numbers.
pub(super) fn are_texts(inputs: &[&ValueInfo]) -> bool {
    let is_whole = |input: &&ValueInfo| {
        matches!(kind(input), Some(DataType::Int32 | DataType::Int64 | DataType::Bool))
            && sizes(input).len() == 2
    };
    !inputs.is_empty() && inputs.iter().all(is_whole)
}

/// The tokens among the inputs, and what comes with them.
pub(super) fn of<'m>(inputs: &[&'m ValueInfo], images: Images) -> Result<Taken<'m>, ReadError> {
    let (mut all_tokens, mut beside) = (Vec::new(), Vec::new());
    for input in inputs {
        match Beside::of(&input.name) {
            Some(what) => beside.push((input.name.as_str(), what)),
            None => all_tokens.push(*input),
        }
    }
    let [tokens] = all_tokens[..] else { return Err(InputProblem::Count(inputs.len()).into()) };
    let &[batch, length] = &sizes(tokens)[..] else { return Err(not_images(tokens).into()) };
    let length = match images {
        Images::OfFile => length.ok_or(InputProblem::Length)?,
        Images::Side(length) => length,
        Images::Shape(Shape { channels: 1, height: 1, width }) => width,
        Images::Shape(_) => return Err(InputProblem::Texts.into()),
    };
    if length == 0 {
        return Err(not_images(tokens).into());
    }
    if length as u128 > MOST_SIDE {
        return Err(Limit { what: "tokens of a text", found: length as u128, most: MOST_SIDE }.into());
    }
    Ok(Taken { name: &tokens.name, batch, shape: Shape::new(1, 1, length), is_text: true, beside })
}

impl<'m> Reader<'m> {
    /// The tokens, if the value of that name is one of their dimensions.
    pub(super) fn tokens_of_text(&mut self, name: &'m str) -> Result<Option<Image>, Problem> {
        Ok(match self.value(name)? {
            Value::Built(image) if self.is_text && image.value == self.builder.input() => Some(image),
            _ => None,
        })
    }

    /// Rows of a table of parameters by the tokens.
    pub(super) fn embedding(
        &mut self,
        call: Call<'m>,
        table: &Constant<'m>,
        tokens: Image,
    ) -> Result<(), Problem> {
        let &[rows, features] = &table.dims[..] else {
            return Err(Problem::unsupported(
                "tokens as indices of something else than rows",
                "tables of rows",
            ));
        };
        let of_weight = table.name().and_then(|name| name.strip_suffix(".weight"));
        let name = self.module([of_weight, Some(&call.node.name)], "embedding");
        let value = self.in_order(tokens, Shape::new(1, 1, tokens.view.len()))?;
        let key = self.key(("embedding", rows, features), value);
        let first = self.builder.params().len();
        self.count(table)?;
        let value = self.builder.embedding(&name, value, rows, features)?;
        self.builder.key_params(first, key);
        let value = self.share(first, value);
        let image = Image { value, view: tokens_view(features, tokens.dims()), ..tokens };
        self.set(call, Value::Built(image))
    }
}
