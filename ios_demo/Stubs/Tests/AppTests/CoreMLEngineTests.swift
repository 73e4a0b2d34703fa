import AnyIRCore
import CoreML
import Foundation
import Testing

@testable import AnyIR
@testable import AnyIRApple

/// The app's engine, unchanged, against a runtime that computes (Stubs/Sources/CoreML/Runtime.swift).
@Suite struct CoreMLEngineTests {
    @Test(arguments: [nil, 32, 1] as [Int?], ["float32", "float16", "double"])
    func paddingAndTypesOfOutputsDoNotShow(rowOf: Int?, type: String) async throws {
        let package = try TestPackage(dtype: "float32") { package in
            for function in ["look", "restore"] {
                for i in package.functions[function]?.outputs.indices ?? 0..<0 {
                    package.functions[function]?.outputs[i].rowOf = rowOf
                    package.functions[function]?.outputs[i].cameAs = rowOf == nil ? nil : type
                }
            }
        }
        let engine = try await package.open()
        let statistics = engine.newStatistics()
        let sheet = FloatBuffer(count: 3 * 16 * 16)
        for i in 0..<sheet.count { sheet.values[i] = Float(i % 97) / 97 }
        _ = try engine.look(sheet, into: statistics)
        let mean = sheet.values.reduce(0, +) / Float(sheet.count)
        // Float16 holds eleven bits.
        let tolerance: Float = type == "float16" && rowOf != nil ? 2e-3 : 1e-5
        for (k, values) in statistics.values.enumerated() {
            for i in 0..<values.count {
                #expect(abs(values.values[i] - (Float(k + 1) * mean + Float(i) / 1024)) < tolerance)
            }
        }
        let output = FloatBuffer(count: 3 * 16 * 16)
        let timing = try engine.restore(sheet, with: statistics, into: output)
        var added: Float = 0
        for (k, values) in statistics.values.enumerated() {
            added += Float(k + 1) * values.values.reduce(0, +) / Float(values.count)
        }
        for i in 0..<output.count { #expect(abs(output.values[i] - (sheet.values[i] / 2 + added)) < 4 * tolerance) }
        #expect(timing.run > .zero)
    }

    @Test func theWholePhotoIsWhatTheSameSumsGive() async throws {
        let package = try TestPackage { $0.functions["restore"]?.outputs[0].rowOf = 32 }
        let photo = MemoryPhoto(width: 40, height: 21, pixels: (0..<40 * 21 * 4).map { UInt8($0 * 7 % 120) })
        let sink = MemorySink(width: 40, height: 21)
        let facts = try await PhotoRestorer(package.model, with: package.factory()).restore(photo, into: sink)
        #expect(facts.accelerator == "Core ML, CPU (CPU asked for)")
        let restored = try #require(sink.photo)
        // Half of each pixel, plus what the look found: the same everywhere.
        let first = Float(restored.pixels[0]) - Float(photo.pixels[0]) / 2
        for i in restored.pixels.indices where i % 4 != 3 {
            let due = min(255, Float(photo.pixels[i]) / 2 + first)
            #expect(abs(Float(restored.pixels[i]) - due) <= 1)
        }
    }

    @Test(arguments: [nil, 32] as [Int?])
    func halvesAreSharedWithTheRuntime(rowOf: Int?) async throws {
        // Where the runtime comes with memory of its own, the values are copied.
        let package = try TestPackage { package in
            for i in 0..<2 { package.functions["look"]?.outputs[i].rowOf = rowOf }
            package.functions["restore"]?.outputs[0].rowOf = rowOf
        }
        let engine = try await package.open()
        let (one, other) = (engine.newStatistics(), engine.newStatistics())
        let (dark, light) = (FloatBuffer(count: 3 * 16 * 16), FloatBuffer(count: 3 * 16 * 16))
        for i in 0..<dark.count { (dark.values[i], light.values[i]) = (Float(i % 64) / 256, Float(i % 64) / 64) }
        _ = try engine.look(dark, into: one)
        _ = try engine.look(light, into: other)
        let output = FloatBuffer(count: dark.count)
        // The runtime's arrays hold what the last look found; whatever is given counts.
        for statistics in [other, one, one, other] {
            _ = try engine.restore(dark, with: statistics, into: output)
            let added = statistics.values.enumerated().reduce(Float(0)) { sum, one in
                sum + Float(one.offset + 1) * one.element.values.reduce(0, +) / Float(one.element.count)
            }
            for i in 0..<output.count { #expect(abs(output.values[i] - (dark.values[i] / 2 + added)) < 4e-3) }
        }
        #expect(one.values[0].values[0] != other.values[0].values[0])
        #expect(one.values.allSatisfy { $0.values.allSatisfy { Float(Float16($0)) == $0 } })
    }

    @Test(arguments: ["float16", "float32"])
    func aPackageForTilesOfSeveralSizesTakesTheManifests(dtype: String) async throws {
        let whole = FloatBuffer(count: 3 * 16 * 16)
        for i in 0..<whole.count { whole.values[i] = Float(i % 64) / 64 }
        var outputs: [[Float]] = []
        for isSizedByInput in [false, true] {
            let package = try TestPackage(dtype: dtype) {
                $0.functions["restore"]?.outputs[0].isSizedByInput = isSizedByInput
            }
            let engine = try await package.open()
            let (statistics, output) = (engine.newStatistics(), FloatBuffer(count: whole.count))
            _ = try engine.look(whole, into: statistics)
            _ = try engine.restore(whole, with: statistics, into: output)
            outputs.append(Array(output.values))
        }
        #expect(outputs[0] == outputs[1])
        #expect(outputs[0].contains { $0 != 0 })
        let other = try TestPackage(dtype: dtype) { package in
            package.functions["restore"]?.outputs[0].isSizedByInput = true
            package.functions["restore"]?.outputs[0].shape = [1, 3, 8, 32]
        }
        let engine = try await other.open()
        let (statistics, output) = (engine.newStatistics(), FloatBuffer(count: whole.count))
        #expect(throws: EngineError("output of restore of tiny came as 1x3x8x32, not as 1x3x16x16.")) {
            _ = try engine.restore(whole, with: statistics, into: output)
        }
    }

    @Test func aPackageIsCompiledOnceForASystem() async throws {
        let package = try TestPackage()
        let name = package.model.url.lastPathComponent
        _ = try await package.open()
        _ = try await package.open()
        _ = try await package.open(.neuralEngine)
        #expect(StubRuntime.shared.compilations(of: name) == 1)
        let updated = CoreMLFactory(units: .cpu, compiled: CompiledModels(folder: package.cache, system: "next"))
        _ = try await updated.open(package.model, threads: 1)
        #expect(StubRuntime.shared.compilations(of: name) == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: package.cache.path).count == 1)
    }

    @Test func whatWasCompiledOfAReplacedPackageIsDropped() async throws {
        let (old, new) = (try TestPackage(), try TestPackage())
        let compiled = CompiledModels(folder: old.cache)
        let factory = CoreMLFactory(units: .cpu, compiled: compiled)
        for package in [old, new] { _ = try await factory.open(package.model, threads: 1) }
        await factory.keepCompiled(of: [new.model])
        #expect(try await compiled.model(for: new.model).wasKept)
        #expect(try FileManager.default.contentsOfDirectory(atPath: old.cache.path).count == 1)
    }

    @Test func aCompiledModelThatIsDamagedIsMadeAnew() async throws {
        let package = try TestPackage()
        _ = try await package.open()
        let kept = try FileManager.default.contentsOfDirectory(atPath: package.cache.path)
        let compiled = package.cache.appendingPathComponent(try #require(kept.first))
        try Data("cut off".utf8).write(to: compiled.appendingPathComponent("stub.json"))
        _ = try await package.open()
        #expect(StubRuntime.shared.compilations(of: package.model.url.lastPathComponent) == 2)
    }

    @Test func bothFunctionsAreLoadedForTheUnitsAskedFor() async throws {
        let package = try TestPackage()
        _ = try await package.open(.neuralEngine)
        let loads = StubRuntime.shared.loads(package.cache.path).map { $0.components(separatedBy: ": ")[1] }
        #expect(loads == ["look, cpuAndNeuralEngine", "restore, cpuAndNeuralEngine"])
    }

    @Test func whatCannotBeLoadedIsOneSentence() async throws {
        let refused = try TestPackage { $0.refuses[MLComputeUnits.cpuAndGPU.rawValue] = "no such unit" }
        await #expect(throws: EngineError("Core ML, GPU cannot load tiny: StubError: no such unit")) {
            _ = try await refused.open(.gpu)
        }
        let older = try TestPackage { $0.functions["look"] = nil }
        await #expect(throws: EngineError("Core ML, CPU cannot load tiny: StubError: there is no function look")) {
            _ = try await older.open()
        }
        let other = try TestPackage { $0.functions["restore"]?.inputs[0].shape = [1, 3, 24, 24] }
        await #expect(
            throws: EngineError("image of restore of tiny is not float16 1x3x16x16, which its manifest says.")
        ) {
            _ = try await other.open()
        }
        let half = try TestPackage(dtype: "float32") { $0.functions["look"]?.outputs[1].type = "float16" }
        await #expect(
            throws: EngineError("s1 of look of tiny is not float32 1x5, which its manifest says.")
        ) {
            _ = try await half.open()
        }
        let nameless = try TestPackage { $0.functions["restore"]?.outputs[0].name = "out" }
        await #expect(
            throws: EngineError("restore of tiny does not give an array output, which its manifest names.")
        ) {
            _ = try await nameless.open()
        }
    }

    @Test func whatStopsInTheMiddleIsOneSentence() async throws {
        let engine = try await TestPackage(dtype: "float32").open()
        let sheet = FloatBuffer(count: 3 * 16 * 16)
        sheet.values[0] = .signalingNaN
        #expect(throws: EngineError("Core ML stopped in look of tiny: StubError: the accelerator stopped")) {
            _ = try engine.look(sheet, into: engine.newStatistics())
        }
    }

    @Test func memoryThatCannotBeReachedIsSaid() throws {
        let half = try HalfArray(try TestPackage().model.manifest.entries.restore.outputs[0])
        let values = FloatBuffer(count: 3 * 16 * 16)
        try half.fill(from: values)
        half.array.pixelBuffer?.stubStatus = -6682
        let due = EngineError("The memory of output, which Core ML shares, cannot be reached (-6682).")
        #expect(throws: due) { try half.fill(from: values) }
        #expect(throws: due) { try half.read(into: values) }
    }

    @Test func statisticsOfAnotherProgramAreRefused() async throws {
        let (one, other) = (try await TestPackage().open(), try await TestPackage().open())
        let (tile, output) = (FloatBuffer(count: 3 * 16 * 16), FloatBuffer(count: 3 * 16 * 16))
        #expect(throws: EngineError.self) { _ = try one.restore(tile, with: other.newStatistics(), into: output) }
    }

    @Test func thePlanTellsWhereOperationsRunAndWhatTheyCost() async throws {
        let package = try TestPackage { package in
            package.functions["restore"]?.operations = [
                StubOperation(name: "const", onNeuralEngine: nil, cost: nil),
                StubOperation(name: "conv", onNeuralEngine: true, cost: 0.5),
                StubOperation(name: "cast", onNeuralEngine: false, cost: 0.1),
                StubOperation(name: "conv", onNeuralEngine: true, cost: 0.3),
                StubOperation(name: "add", onNeuralEngine: true, cost: 0.1),
            ]
        }
        let restore = try await package.factory(.neuralEngine).placement(of: package.model).restore
        #expect(restore.operators == Operators(total: 4, delegated: 3, partitions: 2))
        #expect(restore.text == "Neural Engine 90 %, CPU 10 %")
        let onCPU = try await package.factory(.cpu).placement(of: package.model).restore
        #expect(onCPU.operators == Operators(total: 4, delegated: 0, partitions: 0))
        #expect(onCPU.text == "CPU 100 %")
    }

    @Test func stridesAreWhatTheyAre() {
        #expect(rowMajorStrides([1, 3, 4, 5]) == [60, 20, 5, 1])
        let values: [Float] = (0..<40).map(Float.init)
        let target = FloatBuffer(count: 12)
        // Columns lie apart, rows lie densest: a transposed array.
        values.withUnsafeBufferPointer { gather($0, shape: [2, 3, 2], strides: [20, 1, 8], into: target.values) }
        #expect(Array(target.values) == [0, 8, 1, 9, 2, 10, 20, 28, 21, 29, 22, 30])
    }
}
