//! Which texts the automata of schemas accept.

use tealight_core::constraint::{Automaton, State};

use super::{of_list, of_schema};

/// Whether a text is whole, may go on, or is ruled out.
#[derive(Debug, PartialEq)]
enum Fit {
    Whole,
    Begun,
    No,
}

fn fit(section: &[u8], text: &str) -> Fit {
    // Sections are aligned in a plan.
    let mut words = vec![0u32; section.len() / 4];
    bytemuck::cast_slice_mut::<u32, u8>(&mut words).copy_from_slice(section);
    let automaton = Automaton::cut(bytemuck::cast_slice(&words)).expect("it was just made");
    let state: Option<State> = automaton.walk(Automaton::START, text.as_bytes());
    match state {
        Some(state) if automaton.accepts(state) => Fit::Whole,
        Some(_) => Fit::Begun,
        None => Fit::No,
    }
}

#[track_caller]
fn check(section: &[u8], texts: &[(&str, Fit)]) {
    for (text, expected) in texts {
        assert_eq!(fit(section, text), *expected, "{text}");
    }
}

#[test]
fn a_schema_allows_compact_json_in_its_order() {
    let schema = br##"{
        "$defs": {"room": {"enum": ["kitchen", "hall", null]}},
        "anyOf": [
            {"type": "object", "additionalProperties": false, "required": ["zone", "level"],
             "properties": {"zone": {"$ref": "#/$defs/room"},
                            "level": {"type": "integer", "minimum": 0, "maximum": 100}}},
            {"properties": {"error": {"const": "unsupported"}}, "required": ["error"],
             "additionalProperties": false}
        ]
    }"##;
    check(
        &of_schema(schema).unwrap(),
        &[
            (r#"{"zone":"kitchen","level":0}"#, Fit::Whole),
            (r#"{"zone":null,"level":100}"#, Fit::Whole),
            (r#"{"zone":null,"level":101}"#, Fit::No),
            (r#"{"zone":null,"level":1"#, Fit::Begun),
            (r#"{"zone":"hall","level":01}"#, Fit::No),
            (r#"{"level":1"#, Fit::No),
            (r#"{"zone": "#, Fit::No),
            (r#"{"error":"unsupported"}"#, Fit::Whole),
            (r#"{"error":"unsupported"} "#, Fit::No),
            ("", Fit::Begun),
        ],
    );
}

#[test]
fn values_are_written_as_json_has_them() {
    let schema = br#"{"type": "array", "minItems": 1, "maxItems": 2,
        "items": {"type": ["string", "boolean", "number"], "maxLength": 3,
                  "minimum": 5, "maximum": 6, "multipleOf": 0.5}}"#;
    check(
        &of_schema(schema).unwrap(),
        &[
            (r#"["gr\u00f6\n"]"#, Fit::No),
            (r#"["gr\u00f6",true]"#, Fit::Whole),
            ("[\"größ\"]", Fit::No),
            ("[\"grö\"]", Fit::Whole),
            ("[\"a\nb\"]", Fit::No),
            (r#"["a"b"]"#, Fit::No),
            ("[5.5,6]", Fit::Whole),
            ("[5,6,5]", Fit::No),
            ("[5.0]", Fit::No),
            ("[]", Fit::No),
        ],
    );
    let numbers = of_schema(br#"{"type": "number"}"#).unwrap();
    check(
        &numbers,
        &[("-12.50", Fit::Whole), ("-", Fit::Begun), ("1e5", Fit::No)],
    );
}

#[test]
fn a_list_allows_its_lines() {
    let list = of_list("lamp on\nlamp off\r\n\nT\u{fc}r (1) zu.*\n").unwrap();
    check(
        &list,
        &[
            ("lamp on", Fit::Whole),
            ("lamp o", Fit::Begun),
            ("lamp off", Fit::Whole),
            ("T\u{fc}r (1) zu.*", Fit::Whole),
            ("T\u{fc}r (1) zu..", Fit::No),
        ],
    );
}

#[test]
fn what_cannot_be_an_automaton_is_said_with_its_place() {
    let cases: [(&str, &str); 9] = [
        ("{", "EOF"),
        (r#"{"type": "object"}"#, "#: an object needs properties"),
        (r#"{"pattern": "a"}"#, "unknown field `pattern`"),
        (r##"{"$ref": "#/$defs/x"}"##, "#: there is no #/$defs/x"),
        (
            r##"{"$ref": "#/$defs/x", "$defs": {"x": {"anyOf": [{"$ref": "#/$defs/x"}]}}}"##,
            "it refers to itself",
        ),
        (r#"{"enum": []}"#, "#: it allows nothing"),
        (
            r#"{"type": "integer", "minimum": 2, "maximum": 1}"#,
            "#: it allows nothing",
        ),
        (
            r#"{"type": "integer", "minimum": 0, "maximum": 99999}"#,
            "more than 10000 numbers",
        ),
        (
            r#"{"properties": {"a": {"type": "null"}}, "additionalProperties": false}"#,
            "#: all of its properties must be required",
        ),
    ];
    for (schema, expected) in cases {
        let error = of_schema(schema.as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{schema}: {error}");
    }
    assert_eq!(of_list(" \n").unwrap_err(), "it has no answers");
}
