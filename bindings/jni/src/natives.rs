//! The native methods of `dev.tealight.Native`.
//!
//! Options come as plain values: -1 or NaN where the caller left one open, null for no text.

use std::sync::Arc;

use jni::objects::{JClass, JObject, JObjectArray, JString};
use jni::sys::{jfloat, jint, jlong};
use jni::{Env, bind_java_type};
use tealight::shared::{Answering, Loading, ModelSource, SharedChat, SharedModel};
use tealight::{ChatOptions, Event, GenerateOptions, KvType, Message, ModelOptions, Role};

use crate::errors::{Failure, Throw};
use crate::handles::Handles;
use crate::values::{self, JModelInfo, int};

static LOADINGS: Handles<Arc<Loading>> = Handles::new("the loading");
static MODELS: Handles<Arc<SharedModel>> = Handles::new("the model");
static CHATS: Handles<SharedChat> = Handles::new("the chat");
static REPLIES: Handles<Arc<Answering>> = Handles::new("the reply");

bind_java_type! {
    pub(crate) Native => dev.tealight.Native,
    type_map = {
        JModelInfo => dev.tealight.ModelInfo,
    },
    native_methods_error_policy = Throw,
    native_methods {
        static extern fn info(
            path: JString, threads: jint, context: jint, kv: jint, step: jint, cache: JString,
        ) -> JModelInfo,
        static extern fn load(
            path: JString, threads: jint, context: jint, kv: jint, step: jint, cache: JString,
        ) -> jlong,
        static extern fn load_next(loading: jlong) -> JObject,
        static extern fn load_finish(loading: jlong) -> jlong,
        static extern fn load_cancel(loading: jlong),
        static extern fn load_free(loading: jlong),
        static extern fn model_info(model: jlong) -> JModelInfo,
        static extern fn model_chat(
            model: jlong, system: JString, context: jint, thinking: jint,
        ) -> jlong,
        static extern fn model_free(model: jlong),
        static extern fn chat_send(
            chat: jlong,
            text: JString,
            max_tokens: jint,
            temperature: jfloat,
            top_k: jint,
            top_p: jfloat,
            min_p: jfloat,
            repetition_penalty: jfloat,
            has_seed: jboolean,
            seed: jlong,
            stop: JString[],
        ) -> jlong,
        static extern fn chat_messages(chat: jlong) -> JString[],
        static extern fn chat_restore(chat: jlong, roles_and_texts: JString[]),
        static extern fn chat_clear(chat: jlong),
        static extern fn chat_context_left(chat: jlong) -> jint,
        static extern fn chat_count_with(chat: jlong, text: JString) -> jint,
        static extern fn chat_cancel(chat: jlong),
        static extern fn chat_close(chat: jlong),
        static extern fn chat_free(chat: jlong),
        static extern fn reply_next(reply: jlong) -> JObject,
        static extern fn reply_cancel(reply: jlong),
        static extern fn reply_free(reply: jlong),
    },
}

impl NativeNativeInterface for NativeAPI {
    type Error = Failure;

