package org.anyir.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** One tile on its way through the model: made once, used for all tiles, each [width] x [height] of the photo. */
internal class TileBuffers(private val runner: TileRunner, val width: Int, val height: Int) {
    val tile: Int = runner.tile

    /** The region of the photo. */
    val argb = IntArray(width * height)

    /** The model's input, then its answer: 3 planes of tile x tile. */
    val values = FloatArray(3 * tile * tile)

    private val input = directFloats(values.size)
    private val output = directFloats(values.size)
    private val columns = reflectIndices(width, tile)
    private val rows = reflectIndices(height, tile)

    /** [argb] -> [values], through the model. */
    fun run() {
        fill()
        input.clear()
        input.put(values)
        input.clear()
        output.clear()
        runner.run(input, output)
        output.clear()
        output.get(values)
        for (value in values) {
            if (value.isNaN() || value.isInfinite()) {
                throw RestoreException("The model returned NaN or infinity, so there is no result.")
            }
        }
    }

    /** The region, filled up to a tile, as the model takes it. */
    private fun fill() {
        val plane = tile * tile
        for (y in 0 until tile) {
            val row = rows[y] * width
            for (x in 0 until tile) {
                val pixel = argb[row + columns[x]]
                val place = y * tile + x
                values[place] = (pixel shr 16 and 255) / 255f
                values[plane + place] = (pixel shr 8 and 255) / 255f
                values[2 * plane + place] = (pixel and 255) / 255f
            }
        }
    }
}

private fun directFloats(count: Int): FloatBuffer =
    ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer()
