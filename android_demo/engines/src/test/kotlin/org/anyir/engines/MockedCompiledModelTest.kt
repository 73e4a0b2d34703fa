package org.anyir.engines

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.LiteRtException
import com.google.ai.edge.litert.TensorBuffer
import io.mockk.every
import io.mockk.mockk
import io.mockk.mockkObject
import io.mockk.unmockkAll
import io.mockk.verify
import org.anyir.engines.MockedProgram.model
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

/** What the engines ask of `CompiledModel`, which cannot be had here, and what they make of its answers. */
class MockedCompiledModelTest {
    private val contents = HashMap<TensorBuffer, FloatArray>()
    private val inputs = HashMap<String, TensorBuffer>()
    private val made = ArrayList<CompiledModel>()

    /** Which entry ran on what was made with which options. */
    private val runs = ArrayList<Pair<String, CompiledModel.Options>>()

    /** An entry that the program lacks. */
    private var missing: String? = null

    @After
    fun forget() = unmockkAll()

    @Test
    fun `the CPU is asked for alone, with its threads`() {
        val options = compiledModel()
        Engines.byId("litert-cpu")!!.open(model(), threads = 3, both = true).use { engine ->
            assertEquals("LiteRT CPU (XNNPACK asked for)", engine.accelerator)
            assertEquals(3, engine.threads)
            assertNull("nothing tells what was delegated on this phone", engine.lookOperators)
            assertNull(engine.restoreOperators)
            assertRestores(engine)
        }
        val only = options.single()
        assertEquals(setOf(Accelerator.CPU), only.accelerators)
        assertEquals(3, only.cpuOptions!!.numThreads)
        assertNull(only.gpuOptions)
    }

    @Test
    fun `the GPU is asked for alone, in the program's precision, and the CPU looks`() {
        val expected = mapOf(
            "fp32" to CompiledModel.GpuOptions.Precision.FP32,
            "fp16" to CompiledModel.GpuOptions.Precision.FP16,
            "int8w" to CompiledModel.GpuOptions.Precision.FP16,
        )
        for ((precision, asked) in expected) {
            val options = compiledModel()
            Engines.byId("litert-gpu")!!.open(model(precision), threads = 3, both = true).use { engine ->
                val half = asked.name.lowercase()
                assertEquals("LiteRT GPU ($half asked for, the look on the CPU)", engine.accelerator)
                assertNull("no CPU threads", engine.threads)
                assertNull(engine.restoreOperators)
                assertRestores(engine)
            }
            val (looking, restoring) = options
            assertEquals(setOf(Accelerator.GPU), restoring.accelerators)
            assertEquals(asked, restoring.gpuOptions!!.precision)
            assertEquals(setOf(Accelerator.CPU), looking.accelerators)
            assertEquals(3, looking.cpuOptions!!.numThreads)
            assertEquals(setOf("restore" to restoring, "look" to looking), runs.toSet())
        }
    }

    @Test
    fun `statistics are given once, and again when others were, or a new look`() {
        compiledModel()
        val factory = Engines.byId("litert-cpu")!!
        factory.open(model(), 1, both = true).use { engine ->
            assertRestores(engine) // of five tiles, the second alone has the statistics of the one before
            verify(exactly = 4) { inputs.getValue("restore statistics_0").writeFloat(any()) }
            verify(exactly = 5) { inputs.getValue("restore image").writeFloat(any()) }
            factory.open(model(), 1).use { other -> assertRefusesOthers(engine, other) }
        }
    }

    @Test
    fun `a program that the GPU refuses is not run elsewhere`() {
        mockkObject(CompiledModel.Companion)
        every { CompiledModel.create(any(), any()) } throws LiteRtException("BATCH_MATMUL is not supported.\nmore")
        val message = sentence { Engines.byId("litert-gpu")!!.open(model("fp16"), 1) }
        assertEquals("LiteRT GPU cannot load tiny.tflite: BATCH_MATMUL is not supported.", message)
        verify(exactly = 1) { CompiledModel.create(any(), any()) }
    }

    @Test
    fun `a GPU that refuses the program says so when it is opened, before anything looks`() {
        for (both in listOf(false, true)) {
            val options = compiledModel(refused = Accelerator.GPU)
            made.clear()
            val message = sentence { Engines.byId("litert-gpu")!!.open(model("fp16"), 1, both) }
            assertEquals("LiteRT GPU cannot load tiny.tflite: BATCH_MATMUL is not supported.", message)
            assertEquals(Accelerator.GPU, options.last().accelerators.single())
            for (compiled in made) verify(exactly = 1) { compiled.close() }
        }
        compiledModel(refused = Accelerator.CPU)
        made.clear()
        val message = sentence { Engines.byId("litert-gpu")!!.open(model("fp16"), 1) }
        assertEquals("LiteRT GPU cannot load tiny.tflite: BATCH_MATMUL is not supported.", message)
        verify(exactly = 1) { made.single().close() }
    }

    @Test
    fun `on the CPU what looks is closed before what restores is made, and the reverse for the next photo`() {
        val options = compiledModel()
        Engines.byId("litert-cpu")!!.open(model(), 1).use { engine ->
            repeat(2) { photo ->
                lookAndRestore(engine, tiles = 3)
                assertEquals(2 * photo + 2, made.size)
                for (earlier in made.dropLast(1)) verify(exactly = 1) { earlier.close() }
                verify(exactly = 0) { made.last().close() }
            }
            assertTrue(options.all { it.accelerators == setOf(Accelerator.CPU) })
            verify(exactly = 1) { inputs.getValue("restore statistics_0").writeFloat(any()) }
            assertRestores(engine)
        }
        for (compiled in made) verify(exactly = 1) { compiled.close() }
    }

