import AnyIRCore
import Foundation
import Synchronization
import Testing

/// An iPhone that is nowhere.
struct PretendPhone: Device {
    func environment() async -> Results.Environment {
        Results.Environment(
            created: Date(timeIntervalSince1970: 0), device: "iPhone0,0", cores: 6, memoryBytes: 8 << 30,
            os: "iOS 18.0",
            appVersion: "0.1.0", osBuild: "22A000", lowPowerMode: false)
    }

    func reading() async -> Results.Reading {
        Results.Reading(thermalStatus: .fair, batteryPercent: 80, isPluggedIn: false)
    }

    func memory() -> Int? { 100 << 20 }

    func peakMemory() -> Int? { 130 << 20 }
}

/// Opens place engines for LiteRT manifests.
private struct PlaceFactory: EngineFactory {
    var id = "place"
    var unavailable: String?
    let opener: PlaceOpener
    let label = "Place"

    func opens(_ manifest: Manifest) -> Bool { manifest.runtime == .litert }

    func open(_ model: Model, threads: Int, both: Bool) async throws -> sending any TileEngine {
        #expect(both, "looks and tiles are timed in turn: no run may load an entry")
        return try await opener.open()
    }
}

@Suite struct BenchmarkTests {
    @Test func percentilesAreNumpys() {
        #expect(percentile([4, 1, 3, 2], 50) == 2.5)
        #expect(percentile([1, 2, 3, 4, 5], 90) == 4.6)
        #expect(percentile([7], 99) == 7)
        #expect(percentile([3, 1], 0) == 1 && percentile([3, 1], 100) == 3)
        #expect(psnr(meanSquare: 0.01) == 20 && psnr(meanSquare: 0).isInfinite)
    }

    @Test func aProgramIsMeasuredAndItsRowIsByTheSchema() async throws {
        try await withFolder { folder in
            let tiles = try smallReference(in: folder)
            let opener = PlaceOpener(tile: 8)
            let seen = Mutex<[BenchmarkProgress]>([])
            let plan = BenchmarkPlan(runs: 3, warmups: 2, sustainSeconds: 1)
            let targets = try chooseTargets(
                plan, entries: [.usable(try model())], engines: [PlaceFactory(opener: opener)], tiles: tiles)
            let benchmark = Benchmark(plan, tiles: tiles, device: PretendPhone()) { step in
                seen.withLock { $0.append(step) }
            }
            let results = try await benchmark.measure(targets)
            let row = try #require(results.rows.first)
            #expect(row.status == .ok && row.error == nil, "\(row.error ?? "")")
            #expect(row.latency?.n == 3 && row.latency?.warmups == 2 && row.look?.latency.n == 3)
            #expect(row.latency?.split?.runMs == [2, 2, 2])
            // The network gives back its input, and so does this program.
            #expect(row.quality["noise"]?.psnrReference == nil && row.quality["noise"]?.maxErrorReference == 0)
            #expect(row.quality["clean"]?.psnrTruth == nil)
            #expect((row.quality["noise"]?.psnrTruth ?? 0) < 20)
            #expect(row.peakMemoryBytes == 30 << 20 && row.pssBytes == 100 << 20)
            #expect(row.sustained?.seconds == 1 && row.sustained?.runs.first?.thermalStatus == .fair)
            #expect(row.conditions?.after.plugged == "none")
            #expect(opener.opened == 2, "loaded twice")
            let steps = seen.withLock { $0 }
            #expect(steps.map(\.done) == Array(0..<7) && steps.allSatisfy { $0.total == 7 })

            let text = String(decoding: try results.json(), as: UTF8.self)
            for entry in ["\"p50_ms\"", "\"load_again_ms\"", "\"at_s\"", "\"picture\" : null", "\"schema\" : 3"] {
                #expect(text.contains(entry), "\(entry)")
            }
            let file = folder.appendingPathComponent("new/run1.json")
            try results.write(to: file)
            #expect(try Results.parse(Data(contentsOf: file)).rows.first?.outputSha256 == row.outputSha256)
        }
    }

