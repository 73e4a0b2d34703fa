import AnyIRCore
import Foundation

/// Restores a file with a program through the app's own core.
func run(_ arguments: Arguments) async throws {
    let output = URL(fileURLWithPath: arguments.result)
    try check(output, named: arguments.result)
    let model = try findModel(URL(fileURLWithPath: arguments.artifact))
    let engine = try engine(for: model)
    let file = try PhotoFile(URL(fileURLWithPath: arguments.photo))
    let (width, height) = (file.photo.width, file.photo.height)
    let sink = MemorySink(width: width, height: height)
    let restorer = PhotoRestorer(model, with: engine)
    let start = ContinuousClock.now
    let isTerminal = isatty(STDERR_FILENO) != 0
    let facts = try await restorer.restore(file.photo, into: sink) { progress in
        guard isTerminal else { return }
        let left = progress.timeLeft.map { ", \(Int($0 / .seconds(1))) s left" } ?? ""
        say("\r\(progress.done) of \(progress.total) steps\(left)   ", end: "")
    }
    if isTerminal { say("") }
    guard let restored = sink.photo else { throw Refusal(sentence: "The result is not whole.") }
    for note in try file.write(restored, to: output) { say("anyir-swift: \(note)") }
    let seconds = String(format: "%.1f", (ContinuousClock.now - start) / .seconds(1))
    print("\(arguments.result): \(width)x\(height) by \(facts.accelerator), \(seconds) s")
}

struct Refusal: OneSentence {
    let sentence: String
}

/// Whether a result can be written there, before anything is computed.
func check(_ output: URL, named name: String) throws {
    guard PhotoFile.suffixes.contains(output.pathExtension.lowercased()) else {
        let known = PhotoFile.suffixes.joined(separator: ", ")
        throw Refusal(sentence: "\(name) has none of the suffixes that this command writes: \(known).")
    }
    guard !FileManager.default.fileExists(atPath: output.path) else {
        throw Refusal(sentence: "\(name) is there already; name another file.")
    }
    let folder = output.deletingLastPathComponent().path
    guard FileManager.default.isWritableFile(atPath: folder) else {
        throw Refusal(sentence: "There is no folder \(folder) that can be written to.")
    }
}

/// The artifact at this place, checked as the app checks its models.
func findModel(_ artifact: URL) throws -> Model {
    guard FileManager.default.fileExists(atPath: artifact.path) else {
        throw Refusal(sentence: "There is no \(artifact.path).")
    }
    let stem = artifact.deletingPathExtension().lastPathComponent
    let entries = ModelStore(folders: [artifact.deletingLastPathComponent()]).list()
    switch entries.first(where: { $0.name == stem }) {
    case .usable(let model): return model
    case .refused(_, let reason): throw Refusal(sentence: reason)
    case nil: throw Refusal(sentence: "\(artifact.lastPathComponent) is no artifact of `anyir convert`.")
    }
}

/// The first that runs the model, on this computer and in this build.
func engine(for model: Model) throws -> any EngineFactory {
    let found = engines().filter { $0.opens(model.manifest) }
    guard let first = found.first else {
        let runtime = model.manifest.runtime.rawValue
        throw Refusal(sentence: "None of the engines here runs \(runtime) programs for \(model.manifest.backend).")
    }
    if let engine = found.first(where: { $0.unavailable == nil }) { return engine }
    throw Refusal(sentence: first.refusal ?? notInThisBuild)
}

func say(_ text: String, end: String = "\n") { FileHandle.standardError.write(Data((text + end).utf8)) }

do {
    guard let arguments = try Arguments.parse(Array(CommandLine.arguments.dropFirst())) else {
        print(Arguments.help)
        exit(0)
    }
    try await run(arguments)
} catch let wrong as Arguments.Wrong {
    say("anyir-swift: \(wrong.sentence); \(Arguments.usage)")
    exit(2)
} catch {
    say("anyir-swift: \(sentence(of: error))")
    exit(1)
}
