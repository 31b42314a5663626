use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::diagram::Diagram;
use crate::json::Field;
use crate::text::{Cursor, tuple};
use crate::{Arch, Architecture, ParseError, json};

/// What the first block of a module changes, in the order of the digits 1 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    /// Nothing.
    Plain,
    /// Twice the channels.
    Widen,
    /// Half the image size.
    Shrink,
    /// Both.
    WidenShrink,
}

impl Module {
    /// All modules, each in its place.
    pub const ALL: [Module; 4] = [Module::Plain, Module::Widen, Module::Shrink, Module::WidenShrink];

    /// The digit, 1 to 4.
    pub const fn digit(self) -> u8 {
        self as u8 + 1
    }

    /// Whether the channels double.
    pub const fn widens(self) -> bool {
        matches!(self, Module::Widen | Module::WidenShrink)
    }

    /// Whether the image shrinks.
    pub const fn shrinks(self) -> bool {
        matches!(self, Module::Shrink | Module::WidenShrink)
    }
}

/// Four to six modules, of which one to four shrink the image and one to three double the channels.
///
/// ```
/// use swapnas_spaces::transnas::{Module, Skeleton};
///
/// let skeleton: Skeleton = "64-1234-basic".parse()?;
/// assert!(skeleton.modules()[3].widens() && skeleton.modules()[3].shrinks());
/// assert_eq!(Skeleton::new(&[Module::Plain; 4]), None);
/// # Ok::<(), swapnas_spaces::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Skeleton(Vec<Module>);

impl Skeleton {
    /// The most modules there may be.
    pub const MAX_MODULES: usize = 6;

    /// The skeleton with these modules, or `None` if there are too few or too many of a kind.
    pub fn new(modules: &[Module]) -> Option<Self> {
        flaw(modules).is_none().then(|| Skeleton(modules.to_vec()))
    }

    /// The modules, first to last.
    pub fn modules(&self) -> &[Module] {
        &self.0
    }

    /// All 3,256 skeletons, short ones first.
    pub fn all() -> &'static [Skeleton] {
        static ALL: LazyLock<Vec<Skeleton>> = LazyLock::new(|| {
            let mut all = Vec::new();
            let mut level = vec![Vec::new()];
            for _ in 0..Skeleton::MAX_MODULES {
                let longer =
                    |modules: &Vec<Module>| Module::ALL.map(|module| [&modules[..], &[module]].concat());
                level = level.iter().flat_map(longer).collect();
                all.extend(level.iter().filter_map(|modules| Skeleton::new(modules)));
            }
            all
        });
        &ALL
    }

    /// The digits, padded with zeros to six, as NASLib has them.
    pub(super) fn print_naslib(&self) -> String {
        let digits = self.0.iter().map(|module| module.digit().into());
        tuple(digits.chain(std::iter::repeat(0)).take(Skeleton::MAX_MODULES))
    }

    pub(super) fn from_json(value: &Value) -> Result<Self, ParseError> {
        let list = Field::object(value, &["modules"])?.get("modules")?;
        let digits = list.items("modules")?;
        let module = |field: &Field<'_>| Ok(Module::ALL[field.number("a module", 1..=4)? - 1]);
        let modules = digits.iter().map(module).collect::<Result<Vec<_>, _>>()?;
        match flaw(&modules) {
            None => Ok(Skeleton(modules)),
            Some((expected, found)) => Err(ParseError { found: found.to_string(), ..list.error(expected) }),
        }
    }
}

/// What is wrong with the modules: what a skeleton needs, and how many there are.
fn flaw(modules: &[Module]) -> Option<(&'static str, usize)> {
    let number = |has: fn(Module) -> bool| modules.iter().filter(|&&module| has(module)).count();
    let (all, shrinking, widening) = (modules.len(), number(Module::shrinks), number(Module::widens));
    if !(4..=Skeleton::MAX_MODULES).contains(&all) {
        Some(("4 to 6 modules", all))
    } else if !(1..=4).contains(&shrinking) {
        Some(("1 to 4 modules that shrink the image (3 or 4)", shrinking))
    } else if !(1..=3).contains(&widening) {
        Some(("1 to 3 modules that double the channels (2 or 4)", widening))
    } else {
        None
    }
}

/// As the benchmark writes it: `64-1234-basic`.
impl fmt::Display for Skeleton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64-")?;
        for module in &self.0 {
            write!(f, "{}", module.digit())?;
        }
        f.write_str("-basic")
    }
}

impl FromStr for Skeleton {
    type Err = ParseError;

    /// Reads any encoding of the space.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if json::is_object(text) {
            return Skeleton::from_json(&json::read(text)?);
        }
        let mut c = Cursor::new(text);
        let mut modules = Vec::new();
        let mut start = match c.peek() {
            Some('(' | '[') => {
                let close = c.open("six modules")?;
                let start = c.clone();
                c.items::<_, { Skeleton::MAX_MODULES }>(close, |c, place| {
                    if modules.len() < place && c.peek() != Some('0') {
                        return Err(c.error("0, as behind every 0"));
                    }
                    let digit = c.number("a module", 0..=4)?;
                    modules.extend(digit.checked_sub(1).map(|module| Module::ALL[module]));
                    Ok(())
                })?;
                start
            }
            Some('0'..='9') => {
                c.expect("64-")?;
                let start = c.clone();
                while c.peek().is_some_and(|next| next.is_ascii_digit()) {
                    modules.push(Module::ALL[c.digit("a module", 1..=4)? - 1]);
                }
                c.expect("-basic")?;
                start
            }
            _ => return Err(c.error("`64-1234-basic`, six numbers `(...)` or a JSON object")),
        };
        c.end()?;
        match flaw(&modules) {
            None => Ok(Skeleton(modules)),
            Some((expected, found)) => Err(ParseError { found: found.to_string(), ..start.error(expected) }),
        }
    }
}

impl Architecture for Skeleton {
    fn arch(&self) -> Arch {
        let genes: Vec<u8> = self.0.iter().map(|&module| module as u8).collect();
        Arch::new(&genes)
    }

    fn to_json(&self) -> Value {
        let digits: Vec<u8> = self.0.iter().map(|module| module.digit()).collect();
        json!({ "modules": digits })
    }

    /// The row of modules, with their output channels.
    fn diagrams(&self) -> Vec<Diagram> {
        let mut channels = 64;
        let modules = self.0.iter().map(|module| {
            channels *= if module.widens() { 2 } else { 1 };
            let stride = if module.shrinks() { "\nstride 2" } else { "" };
            format!("2 × basic\n{channels} channels{stride}")
        });
        let stem = "stem\n64 channels\nstride 4".to_owned();
        vec![Diagram::chain("modules", [stem].into_iter().chain(modules))]
    }
}

/// Panics if the architecture is one of another space.
impl From<&Arch> for Skeleton {
    fn from(arch: &Arch) -> Skeleton {
        let module = |&gene: &u8| Module::ALL.get(usize::from(gene)).copied();
        let modules: Option<Vec<Module>> = arch.genes().iter().map(module).collect();
        modules.and_then(|m| Skeleton::new(&m)).expect("an architecture of the space transnas-macro")
    }
}
