//! Names in Python.

use std::fmt::Write;

use super::norm::SAMPLE_NORM;

/// Words that are no names.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Names that a file has for something else than the classes of its modules.
const OF_FILE: [&str; 3] = ["F", NETWORK, SAMPLE_NORM];

/// The class of the network itself.
pub(super) const NETWORK: &str = "Network";

/// What every `nn.Module` has (of PyTorch 2.15), but for names that are underlined on both sides.
#[rustfmt::skip]
const OF_MODULES: [&str; 86] = [
    "T_destination", "_apply", "_backward_hooks", "_backward_pre_hooks", "_buffers", "_call_impl",
    "_compiled_call_impl", "_forward_hooks", "_forward_hooks_always_called", "_forward_hooks_with_kwargs",
    "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_get_backward_hooks",
    "_get_backward_pre_hooks", "_get_name", "_is_full_backward_hook", "_load_from_state_dict",
    "_load_state_dict_post_hooks", "_load_state_dict_pre_hooks", "_maybe_warn_non_full_backward_hook",
    "_modules", "_named_members", "_non_persistent_buffers_set", "_parameters",
    "_register_load_state_dict_pre_hook", "_register_state_dict_hook", "_replicate_for_data_parallel",
    "_save_to_state_dict", "_slow_forward", "_state_dict_hooks", "_state_dict_pre_hooks", "_version",
    "_wrapped_call_impl", "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children",
    "compile", "cpu", "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward",
    "get_buffer", "get_extra_state", "get_parameter", "get_submodule", "half", "ipu", "load_state_dict",
    "modules", "mtia", "named_buffers", "named_children", "named_modules", "named_parameters",
    "parameters", "register_backward_hook", "register_buffer", "register_forward_hook",
    "register_forward_pre_hook", "register_full_backward_hook", "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook", "register_module",
    "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook",
    "requires_grad_", "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty",
    "train", "training", "type", "xpu", "zero_grad",
];

/// What an `nn.ModuleDict` has besides.
const OF_GROUPS: [&str; 6] = ["clear", "items", "keys", "pop", "update", "values"];

/// Whether PyTorch cannot have a member of that name in a module, or in a dictionary of modules.
pub(super) fn is_taken(name: &str, in_group: bool) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
        || OF_MODULES.contains(&name)
        || in_group && OF_GROUPS.contains(&name)
}

/// A member of what the code calls `owner`: a parameter, or a module.
pub(super) fn member(owner: &str, name: &str, is_param: bool) -> String {
    let get = if is_param { "get_parameter" } else { "get_submodule" };
    if is_attribute(name) { format!("{owner}.{name}") } else { format!("{owner}.{get}({})", quoted(name)) }
}

/// Whether a name can follow `self.` and mean what it says: two underscores have a class's name put before
/// them.
pub(super) fn is_attribute(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !name.starts_with("__");
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !KEYWORDS.contains(&name)
}

/// A string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => write!(out, "\\x{:02x}", u32::from(c)).expect("a String takes any text"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A class for the module of that path, named like none of those that are there: `Cell3Preprocess0` for
/// `cells.3.preprocess0`.
pub(super) fn class(path: &str, is_there: impl Fn(&str) -> bool) -> String {
    let mut name = String::new();
    for part in path.split('.') {
        // A number follows the singular.
        if part.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with('s') {
            name.pop();
        }
        for word in part.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            name.extend(letters);
        }
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert_str(0, "Module");
    }
    while OF_FILE.contains(&name.as_str()) || KEYWORDS.contains(&name.as_str()) || is_there(&name) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashSet;

    use super::{KEYWORDS, class, is_attribute, is_taken, member, quoted};

    #[test]
    fn classes_have_names_of_their_own() {
        let known = RefCell::new(HashSet::new());
        for (path, expected) in [
            ("cells.3.preprocess0", "Cell3Preprocess0"),
            ("cell3.preprocess0", "Cell3Preprocess0_"),
            ("cell_3.preprocess0", "Cell3Preprocess0__"),
            ("0", "Module0"),
            ("0.block", "Module0Block"),
            ("2d-conv", "Module2dConv"),
            ("network", "Network_"),
            ("net.work", "NetWork"),
            ("f", "F_"),
            ("f.0", "F0"),
            ("nn", "Nn"),
            ("torch", "Torch"),
            ("none", "None_"),
            ("true", "True_"),
            ("class", "Class"),
            ("größe", "GrE"),
            ("ß", "Module"),
            ("", "Module_"),
            ("_", "Module__"),
            ("a\"b\n", "AB"),
        ] {
            let name = class(path, |name| known.borrow().contains(name));
            assert_eq!(name, expected, "{path}");
            assert!(is_attribute(&name), "{name}");
            assert!(known.borrow_mut().insert(name));
        }
    }

    #[test]
    fn members_are_attributes_where_python_lets_them() {
        for (name, expected) in [
            ("stem", "self.stem"),
            ("_ops", "self._ops"),
            ("F", "self.F"),
            ("nn", "self.nn"),
            ("torch", "self.torch"),
            ("match", "self.match"),
            ("0", r#"self.get_submodule("0")"#),
            ("3x3", r#"self.get_submodule("3x3")"#),
            ("lambda", r#"self.get_submodule("lambda")"#),
            ("None", r#"self.get_submodule("None")"#),
            ("__hidden", r#"self.get_submodule("__hidden")"#),
            ("größe", r#"self.get_submodule("größe")"#),
            ("a b", r#"self.get_submodule("a b")"#),
            (r#"a"b\"#, r#"self.get_submodule("a\"b\\")"#),
            ("line\nend\0\u{85}", r#"self.get_submodule("line\x0aend\x00\x85")"#),
        ] {
            assert_eq!(member("self", name, false), expected);
        }
        assert_eq!(member("self.a", "is", true), r#"self.a.get_parameter("is")"#);
        assert!(KEYWORDS.iter().all(|word| !is_attribute(word)));
        assert_eq!(quoted(""), r#""""#);
    }

    #[test]
    fn what_modules_have_cannot_be_a_member() {
        for name in ["forward", "type", "_modules", "training", "__init__", "__dict__"] {
            assert!(is_taken(name, false) && is_taken(name, true), "{name}");
        }
        for name in ["stem", "__hidden", "____", "lambda", "0"] {
            assert!(!is_taken(name, false) && !is_taken(name, true), "{name}");
        }
        assert!(is_taken("keys", true) && !is_taken("keys", false));
    }
}
