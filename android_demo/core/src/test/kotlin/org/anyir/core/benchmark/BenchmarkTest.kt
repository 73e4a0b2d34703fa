package org.anyir.core.benchmark

import com.google.gson.GsonBuilder
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import com.networknt.schema.InputFormat
import com.networknt.schema.JsonSchemaFactory
import com.networknt.schema.SpecVersion
import org.anyir.core.CancelledException
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.ModelEntry
import org.anyir.core.Operators
import org.anyir.core.RunTiming
import org.anyir.core.Statistics
import org.anyir.core.TileRunner
import org.anyir.core.sampleManifest
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.File
import java.nio.FloatBuffer

/** The loop and the file that it writes, with programs of a few lines in place of networks. */
class BenchmarkTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val tiles = SmallReference().open()
    private val log = ArrayList<String>()

    /** Restores a tile to itself with what it found in it alone, or does what [fault] does. */
    private open class Copy(override val tile: Int = 8, val fault: (run: Int) -> Unit = {}) : TileRunner {
        private var runs = 0

        override fun newStatistics() = Statistics(this, listOf(2))

        override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming {
            statistics.values.single().put(1, sheet.get(7))
            return RunTiming(4000, 5000, 6000)
        }

        override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming {
            fault(runs++)
            val shift = input.get(7) - statistics.values.single().get(1)
            for (i in 0 until input.capacity()) output.put(i, input.get(i) + shift)
            return RunTiming(1000, 2000, 3000)
        }
    }

    private inner class InProcess(val target: Target, open: () -> OpenProgram) : Worker {
        private val session = BenchmarkSession(tiles, open = open)
        var closed = false

        override fun request(request: JsonObject, limitSeconds: Long): JsonObject {
            log += "${request["do"].asString} ${target.name}"
            val answer = JsonParser.parseString(session.answer(request.toString())).asJsonObject
            answer["error"]?.let { throw WorkerException(it.asString, answer["unsupported"]?.asBoolean ?: false) }
            return answer
        }

        override fun close() {
            if (!closed) log += "close ${target.name}"
            closed = true
            session.close()
        }
    }

    private object Desk : Phone {
        override fun environment(): JsonObject = JsonParser.parseString(
            """{"kind": "android", "created": "2026-01-01T00:00:00Z", "device": "Maker Phone", "cores": 8,
                "memory_bytes": 1, "os": "Android 15 (API 35)", "app_version": "0.1", "soc": null,
                "build_fingerprint": "maker/phone", "abi": "arm64-v8a", "page_bytes": 4096,
                "android_version": "15", "api_level": 35, "governors": ["schedutil", null]}""",
        ).asJsonObject

        override fun reading(): JsonObject = JsonParser.parseString(
            """{"thermal_status": "none", "thermal_headroom": 0.5, "battery_percent": 80.0,
                "battery_celsius": 30.5, "plugged": "usb"}""",
        ).asJsonObject
    }

    private val programs = mapOf<String, () -> OpenProgram>(
        "good" to { OpenProgram(Copy { Thread.sleep(2) }, "the test's CPU", "1.2.3") {} },
        "told" to {
            val (look, restore) = Operators(400, 390, 2) to Operators(321, 310, 3)
            OpenProgram(Copy(), "the test's CPU", threads = 4, look = look, restore = restore) {}
        },
        "nan" to { OpenProgram(NaNs, "the test's CPU") {} },
        "blind" to { OpenProgram(BlindLook, "the test's CPU") {} },
        "throws" to { OpenProgram(Copy { if (it == 3) error("the runtime broke") }, "the test's CPU") {} },
        "refuses" to { throw IllegalArgumentException("not a program") },
        "large" to { OpenProgram(Copy(tile = 16), "the test's CPU") {} },
        "missing" to { throw UnsupportedException("There is no such accelerator on this phone.") },
        "memory" to { throw OutOfMemoryError() },
    )

    private object NaNs : Copy() {
        override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming =
            super.restore(input, statistics, output).also { output.put(5, Float.NaN) }
    }

    private object BlindLook : Copy() {
        override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming =
            super.look(sheet, statistics).also { statistics.values.single().put(0, Float.POSITIVE_INFINITY) }
    }

    private fun target(name: String) = Target(name, "litert", null, "engine")

    private fun targets(vararg names: String) = names.map(::target)

    private fun measure(
        plan: BenchmarkPlan,
        targets: List<Target>,
        cancelled: () -> Boolean = {
            false
        },
    ): List<Measured> {
        val start = { _: Int, target: Target -> InProcess(target, programs.getValue(target.name)) }
        return Benchmark(plan, Desk, processes = 2, start = start, cancelled = cancelled).measure(targets)
    }

    private fun plan(vararg given: Pair<String, Any>) = BenchmarkPlan.parse(mapOf("runs" to 4, "warmup" to 1) + given)

    @Test
    fun `programs of a group take turns, and one group is closed before the next`() {
        measure(plan("runs" to 2, "warmup" to 0), targets("good", "throws", "nan"))
        val expected = listOf(
            "load good", "load throws", "run good", "run throws", "run throws", "run good",
            "finish good", "close good", "finish throws", "close throws",
            "load nan", "run nan", "run nan", "finish nan", "close nan",
        )
        assertEquals(expected, log)
    }

    @Test
    fun `one that fails is a row with its reason, and the others go on`() {
        val measured = measure(plan(), programs.keys.map(::target))
        val errors = measured.associate { it.target.name to it.error }
        assertEquals(null, errors["good"])
        assertEquals("returns NaN or infinity for noise", errors["nan"])
        assertEquals("looks at noise and returns NaN or infinity", errors["blind"])
        assertEquals("the runtime broke", errors["throws"])
        assertEquals("IllegalArgumentException: not a program", errors["refuses"])
        assertEquals("it takes tiles of 16 and the reference has tiles of 8", errors["large"])
        assertEquals("not enough memory", errors["memory"])
        assertTrue(measured.single { it.target.name == "missing" }.unsupported)
        assertEquals(4, measured.first().samples.size)
    }

    @Test
    fun `the file is by the published schema, with failures and a series`() {
        val plan = plan("sustain_s" to 1)
        val refused = ModelEntry.Refused(File("gone.json"), "The file gone.tflite is missing.")
        val measured = measure(plan, targets("good", "refuses", "missing")) +
            chooseTargets(plan, listOf(refused), emptyList(), tiles).map(::Measured)
        val file = File(folder.root, "deep/run1.json")
        ResultsFile.write(ResultsFile.document(plan, Desk.environment(), tiles, measured), file)
        assertEquals(listOf("run1.json"), file.parentFile.list()!!.toList())

        val schema = File(System.getProperty("anyir.repository"), "profiling/results.schema.json").readText()
        val faults = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(schema)
            .validate(file.readText(), InputFormat.JSON)
        assertTrue("$faults", faults.isEmpty())

        val rows = JsonParser.parseString(file.readText()).asJsonObject["rows"].asJsonArray.map { it.asJsonObject }
        assertEquals(listOf("ok", "failed", "unsupported", "failed"), rows.map { it["status"].asString })
        val good = rows.first()
        assertEquals("1.2.3", good["runtime_version"].asString)
        assertEquals(4, good["latency"].asJsonObject["n"].asInt)
        assertTrue(
            good["latency"].asJsonObject["split"].asJsonObject["run_ms"].asJsonArray.all {
                it.asDouble == 0.002
            },
        )
        val look = good["look"].asJsonObject
        assertTrue(look["first_run_ms"].asDouble >= 0)
        val split = look["latency"].asJsonObject["split"].asJsonObject
        assertEquals(4, look["latency"].asJsonObject["n"].asInt)
        assertTrue(split["run_ms"].asJsonArray.all { it.asDouble == 0.005 })
        assertTrue("only an ok row has it", rows.drop(1).all { it["look"].isJsonNull })
        val best = good["quality"].asJsonObject.entrySet().map { it.value.asJsonObject["max_error_reference"].asDouble }
        assertEquals("each tile with what was found in it", listOf(0.0, 0.0), best)
        assertTrue(good["sustained"].asJsonObject["runs"].asJsonArray.last().asJsonObject["at_s"].asDouble >= 1.0)
        assertEquals("The file gone.tflite is missing.", rows.last()["error"].asString)
        val outputs = SmallReference().files["outputs.f32"]!!
        val digest = hex(java.security.MessageDigest.getInstance("SHA-256").digest(outputs))
        assertEquals(digest, good["output_sha256"].asString)
    }

    @Test
    fun `threads and what is delegated are the engine's words alone`() {
        val keys = listOf("threads", "delegated", "operators", "partitions")
        val described = Model(Manifest.parse(sampleManifest()), File("good.tflite")) // by the computer that made it
        val targets = listOf(Target("good", "litert", described, "engine"), target("told"), target("refuses"))
        val rows = ResultsFile.document(plan(), Desk.environment(), tiles, measure(plan(), targets))["rows"].asJsonArray
            .map { it.asJsonObject }
        val nothing = List<Long?>(4) { null }
        assertEquals(listOf(nothing, listOf(4L, 310L, 321L, 3L), nothing), rows.map { it.longs(keys) })
        assertEquals(
            listOf(nothing.drop(1), listOf(390L, 400L, 2L)),
            rows.take(2).map { it["look"].asJsonObject.longs(keys.drop(1)) },
        )
    }

    private fun JsonObject.longs(keys: List<String>) =
        keys.map { this[it].takeUnless { value -> value.isJsonNull }?.asLong }

    @Test
    fun `the schema would notice a missing entry`() {
        val plan = plan()
        val document = ResultsFile.document(plan, Desk.environment(), tiles, measure(plan, targets("good")))
        document["rows"].asJsonArray.first().asJsonObject.remove("conditions")
        val schema = File(System.getProperty("anyir.repository"), "profiling/results.schema.json").readText()
        val text = GsonBuilder().serializeNulls().create().toJson(document)
        assertFalse(
            JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(schema)
                .validate(text, InputFormat.JSON).isEmpty(),
        )
    }

    @Test
    fun `a cancelled benchmark closes its processes`() {
        assertThrows(CancelledException::class.java) {
            measure(plan(), targets("good", "throws"), cancelled = { log.count { it.startsWith("run") } >= 3 })
        }
        assertEquals(setOf("close good", "close throws"), log.filter { it.startsWith("close") }.toSet())
    }

    @Test
    fun `a program of tiles that are no squares is refused before it is run`() {
        val text = sampleManifest().replace("\"sha256\":\"ab\"", "\"sha256\":\"$HASH\"")
        val manifests = listOf(text, text.replace("\"restore_size\":{\"height\":48,\"width\":80},", ""))
        val entries = manifests.map { ModelEntry.Usable(Model(Manifest.parse(it), File("rectangle.tflite"))) }
        val engine = EngineInfo("engine", null) { true }
        val square = SmallReference(64).open()
        val errors = entries.map { chooseTargets(plan(), listOf(it), listOf(engine), square).single().error }
        val due = "It takes tiles of 48x80; `anyir profile` measures such programs, this app square ones."
        assertEquals(listOf(due, null), errors)
    }

    @Test
    fun `no model, or a name that is not there, is refused before anything runs`() {
        val none = assertThrows(PlanException::class.java) { chooseTargets(plan(), emptyList(), emptyList(), tiles) }
        assertTrue("There is no model" in none.message!!)
        val refused = ModelEntry.Refused(File("gone.json"), "The file gone.tflite is missing.")
        assertThrows(PlanException::class.java) {
            chooseTargets(plan("models" to "other"), listOf(refused), emptyList(), tiles)
        }
    }
}
