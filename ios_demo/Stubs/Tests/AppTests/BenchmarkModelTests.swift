import AnyIRCore
import AnyIRState
import CoreML
import Foundation
import ImageIO
import Testing

@testable import AnyIR
@testable import AnyIRApple

/// The benchmark as the app runs it, from a plan to the file.
@MainActor
@Suite struct BenchmarkModelTests {
    @Test func everyProgramByEveryEngineIsARowOfTheFile() async throws {
        let package = try TestPackage { package in
            package.refuses[MLComputeUnits.cpuAndGPU.rawValue] = "no such unit"
            package.functions["restore"]?.operations = [
                StubOperation(name: "conv", onNeuralEngine: true, cost: 0.9),
                StubOperation(name: "add", onNeuralEngine: false, cost: 0.1),
            ]
        }
        let app = try await TestApp(package)
        let benchmark = try benchmark(app)
        let lines = try await run(benchmark, app, BenchmarkPlan(runs: 3, warmups: 1, out: "run1.json"))
        let url = app.folder.appendingPathComponent("results/run1.json")
        #expect(lines.last == "done: \(url.path)")
        let results = try Results.parse(Data(contentsOf: url))
        #expect(results.environment.kind == "ios")
        #expect(results.rows.map(\.engine) == ["coreml-cpu", "coreml-gpu"])
        let (row, refused) = (results.rows[0], results.rows[1])
        #expect(row.status == .ok && row.latency?.n == 3 && row.look?.latency.n == 3)
        #expect(row.accelerator == "Core ML, CPU (CPU asked for); planned: CPU 100 %")
        #expect(row.operators == 2 && row.delegated == 0 && row.look?.operators == 0)
        #expect(row.quality.keys.sorted() == ["noise"])
        #expect(refused.status == .failed)
        #expect(refused.error == "Core ML, GPU cannot load tiny: StubError: no such unit")
        let choice = Choice(model: package.model, engine: package.factory())
        #expect(app.model.services.settings.speed(choice)?.benchmarked == true)
        #expect(app.model.state.catalogue?.models.first?.speed?.benchmarked == true)
        #expect(!app.model.state.isMeasuring)
    }