    fn info<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        path: JString<'local>,
        threads: jint,
        context: jint,
        kv: jint,
        step: jint,
        cache: JString<'local>,
    ) -> Result<JModelInfo<'local>, Failure> {
        let options = model_options(env, threads, context, kv, step, &cache)?;
        let info = source(env, &path)?.info(&options)?;
        values::model_info(env, &info)
    }

    fn load<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        path: JString<'local>,
        threads: jint,
        context: jint,
        kv: jint,
        step: jint,
        cache: JString<'local>,
    ) -> Result<jlong, Failure> {
        let options = model_options(env, threads, context, kv, step, &cache)?;
        let loading = Loading::start(source(env, &path)?, options)?;
        Ok(LOADINGS.keep(Arc::new(loading)))
    }

    fn load_next<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        loading: jlong,
    ) -> Result<JObject<'local>, Failure> {
        let progress = LOADINGS.get(loading)?.next_progress();
        values::progress(env, progress)
    }

    fn load_finish<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        loading: jlong,
    ) -> Result<jlong, Failure> {
        let model = LOADINGS.get(loading)?.finish()?;
        Ok(MODELS.keep(Arc::new(model)))
    }

    fn load_cancel<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        loading: jlong,
    ) -> Result<(), Failure> {
        if let Ok(loading) = LOADINGS.get(loading) {
            loading.cancel();
        }
        Ok(())
    }

    fn load_free<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        loading: jlong,
    ) -> Result<(), Failure> {
        LOADINGS.free(loading);
        Ok(())
    }

    fn model_info<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        model: jlong,
    ) -> Result<JModelInfo<'local>, Failure> {
        let model = MODELS.get(model)?;
        values::model_info(env, model.info())
    }

    fn model_chat<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        model: jlong,
        system: JString<'local>,
        context: jint,
        thinking: jint,
    ) -> Result<jlong, Failure> {
        let model = MODELS.get(model)?;
        let mut options = ChatOptions::new();
        options.system = text(env, &system)?;
        options.session.context = size(context);
        if thinking >= 0 {
            options = options.thinking(thinking > 0);
        }
        Ok(CHATS.keep(model.chat(&options)?))
    }

    fn model_free<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        model: jlong,
    ) -> Result<(), Failure> {
        MODELS.free(model);
        Ok(())
    }

    fn chat_send<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        chat: jlong,
        message: JString<'local>,
        max_tokens: jint,
        temperature: jfloat,
        top_k: jint,
        top_p: jfloat,
        min_p: jfloat,
        repetition_penalty: jfloat,
        has_seed: bool,
        seed: jlong,
        stop: JObjectArray<'local, JString<'local>>,
    ) -> Result<jlong, Failure> {
        let chat = CHATS.get(chat)?;
        let mut options = GenerateOptions::new();
        options.max_tokens = size(max_tokens);
        options.temperature = number(temperature);
        options.top_k = size(top_k);
        options.top_p = number(top_p);
        options.min_p = number(min_p);
        options.repetition_penalty = number(repetition_penalty);
        options.seed = has_seed.then_some(seed as u64);
        options.stop = texts(env, &stop)?;
        let message = message.try_to_string(env)?;
        let answer = chat.send(message, &options)?;
        Ok(REPLIES.keep(Arc::new(answer)))
    }

    fn chat_messages<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        chat: jlong,
    ) -> Result<JObjectArray<'local, JString<'local>>, Failure> {
        let messages = CHATS.get(chat)?.messages()?;
        let none = JString::default();
        let array = JObjectArray::<JString>::new(env, messages.len() * 2, &none)?;
        for (index, message) in messages.iter().enumerate() {
            set(env, &array, index * 2, role_name(message.role))?;
            set(env, &array, index * 2 + 1, &message.content)?;
        }
        Ok(array)
    }

    fn chat_restore<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        chat: jlong,
        roles_and_texts: JObjectArray<'local, JString<'local>>,
    ) -> Result<(), Failure> {
        let chat = CHATS.get(chat)?;
        let flat = texts(env, &roles_and_texts)?;
        let messages = flat
            .chunks_exact(2)
            .map(|pair| Message::new(role(&pair[0]), pair[1].as_str()));
        chat.restore(messages.collect())?;
        Ok(())
    }

    fn chat_clear<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        chat: jlong,
    ) -> Result<(), Failure> {
        CHATS.get(chat)?.clear()?;
        Ok(())
    }

    fn chat_context_left<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        chat: jlong,
    ) -> Result<jint, Failure> {
        Ok(int(CHATS.get(chat)?.context_left()?))
    }

    fn chat_count_with<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        chat: jlong,
        message: JString<'local>,
    ) -> Result<jint, Failure> {
        let message = message.try_to_string(env)?;
        Ok(int(CHATS.get(chat)?.count_with(message)?))
    }

    fn chat_cancel<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        chat: jlong,
    ) -> Result<(), Failure> {
        if let Ok(chat) = CHATS.get(chat) {
            chat.cancel();
        }
        Ok(())
    }

    fn chat_close<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        chat: jlong,
    ) -> Result<(), Failure> {
        if let Ok(chat) = CHATS.get(chat) {
            chat.close();
        }
        Ok(())
    }

    /// Forgets the chat, but for an answer that still goes on.
    fn chat_free<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        chat: jlong,
    ) -> Result<(), Failure> {
        CHATS.free(chat);
        Ok(())
    }

    /// A `String`, a `Summary` as the last event, or null after it.
    fn reply_next<'local>(
        env: &mut Env<'local>,
        _: JClass<'local>,
        reply: jlong,
    ) -> Result<JObject<'local>, Failure> {
        let event = REPLIES.get(reply)?.next_event()?;
        Ok(match event {
            Some(Event::Text(text)) => JString::from_str(env, text)?.into(),
            Some(Event::Done(summary)) => values::summary(env, &summary)?.into(),
            // A kind of event that this surface does not know yet has no text to miss.
            Some(_) => JString::from_str(env, "")?.into(),
            None => JObject::null(),
        })
    }

    fn reply_cancel<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        reply: jlong,
    ) -> Result<(), Failure> {
        if let Ok(reply) = REPLIES.get(reply) {
            reply.cancel();
        }
        Ok(())
    }

    fn reply_free<'local>(
        _: &mut Env<'local>,
        _: JClass<'local>,
        reply: jlong,
    ) -> Result<(), Failure> {
        REPLIES.free(reply);
        Ok(())
    }
}

