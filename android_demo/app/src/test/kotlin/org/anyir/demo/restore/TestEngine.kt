package org.anyir.demo.restore

import com.google.gson.JsonObject
import org.anyir.core.Degradation
import org.anyir.core.Entries
import org.anyir.core.Entry
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.Operators
import org.anyir.core.Parity
import org.anyir.core.RunTiming
import org.anyir.core.Source
import org.anyir.core.Statistics
import org.anyir.engines.Engine
import org.anyir.engines.EngineFactory
import java.io.File
import java.nio.FloatBuffer

/**
 * An engine that does what a test wants.
 *
 * @param opening called when a model is loaded
 * @param looking called for every look, with what it finds
 * @param running called with the number of tiles that it has restored: 0 for the sheet of a photo of several, then 1
 * for the first
 * @param value what becomes of every value
 * @param tint what is added to green then, and twice to blue
 */
class TestEngine(
    override val id: String = "test",
    private val unavailable: String? = null,
    private val opens: (Manifest) -> Boolean = { true },
    private val opening: () -> Unit = {},
    private val looking: (Statistics) -> Unit = {},
    private val running: (Int) -> Unit = {},
    private val tint: Float = 0f,
    private val value: (Float) -> Float = { 1 - it },
) : EngineFactory {
    override val label = "Test engine"

    @Volatile
    var closed = 0

    override fun unavailable(): String? = unavailable

    override fun opens(manifest: Manifest): Boolean = opens.invoke(manifest)

    override fun open(model: Model, threads: Int, both: Boolean): Engine {
        opening()
        return object : Engine {
            private var calls = -1
            override val name = "$label, ${model.manifest.name}"
            override val accelerator = "nothing real"
            override val tile = model.manifest.tile

            override fun newStatistics() = Statistics(this, listOf(1))

            override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming {
                statistics.values.single().put(0, sheet.get(0))
                looking(statistics)
                return RunTiming(0, 1, 0)
            }

            override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming {
                running(++calls)
                val plane = tile * tile
                for (i in 0 until 3 * plane) output.put(i, value(input.get(i)) + i / plane * tint)
                return RunTiming(0, 1, 0)
            }

            override fun close() {
                closed++
            }
        }
    }
}

/** A model for [TestEngine]; there is no file behind it. */
fun testModel(
    name: String = "test_model",
    tile: Int = 16,
    runtime: String = "litert",
    precision: String = "fp32",
    losses: List<Pair<Double, Double>> = emptyList(),
): Model {
    val degradations = losses.map { (psnr, loss) -> Degradation("noise", psnr + loss, psnr, loss) }
    val entry = Entry(emptyList(), emptyList(), Operators(1, null, null))
    val manifest = Manifest(
        name = name,
        file = "$name.tflite",
        sha256 = "0".repeat(64),
        bytes = 1,
        source = Source("weights", "0".repeat(64), "tiny", JsonObject()),
        runtime = runtime,
        backend = "cpu",
        precision = precision,
        target = null,
        tile = tile,
        entries = Entries(entry, entry),
        quantization = null,
        parity = Parity("measured", null, emptyMap(), emptyList(), degradations, emptyList()),
        versions = emptyMap(),
        codeSha256 = "0".repeat(64),
        seconds = 1.0,
    )
    return Model(manifest, File("$name.tflite"))
}
