//! Attention with relative positions in two dimensions, for keys and for values (RelativePosition2D).
//!
//! For every query token n and every token m that it attends to, the authors look up an embedding of the offset from n
//! to m: the sum of a row of a table for the offset between their rows, and of a row of another table for that between
//! their columns. They add its product with the query to the score, and its product with the attention to what comes
//! of the values. For N tokens, that makes N x N embeddings of 64 numbers for each.
//!
//! Here, none of these is made, since an offset depends on m through its row and its column only:
//!
//! - Keys: the products of queries with all rows of the tables are few. Those for the row r of the image are a
//!   further feature of the query, to be multiplied with a further feature of keys, which is 1 for the tokens in row r
//!   and 0 for others; and likewise those for each column. So queries and keys get `rows + columns + 2` features more,
//!   and their product is the score with all that is added to it.
//! - Values: the attention to all tokens of a row of the image is summed up, which is its product with the same zeros
//!   and ones, and the sums are multiplied with the embeddings of the offsets to these rows.
//!
//! A *line* is a row or a column. The class token has no place in the image; it is in a line of its own, number 0, which
//! has the offset number 0 to and from all others.

use std::collections::HashMap;
use std::sync::Arc;

use swapnas_graph::tensor::{Axis, Function, Product};
use swapnas_graph::{GraphBuilder, GraphError, Shape, ValueId};

use crate::blocks::{Built, real, strided};

/// Offsets that are larger are taken for this one.
const FARTHEST: i64 = 14;

/// Rows of a table: one for the class token, one for each offset.
const OFFSETS: usize = 2 * FARTHEST as usize + 2;

/// The row of the table for the offset between two lines.
fn offset(from: usize, to: usize) -> usize {
    if from == 0 || to == 0 {
        return 0;
    }
    let offset = (to as i64 - from as i64).clamp(-FARTHEST, FARTHEST);
    (offset + FARTHEST + 1) as usize
}

/// Where tokens are: the class token, then patches row by row.
pub(super) struct Grid {
    rows: usize,
    columns: usize,
    /// `[lines][tokens]`: 1 for the tokens in a line, else 0; the rows first, then the columns, each after the line of
    /// the class token.
    lines: ValueId,
    /// Which elements blocks of so many heads take for [`of_offsets`](Self::of_offsets): most of what a graph takes of
    /// memory, and the same for all of them.
    of_offsets: HashMap<usize, Arc<[u32]>>,
    /// The same of [`embeddings`], by the number of lines and of features.
    of_embeddings: HashMap<[usize; 2], Arc<[u32]>>,
}

impl Grid {
    pub(super) fn new(b: &mut GraphBuilder, rows: usize, columns: usize) -> Result<Self, GraphError> {
        let (of_offsets, of_embeddings) = Default::default();
        let mut grid = Grid { rows, columns, lines: b.input(), of_offsets, of_embeddings };
        let [zero, one] = [0.0, 1.0].map(real);
        let mut numbers = vec![zero; grid.lines() * grid.tokens()];
        for token in 0..grid.tokens() {
            let [row, column] = grid.place(token);
            for line in [row, rows + 1 + column] {
                numbers[line * grid.tokens() + token] = one;
            }
        }
        grid.lines = b.constant(numbers.into(), Shape::new(grid.lines(), 1, grid.tokens()))?;
        Ok(grid)
    }

    /// The number of tokens.
    pub(super) fn tokens(&self) -> usize {
        self.rows * self.columns + 1
    }

    /// The number of lines of both kinds.
    fn lines(&self) -> usize {
        self.rows + self.columns + 2
    }

    /// Row and column of a token.
    fn place(&self, token: usize) -> [usize; 2] {
        match token.checked_sub(1) {
            None => [0, 0],
            Some(patch) => [patch / self.columns + 1, patch % self.columns + 1],
        }
    }

