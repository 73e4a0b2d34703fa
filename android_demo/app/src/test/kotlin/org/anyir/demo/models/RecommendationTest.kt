package org.anyir.demo.models

import org.anyir.demo.restore.TestEngine
import org.anyir.demo.restore.testModel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

class RecommendationTest {
    private val cpu = TestEngine("litert-cpu", opens = { it.runtime == "litert" })
    private val gpu = TestEngine("litert-gpu", opens = { it.runtime == "litert" })
    private val executorch = TestEngine("executorch", opens = { it.runtime == "executorch" })
    private val missing = TestEngine("missing", unavailable = "not in this build")

    private val small = testModel("small", tile = 256, losses = listOf(26.0 to 0.0))
    private val best = testModel("best", tile = 256, losses = listOf(28.0 to 0.01, 30.0 to 0.01))
    private val lossy = testModel("lossy", tile = 256, losses = listOf(29.5 to 0.9))

    private fun name(choice: Choice?) = choice?.let { "${it.model.manifest.name} on ${it.engine.id}" }

    @Test
    fun `nothing can run`() {
        assertNull(recommended(emptyList(), listOf(cpu)))
        assertNull(recommended(listOf(small), listOf(missing, executorch)))
    }

    @Test
    fun `without measurements, the best results on the CPU, among models that lost little`() {
        assertEquals("best on litert-cpu", name(recommended(listOf(lossy, small, best), listOf(gpu, cpu, missing))))
        assertEquals("best on litert-gpu", name(recommended(listOf(small, best), listOf(gpu))))
        assertEquals("lossy on litert-cpu", name(recommended(listOf(lossy), listOf(gpu, cpu))))
    }

    @Test
    fun `between equals, the larger tile, then fp32, then the first`() {
        val half = testModel("half", tile = 256, losses = listOf(29.0 to 0.0), precision = "fp16")
        val twin = testModel("twin", tile = 128, losses = listOf(29.0 to 0.0))
        val first = testModel("first", tile = 256, losses = listOf(29.0 to 0.0))
        assertEquals("first on litert-cpu", name(recommended(listOf(twin, half, first, best), listOf(cpu))))
    }

    @Test
    fun `the fastest that was measured on this phone, by time for a pixel`() {
        val half = testModel("half", tile = 128, losses = listOf(28.0 to 0.0))
        val millis = mapOf(
            "small on litert-cpu" to 900.0,
            "best on litert-gpu" to 400.0,
            "half on litert-gpu" to 120.0, // of a quarter of the pixels
            "lossy on litert-gpu" to 1.0,
        )
        val models = listOf(small, best, half, lossy)
        assertEquals("best on litert-gpu", name(recommended(models, listOf(cpu, gpu)) { millis[name(it)] }))
    }

    @Test
    fun `every pair that can run is offered`() {
        val program = testModel("program", runtime = "executorch")
        val pairs = choices(listOf(small, program), listOf(cpu, gpu, executorch, missing)).map(::name)
        assertEquals(listOf("small on litert-cpu", "small on litert-gpu", "program on executorch"), pairs)
    }
}
