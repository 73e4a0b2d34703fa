// The build for Android Studio: the same sources as pom.xml's, with the runtimes' own libraries. README.md says
// which of the two has been run where.
plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.android.library) apply false
    alias(libs.plugins.kotlin.android) apply false
    alias(libs.plugins.kotlin.jvm) apply false
}
