package org.anyir.demo.benchmark

import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.RunTiming
import org.anyir.core.Statistics
import org.anyir.engines.Engine
import org.anyir.engines.EngineFactory
import java.nio.FloatBuffer

/** Takes a millisecond for nothing. */
internal object Slow : EngineFactory {
    override val id = "slow"
    override val label = "Slow"

    override fun unavailable(): String? = null

    override fun opens(manifest: Manifest) = true

    override fun open(model: Model, threads: Int, both: Boolean) = object : Engine {
        init {
            check(both) { "looks and tiles are timed in turn: no run may load an entry" }
        }

        override val name = "slow"
        override val accelerator = "nothing"
        override val tile = model.manifest.tile

        override fun newStatistics() = Statistics(this, listOf(1))

        override fun look(sheet: FloatBuffer, statistics: Statistics) = slowly()

        override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer) = slowly()

        private fun slowly(): RunTiming {
            Thread.sleep(1)
            return RunTiming(0, 1_000_000, 0)
        }

        override fun close() = Unit
    }
}