    @Test func whatCannotBeMeasuredIsOneSentence() async throws {
        let app = try await TestApp(TestPackage())
        let plan = BenchmarkPlan(models: ["huge"], runs: 1, warmups: 0)
        #expect(
            try await run(benchmark(app), app, plan).last?.hasPrefix("failed: There is no model \"huge\" here") == true)
        let empty = BenchmarkModel(
            app.model.services, device: ThisDevice(), references: [app.folder], results: app.folder)
        let lines = try await run(empty, app, BenchmarkPlan(runs: 1))
        #expect(lines == ["failed: There are no reference tiles in this build; `anyir ios stage` puts them in."])
    }

    @Test func nothingIsMeasuredWhileAPhotoIsRestoredNorTheOtherWayRound() async throws {
        let app = try await TestApp(TestPackage { $0.functions["restore"]?.milliseconds = 20 })
        let benchmark = try benchmark(app)
        try await app.open(app.photo(StubPhoto(type: "public.png", width: 100, height: 20)))
        app.model.send(.restore)
        benchmark.start(BenchmarkPlan(runs: 1), app: app.model)
        #expect(!benchmark.isRunning)
        app.model.send(.cancel)
        try await app.wait("not cancelled") { $0.screen != .running }
        benchmark.start(BenchmarkPlan(runs: 50), app: app.model)
        app.model.send(.restore)
        #expect(app.model.state.notice == .busyMeasuring)
        benchmark.leaves()
        try await app.wait("not ended") { !$0.isMeasuring }
        guard case .failed(let sentence) = benchmark.state else {
            Issue.record("\(benchmark.state)")
            return
        }
        #expect(sentence == Words.benchmarkLeft)
    }

    @Test func itEndsWhenTheAppIsLeftButNotWhileTheAppStarts() async throws {
        let app = try await TestApp(TestPackage { $0.functions["restore"]?.milliseconds = 20 })
        let benchmark = try benchmark(app)
        let start = Start.app(app.model, benchmark)
        benchmark.start(BenchmarkPlan(runs: 500), app: app.model)
        start.changes(from: .background, to: .inactive)
        start.changes(from: .inactive, to: .active)
        try await app.wait("nothing measured") { _ in if case .running(.some) = benchmark.state { true } else { false }
        }
        start.changes(from: .active, to: .inactive)
        try await app.wait("not ended") { !$0.isMeasuring }
        guard case .failed(Words.benchmarkLeft) = benchmark.state else {
            Issue.record("\(benchmark.state)")
            return
        }
    }

    @Test func speedsAreOfAModelsBytesNotOfItsName() async throws {
        let (one, other) = (try TestPackage(), try TestPackage { $0.functions["restore"]?.milliseconds = 1 })
        #expect(one.model.manifest.name == other.model.manifest.name)
        let settings = Settings(try #require(UserDefaults(suiteName: "anyir-\(UUID().uuidString)")))
        let choice = Choice(model: one.model, engine: one.factory())
        settings.remember(Speed(seconds: 1, benchmarked: true), of: choice)
        #expect(settings.speed(choice)?.seconds == 1)
        #expect(settings.speed(Choice(model: other.model, engine: one.factory())) == nil)
    }

    @Test func launchArgumentsStartItAndItsExitCodeSaysHowItEnded() async throws {
        let app = try await TestApp(TestPackage())
        let benchmark = try benchmark(app)
        var lines: [String] = []
        func headless(_ arguments: String...) async -> Int32? {
            lines = []
            return await Headless.run(arguments: ["AnyIR"] + arguments, benchmark, app: app.model) { lines.append($0) }
        }
        #expect(await headless() == nil && lines.isEmpty)
        #expect(await headless("--benchmark", "runs=2", "warmup=1", "out=run2.json") == 0)
        #expect(lines.last?.hasPrefix("done: ") == true && lines.count > 2)
        #expect(FileManager.default.fileExists(atPath: app.folder.appendingPathComponent("results/run2.json").path))
        #expect(await headless("--benchmark", "runs=0") == 2)
        #expect(lines.count == 1 && lines[0].hasPrefix("failed: "))
        #expect(await headless("--benchmark", "models=huge") == 1)
        #expect(lines.last?.hasPrefix("failed: There is no model \"huge\" here") == true)
    }

    @Test func theSystemsBuildIsReadFromItsVersion() {
        #expect(osBuild("Version 18.2 (Build 22C152)") == "22C152")
        #expect(osBuild("Debian") == "unknown")
    }

    private func run(_ benchmark: BenchmarkModel, _ app: TestApp, _ plan: BenchmarkPlan) async throws -> [String] {
        var lines: [String] = []
        benchmark.start(plan, app: app.model) { lines.append($0) }
        try await app.wait("not measured") { _ in
            lines.last.map { $0.contains("done:") || $0.contains("failed:") } ?? false
        }
        return lines
    }

    private func benchmark(_ app: TestApp) throws -> BenchmarkModel {
        let folder = app.folder.appendingPathComponent("reference")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let count = 3 * 16 * 16
        let input = Data((0..<count).map { UInt8($0 % 200) })
        let output = [Float](repeating: 0.5, count: count).withUnsafeBytes { Data($0) }
        let one: [String: Any] = [
            "kind": "noise", "photo": "chelsea", "truth": 0, "input_sha256": sha256(input),
            "truth_sha256": sha256(input), "output_sha256": sha256(output),
        ]
        let index: [String: Any] = [
            "schema": 1, "tile": 16, "cases": [one], "summary": ["weights_sha256": "0", "tile": 16],
        ]
        try JSONSerialization.data(withJSONObject: index).write(to: folder.appendingPathComponent("reference.json"))
        try input.write(to: folder.appendingPathComponent("inputs.u8"))
        try input.write(to: folder.appendingPathComponent("truths.u8"))
        try output.write(to: folder.appendingPathComponent("outputs.f32"))
        return BenchmarkModel(
            app.model.services, device: ThisDevice(), references: [folder],
            results: app.folder.appendingPathComponent("results"))
    }
}
