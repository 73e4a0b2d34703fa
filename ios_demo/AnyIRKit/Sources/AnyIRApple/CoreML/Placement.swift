import AnyIRCore
import CoreML

/// Where Core ML's plan puts the operations of one function. A plan, not a measurement; constants, which run nowhere,
/// are not counted.
public struct Placement: Sendable, Equatable {
    public enum Unit: String, Sendable, CaseIterable {
        case neuralEngine = "Neural Engine"
        case gpu = "GPU"
        case cpu = "CPU"
    }

    /// In the order of the program: the unit that Core ML prefers, and its share of the estimated cost, nil where it
    /// gives none.
    public struct Step: Sendable, Equatable {
        public var unit: Unit
        public var cost: Double?
    }

    public let steps: [Step]

    init(steps: [Step]) { self.steps = steps }

    /// - Throws: ``EngineError``: the plan has no such function
    init(_ plan: MLComputePlan, function name: String) throws {
        guard case .program(let program) = plan.modelStructure, let function = program.functions[name] else {
            throw EngineError("Core ML's plan has no function \(name).")
        }
        steps = Self.operations(of: function.block).compactMap { operation in
            guard let usage = plan.deviceUsage(for: operation) else { return nil }
            return Step(unit: Unit(usage.preferred), cost: plan.estimatedCost(of: operation)?.weight)
        }
    }

    /// Operations on the Neural Engine or the GPU, of all; and in how many stretches without a break they run.
    public var operators: Operators {
        let accelerated = steps.map { $0.unit != .cpu }
        let stretches = accelerated.indices.filter { accelerated[$0] && ($0 == 0 || !accelerated[$0 - 1]) }
        return Operators(
            total: steps.count, delegated: accelerated.filter(\.self).count, partitions: stretches.count)
    }

    /// Each unit's share of the estimated cost, 0...1; of the operations where Core ML gives no costs.
    public var shares: [Unit: Double] {
        let costs = steps.compactMap(\.cost)
        let weights = costs.count == steps.count && costs.reduce(0, +) > 0 ? costs : steps.map { _ in 1 }
        let sum = weights.reduce(0, +)
        var shares: [Unit: Double] = [:]
        for (step, weight) in zip(steps, weights) { shares[step.unit, default: 0] += weight / sum }
        return shares
    }

    /// "Neural Engine 97 %, CPU 3 %"
    public var text: String {
        let shares = shares
        let known = Unit.allCases.compactMap { unit in
            shares[unit].map { "\(unit.rawValue) \(Int(($0 * 100).rounded())) %" }
        }
        return known.joined(separator: ", ")
    }

    private static func operations(
        of block: MLModelStructure.Program.Block
    ) -> [MLModelStructure.Program.Operation] {
        block.operations.flatMap { [$0] + $0.blocks.flatMap(operations) }
    }
}

extension Placement.Unit {
    fileprivate init(_ device: MLComputeDevice) {
        switch device {
        case .neuralEngine: self = .neuralEngine
        case .gpu: self = .gpu
        case .cpu: self = .cpu
        @unknown default: self = .cpu
        }
    }
}
