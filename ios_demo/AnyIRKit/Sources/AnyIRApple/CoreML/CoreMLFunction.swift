import AnyIRCore
import CoreML
import Foundation

/// One function of a loaded package, held to what its manifest says of it.
///
/// Its float32 arrays are given in the caller's memory. Its float16 ones are ``HalfArray``s, made once.
final class CoreMLFunction {
    private let name: String
    private let entry: Manifest.Entry
    private let model: MLModel

    /// Of its float16 tensors, by their names.
    private let halfInputs: [String: HalfArray]
    let halfOutputs: [String: HalfArray]

    /// Outputs as large as the tile, of a function that takes tiles of several sizes. Their description has no shape,
    /// and Core ML brings the memory.
    private let sizedByInput: Set<String>

    /// - Parameters:
    ///   - function: its name in the package
    ///   - package: for messages
    ///   - shared: arrays that it takes where another function wrote them, by the inputs' names
    /// - Throws: ``EngineError``: it takes or gives something else
    init(
        _ function: String, of package: String, entry: Manifest.Entry, model: MLModel,
        shared: [String: HalfArray] = [:]
    ) throws {
        name = "\(function) of \(package)"
        self.entry = entry
        self.model = model
        halfInputs = try entry.inputs.halves { try shared[$0.name] ?? HalfArray($0) }
        halfOutputs = try entry.outputs.halves { try HalfArray($0) }
        let description = model.modelDescription
        sizedByInput = Set(
            description.outputDescriptionsByName.filter { $0.value.multiArrayConstraint?.shape.isEmpty == true }.keys)
        for tensor in entry.inputs { try check(tensor, description.inputDescriptionsByName[tensor.name], "take") }
        for tensor in entry.outputs { try check(tensor, description.outputDescriptionsByName[tensor.name], "give") }
    }

    /// Runs it once.
    ///
    /// - Parameters:
    ///   - inputs: in the manifest's order, of its sizes
    ///   - outputs: receive the values in the manifest's order, without Core ML's padding
    ///   - isHeld: whether the shared arrays hold the inputs after the first already
    /// - Throws: ``EngineError``
    func run(_ inputs: [FloatBuffer], into outputs: [FloatBuffer], isHeld: Bool = false) throws -> RunTiming {
        var timing = RunTiming()
        let clock = ContinuousClock()
        let start = clock.now
        let given = try features(inputs, isHeld: isHeld)
        let options = MLPredictionOptions()
        var backings: [String: MLMultiArray] = [:]
        for (tensor, buffer) in zip(entry.outputs, outputs) {
            try tensor.check(buffer, of: name)
            if sizedByInput.contains(tensor.name) { continue }
            backings[tensor.name] = try halfOutputs[tensor.name]?.array ?? array(tensor, over: buffer)
        }
        options.outputBackings = backings
        let ready = clock.now
        let answer: any MLFeatureProvider
        do {
            answer = try model.prediction(from: given, options: options)
        } catch {
            throw EngineError("Core ML stopped in \(name): \(sentence(of: error))")
        }
        let computed = clock.now
        for (tensor, buffer) in zip(entry.outputs, outputs) {
            guard let array = answer.featureValue(for: tensor.name)?.multiArrayValue else {
                throw EngineError("Core ML gave no \(tensor.name) for \(name).")
            }
            let half = halfOutputs[tensor.name]
            if array === backings[tensor.name] {
                // The memory that was offered: of float32, nothing is left to do.
                try half?.read(into: buffer)
            } else {
                try copy(array, tensor, into: buffer)
                try half?.fill(from: buffer)
            }
        }
        timing.copyIn = ready - start
        timing.run = computed - ready
        timing.readBack = clock.now - computed
        return timing
    }

    private func features(_ inputs: [FloatBuffer], isHeld: Bool) throws -> MLDictionaryFeatureProvider {
        var arrays: [String: Any] = [:]
        for (index, (tensor, buffer)) in zip(entry.inputs, inputs).enumerated() {
            try tensor.check(buffer, of: name)
            if let half = halfInputs[tensor.name] {
                if index == 0 || !isHeld { try half.fill(from: buffer) }
                arrays[tensor.name] = half.array
            } else {
                arrays[tensor.name] = try array(tensor, over: buffer)
            }
        }
        return try MLDictionaryFeatureProvider(dictionary: arrays)
    }

