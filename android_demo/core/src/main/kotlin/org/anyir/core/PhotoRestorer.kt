package org.anyir.core

/** The user called the restoration off; nothing of it is to be kept. */
class CancelledException : Exception("cancelled")

/** The model's answer cannot be shown: it holds NaN or infinity. The message is one sentence for the user. */
open class RestoreException(message: String = "The model returned NaN or infinity, so there is no result.") :
    Exception(message)

/** So does what the model found when it looked at the photo. */
class LookException :
    RestoreException("The model looked at the photo and returned NaN or infinity, so there is no result.")

/** Pixels that neighbouring tiles share unless told otherwise: 32, a quarter of a tile below 128. */
fun defaultOverlap(tile: Int): Int = minOf(32, tile / 4)

/**
 * Restores photos of any size: looks at the whole photo once, cuts it into overlapping tiles, runs a model on each with
 * what the look found, and blends the results.
 *
 * Memory is taken for one tile and for one row of tiles across the photo (13 bytes a pixel); alpha passes through. A
 * photo without colour stays without: of one whose look shows none, every pixel is read once more before its tiles.
 * The same numbers as Python's `Restorer`, operation by operation.
 *
 * @param runner looks at photos and restores tiles
 * @param overlap pixels that neighbouring tiles share, at most half a tile's shorter side
 */
class PhotoRestorer(
    private val runner: TileRunner,
    private val overlap: Int = defaultOverlap(runner.tileSize.shorter),
) {
    /**
     * Restores [source] into [sink].
     *
     * @param progress called at the beginning and after every step with (done, total): the first step is the look,
     * each other one a tile
     * @param cancelled asked before every crop of the look, before every tile, and before every region that is searched
     * for colour
     * @param onNeed told once how much the photo needs to be restored: with the look, before its first tile, for which
     * the sheet is restored, one tile's work more; of a photo of one tile, which is its own sheet, after that, for
     * nothing. Null: not asked for
     * @throws CancelledException [cancelled] said so
     * @throws RestoreException the model returned NaN or infinity: a [LookException] where it did so in its look
     */
    fun restore(
        source: PhotoSource,
        sink: PhotoSink,
        progress: (done: Int, total: Int) -> Unit = { _, _ -> },
        cancelled: () -> Boolean = { false },
        onNeed: ((Need) -> Unit)? = null,
    ) {
        blend(source, progress, cancelled, onNeed) { y, rows, band -> band.write(y, rows, sink) }
    }

    /** Restores [source]; [finished] is told of the band's first rows as soon as no tile adds to them any more. */
    internal fun blend(
        source: PhotoSource,
        progress: (Int, Int) -> Unit,
        cancelled: () -> Boolean,
        onNeed: ((Need) -> Unit)? = null,
        finished: (y: Int, rows: Int, band: Band) -> Unit,
    ) {
        val plan = TilePlan(source.width, source.height, runner.tileSize, overlap)
        val tiles = TileBuffers(runner, source.width, source.height)
        val steps = 1 + plan.size
        progress(0, steps)
        tiles.look(source, cancelled)
        val band = Band(plan.width, tiles.height, grey = source.grey || !tiles.findsColour(source, plan, cancelled))
        val tileIsSheet = plan.size == 1 && tiles.areSheets
        if (onNeed != null && !tileIsSheet) {
            if (cancelled()) throw CancelledException()
            onNeed(tiles.sheetNeed())
        }
        progress(1, steps)
        var done = 1
        for ((j, y) in plan.rows.withIndex()) {
            for ((i, x) in plan.columns.withIndex()) {
                if (cancelled()) throw CancelledException()
                source.read(Region(x, y, tiles.width, tiles.height), tiles.argb)
                tiles.run()
                if (onNeed != null && tileIsSheet) onNeed(tiles.tileNeed())
                band.add(x, tiles, plan.columnWeights[i], plan.rowWeights[j])
                progress(++done, steps)
            }
            val rows = (if (j + 1 < plan.rows.size) plan.rows[j + 1] else plan.height) - y
            finished(y, rows, band)
            band.moveUp(rows)
        }
    }
}
