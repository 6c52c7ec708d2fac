//! The chat template: a file of its own, or a value in the tokenizer's configuration.

use serde::Deserialize;

use super::tokenizer::{Template, TokenizerConfig};
use super::{Folder, TEMPLATE_LIMIT, TextError};

/// `chat_template.json`.
#[derive(Deserialize)]
pub(super) struct TemplateFile {
    chat_template: Template,
}

/// The template that plain conversations use. Files of their own come before the
/// configuration, as `transformers` has it.
pub(super) fn read(folder: &Folder, tokens: &TokenizerConfig) -> Result<Option<String>, TextError> {
    if let Some(source) = folder.text("chat_template.jinja", TEMPLATE_LIMIT)? {
        return Ok(Some(source));
    }
    if let Some(file) = folder.json::<TemplateFile>("chat_template.json")? {
        return Ok(default(&file.chat_template));
    }
    Ok(tokens.chat_template.as_ref().and_then(default))
}

/// Of several templates the one called `default`, else the first.
fn default(template: &Template) -> Option<String> {
    match template {
        Template::One(source) => Some(source.clone()),
        Template::Named(named) => {
            let default = named
                .iter()
                .find(|one| one.name == "default")
                .or(named.first())?;
            Some(default.template.clone())
        }
    }
}
