import AnyIRCore
import Foundation

/// What there is to run programs with on Linux. ExecuTorch is there where the package was built with ANYIR_PACKAGES.
public func linuxEngines() -> [any EngineFactory] {
    var engines: [any EngineFactory] = [LiteRTFactory()]
    #if EXECUTORCH
        engines.append(ExecuTorchFactory())
    #endif
    return engines
}

/// An engine that says which entries it has loaded: both, or one at a time.
protocol LoadsEntries: EntryEngine {
    var loaded: Set<Manifest.EntryName> { get }
}

/// Whether a model's file still has the size that the store saw: LiteRT reads beyond the end of one that is cut off.
func checkFile(of model: Model, _ name: String) throws {
    let facts = try? FileManager.default.attributesOfItem(atPath: model.url.path)
    guard facts?[.size] as? Int == model.manifest.bytes else {
        throw EngineError("\(name): the model's file was changed or removed.")
    }
}

/// Calls C code that gives nil and a reason where it fails.
func explained<Value>(_ name: String, _ call: (UnsafeMutablePointer<CChar>?) -> Value?) throws -> Value {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { reason in
        reason.initialize(repeating: 0)
        guard let value = call(reason.baseAddress) else {
            throw EngineError("\(name): \(text(reason)).")
        }
        return value
    }
}

/// Calls C code that gives false and a reason where it fails.
func succeeded(_ name: String, _ call: (UnsafeMutablePointer<CChar>?) -> Bool) throws {
    try explained(name) { call($0) ? () : nil }
}

/// Whether a program's tensor is as large as its manifest says.
func checkSize(_ found: Int, of tensor: Manifest.Tensor, _ name: String) throws {
    guard found == tensor.count else {
        throw EngineError("\(name) has \(found) values of \(tensor.name) where \(tensor.count) are due.")
    }
}

private func text(_ reason: UnsafeMutableBufferPointer<CChar>) -> String {
    String(decoding: UnsafeRawBufferPointer(reason).prefix { $0 != 0 }, as: UTF8.self)
}
