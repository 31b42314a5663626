use std::fmt;
use std::sync::Arc;

/// An architecture of some space, as a short string of genes.
///
/// Only the space it comes from knows what the genes mean; everyone else can compare, hash, sort
/// and keep architectures of every space alike. Cloning is cheap. Two architectures that are equal
/// are written alike; two that compute the same function need not be equal, see
/// [`Space::canonical`](crate::Space::canonical).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arch(Arc<[u8]>);

impl Arch {
    /// The architecture with these genes. For implementations of [`Space`](crate::Space): the
    /// others get architectures by [parsing](crate::Space::parse) or
    /// [sampling](crate::Space::sample).
    pub fn new(genes: &[u8]) -> Self {
        Arch(genes.into())
    }

    /// The genes, whose meaning is the space's own affair.
    pub fn genes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Arch(")?;
        for gene in self.genes() {
            write!(f, "{gene:02x}")?;
        }
        f.write_str(")")
    }
}
