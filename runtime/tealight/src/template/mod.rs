//! The model's own chat template: messages to the text that the model was trained on.
//!
//! Templates are Jinja as `transformers` runs it, and render exactly the same text here:
//! Python's methods on strings and dictionaries, its JSON, `raise_exception`, `strftime_now`,
//! loop controls, and blocks trimmed on both sides.

mod date;
mod json;
mod methods;

use std::collections::BTreeMap;
use std::time::SystemTime;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Value};
use serde::Serialize;

/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// Instructions for the whole conversation.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A message of anyone.
    pub fn new(role: Role, content: impl Into<String>) -> Message {
        Message {
            role,
            content: content.into(),
        }
    }

    /// Instructions for the whole conversation.
    pub fn system(content: impl Into<String>) -> Message {
        Message::new(Role::System, content)
    }

    /// Something the person says.
    pub fn user(content: impl Into<String>) -> Message {
        Message::new(Role::User, content)
    }

    /// Something the model says.
    pub fn assistant(content: impl Into<String>) -> Message {
        Message::new(Role::Assistant, content)
    }
}

/// Values that a template sees beside the messages, such as `enable_thinking`.
pub type Variables = BTreeMap<String, serde_json::Value>;

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// It is not valid Jinja, or uses something that is not supported.
    #[error("the chat template cannot be read: {0}")]
    Syntax(#[source] minijinja::Error),
    /// It refuses these messages; the reason is its own.
    #[error("the chat template refuses the conversation: {0}")]
    Refused(String),
    /// It failed while it ran.
    #[error("the chat template failed: {0}")]
    Failed(#[source] minijinja::Error),
}

/// A chat template, ready to render.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    special_tokens: BTreeMap<String, String>,
}

const NAME: &str = "chat_template";
/// Marks errors that a template raises itself.
const RAISED: &str = "raised by the template: ";
/// Most instructions that one rendering may take.
const FUEL: u64 = 10_000_000;

impl ChatTemplate {
    /// Reads a template. `special_tokens` are its variables `bos_token`, `eos_token` and so on.
    pub fn new(
        source: &str,
        special_tokens: BTreeMap<String, String>,
    ) -> Result<ChatTemplate, TemplateError> {
        let mut environment = Environment::new();
        let mut syntax = SyntaxConfig::builder();
        let syntax = syntax.trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(TemplateError::Syntax)?);
        environment.set_fuel(Some(FUEL));
        environment.set_unknown_method_callback(methods::call);
        environment.add_filter("tojson", json::filter);
        environment.add_test("iterable", is_iterable);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment
            .add_template_owned(NAME, without_generation_marks(source))
            .map_err(TemplateError::Syntax)?;
        Ok(ChatTemplate {
            environment,
            special_tokens,
        })
    }

    /// The text of a conversation; with `add_generation_prompt`, up to where the model's next
    /// message begins.
    pub fn render(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
        variables: &Variables,
    ) -> Result<String, TemplateError> {
        self.render_values(
            Value::from(Serde(messages)),
            add_generation_prompt,
            variables,
        )
    }

    fn render_values(
        &self,
        messages: Value,
        add_generation_prompt: bool,
        variables: &Variables,
    ) -> Result<String, TemplateError> {
        let mut context: BTreeMap<&str, Value> = BTreeMap::from([
            ("messages", messages),
            ("tools", Value::from(())),
            ("documents", Value::from(())),
            ("add_generation_prompt", Value::from(add_generation_prompt)),
        ]);
        for (name, token) in &self.special_tokens {
            context.insert(name, Value::from(token.as_str()));
        }
        for (name, value) in variables {
            context.insert(name, Value::from(Serde(value)));
        }
        let template = self
            .environment
            .get_template(NAME)
            .map_err(TemplateError::Failed)?;
        template
            .render(context)
            .map_err(|error| match error.detail() {
                Some(detail) if detail.starts_with(RAISED) => {
                    TemplateError::Refused(detail[RAISED.len()..].to_owned())
                }
                _ => TemplateError::Failed(error),
            })
    }
}

/// Training marks the model's own words with `{% generation %}`; rendering ignores the marks.
fn without_generation_marks(source: &str) -> String {
    let mut rest = source;
    let mut result = String::with_capacity(source.len());
    while let Some(start) = rest.find("{%") {
        let Some(end) = rest[start..].find("%}").map(|len| start + len + 2) else {
            break;
        };
        let tag = &rest[start..end];
        let inner = tag[2..tag.len() - 2].trim_matches(['-', '+']).trim();
        result.push_str(&rest[..start]);
        match inner {
            "generation" => result.push_str(&tag.replace("generation", "if true")),
            "endgeneration" => result.push_str(&tag.replace("endgeneration", "endif")),
            _ => result.push_str(tag),
        }
        rest = &rest[end..];
    }
    result.push_str(rest);
    result
}

fn raise_exception(message: &str) -> Result<Value, Error> {
    Err(Error::new(
        ErrorKind::InvalidOperation,
        format!("{RAISED}{message}"),
    ))
}

/// As in Python, where `None` cannot be iterated over.
fn is_iterable(value: &Value) -> bool {
    !value.is_none() && value.try_iter().is_ok()
}

fn strftime_now(format: &str) -> String {
    date::format(SystemTime::now(), format)
}

#[cfg(test)]
mod tests;
