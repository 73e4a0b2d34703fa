package org.anyir.engines

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Test

/** On this machine no engine of the phone can run: each must say so and none may crash. */
class EnginesTest {
    @Test
    fun `the four engines are known by their ids`() {
        assertEquals(
            listOf("litert-cpu", "litert-gpu", "litert-interpreter", "executorch"),
            Engines.all.map { it.id }.take(4),
        )
    }

    @Test
    fun `an engine whose classes are missing is not in this build`() {
        assumeTrue("the signatures are in sight, as in the Mocked tests", signaturesAreMissing())
        for (id in listOf("litert-cpu", "litert-gpu", "executorch")) {
            assertEquals(NOT_IN_THIS_BUILD, Engines.byId(id)!!.unavailable())
        }
    }

    @Test
    fun `an engine whose native library is missing says so`() {
        val reason = Engines.byId("litert-interpreter")!!.unavailable()
        assertNotNull(reason)
        assertTrue(reason, reason!!.contains("native"))
    }

    @Test
    fun `opening what cannot be used ends with one sentence`() {
        assumeTrue("the signatures are in sight, as in the Mocked tests", signaturesAreMissing())
        val model = JvmArtifacts.models.first()
        for (factory in Engines.all.take(4)) {
            val error = assertThrows(EngineException::class.java) { factory.open(model, threads = 1) }
            val message = error.message!!
            assertTrue(message, message.startsWith(factory.label) && message.endsWith(".") && '\n' !in message)
        }
    }

    @Test
    fun `each engine opens its own kind of program`() {
        val manifest = JvmArtifacts.models.first().manifest
        assertEquals(
            mapOf("litert-cpu" to true, "litert-gpu" to true, "litert-interpreter" to true, "executorch" to false),
            Engines.all.take(4).associate { it.id to it.opens(manifest) },
        )
    }

    @Test
    fun `whatever a runtime throws becomes an EngineException`() {
        val thrown = listOf(
            IllegalStateException("broken.\n at native code"),
            UnsatisfiedLinkError("no library"),
            OutOfMemoryError(),
            Exception(null as String?),
        )
        val expected =
            listOf(
                "It failed: broken.",
                "It failed: no library.",
                "It failed: not enough memory.",
                "It failed: Exception.",
            )
        for ((cause, message) in thrown.zip(expected)) {
            val error = assertThrows(EngineException::class.java) { engineCall("It failed") { throw cause } }
            assertEquals(message, error.message)
        }
    }

    private fun signaturesAreMissing(): Boolean {
        val signature = javaClass.classLoader.getResource("org/pytorch/executorch/Module.class")
        return signature == null
    }
}
