//! The machines that QEMU emulates, and what is built for each.

use std::path::PathBuf;

use crate::build_arm::build;
use crate::build_arm::machine::Machine;
use crate::build_arm::preflight::Wishes;
use crate::build_arm::recipes;
use crate::{Outcome, tree};

/// A build of `firmware-examples/qemu-mps2` for a machine.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    /// QEMU's name.
    pub(crate) machine: &'static str,
    pub(crate) processor: &'static str,
    pub(crate) triple: &'static str,
    /// Features of the package: the memory map, and what the processor can do.
    pub(crate) features: &'static str,
}

/// The last build for a machine is the one that `run` takes.
pub(crate) const MACHINES: &[Program] = &[
    Program {
        machine: "mps2-an385",
        processor: "Cortex-M3 as an M0+",
        triple: "thumbv6m-none-eabi",
        features: "mps2",
    },
    Program {
        machine: "mps2-an385",
        processor: "Cortex-M3",
        triple: "thumbv7m-none-eabi",
        features: "mps2",
    },
    Program {
        machine: "mps2-an386",
        processor: "Cortex-M4F",
        triple: "thumbv7em-none-eabihf",
        features: "mps2,dsp",
    },
    Program {
        machine: "mps2-an500",
        processor: "Cortex-M7",
        triple: "thumbv7em-none-eabihf",
        features: "mps2,dsp",
    },
    Program {
        machine: "mps2-an505",
        processor: "Cortex-M33",
        triple: "thumbv8m.main-none-eabihf",
        features: "an505,dsp",
    },
    Program {
        machine: "mps3-an547",
        processor: "Cortex-M55",
        triple: "thumbv8m.main-none-eabihf",
        features: "an547,dsp",
    },
];

impl Program {
    /// The program for a machine.
    pub(crate) fn of(machine: &str) -> Outcome<&'static Program> {
        let mut builds = MACHINES.iter().rev();
        let found = builds.find(|program| program.machine == machine);
        found.ok_or_else(|| format!("QEMU's machine {machine} is not among ours").into())
    }

    /// Builds it, and returns the ELF file of the application.
    pub(crate) fn build(&self) -> Outcome<PathBuf> {
        self.build_of("qemu-mps2")
    }

    /// Builds it, and returns the ELF file of one of its programs.
    pub(crate) fn build_of(&self, name: &str) -> Outcome<PathBuf> {
        let machine = Machine::this();
        let recipes = recipes(&machine, &[self.triple], &Wishes::default())?;
        let folder = tree::root().join("firmware-examples/qemu-mps2");
        build::firmware(&recipes[0], &machine, &folder, self.features, name)
    }
}
