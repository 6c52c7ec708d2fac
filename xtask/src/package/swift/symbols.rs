//! What generated Swift calls, against what a header declares and a library exports.

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
