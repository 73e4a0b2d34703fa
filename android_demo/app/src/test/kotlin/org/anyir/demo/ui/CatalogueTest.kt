package org.anyir.demo.ui

import com.google.gson.JsonObject
import org.anyir.core.Entries
import org.anyir.core.Entry
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.ModelEntry
import org.anyir.core.Operators
import org.anyir.core.Parity
import org.anyir.core.Source
import org.anyir.demo.models.Choice
import org.anyir.engines.Engine
import org.anyir.engines.EngineException
import org.anyir.engines.EngineFactory
import org.anyir.engines.NOT_IN_THIS_BUILD
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

fun fakeModel(name: String, runtime: String = "litert", precision: String = "fp16", bytes: Long = 7_500_000): Model {
    val parity = Parity("measured", null, emptyMap(), emptyList(), emptyList(), emptyList())
    val entry = Entry(emptyList(), emptyList(), Operators(1, 1, 1))
    val manifest = Manifest(
        name, "$name.tflite", "sha of $name", bytes, Source("small.safetensors", "0", "small", JsonObject()), runtime,
        "cpu", precision, null, 256, Entries(entry, entry), null, parity, emptyMap(), "0", 1.0,
    )
    return Model(manifest, File("$name.tflite"))
}

class FakeEngine(
    override val id: String,
    private val runtime: String,
    private val reason: String? = null,
) : EngineFactory {
    override val label = "Engine $id"

    override fun unavailable(): String? = reason

    override fun opens(manifest: Manifest): Boolean = manifest.runtime == runtime

    override fun open(model: Model, threads: Int, both: Boolean): Engine =
        throw EngineException("$label cannot open it.")
}

fun fakeCatalogue(
    entries: List<ModelEntry> = listOf(
        ModelEntry.Usable(fakeModel("half", precision = "fp16")),
        ModelEntry.Usable(fakeModel("full", precision = "fp32", bytes = 14_100_000)),
        ModelEntry.Usable(fakeModel("torch", runtime = "executorch", precision = "int8")),
        ModelEntry.Refused(File("broken.json"), "broken.tflite is missing."),
    ),
    chosen: Chosen? = null,
    speed: (Choice) -> Speed? = { null },
) = catalogue(
    entries,
    listOf(FakeEngine("litert-cpu", "litert"), FakeEngine("executorch", "executorch", NOT_IN_THIS_BUILD)),
    chosen,
    speed,
)

class CatalogueTest {
    @Test
    fun `exactly one model is recommended, and it is chosen until the user chooses`() {
        val found = fakeCatalogue()
        assertEquals(1, found.models.count { it.recommended })
        assertSame(found.models.single { it.recommended }, found.models.single { it.chosen })
    }

    @Test
    fun `what the user chose stays chosen, and the recommendation stays visible`() {
        val other = fakeCatalogue().models.first { !it.recommended && it.choice != null }.model.manifest.name
        val found = fakeCatalogue(chosen = Chosen(other, "litert-cpu"))
        assertEquals(other, found.choice?.model?.manifest?.name)
        assertEquals(1, found.models.count { it.recommended && !it.chosen })
    }

    @Test
    fun `a choice that is gone or cannot run any more gives way to the recommended one`() {
        for (chosen in listOf(Chosen("deleted", "litert-cpu"), Chosen("torch", "executorch"))) {
            val found = fakeCatalogue(chosen = chosen)
            assertTrue(found.models.single { it.chosen }.recommended)
        }
        assertEquals("litert-cpu", fakeCatalogue(chosen = Chosen("full", "gone")).choice?.engine?.id)
    }

    @Test
    fun `an engine that is not in the build is shown with the reason, and its models without an engine`() {
        val found = fakeCatalogue()
        val obstacle = found.engines.single { it.engine.id == "executorch" }.obstacle
        assertEquals(NOT_IN_THIS_BUILD, (obstacle as Obstacle.Unavailable).reason)
        assertNull(found.models.single { it.model.manifest.name == "torch" }.choice)
    }

    @Test
    fun `an engine for other models says so`() {
        val engines = listOf(FakeEngine("a", "litert"), FakeEngine("b", "executorch"))
        val found = catalogue(listOf(ModelEntry.Usable(fakeModel("half"))), engines, null) { null }
        assertSame(Obstacle.OtherModels, found.engines.last().obstacle)
    }

    @Test
    fun `what was measured is shown, and nothing where nothing was`() {
        assertTrue(fakeCatalogue().models.all { it.speed == null })
        val found = fakeCatalogue { Speed(120.0, benchmarked = false).takeIf { _ -> it.model.manifest.name == "full" } }
        assertEquals(120.0, found.models.single { it.model.manifest.name == "full" }.speed?.millis)
        assertNull(found.models.single { it.model.manifest.name == "half" }.speed)
    }

    @Test
    fun `the benchmark's figures recommend the fastest, a restoration's do not`() {
        fun recommended(benchmarked: Boolean): String {
            val found = fakeCatalogue { Speed(if (it.model.manifest.name == "half") 90.0 else 100.0, benchmarked) }
            return found.models.single { it.recommended }.model.manifest.name
        }
        assertEquals("half", recommended(benchmarked = true))
        assertEquals("full", recommended(benchmarked = false))
    }

    @Test
    fun `no models, and refused ones alone, leave nothing to choose`() {
        assertNull(fakeCatalogue(entries = emptyList()).choice)
        val refused = fakeCatalogue(entries = listOf(ModelEntry.Refused(File("x.json"), "Wrong sha256.")))
        assertNull(refused.choice)
        assertEquals("Wrong sha256.", refused.refused.single().reason)
    }
}
