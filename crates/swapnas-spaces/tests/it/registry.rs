//! What holds for the list of spaces.

use std::collections::HashSet;

use swapnas_spaces::{by_name, spaces};

#[test]
fn names_are_unique_and_found() {
    let names: HashSet<&str> = spaces().iter().map(|space| space.name()).collect();
    assert_eq!(names.len(), spaces().len());
    for space in spaces() {
        assert_eq!(by_name(space.name()).unwrap().name(), space.name());
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(space.name().chars().all(plain), "{} is easy to type", space.name());
    }
}

#[test]
fn spaces_are_documented() {
    for space in spaces() {
        let line = space.description();
        assert!((20..=100).contains(&line.len()) && !line.ends_with('.'), "{line}");
        assert!(space.size() > 1);
        let default = space.default_network();
        assert_eq!(space.presets()[0], default.preset, "the default of {} comes first", space.name());
        for &preset in space.presets() {
            let config = swapnas_spaces::NetworkConfig { preset, ..default };
            let words = space.describe(&config);
            assert!(words.starts_with(&format!("{preset}: ")), "{words}");
            let input = match space.vocabulary() {
                Some(_) => format!("{} tokens", default.input.width),
                None => default.input.to_string(),
            };
            assert!(words.ends_with(&format!(", {input}, {} classes", default.classes)), "{words}");
        }
    }
}

#[test]
fn all_spaces_have_json_and_describe_their_encodings() {
    for space in spaces() {
        let encodings = space.encodings();
        assert!(encodings.iter().any(|encoding| encoding.name == "json"), "{} has no JSON", space.name());
        assert!(encodings.iter().all(|encoding| encoding.description.len() > 20), "{}", space.name());
    }
}
