use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::*;

/// A template with what `transformers` renders of it.
#[derive(Deserialize)]
struct Fixture {
    special_tokens: BTreeMap<String, String>,
    template: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    messages: Value,
    add_generation_prompt: bool,
    variables: Variables,
    expected: Option<String>,
    error: Option<String>,
}

fn differences(path: &Path) -> Vec<String> {
    let fixture: Fixture = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let template = match ChatTemplate::new(&fixture.template, fixture.special_tokens) {
        Ok(template) => template,
        Err(error) => return vec![error.to_string()],
    };
    let differ = |case: &Case| {
        let messages = case.messages.clone();
        let found = template.render_values(messages, case.add_generation_prompt, &case.variables);
        let same = match (&found, &case.expected, &case.error) {
            (Ok(found), Some(expected), _) => found == expected,
            (Err(TemplateError::Refused(reason)), _, Some(expected)) => reason == expected,
            // Python's own complaints are worded differently.
            (Err(TemplateError::Failed(_)), _, Some(_)) => true,
            _ => false,
        };
        let expected = case.expected.as_ref().or(case.error.as_ref());
        (!same).then(|| {
            format!(
                "{}:\n  found    {found:?}\n  expected {expected:?}",
                case.name
            )
        })
    };
    fixture.cases.iter().filter_map(differ).collect()
}

#[test]
fn templates_render_exactly_as_transformers_renders_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
    let mut tried = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let differences = differences(&path);
            assert!(
                differences.is_empty(),
                "{}: {}",
                path.display(),
                differences.join("\n")
            );
            tried += 1;
        }
    }
    assert!(tried >= 8, "only {tried} fixtures were found");
}

fn render(source: &str, value: serde_json::Value) -> Result<String, TemplateError> {
    let template = ChatTemplate::new(source, BTreeMap::new())?;
    template.render(&[], false, &BTreeMap::from([("x".to_owned(), value)]))
}

#[test]
fn json_has_the_bytes_of_python() {
    let value = serde_json::json!({
        "b": [1, -2.5, 1.0, 1e16, 1e-5, 0.0001, true, null], "a": "é\"\\\n\u{7f}\u{1}<&'", "e": [], "o": {}
    });
    let plain = r#"{"b": [1, -2.5, 1.0, 1e+16, 1e-05, 0.0001, true, null], "a": "é\"\\\n"#
        .to_owned()
        + "\u{7f}"
        + r#"\u0001<&'", "e": [], "o": {}}"#;
    assert_eq!(render("{{ x | tojson }}", value).unwrap(), plain);
    let value = serde_json::json!({"b": [1, {"c": "😀"}], "a": {}});
    assert_eq!(
        render("{{ x | tojson(indent=2) }}", value.clone()).unwrap(),
        "{\n  \"b\": [\n    1,\n    {\n      \"c\": \"😀\"\n    }\n  ],\n  \"a\": {}\n}"
    );
    assert_eq!(
        render(
            "{{ x | tojson(sort_keys=true, separators=(',', ':')) }}",
            value.clone()
        )
        .unwrap(),
        "{\"a\":{},\"b\":[1,{\"c\":\"😀\"}]}"
    );
    assert_eq!(
        render("{{ x.b | tojson(ensure_ascii=true) }}", value).unwrap(),
        "[1, {\"c\": \"\\ud83d\\ude00\"}]"
    );
}

#[test]
fn what_a_template_raises_is_told_in_its_own_words() {
    let error = render("{{ raise_exception('Roles must alternate') }}", ().into()).unwrap_err();
    assert!(matches!(error, TemplateError::Refused(reason) if reason == "Roles must alternate"));
}

#[test]
fn python_methods_work_on_strings_and_dictionaries() {
    let value = serde_json::json!({"s": "a-b-c", "k": 1});
    let cases = [
        ("{{ x.s.split('-')[-1] }}", "c"),
        ("{{ x.s.rsplit('-', 1)[0] }}", "a-b"),
        (
            "{{ x.s.removeprefix('a-') ~ x.s.removesuffix('-c') }}",
            "b-ca-b",
        ),
        (
            "{{ x.s.partition('-')[2] }} {{ x.s.rpartition('-')[1] }}",
            "b-c -",
        ),
        ("{{ x.s.index('b') }} {{ x.s.find('z') }}", "2 -1"),
        (
            "{{ x.get('k') }} {{ x.get('z') }} {{ x.get('z', 2) }}",
            "1 None 2",
        ),
        (
            "{% for key, value in x.items() %}{{ key }}={{ value }};{% endfor %}",
            "s=a-b-c;k=1;",
        ),
        (
            "{% for i in [1, 2, 3] %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{% endfor %}",
            "13",
        ),
        (
            "{{ none is iterable }} {{ 1 is iterable }} {{ 'a' is iterable }}",
            "False False True",
        ),
        ("{{ [true, none, 'a'] }}", "[True, None, 'a']"),
        ("{% generation %}a{%- endgeneration -%} b", "ab"),
    ];
    for (source, expected) in cases {
        assert_eq!(render(source, value.clone()).unwrap(), expected, "{source}");
    }
}

#[test]
fn a_template_cannot_run_forever() {
    let loops =
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}";
    assert!(matches!(
        render(loops, ().into()),
        Err(TemplateError::Failed(_))
    ));
}

#[test]
fn a_broken_template_is_a_syntax_error() {
    assert!(matches!(
        render("{% if %}", ().into()),
        Err(TemplateError::Syntax(_))
    ));
}
