package org.anyir.core

import java.nio.FloatBuffer

/** What restores one tile. */
interface TileRunner {
    /** Side of the square tile in pixels. */
    val tile: Int

    /**
     * Restores one tile.
     *
     * @param input direct, native byte order, 1x3xTxT floats (NCHW), RGB in 0..1, from index 0
     * @param output the same layout, written from index 0, not clamped
     * @return where the time went
     */
    fun run(input: FloatBuffer, output: FloatBuffer): TileTiming
}

/**
 * Where one tile's time went, in nanoseconds.
 *
 * @param copyInNanos giving the input to the runtime
 * @param runNanos computing; for a runtime that computes while it is read, part of this is in the next one
 * @param readBackNanos getting the output from the runtime
 */
class TileTiming(val copyInNanos: Long, val runNanos: Long, val readBackNanos: Long) {
    val totalNanos: Long get() = copyInNanos + runNanos + readBackNanos
}