fn text(env: &Env<'_>, text: &JString<'_>) -> Result<Option<String>, Failure> {
    match text.is_null() {
        true => Ok(None),
        false => Ok(Some(text.try_to_string(env)?)),
    }
}

fn texts<'local>(
    env: &mut Env<'local>,
    array: &JObjectArray<'local, JString<'local>>,
) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    for index in 0..array.len(env)? {
        let element = array.get_element(env, index)?;
        texts.push(element.try_to_string(env)?);
        // A conversation may be longer than the room for local references.
        env.delete_local_ref(element);
    }
    Ok(texts)
}

fn set<'local>(
    env: &mut Env<'local>,
    array: &JObjectArray<'local, JString<'local>>,
    index: usize,
    text: &str,
) -> Result<(), Failure> {
    let element = JString::from_str(env, text)?;
    array.set_element(env, index, &element)?;
    env.delete_local_ref(element);
    Ok(())
}

fn size(number: jint) -> Option<usize> {
    usize::try_from(number).ok()
}

fn number(number: jfloat) -> Option<f32> {
    (!number.is_nan()).then_some(number)
}

fn source(env: &Env<'_>, path: &JString<'_>) -> Result<ModelSource, Failure> {
    Ok(match text(env, path)? {
        Some(path) => ModelSource::Path(path.into()),
        None => ModelSource::Embedded,
    })
}

fn model_options(
    env: &Env<'_>,
    threads: jint,
    context: jint,
    kv: jint,
    step: jint,
    cache: &JString<'_>,
) -> Result<ModelOptions, Failure> {
    let mut options = ModelOptions::new();
    options.threads = size(threads);
    options.context = size(context);
    options.kv = match kv {
        0 => Some(KvType::F16),
        1 => Some(KvType::F32),
        2 => Some(KvType::Int8),
        _ => None,
    };
    options.step = size(step);
    options.cache = text(env, cache)?.map(From::from);
    Ok(options)
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::System => "SYSTEM",
        Role::Assistant => "ASSISTANT",
        _ => "USER",
    }
}

fn role(name: &str) -> Role {
    match name {
        "SYSTEM" => Role::System,
        "ASSISTANT" => Role::Assistant,
        _ => Role::User,
    }
}
