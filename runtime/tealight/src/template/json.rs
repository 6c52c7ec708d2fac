//! The filter `tojson`, with the bytes of Python's `json.dumps`.

use std::fmt::Write;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value};

/// How `json.dumps` was asked to write.
struct Style {
    ensure_ascii: bool,
    /// Spaces that each level is moved in by; on one line if there is none.
    indent: Option<usize>,
    between_items: String,
    after_key: String,
    sort_keys: bool,
}

/// `value | tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`
pub(super) fn filter(
    value: &Value,
    ensure_ascii: Option<bool>,
    options: Kwargs,
) -> Result<Value, Error> {
    let named_ascii: Option<bool> = options.get("ensure_ascii")?;
    let indent: Option<Option<usize>> = options.get("indent")?;
    let separators: Option<Value> = options.get("separators")?;
    let sort_keys: Option<bool> = options.get("sort_keys")?;
    options.assert_all_used()?;
    let indent = indent.flatten();
    let mut style = Style {
        ensure_ascii: ensure_ascii.or(named_ascii).unwrap_or(false),
        indent,
        between_items: if indent.is_some() { "," } else { ", " }.into(),
        after_key: ": ".into(),
        sort_keys: sort_keys.unwrap_or(false),
    };
    if let Some(separators) = separators.filter(|value| !value.is_none()) {
        style.between_items = separators.get_item_by_index(0)?.to_string();
        style.after_key = separators.get_item_by_index(1)?.to_string();
    }
    let mut out = String::new();
    write_value(&style, value, 0, &mut out)?;
    Ok(Value::from(out))
}

fn write_value(style: &Style, value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number if value.is_integer() => out.push_str(&value.to_string()),
        ValueKind::Number => out.push_str(&float(f64::try_from(value.clone())?)),
        ValueKind::String => write_string(style, value.as_str().unwrap_or_default(), out),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            write_all(style, ['[', ']'], items, depth, out, |item, out| {
                write_value(style, &item, depth + 1, out)
            })?;
        }
        ValueKind::Map => {
            let mut keys: Vec<Value> = value.try_iter()?.collect();
            if style.sort_keys {
                keys.sort();
            }
            write_all(style, ['{', '}'], keys, depth, out, |key, out| {
                write_string(style, &key.to_string(), out);
                out.push_str(&style.after_key);
                write_value(style, &value.get_item(&key)?, depth + 1, out)
            })?;
        }
        kind => {
            let message = format!("a value of type {kind} cannot be written as JSON");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
    }
    Ok(())
}

/// Writes a list or a map.
fn write_all(
    style: &Style,
    [open, close]: [char; 2],
    items: Vec<Value>,
    depth: usize,
    out: &mut String,
    write: impl Fn(Value, &mut String) -> Result<(), Error>,
) -> Result<(), Error> {
    out.push(open);
    let any = !items.is_empty();
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(&style.between_items);
        }
        new_line(style, depth + 1, out);
        write(item, out)?;
    }
    if any {
        new_line(style, depth, out);
    }
    out.push(close);
    Ok(())
}

fn new_line(style: &Style, depth: usize, out: &mut String) {
    if let Some(indent) = style.indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * depth));
    }
}

/// A float as Python's `repr` has it: an exponent below 1e-4 and from 1e16 on.
fn float(x: f64) -> String {
    if x.is_nan() {
        "NaN".into()
    } else if x.is_infinite() {
        if x > 0.0 { "Infinity" } else { "-Infinity" }.into()
    } else if x == 0.0 || (1e-4..1e16).contains(&x.abs()) {
        format!("{x:?}")
    } else {
        let text = format!("{x:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        format!(
            "{digits}e{}{:02}",
            if exponent < 0 { '-' } else { '+' },
            exponent.abs()
        )
    }
}

fn write_string(style: &Style, text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || (style.ensure_ascii && !c.is_ascii()) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
