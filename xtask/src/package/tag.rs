//! Which machines a library runs on, as Python's package managers say it.
//!
//! Enters: what the library's loader will read. Leaves: a platform tag. PEP 600's
//! `manylinux_<x>_<y>` promises that glibc x.y is enough and that nothing else has to be installed.
//! Both are read from the library, and a library that cannot promise them is for this machine
//! alone: `linux`.

use object::elf;

use crate::Outcome;
use crate::elf::Facts;

const MACHINES: &[(u16, &str)] = &[
    (elf::EM_X86_64, "x86_64"),
    (elf::EM_AARCH64, "aarch64"),
    (elf::EM_ARM, "armv7l"),
    (elf::EM_386, "i686"),
];

/// What PEP 600 lets a library expect on every system, of which we use these: glibc's parts, and
/// the unwinder.
const EXPECTED: &[&str] = &[
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "ld-linux-armhf.so.3",
    "ld-linux.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
];

/// The oldest glibc that Rust's own library runs on.
const RUST_NEEDS: (u32, u32) = (2, 17);

pub(super) fn platform(facts: &Facts) -> Outcome<String> {
    let machine = MACHINES.iter().find(|(number, _)| *number == facts.machine);
    let (_, machine) = machine.ok_or("wheels are not made for such processors yet")?;
    let expected = |name: &String| EXPECTED.contains(&name.as_str());
    let glibc = facts
        .versions
        .iter()
        .filter_map(|version| version.strip_prefix("GLIBC_"))
        .map(numbers)
        .try_fold(RUST_NEEDS, |most, found| found.map(|found| most.max(found)));
    match glibc {
        Some((major, minor)) if facts.needed.iter().all(expected) => {
            Ok(format!("manylinux_{major}_{minor}_{machine}"))
        }
        _ => Ok(format!("linux_{machine}")),
    }
}

/// None for `PRIVATE`, which means this very glibc.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(needed: &[&str], versions: &[&str]) -> String {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let facts = Facts {
            machine: elf::EM_X86_64,
            needed: own(needed),
            versions: own(versions),
            ..Facts::default()
        };
        platform(&facts).unwrap()
    }

    #[test]
    fn the_newest_symbol_decides() {
        let versions = ["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.4", "GCC_3.0"];
        assert_eq!(tagged(&["libc.so.6"], &versions), "manylinux_2_34_x86_64");
        assert_eq!(tagged(&["libc.so.6"], &[]), "manylinux_2_17_x86_64");
    }

    #[test]
    fn what_has_to_be_installed_is_not_for_every_linux() {
        let needed = ["libc.so.6", "libstdc++.so.6"];
        assert_eq!(tagged(&needed, &["GLIBC_2.17"]), "linux_x86_64");
        assert_eq!(tagged(&["libc.so"], &[]), "linux_x86_64");
        assert_eq!(tagged(&["libc.so.6"], &["GLIBC_PRIVATE"]), "linux_x86_64");
    }
}
