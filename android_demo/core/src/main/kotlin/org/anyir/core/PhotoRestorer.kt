package org.anyir.core

/** The user called the restoration off; nothing of it is to be kept. */
class CancelledException : Exception("cancelled")

/** The model's answer cannot be shown. The message is one sentence for the user. */
class RestoreException(message: String) : Exception(message)

/** Pixels that neighbouring tiles share unless told otherwise: 32, a quarter of a tile below 128. */
fun defaultOverlap(tile: Int): Int = minOf(32, tile / 4)

/**
 * Restores photos of any size: cuts them into overlapping tiles, runs a model on each, blends the results.
 *
 * Memory is taken for one tile and for one row of tiles across the photo (13 bytes a pixel); alpha passes through.
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
        blend(source, progress, cancelled) { y, rows, band -> band.write(y, rows, sink) }
    }

    /** Restores [source]; [finished] is told of the band's first rows as soon as no tile adds to them any more. */
    internal fun blend(
        source: PhotoSource,
        progress: (Int, Int) -> Unit,
        cancelled: () -> Boolean,
        finished: (y: Int, rows: Int, band: Band) -> Unit,
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
            val rows = (if (j + 1 < plan.rows.size) plan.rows[j + 1] else plan.height) - y
            finished(y, rows, band)
            band.moveUp(rows)
        }
    }
}
