package org.anyir.engines

import io.mockk.every
import io.mockk.mockk
import io.mockk.mockkStatic
import io.mockk.unmockkAll
import io.mockk.verify
import org.anyir.core.Model
import org.anyir.core.TensorSpec
import org.anyir.engines.MockedProgram.model
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor
import org.tensorflow.lite.TensorFlowLite
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** What the engine asks of LiteRT's `Interpreter`, whose native library this machine lacks. */
class MockedInterpreterTest {
    private val contents = HashMap<String, FloatArray>()
    private val interpreter = mockk<Interpreter>()

    /** How often it was loaded. */
    private var loaded = 0

    @Before
    fun mock() {
        mockkStatic(TensorFlowLite::class)
        every { TensorFlowLite.runtimeVersion() } returns "2.16.1"
        every { interpreter.signatureKeys } returns arrayOf("restore", "look")
        val entries = model().manifest.entries
        for ((key, entry) in listOf("look" to entries.look, "restore" to entries.restore)) {
            for (spec in entry.inputs) {
                every { interpreter.getInputTensorFromSignature(spec.name, key) } returns tensor(spec)
            }
            for (spec in entry.outputs) {
                every { interpreter.getOutputTensorFromSignature(spec.name, key) } returns tensor(spec, key)
            }
        }
        every { interpreter.runSignature(any(), any(), any()) } answers {
            val given = firstArg<Map<String, Any>>().mapValues { (it.value as FloatBuffer).run { array(capacity()) } }
            assertTrue(secondArg<Map<String, Any>>().isEmpty())
            if (thirdArg<String>() == "look") {
                MockedProgram.look(given.getValue("image")).forEachIndexed { i, found ->
                    contents["look statistics_$i"] = found
                }
            } else {
                val statistics = MockedProgram.statistics.map { given.getValue(it.name) }
                contents["restore restored"] = MockedProgram.restore(given.getValue("image"), statistics)
            }
        }
        every { interpreter.lastNativeInferenceDurationNanoseconds } returns 1L
        every { interpreter.close() } returns Unit
    }

    @After
    fun forget() = unmockkAll()

    @Test
    fun `it runs the two signatures by name`() {
        open().use { engine ->
            assertEquals("LiteRT CPU (XNNPACK asked for)", engine.accelerator)
            assertEquals("2.16.1", engine.version)
            assertEquals(2, engine.threads)
            assertRestores(engine)
            open().use { other -> assertRefusesOthers(engine, other) }
        }
        assertEquals(2, loaded)
        verify(exactly = 2) { interpreter.close() }
    }

    @Test
    fun `a photo's look and its tiles have an interpreter each, one after the other`() {
        open(both = false).use { engine ->
            repeat(2) { photo ->
                val statistics = engine.newStatistics()
                engine.look(direct(VALUES), statistics)
                verify(exactly = 2 * photo) { interpreter.close() }
                repeat(3) { engine.restore(direct(VALUES), statistics, direct(VALUES)) }
                verify(exactly = 2 * photo + 1) { interpreter.close() }
                assertEquals(2 * photo + 2, loaded)
            }
            assertRestores(engine)
        }
        verify(exactly = loaded) { interpreter.close() }
    }

    @Test
    fun `a program that changes between look and tiles is not taken for the one that looked`() {
        val file = File.createTempFile("tiny", ".tflite").apply { deleteOnExit() }
        open(Model(model().manifest, file), both = false).use { engine ->
            val statistics = engine.newStatistics()
            engine.look(direct(VALUES), statistics)
            file.writeText("another one")
            val message = sentence { engine.restore(direct(VALUES), statistics, direct(VALUES)) }
            assertEquals("${file.name} changed while it was used; start again.", message)
        }
        verify(exactly = 1) { interpreter.close() }
    }

    @Test
    fun `a program without an entry is closed and refused`() {
        every { interpreter.signatureKeys } returns arrayOf("serving_default")
        assertEquals("LiteRT Interpreter, tiny has no signature look.", sentence { open() })
        verify(exactly = 1) { interpreter.close() }
    }

    @Test
    fun `a program that takes something else than its manifest says is refused`() {
        val other = TensorSpec("statistics_1", listOf(1, 1, 2, 3), "float32", "opaque", null)
        every { interpreter.getInputTensorFromSignature("statistics_1", "restore") } returns tensor(other)
        val message = sentence { open() }
        assertEquals(
            "LiteRT Interpreter, tiny has FLOAT32 1x1x2x3 as statistics_1; its manifest says otherwise.",
            message,
        )
    }

    private fun open(model: Model = model(), both: Boolean = true) = InterpreterFactory { file, options ->
        assertEquals(model.file, file)
        assertEquals(2 to true, options.numThreads to options.useXNNPACK)
        interpreter.also { loaded++ }
    }.open(model, threads = 2, both)

    private fun tensor(spec: TensorSpec, key: String = ""): Tensor = mockk {
        every { dataType() } returns DataType.FLOAT32
        every { shape() } returns spec.shape.map { it.toInt() }.toIntArray()
        every { asReadOnlyBuffer() } answers {
            val values = contents.getValue("$key ${spec.name}")
            ByteBuffer.allocateDirect(4 * values.size).order(ByteOrder.nativeOrder())
                .also { it.asFloatBuffer().put(values) }.asReadOnlyBuffer().order(ByteOrder.nativeOrder())
        }
    }
}
