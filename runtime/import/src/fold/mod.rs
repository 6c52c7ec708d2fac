//! Operators that compute nothing a plan would have to: shapes, positions, masks and constants
//! are worked out, and changes of shape become views.

pub(crate) mod arithmetic;
pub(crate) mod constant;
pub(crate) mod logic;
pub(crate) mod pick;
pub(crate) mod shape;
