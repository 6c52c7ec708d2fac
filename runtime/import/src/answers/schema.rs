//! From a JSON schema to a regular expression.
//!
//! Of <https://json-schema.org/draft/2020-12> these keywords are known: `type`, `enum` and
//! `const` (of values that are neither objects nor arrays), `anyOf`, `oneOf` (as `anyOf`),
//! `$ref` to `$defs`, `properties`, `required`, `additionalProperties: false`, `items`,
//! `minItems`, `maxItems`, `maxLength`, `minimum`, `maximum` and `multipleOf`. Another keyword is
//! an error, unless it only describes.
//!
//! Answers are compact JSON with the properties in the order of the schema, all of them: a
//! regular expression cannot count which ones were there. Numbers between bounds are those that
//! `multipleOf` allows (1 unless it says otherwise), written without a needless fraction.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::automaton::{any_of, literal};

/// Most numbers between a minimum and a maximum.
const MOST_NUMBERS: f64 = 10_000.0;
/// How deep schemas refer to others: those that refer to themselves have no regular expression.
const DEEPEST: usize = 32;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "$defs", default)]
    definitions: IndexMap<String, Schema>,
    #[serde(rename = "type")]
    kinds: Option<Kinds>,
    #[serde(rename = "enum")]
    values: Option<Vec<Value>>,
    #[serde(rename = "const")]
    value: Option<Value>,
    any_of: Option<Vec<Schema>>,
    one_of: Option<Vec<Schema>>,
    properties: Option<IndexMap<String, Schema>>,
    required: Option<Vec<String>>,
    additional_properties: Option<bool>,
    items: Option<Box<Schema>>,
    min_items: Option<usize>,
    max_items: Option<usize>,
    max_length: Option<usize>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    multiple_of: Option<f64>,
    // What only describes.
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    #[serde(rename = "$id")]
    _id: Option<String>,
    #[serde(rename = "$comment")]
    _comment: Option<String>,
    #[serde(rename = "title")]
    _title: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "default")]
    _default: Option<Value>,
    #[serde(rename = "examples")]
    _examples: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Kinds {
    One(Kind),
    Any(Vec<Kind>),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// The pattern of the values that a schema allows.
pub(super) fn pattern(json: &[u8]) -> Result<String, String> {
    let root: Schema = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    Patterns { root: &root }.of(&root, "#", 0)
}

struct Patterns<'s> {
    root: &'s Schema,
}

