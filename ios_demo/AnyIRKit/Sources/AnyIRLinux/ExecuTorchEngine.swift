#if EXECUTORCH
    import AnyIRCore
    import CExecuTorch

    /// ExecuTorch with XNNPACK, through the libraries of executorch's wheel.
    public struct ExecuTorchFactory: EngineFactory {
        public let id = "executorch"
        public let label = "ExecuTorch"
        public let unavailable: String? = nil

        public init() {}

        public func opens(_ manifest: Manifest) -> Bool {
            manifest.runtime == .executorch && manifest.backend == "xnnpack"
        }

        public func open(_ model: Model, threads: Int, both: Bool) async throws -> sending any TileEngine {
            try ExecuTorchEngine(model, both: both)
        }
    }

    final class ExecuTorchEngine: LoadsEntries {
        let tile: Int
        let tileSize: TileSize
        let facts: EngineFacts
        let statisticSizes: [Int]

        private let program: OpaquePointer
        private let both: Bool
        private(set) var loaded: Set<Manifest.EntryName> = []

        init(_ model: Model, both: Bool) throws {
            let name = "ExecuTorch with \(model.manifest.name)"
            try checkFile(of: model, name)
            program = try explained(name) { anyir_executorch_open(model.url.path, $0) }
            self.both = both
            tile = model.manifest.tile
            tileSize = model.manifest.tileSize
            statisticSizes = model.manifest.entries.statistics.map(\.count)
            facts = EngineFacts(name: name, accelerator: model.manifest.entries.executorchAccelerator)
            for entry in Manifest.EntryName.allCases {
                try check(entry.rawValue, model.manifest.entries[entry])
            }
            // What refuses `restore` says so now, not after a photo was looked at.
            for entry in both ? Manifest.EntryName.allCases : [.restore, .look] { try load(entry) }
        }

        deinit { anyir_executorch_close(program) }

        func run(
            _ entry: Manifest.EntryName, _ inputs: [FloatBuffer], into outputs: [FloatBuffer]
        ) throws -> RunTiming {
            try load(entry)
            let clock = ContinuousClock()
            let method = entry.rawValue
            let pointers = inputs.map { Optional($0.memory) }
            let run = try clock.measure {
                try succeeded(facts.name) { anyir_executorch_run(program, method, pointers, pointers.count, $0) }
            }
            let readBack = try clock.measure {
                for (i, buffer) in outputs.enumerated() {
                    try succeeded(facts.name) {
                        anyir_executorch_read(program, i, buffer.memory, buffer.count, $0)
                    }
                }
            }
            return RunTiming(run: run, readBack: readBack)
        }

        /// Gives the other method's memory back first, where both are not to stay.
        private func load(_ entry: Manifest.EntryName) throws {
            if loaded.contains(entry) { return }
            if !both {
                for other in loaded { anyir_executorch_unload(program, other.rawValue) }
                loaded = []
            }
            try succeeded(facts.name) { anyir_executorch_load(program, entry.rawValue, $0) }
            loaded.insert(entry)
        }

        private func check(_ method: String, _ entry: Manifest.Entry) throws {
            for (isOutput, tensors) in [(false, entry.inputs), (true, entry.outputs)] {
                let found = anyir_executorch_count(program, method, isOutput)
                guard found == tensors.count else {
                    throw EngineError(
                        "\(facts.name): \(method) has \(found) tensors where \(tensors.count) are due.")
                }
                for (i, tensor) in tensors.enumerated() {
                    try checkSize(anyir_executorch_size(program, method, isOutput, i), of: tensor, facts.name)
                }
            }
        }
    }
#endif
