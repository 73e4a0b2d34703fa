import AnyIRCore
import CoreML
import Foundation

/// One function of a loaded package, held to what its manifest says of it.
final class CoreMLFunction {
    private let name: String
    private let entry: Manifest.Entry
    private let model: MLModel

    /// - Parameters:
    ///   - function: its name in the package
    ///   - package: for messages
    /// - Throws: ``EngineError``: it takes or gives something else
    init(_ function: String, of package: String, entry: Manifest.Entry, model: MLModel) throws {
        name = "\(function) of \(package)"
        self.entry = entry
        self.model = model
        let description = model.modelDescription
        for tensor in entry.inputs { try check(tensor, description.inputDescriptionsByName[tensor.name], "take") }
        for tensor in entry.outputs { try check(tensor, description.outputDescriptionsByName[tensor.name], "give") }
    }

    /// Runs it once.
    ///
    /// - Parameters:
    ///   - inputs: in the manifest's order, of its sizes
    ///   - outputs: receive the values in the manifest's order, without Core ML's padding
    /// - Throws: ``EngineError``
    func run(_ inputs: [FloatBuffer], into outputs: [FloatBuffer]) throws -> RunTiming {
        var timing = RunTiming()
        let clock = ContinuousClock()
        let start = clock.now
        let given = try features(inputs)
        let options = MLPredictionOptions()
        var backings: [String: MLMultiArray] = [:]
        for (tensor, buffer) in zip(entry.outputs, outputs) { backings[tensor.name] = try array(tensor, over: buffer) }
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
            // The memory that was offered: nothing is left to do.
            if array === backings[tensor.name] { continue }
            try copy(array, tensor, into: buffer)
        }
        timing.copyIn = ready - start
        timing.run = computed - ready
        timing.readBack = clock.now - computed
        return timing
    }

    private func features(_ inputs: [FloatBuffer]) throws -> MLDictionaryFeatureProvider {
        var arrays: [String: Any] = [:]
        for (tensor, buffer) in zip(entry.inputs, inputs) { arrays[tensor.name] = try array(tensor, over: buffer) }
        return try MLDictionaryFeatureProvider(dictionary: arrays)
    }

    /// The caller's memory as Core ML sees it; it must live until the run is over.
    private func array(_ tensor: Manifest.Tensor, over buffer: FloatBuffer) throws -> MLMultiArray {
        guard buffer.count == tensor.count, let memory = buffer.values.baseAddress else {
            throw EngineError("\(tensor.name) of \(name) has \(tensor.count) values, not \(buffer.count).")
        }
        return try MLMultiArray(
            dataPointer: UnsafeMutableRawPointer(memory), shape: tensor.shape.map { NSNumber(value: $0) },
            dataType: .float32, strides: rowMajorStrides(tensor.shape).map { NSNumber(value: $0) })
    }

    private func copy(_ array: MLMultiArray, _ tensor: Manifest.Tensor, into buffer: FloatBuffer) throws {
        let shape = array.shape.map(\.intValue)
        guard shape == tensor.shape else {
            throw EngineError("\(tensor.name) of \(name) came as \(text(shape)), not as \(text(tensor.shape)).")
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
        guard shape == tensor.shape, constraint.dataType == .float32 else {
            throw EngineError(
                "\(tensor.name) of \(name) is not float32 \(text(tensor.shape)), which its manifest says.")
        }
    }

    private func text(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "x") }
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
