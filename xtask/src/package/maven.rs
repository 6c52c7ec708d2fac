//! From an artefact to a Maven repository: a folder that Gradle and Maven take packages from.

use std::fs;
use std::path::PathBuf;

use crate::Outcome;

use super::folder;

const GROUP: &str = "dev.tealight";

pub(super) struct Artefact {
    pub(super) id: String,
    pub(super) version: String,
    /// The archive's kind, which is also its ending.
    pub(super) packaging: &'static str,
    /// What it is, in a sentence.
    pub(super) description: String,
    pub(super) dependencies: Vec<Dependency>,
}

pub(super) struct Dependency {
    pub(super) group: &'static str,
    pub(super) id: &'static str,
    pub(super) version: String,
    /// The kind of archive, where it is no jar.
    pub(super) packaging: Option<&'static str>,
}

impl Dependency {
    pub(super) fn jar(group: &'static str, id: &'static str, version: &str) -> Dependency {
        Dependency {
            group,
            id,
            version: version.to_owned(),
            packaging: None,
        }
    }
}

impl Artefact {
    /// Where it lies in a repository.
    fn folder(&self) -> PathBuf {
        let group = GROUP.replace('.', "/");
        folder("maven")
            .join(group)
            .join(&self.id)
            .join(&self.version)
    }

    /// Puts the archive, its sources and its description into the repository, and says where it is.
    pub(super) fn publish(&self, archive: &[u8], sources: &[u8]) -> Outcome<PathBuf> {
        let folder = self.folder();
        fs::create_dir_all(&folder)?;
        let name = format!("{}-{}", self.id, self.version);
        // Where editors look for documentation.
        fs::write(folder.join(format!("{name}-sources.jar")), sources)?;
        fs::write(folder.join(format!("{name}.pom")), self.pom())?;
        let path = folder.join(format!("{name}.{}", self.packaging));
        super::write(&path, archive)?;
        Ok(path)
    }

    /// The project object model, version 4.0.0.
    fn pom(&self) -> String {
        let licences = [
            ("MIT", "https://opensource.org/license/mit"),
            ("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
        ];
        let licences: String = licences
            .iter()
            .map(|(name, url)| {
                format!("    <license><name>{name}</name><url>{url}</url></license>\n")
            })
            .collect();
        let dependencies: String = self.dependencies.iter().map(Dependency::xml).collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  \
               <modelVersion>4.0.0</modelVersion>\n  \
               <groupId>{GROUP}</groupId>\n  \
               <artifactId>{}</artifactId>\n  \
               <version>{}</version>\n  \
               <packaging>{}</packaging>\n  \
               <name>{}</name>\n  \
               <description>{}</description>\n  \
               <url>{url}</url>\n  \
               <licenses>\n{licences}  </licenses>\n  \
               <scm><url>{url}</url></scm>\n  \
               <dependencies>\n{dependencies}  </dependencies>\n\
             </project>\n",
            self.id,
            self.version,
            self.packaging,
            self.id,
            self.description,
            url = env!("CARGO_PKG_REPOSITORY"),
        )
    }
}

impl Dependency {
    fn xml(&self) -> String {
        let packaging = self.packaging.map(|kind| format!("<type>{kind}</type>"));
        format!(
            "    <dependency><groupId>{}</groupId><artifactId>{}</artifactId>\
             <version>{}</version>{}<scope>compile</scope></dependency>\n",
            self.group,
            self.id,
            self.version,
            packaging.unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_a_folder_a_version_and_the_pom_names_what_is_needed() {
        let artefact = Artefact {
            id: "tealight-test".to_owned(),
            version: "1.2.3".to_owned(),
            packaging: "aar",
            description: "A test".to_owned(),
            dependencies: vec![
                Dependency::jar("org.jetbrains.kotlin", "kotlin-stdlib", "2.4.20"),
                Dependency {
                    packaging: Some("aar"),
                    ..Dependency::jar("net.java.dev.jna", "jna", "5.17.0")
                },
            ],
        };
        let place = artefact.folder();
        assert!(place.ends_with("maven/dev/tealight/tealight-test/1.2.3"));
        let pom = artefact.pom();
        for part in [
            "<groupId>dev.tealight</groupId>\n  <artifactId>tealight-test</artifactId>",
            "<packaging>aar</packaging>",
            "<artifactId>kotlin-stdlib</artifactId><version>2.4.20</version><scope>",
            "<version>5.17.0</version><type>aar</type><scope>compile</scope>",
            "<license><name>MIT</name>",
        ] {
            assert!(pom.contains(part), "no {part} in\n{pom}");
        }
    }
}
