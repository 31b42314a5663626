//! How subnets are written.

use std::fmt;

use serde_json::Value;

use super::{Block, Subnet, Supernet};
use crate::json::Field;
use crate::text::Cursor;
use crate::{ParseError, json};

impl Subnet {
    /// Reads any encoding of the supernet's space.
    ///
    /// # Errors
    /// If the text is none, or has choices that the supernet has not.
    pub fn parse(supernet: Supernet, text: &str) -> Result<Self, ParseError> {
        if json::is_object(text) {
            return Subnet::from_json(supernet, &json::read(text)?);
        }
        let mut c = Cursor::new(text);
        let subnet = match c.peek() {
            Some('e') => read_string(supernet, &mut c)?,
            Some('(' | '[') => read_candidate(supernet, &mut c)?,
            _ => {
                let [fewest, _] = supernet.depths();
                let (embed, heads) = (supernet.embed_dims()[0], supernet.heads()[0]);
                return Err(c.error(format!(
                    "`e{embed}-m4h{heads}-...`, a candidate `({fewest}, 4, ...)` or a JSON object"
                )));
            }
        };
        c.end()?;
        Ok(subnet)
    }

    /// As the authors' evolution keeps it: depth, MLP ratios of all blocks, heads of all blocks, embedding dimension.
    pub(super) fn print_candidate(&self) -> String {
        let ratios = self.blocks.iter().map(|block| block.mlp_ratio.to_string());
        let heads = self.blocks.iter().map(|block| block.num_heads.to_string());
        let numbers = [self.blocks.len().to_string()].into_iter().chain(ratios).chain(heads);
        let numbers: Vec<String> = numbers.chain([self.embed_dim.to_string()]).collect();
        format!("({})", numbers.join(", "))
    }

    pub(super) fn from_json(supernet: Supernet, value: &Value) -> Result<Self, ParseError> {
        let object = Field::object(value, &["embed_dim", "blocks"])?;
        let embed_dim = object.get("embed_dim")?.one_of(EMBED_DIM, supernet.embed_dims())?;
        let list = object.get("blocks")?;
        let fields = list.items("blocks")?;
        let [fewest, most] = supernet.depths();
        if !(fewest..=most).contains(&fields.len()) {
            return Err(list.error(format!("an array of {fewest} to {most} blocks")));
        }
        let block = |field: Field<'_>| {
            let field = field.fields(&["mlp_ratio", "num_heads"])?;
            let mlp_ratio = field.get("mlp_ratio")?.real_of(MLP_RATIO, supernet.mlp_ratios())?;
            let num_heads = field.get("num_heads")?.one_of(HEADS, supernet.heads())?;
            Ok(Block { mlp_ratio, num_heads })
        };
        let blocks = fields.into_iter().map(block).collect::<Result<_, ParseError>>()?;
        Ok(Subnet { supernet, embed_dim, blocks })
    }
}

const EMBED_DIM: &str = "an embedding dimension";
const MLP_RATIO: &str = "an MLP ratio";
const HEADS: &str = "a number of heads";

/// Embedding dimension and blocks, `e192-m4h3-m3.5h4-...`.
fn read_string(supernet: Supernet, c: &mut Cursor<'_>) -> Result<Subnet, ParseError> {
    let [fewest, most] = supernet.depths();
    c.expect("e")?;
    let embed_dim = c.one_of(EMBED_DIM, supernet.embed_dims())?;
    let mut blocks = Vec::new();
    while blocks.len() < most && c.eat("-") {
        c.expect("m")?;
        let mlp_ratio = c.real_of(MLP_RATIO, supernet.mlp_ratios())?;
        c.expect("h")?;
        blocks.push(Block { mlp_ratio, num_heads: c.one_of(HEADS, supernet.heads())? });
    }
    if blocks.len() < fewest {
        return Err(c.error(format!("`-` and another block, of {fewest} to {most}")));
    }
    Ok(Subnet { supernet, embed_dim, blocks })
}

/// A candidate of the authors' evolution, a Python tuple or list.
fn read_candidate(supernet: Supernet, c: &mut Cursor<'_>) -> Result<Subnet, ParseError> {
    let [fewest, most] = supernet.depths();
    let close = c.open("a candidate")?;
    let depth = c.number("a depth", fewest..=most)?;
    let mut blocks = Vec::new();
    for _ in 0..depth {
        c.expect(",")?;
        blocks.push(Block { mlp_ratio: c.real_of(MLP_RATIO, supernet.mlp_ratios())?, num_heads: 0 });
    }
    for block in &mut blocks {
        c.expect(",")?;
        block.num_heads = c.one_of(HEADS, supernet.heads())?;
    }
    c.expect(",")?;
    let embed_dim = c.one_of(EMBED_DIM, supernet.embed_dims())?;
    c.eat(",");
    c.expect(close)?;
    Ok(Subnet { supernet, embed_dim, blocks })
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.embed_dim)?;
        for Block { mlp_ratio, num_heads } in &self.blocks {
            write!(f, "-m{mlp_ratio}h{num_heads}")?;
        }
        Ok(())
    }
}
