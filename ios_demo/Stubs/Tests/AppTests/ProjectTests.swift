import AnyIRState
import Foundation
import Testing

/// The Xcode project, read as Xcode reads it: a property list whose objects name each other. Whether Xcode opens it only a
/// Mac can tell.
@Suite struct ProjectTests {
    private let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("../../..").standardizedFileURL
    private let project: [String: Any]
    private let objects: [String: [String: Any]]

    init() throws {
        let data = try Data(contentsOf: folder.appendingPathComponent("AnyIR.xcodeproj/project.pbxproj"))
        let list = try PropertyListSerialization.propertyList(from: data, format: nil)
        project = try #require(list as? [String: Any])
        objects = try #require(project["objects"] as? [String: [String: Any]])
    }

    private func all(_ kind: String) -> [[String: Any]] { objects.values.filter { $0["isa"] as? String == kind } }

    private func text(_ object: [String: Any], _ key: String) -> String { object[key] as? String ?? "" }

    private func list(_ object: [String: Any], _ key: String) -> [String] { object[key] as? [String] ?? [] }

    private func target(_ name: String) -> [String: Any] {
        all("PBXNativeTarget").first { text($0, "name") == name } ?? [:]
    }

    private var target: [String: Any] { target("AnyIR") }

    private func plist(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: folder.appendingPathComponent(path))
        return try #require(try PropertyListSerialization.propertyList(from: data, format: nil) as? [String: Any])
    }

    private func read(_ path: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
    }

    @Test func everyObjectThatIsNamedIsThere() throws {
        #expect(text(project, "objectVersion") == "77")
        #expect(objects[text(project, "rootObject")]?["isa"] as? String == "PBXProject")
        func isID(_ text: String) -> Bool { text.count == 24 && text.hasPrefix("A1") }
        var named: Set<String> = [text(project, "rootObject")]
        for object in objects.values {
            for value in object.values {
                if let one = value as? String, isID(one) { named.insert(one) }
                if let many = value as? [String] { named.formUnion(many.filter(isID)) }
            }
        }
        #expect(named == Set(objects.keys))
    }

    @Test func theTargetTakesTheAppsFolderWhole() throws {
        let groups = list(target, "fileSystemSynchronizedGroups").compactMap { objects[$0] }
        #expect(groups.map { text($0, "path") } == ["App"])
        #expect(groups.allSatisfy { text($0, "isa") == "PBXFileSystemSynchronizedRootGroup" })
        let exceptions = groups.flatMap { list($0, "exceptions") }.compactMap { objects[$0] }
        #expect(exceptions.flatMap { list($0, "membershipExceptions") } == ["Info.plist"])
        for exception in exceptions { #expect(objects[text(exception, "target")]?["name"] as? String == "AnyIR") }
    }

    @Test func theAppCarriesTheShareExtension() throws {
        let share = target("AnyIRShare")
        #expect(text(share, "productType") == "com.apple.product-type.app-extension")
        let groups = list(share, "fileSystemSynchronizedGroups").compactMap { objects[$0] }
        #expect(groups.map { text($0, "path") } == ["Share"])
        let exceptions = groups.flatMap { list($0, "exceptions") }.compactMap { objects[$0] }
        #expect(exceptions.flatMap { list($0, "membershipExceptions") } == ["Info.plist"])
        #expect(exceptions.map { objects[text($0, "target")]?["name"] as? String } == ["AnyIRShare"])
        // Built before the app, and copied to its plug-ins.
        let dependencies = list(target, "dependencies").compactMap { objects[$0] }
        #expect(dependencies.map { objects[text($0, "target")]?["name"] as? String } == ["AnyIRShare"])
        let copies = list(target, "buildPhases").compactMap { objects[$0] }
            .filter { text($0, "isa") == "PBXCopyFilesBuildPhase" }
        #expect(copies.map { text($0, "dstSubfolderSpec") } == ["13"])
        let copied = copies.flatMap { list($0, "files") }.compactMap { objects[$0] }.map { text($0, "fileRef") }
        #expect(copied == [text(share, "productReference")])
        // The extension's identifier begins with the app's, and both see the same folder.
        let settings = all("XCBuildConfiguration").compactMap { $0["buildSettings"] as? [String: String] }
        #expect(
            Set(settings.compactMap { $0["PRODUCT_BUNDLE_IDENTIFIER"] }) == ["org.anyir.demo", "org.anyir.demo.share"])
        let entitlements = Set(settings.compactMap { $0["CODE_SIGN_ENTITLEMENTS"] })
        #expect(entitlements == ["App/AnyIR.entitlements", "Share/AnyIRShare.entitlements"])
        for path in entitlements {
            #expect(try plist(path)["com.apple.security.application-groups"] as? [String] == [Handover.group])
        }
        let own = try #require(try plist("Share/Info.plist")["NSExtension"] as? [String: Any])
        #expect(own["NSExtensionPointIdentifier"] as? String == "com.apple.share-services")
        #expect(own["NSExtensionPrincipalClass"] as? String == "$(PRODUCT_MODULE_NAME).ShareController")
        #expect(try read("Share/ShareController.swift").contains("final class ShareController: UIViewController"))
    }

    @Test func foldersAndFilesThatItNamesAreThere() throws {
        let paths =
            (all("PBXFileSystemSynchronizedRootGroup") + all("PBXFileReference")).map { text($0, "path") }
            + all("XCLocalSwiftPackageReference").map { text($0, "relativePath") }
            + all("XCBuildConfiguration").compactMap { ($0["buildSettings"] as? [String: String])?["INFOPLIST_FILE"] }
        let made: Set = ["AnyIR.app", "AnyIRShare.appex"]
        for path in paths where !made.contains(path) {
            #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent(path).path), "\(path)")
        }
        #expect(Set(paths) == made.union(["App", "Share", "Staged", "AnyIRKit", "App/Info.plist", "Share/Info.plist"]))
    }

    @Test func itLinksWhatThePackagesOffer() throws {
        let products = list(target, "packageProductDependencies").compactMap { objects[$0] }
        let own = products.filter { text(objects[text($0, "package")] ?? [:], "isa") == "XCLocalSwiftPackageReference" }
        let manifest = try read("AnyIRKit/Package.swift")
        #expect(own.map { text($0, "productName") } == ["AnyIRApple", "AnyIRCore", "AnyIRState"])
        for product in own { #expect(manifest.contains(".library(name: \"\(text(product, "productName"))\"")) }
        let linked = all("PBXFrameworksBuildPhase").flatMap { list($0, "files") }
            .compactMap { objects[$0] }.map { text($0, "productRef") }
        #expect(Set(linked) == Set(all("PBXNativeTarget").flatMap { list($0, "packageProductDependencies") }))
    }

    @Test func executorchIsPinnedToARevision() throws {
        let requirements = all("XCRemoteSwiftPackageReference").map { $0["requirement"] as? [String: String] ?? [:] }
        #expect(requirements.count == 1 && requirements[0]["kind"] == "revision")
        // The head of its branch swiftpm-1.5.0.
        #expect(requirements[0]["revision"]?.wholeMatch(of: /[0-9a-f]{40}/) != nil)
    }

    @Test func settingsAreThoseOfThePackageAndOfTheStore() throws {
        let settings = all("XCBuildConfiguration").compactMap { $0["buildSettings"] as? [String: String] }
        #expect(Set(settings.compactMap { $0["IPHONEOS_DEPLOYMENT_TARGET"] }) == ["18.0"])
        #expect(Set(settings.compactMap { $0["SWIFT_VERSION"] }) == ["6.0"])
        let version = try #require(settings.compactMap { $0["MARKETING_VERSION"] }.first)
        #expect(try read("../pyproject.toml").contains("version = \"\(version)\""))
        // ExecuTorch's backends register when they are loaded, and nothing refers to them.
        #expect(settings.compactMap { $0["OTHER_LDFLAGS"] } == ["-all_load", "-all_load"])
    }

    @Test func theSchemeBuildsTheTarget() throws {
        let scheme = try read("AnyIR.xcodeproj/xcshareddata/xcschemes/AnyIR.xcscheme")
        let id = try #require(objects.first { $0.value["name"] as? String == "AnyIR" }?.key)
        #expect(scheme.components(separatedBy: "BlueprintIdentifier = \"\(id)\"").count == 3)
    }

    @Test func thePlistAllowsWhatTheCodeAsksFor() throws {
        let data = try Data(contentsOf: folder.appendingPathComponent("App/Info.plist"))
        let plist = try #require(
            try PropertyListSerialization.propertyList(from: data, format: nil) as? [String: Any])
        let tasks = try #require(plist["BGTaskSchedulerPermittedIdentifiers"] as? [String])
        #expect(tasks == ["org.anyir.demo.restore.*"])
        #expect(try read("App/Restore/BackgroundTime.swift").contains("\"org.anyir.demo.restore\""))
        #expect(plist["NSPhotoLibraryAddUsageDescription"] is String)
        // Nothing is read from the library: the photo picker needs no permission.
        #expect(plist["NSPhotoLibraryUsageDescription"] == nil)
        #expect(plist["UIFileSharingEnabled"] as? Bool == true)
        // Later SDKs start no app without it; there is one photo, so one window.
        let scenes = try #require(plist["UIApplicationSceneManifest"] as? [String: Any])
        #expect(scenes["UIApplicationSupportsMultipleScenes"] as? Bool == false)
    }
}