    /// Of the products of each head's queries with all embeddings of offsets, `[head][offset][token]`, those with the
    /// offsets from each token to each line: `[head][line][token]`.
    fn of_offsets(&mut self, heads: usize) -> Arc<[u32]> {
        if let Some(places) = self.of_offsets.get(&heads) {
            return places.clone();
        }
        let to_rows = (0..=self.rows).map(|line| (0, 0, line));
        let to_columns = (0..=self.columns).map(|line| (1, OFFSETS, line));
        let mut places = Vec::with_capacity(heads * self.lines() * self.tokens());
        for first in (0..heads).map(|h| h * 2 * OFFSETS) {
            for (kind, table, line) in to_rows.clone().chain(to_columns.clone()) {
                places.extend((0..self.tokens()).map(|token| {
                    let row = first + table + offset(self.place(token)[kind], line);
                    (row * self.tokens() + token) as u32
                }));
            }
        }
        self.of_offsets.entry(heads).or_insert(places.into()).clone()
    }
}

/// The tables of offsets between rows and between columns, `[offset][feature]` each.
fn tables(b: &mut GraphBuilder, name: &str, head: usize) -> Result<[ValueId; 2], GraphError> {
    b.scope(name, |b| {
        let mut table = |name| b.parameter(name, vec![OFFSETS, head], Shape::new(1, OFFSETS, head));
        Ok([table("embeddings_table_v")?, table("embeddings_table_h")?])
    })
}

/// Attention of `heads` heads with `head` features each, among the tokens of `x`.
pub(super) fn attention(
    b: &mut GraphBuilder,
    x: ValueId,
    heads: usize,
    head: usize,
    grid: &mut Grid,
) -> Built {
    let Shape { channels, width: tokens, .. } = b.shape(x);
    let width = heads * head;
    let qkv = b.linear("qkv", x, 3 * width, true)?;
    let of_keys = tables(b, "rel_pos_embed_k", head)?;
    let of_values = tables(b, "rel_pos_embed_v", head)?;

    let queries = b.slice(qkv, 0, width)?;
    // Both terms of a score are divided by the square root of the number of features.
    let (factor, summand) = (real((head as f64).powf(-0.5)), real(0.0));
    let queries = b.function(queries, Function::Linear { factor, summand });
    let keys = b.slice(qkv, width, width)?;
    let all = head + grid.lines();
    let [queries, keys] = with_lines(b, [queries, keys], of_keys, [heads, head], grid)?;
    let product = Product {
        a: strided(&[(heads, all * tokens), (tokens, 1), (all, tokens)], 0),
        b: strided(&[(heads, all * tokens), (all, tokens), (tokens, 1)], 0),
        out: strided(&[(heads, tokens * tokens), (tokens, tokens), (tokens, 1)], 0),
    };
    let scores = b.product([queries, keys], product, Shape::new(heads, tokens, tokens))?;
    let attention = b.softmax(scores, Axis { outer: heads * tokens, len: tokens, inner: 1 })?;

    let features = [(heads, head * tokens), (tokens, 1), (head, tokens)];
    let product =
        Product { a: product.out, b: strided(&features, 2 * width * tokens), out: strided(&features, 0) };
    let y = b.product([attention, qkv], product, Shape::new(width, 1, tokens))?;
    let relative = relative_values(b, attention, of_values, [heads, head], grid)?;
    let y = b.add(&[y, relative])?;
    b.linear("proj", y, channels, true)
}

/// Queries with their products with the embeddings of offsets to all lines as further features, and keys with what
/// says which lines they are in.
fn with_lines(
    b: &mut GraphBuilder,
    [queries, keys]: [ValueId; 2],
    tables: [ValueId; 2],
    [heads, head]: [usize; 2],
    grid: &mut Grid,
) -> Result<[ValueId; 2], GraphError> {
    let (tokens, lines) = (grid.tokens(), grid.lines());
    let offsets = 2 * OFFSETS;
    let tables = b.join(&tables, 1, 1, Shape::new(1, offsets, head))?;
    let product = Product {
        a: strided(&[(heads, head * tokens), (tokens, 1), (head, tokens)], 0),
        b: strided(&[(heads, 0), (head, 1), (offsets, head)], 0),
        out: strided(&[(heads, offsets * tokens), (tokens, 1), (offsets, tokens)], 0),
    };
    let products = b.product([queries, tables], product, Shape::new(heads * offsets, 1, tokens))?;
    let shape = Shape::new(heads * lines, 1, tokens);
    let of_queries = b.pick(products, grid.of_offsets(heads), shape)?;
    let of_keys = b.rearrange(grid.lines, strided(&[(heads, 0), (lines * tokens, 1)], 0), shape)?;
    let shape = Shape::new(heads * (head + lines), 1, tokens);
    Ok([
        b.join(&[queries, of_queries], heads, tokens, shape)?,
        b.join(&[keys, of_keys], heads, tokens, shape)?,
    ])
}

