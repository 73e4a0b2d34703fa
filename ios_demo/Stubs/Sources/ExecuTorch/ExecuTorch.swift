// ExecuTorch's Swift interface as far as the app uses it. Signatures are those of pytorch/executorch, from the pages and
// files named. Nothing computes here: the same programs are run on Linux by AnyIRKit's own shim.
import Foundation
import Synchronization

/// Notes what every module is told, such as "load look". Not ExecuTorch's.
public final class StubJournal: Sendable {
    public static let shared = StubJournal()

    private let notes = Mutex<[String: [String]]>([:])

    /// Of the module of this file.
    public subscript(_ file: String) -> [String] { notes.withLock { $0[file] ?? [] } }

    func note(_ call: String, of file: String) { notes.withLock { $0[file, default: []].append(call) } }
}

// https://docs.pytorch.org/executorch/stable/using-executorch-ios.html#module
open class Module: NSObject {
    private let file: String

    // extension/apple/ExecuTorch/Exported/ExecuTorchModule.h: initWithFilePath:
    public init(filePath: String) { file = filePath }

    // extension/apple/ExecuTorch/Exported/ExecuTorchModule.h: loadMethod:error:, in Swift load(_:)
    open func load(_ method: String) throws {
        StubJournal.shared.note("load \(method)", of: file)
        if !FileManager.default.fileExists(atPath: file) { throw CocoaError(.fileNoSuchFile) }
    }

    // extension/apple/ExecuTorch/Exported/ExecuTorchModule.h: unloadMethod:, in Swift unload(_:)
    open func unload(_ methodName: String) -> Bool {
        StubJournal.shared.note("unload \(methodName)", of: file)
        return true
    }

    // extension/apple/ExecuTorch/Exported/ExecuTorch+Module.swift
    public func execute(_ method: String, _ inputs: [ValueConvertible]) throws -> [Value] {
        StubJournal.shared.note("execute \(method)", of: file)
        return []
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
