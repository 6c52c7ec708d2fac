//! An XCFramework: a folder with a static library and its header for each system, and an
//! `Info.plist` that says which is for which.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

use super::MODULE;
use super::archives::{self, Made, Processor};

/// The library's name in every slice.
const LIBRARY: &str = "libtealight_ffi.a";

pub(super) struct Framework {
    pub(super) header: String,
    pub(super) slices: Vec<Slice>,
}

/// The library for devices, or for the simulator.
pub(super) struct Slice {
    simulator: bool,
    processors: Vec<Processor>,
    library: Vec<u8>,
}

impl Slice {
    /// Of a library for each processor. An error if one is for something else.
    pub(super) fn of(archives: &[&[u8]], simulator: bool) -> Outcome<Slice> {
        let mut parts = Vec::new();
        for archive in archives {
            let made = archives::made(archive)?;
            let wanted = Made { simulator, ..made };
            if made != wanted {
                return Err(format!("{made:?} was built where {wanted:?} was asked for").into());
            }
            parts.push((made.processor, *archive));
        }
        parts.sort_by_key(|(processor, _)| *processor);
        Ok(Slice {
            simulator,
            processors: parts.iter().map(|(processor, _)| *processor).collect(),
            library: archives::fat(&parts)?,
        })
    }

    /// As Xcode names it: system, processors, variant.
    fn name(&self) -> String {
        let processors: Vec<&str> = self.processors.iter().map(|own| own.name()).collect();
        let variant = if self.simulator { "-simulator" } else { "" };
        format!("ios-{}{variant}", processors.join("_"))
    }

    fn plist(&self) -> String {
        let processors = self.processors.iter();
        let processors: String = processors
            .map(|own| format!("\t\t\t\t<string>{}</string>\n", own.name()))
            .collect();
        let mut text = "\t\t<dict>\n".to_owned();
        for (key, value) in [
            ("BinaryPath", LIBRARY),
            ("HeadersPath", "Headers"),
            ("LibraryIdentifier", &self.name()),
            ("LibraryPath", LIBRARY),
        ] {
            text += &format!("\t\t\t<key>{key}</key>\n\t\t\t<string>{value}</string>\n");
        }
        text += "\t\t\t<key>SupportedArchitectures</key>\n";
        text += &format!("\t\t\t<array>\n{processors}\t\t\t</array>\n");
        text += "\t\t\t<key>SupportedPlatform</key>\n\t\t\t<string>ios</string>\n";
        if self.simulator {
            text += "\t\t\t<key>SupportedPlatformVariant</key>\n";
            text += "\t\t\t<string>simulator</string>\n";
        }
        text + "\t\t</dict>\n"
    }
}

impl Framework {
    /// Writes it into an empty folder, and says where the libraries are.
    pub(super) fn write(&self, folder: &Path) -> Outcome<Vec<PathBuf>> {
        fs::write(folder.join("Info.plist"), self.plist())?;
        let mut libraries = Vec::new();
        for slice in &self.slices {
            let own = folder.join(slice.name());
            // A folder of the module's name, so that headers of several frameworks do not meet.
            let headers = own.join("Headers").join(MODULE);
            fs::create_dir_all(&headers)?;
            fs::write(headers.join(format!("{MODULE}.h")), &self.header)?;
            let map = format!("module {MODULE} {{\n    header \"{MODULE}.h\"\n    export *\n}}\n");
            fs::write(headers.join("module.modulemap"), map)?;
            let library = own.join(LIBRARY);
            fs::write(&library, &slice.library)?;
            libraries.push(library);
        }
        Ok(libraries)
    }

    /// Reads the libraries back: an error if one is not for what its folder's name says.
    pub(super) fn check(&self, folder: &Path) -> Outcome {
        for slice in &self.slices {
            let library = fs::read(folder.join(slice.name()).join(LIBRARY))?;
            let wanted = slice.processors.iter().map(|processor| Made {
                processor: *processor,
                simulator: slice.simulator,
            });
            let found = archives::parts(&library)?;
            if !wanted.eq(found.iter().copied()) {
                return Err(format!("{} holds {found:?}", slice.name()).into());
            }
        }
        Ok(())
    }

