// Core ML as far as the app uses it. Signatures are Apple's, from the pages named; what they do is this project's, see
// Runtime.swift. On Linux alone: an Xcode build has the real module.
@_exported import CoreVideo
import Foundation

// https://developer.apple.com/documentation/coreml/mlcomputeunits
public enum MLComputeUnits: Int, Sendable {
    case cpuOnly = 0
    case cpuAndGPU = 1
    case all = 2
    case cpuAndNeuralEngine = 3
}

// https://developer.apple.com/documentation/coreml/mlmodelconfiguration
open class MLModelConfiguration: NSObject {
    // https://developer.apple.com/documentation/coreml/mlmodelconfiguration/computeunits
    open var computeUnits = MLComputeUnits.all

    // https://developer.apple.com/documentation/coreml/mlmodelconfiguration/functionname
    open var functionName: String?
}

// https://developer.apple.com/documentation/coreml/mlmultiarraydatatype
public enum MLMultiArrayDataType: Int, Sendable {
    case double = 65600
    case float32 = 65568
    case float16 = 65552
    case int32 = 131104
}

// https://developer.apple.com/documentation/coreml/mlmultiarray
open class MLMultiArray: NSObject {
    // https://developer.apple.com/documentation/coreml/mlmultiarray/datatype
    public let dataType: MLMultiArrayDataType
    // https://developer.apple.com/documentation/coreml/mlmultiarray/shape
    public let shape: [NSNumber]
    // https://developer.apple.com/documentation/coreml/mlmultiarray/strides
    public let strides: [NSNumber]
    // https://developer.apple.com/documentation/coreml/mlmultiarray/pixelbuffer
    public let pixelBuffer: CVPixelBuffer?
    let memory: UnsafeMutableRawPointer
    private let deallocator: ((UnsafeMutableRawPointer) -> Void)?

    // https://developer.apple.com/documentation/coreml/mlmultiarray/init(datapointer:shape:datatype:strides:deallocator:)
    public init(
        dataPointer: UnsafeMutableRawPointer, shape: [NSNumber], dataType: MLMultiArrayDataType, strides: [NSNumber],
        deallocator: ((UnsafeMutableRawPointer) -> Void)? = nil
    ) throws {
        memory = dataPointer
        self.shape = shape
        self.dataType = dataType
        self.strides = strides
        self.deallocator = deallocator
        pixelBuffer = nil
    }

    // https://developer.apple.com/documentation/coreml/mlmultiarray/init(pixelbuffer:shape:)
    public init(pixelBuffer: CVPixelBuffer, shape: [NSNumber]) {
        let stub = pixelBuffer.stub
        let lengths = shape.map(\.intValue)
        precondition(lengths.last == stub.width && lengths.dropLast().reduce(1, *) == stub.height, "another shape")
        memory = stub.memory
        self.shape = shape
        dataType = .float16
        var strides = [Int](repeating: 1, count: lengths.count)
        for i in lengths.indices.dropLast().reversed() {
            strides[i] = i == lengths.count - 2 ? stub.bytesPerRow / 2 : strides[i + 1] * lengths[i + 1]
        }
        self.strides = strides.map { NSNumber(value: $0) }
        deallocator = nil
        self.pixelBuffer = pixelBuffer
    }

    deinit { deallocator?(memory) }

    // https://developer.apple.com/documentation/coreml/mlmultiarray/withunsafebytes(_:)
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(start: memory, count: byteCount))
    }
}

// https://developer.apple.com/documentation/coreml/mlmultiarrayconstraint
open class MLMultiArrayConstraint: NSObject {
    // https://developer.apple.com/documentation/coreml/mlmultiarrayconstraint/shape
    public let shape: [NSNumber]
    // https://developer.apple.com/documentation/coreml/mlmultiarrayconstraint/datatype
    public let dataType: MLMultiArrayDataType

    init(shape: [NSNumber], dataType: MLMultiArrayDataType) {
        self.shape = shape
        self.dataType = dataType
    }
}

// https://developer.apple.com/documentation/coreml/mlfeaturedescription
open class MLFeatureDescription: NSObject {
    // https://developer.apple.com/documentation/coreml/mlfeaturedescription/multiarrayconstraint
    public let multiArrayConstraint: MLMultiArrayConstraint?

