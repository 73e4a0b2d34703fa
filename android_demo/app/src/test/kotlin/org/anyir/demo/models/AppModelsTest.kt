package org.anyir.demo.models

import org.anyir.core.ModelEntry
import org.anyir.core.sha256
import org.anyir.demo.ui.testEntries
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.File
import java.nio.file.Files

/** The real `AssetManager` reads packed files; these lie in a folder, and are counted. */
class AppModelsTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private lateinit var assets: File
    private lateinit var bundled: File
    private lateinit var pushed: File

    @Before
    fun folders() {
        assets = temporary.newFolder("assets")
        bundled = File(temporary.root, "bundled")
        pushed = temporary.newFolder("pushed")
    }

    private val opened = ArrayList<String>()

    private fun models(pushed: File? = this.pushed) = AppModels(
        object : BundledFiles {
            override fun names() = assets.list()!!.toList()

            override fun open(name: String) = File(assets, name).inputStream().also { opened += name }
        },
        bundled,
        pushed,
    )

    private fun put(
        folder: File,
        name: String,
        program: String = "a program called $name",
        change: (String) -> String = { it },
    ) {
        val artifact = File(folder, "$name.tflite").apply { writeText(program) }
        File(folder, "$name.json").writeText(change(manifest(name, sha256(artifact), artifact.length())))
    }

    private fun usable(entries: List<ModelEntry>) = entries.filterIsInstance<ModelEntry.Usable>().map {
        it.model.manifest.name
    }

    private fun refusal(entries: List<ModelEntry>) = entries.filterIsInstance<ModelEntry.Refused>().single().reason

    @Test
    fun `models come from the app and from the folder that people push to`() {
        put(assets, "bundled_model")
        put(pushed, "pushed_model")
        val entries = models().list()
        assertEquals(listOf("pushed_model", "bundled_model"), usable(entries))
        val files = entries.map { (it as ModelEntry.Usable).model.file }
        assertEquals(listOf(pushed, bundled), files.map { it.parentFile })
        assertEquals("a program called bundled_model", files[1].readText())
    }

    @Test
    fun `a pushed model stands for the app's own of the same name`() {
        put(assets, "model")
        put(pushed, "model", program = "a program that was pushed")
        val model = (models().list().single() as ModelEntry.Usable).model
        assertEquals("a program that was pushed", model.file.readText())

        File(pushed, "model.tflite").writeText("not what its manifest says")
        assertEquals("a broken one does not", listOf("model"), usable(models().list()))
    }

    @Test
    fun `an artifact is copied once, and again when the app has another`() {
        put(assets, "model")
        models().list()
        opened.clear()
        models().list()
        assertEquals(listOf("model.json"), opened)

        put(assets, "model") { it.replace("\"seconds\": 1", "\"seconds\": 2") }
        assertEquals(listOf("model"), usable(models().list()))
        assertTrue("\"seconds\": 2" in File(bundled, "model.json").readText())

        File(assets, "model.json").delete()
        assertEquals(emptyList<ModelEntry>(), models().list())
        assertEquals("what the app no longer has is deleted", 0, bundled.list()!!.size)
    }

    @Test
    fun `a copy that was interrupted is made again`() {
        put(assets, "model")
        bundled.mkdirs()
        File(bundled, "model.tflite.part").writeText("half")
        File(bundled, "model.tflite").writeText("also half")
        assertEquals(listOf("model"), usable(models().list()))
        assertFalse(File(bundled, "model.tflite.part").exists())
    }

    @Test
    fun `a wrong sha256 is refused wherever it comes from`() {
        put(assets, "model")
        File(assets, "model.tflite").writeText("another program   ")
        assertTrue("not the file" in refusal(models().list()))
        assertFalse(File(bundled, "model.tflite").exists())

        assets.listFiles()!!.forEach { it.delete() }
        put(pushed, "model")
        File(pushed, "model.tflite").writeText("another program   ")
        assertTrue("sha256" in refusal(models().list()))
    }

    @Test
    fun `another schema is refused with its number`() {
        put(assets, "model") { it.replace("\"schema_version\": 2", "\"schema_version\": 1") }
        assertEquals(
            "The manifest has schema version 1 and this app reads version 2: convert the model again.",
            refusal(models().list()),
        )
    }

    @Test
    fun `a manifest that names what is not there, or what is elsewhere`() {
        put(assets, "model")
        File(assets, "model.tflite").delete()
        assertEquals("The app does not hold model.tflite.", refusal(models().list()))
        File(assets, "model.json").delete()

        put(pushed, "model") { it.replace("\"model.tflite\"", "\"../secret.tflite\"") }
        assertTrue("outside its folder" in refusal(models().list()))
    }

    @Test
    fun `what cannot be copied - one sentence, the rest is listed`() {
        put(assets, "model")
        put(pushed, "other")
        bundled.writeText("a file where the folder should be")
        val entries = models().list()
        assertEquals(listOf("other"), usable(entries))
        val reasons = entries.filterIsInstance<ModelEntry.Refused>().map { it.reason }
        assertTrue("$reasons", "This model could not be unpacked on this phone." in reasons)
    }

    @Test
    fun `no space to copy`() {
        put(assets, "model")
        bundled.mkdir()
        val full = File("/dev/full")
        assumeTrue("only Linux has a file that is always full", full.exists())
        Files.createSymbolicLink(File(bundled, "model.tflite.part").toPath(), full.toPath())
        assertEquals("There is not enough space on this phone to unpack this model.", refusal(models().list()))
    }

    @Test
    fun `no models at all is an empty list`() {
        assertEquals(emptyList<ModelEntry>(), models(pushed = null).list())
    }

    private fun manifest(name: String, sha256: String, bytes: Long) = """
        {"schema_version": 2, "name": "$name", "file": "$name.tflite", "sha256": "$sha256", "bytes": $bytes,
         "source": {"file": "w", "sha256": "${"0".repeat(64)}", "preset": "tiny", "config": {}},
         "runtime": "litert", "backend": "cpu", "precision": "fp32", "target": null, "tile": 64,
         "entries": ${testEntries(64)}, "quantization": null,
         "parity": {"status": "not measured", "reason": "a test", "bounds": {}, "stages": [], "degradations": [], "samples": []},
         "versions": {}, "code_sha256": "${"0".repeat(64)}", "seconds": 1}
    """.trimIndent()
}
