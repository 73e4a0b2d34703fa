package org.anyir.demo.ui

import org.anyir.core.Model
import org.anyir.core.ModelEntry
import org.anyir.demo.models.Choice
import org.anyir.demo.models.choices
import org.anyir.demo.models.recommended
import org.anyir.engines.EngineFactory

/** What was chosen last: a model's name and an engine's id. */
class Chosen(val model: String, val engine: String)

/**
 * How fast a pair was on this phone.
 *
 * @property millis for a tile
 * @property benchmarked whether the benchmark measured it; else a restoration did, with loading the model and reading
 * and writing the photo
 */
data class Speed(val millis: Double, val benchmarked: Boolean)

/**
 * A model that can be read.
 *
 * @property choice the model with the engine that would run it; null where none here can
 * @property speed of this pair; null: not measured
 */
class ModelRow(
    val model: Model,
    val choice: Choice?,
    val recommended: Boolean,
    val chosen: Boolean,
    val speed: Speed?,
)

/** Why an engine cannot be chosen. */
sealed interface Obstacle {
    /** [reason] as the engine gives it. */
    class Unavailable(val reason: String) : Obstacle

    /** It runs, but not models of this kind. */
    object OtherModels : Obstacle
}

/** An engine, for the chosen model. With an [obstacle] it is shown but cannot be chosen. */
class EngineRow(val engine: EngineFactory, val obstacle: Obstacle?, val chosen: Boolean, val speed: Speed?)

/**
 * The models and engines on this phone.
 *
 * @property choice what the next restoration uses; null where nothing can run
 */
class Catalogue(
    val models: List<ModelRow>,
    val refused: List<ModelEntry.Refused>,
    val engines: List<EngineRow>,
    val choice: Choice?,
) {
    /** The pair that made a result, by the names that the result carries; null where it is gone. */
    fun made(model: String, engine: String): Choice? {
        val found = models.firstOrNull { it.model.manifest.name == model }?.model ?: return null
        return engines.firstOrNull { it.engine.label == engine }?.let { Choice(found, it.engine) }
    }
}

/**
 * Arranges what was found: what was [chosen] stays chosen where it still runs, else the recommended pair is.
 *
 * @param speed measured on this phone, or null. Only the benchmark's figures can be compared, and so recommend
 */
fun catalogue(
    entries: List<ModelEntry>,
    engines: List<EngineFactory>,
    chosen: Chosen?,
    speed: (Choice) -> Speed?,
): Catalogue {
    val models = entries.filterIsInstance<ModelEntry.Usable>().map { it.model }
    val benchmarked = { pair: Choice -> speed(pair)?.takeIf { it.benchmarked }?.millis }
    val recommended = recommended(models, engines, benchmarked)
    val choice = kept(models, engines, chosen) ?: recommended
    val rows = models.map { model ->
        val own = listOfNotNull(choice, recommended).firstOrNull { it.model === model }
            ?: recommended(listOf(model), engines, benchmarked)
        ModelRow(
            model,
            own,
            recommended = model === recommended?.model,
            chosen = model === choice?.model,
            speed = own?.let(speed),
        )
    }
    val engineRows = engines.map { engine ->
        EngineRow(
            engine,
            obstacle(engine, choice?.model),
            chosen = engine === choice?.engine,
            speed = choice?.let { speed(Choice(it.model, engine)) },
        )
    }
    return Catalogue(rows, entries.filterIsInstance<ModelEntry.Refused>(), engineRows, choice)
}

/** The chosen model with the chosen engine, or with the best other one; null where the model is gone or cannot run. */
private fun kept(models: List<Model>, engines: List<EngineFactory>, chosen: Chosen?): Choice? {
    val named = models.filter { it.manifest.name == chosen?.model }
    return choices(named, engines).firstOrNull { it.engine.id == chosen?.engine } ?: recommended(named, engines)
}

private fun obstacle(engine: EngineFactory, model: Model?): Obstacle? {
    val reason = engine.unavailable()
    return when {
        reason != null -> Obstacle.Unavailable(reason)
        model != null && !engine.opens(model.manifest) -> Obstacle.OtherModels
        else -> null
    }
}
