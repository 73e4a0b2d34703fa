import AnyIRCore
import AnyIRLinux
import Foundation
import Testing

/// What tests/helpers/make_ios_artifacts.py made.
private let artifacts: URL? = ProcessInfo.processInfo.environment["ANYIR_ARTIFACTS"].map { URL(fileURLWithPath: $0) }
private let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../..").standardizedFileURL

private let engines = linuxEngines()

/// The pixels of a file.
func readPhoto(_ url: URL) throws -> MemoryPhoto { try PhotoFile(url).photo }

/// In dB, of 8-bit values; infinite for equal ones.
private func psnr(_ a: MemoryPhoto, _ b: MemoryPhoto) -> Double {
    let squares = zip(a.pixels, b.pixels).map { pair in
        let difference = Double(pair.0) - Double(pair.1)
        return difference * difference
    }
    let mean = squares.reduce(0, +) / Double(squares.count) * 4 / 3  // alpha has no error
    return mean > 0 ? 10 * log10(255 * 255 / mean) : .infinity
}

/// In place of an iPhone.
private struct ThisComputer: Device {
    func environment() async -> Results.Environment {
        Results.Environment(
            created: .now, device: "no iPhone: a computer in a test", cores: ProcessInfo.processInfo.processorCount,
            memoryBytes: Int(ProcessInfo.processInfo.physicalMemory), os: "Linux", appVersion: "test", osBuild: "none",
            lowPowerMode: false)
    }

    func reading() async -> Results.Reading { Results.Reading(thermalStatus: nil) }

    func memory() -> Int? { nil }

    func peakMemory() -> Int? { nil }
}

@Suite(.serialized, .enabled(if: artifacts != nil, "needs ANYIR_ARTIFACTS and ANYIR_PACKAGES"))
struct EndToEndTests {
    /// Every program of the tiny network that Python converted, and how near its photo is to Python's, in dB.
    private static let bounds = ["fp32": 80.0, "fp16": 60, "int8w": 60, "int8": 50]

    @Test func everyProgramRestoresAPhotoOfSeveralTilesAsPythonDoes() async throws {
        let folder = try #require(artifacts)
        let photo = try readPhoto(folder.appendingPathComponent("photo.png"))
        var ran: Set<Manifest.Runtime> = []
        let folders = ["models", "rectangle"].map { folder.appendingPathComponent($0) }
        let entries = ModelStore(folders: folders).list()
        #expect(entries.count { $0.model?.manifest.restoreSize != nil } == 1)
        for entry in entries {
            let model = try #require(entry.model, "\(entry)")
            guard let engine = engines.first(where: { $0.opens(model.manifest) }) else { continue }
            let restored = try await restore(photo, with: model, by: engine)
            let due = try readPhoto(folder.appendingPathComponent("restored/\(entry.name).png"))
            let distance = psnr(restored, due)
            let least = try #require(Self.bounds[model.manifest.precision])
            #expect(distance >= least, "\(entry.name): \(distance) dB")
            #expect(psnr(restored, photo) < 60, "the program changes the photo")
            ran.insert(model.manifest.runtime)
        }
        #expect(ran == [.litert, .executorch])
    }

    @Test func everyProgramIsMeasuredAgainstTheReference() async throws {
        let folder = try #require(artifacts)
        let tiles = try ReferenceTiles(folder: folder.appendingPathComponent("staged/reference"))
        let entries = ModelStore(folders: [folder.appendingPathComponent("models")]).list()
        let plan = BenchmarkPlan(runs: 2, warmups: 1)
        let targets = try chooseTargets(plan, entries: entries, engines: engines, tiles: tiles)
        let results = try await Benchmark(plan, tiles: tiles, device: ThisComputer()).measure(targets)
        for row in results.rows where row.status == .ok {
            #expect(Set(row.quality.keys).count >= 9)
            let nearest = row.quality.values.map { $0.psnrReference ?? .infinity }.min() ?? 0
            #expect(nearest >= (row.precision == "fp32" ? 80 : 30), "\(row.name): \(nearest) dB")
        }
        #expect(results.rows.count { $0.status == .ok } == 4)
        // `anyir report` reads it after the tests.
        try results.write(to: folder.appendingPathComponent("phone.json"))
    }

    @Test func aJPEGThatLiesOnItsSideComesUpright() async throws {
        let folder = try #require(artifacts)
        let photo = try readPhoto(folder.appendingPathComponent("turned.jpg"))
        #expect((photo.width, photo.height) == (177, 143))
        let restored = try await restore(photo, with: try program("litert_cpu_fp32"), by: LiteRTFactory())
        let due = try readPhoto(folder.appendingPathComponent("restored/turned.png"))
        // Two JPEG decoders may differ by a step.
        #expect(psnr(restored, due) > 45)
    }

    @Test func aGreyPhotoStaysGreyAsInPython() async throws {
        let folder = try #require(artifacts)
        let photo = try readPhoto(folder.appendingPathComponent("grey.png"))
        #expect(photo.isGrey)
        let restored = try await restore(photo, with: try program("litert_cpu_fp32"), by: LiteRTFactory())
        let due = try readPhoto(folder.appendingPathComponent("restored/grey.png"))
        #expect(due.isGrey && psnr(restored, due) >= 80)
    }

