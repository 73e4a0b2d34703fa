import AnyIRCore
import Foundation
import Testing

@testable import AnyIRLinux

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

    @Test func aJPEGKeepsItsEXIFAndProfileAsPythonKeepsThem() throws {
        let made = try #require(artifacts)
        try inFolder { folder in
            let model = made.appendingPathComponent("models/tiny_litert_cpu_fp32_64x64.tflite").path
            let camera = made.appendingPathComponent("camera.jpg")
            #expect(try Exif.orientation(of: PhotoFile(camera).tags.exif) == 6)
            let due = try PhotoFile(made.appendingPathComponent("restored/camera.jpg"))
            for name in ["result.jpg", "result.png"] {
                let result = folder.appendingPathComponent(name)
                let (status, _, error) = try run(camera.path, result.path, "--with", model)
                #expect(status == 0 && !error.contains("anyir-swift"))
                let found = try PhotoFile(result)
                #expect(found.tags.exif == due.tags.exif && Exif.orientation(of: found.tags.exif) == 1)
                #expect(found.tags.profile == due.tags.profile && found.tags.profile.count > 100)
                let furthest = zip(found.photo.pixels, due.photo.pixels).map { abs(Int($0) - Int($1)) }.max()
                // What is a PNG now was a JPEG there.
                #expect(try #require(furthest) <= (name == "result.jpg" ? 2 : 40))
            }
        }
    }

    @Test func greyStaysGreyAndADamagedEXIFIsSaid() throws {
        try inFolder { folder in
            let grey = MemoryPhoto(width: 2, height: 1, pixels: [10, 10, 10, 255, 90, 90, 90, 255])
            var tags = PhotoTags(exif: Array("no TIFF".utf8), isGrey: true)
            for suffix in ["png", "jpg"] {
                let url = folder.appendingPathComponent("grey.\(suffix)")
                var notes: [String] = []
                let data =
                    suffix == "png"
                    ? try png(of: grey, tags, name: "grey") : try jpeg(of: grey, &tags, &notes, name: "grey")
                try data.write(to: url)
                let file = try PhotoFile(url)
                #expect(file.tags.isGrey && isNear(file.photo, grey))
                let restored = MemoryPhoto(width: 2, height: 1, pixels: grey.pixels)
                let result = folder.appendingPathComponent("result.\(suffix)")
                #expect(try file.write(restored, to: result) == ["Its EXIF is damaged and was left out."])
                let written = try PhotoFile(result)
                #expect(written.tags.isGrey && written.tags.exif.isEmpty && isNear(written.photo, grey))
            }
            let clear = MemoryPhoto(width: 1, height: 1, pixels: [1, 2, 3, 4])
            #expect(throws: PhotoFileError.self) {
                try PhotoFile(folder.appendingPathComponent("grey.jpg"))
                    .write(clear, to: folder.appendingPathComponent("clear.jpg"))
            }
        }
    }

    @Test func helpIsPrintedAndLeavesWithZero() throws {
        let (status, output, error) = try run("--help")
        #expect(status == 0 && error.isEmpty)
        #expect(output.hasPrefix(Self.usage) && output.contains("Example: anyir-swift photo.jpg"))
    }

    private static let usage = "usage: anyir-swift PHOTO RESULT --with ARTIFACT (or --help)"

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
                ([], 2, "no photo is named"), (["a"], 2, "no result is named"),
                (["a", "b"], 2, "no artifact is named"), (["a", "b", "--with"], 2, "--with names no artifact"),
                (["a", "b", "--by", "c"], 2, "there is no option --by"),
                (["a", "b", "c", "--with", "d"], 2, "c is one name too many"),
                ([text.path, result, "--with", model], 1, "text.jpg is neither a PNG nor a JPEG."),
                (["/none.png", result, "--with", model], 1, "There is no /none.png."),
                ([photo, result, "--with", "/none.tflite"], 1, "There is no /none.tflite."),
                (
                    [photo, result, "--with", lonely.path], 1,
                    "There is no manifest lonely.json beside it."
                ),
                ([photo, result, "--with", photo], 1, "photo.png is no artifact of `anyir convert`."),
                (
                    [photo, folder.path + "/x.gif", "--with", model], 1,
                    "\(folder.path)/x.gif has none of the suffixes that this command writes: png, jpg, jpeg."
                ),
                (
                    [photo, "/none/x.jpg", "--with", model], 1,
                    "There is no folder /none that can be written to."
                ),
            ]
            for (arguments, status, sentence) in cases {
                let found = try run(arguments)
                let line = "anyir-swift: \(sentence)\(status == 2 ? "; \(Self.usage)" : "")"
                #expect(found.status == status && found.error == line && found.output.isEmpty, "\(arguments)")
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

    /// But for what a JPEG loses.
    private func isNear(_ one: MemoryPhoto, _ other: MemoryPhoto) -> Bool {
        zip(one.pixels, other.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 3 }
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
