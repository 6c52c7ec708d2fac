//! Python's methods on strings, lists and dictionaries that templates call.

use minijinja::value::{ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

/// Calls a method that values do not have by themselves.
pub(super) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match (value.kind(), value.as_str()) {
        (ValueKind::String, Some(text)) => match method {
            "removeprefix" => {
                let (prefix,): (&str,) = from_args(args)?;
                Ok(Value::from(text.strip_prefix(prefix).unwrap_or(text)))
            }
            "removesuffix" => {
                let (suffix,): (&str,) = from_args(args)?;
                Ok(Value::from(text.strip_suffix(suffix).unwrap_or(text)))
            }
            "rsplit" => {
                let (separator, most): (&str, Option<usize>) = from_args(args)?;
                Ok(rsplit(text, separator, most)
                    .into_iter()
                    .map(Value::from)
                    .collect())
            }
            "partition" => {
                let (separator,): (&str,) = from_args(args)?;
                let (before, after) = text.split_once(separator).unwrap_or((text, ""));
                let found = &text[before.len()..text.len() - after.len()];
                Ok([before, found, after]
                    .into_iter()
                    .map(Value::from)
                    .collect())
            }
            "rpartition" => {
                let (separator,): (&str,) = from_args(args)?;
                let (before, after) = text.rsplit_once(separator).unwrap_or(("", text));
                let found = &text[before.len()..text.len() - after.len()];
                Ok([before, found, after]
                    .into_iter()
                    .map(Value::from)
                    .collect())
            }
            "index" => {
                let (part,): (&str,) = from_args(args)?;
                match text.find(part) {
                    Some(at) => Ok(Value::from(text[..at].chars().count())),
                    None => Err(Error::new(
                        ErrorKind::InvalidOperation,
                        "substring not found",
                    )),
                }
            }
            _ => pycompat::unknown_method_callback(state, value, method, args),
        },
        _ => pycompat::unknown_method_callback(state, value, method, args),
    }
}

fn rsplit<'t>(text: &'t str, separator: &str, most: Option<usize>) -> Vec<&'t str> {
    let mut parts: Vec<&str> = match most {
        Some(most) => text.rsplitn(most + 1, separator).collect(),
        None => text.rsplit(separator).collect(),
    };
    parts.reverse();
    parts
}
