/// One row to be: a program by an engine, or the reason why it cannot be measured.
public struct Target: Sendable {
    /// Of the artifact, without suffix.
    public let name: String
    public let runtime: String

    /// Nil where the artifact was refused.
    public let model: Model?

    /// Nil where no engine takes it.
    public let engine: (any EngineFactory)?

    /// Why it is not measured; nil if it is.
    public let error: String?
    public let isUnsupported: Bool

    /// Of the artifact, as the store has checked it.
    var sha256: String? { model?.manifest.sha256.lowercased() }

    /// Unique in a benchmark; for progress and the log.
    public var label: String { engine.map { "\(name) by \($0.id)" } ?? name }
}

/// Every program by every engine that was made for its kind, in the order of the models; what cannot be run is there
/// with its reason.
///
/// - Throws: ``PlanError``: no models at all, or names in the plan that do not exist
public func chooseTargets(
    _ plan: BenchmarkPlan, entries: [ModelEntry], engines: [any EngineFactory], tiles: ReferenceTiles
) throws(PlanError) -> [Target] {
    if entries.isEmpty { throw PlanError("There is no model on this device; put models into the app.") }
    try plan.check(models: entries.map(\.name), engines: engines.map(\.id))
    var seen: Set<String> = []
    return entries.filter { plan.takes(model: $0.name) }.flatMap { entry -> [Target] in
        switch entry {
        case .refused(let url, let reason):
            // By its name alone: a refused manifest says nothing that could be trusted.
            let named = Manifest.Runtime.allCases.first { entry.name.contains($0.rawValue) }
            let runtime = Manifest.Runtime.ofSuffix[url.pathExtension] ?? named ?? .coreml
            return [
                Target(
                    name: entry.name, runtime: runtime.rawValue, model: nil, engine: nil, error: reason,
                    isUnsupported: false)
            ]
        case .usable(let model): return targets(plan, model, engines, tiles)
        }
    }.filter { seen.insert($0.label).inserted }
}

private func targets(
    _ plan: BenchmarkPlan, _ model: Model, _ engines: [any EngineFactory], _ tiles: ReferenceTiles
) -> [Target] {
    let manifest = model.manifest
    let name = ModelEntry.usable(model).name
    let fitting = engines.filter { $0.opens(manifest) && plan.takes(engine: $0.id) }
    if fitting.isEmpty {
        let reason = "None of these engines runs \(manifest.runtime.rawValue) programs for \(manifest.backend)."
        return [
            Target(
                name: name, runtime: manifest.runtime.rawValue, model: model, engine: nil, error: reason,
                isUnsupported: true)
        ]
    }
    let misfit: String? =
        if manifest.source.sha256 != tiles.weightsSha256 {
            "It was made from weights \(manifest.source.sha256.prefix(12)) and the reference tiles from "
                + "\(tiles.weightsSha256?.prefix(12) ?? "others")."
        } else {
            tiles.misfit(tile: manifest.tile, tileSize: manifest.tileSize)
        }
    return fitting.map { engine in
        Target(
            name: name, runtime: manifest.runtime.rawValue, model: model, engine: engine,
            error: engine.refusal ?? misfit, isUnsupported: engine.refusal != nil)
    }
}
