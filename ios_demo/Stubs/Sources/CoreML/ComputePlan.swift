// Core ML's plan of what runs where. Signatures are Apple's, from the pages named.
import Foundation

// https://developer.apple.com/documentation/coreml/mlcpucomputedevice
public final class MLCPUComputeDevice: Hashable, Sendable {
    public static func == (_: MLCPUComputeDevice, _: MLCPUComputeDevice) -> Bool { true }
    public func hash(into hasher: inout Hasher) {}
}

// https://developer.apple.com/documentation/coreml/mlgpucomputedevice
public final class MLGPUComputeDevice: Hashable, Sendable {
    public static func == (_: MLGPUComputeDevice, _: MLGPUComputeDevice) -> Bool { true }
    public func hash(into hasher: inout Hasher) {}
}

// https://developer.apple.com/documentation/coreml/mlneuralenginecomputedevice
public final class MLNeuralEngineComputeDevice: Hashable, Sendable {
    public static func == (_: MLNeuralEngineComputeDevice, _: MLNeuralEngineComputeDevice) -> Bool { true }
    public func hash(into hasher: inout Hasher) {}
}

// https://developer.apple.com/documentation/coreml/mlcomputedevice
public enum MLComputeDevice: Hashable, Sendable {
    case cpu(MLCPUComputeDevice)
    case gpu(MLGPUComputeDevice)
    case neuralEngine(MLNeuralEngineComputeDevice)

    // https://developer.apple.com/documentation/coreml/mlcomputedevice/allcomputedevices
    public static var allComputeDevices: [MLComputeDevice] { StubRuntime.shared.devices }
}

// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum
public enum MLModelStructure: Sendable {
    // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program(_:)
    case program(MLModelStructure.Program)
    // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/unsupported
    case unsupported

    // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program
    public struct Program: Sendable {
        // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/functions
        public let functions: [String: MLModelStructure.Program.Function]

        // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/function
        public struct Function: Sendable {
            // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/function/block
            public let block: MLModelStructure.Program.Block
        }

        // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/block
        public struct Block: Sendable {
            // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/block/operations
            public let operations: [MLModelStructure.Program.Operation]
        }

        // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/operation
        public struct Operation: Sendable {
            // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/operation/operatorname
            public let operatorName: String
            // https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/operation/blocks
            public let blocks: [MLModelStructure.Program.Block]
            let planned: StubOperation
        }
    }
}

// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n
public class MLComputePlan {
    // https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/modelstructure
    public let modelStructure: MLModelStructure
    private let units: MLComputeUnits

    init(_ structure: MLModelStructure, _ units: MLComputeUnits) {
        modelStructure = structure
        self.units = units
    }

    // https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/deviceusage
    public struct DeviceUsage: Sendable {
        // https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/deviceusage/preferred
        public let preferred: MLComputeDevice
        // https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/deviceusage/supported
        public let supported: [MLComputeDevice]
    }

    // https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/cost
    public struct Cost: Sendable {
        // https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/cost/weight
        public let weight: Double
    }

    // https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/load(contentsof:configuration:)
    public static func load(contentsOf url: URL, configuration: MLModelConfiguration) async throws -> MLComputePlan {
        try StubRuntime.shared.plan(url, configuration)
    }

    // https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/deviceusage(for:)-7cdlm
    public func deviceUsage(for operation: MLModelStructure.Program.Operation) -> MLComputePlan.DeviceUsage? {
        operation.planned.device(units).map { DeviceUsage(preferred: $0, supported: [$0]) }
    }

    // https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/estimatedcost(of:)
    public func estimatedCost(of operation: MLModelStructure.Program.Operation) -> MLComputePlan.Cost? {
        operation.planned.cost.map(Cost.init(weight:))
    }
}