    @Test func whatCannotBeMeasuredIsARowWithItsReason() async throws {
        try await withFolder { folder in
            let tiles = try smallReference(in: folder)
            var other = try model("other")
            other = Model(manifest: changed(other.manifest) { $0.source.sha256 = "99" }, url: other.url)
            var foreign = try model("foreign")
            foreign = Model(manifest: changed(foreign.manifest) { $0.runtime = .coreml }, url: foreign.url)
            var rectangle = try model("rectangle")
            rectangle = Model(
                manifest: changed(rectangle.manifest) { $0.restoreSize = TileSize(height: 8, width: 16) },
                url: rectangle.url)
            let refused = ModelEntry.refused(URL(fileURLWithPath: "/m/bad.json"), reason: "The file x is missing.")
            let engines: [any EngineFactory] = [
                PlaceFactory(opener: PlaceOpener(tile: 8, failing: 6)),
                PlaceFactory(id: "nan", opener: PlaceOpener(tile: 8) { _, _, _, _ in .nan }),
                PlaceFactory(id: "large", opener: PlaceOpener(tile: 16)),
                PlaceFactory(id: "away", unavailable: notInThisBuild, opener: PlaceOpener(tile: 8)),
            ]
            let plan = BenchmarkPlan(runs: 2, warmups: 1)
            let entries: [ModelEntry] = [
                .usable(try model()), .usable(other), .usable(foreign), refused, .usable(rectangle),
            ]
            let targets = try chooseTargets(plan, entries: entries, engines: engines, tiles: tiles)
            let results = try await Benchmark(plan, tiles: tiles, device: PretendPhone()).measure(targets)
            let reasons = results.rows.prefix(4).map(\.error)
            #expect(
                reasons == [
                    "The engine stopped.", "It returns NaN or infinity for noise.",
                    "It takes tiles of 16 and the reference has tiles of 8.",
                    "Place cannot be used: not in this build.",
                ])
            #expect(results.rows.map(\.status).prefix(4) == [.failed, .failed, .failed, .unsupported])
            #expect(results.rows[4].error == "It was made from weights 99 and the reference tiles from ab.")
            #expect(
                results.rows[8].error == "None of these engines runs coreml programs for cpu."
                    && results.rows[8].status == .unsupported)
            #expect(results.rows[9].error == "The file x is missing." && results.rows[9].artifact == nil)
            #expect(
                results.rows[10].error
                    == "It takes tiles of 8x16; `anyir profile` measures such programs, this app square ones.")
            #expect(results.rows[10].restoreSize?.width == 16 && results.rows[0].restoreSize == nil)
            #expect(results.rows.count == 14 && results.rows.allSatisfy { $0.latency == nil && $0.quality.isEmpty })
        }
    }

    @Test func aProgramThatEndedTheAppIsARowAndTheOthersGoOn() async throws {
        try await withFolder { folder in
            let tiles = try smallReference(in: folder)
            let journal = folder.appendingPathComponent("journal.json")
            let plan = BenchmarkPlan(runs: 1, warmups: 0)
            let entries = try ["a", "b", "c"].map { ModelEntry.usable(try model($0)) }
            let opener = PlaceOpener(tile: 8)
            let targets = try chooseTargets(
                plan, entries: entries, engines: [PlaceFactory(opener: opener)], tiles: tiles)
            // The process ends while b runs: what the journal says then is kept from this run.
            let left = Mutex<Data?>(nil)
            let saved: @Sendable (BenchmarkProgress) -> Void = { step in
                if step.what == "compare b by place" { left.withLock { $0 = try? Data(contentsOf: journal) } }
            }
            let first = Benchmark(plan, tiles: tiles, device: PretendPhone(), journal: journal, progress: saved)
            _ = try await first.measure(targets)
            #expect(!FileManager.default.fileExists(atPath: journal.path), "a benchmark that ends leaves no journal")
            // All three were loaded then, and any of them may have ended it: each is measured alone.
            try #require(left.withLock { $0 }).write(to: journal)
            let second = Benchmark(plan, tiles: tiles, device: PretendPhone(), journal: journal, progress: saved)
            #expect(try await second.measure(targets).rows.map(\.status) == [.ok, .ok, .ok])
            try #require(left.withLock { $0 }).write(to: journal)
            let opened = opener.opened
            let again = Benchmark(plan, tiles: tiles, device: PretendPhone(), journal: journal)
            let rows = try await again.measure(targets).rows
            #expect(rows.map(\.status) == [.ok, .failed, .ok])
            #expect(rows[1].error == "The app ended while this was measured.")
            #expect(opener.opened == opened + 2, "a is not measured again")
            // A model that was replaced is measured anew, and so is everything an hour later.
            try #require(left.withLock { $0 }).write(to: journal)
            var changedEntries = entries
            changedEntries[0] = .usable(
                Model(
                    manifest: changed(try model("a").manifest) { $0.sha256 = "ffff" },
                    url: URL(fileURLWithPath: "/models/a.tflite")))
            let replaced = try chooseTargets(
                plan, entries: changedEntries, engines: [PlaceFactory(opener: opener)], tiles: tiles)
            let fresh = Benchmark(plan, tiles: tiles, device: PretendPhone(), journal: journal)
            #expect(try await fresh.measure(replaced).rows.map(\.status) == [.ok, .failed, .ok])
            #expect(opener.opened == opened + 6)
            try #require(left.withLock { $0 }).write(to: journal)
            try FileManager.default.setAttributes(
                [.modificationDate: Date.now.addingTimeInterval(-4000)], ofItemAtPath: journal.path)
            let later = Benchmark(plan, tiles: tiles, device: PretendPhone(), journal: journal)
            #expect(try await later.measure(targets).rows.map(\.status) == [.ok, .ok, .ok])
            // Another plan begins anew.
            try #require(left.withLock { $0 }).write(to: journal)
            let other = Benchmark(
                BenchmarkPlan(runs: 2, warmups: 0), tiles: tiles, device: PretendPhone(), journal: journal)
            #expect(try await other.measure(targets).rows.map(\.status) == [.ok, .ok, .ok])
        }
    }

    @Test func programsRunInTurnAndEachRoundStartsWithAnother() async throws {
        try await withFolder { folder in
            let tiles = try smallReference(in: folder)
            let engines = [
                PlaceFactory(opener: PlaceOpener(tile: 8)),
                PlaceFactory(id: "failing", opener: PlaceOpener(tile: 8, failing: 4)),
            ]
            let plan = BenchmarkPlan(runs: 2, warmups: 1)
            let entries = try ["a", "b", "c"].map { ModelEntry.usable(try model($0)) }
            let targets = try chooseTargets(plan, entries: entries, engines: engines, tiles: tiles)
            let seen = Mutex<[String]>([])
            let benchmark = Benchmark(plan, tiles: tiles, device: PretendPhone()) { step in
                seen.withLock { $0.append(step.what.replacingOccurrences(of: "failing", with: "f")) }
            }
            let rows = try await benchmark.measure(targets).rows
            let runs = seen.withLock { $0.filter { $0.hasPrefix("run") } }
            let (first, second) = (["a by place", "a by f", "b by place", "b by f"], ["c by place", "c by f"])
            let due = [first, second].flatMap { group in
                (0..<3).flatMap { round in
                    group.indices.map { "run \(round + 1) of \(group[($0 + round) % group.count])" }
                }
            }
            #expect(runs == due)
            // The one opener of the failing engine fails once, in the load of b, and the others go on.
            #expect(rows.map(\.status) == [.ok, .ok, .ok, .failed, .ok, .ok])
            #expect(rows.filter { $0.status == .ok }.allSatisfy { $0.latency?.n == 2 })
        }
    }

    @Test func cancellingEndsItBetweenTwoSteps() async throws {
        try await withFolder { folder in
            let tiles = try smallReference(in: folder)
            let plan = BenchmarkPlan(runs: 50, warmups: 0)
            let targets = try chooseTargets(
                plan, entries: [.usable(try model())], engines: [PlaceFactory(opener: PlaceOpener(tile: 8))],
                tiles: tiles)
            let benchmark = Benchmark(plan, tiles: tiles, device: PretendPhone()) { step in
                if step.done == 3 { withUnsafeCurrentTask { $0?.cancel() } }
            }
            let task = Task { try await benchmark.measure(targets) }
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func noModelsAndUnknownNamesAreRefusedBeforeAnythingRuns() async throws {
        try await withFolder { folder in
            let tiles = try smallReference(in: folder)
            let engines = [PlaceFactory(opener: PlaceOpener(tile: 8))]
            #expect(throws: PlanError("There is no model on this device; put models into the app.")) {
                try chooseTargets(BenchmarkPlan(), entries: [], engines: engines, tiles: tiles)
            }
            let entries: [ModelEntry] = [.usable(try model())]
            #expect(throws: PlanError("There is no engine \"x\" here; there is: place.")) {
                try chooseTargets(BenchmarkPlan(engines: ["x"]), entries: entries, engines: engines, tiles: tiles)
            }
        }
    }

    @Test func damagedReferenceTilesAreOneSentence() async throws {
        try await withFolder { folder in
            #expect(
                throws: ReferenceError(
                    "There are no reference tiles in this build; `anyir ios stage` puts them in.")
            ) { try ReferenceTiles(folder: folder) }
            for (file, data) in [
                ("inputs.u8", Data(count: 768)), ("truths.u8", Data()), ("reference.json", Data("{}".utf8)),
            ] {
                _ = try smallReference(in: folder)
                try data.write(to: folder.appendingPathComponent(file))
                #expect(throws: ReferenceError.self, "\(file)") { try ReferenceTiles(folder: folder) }
            }
            let tiles = try smallReference(in: folder)
            try Data(count: 3072).write(to: folder.appendingPathComponent("outputs.f32"))
            let plan = BenchmarkPlan(runs: 1, warmups: 0)
            let targets = try chooseTargets(
                plan, entries: [.usable(try model())], engines: [PlaceFactory(opener: PlaceOpener(tile: 8))],
                tiles: tiles)
            let rows = try await Benchmark(plan, tiles: tiles, device: PretendPhone()).measure(targets).rows
            #expect(
                rows.map(\.error) == [
                    "The reference tiles are damaged: outputs.f32 was changed; run `anyir ios stage` again."
                ])
        }
    }

    private func model(_ name: String = "small") throws -> Model {
        let manifest = changed(try Manifest.parse(sampleManifest())) {
            $0.name = name
            ($0.tile, $0.restoreSize) = (8, nil)
        }
        return Model(manifest: manifest, url: URL(fileURLWithPath: "/models/\(name).tflite"))
    }

    private func changed(_ manifest: Manifest, _ change: (inout Manifest) -> Void) -> Manifest {
        var copy = manifest
        change(&copy)
        return copy
    }

    /// A reference of four 8x8 tiles whose network returns its input: what `anyir ios stage` would write of it.
    private func smallReference(in folder: URL) throws -> ReferenceTiles {
        let inputs = (0..<4).map { i in Data(randomPhoto(8, 6, seed: UInt64(i)).pixels) }
        let truths = [inputs[2], inputs[3]]
        let outputs = inputs.map { input in
            input.map { Float($0) / 255 }.withUnsafeBytes { Data($0) }
        }
        let cases = (0..<4).map { i in
            """
            {"kind":"\(i < 2 ? "noise" : "clean")","photo":"p","truth":\(i % 2),"input_sha256":"\(sha256(inputs[i]))",
            "truth_sha256":"\(sha256(truths[i % 2]))","output_sha256":"\(sha256(outputs[i]))"}
            """
        }
        let index = """
            {"schema":1,"tile":8,"cases":[\(cases.joined(separator: ","))],"summary":{"weights_sha256":"ab","tile":8}}
            """
        for (name, data) in [
            ("inputs.u8", inputs.reduce(Data(), +)), ("truths.u8", truths.reduce(Data(), +)),
            ("outputs.f32", outputs.reduce(Data(), +)), ("reference.json", Data(index.utf8)),
        ] { try data.write(to: folder.appendingPathComponent(name)) }
        return try ReferenceTiles(folder: folder)
    }
}
