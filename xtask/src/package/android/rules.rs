//! What must hold for an AAR, read back from its bytes: its entries, the libraries in it, and that
//! the rules for shrinking apps name classes that are there.

use std::collections::BTreeSet;

use crate::Outcome;
use crate::bindings::jvm::Layer;
use crate::build_arm::support;
use crate::elf::{self, Facts};

use super::super::archive::{self, Entry};
use super::{Library, place};

/// Entries that an AAR has, or that its consumers look for.
const ENTRIES: &[&str] = &[
    "AndroidManifest.xml",
    "classes.jar",
    "R.txt",
    "proguard.txt",
    "META-INF/com/android/build/gradle/aar-metadata.properties",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "THIRD-PARTY-LICENSES",
];

/// Every way in which the archive is not what it should be.
pub(super) fn check(archive: &[u8], libraries: &[Library], layer: &Layer) -> Outcome<Vec<String>> {
    let entries = archive::unzip(archive)?;
    let mut broken = Vec::new();
    let mut wanted: BTreeSet<String> = ENTRIES.iter().map(|name| (*name).to_owned()).collect();
    for library in libraries {
        let place = place(layer, library.target)?;
        if let Some(bytes) = find(&entries, &place) {
            let processor = support::android(library.target)?;
            let rules = elf::rules::check(&Facts::read(bytes)?, processor);
            broken.extend(rules.into_iter().map(|rule| format!("{place}: {rule}")));
        }
        wanted.insert(place);
    }
    let found: BTreeSet<String> = entries.iter().map(|(name, _)| name.clone()).collect();
    let missing = wanted.difference(&found);
    broken.extend(missing.map(|name| format!("{name} is not in it")));
    let foreign = found.difference(&wanted);
    broken.extend(foreign.map(|name| format!("{name} is in it and should not be")));
    broken.extend(unknown_classes(&entries)?);
    Ok(broken)
}

fn find<'e>(entries: &'e [Entry], name: &str) -> Option<&'e [u8]> {
    let entry = entries.iter().find(|(own, _)| own == name);
    entry.map(|(_, bytes)| bytes.as_slice())
}

/// Classes of ours that the rules for shrinking name, and that the archive lacks.
fn unknown_classes(entries: &[Entry]) -> Outcome<Vec<String>> {
    let (Some(rules), Some(classes)) =
        (find(entries, "proguard.txt"), find(entries, "classes.jar"))
    else {
        return Ok(Vec::new());
    };
    let classes = archive::unzip(classes)?;
    let rules = String::from_utf8(rules.to_vec())?;
    let named = rules.split_whitespace();
    let named = named.filter(|word| word.starts_with("dev.tealight"));
    let unknown = named.filter(|class| {
        let path = class.replace('.', "/");
        let (start, exact) = match path.split_once('*') {
            Some((start, _)) => (start.to_owned(), false),
            None => (format!("{path}.class"), true),
        };
        let mut names = classes.iter().map(|(name, _)| name);
        !names.any(|name| {
            if exact {
                *name == start
            } else {
                name.starts_with(&start)
            }
        })
    });
    Ok(unknown
        .map(|class| format!("proguard.txt keeps {class}, which is no class in it"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::jvm::LAYERS;
    use crate::build_arm::targets::{ANDROID_PAGE, Target};
    use crate::elf::{SharedLibrary, shared_library};

    fn library(page: u64) -> Library {
        let bytes = shared_library(&SharedLibrary {
            machine: object::elf::EM_AARCH64,
            name: "libtealight_jni.so",
            needed: &["libc.so"],
            exports: &["JNI_OnLoad"],
            imports: &["malloc"],
            weak_imports: &[],
            page,
            code_is_writable: false,
            text_relocations: false,
        });
        Library {
            target: Target::find("aarch64-linux-android").unwrap(),
            bytes: bytes.unwrap(),
        }
    }

    /// An archive with these classes, and the rest as it should be.
    fn packed(library: &Library, classes: &[&str]) -> Vec<Entry> {
        let classes: Vec<Entry> = classes
            .iter()
            .map(|name| (format!("dev/tealight/{name}.class"), Vec::new()))
            .collect();
        let rules = "-keep class dev.tealight.Native { *; }\n-keep class dev.tealight.Error$* {}";
        let mut entries: Vec<Entry> = ENTRIES
            .iter()
            .map(|name| match *name {
                "classes.jar" => (*name, archive::zip(&classes).unwrap()),
                "proguard.txt" => (*name, rules.as_bytes().to_vec()),
                _ => (*name, Vec::new()),
            })
            .map(|(name, bytes)| (name.to_owned(), bytes))
            .collect();
        let place = "jni/arm64-v8a/libtealight_jni.so".to_owned();
        entries.push((place, library.bytes.clone()));
        entries
    }

    fn broken(entries: &[Entry], library: Library) -> Vec<String> {
        check(&archive::zip(entries).unwrap(), &[library], &LAYERS[0]).unwrap()
    }

    #[test]
    fn an_archive_with_everything_breaks_no_rule() {
        let library = library(ANDROID_PAGE);
        let entries = packed(&library, &["Native", "Error$Busy"]);
        assert_eq!(broken(&entries, library), [""; 0]);
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_named() {
        let library = library(ANDROID_PAGE);
        let mut entries = packed(&library, &["Native", "Error$Busy"]);
        entries.retain(|(name, _)| name != "R.txt" && !name.starts_with("jni/"));
        entries.push(("jni/mips/libtealight_jni.so".to_owned(), Vec::new()));
        let expected = [
            "R.txt is not in it",
            "jni/arm64-v8a/libtealight_jni.so is not in it",
            "jni/mips/libtealight_jni.so is in it and should not be",
        ];
        assert_eq!(broken(&entries, library), expected);
    }

    #[test]
    fn libraries_for_small_pages_are_refused() {
        let library = library(4096);
        let entries = packed(&library, &["Native", "Error$Busy"]);
        let broken = broken(&entries, library);
        assert!(!broken.is_empty());
        let alike = |rule: &String| rule.starts_with("jni/arm64-v8a/libtealight_jni.so: load");
        assert!(broken.iter().all(alike), "{broken:?}");
    }

    #[test]
    fn rules_for_classes_that_are_not_there_are_refused() {
        let library = library(ANDROID_PAGE);
        let entries = packed(&library, &["Native"]);
        let expected = "proguard.txt keeps dev.tealight.Error$*, which is no class in it";
        assert_eq!(broken(&entries, library), [expected]);
    }
}
