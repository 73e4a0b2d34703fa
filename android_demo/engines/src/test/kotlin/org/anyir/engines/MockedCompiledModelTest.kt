package org.anyir.engines

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.LiteRtException
import com.google.ai.edge.litert.TensorBuffer
import io.mockk.every
import io.mockk.mockk
import io.mockk.mockkObject
import io.mockk.slot
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

    @After
    fun forget() = unmockkAll()

    @Test
    fun `the CPU is asked for alone, with its threads`() {
        val options = compiledModel()
        Engines.byId("litert-cpu")!!.open(model(), threads = 3).use { engine ->
            assertEquals("LiteRT CPU (XNNPACK asked for)", engine.accelerator)
            assertEquals(3, engine.threads)
            assertNull("nothing tells what was delegated on this phone", engine.lookOperators)
            assertNull(engine.restoreOperators)
            assertRestores(engine)
        }
        assertEquals(setOf(Accelerator.CPU), options.captured.accelerators)
        assertEquals(3, options.captured.cpuOptions!!.numThreads)
        assertNull(options.captured.gpuOptions)
    }

    @Test
    fun `the GPU is asked for alone, in the program's precision`() {
        val expected = mapOf(
            "fp32" to CompiledModel.GpuOptions.Precision.FP32,
            "fp16" to CompiledModel.GpuOptions.Precision.FP16,
            "int8w" to CompiledModel.GpuOptions.Precision.FP16,
        )
        for ((precision, asked) in expected) {
            val options = compiledModel()
            Engines.byId("litert-gpu")!!.open(model(precision), threads = 1).use { engine ->
                assertEquals("LiteRT GPU (${asked.name.lowercase()} asked for)", engine.accelerator)
                assertNull("no CPU threads", engine.threads)
                assertNull(engine.restoreOperators)
                assertRestores(engine)
            }
            assertEquals(setOf(Accelerator.GPU), options.captured.accelerators)
            assertEquals(asked, options.captured.gpuOptions!!.precision)
        }
    }

    @Test
    fun `statistics are given once, and again when others were, or a new look`() {
        compiledModel()
        val factory = Engines.byId("litert-cpu")!!
        factory.open(model(), 1).use { engine ->
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
    fun `one without an entry is closed and refused`() {
        compiledModel()
        val compiled = CompiledModel.create("", CompiledModel.Options())
        every { compiled.createInputBuffer(any(), "restore") } throws LiteRtException("no signature restore")
        val message = sentence { Engines.byId("litert-cpu")!!.open(model(), 1) }
        assertEquals("LiteRT CPU cannot load tiny.tflite: no signature restore.", message)
        verify(exactly = 1) { compiled.close() }
    }

    @Test
    fun `one that breaks while it runs or answers too little says so`() {
        for (key in listOf("look", "restore")) {
            compiledModel { if (it == key) throw LiteRtException("device lost") else null }
            Engines.byId("litert-gpu")!!.open(model("fp16"), 1).use { engine ->
                val message = sentence { lookAndRestore(engine) }
                assertEquals("LiteRT GPU (fp16 asked for), tiny failed: device lost.", message)
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

    private fun lookAndRestore(engine: Engine) {
        val statistics = engine.newStatistics()
        engine.look(direct(VALUES), statistics)
        engine.restore(direct(VALUES), statistics, direct(VALUES))
    }

    /**
     * A CompiledModel that is the program; returns the options that it is made with.
     *
     * @param instead what an entry gives in place of each of its outputs; null for the program's own
     */
    private fun compiledModel(instead: (key: String) -> FloatArray? = { null }) =
        slot<CompiledModel.Options>().also { options ->
            contents.clear()
            inputs.clear()
            val compiled = mockk<CompiledModel>(relaxed = true)
            every { compiled.createInputBuffer(any(), any()) } answers {
                buffer().also { inputs["${secondArg<String>()} ${firstArg<String>()}"] = it }
            }
            every { compiled.createOutputBuffer(any(), any()) } answers { buffer() }
            every { compiled.run(any(), any(), any()) } answers {
                val given = firstArg<Map<String, TensorBuffer>>().mapValues { contents.getValue(it.value) }
                val key = thirdArg<String>()
                val made = if (key == "look") {
                    MockedProgram.statistics.map { it.name }.zip(MockedProgram.look(given.getValue("image"))).toMap()
                } else {
                    val statistics = MockedProgram.statistics.map { given.getValue(it.name) }
                    mapOf("restored" to MockedProgram.restore(given.getValue("image"), statistics))
                }
                for ((name, buffer) in secondArg<Map<String, TensorBuffer>>()) {
                    contents[buffer] = instead(key) ?: made.getValue(name)
                }
            }
            mockkObject(CompiledModel.Companion)
            every { CompiledModel.create(any(), capture(options)) } returns compiled
        }

    private fun buffer(): TensorBuffer = mockk<TensorBuffer>(relaxed = true).also { buffer ->
        every { buffer.writeFloat(any()) } answers { contents[buffer] = firstArg<FloatArray>().copyOf() }
        every { buffer.readFloat() } answers { contents.getValue(buffer).copyOf() }
    }
}
