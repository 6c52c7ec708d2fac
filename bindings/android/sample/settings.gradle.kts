pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
        // Made by `cargo xtask package android`.
        maven(uri("../../../target/package/maven"))
    }
}

rootProject.name = "Tealight sample"
include(":app")
