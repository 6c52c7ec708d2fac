//! Errors and panics become Java exceptions; nothing else crosses.

use std::any::Any;

use jni::Env;
use jni::errors::ErrorPolicy;
use jni::jni_str;
use jni::strings::{JNIStr, JNIString};
use tealight::ErrorKind;

/// Why a native method has no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library refused.
    Library(tealight::Error),
    /// Java refused, for example because it is out of memory.
    Java(jni::errors::Error),
}

impl From<tealight::Error> for Failure {
    fn from(error: tealight::Error) -> Failure {
        Failure::Library(error)
    }
}

impl From<jni::errors::Error> for Failure {
    fn from(error: jni::errors::Error) -> Failure {
        Failure::Java(error)
    }
}

/// The exception of a kind.
fn class(kind: ErrorKind) -> &'static JNIStr {
    match kind {
        ErrorKind::NotFound => jni_str!("dev/tealight/TealightException$NotFound"),
        ErrorKind::Unsupported => jni_str!("dev/tealight/TealightException$Unsupported"),
        ErrorKind::Damaged => jni_str!("dev/tealight/TealightException$Damaged"),
        ErrorKind::OutOfMemory => jni_str!("dev/tealight/TealightException$OutOfMemory"),
        ErrorKind::ContextFull => jni_str!("dev/tealight/TealightException$ContextFull"),
        ErrorKind::InvalidInput => jni_str!("dev/tealight/TealightException$InvalidInput"),
        ErrorKind::Storage => jni_str!("dev/tealight/TealightException$Storage"),
        ErrorKind::Busy => jni_str!("dev/tealight/TealightException$Busy"),
        ErrorKind::Closed => jni_str!("dev/tealight/TealightException$Closed"),
        ErrorKind::Cancelled => jni_str!("dev/tealight/TealightException$Cancelled"),
        _ => jni_str!("dev/tealight/TealightException$Internal"),
    }
}

/// Throws an exception by kind, and returns what Java ignores then.
pub(crate) struct Throw;

impl Throw {
    fn throw(env: &mut Env<'_>, kind: ErrorKind, reason: &str) -> jni::errors::Result<()> {
        if env.exception_check() {
            // What Java itself has thrown says more.
            return Ok(());
        }
        match env.throw_new(class(kind), JNIString::new(reason)) {
            // That is how it says that it has thrown.
            Ok(()) | Err(jni::errors::Error::JavaException) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl<T: Default> ErrorPolicy<T, Failure> for Throw {
    type Captures<'local: 'method, 'method> = ();

    fn on_error<'local: 'method, 'method>(
        env: &mut Env<'local>,
        (): &mut (),
        failure: Failure,
    ) -> jni::errors::Result<T> {
        let (kind, reason) = match failure {
            Failure::Library(error) => (error.kind(), error.to_string()),
            Failure::Java(error) => (ErrorKind::Internal, error.to_string()),
        };
        Throw::throw(env, kind, &reason)?;
        Ok(T::default())
    }

    fn on_panic<'local: 'method, 'method>(
        env: &mut Env<'local>,
        (): &mut (),
        panic: Box<dyn Any + Send>,
    ) -> jni::errors::Result<T> {
        let said = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without words".to_owned());
        Throw::throw(env, ErrorKind::Internal, &said)?;
        Ok(T::default())
    }
}
