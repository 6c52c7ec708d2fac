//! What other languages are told of an error: what can be done about it, and why in words.

use tealight::ErrorKind;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// Why something could not be done. `reason` names the model and the fault.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
        pub enum TealightError {
            $($(#[$doc])*
            #[error("{reason}")]
            $kind {
                /// In words, for people.
                reason: String,
            },)*
        }

        impl From<tealight::Error> for TealightError {
            fn from(error: tealight::Error) -> TealightError {
                let reason = error.to_string();
                match error.kind() {
                    $(ErrorKind::$kind => TealightError::$kind { reason },)*
                    // A kind that this surface does not know yet.
                    _ => TealightError::Internal { reason },
                }
            }
        }
    };
}

kinds! {
    /// There is no such file or folder, or it cannot be read: choose another.
    NotFound,
    /// This version cannot run the model, or not in this way: choose another.
    Unsupported,
    /// The model's bytes are not what they should be: copy or compile it again.
    Damaged,
    /// There is not enough memory: choose a smaller context or model.
    OutOfMemory,
    /// The conversation does not fit the context: shorten it, or begin a new one.
    ContextFull,
    /// An argument cannot be used: mend the call.
    InvalidInput,
    /// The compiled model cannot be kept: make room, or name another folder.
    Storage,
    /// The chat is answering: wait, or cancel.
    Busy,
    /// What was called was closed before.
    Closed,
    /// The caller gave up before there was a result.
    Cancelled,
    /// Tealight has a fault: report it.
    Internal,
}
