package org.anyir.demo.models

import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.engines.EngineFactory

/** A model, and the engine that runs it. */
class Choice(val model: Model, val engine: EngineFactory)

/** Every pair that can run here, in the order of [models], then of [engines]. */
fun choices(models: List<Model>, engines: List<EngineFactory>): List<Choice> {
    val usable = engines.filter { it.unavailable() == null }
    return models.flatMap { model -> usable.filter { it.opens(model.manifest) }.map { Choice(model, it) } }
}

/**
 * The pair to begin with; null where nothing can run.
 *
 * Among the models that lost little when they were converted (at most [MAX_LOSS] dB of PSNR on average, as far as their
 * manifests say), the fastest that was measured on this phone, by time for a pixel. Where nothing was measured: on the
 * CPU, which every phone has, the one whose results were best; then the larger tile, then fp32, which every CPU
 * computes alike, then the first.
 *
 * @param millis measured milliseconds a tile on this phone, or null
 */
fun recommended(models: List<Model>, engines: List<EngineFactory>, millis: (Choice) -> Double? = { null }): Choice? {
    val all = choices(models, engines)
    val exact = all.filter { loss(it.model.manifest) <= MAX_LOSS }.ifEmpty { all }
    val fastest = exact.filter { millis(it) != null }
        .minByOrNull { millis(it)!! / it.model.manifest.tileSize.pixels }
    if (fastest != null) return fastest
    val onCpu = exact.filter { !it.engine.id.endsWith(GPU) }.ifEmpty { exact }
    return onCpu.maxWithOrNull(
        compareBy<Choice> { quality(it.model.manifest) }
            .thenBy { it.model.manifest.tileSize.pixels }
            .thenBy { it.model.manifest.precision == "fp32" }
            .thenBy { -all.indexOf(it) },
    )
}

/** In dB: how far the artifact's results are behind the network's, on average; 0 where nothing was measured. */
private fun loss(manifest: Manifest): Double = manifest.parity.degradations.map { it.loss }.average().orZero()

/** In dB, rounded to tenths: smaller differences decide nothing, nor does what a conversion won by chance. */
private fun quality(manifest: Manifest): Long =
    Math.round(manifest.parity.degradations.map { it.artifactPsnr + minOf(it.loss, 0.0) }.average().orZero() * 10)

private fun Double.orZero() = if (isNaN()) 0.0 else this

private const val MAX_LOSS = 0.2
private const val GPU = "gpu"
