// ExecuTorch's Swift interface as far as the app uses it. Signatures are those of pytorch/executorch, from the pages and
// files named. Nothing computes here: the same programs are run on Linux by AnyIRKit's own shim.
import Foundation

// https://docs.pytorch.org/executorch/stable/using-executorch-ios.html#module
open class Module: NSObject {
    // extension/apple/ExecuTorch/Exported/ExecuTorchModule.h: initWithFilePath:
    public init(filePath: String) {}

    // extension/apple/ExecuTorch/Exported/ExecuTorchModule.h: loadMethod:error:, in Swift load(_:)
    open func load(_ method: String) throws { throw CocoaError(.featureUnsupported) }

    // extension/apple/ExecuTorch/Exported/ExecuTorchModule.h: unloadMethod:, in Swift unload(_:)
    open func unload(_ methodName: String) -> Bool { false }

    // extension/apple/ExecuTorch/Exported/ExecuTorch+Module.swift
    public func execute(_ method: String, _ inputs: [ValueConvertible]) throws -> [Value] {
        throw CocoaError(.featureUnsupported)
    }
}

// extension/apple/ExecuTorch/Exported/ExecuTorch+Value.swift
public protocol ValueConvertible {}

// https://docs.pytorch.org/executorch/stable/using-executorch-ios.html#value
open class Value: NSObject, ValueConvertible {
    // extension/apple/ExecuTorch/Exported/ExecuTorch+Value.swift
    public func tensor<T: Scalar>() -> Tensor<T>? { nil }
}

// extension/apple/ExecuTorch/Exported/ExecuTorch+Tensor.swift
public protocol Scalar {}
extension Float: Scalar {}

// https://docs.pytorch.org/executorch/stable/using-executorch-ios.html#tensor
public final class Tensor<T: Scalar>: ValueConvertible {
    // extension/apple/ExecuTorch/Exported/ExecuTorch+Tensor.swift
    public init(bytesNoCopy pointer: UnsafeMutableRawPointer, shape: [Int]) {}
    public var count: Int { 0 }
    public func withUnsafeBytes<R>(_ body: (UnsafeBufferPointer<T>) throws -> R) rethrows -> R {
        try body(UnsafeBufferPointer(start: nil, count: 0))
    }
}
