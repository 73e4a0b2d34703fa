import AnyIRCore
import AnyIRLinux
import Foundation
import Testing

/// What tests/helpers/make_ios_artifacts.py made.
private let artifacts: URL? = ProcessInfo.processInfo.environment["ANYIR_ARTIFACTS"].map { URL(fileURLWithPath: $0) }

@Suite(.serialized, .enabled(if: artifacts != nil, "needs ANYIR_ARTIFACTS and ANYIR_PACKAGES"))
struct CommandTests {
    @Test func theCommandWritesThePictureThatPythonWrites() throws {
        let made = try #require(artifacts)
        try inFolder { folder in
            let result = folder.appendingPathComponent("result.png")
            let model = made.appendingPathComponent("models/tiny_litert_cpu_fp32_64x64.tflite")
            let photo = made.appendingPathComponent("photo.png")
            let (status, output, _) = try run(photo.path, result.path, "--with", model.path)
            #expect(status == 0)
            #expect(output.contains("177x143 by LiteRT CPU"))
            let due = made.appendingPathComponent("restored/tiny_litert_cpu_fp32_64x64.png")
            let (found, expected) = (try readPhoto(result), try readPhoto(due))
            #expect(zip(found.pixels, expected.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
            #expect(found.pixels.count == expected.pixels.count)
            // It is not written over.
            let again = try run(photo.path, result.path, "--with", model.path)
            #expect(
                again.status == 1 && again.error == "anyir-swift: \(result.path) is there already; name another file.")
        }
    }

    @Test func whatCannotBeDoneIsOneLineAndLeavesNoFile() throws {
        let made = try #require(artifacts)
        let models = made.appendingPathComponent("models")
        let model = models.appendingPathComponent("tiny_litert_cpu_fp32_64x64.tflite").path
        let photo = made.appendingPathComponent("photo.png").path
        try inFolder { folder in
            let text = folder.appendingPathComponent("text.jpg")
            try Data("This is no photo.".utf8).write(to: text)
            let lonely = folder.appendingPathComponent("lonely.tflite")
            try Data("TFL3".utf8).write(to: lonely)
            let result = folder.appendingPathComponent("result.png").path
            let cases: [([String], Int32, String)] = [
                ([], 2, "usage: anyir-swift PHOTO RESULT.png --with ARTIFACT"),
                (["a", "b", "--by", "c"], 2, "usage: anyir-swift PHOTO RESULT.png --with ARTIFACT"),
                ([text.path, result, "--with", model], 1, "anyir-swift: text.jpg is neither a PNG nor a JPEG."),
                (["/none.png", result, "--with", model], 1, "anyir-swift: There is no /none.png."),
                ([photo, result, "--with", "/none.tflite"], 1, "anyir-swift: There is no /none.tflite."),
                (
                    [photo, result, "--with", lonely.path], 1,
                    "anyir-swift: There is no manifest lonely.json beside it."
                ),
                ([photo, result, "--with", photo], 1, "anyir-swift: photo.png is no artifact of `anyir convert`."),
                (
                    [photo, folder.path + "/x.jpg", "--with", model], 1,
                    "anyir-swift: \(folder.path)/x.jpg is no name of a PNG, which alone this command writes."
                ),
            ]
            for (arguments, status, sentence) in cases {
                let found = try run(arguments)
                #expect(found.status == status && found.error == sentence && found.output.isEmpty, "\(arguments)")
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            #expect(left == ["lonely.tflite", "text.jpg"])
        }
    }

    @Test func theGuidesExampleRestoresPixels() async throws {
        let made = try #require(artifacts)
        let photo = try readPhoto(made.appendingPathComponent("photo.png"))
        let models = made.appendingPathComponent("models")
        let restored = try await restore(
            photo.pixels, width: photo.width, height: photo.height, models: models, engine: LiteRTFactory())
        let name = try #require(
            ModelStore(folders: [models]).list().compactMap(\.model)
                .first { $0.manifest.runtime == .litert }?.manifest.name)
        let due = try readPhoto(made.appendingPathComponent("restored/\(name).png"))
        #expect(zip(restored, due.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 2 })
        #expect(restored.count == due.pixels.count)
        await #expect(throws: EngineError.self) {
            try await restore(photo.pixels, width: 177, height: 143, models: made, engine: LiteRTFactory())
        }
    }

    private func run(_ arguments: String...) throws -> (status: Int32, output: String, error: String) {
        try run(arguments)
    }

    /// The command, built beside these tests.
    private func run(_ arguments: [String]) throws -> (status: Int32, output: String, error: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("anyir-swift")
        process.arguments = arguments
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        let said = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        // LiteRT says much of no interest.
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
            .filter { !$0.hasPrefix("INFO: [") && !$0.hasPrefix("WARNING: [") }
        return (process.terminationStatus, String(decoding: printed, as: UTF8.self), lines.joined(separator: "\n"))
    }

    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }
}