/// What the embeddings of offsets add to what comes of the values, `[heads * head][1][tokens]`.
fn relative_values(
    b: &mut GraphBuilder,
    attention: ValueId,
    [of_rows, of_columns]: [ValueId; 2],
    [heads, head]: [usize; 2],
    grid: &mut Grid,
) -> Built {
    let &mut Grid { rows, columns, .. } = grid;
    let (tokens, patches, lines) = (grid.tokens(), rows * columns, grid.lines());
    let product = Product {
        a: strided(&[(heads, tokens * tokens), (tokens, tokens), (tokens, 1)], 0),
        b: strided(&[(heads, 0), (tokens, 1), (lines, tokens)], 0),
        out: strided(&[(heads, lines * tokens), (tokens, 1), (lines, tokens)], 0),
    };
    let sums = b.product([attention, grid.lines], product, Shape::new(heads * lines, 1, tokens))?;

    // For the patches of each row, the sums over rows times the embeddings of the offsets to them; likewise columns.
    let by_row = [(rows, columns), (columns, 1)];
    let by_column = [(columns, 1), (rows, columns)];
    let mut of_patches = Vec::new();
    for (table, [own, others], first) in [(of_rows, by_row, 0), (of_columns, by_column, rows + 1)] {
        let to = own.0 + 1;
        let embeddings = embeddings(b, table, own.0, head, grid)?;
        let product = Product {
            a: strided(&[(heads, lines * tokens), own, others, (to, tokens)], first * tokens + 1),
            b: strided(&[(heads, 0), (own.0, to * head), (to, head), (head, 1)], 0),
            out: strided(&[(heads, head * patches), own, others, (head, patches)], 0),
        };
        of_patches.push(b.product([sums, embeddings], product, Shape::new(heads * head, rows, columns))?);
    }
    let of_patches = b.add(&of_patches)?;

    // All offsets of the class token are number 0, and its attention sums up to 1.
    let mut of_class = |table| {
        let view = strided(&[(heads, 0), (head, 1)], 0);
        b.rearrange(table, view, Shape::new(heads * head, 1, 1))
    };
    let of_class = [of_class(of_rows)?, of_class(of_columns)?];
    let of_class = b.add(&of_class)?;
    b.join(&[of_class, of_patches], heads * head, 1, Shape::new(heads * head, 1, tokens))
}

/// The embeddings of the offsets from each of so many lines to each of them and the class token's, which is first:
/// `[from][to][feature]`.
fn embeddings(b: &mut GraphBuilder, table: ValueId, lines: usize, head: usize, grid: &mut Grid) -> Built {
    let places = grid.of_embeddings.entry([lines, head]).or_insert_with(|| {
        let rows = (1..=lines).flat_map(|from| (0..=lines).map(move |to| offset(from, to)));
        rows.flat_map(|row| (0..head).map(move |i| (row * head + i) as u32)).collect()
    });
    b.pick(table, places.clone(), Shape::new(lines, lines + 1, head))
}

#[cfg(test)]
mod tests {
    use swapnas_graph::Op;
    use swapnas_graph::tensor::{Pick, TensorOp};

    use super::*;

    #[test]
    fn blocks_of_as_many_heads_take_the_same_places() {
        let mut b = GraphBuilder::new(Shape::new(8, 1, 13));
        let x = b.input();
        let mut grid = Grid::new(&mut b, 3, 4).unwrap();
        for (name, heads) in [("a", 2), ("b", 2), ("c", 3)] {
            b.scope(name, |b| attention(b, x, heads, 4, &mut grid)).unwrap();
        }
        let places = |node: &swapnas_graph::Node| match &node.op {
            Op::Tensor(TensorOp::Pick(Pick { places })) => Some(places.clone()),
            _ => None,
        };
        let picked: Vec<Arc<[u32]>> = b.nodes().iter().filter_map(places).collect();
        // Those of the queries, and two of embeddings.
        let [a, b, c] = [0, 3, 6].map(|first| &picked[first..first + 3]);
        for place in 0..3 {
            assert!(Arc::ptr_eq(&a[place], &b[place]));
            assert_eq!(Arc::ptr_eq(&a[place], &c[place]), place > 0);
        }
    }
}
