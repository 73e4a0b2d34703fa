package org.anyir.demo

import org.anyir.engines.JvmArtifacts
import org.anyir.engines.JvmEngineFactory
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.LooperMode

@RunWith(RobolectricTestRunner::class)
class EngineInRobolectricTest {
    @Test
    fun `a real program loads`() {
        val model = JvmArtifacts.models.first()
        JvmEngineFactory().open(model, threads = 1).use { assertEquals(64, it.tile) }
    }

    @Test
    @Config(sdk = [35])
    @LooperMode(LooperMode.Mode.INSTRUMENTATION_TEST)
    fun `a real program loads in a second sandbox too`() = `a real program loads`()
}
