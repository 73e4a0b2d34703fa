package org.anyir.core

import java.nio.FloatBuffer

/**
 * What restores photos in tiles that agree: it looks once at a sheet of the photo's crops ([LookPlan]), and restores
 * every tile with what it found.
 *
 * Images are 1x3xHxW floats (NCHW), RGB in 0..1, in direct buffers of native byte order, from index 0.
 */
interface TileRunner {
    /** Side of sheets in pixels. */
    val tile: Int

    /** Of tiles, which need not be as large as sheets. */
    val tileSize: TileSize get() = TileSize(tile)

    /** Room for the statistics of one photo, for this program alone. */
    fun newStatistics(): Statistics

    /**
     * Looks at a photo, once.
     *
     * @param sheet crops of the photo side by side; the photo itself where it fits into a tile
     * @param statistics receives what was found, NaN and infinity too
     * @return where the time went
     */
    fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming

    /**
     * Restores one tile.
     *
     * @param input the tile
     * @param statistics of its photo, as [look] filled them
     * @param output receives the tile restored, not clamped
     * @return where the time went
     */
    fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming
}

/**
 * Where the time of one run went, in nanoseconds.
 *
 * @param copyInNanos giving the inputs to the runtime
 * @param runNanos computing; for a runtime that computes while it is read, part of this is in the next one
 * @param readBackNanos getting the outputs from the runtime
 */
class RunTiming(val copyInNanos: Long, val runNanos: Long, val readBackNanos: Long)