    @Test
    fun `the GPU's program is made once and stays, what looks is closed before it restores`() {
        val options = compiledModel()
        Engines.byId("litert-gpu")!!.open(model(), 1).use { engine ->
            val restoring = made.first()
            repeat(2) { photo ->
                lookAndRestore(engine, tiles = 3)
                assertEquals(2 + photo, made.size)
                for (looking in made.drop(1)) verify(exactly = 1) { looking.close() }
                verify(exactly = 0) { restoring.close() }
                verify(exactly = 1 + photo) { inputs.getValue("restore statistics_0").writeFloat(any()) }
            }
            val asked = options.map { it.accelerators.single() }
            assertEquals(listOf(Accelerator.GPU, Accelerator.CPU, Accelerator.CPU), asked)
            assertRestores(engine)
        }
        for (compiled in made) verify(exactly = 1) { compiled.close() }
    }

    @Test
    fun `one without an entry is closed and refused`() {
        for (id in listOf("litert-cpu", "litert-gpu")) {
            for (entry in listOf("look", "restore")) {
                compiledModel()
                made.clear()
                missing = entry
                val message = sentence { Engines.byId(id)!!.open(model(), 1) }
                val label = Engines.byId(id)!!.label
                assertEquals("$label cannot load tiny.tflite: no signature $entry.", message)
                for (compiled in made) verify(exactly = 1) { compiled.close() }
            }
        }
    }

    @Test
    fun `one that breaks while it runs or answers too little says so`() {
        for (key in listOf("look", "restore")) {
            compiledModel { if (it == key) throw LiteRtException("device lost") else null }
            Engines.byId("litert-gpu")!!.open(model("fp16"), 1).use { engine ->
                val message = sentence { lookAndRestore(engine) }
                assertEquals("LiteRT GPU (fp16 asked for, the look on the CPU), tiny failed: device lost.", message)
            }
        }
        for ((key, part) in mapOf(
            "look" to "5 values of statistics_0 where 1 are due",
            "restore" to "5 values of restored where 192 are due",
        )) {
            compiledModel { if (it == key) FloatArray(5) else null }
            Engines.byId("litert-cpu")!!.open(model(), 1).use { engine ->
                val message = sentence { lookAndRestore(engine) }
                assertTrue(message, "gave $part" in message)
            }
        }
    }

    private fun lookAndRestore(engine: Engine, tiles: Int = 1) {
        val statistics = engine.newStatistics()
        engine.look(direct(VALUES), statistics)
        repeat(tiles) { engine.restore(direct(VALUES), statistics, direct(VALUES)) }
    }

    /**
     * Lets every CompiledModel be the program; returns the options that they are made with, which grow.
     *
     * @param refused the accelerator that does not take the program
     * @param instead what an entry gives in place of each of its outputs; null for the program's own
     */
    private fun compiledModel(
        refused: Accelerator? = null,
        instead: (key: String) -> FloatArray? = { null },
    ): List<CompiledModel.Options> {
        listOf(contents, inputs).forEach { it.clear() }
        runs.clear()
        val options = ArrayList<CompiledModel.Options>()
        mockkObject(CompiledModel.Companion)
        every { CompiledModel.create(any(), any()) } answers {
            val own = secondArg<CompiledModel.Options>().also(options::add)
            if (refused in own.accelerators) throw LiteRtException("BATCH_MATMUL is not supported.\nmore")
            program(own, instead).also(made::add)
        }
        return options
    }

    private fun program(options: CompiledModel.Options, instead: (key: String) -> FloatArray?): CompiledModel {
        val compiled = mockk<CompiledModel>(relaxed = true)
        every { compiled.createInputBuffer(any(), any()) } answers {
            if (secondArg<String>() == missing) throw LiteRtException("no signature $missing")
            buffer().also { inputs["${secondArg<String>()} ${firstArg<String>()}"] = it }
        }
        every { compiled.createOutputBuffer(any(), any()) } answers { buffer() }
        every { compiled.run(any(), any(), any()) } answers {
            val given = firstArg<Map<String, TensorBuffer>>().mapValues { contents.getValue(it.value) }
            val key = thirdArg<String>()
            runs += key to options
            val found = if (key == "look") {
                MockedProgram.statistics.map { it.name }.zip(MockedProgram.look(given.getValue("image"))).toMap()
            } else {
                val statistics = MockedProgram.statistics.map { given.getValue(it.name) }
                mapOf("restored" to MockedProgram.restore(given.getValue("image"), statistics))
            }
            for ((name, buffer) in secondArg<Map<String, TensorBuffer>>()) {
                contents[buffer] = instead(key) ?: found.getValue(name)
            }
        }
        return compiled
    }

    private fun buffer(): TensorBuffer = mockk<TensorBuffer>(relaxed = true).also { buffer ->
        every { buffer.writeFloat(any()) } answers { contents[buffer] = firstArg<FloatArray>().copyOf() }
        every { buffer.readFloat() } answers { contents.getValue(buffer).copyOf() }
    }
}
