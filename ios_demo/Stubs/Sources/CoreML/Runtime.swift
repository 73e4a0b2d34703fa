// A runtime that computes, so that the app's engine is tested on Linux. None of this is Apple's.
//
// A package is a folder with a file stub.json: a ``StubPackage``. Its look fills every statistic k with (k + 1) times the
// sheet's mean, plus i / 1024 at place i. Its restore gives half the tile plus the sum over k of (k + 1) times the mean
// of statistic k. So each input, each output and their order can be seen in the result.
import Foundation
import Synchronization

public struct StubError: Error, LocalizedError {
    public let errorDescription: String?

    public init(_ text: String) { errorDescription = text }
}

/// What a stubbed package holds and how it behaves.
public struct StubPackage: Codable, Sendable {
    public var functions: [String: Function]

    /// Names of units that loading refuses, and what it then says.
    public var refuses: [Int: String] = [:]

    public struct Function: Codable, Sendable {
        public var inputs: [Array]
        public var outputs: [Array]
        public var operations: [StubOperation] = []

        /// How long a run takes at least.
        public var milliseconds = 0

        /// Whether every value it gives is NaN.
        public var givesNaN = false

        public init(inputs: [Array], outputs: [Array]) {
            self.inputs = inputs
            self.outputs = outputs
        }
    }

    public struct Array: Codable, Sendable {
        public var name: String
        public var shape: [Int]

        /// Of the interface, as the description tells it.
        public var type = "float32"

        /// What the output really comes as: in memory of its own where this is set, with rows of so many values at least.
        public var rowOf: Int?
        public var cameAs: String?

        /// Whether the description has no shape, as that of an output whose size follows from an input's.
        public var isSizedByInput = false

        public init(name: String, shape: [Int]) {
            self.name = name
            self.shape = shape
        }
    }

    public init(functions: [String: Function]) { self.functions = functions }
}

/// An operation of the plan; without a device it is a constant.
public struct StubOperation: Codable, Sendable {
    public var name: String
    public var onNeuralEngine: Bool?
    public var cost: Double?

    public init(name: String, onNeuralEngine: Bool?, cost: Double?) {
        self.name = name
        self.onNeuralEngine = onNeuralEngine
        self.cost = cost
    }

    func device(_ units: MLComputeUnits) -> MLComputeDevice? {
        guard let onNeuralEngine else { return nil }
        let isAllowed = units == .all || units == .cpuAndNeuralEngine
        return onNeuralEngine && isAllowed
            ? .neuralEngine(MLNeuralEngineComputeDevice()) : .cpu(MLCPUComputeDevice())
    }
}

/// What happened, and what the machine has. One for the process; tests that count use packages of their own.
public final class StubRuntime: Sendable {
    public static let shared = StubRuntime()

    private let state = Mutex(State())

    private struct State {
        var compilations: [String: Int] = [:]
        var loads: [String] = []
    }

    public var devices: [MLComputeDevice] {
        [.cpu(MLCPUComputeDevice()), .gpu(MLGPUComputeDevice()), .neuralEngine(MLNeuralEngineComputeDevice())]
    }

    /// How often the package of this name was compiled.
    public func compilations(of name: String) -> Int { state.withLock { $0.compilations[name] ?? 0 } }

    /// "function, units" of every load from a folder whose path has `part`.
    public func loads(_ part: String) -> [String] { state.withLock { $0.loads.filter { $0.contains(part) } } }

    func compile(_ url: URL) throws -> URL {
        guard FileManager.default.fileExists(atPath: url.appendingPathComponent("stub.json").path) else {
            throw StubError("\(url.lastPathComponent) is no package")
        }
        let compiled = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).mlmodelc")
        try FileManager.default.copyItem(at: url, to: compiled)
        state.withLock { $0.compilations[url.lastPathComponent, default: 0] += 1 }
        return compiled
    }

    func load(_ url: URL, _ configuration: MLModelConfiguration) throws -> StubFunction {
        guard url.pathExtension == "mlmodelc" else { throw StubError("the model is not compiled") }
        let package = try read(url)
        if let reason = package.refuses[configuration.computeUnits.rawValue] { throw StubError(reason) }
        let name = configuration.functionName ?? "main"
        guard let function = package.functions[name] else { throw StubError("there is no function \(name)") }
        state.withLock { $0.loads.append("\(url.path): \(name), \(configuration.computeUnits)") }
        return StubFunction(name: name, function: function)
    }

    func plan(_ url: URL, _ configuration: MLModelConfiguration) throws -> MLComputePlan {
        let functions = try read(url).functions.mapValues { function in
            MLModelStructure.Program.Function(
                block: MLModelStructure.Program.Block(
                    operations: function.operations.map {
                        MLModelStructure.Program.Operation(operatorName: $0.name, blocks: [], planned: $0)
                    }))
        }
        return MLComputePlan(.program(MLModelStructure.Program(functions: functions)), configuration.computeUnits)
    }

    private func read(_ url: URL) throws -> StubPackage {
        try JSONDecoder().decode(StubPackage.self, from: Data(contentsOf: url.appendingPathComponent("stub.json")))
    }
}

