//! How far an import has come, for whoever waits for it.

/// One report. Reports of one step come with growing `done`; the last one of a finished step
/// has `done == total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// Bytes behind, unless the step says otherwise.
    pub done: u64,
    /// As many altogether; 0 where nobody can tell.
    pub total: u64,
}

/// The steps of an import, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Step {
    /// Looking whether the model was compiled before: hashing its files.
    Hash,
    /// Waiting for another process that imports the same model.
    Wait,
    /// Decoding the graph and recognising its operators.
    Graph,
    /// Packing weights into the plan.
    Weights,
    /// Running a text through a model, to see what its linear maps are given; it is tokens that are counted.
    Calibration,
}
