//! What generated Swift calls, against what a header declares and a library exports; and what the
//! handwritten layer calls, against what was generated.

use std::collections::BTreeSet;

/// How the functions of UniFFI's scaffolding begin.
const PREFIXES: &[&str] = &["uniffi_tealight_ffi_", "ffi_tealight_ffi_"];

/// Names of scaffolding functions in a text.
fn functions(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
        .map(str::to_owned)
        .collect()
}

/// The functions that Swift calls.
pub(super) fn called(swift: &str) -> BTreeSet<String> {
    functions(&without_comments(swift))
}

fn without_comments(text: &str) -> String {
    let lines = text.lines();
    let lines = lines.map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Every function that Swift calls and the header does not declare, or the library does not have.
pub(super) fn unresolved(swift: &str, header: &str, exports: &BTreeSet<String>) -> Vec<String> {
    let declared = functions(&without_comments(header));
    let called = called(swift);
    if called.is_empty() {
        return vec!["the generated code calls nothing".to_owned()];
    }
    let undeclared = called.difference(&declared);
    let undeclared = undeclared.map(|name| format!("{name} is not in the header"));
    let missing = called.difference(exports);
    let missing = missing.map(|name| format!("{name} is not exported"));
    undeclared.chain(missing).collect()
}

/// How the handwritten layer names the module, and what it holds of its objects.
const OBJECTS: &[&str] = &["TealightGenerated", "native", "answering", "loading"];

/// Words that a declaration begins with.
const DECLARATIONS: &[&str] = &["case", "class", "enum", "func", "let", "struct", "var"];

/// What the handwritten layer asks of the generated code, and that code does not declare.
pub(super) fn undeclared(layer: &str, generated: &str) -> Vec<String> {
    let mut declared = BTreeSet::new();
    for line in generated.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.windows(2) {
            if DECLARATIONS.contains(&pair[0]) {
                declared.insert(identifier(pair[1]));
            }
        }
    }
    let mut asked = BTreeSet::new();
    let layer = without_comments(layer);
    for line in layer.lines() {
        let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
        for word in words {
            let parts: Vec<&str> = word.split('.').collect();
            for pair in parts.windows(2) {
                if OBJECTS.contains(&pair[0]) && !pair[1].is_empty() {
                    asked.insert(pair[1]);
                }
            }
        }
    }
    let unknown = asked.difference(&declared);
    unknown
        .map(|name| format!("the layer asks for {name}, which was not generated"))
        .collect()
}

/// The name that a text begins with.
fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWIFT: &str = "let x = uniffi_tealight_ffi_fn_func_load($0)\n\
        // uniffi_tealight_ffi_in_a_comment\n\
        ffi_tealight_ffi_rustbuffer_free(self, $0)";
    const HEADER: &str = "void*_Nonnull uniffi_tealight_ffi_fn_func_load(RustBuffer source);\n\
        void ffi_tealight_ffi_rustbuffer_free(RustBuffer buf);";

    fn exports(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn what_is_declared_and_exported_resolves() {
        let both = [
            "uniffi_tealight_ffi_fn_func_load",
            "ffi_tealight_ffi_rustbuffer_free",
        ];
        assert_eq!(unresolved(SWIFT, HEADER, &exports(&both)), [""; 0]);
    }

    #[test]
    fn what_the_layer_asks_for_has_to_be_generated() {
        let generated = "open class Chat: ChatProtocol {\n    open func send(text: String)\n\
            public struct Info {\n    public let name: String\n    case text(";
        let layer = "let chat: TealightGenerated.Chat // native.nothing\n\
            native.send(text: native.name)";
        assert_eq!(undeclared(layer, generated), [""; 0]);
        let layer = "self.native.sent(text: answering.nextEvent())";
        assert_eq!(
            undeclared(layer, generated),
            [
                "the layer asks for nextEvent, which was not generated",
                "the layer asks for sent, which was not generated",
            ]
        );
    }

    #[test]
    fn what_is_missing_is_named_with_where_it_is_missing() {
        let one = exports(&["uniffi_tealight_ffi_fn_func_load"]);
        let found = unresolved(SWIFT, "void other(void);", &one);
        assert_eq!(
            found,
            [
                "ffi_tealight_ffi_rustbuffer_free is not in the header",
                "uniffi_tealight_ffi_fn_func_load is not in the header",
                "ffi_tealight_ffi_rustbuffer_free is not exported",
            ]
        );
        assert_eq!(unresolved("", HEADER, &one).len(), 1);
    }
}
