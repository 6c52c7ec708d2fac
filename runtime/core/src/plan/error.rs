//! Why a plan cannot be opened.

use super::check::OpFault;

/// What is wrong with the bytes of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The first bytes are not a plan's.
    #[error("this is not a Tealight plan: it does not start with \"TEALIGHT\"")]
    NotAPlan,
    /// Another format than this reader's.
    #[error(
        "the plan has format {found}, this version of Tealight reads format {expected}: \
         compile the model again"
    )]
    Version {
        /// The file's.
        found: u32,
        /// [`super::format::FORMAT_VERSION`].
        expected: u32,
    },
    /// Weights packed in another way.
    #[error(
        "the plan's weights have layout {found}, this version of Tealight reads layout \
         {expected}: compile the model again"
    )]
    Layout {
        /// The file's.
        found: u32,
        /// [`super::format::LAYOUT_VERSION`].
        expected: u32,
    },
    /// The header states another length.
    #[error("the plan is {found} bytes long but says it has {expected}: it was cut off or changed")]
    Length {
        /// Bytes that are there.
        found: u64,
        /// Bytes that the header states, or that a header needs.
        expected: u64,
    },
    /// The bytes lie at an address that vectors cannot be read from.
    #[error("the plan's bytes must start at a multiple of 64 in memory")]
    Misaligned,
    /// A section is absent, twice there, out of bounds or of the wrong size.
    #[error("the plan's {section} section {fault}")]
    Section {
        /// Its name.
        section: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A buffer's record is unsound.
    #[error("buffer {index} of the plan {fault}")]
    Buffer {
        /// Which.
        index: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A cache's record is unsound.
    #[error("cache {index} of the plan {fault}")]
    Cache {
        /// Which.
        index: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A tensor's record is unsound.
    #[error("tensor {index} of the plan {fault}")]
    Tensor {
        /// Which.
        index: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// An operator's kind or arguments have no meaning here.
    #[error("operator {index} of the plan has an unknown kind or argument")]
    UnknownOp {
        /// Position in the list.
        index: usize,
    },
    /// An operator's arguments do not fit the plan.
    #[error("operator {index} ({name}) of the plan {fault}")]
    Op {
        /// Position in the list.
        index: usize,
        /// The operator.
        name: &'static str,
        /// What does not fit.
        fault: OpFault,
    },
    /// The model's record contradicts the rest.
    #[error("the plan's model record {fault}")]
    Model {
        /// What is wrong with it.
        fault: &'static str,
    },
}
