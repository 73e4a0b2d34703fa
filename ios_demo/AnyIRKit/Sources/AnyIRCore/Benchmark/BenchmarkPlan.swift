import Foundation

/// What to measure and how.
public struct BenchmarkPlan: Sendable, Equatable, Codable {
    /// Names without suffix; nil: all.
    public var models: Set<String>?

    /// Engines' ids; nil: all.
    public var engines: Set<String>?

    /// Timed runs of each program, at least 1.
    public var runs: Int

    /// Runs before them that do not count.
    public var warmups: Int

    /// Seconds that each program then runs without a pause; 0: not at all.
    public var sustainSeconds: Int

    /// Name of the results file, without any folder.
    public var out: String

    public init(
        models: Set<String>? = nil, engines: Set<String>? = nil, runs: Int = 30, warmups: Int = 5,
        sustainSeconds: Int = 0, out: String = "results.json"
    ) {
        self.models = models
        self.engines = engines
        self.runs = runs
        self.warmups = warmups
        self.sustainSeconds = sustainSeconds
        self.out = out
    }

    /// Reads what stands after `--benchmark` among an app's launch arguments, such as `models=all runs=30 out=run1.json`.
    /// Nothing in it is taken on trust.
    ///
    /// - Parameter arguments: all of the process's; others than the benchmark's are left alone
    /// - Returns: nil where no benchmark was asked for
    /// - Throws: ``PlanError``: a wrong key, number or file name
    public static func parse(arguments: [String]) throws(PlanError) -> BenchmarkPlan? {
        guard let start = arguments.firstIndex(of: "--benchmark") else { return nil }
        var given: [String: String] = [:]
        for argument in arguments[(start + 1)...] {
            // Xcode and the system add options of their own, such as -NSDocumentRevisionsDebugMode YES.
            if argument.hasPrefix("-") { break }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw PlanError("\(shown(argument)) is no option; give KEY=VALUE, such as runs=30.")
            }
            let key = String(parts[0])
            guard keys.contains(key) else {
                throw PlanError("There is no option \(shown(key)); \(keys.joined(separator: ", ")) are.")
            }
            guard given.updateValue(String(parts[1]), forKey: key) == nil else {
                throw PlanError("\(key) is given twice.")
            }
        }
        var plan = BenchmarkPlan()
        plan.models = try names("models", given)
        plan.engines = try names("engines", given)
        plan.runs = try number("runs", given, 1...100_000, plan.runs)
        plan.warmups = try number("warmup", given, 0...10_000, plan.warmups)
        plan.sustainSeconds = try number("sustain_s", given, 0...4 * 3600, plan.sustainSeconds)
        if let out = given["out"] { plan.out = try fileName(out) }
        return plan
    }

    /// Refuses names that do not exist.
    ///
    /// - Throws: ``PlanError``: names the first of them, and what there is
    public func check(models known: [String], engines knownEngines: [String]) throws(PlanError) {
        for (what, asked, known) in [("model", models, known), ("engine", engines, knownEngines)] {
            guard let unknown = asked?.sorted().first(where: { !known.contains($0) }) else { continue }
            let there = known.isEmpty ? "none" : known.sorted().joined(separator: ", ")
            throw PlanError("There is no \(what) \(Self.shown(unknown)) here; there is: \(there).")
        }
    }

    public func takes(model: String) -> Bool { models?.contains(model) ?? true }

    public func takes(engine: String) -> Bool { engines?.contains(engine) ?? true }

    private static let keys = ["models", "engines", "runs", "warmup", "sustain_s", "out"]

    private static func names(_ key: String, _ given: [String: String]) throws(PlanError) -> Set<String>? {
        guard let text = given[key], text != "all" else { return nil }
        let names = text.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        guard !names.contains("") else {
            throw PlanError("\(key) names nothing; give all, or names with commas between.")
        }
        return Set(names)
    }

    private static func number(
        _ key: String, _ given: [String: String], _ range: ClosedRange<Int>, _ missing: Int
    ) throws(PlanError) -> Int {
        guard let text = given[key] else { return missing }
        guard let number = Int(text) else { throw PlanError("\(key) is \(shown(text)), which is no whole number.") }
        guard range ~= number else {
            throw PlanError("\(key) is \(number); \(range.lowerBound) to \(range.upperBound) can be done.")
        }
        return number
    }

    private static func fileName(_ name: String) throws(PlanError) -> String {
        let stem = name.dropLast(5)
        let first = stem.first.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) } ?? false
        let isPlain = stem.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) }
        guard name.hasSuffix(".json"), first, isPlain, stem.count <= 100 else {
            throw PlanError("out is \(shown(name)); a name such as run1.json is due, without a folder.")
        }
        return name
    }

    /// Somebody else's text, fit for one line.
    private static func shown(_ text: String) -> String {
        let plain = text.unicodeScalars.prefix(60).map { scalar in
            scalar.properties.generalCategory == .control || scalar.value == 0x2028 ? "?" : String(scalar)
        }
        return "\"\(plain.joined())\""
    }
}
