import AnyIRCore
import Foundation
import Testing

struct NamedEngine: EngineFactory {
    let id: String
    var unavailable: String?
    var runtime = Manifest.Runtime.litert

    var label: String { id.uppercased() }

    func opens(_ manifest: Manifest) -> Bool { manifest.runtime == runtime }

    func open(_ model: Model, threads: Int, both: Bool) async throws -> sending any TileEngine {
        throw EngineError("\(label) opens nothing.")
    }
}

@Suite struct ChoiceTests {
    private func model(
        _ name: String, loss: Double = 0.1, psnr: Double = 30, tile: Int = 256, precision: String = "fp32"
    ) throws -> Model {
        var manifest = try Manifest.parse(sampleManifest())
        manifest.name = name
        (manifest.tile, manifest.restoreSize) = (tile, nil)
        manifest.precision = precision
        manifest.parity.degradations[0].loss = loss
        manifest.parity.degradations[0].artifactPSNR = psnr
        return Model(manifest: manifest, url: URL(fileURLWithPath: "/models/\(name).tflite"))
    }

    @Test func onlyWhatRunsIsAChoice() throws {
        let engines = [
            NamedEngine(id: "a", unavailable: notInThisBuild), NamedEngine(id: "b", runtime: .coreml),
            NamedEngine(id: "c"), NamedEngine(id: "d"),
        ]
        let all = choices(models: [try model("x"), try model("y")], engines: engines)
        #expect(all.map(\.id) == ["x@c", "x@d", "y@c", "y@d"])
        #expect(recommended(models: [try model("x")], engines: Array(engines[..<2])) == nil)
        #expect(recommended(models: [], engines: engines) == nil)
    }

    @Test func withoutMeasuresTheBestResultsOnTheFirstEngineWin() throws {
        let engines = [NamedEngine(id: "c"), NamedEngine(id: "d")]
        let models = [
            try model("lossy", loss: 0.3, psnr: 40), try model("low", psnr: 29), try model("small", tile: 128),
            try model("half", precision: "fp16"), try model("full"), try model("full again"),
        ]
        #expect(recommended(models: models, engines: engines)?.id == "full@c")
        // Less than a tenth of a dB decides nothing, and what a conversion won by chance does not count.
        #expect(
            recommended(models: models + [try model("chance", loss: -2, psnr: 32)], engines: engines)?.id == "full@c")
        #expect(recommended(models: [models[0]], engines: engines)?.id == "lossy@c")
    }

    @Test func theFastestPixelsThatWereMeasuredWin() throws {
        let engines = [NamedEngine(id: "c"), NamedEngine(id: "d")]
        let models = [try model("lossy", loss: 0.3), try model("large", tile: 512), try model("small", tile: 256)]
        let times = ["lossy@c": 1.0, "large@c": 300, "small@c": 90, "small@d": 74]
        #expect(recommended(models: models, engines: engines) { times[$0.id] }?.id == "small@d")
        #expect(recommended(models: models, engines: engines) { ["large@d": 1.0][$0.id] }?.id == "large@d")
    }
}
