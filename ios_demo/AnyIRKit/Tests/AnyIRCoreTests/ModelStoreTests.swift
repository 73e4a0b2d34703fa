import AnyIRCore
import Foundation
import Testing

@Suite struct ModelStoreTests {
    private let name = "small_litert_cpu_int8w_64x64"

    @Test func sha256IsTheStandards() {
        #expect(sha256(Data()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(sha256(Data("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        // The portable one in pieces of every length around a block's end.
        let text = Array("abcdefghij".utf8)
        let all = (0..<150).map { text[$0 % 10] }
        for cut in [0, 1, 55, 56, 63, 64, 65, 119, 128, 149] {
            var digest = PortableSHA256()
            digest.update(data: all[..<cut])
            digest.update(data: all[cut...])
            let hex = digest.finalize().map { String(format: "%02x", $0) }.joined()
            #expect(hex == sha256(Data(all)), "cut at \(cut)")
        }
    }

    @Test(.enabled(if: artifacts != nil, "needs ANYIR_ARTIFACTS"))
    func aFoldersHashIsPythons() throws {
        let folder = try #require(artifacts)
        let due = try String(contentsOf: folder.appendingPathComponent("tree.sha256"), encoding: .utf8)
        #expect(try sha256(at: folder.appendingPathComponent("tree")) == due)
    }

    @Test(.enabled(if: artifacts != nil, "needs ANYIR_ARTIFACTS"))
    func whatPythonConvertedIsUsable() throws {
        let folder = try #require(artifacts).appendingPathComponent("models")
        let entries = ModelStore(folders: [folder]).list()
        let models = entries.compactMap(\.model)
        #expect(models.count == entries.count && models.count >= 4)
        #expect(Set(models.map(\.manifest.runtime)).isSuperset(of: [.litert, .executorch]))
        #expect(models.allSatisfy { $0.manifest.tile == 64 })
    }