impl Patterns<'_> {
    /// Of the schema at `place`.
    fn of(&self, schema: &Schema, place: &str, depth: usize) -> Result<String, String> {
        if depth > DEEPEST {
            return Err(format!("{place}: it refers to itself, or too deep"));
        }
        if let Some(reference) = &schema.reference {
            let name = reference.strip_prefix("#/$defs/");
            let found = name.and_then(|name| self.root.definitions.get(name));
            let found = found.ok_or_else(|| format!("{place}: there is no {reference}"))?;
            return self.of(found, reference, depth + 1);
        }
        if let Some(value) = &schema.value {
            return scalar(value, place);
        }
        if let Some(values) = &schema.values {
            let values = values.iter().map(|value| scalar(value, place));
            return alternatives(values.collect::<Result<_, _>>()?, place);
        }
        if let Some(schemas) = schema.any_of.as_ref().or(schema.one_of.as_ref()) {
            let one = |(i, one)| self.of(one, &format!("{place}/anyOf/{i}"), depth + 1);
            let all = schemas.iter().enumerate().map(one);
            return alternatives(all.collect::<Result<_, _>>()?, place);
        }
        let kinds = match &schema.kinds {
            Some(Kinds::One(kind)) => std::slice::from_ref(kind),
            Some(Kinds::Any(kinds)) => kinds,
            None if schema.properties.is_some() => &[Kind::Object],
            None => return Err(format!("{place}: it does not say what is allowed")),
        };
        let all = kinds
            .iter()
            .map(|kind| self.kind(schema, *kind, place, depth));
        alternatives(all.collect::<Result<_, _>>()?, place)
    }

    fn kind(
        &self,
        schema: &Schema,
        kind: Kind,
        place: &str,
        depth: usize,
    ) -> Result<String, String> {
        match kind {
            Kind::Null => Ok("null".into()),
            Kind::Boolean => Ok("(?:true|false)".into()),
            Kind::Integer => numbers(schema, "", place),
            Kind::Number => numbers(schema, r"(?:\.[0-9]+)?", place),
            Kind::String => {
                let count = schema
                    .max_length
                    .map_or("*".into(), |most| format!("{{0,{most}}}"));
                // No control characters, and the escapes that JSON has for what is left.
                Ok(format!(
                    r#""(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{{4}}){count}""#
                ))
            }
            Kind::Array => self.array(schema, place, depth),
            Kind::Object => self.object(schema, place, depth),
        }
    }

    fn array(&self, schema: &Schema, place: &str, depth: usize) -> Result<String, String> {
        let Some(items) = &schema.items else {
            return Err(format!("{place}: an array needs items"));
        };
        let item = self.of(items, &format!("{place}/items"), depth + 1)?;
        let least = schema.min_items.unwrap_or(0);
        let more = |count: usize| count.saturating_sub(1);
        let many = match schema.max_items {
            Some(0) => return Ok(r"\[\]".into()),
            Some(most) if most < least => {
                return Err(format!("{place}: maxItems is less than minItems"));
            }
            Some(most) => format!("(?:,{item}){{{},{}}}", more(least), more(most)),
            None => format!("(?:,{item}){{{},}}", more(least)),
        };
        let maybe = if least == 0 { "?" } else { "" };
        Ok(format!(r"\[(?:{item}{many}){maybe}\]"))
    }

    fn object(&self, schema: &Schema, place: &str, depth: usize) -> Result<String, String> {
        let Some(properties) = &schema.properties else {
            return Err(format!("{place}: an object needs properties"));
        };
        if schema.additional_properties != Some(false) {
            return Err(format!("{place}: say \"additionalProperties\": false"));
        }
        let required = schema.required.as_deref().unwrap_or_default();
        let same = required.len() == properties.len()
            && required.iter().all(|name| properties.contains_key(name));
        if !same {
            return Err(format!("{place}: all of its properties must be required"));
        }
        let mut fields = Vec::new();
        for (name, value) in properties {
            let value = self.of(value, &format!("{place}/properties/{name}"), depth + 1)?;
            fields.push(format!(
                "{}:{value}",
                literal(&Value::from(&**name).to_string())
            ));
        }
        Ok(format!(r"\{{{}\}}", fields.join(",")))
    }
}

/// A value that is written in one way.
fn scalar(value: &Value, place: &str) -> Result<String, String> {
    match value {
        Value::Array(_) | Value::Object(_) => Err(format!(
            "{place}: enum and const must be neither objects nor arrays"
        )),
        value => Ok(literal(&value.to_string())),
    }
}

fn alternatives(patterns: Vec<String>, place: &str) -> Result<String, String> {
    match patterns.is_empty() {
        true => Err(format!("{place}: it allows nothing")),
        false => Ok(any_of(patterns)),
    }
}

/// Numbers, with this pattern for a fraction where there are no bounds.
fn numbers(schema: &Schema, fraction: &str, place: &str) -> Result<String, String> {
    let (least, most) = match (schema.minimum, schema.maximum, schema.multiple_of) {
        (Some(least), Some(most), _) => (least, most),
        (None, None, None) => return Ok(format!("-?(?:0|[1-9][0-9]*){fraction}")),
        _ => return Err(format!("{place}: numbers need both minimum and maximum")),
    };
    let step = schema.multiple_of.unwrap_or(1.0);
    let (first, last) = ((least / step).ceil(), (most / step).floor());
    if !(step > 0.0 && last - first < MOST_NUMBERS) {
        return Err(format!(
            "{place}: more than {MOST_NUMBERS} numbers are allowed"
        ));
    }
    if !fraction.is_empty() || step.fract() == 0.0 {
        let count = (last - first).max(-1.0) as u32;
        let numbers = (0..=count).map(|i| f64::from(i) + first);
        // As JSON writes it: what is whole has no fraction.
        let numbers = numbers.map(|n| literal(&(n * step).to_string()));
        return alternatives(
            if last < first {
                vec![]
            } else {
                numbers.collect()
            },
            place,
        );
    }
    Err(format!("{place}: integers are no multiples of {step}"))
}
