package org.anyir.engines

import io.mockk.Runs
import io.mockk.every
import io.mockk.just
import io.mockk.mockk
import io.mockk.mockkObject
import io.mockk.unmockkAll
import io.mockk.verify
import org.anyir.engines.MockedProgram.model
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor
import java.nio.FloatBuffer

/** What the engine asks of ExecuTorch, which cannot be had here, and what it makes of its answers. */
class MockedExecuTorchTest {
    private val tensors = HashMap<EValue, FloatBuffer>()

    /** The program's own memory, which every run overwrites. */
    private val memory = List(2) { direct(VALUES) }

    @After
    fun forget() = unmockkAll()

    @Test
    fun `both methods are loaded once where both are asked for`() {
        val module = executorch()
        Engines.byId("executorch")!!.open(model(), threads = 4, both = true).use { engine ->
            assertEquals("ExecuTorch (XNNPACK)", engine.accelerator)
            assertEquals(4, engine.threads)
            assertEquals("fixed in the program", 400L, engine.lookOperators?.delegated)
            assertEquals(700L, engine.restoreOperators?.delegated)
            assertRestores(engine)
        }
        verify(exactly = 1) { Module.load("tiny.tflite", Module.LOAD_MODE_MMAP, 4) }
        for (method in listOf("look", "restore")) verify(exactly = 1) { module.loadMethod(method) }
        verify(exactly = 1) { module.destroy() }
    }

    @Test
    fun `else one at a time, look's memory given back before restore is loaded, and the reverse for the next photo`() {
        val module = executorch()
        val calls = ArrayList<String>()
        every { module.loadMethod(any()) } answers { calls += "load ${firstArg<String>()}" }
        every { module.destroy() } answers { calls += "destroy" }
        Engines.byId("executorch")!!.open(model(), threads = 4).use { engine ->
            assertEquals(listOf("load restore", "destroy", "load look"), calls)
            calls.subList(0, 2).clear()
            repeat(2) { photo ->
                val statistics = engine.newStatistics()
                engine.look(direct(VALUES), statistics)
                repeat(3) { engine.restore(direct(VALUES), statistics, direct(VALUES)) }
                val one = listOf("load look", "destroy", "load restore")
                assertEquals(if (photo == 0) one else one + "destroy" + one, calls)
            }
            assertRestores(engine)
        }
        assertEquals("what was loaded is given back", calls.count { it == "destroy" } * 2, calls.size)
        verify(exactly = 1 + calls.size / 2) { Module.load("tiny.tflite", Module.LOAD_MODE_MMAP, 4) }
    }

    @Test
    fun `it says when restore cannot be loaded, before anything looks`() {
        val module = executorch()
        every { module.loadMethod("restore") } throws IllegalStateException("backend not found")
        val message = sentence { Engines.byId("executorch")!!.open(model(), threads = 1) }
        assertEquals("ExecuTorch (CPU) cannot load tiny.tflite: backend not found.", message)
        verify(exactly = 0) { module.loadMethod("look") }
        verify(exactly = 1) { module.destroy() }
    }

    @Test
    fun `it says when restore cannot be loaded any more after the look, and tries again when it is asked again`() {
        val module = executorch()
        Engines.byId("executorch")!!.open(model(), threads = 1).use { engine ->
            val statistics = engine.newStatistics()
            engine.look(direct(VALUES), statistics)
            every { module.loadMethod("restore") } throws IllegalStateException("out of memory")
            val message = sentence { engine.restore(direct(VALUES), statistics, direct(VALUES)) }
            assertEquals("ExecuTorch, tiny cannot load restore: out of memory.", message)
            every { module.loadMethod("restore") } just Runs
            engine.restore(direct(VALUES), statistics, direct(VALUES))
        }
        verify(exactly = 4) { module.destroy() }
    }