    @Test func aWholeModelIsUsableAndAChangedOneIsNot() async throws {
        try await withFolder { folder in
            try put(folder, program: "program")
            let store = ModelStore(folders: [folder, folder.appendingPathComponent("none")])
            #expect(store.list().compactMap(\.model?.manifest.name) == [name])
            let artifact = folder.appendingPathComponent("\(name).tflite")
            try Data("progrom".utf8).write(to: artifact)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: artifact.path)
            let reason = try refusal(store)
            #expect(reason.hasPrefix("\(name).tflite is not the file that its manifest describes: sha256 "))
        }
    }

    @Test func aPackageIsAFolderAndItsManifestNamesIt() async throws {
        try await withFolder { folder in
            let package = folder.appendingPathComponent("\(name).mlpackage")
            try FileManager.default.createDirectory(
                at: package.appendingPathComponent("Data"), withIntermediateDirectories: true)
            try Data("weights".utf8).write(to: package.appendingPathComponent("Data/weight.bin"))
            let text = sampleText(sha256: try sha256(at: package))
                .replacingOccurrences(of: ".tflite", with: ".mlpackage")
                .replacingOccurrences(of: "\"runtime\":\"litert\"", with: "\"runtime\":\"coreml\"")
            try Data(text.utf8).write(to: folder.appendingPathComponent("\(name).json"))
            let store = ModelStore(folders: [folder])
            #expect(store.list().compactMap(\.model?.manifest.runtime) == [.coreml])
            try Data("weighty".utf8).write(to: package.appendingPathComponent("Data/other.bin"))
            #expect(try refusal(store).contains("is not the file that its manifest describes"))
            try FileManager.default.removeItem(at: package)
            try Data().write(to: package)
            #expect(try refusal(store) == "\(name).mlpackage is not a package.")
        }
    }

    @Test(arguments: [
        ("\"file\":\"small_litert_cpu_int8w_64x64.tflite\"", "\"file\":\"../x.tflite\"", "outside its folder"),
        ("\"file\":\"small_litert_cpu_int8w_64x64.tflite\"", "\"file\":\"\"", "outside its folder"),
        ("\"file\":\"small_litert_cpu_int8w_64x64.tflite\"", "\"file\":\"other.tflite\"", "does not match"),
        ("\"runtime\":\"litert\"", "\"runtime\":\"executorch\"", "is no executorch program"),
        ("\"runtime\":\"litert\"", "\"runtime\":\"coreai\"", "a Core AI program, which this app does not run"),
        ("\"tile\":64", "\"tile\":60", "not a multiple of 8"),
        ("\"width\":80", "\"width\":84", "tile size 84 is not a multiple of 8"),
        ("\"width\":80", "\"width\":0", "tile size 0 is not a multiple of 8"),
        ("\"height\":48", "\"height\":-8", "tile size -8 is not a multiple of 8"),
        ("\"height\":48", "\"height\":56", "image is float32 1x3x48x80; this app gives and takes float32 1x3x56x80"),
        ("\"tile\":64", "\"tile\":128", "this app gives and takes float32 1x3x128x128"),
        ("\"dtype\":\"float32\",\"layout\":\"opaque\"", "\"dtype\":\"float16\",\"layout\":\"opaque\"", "is float16"),
        ("\"shape\":[1,8,1,1]", "\"shape\":[1,-8,1,1]", "impossible size"),
        ("\"shape\":[1,8,1,1]", "\"shape\":[999999,9999999,1,1]", "larger than any real"),
        ("\"schema_version\":2", "\"schema_version\":9", "schema version 9"),
    ])
    func whatDoesNotFitIsRefusedInOneSentence(part: String, other: String, reason: String) async throws {
        try await withFolder { folder in
            try put(folder, program: "program") { $0.replacingOccurrences(of: part, with: other) }
            let found = try refusal(ModelStore(folders: [folder]))
            #expect(found.contains(reason), "\(found)")
            #expect(found.hasSuffix(".") && !found.contains("\n"))
        }
    }

    @Test func strayFilesLinksAndDoublesAreSorted() async throws {
        try await withFolder { folder in
            let first = folder.appendingPathComponent("a")
            let second = folder.appendingPathComponent("b")
            for place in [first, second] {
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            }
            try put(first, program: "program")
            try put(second, program: "program")
            try Data("{}".utf8).write(to: first.appendingPathComponent("conversion.json"))
            try Data("x".utf8).write(to: first.appendingPathComponent("alone.pte"))
            try FileManager.default.createSymbolicLink(
                at: second.appendingPathComponent("link.tflite"),
                withDestinationURL: first.appendingPathComponent("\(name).tflite"))
            let entries = ModelStore(folders: [first, second]).list()
            #expect(entries.compactMap(\.model).count == 1, "the same model twice is one")
            let reasons = entries.compactMap { entry -> String? in
                guard case .refused(_, let reason) = entry else { return nil }
                return reason
            }
            #expect(
                reasons == ["There is no manifest alone.json beside it.", "There is no manifest link.json beside it."])

            try put(second, program: "another")
            #expect(ModelStore(folders: [first, second]).list() == entries, "the first folder's hides the second's")
            try put(first, as: "copy", program: "another")
            let program = first.appendingPathComponent("\(name).tflite")
            let refusal = ModelEntry.refused(program, reason: "Another model of this name is in \(first.path).")
            #expect(ModelStore(folders: [first, second]).list().contains(refusal))
        }
    }

    @Test func aLinkThatLeadsOutOfTheFolderIsRefused() async throws {
        try await withFolder { folder in
            let outside = folder.appendingPathComponent("outside")
            let models = folder.appendingPathComponent("models")
            for place in [outside, models] {
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            }
            try put(outside, program: "program")
            try FileManager.default.copyItem(
                at: outside.appendingPathComponent("\(name).json"), to: models.appendingPathComponent("\(name).json"))
            try FileManager.default.createSymbolicLink(
                at: models.appendingPathComponent("\(name).tflite"),
                withDestinationURL: outside.appendingPathComponent("\(name).tflite"))
            #expect(try refusal(ModelStore(folders: [models])).hasSuffix("is a link that leads out of the folder."))
        }
    }

    private func put(
        _ folder: URL, as file: String? = nil, program: String, change: (String) -> String = { $0 }
    ) throws {
        let file = file ?? name
        try Data(program.utf8).write(to: folder.appendingPathComponent("\(file).tflite"))
        let text = change(sampleText(sha256: sha256(Data(program.utf8))))
            .replacingOccurrences(of: "\(name).tflite", with: "\(file).tflite")
        try Data(text.utf8).write(to: folder.appendingPathComponent("\(file).json"))
    }

    private func refusal(_ store: ModelStore) throws -> String {
        let entries = store.list()
        guard case .refused(_, let reason) = try #require(entries.first) else {
            Issue.record("\(entries) is usable")
            return ""
        }
        return reason
    }
}