    init(_ constraint: MLMultiArrayConstraint?) { multiArrayConstraint = constraint }
}

// https://developer.apple.com/documentation/coreml/mlmodeldescription
open class MLModelDescription: NSObject {
    // https://developer.apple.com/documentation/coreml/mlmodeldescription/inputdescriptionsbyname
    public let inputDescriptionsByName: [String: MLFeatureDescription]
    // https://developer.apple.com/documentation/coreml/mlmodeldescription/outputdescriptionsbyname
    public let outputDescriptionsByName: [String: MLFeatureDescription]

    init(inputs: [String: MLFeatureDescription], outputs: [String: MLFeatureDescription]) {
        inputDescriptionsByName = inputs
        outputDescriptionsByName = outputs
    }
}

// https://developer.apple.com/documentation/coreml/mlfeaturevalue
open class MLFeatureValue: NSObject {
    // https://developer.apple.com/documentation/coreml/mlfeaturevalue/multiarrayvalue
    public let multiArrayValue: MLMultiArray?

    // https://developer.apple.com/documentation/coreml/mlfeaturevalue/init(multiarray:)
    public init(multiArray value: MLMultiArray) { multiArrayValue = value }
}

// https://developer.apple.com/documentation/coreml/mlfeatureprovider
public protocol MLFeatureProvider: AnyObject {
    // https://developer.apple.com/documentation/coreml/mlfeatureprovider/featurenames
    var featureNames: Set<String> { get }
    // https://developer.apple.com/documentation/coreml/mlfeatureprovider/featurevalue(for:)
    func featureValue(for featureName: String) -> MLFeatureValue?
}

// https://developer.apple.com/documentation/coreml/mldictionaryfeatureprovider
open class MLDictionaryFeatureProvider: NSObject, MLFeatureProvider {
    private let values: [String: MLFeatureValue]

    // https://developer.apple.com/documentation/coreml/mldictionaryfeatureprovider/init(dictionary:)
    public init(dictionary: [String: Any]) throws {
        values = try dictionary.mapValues { value in
            if let array = value as? MLMultiArray { return MLFeatureValue(multiArray: array) }
            if let value = value as? MLFeatureValue { return value }
            throw StubError("no feature value can hold \(type(of: value))")
        }
    }

    // https://developer.apple.com/documentation/coreml/mldictionaryfeatureprovider (by MLFeatureProvider)
    public var featureNames: Set<String> { Set(values.keys) }

    // https://developer.apple.com/documentation/coreml/mldictionaryfeatureprovider (by MLFeatureProvider)
    public func featureValue(for featureName: String) -> MLFeatureValue? { values[featureName] }
}

// https://developer.apple.com/documentation/coreml/mlpredictionoptions
open class MLPredictionOptions: NSObject {
    // https://developer.apple.com/documentation/coreml/mlpredictionoptions/outputbackings
    open var outputBackings: [String: Any] = [:]
}

// https://developer.apple.com/documentation/coreml/mlmodel
open class MLModel: NSObject {
    // https://developer.apple.com/documentation/coreml/mlmodel/modeldescription
    public let modelDescription: MLModelDescription
    private let function: StubFunction

    init(_ function: StubFunction) {
        self.function = function
        modelDescription = function.description
    }

    // https://developer.apple.com/documentation/coreml/mlmodel/compilemodel(at:)-45ao6
    public class func compileModel(at url: URL) async throws -> URL { try StubRuntime.shared.compile(url) }

    // https://developer.apple.com/documentation/coreml/mlmodel/load(contentsof:configuration:)
    public class func load(
        contentsOf url: URL, configuration: MLModelConfiguration = MLModelConfiguration()
    ) async throws -> MLModel {
        MLModel(try StubRuntime.shared.load(url, configuration))
    }

    // https://developer.apple.com/documentation/coreml/mlmodel/prediction(from:options:)-81mr6
    public func prediction(
        from input: any MLFeatureProvider, options: MLPredictionOptions
    ) throws -> any MLFeatureProvider {
        try function.run(input, options.outputBackings)
    }
}
