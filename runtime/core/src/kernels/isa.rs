//! Which instructions kernels may use.

#[cfg(all(feature = "dsp", target_os = "none", target_abi = "eabihf"))]
use super::cortex_m::Products;
use super::lanes::Kernel;
#[cfg(not(all(feature = "dsp", target_os = "none", target_abi = "eabihf")))]
use super::lanes::Scalar;
#[cfg(target_arch = "aarch64")]
use super::neon::Products;

/// A set of instructions that this processor has.
///
/// Values exist only for what the processor was seen to have (with the feature `std`) or what
/// the program was compiled for (without), so holding one is the right to use it. Every set
/// gives the same bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(Set);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Amx,
    #[cfg(any(target_arch = "aarch64", all(target_arch = "arm", feature = "std")))]
    Neon,
    #[cfg(target_arch = "aarch64")]
    DotProd,
    #[cfg(target_arch = "aarch64")]
    I8mm,
    #[cfg(all(feature = "dsp", target_os = "none", target_abi = "eabihf"))]
    Dsp,
    #[cfg(all(feature = "helium", target_os = "none", target_abi = "eabihf"))]
    Helium,
}

/// Whether the processor has all the features.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! has {
    ($($feature:tt),*) => {{
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        let has = $(std::arch::is_x86_feature_detected!($feature))&&*;
        #[cfg(all(feature = "std", target_arch = "aarch64"))]
        let has = $(std::arch::is_aarch64_feature_detected!($feature))&&*;
        #[cfg(not(feature = "std"))]
        let has = $(cfg!(target_feature = $feature))&&*;
        has
    }};
}

impl Isa {
    /// No special instructions: the meaning of every kernel.
    pub const SCALAR: Isa = Isa(Set::Scalar);

    /// The names of all sets on all processors.
    pub const NAMES: &[&str] = &[
        "scalar",
        "avx2",
        "avx512vnni",
        "amx",
        "neon",
        "dotprod",
        "i8mm",
        "dsp",
        "helium",
    ];

    /// From the plainest to the fastest.
    const ALL: &[Isa] = &[
        Isa::SCALAR,
        #[cfg(target_arch = "x86_64")]
        Isa(Set::Avx2),
        #[cfg(target_arch = "x86_64")]
        Isa(Set::Avx512Vnni),
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        Isa(Set::Amx),
        #[cfg(any(target_arch = "aarch64", all(target_arch = "arm", feature = "std")))]
        Isa(Set::Neon),
        #[cfg(target_arch = "aarch64")]
        Isa(Set::DotProd),
        #[cfg(target_arch = "aarch64")]
        Isa(Set::I8mm),
        #[cfg(all(feature = "dsp", target_os = "none", target_abi = "eabihf"))]
        Isa(Set::Dsp),
        #[cfg(all(feature = "helium", target_os = "none", target_abi = "eabihf"))]
        Isa(Set::Helium),
    ];

    /// The sets that this processor has, from scalar to the fastest.
    pub fn available() -> impl Iterator<Item = Isa> {
        Isa::ALL.iter().copied().filter(|isa| isa.is_available())
    }

    /// The fastest set that this processor has.
    pub fn best() -> Isa {
        Isa::available().last().unwrap_or(Isa::SCALAR)
    }

    /// The set of that [`name`](Isa::name), if this processor has it.
    pub fn by_name(name: &str) -> Option<Isa> {
        Isa::available().find(|isa| isa.name() == name)
    }

    /// One of [`Isa::NAMES`].
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni => "avx512vnni",
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Set::Amx => "amx",
            #[cfg(any(target_arch = "aarch64", all(target_arch = "arm", feature = "std")))]
            Set::Neon => "neon",
            #[cfg(target_arch = "aarch64")]
            Set::DotProd => "dotprod",
            #[cfg(target_arch = "aarch64")]
            Set::I8mm => "i8mm",
            #[cfg(all(feature = "dsp", target_os = "none", target_abi = "eabihf"))]
            Set::Dsp => "dsp",
            #[cfg(all(feature = "helium", target_os = "none", target_abi = "eabihf"))]
            Set::Helium => "helium",
        }
    }

    fn is_available(self) -> bool {
        match self.0 {
            Set::Scalar => true,
            #[cfg(all(feature = "dsp", target_os = "none", target_abi = "eabihf"))]
            Set::Dsp => true,
            #[cfg(all(feature = "helium", target_os = "none", target_abi = "eabihf"))]
            Set::Helium => true,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => has!("avx2", "fma", "f16c"),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni => has!(
                "avx512f",
                "avx512bw",
                "avx512vl",
                "avx512dq",
                "avx512vnni",
                "avx2",
                "fma",
                "f16c"
            ),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Set::Amx => Isa(Set::Avx512Vnni).is_available() && super::avx512::has_amx(),
            #[cfg(target_arch = "aarch64")]
            Set::Neon => true,
            #[cfg(all(target_arch = "arm", feature = "std"))]
            Set::Neon => super::armv7::is_available(),
            #[cfg(target_arch = "aarch64")]
            Set::DotProd => has!("dotprod"),
            #[cfg(target_arch = "aarch64")]
            Set::I8mm => has!("dotprod", "i8mm"),
        }
    }

    /// Runs a kernel with these instructions.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            #[cfg(not(all(feature = "dsp", target_os = "none", target_abi = "eabihf")))]
            Set::Scalar => kernel.run(Scalar),
            // One call, so that flash holds the kernel once.
            #[cfg(all(feature = "dsp", target_os = "none", target_abi = "eabihf"))]
            set => super::cortex_m::run(kernel, set.products()),
            // SAFETY: an Isa exists only if the processor has its instructions.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { super::avx2::run(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni => unsafe { super::avx512::run(kernel, false) },
            // SAFETY: as above.
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Set::Amx => unsafe { super::avx512::run(kernel, true) },
            // One call, so that programs hold the kernel once.
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            set => unsafe { super::neon::run(kernel, set.products()) },
            // SAFETY: as above.
            #[cfg(all(target_arch = "arm", feature = "std"))]
            Set::Neon => unsafe { super::armv7::run(kernel) },
        }
    }
}

#[cfg(all(feature = "dsp", target_os = "none", target_abi = "eabihf"))]
impl Set {
    fn products(self) -> Products {
        match self {
            Set::Scalar => Products::Scalar,
            Set::Dsp => Products::Dsp,
            #[cfg(feature = "helium")]
            Set::Helium => Products::Helium,
        }
    }
}

#[cfg(target_arch = "aarch64")]
impl Set {
    fn products(self) -> Products {
        match self {
            Set::Scalar | Set::Neon => Products::Base,
            Set::DotProd => Products::DotProd,
            Set::I8mm => Products::I8mm,
        }
    }
}

impl core::fmt::Debug for Isa {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_found_by_the_names_they_print() {
        assert_eq!(Isa::available().next(), Some(Isa::SCALAR));
        for isa in Isa::available() {
            assert_eq!(Isa::by_name(isa.name()), Some(isa));
            assert!(Isa::NAMES.contains(&isa.name()));
        }
        assert_eq!(Isa::by_name("abacus"), None);
    }
}