    /// The caller's memory as Core ML sees it; it must live until the run is over.
    private func array(_ tensor: Manifest.Tensor, over buffer: FloatBuffer) throws -> MLMultiArray {
        try MLMultiArray(
            dataPointer: UnsafeMutableRawPointer(buffer.memory), shape: tensor.shape.map { NSNumber(value: $0) },
            dataType: .float32, strides: rowMajorStrides(tensor.shape).map { NSNumber(value: $0) })
    }

    private func copy(_ array: MLMultiArray, _ tensor: Manifest.Tensor, into buffer: FloatBuffer) throws {
        let shape = array.shape.map(\.intValue)
        guard shape == tensor.shape else {
            throw EngineError(
                "\(tensor.name) of \(name) came as \(Manifest.Tensor.text(shape)), not as "
                    + "\(Manifest.Tensor.text(tensor.shape)).")
        }
        let strides = array.strides.map(\.intValue)
        let target = buffer.values
        let isKnown = array.withUnsafeBytes { bytes in
            switch array.dataType {
            case .float32: gather(bytes.bindMemory(to: Float.self), shape: shape, strides: strides, into: target)
            case .float16: gather(bytes.bindMemory(to: Float16.self), shape: shape, strides: strides, into: target)
            case .double: gather(bytes.bindMemory(to: Double.self), shape: shape, strides: strides, into: target)
            default: return false
            }
            return true
        }
        guard isKnown else { throw EngineError("\(tensor.name) of \(name) holds no floating point numbers.") }
    }

    private func check(_ tensor: Manifest.Tensor, _ found: MLFeatureDescription?, _ verb: String) throws {
        guard let constraint = found?.multiArrayConstraint else {
            throw EngineError("\(name) does not \(verb) an array \(tensor.name), which its manifest names.")
        }
        let shape = constraint.shape.map(\.intValue)
        let type = tensor.isHalf ? MLMultiArrayDataType.float16 : .float32
        let isSizedByInput = verb == "give" && sizedByInput.contains(tensor.name)
        guard shape == tensor.shape || isSizedByInput, constraint.dataType == type else {
            throw EngineError(
                "\(tensor.name) of \(name) is not \(tensor.dtype) \(Manifest.Tensor.text(tensor.shape)), which its "
                    + "manifest says.")
        }
    }
}

extension Manifest.Tensor {
    fileprivate var isHalf: Bool { dtype == "float16" }
}

extension [Manifest.Tensor] {
    /// What is made of the float16 ones, by their names.
    fileprivate func halves(_ make: (Manifest.Tensor) throws -> HalfArray) rethrows -> [String: HalfArray] {
        var found: [String: HalfArray] = [:]
        for tensor in self where tensor.isHalf { found[tensor.name] = try make(tensor) }
        return found
    }
}

/// Of an array without padding, the last dimension densest.
func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
    return strides
}

/// Copies an array of any layout into one without padding.
///
/// - Parameters:
///   - values: at least as many as the last index needs
///   - shape: at least one dimension
///   - strides: places between neighbours of each dimension, in values
///   - target: receives the shape's product of values
func gather<Value: BinaryFloatingPoint>(
    _ values: UnsafeBufferPointer<Value>, shape: [Int], strides: [Int], into target: UnsafeMutableBufferPointer<Float>
) {
    guard let width = shape.last, let step = strides.last, !shape.contains(0) else { return }
    let rows = shape.dropLast().reduce(1, *)
    var index = [Int](repeating: 0, count: shape.count - 1)
    for row in 0..<rows {
        let start = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
        for column in 0..<width { target[row * width + column] = Float(values[start + column * step]) }
        for dimension in index.indices.reversed() {
            index[dimension] += 1
            if index[dimension] < shape[dimension] { break }
            index[dimension] = 0
        }
    }
}
