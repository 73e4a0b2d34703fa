import AnyIRCore
import ExecuTorch
import Foundation
import Testing

@testable import AnyIR

/// What the app's engine asks of ExecuTorch; the stub notes it and computes nothing.
@Suite struct ExecuTorchEngineTests {
    @Test func aPhotoHoldsOneMethodAtATime() throws {
        let package = try TestPackage(dtype: "float32")
        let engine = try ExecuTorchEngine(package.model, both: false)
        for _ in 1...2 { use(engine) }
        let photo = [
            "unload restore", "load look", "execute look", "unload look", "load restore", "execute restore",
            "execute restore",
        ]
        #expect(StubJournal.shared[package.model.url.path] == ["load restore"] + photo + photo)
    }

    @Test func theBenchmarkHoldsBoth() throws {
        let package = try TestPackage(dtype: "float32")
        let engine = try ExecuTorchEngine(package.model, both: true)
        // The package's manifest does not say that everything is delegated.
        #expect(engine.facts.accelerator == "ExecuTorch (XNNPACK and portable kernels)")
        for _ in 1...2 { use(engine) }
        let photo = ["execute look", "execute restore", "execute restore"]
        #expect(StubJournal.shared[package.model.url.path] == ["load look", "load restore"] + photo + photo)
    }

    @Test func whatCannotBeLoadedIsSaidBeforeAnythingLooks() throws {
        let package = try TestPackage(dtype: "float32")
        try FileManager.default.removeItem(at: package.model.url)
        #expect {
            _ = try ExecuTorchEngine(package.model, both: false)
        } throws: { sentence(of: $0).hasPrefix("ExecuTorch cannot load restore of tiny: ") }
        #expect(StubJournal.shared[package.model.url.path] == ["load restore"])
    }

    @Test func whatCannotBeLoadedAnyMoreAfterTheLookIsOneSentence() throws {
        let package = try TestPackage(dtype: "float32")
        let engine = try ExecuTorchEngine(package.model, both: false)
        try FileManager.default.removeItem(at: package.model.url)
        let image = FloatBuffer(count: 3 * 16 * 16)
        #expect {
            _ = try engine.restore(image, with: engine.newStatistics(), into: image)
        } throws: { sentence(of: $0).hasPrefix("ExecuTorch cannot load restore of tiny: ") }
    }

    /// A look and two tiles, of which the stub answers none.
    private func use(_ engine: ExecuTorchEngine) {
        let (image, statistics) = (FloatBuffer(count: 3 * 16 * 16), engine.newStatistics())
        #expect(throws: EngineError.self) { try engine.look(image, into: statistics) }
        for _ in 1...2 {
            #expect(throws: EngineError.self) { try engine.restore(image, with: statistics, into: image) }
        }
    }
}