struct StubFunction {
    let name: String
    let function: StubPackage.Function

    var description: MLModelDescription {
        func described(_ arrays: [StubPackage.Array]) -> [String: MLFeatureDescription] {
            Dictionary(
                uniqueKeysWithValues: arrays.map { array in
                    let shape = array.isSizedByInput ? [] : array.shape.map { NSNumber(value: $0) }
                    let constraint = MLMultiArrayConstraint(shape: shape, dataType: dataType(array.type))
                    return (array.name, MLFeatureDescription(constraint))
                })
        }
        return MLModelDescription(inputs: described(function.inputs), outputs: described(function.outputs))
    }

    func run(_ given: any MLFeatureProvider, _ backings: [String: Any]) throws -> any MLFeatureProvider {
        let inputs = try function.inputs.map { input in
            guard let array = given.featureValue(for: input.name)?.multiArrayValue else {
                throw StubError("input \(input.name) is missing")
            }
            guard array.shape.map(\.intValue) == input.shape, array.dataType == dataType(input.type) else {
                throw StubError("input \(input.name) has another shape or type")
            }
            return array.floats
        }
        let image = inputs[0]
        if function.milliseconds > 0 { Thread.sleep(forTimeInterval: Double(function.milliseconds) / 1000) }
        if image.first?.isSignalingNaN == true { throw StubError("the accelerator stopped") }
        var outputs: [String: Any] = [:]
        for (k, output) in function.outputs.enumerated() {
            let count = output.shape.reduce(1, *)
            let values: [Float]
            if name == "look" {
                values = (0..<count).map { Float(k + 1) * mean(image) + Float($0) / 1024 }
            } else {
                let statistics = inputs.dropFirst().enumerated().reduce(Float(0)) {
                    $0 + Float($1.offset + 1) * mean($1.element)
                }
                values = function.givesNaN ? image.map { _ in .nan } : image.map { $0 / 2 + statistics }
            }
            // What Core ML does with such a backing nobody has seen.
            if output.isSizedByInput, backings[output.name] != nil { throw StubError("a backing of unknown size") }
            outputs[output.name] = try place(values, output, backings[output.name] as? MLMultiArray)
        }
        return try MLDictionaryFeatureProvider(dictionary: outputs)
    }

    private func place(_ values: [Float], _ output: StubPackage.Array, _ backing: MLMultiArray?) throws -> MLMultiArray
    {
        if output.rowOf == nil, output.cameAs == nil, let backing {
            guard backing.shape.map(\.intValue) == output.shape, backing.dataType == dataType(output.type) else {
                throw StubError("the backing has another shape or type")
            }
            backing.put(values)
            return backing
        }
        let type = dataType(output.cameAs ?? output.type)
        var strides = [Int](repeating: 1, count: output.shape.count)
        for i in output.shape.indices.dropLast().reversed() {
            let length = i == output.shape.count - 2 ? max(output.shape[i + 1], output.rowOf ?? 0) : output.shape[i + 1]
            strides[i] = strides[i + 1] * length
        }
        let bytes = strides[0] * output.shape[0] * type.bytes
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        // What lies between the rows is nobody's: a reader that takes it is found out.
        memory.initializeMemory(as: UInt8.self, repeating: 0x7e, count: bytes)
        let array = try MLMultiArray(
            dataPointer: memory, shape: output.shape.map { NSNumber(value: $0) }, dataType: type,
            strides: strides.map { NSNumber(value: $0) }, deallocator: { $0.deallocate() })
        array.put(values)
        return array
    }
}

private func mean(_ values: [Float]) -> Float { values.reduce(0, +) / Float(values.count) }

private func dataType(_ name: String) -> MLMultiArrayDataType {
    ["float32": .float32, "float16": .float16, "double": .double][name] ?? .int32
}

extension MLMultiArrayDataType {
    fileprivate var bytes: Int {
        switch self {
        case .double: 8
        case .float32, .int32: 4
        case .float16: 2
        }
    }
}

extension MLMultiArray {
    /// Up to the last value.
    var byteCount: Int {
        let last = zip(shape, strides).reduce(0) { $0 + ($1.0.intValue - 1) * $1.1.intValue }
        return (last + 1) * dataType.bytes
    }

    fileprivate var floats: [Float] {
        places.map { place in
            dataType == .float16
                ? Float((memory + 2 * place).load(as: Float16.self)) : (memory + 4 * place).load(as: Float.self)
        }
    }

    fileprivate func put(_ values: [Float]) {
        for (place, value) in zip(places, values) {
            switch dataType {
            case .double: (memory + 8 * place).storeBytes(of: Double(value), as: Double.self)
            case .float32: (memory + 4 * place).storeBytes(of: value, as: Float.self)
            case .float16: (memory + 2 * place).storeBytes(of: Float16(value), as: Float16.self)
            case .int32: (memory + 4 * place).storeBytes(of: Int32(value), as: Int32.self)
            }
        }
    }

    /// Of every value, in the order of the indices.
    private var places: [Int] {
        var places = [0]
        for (length, stride) in zip(shape, strides) {
            places = places.flatMap { start in (0..<length.intValue).map { start + $0 * stride.intValue } }
        }
        return places
    }
}
