import AnyIRCore
import Foundation

#if canImport(ExecuTorch)
    import ExecuTorch
#endif

/// ExecuTorch with XNNPACK, on the CPU. In a build without the package it is listed as not being there.
struct ExecuTorchFactory: EngineFactory {
    let id = "executorch"
    let label = "ExecuTorch"

    #if canImport(ExecuTorch)
        let unavailable: String? = nil
    #else
        let unavailable: String? = notInThisBuild
    #endif

    func opens(_ manifest: Manifest) -> Bool { manifest.runtime == .executorch && manifest.backend == "xnnpack" }

    /// ExecuTorch's Swift interface takes no number of threads: it takes as many as it likes.
    func open(_ model: Model, threads: Int, both: Bool) async throws -> sending any TileEngine {
        #if canImport(ExecuTorch)
            return try ExecuTorchEngine(model, both: both)
        #else
            throw EngineError(refusal ?? notInThisBuild)
        #endif
    }
}

#if canImport(ExecuTorch)
    /// Both methods of a `.pte`, loaded together or one at a time. Inputs are the caller's memory; outputs are copied out
    /// of ExecuTorch's.
    final class ExecuTorchEngine: EntryEngine {
        let tile: Int
        let tileSize: TileSize
        let facts: EngineFacts
        let statisticSizes: [Int]
        private let module: Module
        private let entries: Manifest.Entries
        private let name: String
        private let both: Bool
        private var loaded: Set<Manifest.EntryName> = []

        init(_ model: Model, both: Bool) throws {
            let manifest = model.manifest
            tile = manifest.tile
            tileSize = manifest.tileSize
            entries = manifest.entries
            name = manifest.name
            self.both = both
            statisticSizes = entries.statistics.map(\.count)
            module = Module(filePath: model.url.path)
            facts = EngineFacts(
                name: "ExecuTorch, \(manifest.name)", accelerator: entries.executorchAccelerator,
                look: entries.look.operators, restore: entries.restore.operators)
            // What refuses `restore` says so now, not after a photo was looked at.
            for entry in both ? Manifest.EntryName.allCases : [.restore, .look] { try load(entry) }
        }

        /// Gives the other method's memory back first, where both are not to stay.
        private func load(_ entry: Manifest.EntryName) throws {
            if loaded.contains(entry) { return }
            if !both {
                for other in loaded { _ = module.unload(other.rawValue) }
                loaded = []
            }
            do {
                try module.load(entry.rawValue)
            } catch {
                throw EngineError("ExecuTorch cannot load \(entry.rawValue) of \(name): \(sentence(of: error))")
            }
            loaded.insert(entry)
        }

        func run(
            _ entry: Manifest.EntryName, _ inputs: [FloatBuffer], into outputs: [FloatBuffer]
        ) throws -> RunTiming {
            try load(entry)
            let (method, entry) = (entry.rawValue, entries[entry])
            let clock = ContinuousClock()
            let start = clock.now
            var tensors: [Tensor<Float>] = []
            for (tensor, buffer) in zip(entry.inputs, inputs) {
                try tensor.check(buffer, of: name)
                tensors.append(Tensor<Float>(bytesNoCopy: buffer.memory, shape: tensor.shape))
            }
            let ready = clock.now
            let answer: [Value]
            do {
                answer = try module.execute(method, tensors)
            } catch {
                throw EngineError("ExecuTorch stopped in \(method) of \(name): \(sentence(of: error))")
            }
            let computed = clock.now
            guard answer.count == outputs.count else {
                throw EngineError("\(method) of \(name) gave \(answer.count) values, not \(outputs.count).")
            }
            for (value, (tensor, buffer)) in zip(answer, zip(entry.outputs, outputs)) {
                guard let found: Tensor<Float> = value.tensor(), found.count == tensor.count else {
                    throw EngineError("\(tensor.name) of \(name) is not float32 of \(tensor.count) values.")
                }
                found.withUnsafeBytes { _ = buffer.values.update(fromContentsOf: $0) }
            }
            return RunTiming(copyIn: ready - start, run: computed - ready, readBack: clock.now - computed)
        }
    }
#endif
