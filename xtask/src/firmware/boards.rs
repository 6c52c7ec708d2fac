//! What is built of `firmware-examples`: for the machines that QEMU emulates, and for boards.

use std::path::PathBuf;

use crate::build_arm::build;
use crate::build_arm::machine::Machine;
use crate::build_arm::preflight::Wishes;
use crate::build_arm::recipes;
use crate::build_arm::targets::{Kind, Platform, Product};
use crate::{Outcome, tree};

/// A build of an example.
#[derive(Clone, Copy)]
pub(crate) struct Firmware {
    /// The folder, which is the name of the package and of its program.
    pub(crate) example: &'static str,
    pub(crate) triple: &'static str,
    /// Features of the package, of which no others are on.
    pub(crate) features: &'static str,
}

/// A build for a machine that QEMU emulates.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    /// QEMU's name.
    pub(crate) machine: &'static str,
    pub(crate) processor: &'static str,
    pub(crate) firmware: Firmware,
}

/// What an example runs on where no machine is named.
const DEFAULT: &str = "Cortex-M4F";

/// The example that all but one of the machines run.
pub(crate) const MPS2: &str = "qemu-mps2";

/// The last build for a machine is the one that `run` takes.
pub(crate) const MACHINES: &[Program] = &[
    Program {
        machine: "mps2-an385",
        processor: "Cortex-M3 as an M0+",
        firmware: Firmware {
            example: MPS2,
            triple: "thumbv6m-none-eabi",
            features: "mps2",
        },
    },
    Program {
        machine: "mps2-an385",
        processor: "Cortex-M3",
        firmware: Firmware {
            example: MPS2,
            triple: "thumbv7m-none-eabi",
            features: "mps2",
        },
    },
    Program {
        machine: "mps2-an386",
        processor: "Cortex-M4F",
        firmware: Firmware {
            example: MPS2,
            triple: "thumbv7em-none-eabihf",
            features: "mps2,dsp",
        },
    },
    Program {
        machine: "mps2-an500",
        processor: "Cortex-M7",
        firmware: Firmware {
            example: MPS2,
            triple: "thumbv7em-none-eabihf",
            features: "mps2,dsp",
        },
    },
    Program {
        machine: "mps2-an505",
        processor: "Cortex-M33",
        firmware: Firmware {
            example: MPS2,
            triple: "thumbv8m.main-none-eabihf",
            features: "an505,dsp",
        },
    },
    Program {
        machine: "mps3-an547",
        processor: "Cortex-M55",
        firmware: Firmware {
            example: MPS2,
            triple: "thumbv8m.main-none-eabihf",
            features: "an547,helium",
        },
    },
    Program {
        machine: "netduinoplus2",
        processor: "Cortex-M4F of an STM32F405",
        firmware: Firmware {
            example: "stm32f405",
            triple: "thumbv7em-none-eabihf",
            features: "qemu",
        },
    },
];

/// What is flashed to boards.
pub(crate) const BOARDS: &[Firmware] = &[
    Firmware {
        example: "stm32f405",
        triple: "thumbv7em-none-eabihf",
        features: "board",
    },
    Firmware {
        example: "nrf52840",
        triple: "thumbv7em-none-eabihf",
        features: "",
    },
    Firmware {
        example: "stm32h743",
        triple: "thumbv7em-none-eabihf",
        features: "",
    },
    Firmware {
        example: "rp2350-pico2",
        triple: "thumbv8m.main-none-eabihf",
        features: "",
    },
    Firmware {
        example: "rp2040-pico",
        triple: "thumbv6m-none-eabi",
        features: "",
    },
    Firmware {
        example: "linux-gpio",
        triple: "aarch64-unknown-linux-musl",
        features: "",
    },
];

impl Firmware {
    /// What is built for boards of this name.
    pub(crate) fn of(example: &str) -> Outcome<&'static Firmware> {
        let found = BOARDS.iter().find(|board| board.example == example);
        found.ok_or_else(|| format!("{example} is none of the boards").into())
    }

    /// Builds it, and returns the ELF file of the application.
    pub(crate) fn build(&self) -> Outcome<PathBuf> {
        self.build_of(self.example)
    }

    /// Builds it, and returns the ELF file of one of its programs.
    pub(crate) fn build_of(&self, name: &'static str) -> Outcome<PathBuf> {
        let machine = Machine::this();
        let recipes = recipes(&machine, &[self.triple], &Wishes::default())?;
        let recipe = &recipes[0];
        if recipe.target.platform == Platform::Bare {
            let folder = tree::root().join("firmware-examples").join(self.example);
            return build::firmware(recipe, &machine, &folder, self.features, name);
        }
        // With an operating system it is a member of the workspace.
        let program = Product {
            name,
            package: self.example,
            kind: Kind::Program,
            features: &[],
            default_features: true,
        };
        Ok(build::product(recipe, &program, &[])?.path)
    }
}

impl Program {
    /// The program for a machine.
    pub(crate) fn of(machine: &str) -> Outcome<&'static Program> {
        let mut builds = MACHINES.iter().rev();
        let found = builds.find(|program| program.machine == machine);
        found.ok_or_else(|| format!("QEMU's machine {machine} is not among ours").into())
    }

    /// The program that an example is run as, on one of its machines or, if none is named, on a
    /// Cortex-M4F.
    pub(crate) fn of_example(example: &str, machine: Option<&str>) -> Outcome<&'static Program> {
        let mut programs = MACHINES
            .iter()
            .rev()
            .filter(|program| program.firmware.example == example);
        let found = programs.find(|program| match machine {
            Some(machine) => program.machine == machine,
            None => program.processor.starts_with(DEFAULT),
        });
        found.ok_or_else(|| {
            let machine = machine.unwrap_or(DEFAULT);
            format!("{example} is not built for {machine}").into()
        })
    }
}
