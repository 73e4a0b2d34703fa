package org.anyir.core

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.File
import java.nio.file.Files

private const val NAME = "small_litert_cpu_int8w_64x64"

class ModelStoreTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val folder: File get() = temporary.root

    /** Writes an artifact and its manifest, which [change] may spoil. */
    private fun write(
        folder: File = this.folder,
        name: String = NAME,
        bytes: String = "program",
        change: JsonObject.() -> Unit = {},
    ) {
        val file = File(folder, "$name.tflite").apply { writeText(bytes) }
        val json = JsonParser.parseString(sampleManifest()).asJsonObject
        json.addProperty("name", name)
        json.addProperty("file", file.name)
        json.addProperty("sha256", sha256(file))
        json.change()
        File(folder, "$name.json").writeText(json.toString())
    }

    private fun JsonObject.tensor(entry: String, side: String, place: Int): JsonObject =
        entry(entry).getAsJsonArray(side)[place].asJsonObject

    /** Changes one of the statistics where they come from and where they go. */
    private fun JsonObject.statistics(place: Int, change: JsonObject.() -> Unit) {
        tensor("look", "outputs", place).change()
        tensor("restore", "inputs", 1 + place).change()
    }

    private fun JsonObject.size(height: Int, width: Int) =
        add("restore_size", JsonParser.parseString("""{"height":$height,"width":$width}"""))

    private fun JsonObject.shape(vararg sides: Int) = add("shape", JsonParser.parseString(sides.contentToString()))

    private fun list(vararg folders: File = arrayOf(folder)) = ModelStore(folders.toList()).list()

    /** The reason for which the one entry is refused: one sentence. */
    private fun refusal(): String {
        val reason = (list().single() as ModelEntry.Refused).reason
        assertTrue(reason, reason.endsWith(".") && '\n' !in reason && reason.length < 300)
        return reason
    }

    @Test
    fun `an artifact that is what its manifest says is usable`() {
        write()
        val model = (list().single() as ModelEntry.Usable).model
        assertEquals(File(folder, "$NAME.tflite"), model.file)
        assertEquals(64, model.manifest.tile)
    }

    @Test
    fun `no folder and an empty one have no models`() {
        assertEquals(emptyList<ModelEntry>(), list(folder, File(folder, "none")))
    }

    @Test
    fun `bytes that changed are refused, and a file's hash is taken again when it changes`() {
        write()
        val store = ModelStore(listOf(folder))
        assertTrue(store.list().single() is ModelEntry.Usable)
        File(folder, "$NAME.tflite").appendText("!")
        val refused = store.list().single() as ModelEntry.Refused
        assertTrue(refused.reason, "sha256" in refused.reason)
        File(folder, "$NAME.tflite").writeText("program")
        assertTrue(store.list().single() is ModelEntry.Usable)
    }

    @Test
    fun `names that leave the folder are refused`() {
        val secret = File(folder.parentFile, "secret.tflite").apply { writeText("program") }
        try {
            val plain = listOf("..", ".", "", "a/b.tflite", "a\\b.tflite", "a\u0000.tflite")
            val names = plain + listOf("../secret.tflite", secret.path)
            for (name in names) {
                write { addProperty("file", name) }
                assertTrue(name, "outside its folder" in refusal())
            }
        } finally {
            secret.delete()
        }
    }

    @Test
    fun `links that leave the folder are refused`() {
        val outside = File(folder.parentFile, "outside").apply { mkdirs() }
        try {
            write(outside)
            write()
            for (name in listOf("$NAME.tflite", "$NAME.json")) {
                val file = File(folder, name)
                val own = file.readBytes()
                file.delete()
                Files.createSymbolicLink(file.toPath(), File(outside, name).toPath())
                assertTrue("link" in refusal())
                file.delete()
                file.writeBytes(own)
            }
            assertTrue(list().single() is ModelEntry.Usable)
        } finally {
            outside.deleteRecursively()
        }
    }

    @Test
    fun `a link to nowhere and a folder in place of the file are refused`() {
        write()
        val file = File(folder, "$NAME.tflite")
        file.delete()
        assertTrue("missing" in refusal())
        Files.createSymbolicLink(file.toPath(), File(folder, "nowhere").toPath())
        refusal()
        file.delete()
        file.mkdir()
        assertTrue("not a file" in refusal())
    }

    @Test
    fun `what this app cannot run is refused`() {
        val spoilt = mapOf<String, JsonObject.() -> Unit>(
            "schema version 1" to { addProperty("schema_version", 1) },
            "a Core ML program" to { addProperty("runtime", "coreml") },
            "a Core AI program" to { addProperty("runtime", "coreai") },
            "no executorch program" to { addProperty("runtime", "executorch") },
            "multiple of 8" to { addProperty("tile", 63) },
            "size 84 is not a multiple of 8" to { size(48, 84) },
            "size 0 is not a multiple of 8" to { size(0, 80) },
            "size -8 is not a multiple of 8" to { size(48, -8) },
            "image is float32 1x3x48x80; this app gives and takes float32 1x3x56x80" to { size(56, 80) },
            "image is float32 1x3x48x80; this app gives and takes float32 1x3x64x64" to { remove("restore_size") },
            "image is int8" to { tensor("look", "inputs", 0).addProperty("dtype", "int8") },
            "float32 1x3x128x128" to { addProperty("tile", 128) },
            "one image" to { entry("restore").getAsJsonArray("outputs").remove(0) },
            "does not take one image" to { entry("look").getAsJsonArray("inputs").remove(0) },
            "does not take what its look gives" to { entry("look").getAsJsonArray("outputs").remove(0) },
            "not take what its look" to { tensor("restore", "inputs", 2).addProperty("name", "others") },
            "statistics_1 is int8" to { statistics(1) { addProperty("dtype", "int8") } },
            "statistics_0 has an impossible size" to { statistics(0) { shape(1, 2, 0, 4) } },
            "larger than any real" to { statistics(0) { shape(10_000, 10_000, 10_000, 10_000, 10_000) } },
        )
        for ((part, change) in spoilt) {
            write(change = change)
            val reason = refusal()
            assertTrue("$part in: $reason", part in reason)
        }
    }

    @Test
    fun `a manifest by another name, a huge one and a broken one are refused`() {
        write { addProperty("file", "other.tflite") }
        assertTrue("its own name does not match" in refusal())
        File(folder, "$NAME.json").writeText("{\"a\": \"" + "x".repeat(5_000_000) + "\"}")
        assertTrue("larger" in refusal())
        File(folder, "$NAME.json").writeBytes(byteArrayOf(1, 2, -1))
        assertTrue("not valid JSON" in refusal())
    }

    @Test
    fun `an artifact without a manifest is refused, and other files are none of ours`() {
        write()
        File(folder, "alone.pte").writeText("program")
        File(folder, "conversion.json").writeText("{\"rows\": []}")
        File(folder, "notes.txt").writeText("text")
        File(folder, "reference").mkdir()
        val (usable, refused) = list().partition { it is ModelEntry.Usable }
        assertEquals(1, usable.size)
        assertEquals("There is no manifest alone.json beside it.", (refused.single() as ModelEntry.Refused).reason)
    }

    @Test
    fun `the first of two folders hides a model of the same name in the other`() {
        val (first, second) = listOf("a", "b").map { File(folder, it).apply { mkdir() } }
        write(first)
        write(second)
        assertEquals(1, list(first, second).size)
        write(second, bytes = "another program")
        assertEquals(first, (list(first, second).single() as ModelEntry.Usable).model.file.parentFile)
    }

    @Test
    fun `a second model of the same name in one folder is refused`() {
        write()
        write(name = "${NAME}_copy") { addProperty("name", NAME) }
        val (one, other) = list()
        assertEquals("$NAME.tflite", (one as ModelEntry.Usable).model.file.name)
        assertEquals("$NAME.tflite is a model of the same name.", (other as ModelEntry.Refused).reason)
    }
}
