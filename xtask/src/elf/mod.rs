//! Programs and libraries as Linux and Android load them: what a file says of itself, the rules
//! that a library for Android keeps, what only debuggers read.

pub(crate) mod bionic;
mod facts;
pub(crate) mod rules;
mod strip;
mod write;

pub(crate) use self::facts::Facts;
pub(crate) use self::strip::strip;
pub(crate) use self::write::{SharedLibrary, shared_library};
