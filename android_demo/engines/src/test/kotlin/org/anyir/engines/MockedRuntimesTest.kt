package org.anyir.engines

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.LiteRtException
import com.google.ai.edge.litert.TensorBuffer
import io.mockk.Runs
import io.mockk.every
import io.mockk.just
import io.mockk.mockk
import io.mockk.mockkObject
import io.mockk.slot
import io.mockk.unmockkAll
import io.mockk.verify
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.Operators
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

private const val VALUES = 3 * 8 * 8

/** What the engines ask of runtimes that cannot be had here, and what they make of the answers: value -> 2 value. */
class MockedRuntimesTest {
    private val input = direct().apply { for (i in 0 until VALUES) put(i, i.toFloat()) }
    private val output = direct()

    @After
    fun forget() = unmockkAll()

    @Test
    fun `CompiledModel is asked for the CPU alone, with its threads`() {
        val options = compiledModel()
        Engines.byId("litert-cpu")!!.open(model("fp32"), threads = 3).use { engine ->
            assertEquals("LiteRT CPU (XNNPACK asked for)", engine.accelerator)
            assertEquals(3, engine.threads)
            assertNull("nothing tells what was delegated on this phone", engine.operators)
            assertDoubles(engine)
        }
        assertEquals(setOf(Accelerator.CPU), options.captured.accelerators)
        assertEquals(3, options.captured.cpuOptions!!.numThreads)
        assertNull(options.captured.gpuOptions)
    }