    @Test
    fun `buffers are read in place, wrapped once for a photo`() {
        executorch()
        val tile = direct(VALUES)
        Engines.byId("executorch")!!.open(model(), threads = 1).use { engine ->
            val statistics = engine.newStatistics()
            engine.look(tile, statistics)
            repeat(3) { engine.restore(tile, statistics, direct(VALUES)) }
            verify(exactly = 1) { Tensor.fromBlob(tile, match { it.toList() == listOf(1L, 3L, 8L, 8L) }) }
            val second = statistics.values[1]
            verify(exactly = 1) { Tensor.fromBlob(second, match { it.toList() == listOf(1L, 1L, 2L, 2L) }) }
            verify(exactly = 3) { Tensor.fromBlob(any(), any()) }
        }
    }

    @Test
    fun `statistics of another program are refused`() {
        executorch()
        val factory = Engines.byId("executorch")!!
        factory.open(model(), 1).use { engine -> factory.open(model(), 1).use { assertRefusesOthers(engine, it) } }
    }

    @Test
    fun `it says when portable kernels run too`() {
        executorch()
        Engines.byId("executorch")!!.open(model(delegated = 690), threads = 1).use { engine ->
            assertEquals("ExecuTorch (XNNPACK and portable kernels)", engine.accelerator)
        }
    }

    @Test
    fun `it says when it breaks`() {
        val module = executorch()
        Engines.byId("executorch")!!.open(model(), threads = 1, both = true).use { engine ->
            val statistics = engine.newStatistics()
            every { module.execute("restore", *anyVararg()) } returns emptyArray()
            val none = sentence { engine.restore(direct(VALUES), statistics, direct(VALUES)) }
            assertEquals("ExecuTorch, tiny gave 0 outputs of restore where 1 are due.", none)
            every { module.execute("look", *anyVararg()) } returns results(listOf(FloatArray(1), FloatArray(3)))
            val few = sentence { engine.look(direct(VALUES), statistics) }
            assertEquals("ExecuTorch, tiny gave 3 values of statistics_1 where 4 are due.", few)
            every { module.execute("look", *anyVararg()) } throws IllegalStateException("out of memory\nat native")
            val broken = sentence { engine.look(direct(VALUES), statistics) }
            assertEquals("ExecuTorch, tiny failed: out of memory.", broken)
        }
        every { module.loadMethod("restore") } throws IllegalStateException("operator missing")
        val message = sentence { Engines.byId("executorch")!!.open(model(), 1, both = true) }
        assertEquals("ExecuTorch (CPU) cannot load tiny.tflite: operator missing.", message)
        verify(exactly = 2) { module.destroy() }
    }

    private fun executorch(): Module {
        mockkObject(Module.Companion, EValue.Companion, Tensor.Companion)
        val wrapped = HashMap<Tensor, FloatBuffer>()
        every { Tensor.fromBlob(any(), any()) } answers {
            mockk<Tensor>().also { wrapped[it] = firstArg() }
        }
        every { EValue.from(any()) } answers {
            mockk<EValue>().also { tensors[it] = wrapped.getValue(firstArg()) }
        }
        val module = mockk<Module>(relaxed = true)
        every { module.loadMethod(any()) } just Runs
        every { module.execute(any(), *anyVararg()) } answers {
            val given = secondArg<Array<EValue>>().map { value ->
                tensors.getValue(value).run { array(capacity()) }
            }
            assertTrue(given.first().size == VALUES)
            results(
                if (firstArg<String>() == "look") {
                    MockedProgram.look(given.single())
                } else {
                    listOf(MockedProgram.restore(given[0], given.drop(1)))
                },
            )
        }
        every { Module.load(any(), any(), any()) } returns module
        return module
    }

    /** Tensors that show the program's memory, as the runtime's do. */
    private fun results(values: List<FloatArray>): Array<EValue> = Array(values.size) { i ->
        val size = values[i].size
        for (j in 0 until size) memory[i].put(j, values[i][j])
        val tensor = mockk<Tensor> {
            every { numel() } returns size.toLong()
            every { copyDataInto(any()) } answers { firstArg<FloatBuffer>().put(memory[i].array(size)) }
        }
        mockk<EValue> { every { toTensor() } returns tensor }
    }
}
