package org.anyir.core

import com.google.gson.JsonElement
import com.google.gson.JsonNull
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import com.networknt.schema.InputFormat
import com.networknt.schema.JsonSchemaFactory
import com.networknt.schema.SchemaValidatorsConfig
import com.networknt.schema.SpecVersion
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File
import kotlin.random.Random

/** The app takes what conversion/manifest.schema.json takes, and refuses what that refuses. */
class ManifestTest {
    private val schema = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(
        File(repository, "conversion/manifest.schema.json").readText(),
        SchemaValidatorsConfig.builder().losslessNarrowing(true).build(),
    )

    private fun byTheSchema(json: String) = schema.validate(json, InputFormat.JSON).isEmpty()

    @Test
    fun `every entry is read`() {
        val manifest = Manifest.parse(sampleManifest())
        assertEquals("small_litert_cpu_int8w_64x64", manifest.name)
        assertEquals("litert", manifest.runtime)
        assertEquals(64, manifest.tile)
        assertEquals(1_234_567_890_123, manifest.bytes)
        val (look, restore) = manifest.entries.run { look to restore }
        assertEquals(listOf(1L, 3L, 64L, 64L), look.inputs.single().shape)
        assertEquals(listOf("image", "statistics_0", "statistics_1"), restore.inputs.map { it.name })
        assertEquals(restore.inputs.drop(1), manifest.entries.statistics)
        assertNull(restore.inputs[1].range)
        assertEquals(400L, look.operators.total)
        assertEquals(321L, restore.operators.delegated)
        assertEquals(listOf("*.norm"), manifest.quantization!!.keptFloat)
        assertNull(look.operators.partitions)
        val stage = manifest.parity.stages.single()
        assertEquals(listOf("artifact", "restore", "literal"), listOf(stage.stage, stage.entry, stage.against))
        assertEquals(52.6, stage.psnr!!, 0.0)
        assertEquals(mapOf("max_error" to null, "psnr" to 38.0), manifest.parity.bounds)
        assertEquals("noise", manifest.parity.degradations.single().kind)
        assertEquals(listOf(0.5, -1e-3), manifest.parity.samples.single().values)
        assertEquals("2.3.0", manifest.versions["ai-edge-litert"])
        assertEquals("tflite-runtime 2.14.0", manifest.oldestRuntime)
        assertEquals(24, manifest.source.config.get("dim").asInt)
    }

    @Test
    fun `that no old runtime was tried may be left out`() {
        val json = JsonParser.parseString(sampleManifest()).asJsonObject
        json.remove("oldest_runtime")
        assertNull(Manifest.parse(json.toString()).oldestRuntime)
    }

    @Test
    fun `tiles have the size of sheets unless it says another one`() {
        val json = JsonParser.parseString(sampleManifest()).asJsonObject
        assertEquals(TileSize(48, 80), Manifest.parse(json.toString()).tileSize)
        assertEquals(listOf(TileSize(24, 16)), Manifest.parse(json.toString()).otherSizes?.map { it.size })
        json.remove("restore_size")
        assertEquals(TileSize(64), Manifest.parse(json.toString()).tileSize)
    }

    @Test
    fun `thousands of changed manifests are taken or refused as the schema says`() {
        val random = Random(0)
        val verdicts = mutableMapOf(true to 0, false to 0)
        repeat(4000) {
            val json = JsonParser.parseString(sampleManifest()).asJsonObject
            repeat(random.nextInt(0, 3)) { mutate(json, random) }
            val text = json.toString()
            val expected = byTheSchema(text)
            val error = try {
                Manifest.parse(text)
                null
            } catch (error: ManifestException) {
                error.message
            }
            assertEquals("$error: $text", expected, error == null)
            if (error != null) assertTrue(error, error.endsWith(".") && '\n' !in error)
            verdicts[expected] = verdicts.getValue(expected) + 1
        }
        assertTrue("both happened: $verdicts", verdicts.values.all { it > 500 })
    }

    @Test
    fun `another schema version is named, and one without a version is the first`() {
        for (version in listOf(null, 1, 3)) {
            val other = JsonParser.parseString(sampleManifest()).asJsonObject
            if (version == null) other.remove("schema_version") else other.addProperty("schema_version", version)
            val error = assertThrows(ManifestException::class.java) { Manifest.parse(other.toString()) }
            assertEquals(
                "The manifest has schema version ${version ?: 1} and this app reads version 2: " +
                    "convert the model again.",
                error.message,
            )
        }
    }

    @Test
    fun `the place of a fault is named`() {
        val json = JsonParser.parseString(sampleManifest()).asJsonObject
        json.entry("look").getAsJsonArray("inputs")[0].asJsonObject.addProperty("dtype", 3)
        val error = assertThrows(ManifestException::class.java) { Manifest.parse(json.toString()) }
        assertEquals("The manifest is not by schema 2: entries.look.inputs.0.dtype is not a text.", error.message)
    }

