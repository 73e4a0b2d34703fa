import AnyIRCore
import Foundation
import Testing

@testable import AnyIRLinux

/// What tests/helpers/make_ios_artifacts.py made.
private let artifacts: URL? = ProcessInfo.processInfo.environment["ANYIR_ARTIFACTS"].map { URL(fileURLWithPath: $0) }

/// Real programs, of which a photo holds one entry at a time.
@Suite(.serialized, .enabled(if: artifacts != nil, "needs ANYIR_ARTIFACTS and ANYIR_PACKAGES"))
struct OneEntryTests {
    @Test func lookIsGivenBackBeforeRestoreIsLoadedAndLoadedAgainForTheNextPhoto() async throws {
        for (factory, model) in try programs() {
            let one = try #require(try await factory.open(model, threads: 1) as? any LoadsEntries)
            let two = try #require(try await factory.open(model, threads: 1, both: true) as? any LoadsEntries)
            #expect(one.loaded == [.look] && two.loaded == [.look, .restore])
            for photo in 1...2 {
                let sheet = image(one.tile, seed: photo)
                let (mine, due) = (one.newStatistics(), two.newStatistics())
                _ = try one.look(sheet, into: mine)
                _ = try two.look(sheet, into: due)
                #expect(one.loaded == [.look])
                for (found, expected) in zip(mine.values, due.values) {
                    #expect(found.values.elementsEqual(expected.values))
                }
                for tile in 3...4 {
                    let (found, expected) = (image(one.tile, seed: 0), image(one.tile, seed: 0))
                    _ = try one.restore(image(one.tile, seed: tile), with: mine, into: found)
                    _ = try two.restore(image(one.tile, seed: tile), with: due, into: expected)
                    #expect(one.loaded == [.restore] && two.loaded == [.look, .restore])
                    #expect(found.values.elementsEqual(expected.values) && found.isFinite)
                }
            }
        }
    }

    @Test func whatTheFileLacksForRestoreIsSaidWhenItIsOpened() async throws {
        let (factory, model) = try #require(try programs().first { $0.0.id == "litert-cpu" })
        let own = model.url.deletingPathExtension().appendingPathExtension("json")
        var fields = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: own)) as? [String: Any])
        var entries = try #require(fields["entries"] as? [String: Any])
        var restore = try #require(entries["restore"] as? [String: Any])
        var outputs = try #require(restore["outputs"] as? [[String: Any]])
        outputs[0]["name"] = "another"
        restore["outputs"] = outputs
        entries["restore"] = restore
        fields["entries"] = entries
        let manifest = try Manifest.parse(JSONSerialization.data(withJSONObject: fields))
        let refusal = EngineError("LiteRT CPU with \(manifest.name): the program has no tensor another.")
        for both in [false, true] {
            await #expect(throws: refusal) {
                _ = try await factory.open(Model(manifest: manifest, url: model.url), threads: 1, both: both)
            }
        }
    }

    @Test func aProgramThatIsGoneAfterTheLookIsOneSentence() async throws {
        let (factory, model) = try #require(try programs().first { $0.0.id == "litert-cpu" })
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString).tflite")
        try FileManager.default.copyItem(at: model.url, to: copy)
        let engine = try await factory.open(Model(manifest: model.manifest, url: copy), threads: 1)
        let statistics = engine.newStatistics()
        _ = try engine.look(image(engine.tile, seed: 1), into: statistics)
        try FileManager.default.removeItem(at: copy)
        #expect(throws: EngineError("\(engine.facts.name): the model's file was changed or removed.")) {
            try engine.restore(image(engine.tile, seed: 1), with: statistics, into: image(engine.tile, seed: 0))
        }
    }

    private func programs() throws -> [(any EngineFactory, Model)] {
        let folder = try #require(artifacts).appendingPathComponent("models")
        let models = ModelStore(folders: [folder]).list().compactMap(\.model).filter { $0.manifest.precision == "fp32" }
        let found = linuxEngines().compactMap { factory in
            models.first { factory.opens($0.manifest) }.map { (factory, $0) }
        }
        #expect(found.count == 2)
        return found
    }

    /// Some values of 0...1.
    private func image(_ tile: Int, seed: Int) -> FloatBuffer {
        let buffer = FloatBuffer(count: 3 * tile * tile)
        for i in 0..<buffer.count { buffer.values[i] = Float((i * (2 * seed + 1)) % 251) / 250 }
        return buffer
    }
}
