//! Whether a plan's bytes are those that were written, by the SHA-256 of each section.

use sha2::{Digest, Sha256};
use tealight_core::plan::Plan;
use tealight_core::plan::format::Section;

/// A section that does not hash to what the plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan's {section} section is damaged: flash it again")]
pub struct Damage {
    /// Its name.
    pub section: &'static str,
}

/// Reads all of the plan once.
///
/// # Errors
/// At the first section that has changed.
pub fn check(plan: &Plan<&[u8]>) -> Result<(), Damage> {
    for record in plan.records() {
        let Some(section) = Section::from_number(record.kind) else {
            continue;
        };
        let bytes = plan.section(section).unwrap_or_default();
        if Sha256::digest(bytes).as_slice() != record.sha256 {
            return Err(Damage {
                section: section.name(),
            });
        }
    }
    Ok(())
}
