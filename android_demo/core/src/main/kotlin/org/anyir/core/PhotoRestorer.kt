package org.anyir.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** The user called the restoration off; nothing of it is to be kept. */
class CancelledException : Exception("cancelled")

/** The model's answer cannot be shown. The message is one sentence for the user. */
class RestoreException(message: String) : Exception(message)

/** Pixels that neighbouring tiles share unless told otherwise: 32, a quarter of a tile below 128. */
fun defaultOverlap(tile: Int): Int = minOf(32, tile / 4)

/**
 * Restores photos of any size: cuts them into overlapping tiles, runs a model on each, blends the results.
 *
 * Memory is taken for one tile and for one row of tiles across the photo, in float32; alpha passes through.
 * The same numbers as Python's `Restorer`, operation by operation.
 *
 * @param runner restores a tile
 * @param overlap pixels that neighbouring tiles share, at most half a tile
 */
class PhotoRestorer(private val runner: TileRunner, private val overlap: Int = defaultOverlap(runner.tile)) {
    /**
     * Restores [source] into [sink].
     *
     * @param progress called after every tile with (done, total)
     * @param cancelled asked before every tile
     * @throws CancelledException [cancelled] said so
     * @throws RestoreException the model returned NaN or infinity
     */
    fun restore(
        source: PhotoSource,
        sink: PhotoSink,
        progress: (done: Int, total: Int) -> Unit = { _, _ -> },
        cancelled: () -> Boolean = { false },
    ) {
        val plan = TilePlan(source.width, source.height, runner.tile, overlap)
        val tiles = TileBuffers(runner, minOf(plan.tile, plan.width), minOf(plan.tile, plan.height))
        val band = Band(plan.width, tiles.height)
        var done = 0
        for ((j, y) in plan.rows.withIndex()) {
            for ((i, x) in plan.columns.withIndex()) {
                if (cancelled()) throw CancelledException()
                source.read(Region(x, y, tiles.width, tiles.height), tiles.argb)
                tiles.run()
                band.add(x, tiles, plan.columnWeights[i], plan.rowWeights[j])
                progress(++done, plan.size)
            }
            val end = if (j + 1 < plan.rows.size) plan.rows[j + 1] else plan.height
            sink.writeRows(y, end - y, band.finish(end - y))
        }
    }
}

/** One tile on its way through the model: made once, used for all. */
private class TileBuffers(private val runner: TileRunner, val width: Int, val height: Int) {
    /** The region of the photo, [width] x [height]. */
    val argb = IntArray(width * height)

    /** The model's answer, 3 planes of tile x tile. */
    val values = FloatArray(3 * runner.tile * runner.tile)

    val tile: Int get() = runner.tile
    private val input = directFloats(values.size)
    private val output = directFloats(values.size)
    private val columns = reflectIndices(width, runner.tile)
    private val rows = reflectIndices(height, runner.tile)

    /** [argb] -> [values]. */
    fun run() {
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
        input.clear()
        input.put(values)
        input.clear()
        output.clear()
        runner.run(input, output)
        output.clear()
        output.get(values)
        if (values.any { it.isNaN() || it.isInfinite() }) {
            throw RestoreException("The model returned NaN or infinity, so there is no result.")
        }
    }
}

/** Rows of the result across the whole photo that tiles still add to. */
private class Band(private val width: Int, private val height: Int) {
    private val sums = FloatArray(width * height * 3)
    private val alpha = ByteArray(width * height)
    private val pixels = IntArray(width * height)

    /** Adds a tile whose left edge is at [x], weighted. */
    fun add(x: Int, tile: TileBuffers, columnWeights: DoubleArray, rowWeights: DoubleArray) {
        val plane = tile.tile * tile.tile
        for (row in 0 until tile.height) {
            for (column in 0 until tile.width) {
                val weight = (rowWeights[row] * columnWeights[column]).toFloat()
                val from = row * tile.tile + column
                val to = row * width + x + column
                sums[3 * to] += tile.values[from] * weight
                sums[3 * to + 1] += tile.values[plane + from] * weight
                sums[3 * to + 2] += tile.values[2 * plane + from] * weight
                alpha[to] = (tile.argb[row * tile.width + column] ushr 24).toByte()
            }
        }
    }

    /** The first [rows] rows as ARGB, from index 0; what remains moves up. */
    fun finish(rows: Int): IntArray {
        val count = rows * width
        for (i in 0 until count) {
            pixels[i] = (alpha[i].toInt() and 255 shl 24) or (byte(sums[3 * i]) shl 16) or
                (byte(sums[3 * i + 1]) shl 8) or byte(sums[3 * i + 2])
        }
        sums.copyInto(sums, 0, 3 * count)
        sums.fill(0f, sums.size - 3 * count)
        alpha.copyInto(alpha, 0, count)
        return pixels
    }

    /** 0..1 -> 0..255, clamped and rounded half to even, once. */
    private fun byte(value: Float): Int = Math.rint((value.coerceIn(0f, 1f) * 255f).toDouble()).toInt()
}

private fun directFloats(count: Int): FloatBuffer =
    ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer()