    @Test
    fun `CompiledModel is asked for the GPU alone, in the program's precision`() {
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
                assertNull(engine.operators)
                assertDoubles(engine)
            }
            assertEquals(setOf(Accelerator.GPU), options.captured.accelerators)
            assertEquals(asked, options.captured.gpuOptions!!.precision)
        }
    }

    @Test
    fun `a program that the GPU refuses is not run elsewhere`() {
        mockkObject(CompiledModel.Companion)
        every { CompiledModel.create(any(), any()) } throws LiteRtException("BATCH_MATMUL is not supported.\nmore")
        val error = assertThrows(EngineException::class.java) { Engines.byId("litert-gpu")!!.open(model("fp16"), 1) }
        assertEquals("LiteRT GPU cannot load tiny.tflite: BATCH_MATMUL is not supported.", error.message)
        verify(exactly = 1) { CompiledModel.create(any(), any()) }
    }

    @Test
    fun `a CompiledModel that breaks while it runs or answers too little says so`() {
        compiledModel(run = { throw LiteRtException("device lost") })
        Engines.byId("litert-gpu")!!.open(model("fp16"), 1).use { engine ->
            val error = assertThrows(EngineException::class.java) { engine.run(input, output) }
            assertEquals("LiteRT GPU (fp16 asked for), tiny failed: device lost.", error.message)
        }
        compiledModel(run = { it.copyOf(5) })
        Engines.byId("litert-cpu")!!.open(model("fp16"), 1).use { engine ->
            val error = assertThrows(EngineException::class.java) { engine.run(input, output) }
            assertTrue(error.message, "gave 5 values where 192 are due" in error.message!!)
        }
    }

    @Test
    fun `ExecuTorch reads the buffer in place, wrapped once`() {
        val module = executorch()
        Engines.byId("executorch")!!.open(model("fp32"), threads = 4).use { engine ->
            assertEquals("ExecuTorch (XNNPACK)", engine.accelerator)
            assertEquals(4, engine.threads)
            assertEquals("fixed in the program", 721L, engine.operators?.delegated)
            assertDoubles(engine)
            assertDoubles(engine)
            verify(exactly = 1) { Tensor.fromBlob(input, match { it.toList() == listOf(1L, 3L, 8L, 8L) }) }
        }
        verify { Module.load("tiny.tflite", Module.LOAD_MODE_MMAP, 4) }
        verify(exactly = 1) { module.loadMethod("forward") }
        verify(exactly = 1) { module.destroy() }
    }

    @Test
    fun `ExecuTorch says when portable kernels run too, and when it breaks`() {
        val module = executorch()
        Engines.byId("executorch")!!.open(model("fp32", delegated = 700), threads = 1).use { engine ->
            assertEquals("ExecuTorch (XNNPACK and portable kernels)", engine.accelerator)
            every { module.forward(any()) } returns emptyArray()
            assertEquals(
                "ExecuTorch, tiny gave no output.",
                assertThrows(EngineException::class.java) { engine.run(input, output) }.message,
            )
        }
        every { module.loadMethod(any()) } throws IllegalStateException("operator missing")
        val error = assertThrows(EngineException::class.java) { Engines.byId("executorch")!!.open(model("fp32"), 1) }
        assertEquals("ExecuTorch (CPU) cannot load tiny.tflite: operator missing.", error.message)
        verify(exactly = 2) { module.destroy() }
    }

    private fun assertDoubles(engine: Engine) {
        output.clear()
        val timing = engine.run(input, output)
        for (i in 0 until VALUES) assertEquals(2f * i, output.get(i), 0f)
        assertTrue(timing.copyInNanos >= 0 && timing.runNanos >= 0 && timing.readBackNanos >= 0)
    }

    /** A CompiledModel whose one output is [run] of its one input; returns the options that it is made with. */
    private fun compiledModel(
        run: (FloatArray) -> FloatArray = { values -> FloatArray(values.size) { 2 * values[it] } },
    ) = slot<CompiledModel.Options>().also { options ->
        var given = FloatArray(0)
        var answer = FloatArray(0)
        val input = mockk<TensorBuffer>(relaxed = true)
        every { input.writeFloat(any()) } answers { given = firstArg<FloatArray>().copyOf() }
        val output = mockk<TensorBuffer>(relaxed = true)
        every { output.readFloat() } answers { answer }
        val compiled = mockk<CompiledModel>(relaxed = true)
        every { compiled.createInputBuffers() } returns listOf(input)
        every { compiled.createOutputBuffers() } returns listOf(output)
        every { compiled.run(any(), any()) } answers { answer = run(given) }
        mockkObject(CompiledModel.Companion)
        every { CompiledModel.create(any(), capture(options)) } returns compiled
    }

    private fun executorch(): Module {
        mockkObject(Module.Companion, EValue.Companion, Tensor.Companion)
        every { Tensor.fromBlob(any(), any()) } answers {
            val data = firstArg<FloatBuffer>()
            val whole = data.duplicate().apply { clear() }
            mockk { every { copyDataInto(any()) } answers { firstArg<FloatBuffer>().put(whole.duplicate()) } }
        }
        val tensors = mutableMapOf<EValue, Tensor>()
        every { EValue.from(any()) } answers {
            val tensor = firstArg<Tensor>()
            mockk<EValue>().also { tensors[it] = tensor }
        }
        val module = mockk<Module>(relaxed = true)
        every { module.loadMethod(any()) } just Runs
        every { module.forward(any()) } answers {
            val argument = firstArg<Array<EValue>>().single()
            val doubled = direct().also { tensors.getValue(argument).copyDataInto(it) }
            for (i in 0 until VALUES) doubled.put(i, 2 * doubled.get(i))
            val result = mockk<Tensor> {
                every { numel() } returns VALUES.toLong()
                every { copyDataInto(any()) } answers { firstArg<FloatBuffer>().put(doubled.apply { clear() }) }
            }
            arrayOf(mockk<EValue> { every { toTensor() } returns result })
        }
        every { Module.load(any(), any(), any()) } returns module
        return module
    }

    private fun model(precision: String, delegated: Long = 721): Model {
        val manifest = mockk<Manifest> {
            every { name } returns "tiny"
            every { tile } returns 8
            every { operators } returns Operators(721, delegated, null)
        }
        every { manifest.precision } returns precision
        return Model(manifest, File("tiny.tflite"))
    }

    private fun direct(): FloatBuffer =
        ByteBuffer.allocateDirect(4 * VALUES).order(ByteOrder.nativeOrder()).asFloatBuffer()
}