    @Test
    fun `what is no JSON object is refused with one sentence`() {
        val sample = sampleManifest()
        val texts = listOf(
            "", " ", "null", "[]", "{", "{'name': 1}", "{\"name\": NaN}", sample + "x", sample.replace("}", "},}"),
            sample.dropLast(1), "[".repeat(100_000), "{\"a\":".repeat(100_000), "\u0000", "\uFEFF\uFEFF$sample",
            sample.replace("\"tile\":64", "\"tile\":1e999999999"), sample.replace("\"tile\":64", "\"tile\":1e12"),
            sample.replace("\"seconds\":1.5", "\"seconds\":1e400"),
        )
        for (text in texts) {
            val error = assertThrows(text.take(40), ManifestException::class.java) { Manifest.parse(text) }
            assertTrue(error.message, error.message!!.endsWith(".") && '\n' !in error.message!!)
        }
    }

    /** Changes one entry at any depth. */
    private fun mutate(json: JsonObject, random: Random) {
        var place: JsonElement = json
        while (true) {
            val children = when {
                place.isJsonObject -> place.asJsonObject.entrySet().map { it.value }
                place.isJsonArray -> place.asJsonArray.toList()
                else -> break
            }.filter { it.isJsonObject || it.isJsonArray }
            if (children.isEmpty() || random.nextInt(3) == 0) break
            place = children.random(random)
        }
        val values = listOf(
            "null", "true", "1", "3", "-2", "1.0", "2.5", "1e2", "\"text\"", "\"1\"", "[]", "[1]", "[\"a\"]", "[null]",
            "{}", "{\"a\":1}", "{\"a\":\"b\"}", "{\"a\":null}", "\"litert\"", "\"measured\"", "\"evaluated\"",
        )
        val value = JsonParser.parseString(values.random(random))
        if (place.isJsonArray) {
            val array = place.asJsonArray
            val place = random.nextInt(2 * array.size() + 1)
            if (place < array.size()) array.set(place, value) else array.add(value)
            return
        }
        val target = place.asJsonObject
        when (random.nextInt(4)) {
            0 -> target.keySet().randomOrNull(random)?.let { target.remove(it) }
            1 -> target.add("unknown", value)
            2 -> target.keySet().randomOrNull(random)?.let { target.add(it, JsonNull.INSTANCE) }
            else -> target.keySet().randomOrNull(random)?.let { target.add(it, value) }
        }
    }
}

/** One of a manifest's two entries. */
internal fun JsonObject.entry(name: String): JsonObject = getAsJsonObject("entries").getAsJsonObject(name)

private fun image(name: String, size: String) =
    """{"name":"$name","shape":[1,3,$size],"dtype":"float32","layout":"NCHW","range":[0,1]}"""

private const val STATISTICS =
    """{"name":"statistics_0","shape":[1,2,4,4],"dtype":"float32","layout":"opaque","range":null},
    {"name":"statistics_1","shape":[1,8,1,1],"dtype":"float32","layout":"opaque","range":null}"""

/** A manifest that has every kind of entry. */
internal fun sampleManifest(): String = """
    {"schema_version":2,"name":"small_litert_cpu_int8w_64x64","file":"small_litert_cpu_int8w_64x64.tflite",
    "sha256":"00ff","bytes":1234567890123,
    "source":{"file":"small.safetensors","sha256":"ab","preset":"small","config":{"dim":24,"heads":[1,2]}},
    "runtime":"litert","backend":"cpu","precision":"int8w","target":null,"tile":64,
    "restore_size":{"height":48,"width":80},
    "other_sizes":[{"height":24,"width":16,"parity":{"status":"evaluated","reason":"no Core ML","bounds":{},
    "stages":[],"degradations":[],"samples":[{"case":2,"values":[0.25]}]}}],
    "entries":{
    "look":{"inputs":[${image("image", "64,64")}],"outputs":[$STATISTICS],
    "operators":{"total":400,"delegated":400,"partitions":null}},
    "restore":{"inputs":[${image("image", "48,80")},$STATISTICS],"outputs":[${image("restored", "48,80")}],
    "operators":{"total":321,"delegated":321,"partitions":1}}},
    "quantization":{"method":"weights","bits":8,"details":"per channel","calibration":null,"kept_float":["*.norm"]},
    "parity":{"status":"measured","reason":null,"bounds":{"max_error":null,"psnr":38.0},
    "stages":[{"stage":"artifact","entry":"restore","against":"literal","max_error":0.01,"psnr":52.6}],
    "degradations":[{"kind":"noise","literal_psnr":30.5,"artifact_psnr":30.4,"loss":0.1}],
    "samples":[{"case":0,"values":[0.5,-0.001]}]},
    "versions":{"ai-edge-litert":"2.3.0"},"code_sha256":"cd","seconds":1.5,
    "oldest_runtime":"tflite-runtime 2.14.0"}
""".trimIndent().replace("\n", "")