    fn plist(&self) -> String {
        let slices: String = self.slices.iter().map(Slice::plist).collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
             \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
             <plist version=\"1.0\">\n<dict>\n\
             \t<key>AvailableLibraries</key>\n\t<array>\n{slices}\t</array>\n\
             \t<key>CFBundlePackageType</key>\n\t<string>XFWK</string>\n\
             \t<key>XCFrameworkFormatVersion</key>\n\t<string>1.0</string>\n\
             </dict>\n</plist>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::archives::tests::library;
    use super::*;

    fn framework() -> Framework {
        let device = library(Processor::Arm64, false);
        let simulators = [
            library(Processor::X86_64, true),
            library(Processor::Arm64, true),
        ];
        let simulators: Vec<&[u8]> = simulators.iter().map(Vec::as_slice).collect();
        Framework {
            header: "void first(void);\n".to_owned(),
            slices: vec![
                Slice::of(&[&device], false).unwrap(),
                Slice::of(&simulators, true).unwrap(),
            ],
        }
    }

    #[test]
    fn the_plist_names_a_library_for_devices_and_one_for_simulators() {
        let plist = framework().plist();
        // Without white space, as Xcode reads it.
        let words: String = plist.split_whitespace().collect();
        for part in [
            "<key>BinaryPath</key><string>libtealight_ffi.a</string>",
            "<key>HeadersPath</key><string>Headers</string>",
            "<key>LibraryIdentifier</key><string>ios-arm64</string>",
            "<key>LibraryIdentifier</key><string>ios-arm64_x86_64-simulator</string>",
            "<key>SupportedArchitectures</key><array><string>arm64</string></array>",
            "<array><string>arm64</string><string>x86_64</string></array>",
            "<key>SupportedPlatform</key><string>ios</string></dict>",
            "<key>SupportedPlatformVariant</key><string>simulator</string></dict>",
            "<key>CFBundlePackageType</key><string>XFWK</string>",
            "<key>XCFrameworkFormatVersion</key><string>1.0</string>",
        ] {
            assert!(words.contains(part), "no {part} in\n{plist}");
        }
    }

    #[test]
    fn every_slice_has_its_library_header_and_module() {
        let folder = tempfile::tempdir().unwrap();
        let libraries = framework().write(folder.path()).unwrap();
        assert_eq!(libraries.len(), 2);
        for slice in ["ios-arm64", "ios-arm64_x86_64-simulator"] {
            for file in [
                "libtealight_ffi.a",
                "Headers/TealightFFI/TealightFFI.h",
                "Headers/TealightFFI/module.modulemap",
            ] {
                let path = folder.path().join(slice).join(file);
                assert!(path.is_file(), "{}", path.display());
            }
        }
    }

    #[test]
    fn libraries_that_changed_places_are_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let framework = framework();
        let libraries = framework.write(folder.path()).unwrap();
        framework.check(folder.path()).unwrap();
        fs::copy(&libraries[0], &libraries[1]).unwrap();
        assert!(framework.check(folder.path()).is_err());
    }

    #[test]
    fn the_package_and_the_module_have_one_name() {
        let package = include_str!("../../../../bindings/swift/Package.swift");
        let target = format!("binaryTarget(name: \"{MODULE}\", path: \"{MODULE}.xcframework\")");
        assert!(package.contains(&target));
        let folder = tempfile::tempdir().unwrap();
        framework().write(folder.path()).unwrap();
        let headers = folder.path().join("ios-arm64/Headers").join(MODULE);
        let map = fs::read_to_string(headers.join("module.modulemap")).unwrap();
        assert!(map.starts_with(&format!("module {MODULE} {{\n    header \"{MODULE}.h\"\n")));
    }

    #[test]
    fn a_library_for_the_simulator_is_not_taken_for_one_for_devices() {
        let simulator = library(Processor::Arm64, true);
        assert!(Slice::of(&[&simulator], false).is_err());
        assert!(Slice::of(&[&simulator], true).is_ok());
    }
}
