package org.anyir.core.benchmark

import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.ModelEntry

/** An engine, as far as choosing needs to know it. */
class EngineInfo(val id: String, val unavailable: String?, val opens: (Manifest) -> Boolean)

/**
 * One row to be: a program by an engine, or the reason why it cannot be measured.
 *
 * @param name of the artifact, without suffix
 * @param model null where the artifact was refused
 * @param engine null where no engine takes it
 * @param error why it is not measured; null if it is
 */
class Target(
    val name: String,
    val runtime: String,
    val model: Model?,
    val engine: String?,
    val error: String? = null,
    val unsupported: Boolean = false,
) {
    /** For progress and the log. */
    val label: String get() = if (engine == null) name else "$name by $engine"
}

/**
 * Every program by every engine that was made for its kind, in the order of the models; what cannot be run is
 * there with its reason.
 *
 * @throws PlanException no models at all, or names in the plan that do not exist
 */
fun chooseTargets(
    plan: BenchmarkPlan,
    entries: List<ModelEntry>,
    engines: List<EngineInfo>,
    tiles: ReferenceTiles,
): List<Target> {
    if (entries.isEmpty()) {
        throw PlanException("There is no model on this phone; put models into the app or into its folder models.")
    }
    plan.check(entries.map { it.name }, engines.map { it.id })
    return entries.filter { plan.takesModel(it.name) }.flatMap { entry ->
        when (entry) {
            is ModelEntry.Refused ->
                listOf(Target(entry.name, runtimeOf(entry.file.name), null, null, entry.reason))
            is ModelEntry.Usable -> targets(plan, entry.model, engines, tiles)
        }
    }.distinctBy { it.name to it.engine }
}

private fun targets(plan: BenchmarkPlan, model: Model, engines: List<EngineInfo>, tiles: ReferenceTiles): List<Target> {
    val manifest = model.manifest
    val name = model.file.nameWithoutExtension
    val fitting = engines.filter { it.opens(manifest) && plan.takesEngine(it.id) }
    if (fitting.isEmpty()) {
        val reason = "None of these engines runs ${manifest.runtime} programs for ${manifest.backend}."
        return listOf(Target(name, manifest.runtime, model, null, reason, unsupported = true))
    }
    val misfit = when {
        manifest.source.sha256 != tiles.weightsSha256 ->
            "It was made from weights ${manifest.source.sha256.take(12)} and the reference tiles from " +
                "${tiles.weightsSha256.take(12)}."
        manifest.tile != tiles.tile ->
            "It takes tiles of ${manifest.tile} and the reference has tiles of ${tiles.tile}."
        manifest.restoreSize != null ->
            "It takes tiles of ${manifest.tileSize}; `anyir profile` measures such programs, this app square ones."
        else -> null
    }
    return fitting.map {
        Target(name, manifest.runtime, model, it.id, it.unavailable ?: misfit, unsupported = it.unavailable != null)
    }
}

/** Without suffix, as the plan names it. */
val ModelEntry.name: String
    get() = when (this) {
        is ModelEntry.Usable -> model.file.nameWithoutExtension
        is ModelEntry.Refused -> file.nameWithoutExtension
    }

/** By the name alone: a refused manifest says nothing that could be trusted. */
private fun runtimeOf(file: String) = if ("executorch" in file || file.endsWith(".pte")) "executorch" else "litert"
