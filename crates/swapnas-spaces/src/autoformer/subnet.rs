use serde_json::{Value, json};

use super::network;
use crate::diagram::Diagram;
use crate::{Arch, Architecture};

/// The three sets of choices of the paper, each of which is a space of its own.
///
/// | | embedding dimension | depth | heads of a block | MLP ratio of a block |
/// | --- | --- | --- | --- | --- |
/// | tiny | 192, 216, 240 | 12 to 14 | 3, 4 | 3.5, 4 |
/// | small | 320, 384, 448 | 12 to 14 | 5, 6, 7 | 3, 3.5, 4 |
/// | base | 528, 576, 624 | 14 to 16 | 8, 9, 10 | 3, 3.5, 4 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Supernet {
    /// For networks of 5 to 11 million parameters.
    Tiny,
    /// For networks of 13 to 35 million parameters.
    Small,
    /// For networks of 40 to 77 million parameters.
    Base,
}

impl Supernet {
    /// The numbers of features that a token can have.
    pub const fn embed_dims(self) -> &'static [usize; 3] {
        match self {
            Supernet::Tiny => &[192, 216, 240],
            Supernet::Small => &[320, 384, 448],
            Supernet::Base => &[528, 576, 624],
        }
    }

    /// The fewest blocks and the most.
    pub const fn depths(self) -> [usize; 2] {
        match self {
            Supernet::Tiny | Supernet::Small => [12, 14],
            Supernet::Base => [14, 16],
        }
    }

    /// The numbers of heads that a block can have.
    pub const fn heads(self) -> &'static [usize] {
        match self {
            Supernet::Tiny => &[3, 4],
            Supernet::Small => &[5, 6, 7],
            Supernet::Base => &[8, 9, 10],
        }
    }

    /// The hidden features for each of a token that the MLP of a block can have.
    pub const fn mlp_ratios(self) -> &'static [f64] {
        match self {
            Supernet::Tiny => &[3.5, 4.0],
            Supernet::Small | Supernet::Base => &[3.0, 3.5, 4.0],
        }
    }

    /// The largest embedding dimension.
    pub(super) const fn widest(self) -> usize {
        self.embed_dims()[2]
    }

    /// The number of alleles of each gene of an architecture of so many blocks: its embedding dimension, then MLP
    /// ratio and heads of each block.
    pub(super) fn alleles(self, depth: usize) -> Vec<u8> {
        let block = [self.mlp_ratios().len() as u8, self.heads().len() as u8];
        let mut alleles = vec![self.embed_dims().len() as u8];
        alleles.extend(std::iter::repeat_n(block, depth).flatten());
        alleles
    }
}

/// What can be chosen of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// Hidden features of the MLP for each feature of a token.
    pub mlp_ratio: f64,
    /// Heads of the attention, each of 64 features.
    pub num_heads: usize,
}

/// A Vision Transformer of a supernet.
///
/// ```
/// use swapnas_spaces::autoformer::{Block, Subnet, Supernet};
///
/// let block = Block { mlp_ratio: 4.0, num_heads: 3 };
/// let subnet = Subnet::new(Supernet::Tiny, 216, vec![block; 12]).unwrap();
/// let text = subnet.to_string();
/// assert_eq!(Subnet::parse(Supernet::Tiny, &text)?, subnet);
/// // Tiny networks have 12 blocks at least.
/// assert_eq!(Subnet::new(Supernet::Tiny, 216, vec![block; 11]), None);
/// # Ok::<(), swapnas_spaces::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Subnet {
    pub(super) supernet: Supernet,
    pub(super) embed_dim: usize,
    pub(super) blocks: Vec<Block>,
}

impl Subnet {
    /// The architecture of these choices, or `None` if the supernet has not all of them.
    pub fn new(supernet: Supernet, embed_dim: usize, blocks: Vec<Block>) -> Option<Self> {
        let [fewest, most] = supernet.depths();
        let allowed = supernet.embed_dims().contains(&embed_dim)
            && (fewest..=most).contains(&blocks.len())
            && blocks.iter().all(|block| {
                supernet.heads().contains(&block.num_heads)
                    && supernet.mlp_ratios().contains(&block.mlp_ratio)
            });
        allowed.then_some(Subnet { supernet, embed_dim, blocks })
    }

    /// The supernet whose choices these are.
    pub const fn supernet(&self) -> Supernet {
        self.supernet
    }

    /// Features of a token.
    pub const fn embed_dim(&self) -> usize {
        self.embed_dim
    }

    /// The blocks, first to last.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The subnet of this supernet with these genes.
    ///
    /// # Panics
    /// If the architecture is one of another space.
    pub fn of(supernet: Supernet, arch: &Arch) -> Self {
        let read = || {
            let (&embed, genes) = arch.genes().split_first()?;
            let (genes, []) = genes.as_chunks::<2>() else { return None };
            let block = |&[ratio, heads]: &[u8; 2]| {
                let mlp_ratio = *supernet.mlp_ratios().get(usize::from(ratio))?;
                Some(Block { mlp_ratio, num_heads: *supernet.heads().get(usize::from(heads))? })
            };
            let blocks = genes.iter().map(block).collect::<Option<Vec<_>>>()?;
            Subnet::new(supernet, *supernet.embed_dims().get(usize::from(embed))?, blocks)
        };
        read().expect("an architecture of this supernet")
    }
}

impl Architecture for Subnet {
    /// As many genes as the blocks need: there are none for blocks that it has not.
    fn arch(&self) -> Arch {
        fn place<T: PartialEq>(values: &[T], value: &T) -> u8 {
            values.iter().position(|v| v == value).expect("subnets have nothing else") as u8
        }
        let supernet = self.supernet;
        let mut genes = vec![place(supernet.embed_dims(), &self.embed_dim)];
        for block in &self.blocks {
            genes.push(place(supernet.mlp_ratios(), &block.mlp_ratio));
            genes.push(place(supernet.heads(), &block.num_heads));
        }
        Arch::new(&genes)
    }

    fn to_json(&self) -> Value {
        let block = |block: &Block| json!({ "mlp_ratio": block.mlp_ratio, "num_heads": block.num_heads });
        let blocks: Vec<Value> = self.blocks.iter().map(block).collect();
        json!({ "embed_dim": self.embed_dim, "blocks": blocks })
    }

    /// The row of blocks.
    fn diagrams(&self) -> Vec<Diagram> {
        vec![network::diagram(self)]
    }
}
