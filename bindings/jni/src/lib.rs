//! Tealight for Java, and for Android without JNA: what `dev.tealight.Native` calls.
//!
//! Enters: calls of Java's threads, with numbers, texts and handles. Leaves: the same, objects
//! of the classes that `values` binds, and exceptions by kind. Native code never calls a
//! method that a program wrote: listeners are called by Java, on a thread of Java's, so an
//! exception of theirs is an ordinary one.
//!
//! - `natives`: the methods, and what they do.
//! - `handles`: what stands for a model or a chat in Java: a number that is looked up, so that
//!   one used after its end is an exception.
//! - `errors`: errors and panics to exceptions.
//! - `values`: the objects that are handed to Java.

// The arguments of a native method are what Java passes, one by one.
#![allow(clippy::too_many_arguments)]

mod errors;
mod handles;
mod natives;
mod values;
