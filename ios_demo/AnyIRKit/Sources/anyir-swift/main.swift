import AnyIRCore
import AnyIRLinux
import Foundation

/// Restores a file with a program through the app's own core.
func run(_ arguments: [String]) async throws {
    guard arguments.count == 4, arguments[2] == "--with" else {
        throw Usage()
    }
    let (input, output) = (URL(fileURLWithPath: arguments[0]), URL(fileURLWithPath: arguments[1]))
    guard output.pathExtension.lowercased() == "png" else {
        throw Refusal(sentence: "\(arguments[1]) is no name of a PNG, which alone this command writes.")
    }
    guard !FileManager.default.fileExists(atPath: output.path) else {
        throw Refusal(sentence: "\(arguments[1]) is there already; name another file.")
    }
    let model = try findModel(URL(fileURLWithPath: arguments[3]))
    guard let engine = linuxEngines().first(where: { $0.opens(model.manifest) }) else {
        let runtime = model.manifest.runtime.rawValue
        throw Refusal(sentence: "None of the engines here runs \(runtime) programs for \(model.manifest.backend).")
    }
    let photo = try readPhoto(input)
    let sink = MemorySink(width: photo.width, height: photo.height)
    let restorer = PhotoRestorer(model, with: engine)
    let start = ContinuousClock.now
    let isTerminal = isatty(STDERR_FILENO) != 0
    let facts = try await restorer.restore(photo, into: sink) { progress in
        guard isTerminal else { return }
        let left = progress.timeLeft.map { ", \(Int($0 / .seconds(1))) s left" } ?? ""
        FileHandle.standardError.write(Data("\r\(progress.done) of \(progress.total) steps\(left)   ".utf8))
    }
    if isTerminal { FileHandle.standardError.write(Data("\n".utf8)) }
    guard let restored = sink.photo else { throw Refusal(sentence: "The result is not whole.") }
    try writePNG(restored, to: output)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print(
        "\(arguments[1]): \(photo.width)x\(photo.height) by \(facts.accelerator), \(String(format: "%.1f", seconds)) s")
}

struct Usage: Error {}

struct Refusal: OneSentence {
    let sentence: String
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

do {
    try await run(Array(CommandLine.arguments.dropFirst()))
} catch is Usage {
    FileHandle.standardError.write(Data("usage: anyir-swift PHOTO RESULT.png --with ARTIFACT\n".utf8))
    exit(2)
} catch {
    FileHandle.standardError.write(Data("anyir-swift: \(sentence(of: error))\n".utf8))
    exit(1)
}
