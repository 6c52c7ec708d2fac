//! The objects that are handed to Java.

use jni::objects::{JObject, JString};
use jni::sys::{jint, jlong};
use jni::{Env, bind_java_type};
use tealight::shared::{LoadProgress, LoadStage};
use tealight::{FinishReason, ModelInfo, Summary};

use crate::errors::Failure;

bind_java_type! {
    pub(crate) JModelInfo => dev.tealight.ModelInfo,
    constructors {
        fn new(
            name: JString,
            architecture: JString,
            parameters: jlong,
            quantization: JString,
            licence: JString,
            vocab: jint,
            context: jint,
            file_bytes: jlong,
            has_tokenizer: jboolean,
            has_chat_template: jboolean,
            chat_context: jint,
            bytes_per_token: jlong,
            memory_estimate: jlong,
        ),
    },
}

bind_java_type! {
    pub(crate) JSummary => dev.tealight.Summary,
    constructors {
        fn new(
            reason: jint,
            prompt_tokens: jint,
            reused_tokens: jint,
            generated_tokens: jint,
            prefill_tokens_per_second: jdouble,
            decode_tokens_per_second: jdouble,
            seconds_to_first_token: jdouble,
        ),
    },
}

bind_java_type! {
    pub(crate) JLoadProgress => dev.tealight.LoadProgress,
    constructors {
        fn new(stage: jint, done: jlong, total: jlong),
    },
}

/// Numbers of things that fit Java's `int` on every machine; larger ones are its largest.
pub(crate) fn int(number: usize) -> jint {
    jint::try_from(number).unwrap_or(jint::MAX)
}

pub(crate) fn long(number: u64) -> jlong {
    jlong::try_from(number).unwrap_or(jlong::MAX)
}

fn optional<'local>(
    env: &mut Env<'local>,
    text: Option<&str>,
) -> Result<JString<'local>, jni::errors::Error> {
    match text {
        Some(text) => JString::from_str(env, text),
        None => Ok(JString::default()),
    }
}

pub(crate) fn model_info<'local>(
    env: &mut Env<'local>,
    info: &ModelInfo,
) -> Result<JModelInfo<'local>, Failure> {
    let name = JString::from_str(env, &info.name)?;
    let architecture = optional(env, info.architecture.as_deref())?;
    let quantization = optional(env, info.quantization.as_deref())?;
    let licence = optional(env, info.licence.as_deref())?;
    Ok(JModelInfo::new(
        env,
        &name,
        &architecture,
        info.parameters.map_or(-1, long),
        &quantization,
        &licence,
        int(info.vocab),
        int(info.context),
        long(info.file_bytes),
        info.has_tokenizer,
        info.has_chat_template,
        int(info.session_context),
        long(info.kv_bytes_per_token),
        long(info.memory_estimate),
    )?)
}

/// The number of a reason in Java's `FinishReason`.
fn reason(reason: FinishReason) -> jint {
    match reason {
        FinishReason::EndOfText => 0,
        FinishReason::StopString => 1,
        FinishReason::Cancelled => 3,
        _ => 2,
    }
}

pub(crate) fn summary<'local>(
    env: &mut Env<'local>,
    summary: &Summary,
) -> Result<JSummary<'local>, Failure> {
    let usage = &summary.usage;
    Ok(JSummary::new(
        env,
        reason(summary.reason),
        int(usage.prompt_tokens),
        int(usage.reused_tokens),
        int(usage.generated_tokens),
        usage.prefill_tokens_per_second,
        usage.decode_tokens_per_second,
        usage
            .time_to_first_token
            .map_or(f64::NAN, |time| time.as_secs_f64()),
    )?)
}

/// The number of a stage in Java's `LoadStage`.
fn stage(stage: LoadStage) -> jint {
    match stage {
        LoadStage::Looking => 0,
        LoadStage::Waiting => 1,
        LoadStage::Recognising => 2,
        _ => 3,
    }
}

pub(crate) fn progress<'local>(
    env: &mut Env<'local>,
    progress: Option<LoadProgress>,
) -> Result<JObject<'local>, Failure> {
    Ok(match progress {
        Some(progress) => JLoadProgress::new(
            env,
            stage(progress.stage),
            long(progress.done),
            long(progress.total),
        )?
        .into(),
        None => JObject::null(),
    })
}
