package org.anyir.engines

import io.mockk.every
import io.mockk.mockk
import io.mockk.mockkStatic
import io.mockk.unmockkAll
import io.mockk.verify
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
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** What the engine asks of LiteRT's `Interpreter`, whose native library this machine lacks. */
class MockedInterpreterTest {
    private val contents = HashMap<String, FloatArray>()
    private val interpreter = mockk<Interpreter>()

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
        verify(exactly = 2) { interpreter.close() }
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

    private fun open() = InterpreterFactory { file, options ->
        assertEquals("tiny.tflite", file.path)
        assertEquals(2 to true, options.numThreads to options.useXNNPACK)
        interpreter
    }.open(model(), threads = 2)

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