    @Test func statisticsOfTheLookArePythons() async throws {
        let folder = try #require(artifacts)
        let photo = try readPhoto(folder.appendingPathComponent("photo.png"))
        for (stem, engine) in zip(["litert_cpu_fp32", "executorch_xnnpack_fp32"], engines) {
            let model = try program(stem)
            let due = try Data(contentsOf: folder.appendingPathComponent("looks/tiny_\(stem)_64x64.f32"))
            let values = due.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
            let found = try await look(at: photo, with: model, by: engine)
            #expect(found.count == values.count)
            let largest = values.map(abs).max() ?? 0
            #expect(zip(found, values).allSatisfy { abs($0 - $1) <= 1e-4 * largest }, "\(stem)")
        }
    }

    @Test func aProgramThatIsDamagedOrOfAnotherKindIsOneSentence() async throws {
        let model = try program("litert_cpu_fp32")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let data = try Data(contentsOf: model.url)
        for (i, content) in [Data(), Data("text".utf8), data.prefix(1000), data.prefix(data.count / 2)].enumerated() {
            let url = folder.appendingPathComponent("\(i).tflite")
            try content.write(to: url)
            await #expect(throws: EngineError.self, "\(i)") {
                try await PhotoRestorer(Model(manifest: model.manifest, url: url), with: LiteRTFactory()).load()
            }
        }
        // A manifest that promises other statistics than the program has.
        var manifest = model.manifest
        manifest.entries.look.outputs.removeLast()
        manifest.entries.restore.inputs.removeLast()
        let lying = Model(manifest: manifest, url: model.url)
        let restorer = PhotoRestorer(lying, with: LiteRTFactory())
        await #expect(throws: EngineError.self) { try await restorer.load() }
        let nowhere = LiteRTFactory(packages: "/nowhere")
        #expect(nowhere.unavailable == "there is no /nowhere/ai_edge_litert/libLiteRt.so")
        await #expect(throws: EngineError.self) { try await PhotoRestorer(model, with: nowhere).load() }
    }

    @Test func badPhotosAreOneSentence() throws {
        let photos = repository.appendingPathComponent("android_demo/app/src/test/photos")
        let upright = try PhotoFile(photos.appendingPathComponent("upright.png"))
        #expect(try readPhoto(photos.appendingPathComponent("one.png")).pixels.count == 4)
        #expect(upright.photo.width > 1)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let jpeg = try Data(contentsOf: photos.appendingPathComponent("turned.jpg"))
        let png = try Data(contentsOf: photos.appendingPathComponent("upright.png"))
        let files = [
            "cut.jpg": jpeg.prefix(jpeg.count * 2 / 3), "cut.png": png.prefix(png.count / 2), "empty.jpg": Data(),
        ]
        for (name, data) in files {
            try data.write(to: folder.appendingPathComponent(name))
            let error = try #require(failure { try readPhoto(folder.appendingPathComponent(name)) })
            #expect(error.hasPrefix(name) && error.hasSuffix(".") && !error.contains("\n"), "\(error)")
        }
        #expect(
            failure { try readPhoto(photos.appendingPathComponent("text.jpg")) }
                == "text.jpg is neither a PNG nor a JPEG.")
        #expect(failure { try readPhoto(URL(fileURLWithPath: "/nowhere.png")) } == "There is no /nowhere.png.")
        #expect(failure { try upright.write(upright.photo, to: URL(fileURLWithPath: "/nowhere/x.png")) } != nil)
        let copy = folder.appendingPathComponent("copy.png")
        #expect(try upright.write(upright.photo, to: copy) == [])
        #expect(try readPhoto(copy) == upright.photo)
    }

    private func failure(_ body: () throws -> some Any) -> String? {
        do {
            _ = try body()
            return nil
        } catch {
            return sentence(of: error)
        }
    }

    private func program(_ stem: String) throws -> Model {
        let folder = try #require(artifacts).appendingPathComponent("models")
        let entries = ModelStore(folders: [folder]).list()
        return try #require(entries.first { $0.name == "tiny_\(stem)_64x64" }?.model)
    }

    private func restore(
        _ photo: MemoryPhoto, with model: Model, by engine: any EngineFactory
    ) async throws -> MemoryPhoto {
        let sink = MemorySink(width: photo.width, height: photo.height)
        try await PhotoRestorer(model, with: engine).restore(photo, into: sink)
        return try #require(sink.photo)
    }

    private func look(at photo: MemoryPhoto, with model: Model, by factory: any EngineFactory) async throws -> [Float] {
        let engine = try await factory.open(model, threads: 1)
        let statistics = engine.newStatistics()
        let tile = engine.tile
        let sheet = FloatBuffer(count: 3 * tile * tile)
        for crop in LookPlan(width: photo.width, height: photo.height, tile: tile).crops {
            for y in 0..<crop.height {
                for x in 0..<crop.width {
                    for colour in 0..<3 {
                        let from = 4 * ((crop.y + y) * photo.width + crop.x + x) + colour
                        let to = colour * tile * tile + (crop.top + y) * tile + crop.left + x
                        sheet.values[to] = Float(photo.pixels[from]) / 255
                    }
                }
            }
        }
        _ = try engine.look(sheet, into: statistics)
        return statistics.values.flatMap { Array($0.values) }
    }
}
